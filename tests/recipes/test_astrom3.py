"""AstroM3's experiment in miniature: two seeds of tiny encoders on variable stars in memory."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from astropy.table import Table
from miniature import run_all
from variables import Variables

from astroclip_kit.data.splits import divide
from astroclip_kit.downstream.separation import Separation
from astroclip_kit.errors import UsageError
from astroclip_kit.models import load_model
from astroclip_kit.pipeline.configuration import resolve_configuration
from astroclip_kit.pipeline.preparation import prepare
from astroclip_kit.recipes import Run, find_recipe
from astroclip_kit.recipes.astrom3 import measure
from astroclip_kit.recipes.astrom3_judging import kept_model
from astroclip_kit.recipes.astrom3_models import LEAST_FLIPS, MODELS
from astroclip_kit.recipes.astrom3_space import _subclass_html, area_interval
from astroclip_kit.recipes.astrom3_stages import repetitions, stages
from astroclip_kit.recipes.astrom3_words import reached
from astroclip_kit.recipes.judged import Judged
from astroclip_kit.settings import Alignment, Classification, Hardware, Head, Material, Objective, Split, Training
from astroclip_kit.storage import new_folder, open_folder, write_manifest

RECIPE = find_recipe("astrom3")
TWO = Training(2, 16, hardware=Hardware("cpu", "float32", threads=1))
SETTINGS = Classification(
    stages="fine_tuned",
    split=Split(test=0.25, valid=0.2),
    training=TWO,
    encoder_training=TWO,
    alignment_training=TWO,
    alignment=Alignment(head=Head(8), objective=Objective(logit_scale=10.0, learnable_scale=True)),
)
SIZES = {
    "lightcurve": ("Informer", {"length": 10, "width": 8, "depth": 1}),
    "spectrum": ("GalSpecNet", {"channels": [4, 4, 4]}),
    "metadata": ("MetadataMLP", {"hidden_features": 8}),
}
ENCODERS = {
    name: {"class_path": f"astroclip_kit.encoders.{kind}", "init_args": own} for name, (kind, own) in SIZES.items()
}
RUN = ("photometry_10", "photometry_clip_10", "metadata_clip_100", "all_clip_100")
EXPERIMENT = {
    **RECIPE.experiment,
    "seeds": 2,
    "n_boot": 20,
    "percents": [100, 10],
    "few_epochs": 3,
    "tuned": False,
    "leave_out": [task for task in MODELS if task not in RUN],
}


def make_run(root, sections=SETTINGS, **experiment):
    with new_folder(root / "data", "dataset") as folder:
        write_manifest(folder, "dataset", {})
    classify = {"encoders": ENCODERS, "classification": sections, "labels": ""}
    given = {"classify": classify, "experiment": {**EXPERIMENT, **experiment}}
    dataset = Variables()
    return Run({"root": root, "dataset": root / "data"}, given, lambda: dataset, seed=3)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """All stages, run once, with what is true beside them."""
    root = tmp_path_factory.mktemp("astrom3")
    run = make_run(root)
    stars = run.objects()
    (root / "survey").mkdir()
    subclass = np.where(np.arange(len(stars)) % 2, "giant", "dwarf")
    truth = {"object_id": stars.object_ids, "flipped": stars.flipped, "subclass": subclass}
    Table(truth).write(root / "survey" / "truth.fits")
    return run, run_all(stages(run))


@pytest.mark.slow
def test_each_seed_pretrains_and_tunes_on_its_own_training_side(done):
    run, written = done
    names = [stage.name for stage in written]
    assert names[:7] == [
        "seed-0/clip",
        *(f"seed-0/tuned/{task}/model" for task in MODELS if task in RUN),
        "seed-0/results",
        "seed-0/space/embeddings",
    ]
    assert names[7] == "seed-0/space/results" and not any("seed-1/space" in name for name in names)
    for one in repetitions(run):
        sides = divide(one.dataset, one.settings.split)
        assert set(sides[Judged(one.place("results")).rows]) == {"test"}
        assert open_folder(one.place("clip"), "model")["counts"]["train"] == (sides == "train").sum()
        tuned = {task: open_folder(one.model_place(task), "model") for task in RUN}
        assert all(Split(**about["split"]) == one.settings.split for about in tuned.values())
        few, everyone = tuned["photometry_10"]["counts"]["train"], tuned["metadata_clip_100"]["counts"]["train"]
        assert few < 0.2 * everyone and everyone == (sides == "train").sum()
        assert tuned["photometry_clip_10"]["counts"] == tuned["photometry_10"]["counts"]


@pytest.mark.slow
def test_pretrained_rows_begin_where_the_space_ended_and_all_learn_equally_long(done):
    one = repetitions(done[0])[0]
    assert one.settings_of("photometry_clip_10").fine_tuning.start == str(one.place("clip"))
    assert one.settings_of("photometry_10").fine_tuning.start == ""
    lengths = {task: len(open_folder(one.place("tuned", task, "fine_tuned"), "model")["history"]) for task in RUN}
    assert lengths == {"photometry_10": 3, "photometry_clip_10": 3, "all_clip_100": 2, "metadata_clip_100": 2}
    classifier = load_model(one.model_place("all_clip_100"), trusted=True)
    assert classifier.modalities == ("lightcurve", "spectrum", "metadata")


@pytest.mark.slow
def test_what_is_measured_stands_beside_what_was_published(done):
    found = measure(done[0])
    known = {(one.task, one.metric): one for one in found.results if one.fold < 0}
    assert known["photometry_clip_10", "capped_accuracy"].n < known["photometry_clip_10", "accuracy"].n
    assert known["metadata_clip_100", "capped_accuracy"].value == pytest.approx(
        known["metadata_clip_100", "accuracy"].value
    )
    gain = known["photometry_clip_10", "accuracy"].value - known["photometry_10", "accuracy"].value
    [largest] = [one for one in found.results if one.metric == "largest_gain"]
    assert (largest.query, largest.value) == ("photometry", pytest.approx(gain))
    assert np.isnan(largest.low) and largest.n == known["photometry_clip_10", "accuracy"].n
    kept = {one.query for one in found.results if one.task == "modalities"}
    assert len(kept) == 7 and "lightcurve+metadata" in kept
    flips = [one for one in found.results if one.metric == "share_of_flips_on_top"]
    assert len(flips) == 8 and all(one.n == done[0].objects().flipped.sum() for one in flips)
    assert ("retrieval", "recall@1") in known and ("few_shot_centroid", "accuracy@all") in known
    assert known["whole", "parameters"].value > known["informer", "parameters"].value
    comparison = RECIPE.compare(found.results)
    html, [line] = comparison.html(), [one for one in comparison.lines if one.key[0] == "photometry_clip_10"]
    assert line.state == "mock" and line.measured == known["photometry_clip_10", "capped_accuracy"]
    assert known["retrieval", "recall@1"] in comparison.measured.values()
    assert "0.882 ± 0.017" in html and "notebooks, in development" in html and "not run" in html
    for heading in ("With pretraining against without", "All modalities against one", "Objects"):
        assert found.parts[heading]
    aims = found.parts["What the mock was to show"]
    assert "of photometry over all test objects, at 10 % of the labels, by 0.05 or more" in aims
    assert "without a verdict: by balanced accuracy" in aims and "test objects of 2 seeds" in aims
    assert "of all modalities together" in aims and f"of the {len(done[0].objects())} objects" in aims
    assert all(one.n == len(done[0].objects()) for one in found.results if (one.task, one.metric) == ("far", "auc"))
    assert "capped (95 %, p)" in found.parts["With pretraining against without"]
    assert any(note.startswith("rows are trained alike") for note in found.notes)
    assert any("50 % and 25 % of the labels" in note for note in found.notes)
    assert any("of all, 100 % of labels, pretrained; published: of 50 %" in note for note in found.notes)
    assert "no test object" in html
    assert all(f"n = {known['photometry_10', metric].n:,}" in html for metric in ("capped_accuracy", "f1"))
    assert any(caption.startswith("Accuracy on all test objects") for caption in found.figures)
    assert r"\begin{tabular}" in RECIPE.compare(found.results).latex()


def test_a_row_is_tuned_as_it_was_published(tmp_path):
    rows = {
        "photometry_10": {"learning_rate": 1.29e-4, "beta1": 0.915, "factor": 0.93, "dropout": {"lightcurve": 0.09}}
    }
    [one] = repetitions(make_run(tmp_path, tuned=True, rows=rows, seeds=1, few_epochs=0))
    training = one.training_of("photometry_10")
    assert (training.optimizer.learning_rate, training.optimizer.betas) == (1.29e-4, [0.915, 0.999])
    assert training.schedule.factor == 0.93 and training.epochs == 2
    assert one.encoders_of("photometry_10")["lightcurve"]["init_args"] == {**SIZES["lightcurve"][1], "dropout": 0.09}
    assert one.training_of("metadata_clip_100") == replace(TWO, seed=3)


@pytest.mark.slow
def test_one_seed_gives_no_verdict_and_no_interval_of_differences(done):
    run = done[0]
    experiment = {**run.sections["experiment"], "seeds": 1, "space": False}
    found = measure(replace(run, sections={**run.sections, "experiment": experiment}))
    assert "of 1 seed: cannot tell from one seed" in found.parts["What the mock was to show"]
    assert "One seed: no verdict" in found.parts["With pretraining against without"]
    assert "95 %" not in found.parts["With pretraining against without"]


def test_the_last_map_of_rows_that_need_it_learns_faster_pretrained_or_not(tmp_path):
    [one] = repetitions(make_run(tmp_path, last_rates={"all": 10.0}, leave_out=[], seeds=1))
    for task in ("all_100", "all_clip_10"):
        assert one.training_of(task).optimizer.factors == {"fusion.to_classes": 10.0}
    assert one.training_of("photometry_clip_10").optimizer.factors == {}
    assert find_recipe("astrom3").experiment["last_rates"] == {}


def test_the_model_that_is_shown_some_modalities_is_the_published_one_where_it_is_run(tmp_path):
    [one] = repetitions(make_run(tmp_path, percents=[100, 50], leave_out=[], seeds=1))
    assert kept_model(one) == "all_clip_50"
    [one] = repetitions(make_run(tmp_path / "two", percents=[100, 10], leave_out=["all_clip_100"], seeds=1))
    assert kept_model(one) == "all_100"


def test_areas_of_few_wrong_labels_have_no_interval_and_perfect_ones_have_width():
    assert np.isnan(area_interval(1.0, LEAST_FLIPS - 1, 400)).all()
    low, high = area_interval(1.0, 20, 400)
    assert 0.8 < low < 0.9 and high == 1
    # Hanley & McNeil 1982, table II: 51 abnormal and 58 normal images, area 0.893, standard error 0.032
    low, high = area_interval(0.893, 51, 58)
    assert (high - low) / 2 == pytest.approx(1.96 * 0.032, rel=0.03)


def test_columns_of_one_group_stand_without_p():
    told = Separation(1, "j_k", "cliffs_delta", 0.5, 0.3, 0.6, 0.1, 0.2, "", 9, 20, 0, 0, 0.01, 0.02)
    columns = [{**asdict(told), "chance": None, "p_any": None}]
    summary = {"within": "SR", "subclasses": 1, "notes": [], "columns": columns}
    assert "<td>j_k</td><td>+0.50 (+0.30 to +0.60)</td><td></td><td></td>" in _subclass_html(summary)


@pytest.mark.parametrize(
    ("value", "low", "verdict"),
    [
        (0.06, 0.051, "reached"),
        (0.06, 0.02, "reached in the mean, the interval contains less"),
        (0.04, -0.1, "not reached"),
    ],
)
def test_an_aim_is_reached_where_the_interval_says_so(value, low, verdict):
    assert reached(value, low, 0.05) == verdict


@pytest.mark.parametrize(
    ("experiment", "message"),
    [
        ({"percents": [100, 5]}, r"experiment.percents is \[100, 5\], expected some of 100, 50, 25, 10"),
        ({"pretrained_rates": {"all": 0.0}}, "experiment.pretrained_rates: expected numbers above 0 of photometry, sp"),
        ({"pretrained_rates": {"photo": 1.0}}, "of photometry, spectra, metadata, all; found photo: 1.0"),
        ({"last_rates": {"all": -1.0}}, "experiment.last_rates: expected numbers above 0 of photometry, spectra"),
        ({"few_epochs": -1}, "experiment.few_epochs is -1, expected 0 or more"),
        ({"rows": {"photo": {}}}, "experiment.rows: there is no model 'photo'. There are: photometry_100"),
        ({"rows": {"all_100": {"rate": 1.0}}}, "experiment.rows.all_100: there is no setting 'rate'; there is: learn"),
        ({"leave_out": ["photo"]}, "experiment.leave_out: there is no model 'photo'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(experiment, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        repetitions(make_run(tmp_path, **experiment))


def test_without_data_a_small_mock_is_simulated_and_what_differs_is_said(tmp_path):
    prepared = prepare(RECIPE, tmp_path / "run", Material(), "", "")
    sections = resolve_configuration(prepared.content, prepared.path).sections
    assert sections["simulate"]["kind"] == "variables"
    assert set(sections["ingest"]["sources"]) == {"lightcurve", "spectrum", "metadata"}
    assert prepared.experiment["tuned"] is False and len(prepared.experiment["rows"]) == 32
    assert set(RECIPE.differences) < set(prepared.changes)


def test_the_published_data_set_is_read_where_a_file_is_given(tmp_path):
    (tmp_path / "data").mkdir()
    prepared = prepare(RECIPE, tmp_path / "run", Material(str(tmp_path / "data")), "", "full")
    sections = resolve_configuration(prepared.content, prepared.path).sections
    assert "simulate" not in sections and prepared.experiment["tuned"] is True
    assert {one["class_path"].rpartition(".")[2] for one in sections["ingest"]["sources"].values()} == {
        "AstroM3Parquet"
    }


def test_the_pretraining_is_that_of_the_released_settings(tmp_path):
    prepared = prepare(RECIPE, tmp_path, Material(), "", "full")
    section = resolve_configuration(prepared.content, prepared.path).sections["classify"]
    settings, encoders = section["classification"], section["encoders"]
    small = prepare(RECIPE, tmp_path, Material(), "", "small").content["classify"]["classification"]
    assert settings.labelled.by == small["labelled"]["by"] == "capped"  # as in the released code
    pretraining, optimizer = settings.alignment_training, settings.alignment_training.optimizer
    assert (pretraining.epochs, pretraining.batch_size, pretraining.early_stopping) == (100, 512, 6)
    assert (optimizer.name, optimizer.learning_rate, optimizer.weight_decay) == ("adam", 3.92103e-3, 4.67007e-3)
    assert (optimizer.clip_norm, optimizer.betas) == (45.0, [0.926192, 0.999])
    schedule = pretraining.schedule
    assert (schedule.name, schedule.factor, schedule.patience, schedule.warmup_epochs) == ("plateau", 0.112508, 3, 10)
    objective = settings.alignment.objective
    assert (objective.logit_scale, objective.reduction, settings.alignment.head.out_features) == (100, "published", 512)
    assert [one["init_args"]["dropout"] for one in encoders.values()] == [0.245107, 0.339266, 0.159534]
    assert (settings.training.epochs, settings.training.keep, settings.stages) == (50, "accuracy", "fine_tuned")
