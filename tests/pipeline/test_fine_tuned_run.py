"""A run that aligns two tables and fine-tunes what came of it, of objects that lack one of them."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kills import kill_again_and_again

from astroclip_kit import pipeline
from astroclip_kit.alignment import align
from astroclip_kit.classifiers.seen import check_start
from astroclip_kit.data import Dataset
from astroclip_kit.errors import UsageError
from astroclip_kit.features import extract
from astroclip_kit.models import load_model
from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.results import read_results
from astroclip_kit.settings import Split, Training
from astroclip_kit.storage import open_folder, read_journal

CONFIGURATION = """
data: {survey}
seed: 2
ingest:
  sources:
    colours:
      class_path: astroclip_kit.surveys.TableReader
      init_args: {{path: "${{data}}/colours.csv", columns: [j_k, w1_w2], id_column: object_id, name: colours}}
    periods:
      class_path: astroclip_kit.surveys.TableReader
      init_args: {{path: "${{data}}/periods.csv", columns: [period, amplitude], id_column: object_id, name: periods}}
  reading: {{workers: 1}}
align:
  encoders:
    colours: {{class_path: astroclip_kit.encoders.TabularMLP, init_args: {{out_features: 6, hidden_features: [8]}}}}
    periods: {{class_path: astroclip_kit.encoders.TabularMLP, init_args: {{out_features: 5, hidden_features: [8]}}}}
  alignment: {{trainable: {{colours: all, periods: all}}, head: {{out_features: 4}}}}
  training: &quick
    epochs: 4
    batch_size: 32
    hardware: {{device: cpu, precision: float32, threads: 1, checkpoint_seconds: 0}}
  split: &sides {{test: 0.3, valid: 0.2}}
classify:
  labels: ${{data}}/labels.csv
  classification:
    stages: fine_tuned
    split: *sides
    training: {{epochs: 10, batch_size: 32, optimizer: {{name: adam, learning_rate: 0.03}}, hardware: *hardware}}
    baselines: [periods]
"""
STEPS = ["ingest", "align", "classifier", "baseline periods", "classify"]
FOLDER = "classifier"
CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def write_survey(folder, count=160):
    """Stars of three classes: colours tell the first from the others, periods the last."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    code = rng.integers(0, 3, count)
    values = {
        "colours": np.stack([code == 0, code == 0], axis=1) + 0.2 * rng.normal(size=(count, 2)),
        "periods": 100.0 * (code == 2)[:, None] + 20 * rng.normal(size=(count, 2)),
    }
    lacks = {"colours": np.arange(count) % 6 == 0, "periods": np.arange(count) % 8 == 1}
    for name, columns in {"colours": "j_k,w1_w2", "periods": "period,amplitude"}.items():
        rows = np.flatnonzero(~lacks[name])
        lines = [f"star-{row},{values[name][row, 0]:.4f},{values[name][row, 1]:.4f}" for row in rows]
        (folder / f"{name}.csv").write_text("\n".join([f"object_id,{columns}", *lines]) + "\n")
    classes = np.array(["EW", "SR", "M"])[code]
    labels = [f"star-{row},{name}" for row, name in enumerate(classes)]
    (folder / "labels.csv").write_text("\n".join(["object_id,class", *labels]) + "\n")
    return folder


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("config")
    text = CONFIGURATION.replace("hardware: {{", "hardware: &hardware {{", 1)
    (folder / "variables.yaml").write_text(text.format(survey=write_survey(folder / "survey")))
    return folder / "variables.yaml"


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "whole"
    pipeline.run(config, out)
    return out


def results(out):
    return (out / FOLDER / "results" / "results.jsonl").read_bytes()


def test_the_classifier_begins_with_what_the_run_aligned_and_is_judged_by_each_subset(config, finished, capsys):
    assert [entry["step"] for entry in read_journal(finished) if "step" in entry] == STEPS
    found = read_results(finished / FOLDER / "results")
    queries = {(one.task, one.query) for one in found}
    subsets = {("modalities", query) for query in ("colours", "periods", "colours+periods")}
    assert queries == subsets | {("fine_tuned", "colours+periods"), ("periods_alone", "periods")}
    page = (finished / FOLDER / "results" / "report.html").read_text()
    for text in ("What each modality tells", "M (n ", "shown some modalities alone", "<td>with any of these</td>"):
        assert text in page, text
    assert re.search(r"of the objects that are learned from, \d+ without colours, \d+ without periods", page)
    assert re.search(r"of \d+ held-out objects, \d+ lack a modality; subsets are judged on the others", page)
    about = open_folder(finished / FOLDER / "model", "model")
    assert about["settings"]["fine_tuning"]["start"] == str(finished / "model")
    pipeline.run(config, finished)
    assert capsys.readouterr().err.count("done before") == len(STEPS)


def test_what_a_subset_is_judged_on_has_every_modality(finished):
    found = read_results(finished / FOLDER / "results")
    of_all = {one.query: one.n for one in found if one.task != "modalities" and one.metric == "accuracy"}
    subsets = {one.n for one in found if (one.task, one.metric) == ("modalities", "accuracy")}
    assert of_all["colours+periods"] > of_all["periods"] > subsets.pop() and not subsets


def test_new_objects_are_told_by_what_they_have(finished, config):
    table = pipeline.classify(model=finished / FOLDER, input=finished / "data")
    counts = {seen: (table["seen"] == seen).sum() for seen in ("colours+periods", "periods", "colours")}
    assert sum(counts.values()) == len(table) == 160 and all(counts.values())
    assert table.meta["notes"][1].startswith(f"told by colours+periods ({counts['colours+periods']}), ")
    alone = pipeline.classify(model=finished / FOLDER, input=f"colours={config.parent / 'survey' / 'colours.csv'}")
    assert set(alone["seen"]) == {"colours"} and len(alone) == counts["colours"] + counts["colours+periods"]
    both = {row["object_id"]: row["p_EW"] for row in table if row["seen"] == "colours"}
    assert all(row["p_EW"] == pytest.approx(both[row["object_id"]]) for row in alone if row["object_id"] in both)


def test_a_share_of_the_labels_and_a_frozen_start(config, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    changes = [
        "classify.classification.labelled={fraction: 0.5, by: level}",
        "classify.classification.fine_tuning={trainable: frozen, combine: concat}",
        "classify.classification.baselines=[]",
        "align.encoders.periods.init_args.hidden_features=[9]",
    ]
    table = pipeline.run(config, tmp_path / "run", overrides=changes)
    told = r"\d+ of \d+ labels \([45]\d %\) are learned from, side train; asked for 50 %, by level$"
    assert any(re.match(told, one) for one in table.meta["notes"])
    about = open_folder(tmp_path / "run" / FOLDER / "model", "model")
    assert load_model(tmp_path / "run" / FOLDER / "model").encoders["periods"].hidden_features == (9,)  # of the start
    assert about["left_out"]["label kept back"] > 0 and (tmp_path / "run" / FOLDER / "tokens").is_dir()


def test_a_dataset_folder_is_classified_with_the_encoders_of_a_start(config, finished, tmp_path):
    settings = load_configuration(config).sections["classify"]["classification"]
    tuning = replace(settings.fine_tuning, start=str(finished / "model"), trainable="frozen")
    settings = replace(settings, fine_tuning=tuning, baselines=[])
    labels = config.parent / "survey" / "labels.csv"
    table = pipeline.classify(finished / "data", tmp_path / "out", labels=labels, classification=settings)
    assert table["model"].tolist() == ["fine tuned"] and table["sees"][0] == "colours+periods"


def test_another_split_than_that_of_the_space_is_refused(config, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    with pytest.raises(UsageError, match=r"aligned on \d+ of \d+ objects that split \{seed: 5\} holds out"):
        pipeline.run(config, tmp_path / "run", overrides=["classify.classification.split.seed=5"])


@pytest.fixture(scope="module")
def again(config, tmp_path_factory):
    """The same files, ingested once more."""
    alone = tmp_path_factory.mktemp("again") / "new.yaml"
    alone.write_text(config.read_text().split("align:")[0])
    pipeline.run(alone, alone.parent / "run")
    return Dataset(alone.parent / "run" / "data")


@pytest.mark.parametrize("cached", [False, True])
def test_a_start_is_known_again_where_the_same_files_are_ingested_again(finished, again, tmp_path, cached):
    sides, start = Split(test=0.3, valid=0.2, seed=2), finished / "model"
    if cached:
        start, made = tmp_path / "model", Dataset(finished / "data")
        features = extract(
            made, dict(load_model(finished / "model").encoders.items()), tmp_path / "features", quiet=True
        )
        align(features, start, training=Training(1, 64), split=sides, quiet=True)
    some = again.select(np.arange(len(again)) % 3 > 0)
    for data in (again, some):
        assert check_start(start, data, sides) == []
        with pytest.raises(UsageError, match=r"was aligned on \d+ of \d+ objects that split \{seed: 5\} holds out"):
            check_start(start, data, replace(sides, seed=5))


PART = "{class_path: astroclip_kit.encoders.%s, init_args: {%s}}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("classification.labelled.fraction=0", "labelled.fraction is 0.0, expected a share above 0"),
        ("classification.fine_tuning.trainable=some", "trainable is 'some', expected 'frozen', 'last:N'"),
        ("classification.fine_tuning.trainable=last:99", "trainable is 'last:99', but TabularMLP has 2 blocks"),
        ("classification.fine_tuning.trainable={image: all}", "there is no encoder 'image', only colours, periods"),
        ("classification.method=early_add", "stages 'fine_tuned' has its own head"),
        (
            f"encoders={{periods: {PART % ('TabularMLP', 'out_features: 5, hidden_features: [9]')}}}",
            r"classify.encoders.periods is not the TabularMLP that is given: hidden_features is .*9.*, and .*8.* in "
            r"the start. Give the same, or leave classify.encoders out: those of the start are then taken",
        ),
        (
            f"encoders={{periods: {PART % ('MetadataMLP', '')}}}",
            "periods is not the MetadataMLP that is given: that of the start is TabularMLP",
        ),
        (f"encoders={{image: {PART % ('TabularMLP', '')}}}", "align has no 'image'; it has colours, periods"),
    ],
)
def test_mistakes_of_a_fine_tuning_are_found_before_the_first_step(config, tmp_path, change, message):
    with pytest.raises(UsageError, match=message):
        pipeline.run(config, tmp_path / "out", overrides=["classify.classification.baselines=[]", f"classify.{change}"])
    assert not (tmp_path / "out").exists()


def test_what_fine_tuning_cannot_be_compared_with_is_refused(config, tmp_path):
    with pytest.raises(UsageError, match=r"baselines: there is no 'svm'\. There are: colours, periods"):
        pipeline.run(config, tmp_path / "out", overrides=["classify.classification.baselines=[svm]"])
    with pytest.raises(UsageError, match="sections 'align' and 'classify' write the same folders"):
        load_configuration(config, ["classify.classification.stages=two"])


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_with_the_same_numbers(config, finished, tmp_path):
    out = tmp_path / "whole"  # the dataset is called like it
    kills, code = kill_again_and_again(["run", config, "--out", out], out, [0.0, 0.1, 0.3, 0.1])
    assert kills >= 3 and code == 0
    assert results(out) == results(finished)


@pytest.mark.slow
def test_mock_variables_from_their_simulation_to_the_page(tmp_path):
    small = {
        "lightcurve": {"width": 8, "depth": 1},
        "metadata": {"hidden_features": 8},
    }
    changes = [f"align.encoders.{name}.init_args={one}" for name, one in small.items()]
    changes += [
        f"data={tmp_path / 'survey'}",
        "simulate.count=220",
        "align.training.epochs=1",
        "ingest.reading.workers=1",
    ]
    changes += ["classify.classification.training.epochs=2", "classify.classification.baselines=[metadata]"]
    out = tmp_path / "out"
    table = pipeline.run(CONFIGS / "astrom3_mock.yaml", out, overrides=changes)
    assert table["sees"].tolist() == ["lightcurve+spectrum+metadata", "metadata"]
    found = [one for one in read_results(out / "classifier" / "results") if one.task == "modalities"]
    assert len({one.query for one in found}) == 7 and {one.origin for one in found} == {"mock"}
    files = f"spectrum={tmp_path / 'survey' / 'spectra'},metadata={tmp_path / 'survey' / 'metadata.csv'}"
    told = pipeline.classify(model=out / "classifier", input=files)
    assert set(told["seen"]) == {"spectrum+metadata"} and len(told) == 220
    told = pipeline.classify(model=out / "classifier", input=out / "data")
    assert set(told["seen"]) == {"lightcurve+spectrum+metadata"}
