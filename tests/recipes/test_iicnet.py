"""IICnet's experiment in miniature: two seeds on a few simulated infrared images."""

import math
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from miniature import make_dataset, run_all, run_of

from astroclip_kit import pipeline
from astroclip_kit.data import Dataset
from astroclip_kit.data.splits import divide
from astroclip_kit.errors import UsageError
from astroclip_kit.models import load_model
from astroclip_kit.pipeline.configuration import load_configuration, read_configuration, resolve_configuration
from astroclip_kit.pipeline.preparation import prepare
from astroclip_kit.recipes import Run, find_recipe
from astroclip_kit.recipes.iicnet import _swept, measure
from astroclip_kit.recipes.iicnet_costs import costs_stage
from astroclip_kit.recipes.iicnet_models import BRIEF, MODELS, NETWORKS, SIZES
from astroclip_kit.recipes.iicnet_stages import repetitions, stages
from astroclip_kit.recipes.judged import Judged
from astroclip_kit.recipes.paired import Paired
from astroclip_kit.results import combine
from astroclip_kit.settings import Classification, Hardware, Material, Split, Training
from astroclip_kit.storage import open_folder
from astroclip_kit.types import Result

RECIPE = find_recipe("iicnet")
ONE = Training(1, 16, hardware=Hardware("cpu", "float32", threads=1))
SETTINGS = Classification(
    method="concat_linear", encoder_training=ONE, training=ONE, split=Split(test=0.25, valid=0.25)
)
NARROW = {"widths": [4, 4, 8, 8], "depths": [1, 1, 1, 1]}
ENCODERS = {
    "image": {"class_path": "astroclip_kit.encoders.IICNet", "init_args": {"bands": 3, "size": 32}},
    "colours": {"class_path": "astroclip_kit.encoders.TabularMLP", "init_args": {"hidden_features": [8]}},
    "spectrum": {"class_path": "astroclip_kit.encoders.VGG1D", "init_args": NARROW},
}
RUN = ("iicnet", "colours", "spectrum", "fused", "stem_3", "bands_4", "mobilenet")
EXPERIMENT = {
    **RECIPE.experiment,
    "seeds": 2,
    "n_boot": 20,
    "sweep_seeds": 1,
    "sweep_objects": 20,
    "colour_epochs": 2,
    "speeds": False,
    "leave_out": [name for name in MODELS if name not in RUN],
}


def make_run(root, dataset, **experiment):
    return run_of(root, dataset, ENCODERS, SETTINGS, {**EXPERIMENT, **experiment}, seed=3)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Survey, dataset and all stages, once."""
    root = tmp_path_factory.mktemp("iicnet")
    run = make_run(root / "run", make_dataset(RECIPE, root, "wise", 60, 38))
    written = run_all([*stages(run), costs_stage(run)])
    return Run({**run.folders, **{one.name: one.out for one in written}}, run.sections, run.objects, run.seed), written


@pytest.mark.slow
def test_images_are_50_arcsec_in_80_pixels_and_know_what_they_were(done):
    modality = Dataset(done[0].folders["dataset"]).modalities["image"]
    assert modality.shape == (8, 80, 80) and modality.image_bands == ("w1", "w2", "w3", "w4")
    assert modality.pixel_scale_arcsec == pytest.approx(0.625)
    assert modality.source_pixel_scale_arcsec == pytest.approx(1.375)


@pytest.mark.slow
def test_a_seed_trains_on_its_training_side_and_sweeps_on_part_of_it(done):
    run, written = done
    names = [stage.name for stage in written]
    assert names[:7] == [
        *(f"seed-0/encoders/{name}" for name in ENCODERS),
        "seed-0/fused/model",
        *(f"seed-0/sweep/{name}" for name in ("stem_3", "bands_4", "mobilenet")),
    ]
    assert names[7:] == ["seed-0/results", *names[8:13], "costs"] and "seed-1/sweep/stem_3" not in names
    first, second = repetitions(run)
    for one in (first, second):
        sides = divide(one.dataset, one.settings.split)
        assert set(sides[Judged(one.place("results")).rows]) == {"test"}
        assert open_folder(one.place("encoders", "image"), "model")["counts"]["train"] == (sides == "train").sum()
    assert open_folder(first.place("sweep", "stem_3"), "model")["counts"]["train"] == 20
    assert len(open_folder(first.place("encoders", "colours"), "model")["history"]) == 2


@pytest.mark.slow
def test_what_is_swept_and_other_networks_differ_in_that_alone(done):
    first, _ = repetitions(done[0])
    own = load_model(first.place("encoders", "image", "encoder"))
    stem, bands, mobilenet = (load_model(first.place("sweep", name, "encoder")) for name in RUN[4:])
    assert (own.stem, own.bands, own.size) == (5, 3, 32)
    assert (stem.stem, stem.bands) == (3, 3) and (bands.stem, bands.bands) == (5, 4)
    x = first.dataset.views("image", [0, 1])
    import torch

    seen = [one.preprocess(torch.from_numpy(x)) for one in (own, mobilenet)]
    assert torch.equal(*seen) and seen[0].shape == (2, 3, 32, 32)


@pytest.mark.slow
def test_its_classifier_knows_its_data_and_refuses_images_unlike_them(done, tmp_path):
    first, _ = repetitions(done[0])
    model, survey = first.place("fused", "model"), done[0].folders["dataset"].parent / "survey"
    about = open_folder(model, "model")
    assert (about["origin"], set(about["quality"])) == ("mock", {"image"})
    cutouts = sorted((survey / "cutouts").iterdir())[:12]
    (tmp_path / "new" / "cutouts").mkdir(parents=True)
    for path in cutouts:
        shutil.copy(path, tmp_path / "new" / "cutouts")
    shutil.copy(survey / "colours.csv", tmp_path / "new")
    for path, value in zip(cutouts[:2], (0.0, math.nan), strict=True):  # blank, and nothing but NaN
        with fits.open(tmp_path / "new" / "cutouts" / path.name, mode="update") as hdus:
            hdus[0].data[:] = value
    table = pipeline.classify(model=model, input=tmp_path / "new")
    assert 0 < len(table) <= 10 and not set(table["object_id"]) & {path.stem for path in cutouts[:2]}
    assert any("calibrated on mock data of" in note or "not calibrated" in note for note in table.meta["notes"])
    assert not any("keeps no demands" in note for note in table.meta["notes"])


@pytest.mark.slow
def test_the_page_has_numbers_statements_errors_and_figures(done):
    run, _ = done
    found = measure(run)
    by = {(one.task, one.property, one.metric): one for one in found.results if one.fold < 0}
    wrong, accuracy = by["iicnet", "class", "share_wrong"], by["iicnet", "class", "accuracy"]
    assert wrong.value == pytest.approx(1 - accuracy.value) and math.isfinite(wrong.std)
    assert by["vgg16", "", "parameters"].value == 134_272_835
    assert [by["iicnet", "", f"{name}_at_80_px"].value for name in ("MACs", "thop")] == [214_579_528, 218_150_728]
    assert ("paired", "class", "accuracy_difference") in by
    assert "730, 721 and 722" in found.parts["What the published confusion matrix is of"]
    stated = found.parts["Which of the published statements hold"]
    assert "<td>IICnet, images + colours</td><td>IICnet, images</td><td>+0.0100</td>" in stated
    assert "so their order is not resolved" in found.parts["What the sweeps tell"]
    assert "IICnet on images against other settings and networks" not in found.parts  # one seed of them
    assert "published 104 of 2,173, 4.8%" in found.parts["Errors of IICnet"]
    captions = " ".join(found.figures)
    for words in (
        "Without a bar: of one seed",
        "each class against the rest",
        "as published",
        "Misclassified",
        "layers of the encoder",
        "Colours by true",
    ):
        assert words in captions
    assert any(
        "sweeps and other networks are trained on 20 training objects for 1 epoch," in one for one in found.notes
    )
    table = RECIPE.compare(found.results).table
    measured = {(row["task"], row["metric"]) for row in table if row["data"] == "mock"}
    assert not {task for task, metric in measured if metric == "parameters"}  # which are of no data
    layouts = {one.title: one for one in RECIPE.tables}
    shown = {row[0]: row for row in RECIPE.compare(found.results).cells(layouts["What the networks cost (Table 3)"])}
    assert shown["RepVGG as deployed"][2] == "24,095,171" and shown["RepVGG as deployed"][-1] == ""
    assert shown["IICnet"][5:7] == ["218,660,000", "218,150,728"] and shown["IICnet"][-1] == ""
    assert {("iicnet", "specificity"), ("samples", "probability"), ("paired", "accuracy_difference")} <= measured


def plan(tmp_path, size="", changes=()):
    prepared = prepare(RECIPE, tmp_path / "run", Material(), "", size)
    prepared.change(list(changes))
    prepared.check_experiment(RECIPE.experiment)
    settings = resolve_configuration(prepared.content, prepared.path)
    folders = {"root": tmp_path, "dataset": tmp_path / "data"}
    sections = {"classify": settings.sections["classify"], "experiment": prepared.experiment}
    return prepared, Run(folders, sections, lambda: None, settings.seed)


def test_the_small_run_has_five_seeds_and_says_what_is_smaller(tmp_path):
    prepared, run = plan(tmp_path)
    names = [stage.name for stage in RECIPE.stages(run)]
    assert names[-1] == "costs" and names[-2] == "seed-4/results"
    assert {f"seed-0/sweep/{name}" for name in ("size_64", BRIEF, "size_128", "stem_3", "bands_4", *NETWORKS)} <= {
        *names
    }
    assert any(line.startswith("experiment.sweep_epochs: ") for line in prepared.changes)
    assert any(line.startswith("simulate.count: ") and line.endswith("not 21736") for line in prepared.changes)
    assert RECIPE.experiment["leave_out"] == ["joint"]  # the recipe itself is not changed


def test_the_full_run_trains_as_published_and_sweeps_every_size(tmp_path):
    prepared, run = plan(tmp_path, "full")
    assert prepared.changes == list(RECIPE.differences)
    first = repetitions(run)[0]
    training, schedule = first.training("image"), first.training("image").schedule
    assert (training.epochs, training.optimizer.name, training.optimizer.learning_rate) == (200, "adam", 1e-4)
    assert (schedule.name, schedule.step_epochs, schedule.factor, schedule.warmup_epochs) == ("step", [50], 0.5, 0)
    assert first.brief == training == first.training("colours")
    names = [stage.name for stage in first.stages()]
    assert [f"seed-0/sweep/size_{side}" for side in SIZES if side != 80] == [one for one in names if "size" in one]
    assert first.model_place(BRIEF) == first.model_place("iicnet")  # trained once


def test_the_configuration_of_classify_is_the_full_one_without_spectra_which_new_objects_lack():
    path = RECIPE.folder.parents[1] / "configs" / "iicnet.yaml"
    own, full = (read_configuration(one) for one in (path, RECIPE.file()))
    for one in (own["ingest"]["sources"], own["classify"]["encoders"]):
        assert list(one) == ["image", "colours"]
    for section, part in (("ingest", "sources"), ("classify", "encoders")):
        assert own[section][part].items() <= full[section][part].items()
    classification = own["classify"]["classification"]
    assert classification.pop("baselines") == ["image", "colours"]
    assert classification == full["classify"]["classification"]
    assert load_configuration(path).sections["classify"]["classification"].method == "concat_linear"


@pytest.mark.parametrize(
    ("experiment", "message"),
    [
        ({"sweep_objects": -1}, "experiment.sweep_objects is -1, expected 0 or more"),
        ({"leave_out": ["iicnet"]}, "experiment.leave_out: 'iicnet' is what the others are compared with. Keep it"),
        ({"leave_out": ["vgg"]}, "experiment.leave_out: there is no model 'vgg'. There are: iicnet, colours, spectrum"),
    ],
)
def test_settings_that_make_no_sense_are_refused(experiment, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        repetitions(make_run(tmp_path, tmp_path, **experiment))


def test_sweeps_need_a_description_of_the_network(tmp_path):
    run = make_run(tmp_path, tmp_path)
    run.sections["classify"]["encoders"] = {**ENCODERS, "image": str(tmp_path)}
    with pytest.raises(UsageError, match=r"image is a folder: sweeps such as 'stem_3' need its class_path. Give that"):
        repetitions(run)
    run.sections["experiment"]["sweep_seeds"] = 0
    assert not any(model.brief for model in repetitions(run)[0].models.values())


def accuracies(seeds):
    """Results of some sweeps, one of which is better in every seed."""
    steps = {BRIEF: 0.6, "size_64": 0.601, "stem_3": 0.7, "vgg16": 0.61}
    for number in range(seeds):
        scatter = {BRIEF: 0.02 * (-1) ** number, "size_64": 0.01 * number, "vgg16": 0.05 * (number % 3 - 1)}
        yield [
            Result(task, "image", "image", "class", "accuracy", value + scatter.get(task, 0.01 * (-1) ** number), *REST)
            for task, value in steps.items()
        ]


REST = (0.4, 0.8, 90, 0, "sky", "mock", 0.5, "supervised")


def test_sweeps_of_one_seed_are_not_ranked():
    assert "so their order is not resolved" in _swept(combine(list(accuracies(1))), "class")
    assert _swept([], "class") == "" == _swept(combine([one[:1] for one in accuracies(2)]), "class")


def test_of_sweeps_of_several_seeds_only_what_is_beyond_their_scatter_is_told():
    results = combine(list(accuracies(5)), 0.1)
    names = {name: model.name for name, model in MODELS.items()}
    told = _swept(results + Paired(results, "class", 0.1, names, "accuracy").against(BRIEF)[1], "class")
    assert "Beyond the scatter of 5 seeds (adjusted p below 0.05) differ in accuracy from IICnet, 80 x 80" in told
    assert "kernels of the stem: 1 of 1 (IICnet, stem 3 x 3 +0.098)." in told and "sizes: 0 of 1." in told
    assert "networks: 0 of 1." in told and "bands" not in told


def test_real_files_are_read_where_a_folder_is_given(tmp_path):
    (tmp_path / "wise").mkdir()
    prepared = prepare(RECIPE, tmp_path / "run", Material(str(tmp_path / "wise")), "full", "")
    sections = resolve_configuration(prepared.content, prepared.path).sections
    assert "simulate" not in sections and sections["classify"]["labels"] == f"{tmp_path}/wise/labels.csv"
    assert set(sections["ingest"]["sources"]) == {"image", "colours", "spectrum"}
    assert prepared.changes == list(RECIPE.differences)


def test_how_sure_it_is_is_counted_by_class():
    from astroclip_kit.recipes.iicnet_judging import sureness

    p = np.array([[0.9, 0.1], [0.55, 0.45], [0.7, 0.3], [0.2, 0.8]])
    of = {"classes": ["galaxy", "star"], "about": {"seed": 4}, "codes": np.array([0, 0, 1, 1]), "said": {"iicnet": p}}

    like = Result("iicnet", "image", "image", "class", "accuracy", 0.75, 0, 1, 4, 4, "sky", "mock", space="supervised")
    values = {(one.property, one.metric): one.value for one in sureness([SimpleNamespace(**of)], like, 0.1)}
    assert values == {
        ("class", "share_wrong"): 0.25,
        ("class", "share_right_but_unsure"): 0.25,
        ("class:galaxy", "probability"): pytest.approx(0.725),
        ("class:star", "probability"): 0.8,
    }
