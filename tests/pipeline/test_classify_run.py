"""`classify` as a section of `run`: in folds, interrupted, changed, and beside other sections."""

import json
import re
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from kills import kill_again_and_again

from astroclip_kit import pipeline
from astroclip_kit.data import Dataset
from astroclip_kit.errors import UsageError
from astroclip_kit.pipeline import experiment
from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.results import read_results
from astroclip_kit.storage import read_journal
from astroclip_kit.training import loop

CONFIGURATION = """
data: {survey}
seed: 3
ingest:
  sources:
    spectrum:
      class_path: astroclip_kit.surveys.SDSSSpectra
      init_args: {{root: "${{data}}/spectra", grid: sdss 4000-9000, min_coverage: 1.0}}
    image:
      class_path: astroclip_kit.surveys.CleanImages
      init_args:
        reader:
          class_path: astroclip_kit.surveys.LegacySurveyCutouts
          init_args: {{root: "${{data}}/cutouts", bands: [u, g, r, i, z], ivar: true}}
        saturation: 100
  reading: {{workers: 1}}
classify:
  labels: ${{data}}/labels.csv
  encoders:
    image: {{class_path: astroclip_kit.encoders.ImageConvNet, init_args: {{out_features: 8}}}}
    spectrum: {{class_path: astroclip_kit.encoders.VGG1D, init_args: {{widths: [4, 8], depths: [1, 1]}}}}
  classification:
    split: {{test: 0.3, valid: 0.3}}
    method: early_concat
    encoder_training: &quick
      epochs: 1
      batch_size: 16
      schedule: {{warmup_epochs: 0}}
      hardware: {{device: cpu, precision: float32, threads: 1, checkpoint_seconds: 0}}
    training: *quick
"""
FINISHED = ["ingest", "classifier", "classify"]


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
def config(stars, tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "stars.yaml"
    path.write_text(CONFIGURATION.format(survey=stars / "survey"))
    return path


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    """A run that was not interrupted."""
    out = tmp_path_factory.mktemp("run") / "whole"
    pipeline.run(config, out)
    return out


def results(out):
    return (out / "results" / "results.jsonl").read_bytes()


def done_again(capsys):
    """The steps that the last run did not skip."""
    lines = [line for line in capsys.readouterr().err.splitlines() if re.match(r"\[\d", line)]
    return [line.split("] ")[1].split(" ->")[0] for line in lines if "done before" not in line]


def test_a_run_trains_judges_and_does_nothing_a_second_time(config, finished, capsys):
    assert [entry["step"] for entry in read_journal(finished) if "step" in entry] == FINISHED
    table = pipeline.classify(config, finished)
    assert done_again(capsys) == [] and table["model"][0] == "early concat"
    assert {one.seed for one in read_results(finished / "results")} == {3}
    page = (finished / "results" / "report.html").read_text()
    assert "What layers of the encoder of the image make of one object" in page
    assert "Misclassified objects that are alike in the image" in page or "was misclassified, so there are" in page
    assert "report.html" in table.meta["notes"][-2] and "classify --model" in table.meta["notes"][-1]


def test_every_seed_is_that_of_the_run_where_the_file_says_nothing(config, tmp_path):
    asked = ["classify.classification.training.seed=8"]
    settings = load_configuration(config, asked).sections["classify"]["classification"]
    seeds = (
        settings.encoder_training.seed,
        settings.training.seed,
        settings.alignment_training.seed,
        settings.split.seed,
    )
    assert seeds == (3, 8, 3, 3)
    text = load_configuration(config, asked).text
    assert text.count("seed:") == 2 and "seed: 8" in text


def test_the_selection_is_counted_as_it_is_made(stars, config, tmp_path):
    """Of seventy stars one is short of the range, two are spoiled, and one is both."""
    from few_stars import WAVELENGTH

    from astroclip_kit.surveys import write_legacysurvey_cutout, write_sdss_spectrum

    survey = shutil.copytree(stars / "survey", tmp_path / "survey")
    data = Dataset(stars / "data")
    for fiber in (3, 4):
        row = {"plate": 9000, "mjd": 57000, "fiber": fiber, "ra": 150 + 0.01 * fiber, "dec": 2.0}
        short = WAVELENGTH[WAVELENGTH < 8900]
        write_sdss_spectrum(
            survey / "spectra" / f"spec-9000-57000-{fiber:04d}.fits", short, 1 + 0 * short, 1 + 0 * short, row
        )
    for fiber in (4, 5, 6):
        image = data[data.object_ids.tolist().index(f"9000-57000-{fiber}")].views["image"].copy()
        image[2, 8, 8] = 500
        how = {"object_id": f"9000-57000-{fiber}", "bands": "ugriz", "pixel_scale_arcsec": 0.396, "ivar": 1 + 0 * image}
        write_legacysurvey_cutout(
            survey / "cutouts" / f"9000-57000-{fiber}.fits", image, 150 + 0.01 * fiber, 2.0, **how
        )
    table = pipeline.classify(config, tmp_path / "out", overrides=[f"data={survey}"])
    assert any("70 labelled, 67 with image, 66 with image and spectrum" in note for note in table.meta["notes"])
    page = (tmp_path / "out" / "results" / "report.html").read_text()
    for text in (
        "<td>labelled</td><td>23</td><td>47</td><td>70</td>",  # of the table, also star 4, of which no file is left
        "is short of 4000-8999 Angstrom: it covers less than 100% of them.</td><td>2</td>",
        "the object itself has a bad or saturated pixel in band &#x27;r&#x27;.</td><td>3</td>",
    ):
        assert text in page, text


@pytest.mark.slow
def test_folds_judge_every_star_once(config, stars, tmp_path, capsys):
    asked = ["classify.classification.split={valid: 0.3}", "classify.classification.baselines=[image]"]
    config = shutil.copy(config, tmp_path)
    with open(config, "a") as file:
        file.write("folds: 2\nby: group\n")
    table = pipeline.run(config, tmp_path / "out", overrides=asked)
    assert done_again(capsys) == ["ingest", *(f"fold-{fold}/{step}" for fold in (0, 1) for step in FINISHED[1:])]
    assert table["n"][0] == 70 and table["low"][0] <= table["macro_f1"][0] <= table["high"][0]
    found = read_results(tmp_path / "out" / "results")
    assert {one.fold for one in found} == {-1, 0, 1}
    together = [one for one in found if one.fold < 0 and one.metric == "accuracy" and one.task == "early_concat"]
    assert len(together) == 1 and together[0].n == 70 and together[0].std >= 0
    said = pd.read_csv(tmp_path / "out" / "results" / "predictions.csv")
    own = said[said["model"] == "early_concat"]
    assert sorted(own["object_id"]) == sorted(Dataset(stars / "data").object_ids) and set(own["fold"]) == {0, 1}
    page = (tmp_path / "out" / "results" / "report.html").read_text()
    assert "Which class is taken for which, of 70 held-out objects." in page and "2 folds." in page
    pipeline.run(config, tmp_path / "out", overrides=asked)
    assert done_again(capsys) == []


def test_killed_in_the_middle_of_a_training(config, finished, tmp_path, monkeypatch, capsys):
    out = tmp_path / "whole"
    shutil.copytree(finished / "data", out / "data")
    shutil.copy(finished / "config.yaml", out)
    lines = (finished / "journal.jsonl").read_text().splitlines(keepends=True)
    (out / "journal.jsonl").write_text("".join(lines[:2]))
    steps, step = [], loop.check_loss

    def killed(value, where):
        steps.append(where)
        if len(steps) == 5:  # in the second encoder
            raise Killed
        return step(value, where)

    monkeypatch.setattr(loop, "check_loss", killed)
    with pytest.raises(Killed):
        pipeline.run(config, out)
    assert (out / "encoders" / "image" / "manifest.json").exists()
    left = out / "encoders" / ".spectrum.training"
    assert left.exists()
    changed = shutil.copytree(out, tmp_path / "changed")
    steps[:] = [None] * 10
    pipeline.run(config, out)
    assert results(out) == results(finished) and not left.exists()
    capsys.readouterr()
    pipeline.run(config, changed, overrides=["classify.classification.encoder_training.batch_size=20"])
    assert (
        done_again(capsys) == ["classifier", "classify"] and not (changed / "encoders" / ".spectrum.training").exists()
    )


@pytest.mark.slow
def test_kill_minus_9(config, finished, tmp_path):
    out = tmp_path / "whole"
    kills, ended = kill_again_and_again(["classify", config, "--out", out], out, (0.0, 0.3, 0.8, 0.2, 0.1, 0.5))
    assert kills >= 3 and ended == 0
    assert results(out) == results(finished)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data: x\nclassify: {encoders: {}}", "section 'classify' needs what section 'ingest' writes"),
        ("data: x\ningest: {images: x}\nclassify: {}", "classify.encoders: name the encoder of each modality"),
        ("data: x\ningest: {images: x}\nalign: {}\nclassify: {}", "'align' and 'classify' write the same folders"),
        ("data: x\ningest: {images: x}\nclassify: {out: y}", "classify.out is set by the run itself"),
        ("data: x\ningest: {images: x}\nclassify: {label: y}", "classify.label"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_run(tmp_path, text, message):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(UsageError, match=message):
        list(experiment.plan(load_configuration(tmp_path / "c.yaml"), tmp_path / "out"))


def test_a_ready_made_encoder_is_not_judged_on_what_it_learned(stars, config, finished, tmp_path, monkeypatch):
    """Of a dataset with other rows selected: nothing but the spectrum is asked for."""
    trained = finished / "encoders" / "spectrum" / "encoder"
    own = load_configuration(config).sections["classify"]
    settings = replace(own["classification"], split=replace(own["classification"].split, seed=5))
    message = r"holds out: it was trained on the same data with split {seed: 3}\. Give the same split"
    with pytest.raises(UsageError, match=message):
        pipeline.classify(
            finished / "data",
            tmp_path / "run",
            encoders={"spectrum": str(trained)},
            labels=stars / "survey" / "labels.csv",
            classification=replace(settings, method="linear", baselines=[]),
        )
    folder = shutil.copytree(trained, tmp_path / "fold")
    about = json.loads((folder / "manifest.json").read_text())
    about["split"] |= {"folds": 3, "fold": 0}
    (folder / "manifest.json").write_text(json.dumps(about))
    changes = ["folds=3", f"classify.encoders.spectrum={folder}"]
    monkeypatch.setattr("astroclip_kit.classifiers.fit_classifier", None)  # not begun
    with pytest.raises(UsageError, match=r"holds out: .* with split {fold: 0, seed: 3}\. Give the same split"):
        pipeline.run(config, tmp_path / "folds", overrides=changes)
