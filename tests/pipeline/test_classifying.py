"""`classify`: from a dataset and a table of classes to a classifier, and to the classes of new objects."""

import json
import re
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table

from astroclip_kit import cli, pipeline
from astroclip_kit.classifiers import classes
from astroclip_kit.data import Dataset, divide
from astroclip_kit.errors import FolderError, InputError, UsageError
from astroclip_kit.models import load_model
from astroclip_kit.pipeline.classifier_predictions import read_said
from astroclip_kit.pipeline.classifier_training import usual_encoders
from astroclip_kit.results import read_results
from astroclip_kit.settings import Classification, Hardware, Reading, Split, Training
from astroclip_kit.surveys import LegacySurveyCutouts, SDSSSpectra, write_legacysurvey_cutout

QUICK = Training(epochs=1, batch_size=32, hardware=Hardware("cpu", "float32", threads=1))
SETTINGS = Classification(
    fusion={"init_args": {"size": {"width": 8, "blocks": 1, "heads": 2, "hidden_features": 8}}},
    encoder_training=QUICK,
    training=QUICK,
    split=Split(test=0.3, valid=0.3),
    baselines=["image", "early_add", "svm"],
)
ENCODERS = {
    "image": {"class_path": "astroclip_kit.encoders.ImageConvNet", "init_args": {"out_features": 8}},
    "spectrum": {"class_path": "astroclip_kit.encoders.VGG1D", "init_args": {"widths": [4, 8], "depths": [1, 1]}},
}


def learn(stars, out, labels="", **changes):
    settings = Classification(**{**vars(SETTINGS), **changes})
    labels = labels or stars / "survey" / "labels.csv"
    return pipeline.classify(stars / "data", out, encoders=ENCODERS, labels=labels, classification=settings)


@pytest.fixture(scope="module")
def learned(stars, tmp_path_factory):
    """Folder of a classifier, and the table that was shown."""
    out = tmp_path_factory.mktemp("learned") / "classifier"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return out, learn(stars, out)


@pytest.fixture
def new(stars, tmp_path):
    """A survey of new objects: of two the image alone is there, of one the spectrum."""
    for name, fibers, file in (
        ("cutouts", range(1, 7), "9000-57000-{}.fits"),
        ("spectra", range(3, 8), "spec-9000-57000-{:04d}.fits"),
    ):
        (tmp_path / "new" / name).mkdir(parents=True)
        for fiber in fibers:
            shutil.copy(stars / "survey" / name / file.format(fiber), tmp_path / "new" / name)
    return tmp_path / "new"


def test_the_folder_of_a_classifier(learned, stars):
    out, table = learned
    assert {"encoders", "tokens", "fusion", "model", "baselines", "results"} <= {path.name for path in out.iterdir()}
    assert list(zip(table["model"], table["sees"], strict=True)) == [
        ("cross-attention", "image+spectrum"), ("encoder", "image"), ("encoder", "spectrum"),
        ("early add", "image+spectrum"), ("SVM", "spectrum"),
    ]  # fmt: skip
    results = read_results(out / "results")
    assert {one.task for one in results} == {"fusion", "encoder", "early_add", "svm"}
    assert {one.origin for one in results} == {"real"} and {one.space for one in results} == {"supervised"}
    assert {"ece", "ece_uncalibrated"} <= {one.metric for one in results if one.task == "fusion"}
    f1 = [one for one in results if (one.task, one.property, one.metric) == ("fusion", "class:bhb", "f1")]
    assert len(f1) == 1 and f1[0].low <= f1[0].value <= f1[0].high
    classifier = load_model(out / "model")
    assert classifier.classes == ("bhb", "other") and classifier.temperature > 0
    row = table[0]
    [shown] = [one for one in results if (one.task, one.property, one.metric) == ("fusion", "class", "macro_f1")]
    assert row["macro_f1"] == shown.value and row["n"] == shown.n
    with open(out / "results" / "predictions.csv") as file:
        lines = file.read().splitlines()
    assert (
        lines[0] == "model,query,object_id,group,true,p bhb,p other,raw bhb,raw other"
        and len(lines) == 1 + 5 * row["n"]
    )


def test_the_page_shows_selection_classes_training_and_calibration(learned):
    out, table = learned
    page = (out / "results" / "report.html").read_text()
    for text in (
        "<h2>Selection</h2>", "with image and spectrum", "<h2>Classes</h2>", "class: all classes",
        "class bhb against the rest", "Which class is taken for which", "ROC curves of", "Precision and recall of",
        "before the temperature", "with the temperature", "What the encoder of the spectrum weighs",
        "Training of the fusion.", "Training of the encoder of the image.",
    ):  # fmt: skip
        assert text in page, text
    assert "<h2>Further</h2>" not in page and "<h2>Properties</h2>" not in page
    assert any("70 labelled" in note for note in table.meta["notes"])


def test_who_is_judged_was_not_seen(learned, stars):
    """The test side of the split, of those that have a class and all modalities, and no one else."""
    out, _ = learned
    dataset = Dataset(stars / "data")
    sides = divide(dataset, SETTINGS.split)
    whole = np.all([dataset.present(name) for name in dataset.modalities], axis=0)
    said = pd.read_csv(out / "results" / "predictions.csv")
    assert set(said["object_id"]) == set(dataset.object_ids[(sides == "test") & whole])
    truth = dict(Table.read(stars / "survey" / "labels.csv").iterrows())
    assert all(truth[name] == true for name, true in zip(said["object_id"], said["true"], strict=True))


def test_the_same_again_does_nothing_and_a_changed_table_begins_again(learned, stars, tmp_path, capsys):
    out, table = learned
    copy = shutil.copytree(out, tmp_path / "copy")
    again = learn(stars, out)
    assert capsys.readouterr().err.count("(done before)") == 4 and (again["macro_f1"] == table["macro_f1"]).all()
    labels = shutil.copy(stars / "survey" / "labels.csv", tmp_path)
    text = (tmp_path / "labels.csv").read_text().splitlines()
    (tmp_path / "labels.csv").write_text("\n".join(text[:60]) + "\n")
    learn(stars, copy, labels)
    assert "(done before)" not in capsys.readouterr().err


@pytest.mark.slow
def test_more_baselines_train_nothing_else_again(learned, stars, tmp_path, capsys):
    copy = shutil.copytree(learned[0], tmp_path / "copy")
    table = learn(stars, copy, baselines=["image", "early_add", "svm", "early_concat"])
    said = capsys.readouterr().err
    # the folder was moved, and with it what the steps read: their names and states are those of its content
    assert said.count("(done before)") == 3 and "early concat" in table["model"]


def test_new_files_get_a_class_and_who_lacks_something_is_named(learned, new, tmp_path, capsys):
    words = ["classify", "--model", learned[0] / "model", "--input", new, "--out", tmp_path / "candidates.vot"]
    assert cli.main([*map(str, words), "--attention", str(tmp_path / "where.pdf")]) == 0
    said = capsys.readouterr().out
    assert "4 objects: " in said and "left out: 2 (has no spectrum): 9000-57000-1, 9000-57000-2" in said
    assert "left out: 1 (has no image): 9000-57000-7" in said and "calibrated on real data of stars" in said
    found = Table.read(tmp_path / "candidates.vot")
    assert found.colnames == ["object_id", "ra", "dec", "class", "p_bhb", "p_other"]
    assert sorted(found["object_id"]) == [f"9000-57000-{fiber}" for fiber in (3, 4, 5, 6)]
    np.testing.assert_allclose(found["p_bhb"] + found["p_other"], 1)
    assert np.isfinite(found["ra"]).all() and (tmp_path / "where.pdf").read_bytes()[:4] == b"%PDF"
    left = Table.read(tmp_path / "candidates.left_out.csv")
    assert dict(left.iterrows()) == {
        "9000-57000-1": "has no spectrum.", "9000-57000-2": "has no spectrum.", "9000-57000-7": "has no image.",
    }  # fmt: skip


def test_files_and_a_dataset_give_the_same_probabilities(learned, stars, new):
    from_files = pipeline.classify(model=learned[0] / "model", input=new)
    from_data = pipeline.classify(model=learned[0] / "model", input=str(stars / "data"))
    by_id = {row["object_id"]: row["p_bhb"] for row in from_data}
    for row in from_files:
        assert by_id[row["object_id"]] == pytest.approx(row["p_bhb"], abs=1e-5)
    parts = {"image": str(new / "cutouts"), "spectrum": {"file": str(new / "spectra"), "reader": "SDSSSpectra"}}
    assert list(pipeline.classify(model=learned[0] / "model", input=parts)["p_bhb"]) == list(from_files["p_bhb"])
    words = f"image={new / 'cutouts'},spectrum={new / 'spectra'}"
    assert len(pipeline.classify(model=learned[0] / "model", input=words)) == len(from_files)


def test_a_new_spectrum_that_is_short_of_the_range_is_left_out(learned, new):
    path = new / "spectra" / "spec-9000-57000-0003.fits"
    with fits.open(path, mode="update") as hdus:
        hdus[1].data["ivar"][10 ** hdus[1].data["loglam"] > 8000] = 0
    table = pipeline.classify(model=learned[0] / "model", input=new)
    assert "9000-57000-3" not in table["object_id"]
    [note] = [note for note in table.meta["notes"] if "9000-57000-3" in note]
    assert "the spectrum covers 85% of 4000-8999 Angstrom, and those of the training at least 100%" in note


def test_info_describes_the_folders(learned):
    out = learned[0]
    run = pipeline.info(out)
    assert "steps done: classifier, baseline early_add, baseline svm, classify" in run and "report.html" in run
    model = pipeline.info(out / "model")
    assert "Classifier" in model and "encoder of image: ImageConvNet" in model and "classes: bhb, other" in model
    assert "temperature" in model and "EncoderClassifier" in pipeline.info(out / "encoders" / "spectrum")
    assert "tokens" in pipeline.info(out / "tokens") and "svm" in pipeline.info(out / "baselines" / "svm")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("object_id,class\nx1,a\nx2,b\n", "none of 2 rows of .*labels.csv belongs to an object"),
        ("object_id,class\n9000-57000-3,a\n9000-57000-4,a\n", "all labelled objects are of the class 'a'"),
        ("object_id,kind,type\nx1,a,b\n", "which column holds the classes\\? There is no 'class'; there is kind, type"),
        ("class\na\n", "no column is called like an id"),
    ],
)  # fmt: skip
def test_tables_of_classes_that_teach_nothing(fails, stars, tmp_path, labels, message):
    (tmp_path / "labels.csv").write_text(labels)
    words = ["--encoders", json.dumps(ENCODERS), "--labels", tmp_path / "labels.csv", "--out", tmp_path / "x"]
    assert re.search(message, fails("classify", stars / "data", *words))


def test_a_thousand_to_one_is_said_with_the_remedy(stars, tmp_path, monkeypatch):
    monkeypatch.setattr(classes, "IMBALANCE", 1.1)  # thousands of objects would take minutes
    with pytest.warns(UserWarning, match="set class_weights to balanced"):
        table = learn(stars, tmp_path / "x", baselines=[])
    assert any("training objects of the class 'other'" in note and "balanced" in note for note in table.meta["notes"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give a configuration or a dataset folder to learn from, or --model and --input"),
        (["--input", "new"], "--model: give both, the classifier and the new objects"),
        (["--model", "m"], "--input: give both"),
        (["data", "--model", "m", "--input", "new"], "nothing is trained: leave out data, encoders, labels and --set"),
        (["data", "--set", "a=b"], "--set changes a configuration, and the data is a folder"),
        (["nowhere.yaml"], "nowhere.yaml: no such configuration file"),
        (["c.yaml", "--classification.label", "x"], "c.yaml says how to classify: change it there, or with --set"),
    ],
)
def test_words_that_contradict_each_other(fails, words, message):
    assert message in fails("classify", *words)


def test_new_objects_that_cannot_be_classified(fails, learned, new, tmp_path):
    model = learned[0] / "model"
    bands = tmp_path / "bands"
    shutil.copytree(new, bands)
    for path in (bands / "cutouts").iterdir():
        write_legacysurvey_cutout(path, np.ones((4, 16, 16)), 1.0, 1.0, bands="ugri", pixel_scale_arcsec=0.396)
    cases = [
        ((model, new, "--out", "candidates"), "out is 'candidates', expected a file that ends with one of .csv"),
        ((learned[0] / "encoders" / "image", new), "holds EncoderClassifier, no classifier. Give the folder model"),
        ((model, new / "cutouts"), "there is no spectrum, and the model needs image and spectrum"),
        ((model, tmp_path / "nowhere"), "no such file or folder"),
        ((model, "image=,spectrum=x"), "--input: expected MODALITY=PATH, or one path for all, found 'image'"),
        ((model, bands), "cutouts: no observation can be used; the first: .*band 'z' is missing"),
        ((model, new, "--attention", tmp_path / "w.pdf", "--object-id", "nobody"), "there is no object 'nobody'"),
    ]
    for (folder, given, *more), message in cases:
        assert re.search(message, fails("classify", "--model", folder, "--input", given, *more)), message


def test_settings_that_cannot_be(stars, tmp_path):
    with pytest.raises(UsageError, match="baselines: there is no 'forest'"):
        learn(stars, tmp_path / "x", baselines=["forest"])
    with pytest.raises(UsageError, match="there is no argument 'inputs'"):
        pipeline.classify(inputs="x")


@pytest.mark.slow
@pytest.mark.parametrize("stages", ["joint", "aligned"])
def test_the_other_stages_are_trained_and_judged_in_the_same_way(stars, tmp_path, stages):
    table = learn(stars, tmp_path / "x", stages=stages, alignment_training=QUICK, baselines=["early_add", "svm"])
    assert list(table["model"]) == ["cross-attention", "encoder", "encoder", "early add", "SVM"]
    classified = pipeline.classify(model=tmp_path / "x" / "model", input=str(stars / "data"))
    said = pd.read_csv(tmp_path / "x" / "results" / "predictions.csv")
    p = dict(zip(classified["object_id"], classified["p_bhb"], strict=True))
    main = said[said["model"] == "fusion"]
    np.testing.assert_allclose(main["p bhb"], [p[one] for one in main["object_id"]], atol=1e-4)


def test_data_that_cannot_be_learned_from(stars, learned, tmp_path):
    lone = {"x": ENCODERS["image"]}
    with pytest.raises(InputError, match=r"data has no 'x': it has image, spectrum"):
        pipeline.classify(stars / "data", tmp_path / "x", encoders=lone, labels=stars / "survey" / "labels.csv")
    images = LegacySurveyCutouts(
        stars / "survey" / "cutouts", pattern="9000-57000-[12].fits", bands=("u", "g"), size=16
    )
    spectra = SDSSSpectra(stars / "survey" / "spectra", pattern="*-000[34].fits", grid="sdss 4000-9000")
    apart = pipeline.ingest(tmp_path / "apart", images=images, spectra=spectra, reading=Reading(workers=1)).root
    with pytest.raises(InputError, match=r"none of 4 objects of .*apart that have a 'class' has image and spectrum"):
        pipeline.classify(apart, tmp_path / "y", encoders=ENCODERS, labels=stars / "survey" / "labels.csv")
    with pytest.raises(InputError, match="no spectrum belongs to any image: no id is the same"):
        pipeline.classify(model=learned[0] / "model", input=str(stars_without(stars, tmp_path)))
    with pytest.raises(UsageError, match="there is no 'kind' in the data"):
        pipeline.classify(stars / "data", tmp_path / "z", encoders=ENCODERS, classification=Classification("kind"))


def stars_without(stars, tmp_path):
    """A survey in which no image and spectrum are of one star."""
    for name, one in (("cutouts", "9000-57000-1.fits"), ("spectra", "spec-9000-57000-0009.fits")):
        (tmp_path / "lone" / name).mkdir(parents=True)
        shutil.copy(stars / "survey" / name / one, tmp_path / "lone" / name)
    return tmp_path / "lone"


def test_an_encoder_for_each_kind_of_modality(stars):
    usual = usual_encoders(stars / "data")
    assert {name: one["class_path"] for name, one in usual.items()} == {
        "image": "astroclip_kit.encoders.SEResNet", "spectrum": "astroclip_kit.encoders.VGG1D",
    }  # fmt: skip


def test_predictions_that_are_gone(tmp_path):
    with pytest.raises(FolderError, match=r"predictions.csv: no such file. Classify again"):
        read_said(tmp_path)
