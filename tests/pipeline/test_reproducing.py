"""`reproduce`: a published experiment from data to its table, in miniature."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from planned import plan_of

from astroclip_kit import cli, pipeline
from astroclip_kit.encoders import ImageConvNet, SpectrumConvNet
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import save_model
from astroclip_kit.pipeline import experiment, reproducing
from astroclip_kit.recipes import find_recipe
from astroclip_kit.results import read_results
from astroclip_kit.settings import Material

CHANGES = [
    "align.training.epochs=2",
    "align.training.batch_size=16",
    "align.split={test: 0.25, valid: 0.5, seed: 1}",
    "evaluate.settings={protocol: astroclip-k16, n_boot: 20, where: split != 'train', coverage: 0.9, probes: true}",
    "evaluate.properties=[z]",
    "extract.views=2",
]
HEAD = "spectrum head: relu between its layers and a dropout of 0.1, where the thesis's public code has PReLU and 0.1"
VIEWS = "image views: one of {} that are kept is drawn at each epoch, not a new one at each step"
VGG1D = "astroclip_kit.encoders.VGG1D"
STEPS = ["extract", "align", "embed", "measure"]


@pytest.fixture(scope="module")
def encoders(chain, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoders")
    from astroclip_kit.data import Dataset

    modalities = Dataset(chain.data).modalities
    save_model(ImageConvNet.for_modality(modalities["image"], out_features=8), folder / "image")
    save_model(SpectrumConvNet.for_modality(modalities["spectrum"], out_features=8), folder / "spectrum")
    return {f"{name}_weights": str(folder / name) for name in modalities}


@pytest.fixture(scope="module")
def run(chain, encoders, tmp_path_factory):
    """One run; maps are made by PCA, which needs no compiler."""
    out = tmp_path_factory.mktemp("reproduced") / "astroclip"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("astroclip_kit.recipes.structure.METHOD", "pca")
        table = reproduce(out, chain, encoders)
    return out, table


def reproduce(out, chain, encoders, changes=CHANGES):
    return pipeline.reproduce("astroclip", out, material=Material(str(chain.data), **encoders), overrides=changes)


def test_the_table_marks_every_line(run):
    _, table = run
    by_data = {state: set(table["metric"][table["data"] == state]) for state in ("mock", "not run")}
    assert by_data["mock"] == {"r2", "parameters", "recall@1", "recall@10", "difference@10"}
    assert set(table["property"][(table["metric"] == "r2") & (table["data"] == "mock")]) == {"z"}


def test_memory_and_queries_are_the_two_halves_of_what_was_held_out(run):
    out, _ = run
    from astroclip_kit.embeddings import EmbeddingStore

    split = EmbeddingStore(out / "embeddings").split
    results = read_results(out / "results")
    asked = {one.n for one in results if one.task == "regression" and one.space == "aligned"}
    assert asked == {int((split == "test").sum())}
    selected = {(one.query, one.metric): one.value for one in results if one.task == "selection"}
    assert selected["image", "memory"] == (split == "valid").sum() and selected["image", "judged"] == max(asked)
    [recall] = [one for one in results if (one.metric, one.query) == ("recall@10", "image")]
    answers = {one.n for one in results if one.task == "answers"}
    assert recall.n == max(asked) and answers == asked  # the memory drives the schedule, and asks nothing


def test_only_the_training_side_is_augmented(run):
    out, _ = run
    from astroclip_kit.embeddings import EmbeddingStore
    from astroclip_kit.features import FeatureSet

    features, store = FeatureSet(out / "features"), EmbeddingStore(out / "embeddings")
    assert features.object_ids.tolist() == store.object_ids.tolist()
    changed = (features.matrix("image", 0) != features.matrix("image", 1)).any(axis=1)
    assert changed[store.split == "train"].all() and not changed[store.split != "train"].any()


def test_all_four_directions_are_judged(run):
    out, _ = run
    directions = {(one.query, one.target) for one in read_results(out / "results") if one.task == "answers"}
    assert directions == {(a, b) for a in ("image", "spectrum") for b in ("image", "spectrum")}


def test_maps_groups_and_members_are_drawn_and_the_page_says_what_differs(run, encoders):
    out, _ = run
    page = (out / "results" / "report.html").read_text()
    for name in ("image", "spectrum", "image+spectrum"):
        assert f"{name}, dbscan on its map: z on the map." in page
        assert (out / "maps" / name / "manifest.json").exists()
    assert "spectrum, kmeans among its vectors: Members nearest to the centre" in page
    assert "<h2>Published and measured</h2>" in page and "<li>align.training.epochs=2</li>" in page
    assert "spectrum of other held-out objects as memory" in page and "training objects as memory" not in page
    assert f"<li>{VIEWS.format(2)}</li>" in page and "cutouts of 64 pixels are encoded whole" in page
    digits = hashlib.sha256(Path(encoders["image_weights"], "weights.safetensors").read_bytes()).hexdigest()
    assert "<h2>Weights</h2>" in page and f"<li>image encoder: image (sha256 {digits[:16]}...)</li>" in page
    assert "<li>coverage of intervals: not run, z: a coverage of 0.9 takes at least 10 objects" in page
    assert "Stein et al. 2021" in page and "Mock data." in page
    assert (out / "results" / "comparison.tex").read_text().startswith(r"\begin{table}")
    lines = (out / "results" / "comparison.csv").read_text().splitlines()
    assert any(line.startswith("regression,image,spectrum,z,r2,0.64,0.59,") and ",mock," in line for line in lines)
    assert (
        "regression,image,image,logmstar,r2,0.66,0.57,0.7376,nan,nan,nan,0,not run,no label logmstar in these data"
        in lines
    )


def test_a_second_run_does_nothing_and_gives_the_same_table(run, chain, encoders, monkeypatch, capsys):
    out, table = run
    monkeypatch.setattr(experiment.Step, "run", lambda step: pytest.fail(f"{step.name} ran again"))
    again = reproduce(out, chain, encoders)
    assert capsys.readouterr().err.count("done before") == len(STEPS)
    assert again.pformat(max_width=-1) == table.pformat(max_width=-1)


def test_an_interrupted_run_goes_on(run, chain, encoders, tmp_path, monkeypatch, capsys):
    shutil.copytree(run[0], tmp_path / "copy")
    measured = []
    monkeypatch.setattr(reproducing, "_measure", lambda *_: measured.append(1))
    out = tmp_path / "copy"
    journal = (out / "journal.jsonl").read_text().splitlines(keepends=True)
    (out / "journal.jsonl").write_text("".join(line for line in journal if '"step": "measure"' not in line))
    reproduce(out, chain, encoders)
    assert measured == [1] and capsys.readouterr().err.count("done before") == len(STEPS) - 1


def test_without_data_a_small_mock_is_simulated_and_its_encoders_are_pretrained(tmp_path):
    prepared, steps = plan_of(Material(), tmp_path, changes=["pretrain.image.training.epochs=3"])
    names = [step.name for step in steps]
    assert names == [
        "simulate",
        "ingest",
        "pretrain-image",
        "pretrain-spectrum",
        "extract",
        "align",
        "embed",
        "measure",
    ]
    by_name = {step.name: step for step in steps}
    assert by_name["simulate"].arguments["spectra"] == "desi"
    assert by_name["ingest"].arguments["sources"]["spectrum"]["init_args"]["grid"] == "desi"
    assert "cutouts of 64 pixels are encoded whole, not cropped to 96" in prepared.changes
    assert by_name["pretrain-image"].arguments["training"].epochs == 3
    json.dumps([by_name[f"pretrain-{name}"].arguments["encoder"] for name in ("image", "spectrum")])  # plain values
    assert by_name["pretrain-image"].arguments["split"] == by_name["align"].arguments["split"]
    assert by_name["extract"].arguments["encoders"]["image"] == str(tmp_path / "run" / "encoders" / "image")
    assert prepared.remark == "own encoders"
    assert "image encoder: a small ImageConvNet, pretrained here by moco, not MocoResNet50" in prepared.changes
    assert "image head: random weights, not the published ones" in prepared.changes
    assert any(line.startswith("simulate.count: 6000, not 197976") for line in prepared.changes)


def test_an_encoder_of_one_s_own_is_not_pretrained_in_vain(tmp_path):
    given = "extract.encoders.spectrum"
    for change in ([f"{given}.class_path={VGG1D}"], [f"{given}={{class_path: {VGG1D}}}"]):
        prepared, steps = plan_of(Material(), tmp_path, changes=["pretrain.spectrum.training.epochs=3", *change])
        names = [step.name for step in steps]
        assert "pretrain-image" in names and "pretrain-spectrum" not in names
        assert steps[names.index("extract")].arguments["encoders"]["spectrum"] == {"class_path": VGG1D}
        assert prepared.remark == "own image encoder, untrained spectrum encoder"
        assert "spectrum encoder: VGG1D with random weights" in prepared.changes
        assert not any("SpenderEncoder" in line or "pretrain.spectrum" in line for line in prepared.changes)
    prepared, _ = plan_of(Material(), tmp_path, changes=[f"{given}={tmp_path}"])
    assert prepared.remark == "own image encoder" and "spectrum" not in prepared.pretrain
    prepared, _ = plan_of(Material(), tmp_path, changes=[f"pretrain.spectrum.encoder={{class_path: {VGG1D}}}"])
    assert "spectrum encoder: a small VGG1D, pretrained here by autoencoder, not SpenderEncoder" in prepared.changes


def test_the_full_mock_is_as_large_as_the_published_data(tmp_path):
    untrained = Material(image_weights="random", spectrum_weights="random", grid="sdss")
    prepared, steps = plan_of(untrained, tmp_path, size="full")
    assert steps[0].arguments["count"] == 197_976 and steps[0].arguments["spectra"] == "sdss"
    assert steps[1].arguments["sources"]["spectrum"]["init_args"]["grid"] == "sdss"
    assert prepared.remark == "untrained encoders"
    assert steps[2].arguments["encoders"]["image"]["class_path"].endswith("MocoResNet50")


def test_the_joint_file_is_read_with_the_catalogue_and_the_released_weights(tmp_path):
    files = [tmp_path / name for name in ("joint.h5", "provabgs.hdf5", "resnet50.ckpt", "spender.pt")]
    for file in files:
        file.touch()
    prepared, steps = plan_of(Material(*map(str, files)), tmp_path)
    read, encoders = steps[0].arguments, steps[1].arguments["encoders"]
    assert read["sources"]["image"]["init_args"]["root"] == str(files[0])
    assert read["sources"]["catalogue"]["init_args"] == {"path": str(files[1])}
    assert encoders["image"]["init_args"]["checkpoint"] == str(files[2])
    assert encoders["spectrum"]["init_args"]["checkpoint"] == str(files[3])
    heads = next(step for step in steps if step.verb == "align").arguments["heads"]
    assert heads["image"]["init_args"] == {"checkpoint": str(files[2])}
    assert (prepared.remark, prepared.changes) == ("", [HEAD, VIEWS.format(8)])


def test_without_a_catalogue_masses_are_not_asked_for_from_it(tmp_path):
    (tmp_path / "joint.h5").touch()
    _, steps = plan_of(Material(str(tmp_path / "joint.h5")), tmp_path)
    assert set(steps[0].arguments["sources"]) == {"image", "spectrum"}


def test_one_untrained_encoder_is_named(tmp_path):
    assert (
        plan_of(Material(image_weights="random"), tmp_path)[0].remark == "untrained image encoder, own spectrum encoder"
    )


def test_pretraining_holds_out_whom_alignment_holds_out_and_there_are_no_folds(tmp_path):
    path = tmp_path / "own.yaml"
    text = find_recipe("astroclip").file().read_text()
    path.write_text(text.replace("seed: 0\n", "seed: 0\nby: object_id\n", 1))
    _, steps = plan_of(Material(), tmp_path, str(path))
    splits = {step.arguments["split"].by for step in steps if step.verb in ("pretrain", "align")}
    assert splits == {"object_id"}
    path.write_text(text.replace("seed: 0\n", "seed: 0\nfolds: 5\n", 1))
    with pytest.raises(UsageError, match="folds is 5: a recipe divides objects as was published"):
        plan_of(Material(), tmp_path, str(path))


def test_too_small_a_memory_is_refused_before_anything_is_encoded(chain, encoders, tmp_path, monkeypatch):
    monkeypatch.delattr(pipeline, "extract")
    changes = [*CHANGES[:2], "align.split={test: 0.3, valid: 0.1}", *CHANGES[3:]]
    with pytest.raises(
        InputError, match=r"z is known for \d+ objects of the memory that have image, fewer than the 16"
    ):
        reproduce(tmp_path / "run", chain, encoders, changes)


def test_random_weights_take_the_small_architecture_of_a_small_run(tmp_path):
    prepared, steps = plan_of(Material(image_weights="random", spectrum_weights="random"), tmp_path)
    assert [step.name for step in steps] == ["simulate", "ingest", "extract", "align", "embed", "measure"]
    assert steps[2].arguments["encoders"]["image"]["class_path"].endswith("ImageConvNet")
    assert prepared.remark == "untrained encoders"


def test_a_folder_that_holds_no_run_is_not_written_to(chain, encoders, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"holds no run\. Choose another folder with --out"):
        reproduce(tmp_path, chain, encoders)


def test_the_command_line_takes_the_changes_of_set(chain, encoders, run, capsys, monkeypatch):
    monkeypatch.setattr(experiment.Step, "run", lambda step: pytest.fail(f"{step.name} ran again"))
    weights = [word for name, path in encoders.items() for word in (f"--{name.replace('_', '-')}", path)]
    changes = [word for change in CHANGES for word in ("--set", change)]
    assert cli.main(["reproduce", "astroclip", str(run[0]), "--data", str(chain.data), *weights, *changes]) == 0
    printed = capsys.readouterr().out
    assert "not as published:" in printed and "comparison.tex" in printed and "not run" in printed
