"""What `classify` says of classifiers and new objects that are less than they seem, and of words meant well."""

import json
import re
import shutil
import warnings

import numpy as np
import pytest
from astropy.io import fits

from astroclip_kit import cli, pipeline
from astroclip_kit.settings import Classification, Hardware, Reading, Split, Training
from astroclip_kit.surveys import CleanImages, LegacySurveyCutouts, SDSSSpectra

QUICK = Training(epochs=1, batch_size=32, hardware=Hardware("cpu", "float32", threads=1))
SETTINGS = Classification(
    method="early_concat", encoder_training=QUICK, training=QUICK, split=Split(test=0.3, valid=0.3)
)
ENCODERS = {
    "image": {"class_path": "astroclip_kit.encoders.ImageConvNet", "init_args": {"out_features": 8}},
    "spectrum": {"class_path": "astroclip_kit.encoders.VGG1D", "init_args": {"widths": [4, 8], "depths": [1, 1]}},
}


@pytest.fixture(scope="module")
def rare(stars, tmp_path_factory):
    """A classifier of images that were selected, and one star of a class of its own, which trains; and its notes."""
    root = tmp_path_factory.mktemp("rare")
    bands = ("u", "g", "r", "i", "z")
    images = CleanImages(LegacySurveyCutouts(stars / "survey" / "cutouts", bands=bands, size=16), core=3)
    spectra = SDSSSpectra(stars / "survey" / "spectra", grid="sdss 4000-9000")
    data = pipeline.ingest(root / "data", images=images, spectra=spectra, reading=Reading(workers=1))
    from astroclip_kit.data import divide

    one = data.object_ids[np.flatnonzero(divide(data, SETTINGS.split) == "train")[0]]
    lines = ["object_id,class", *(f"{name},{'bhb' if name == one else 'other'}" for name in data.object_ids)]
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    told = {"encoders": ENCODERS, "labels": root / "labels.csv", "classification": SETTINGS}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        table = pipeline.classify(root / "data", root / "c1", **told)
    return root / "c1", table, [str(one.message) for one in said]


@pytest.fixture
def new(stars, tmp_path):
    for name, file in (("cutouts", "9000-57000-{}.fits"), ("spectra", "spec-9000-57000-{:04d}.fits")):
        (tmp_path / "new" / name).mkdir(parents=True)
        for fiber in (3, 4, 5):
            shutil.copy(stars / "survey" / name / file.format(fiber), tmp_path / "new" / name)
    return tmp_path / "new"


@pytest.mark.parametrize(
    "message",
    [
        "no validation object is of the class 'bhb': neither the best epoch nor the temperature heeds it",
        "no test object is of the class 'bhb': macro numbers are of the other classes alone",
        r"not calibrated: all \d+ validation objects are of one class",
    ],
)
def test_what_a_class_that_a_side_lacks_means_is_said_on_the_terminal_in_the_notes_and_on_the_page(rare, message):
    out, table, said = rare
    page = (out / "results" / "report.html").read_text().replace("&#x27;", "'")
    assert any(re.search(message, one) for one in said)
    assert any(re.match(message, note) for note in table.meta["notes"])
    assert "<h2>Notes</h2>" in page and re.search(message, page)


def test_probabilities_that_were_not_calibrated_are_not_called_so(rare, new):
    notes = pipeline.classify(model=rare[0] / "model", input=new).meta["notes"]
    assert any(re.match(r"probabilities were not calibrated: all \d+ validation objects", one) for one in notes)
    assert not any("which images are good enough" in one for one in notes)


def test_images_that_would_not_have_been_trained_on_are_left_out(rare, new):
    with fits.open(new / "cutouts" / "9000-57000-4.fits", mode="update") as hdus:
        hdus[0].data[1, 7:9, 7:9] = np.nan
    table = pipeline.classify(model=rare[0] / "model", input=new)
    assert sorted(table["object_id"]) == ["9000-57000-3", "9000-57000-5"]
    [note] = [one for one in table.meta["notes"] if "9000-57000-4" in one]
    assert (
        "the image is not as those of the training: the object itself has a bad or saturated pixel in band 'g'" in note
    )
    about = json.loads((rare[0] / "model" / "manifest.json").read_text())
    assert about["quality"] == {"image": {"min_good": 0.9, "core": 3, "saturation": None, "significance": 0.0}}


def test_it_is_said_where_the_selection_of_images_is_the_user_s(rare, new, tmp_path):
    older = shutil.copytree(rare[0] / "model", tmp_path / "model")
    about = json.loads((older / "manifest.json").read_text())
    del about["quality"], about["calibration"]
    (older / "manifest.json").write_text(json.dumps(about))
    notes = pipeline.classify(model=older, input=new).meta["notes"]
    assert any(
        "keeps no demands on image pixels (CleanImages): which images are good enough is up to you" in one
        for one in notes
    )
    assert "probabilities were not calibrated: no temperature is kept" in notes


def test_the_folder_of_the_whole_training_is_taken_for_the_model_in_it(rare, new):
    whole, inside = (pipeline.classify(model=one, input=new) for one in (rare[0], rare[0] / "model"))
    assert list(whole["p_bhb"]) == list(inside["p_bhb"])


def test_an_object_that_was_left_out_is_not_said_to_be_missing(fails, rare, new, tmp_path):
    (new / "spectra" / "spec-9000-57000-0004.fits").unlink()
    words = ["--model", rare[0], "--input", new, "--object-id"]
    assert "'9000-57000-4' was left out: has no spectrum." in fails("classify", *words, "9000-57000-4")
    assert "there is no object 'nobody' among those classified" in fails("classify", *words, "nobody")


def test_attention_that_is_not_there_is_refused_first(fails, rare, tmp_path):
    words = ["--model", rare[0], "--input", tmp_path / "nowhere", "--attention", tmp_path / "w.pdf"]
    assert "--attention: EarlyConcat has no attention to show. Leave it out." in fails("classify", *words)


def test_a_dataset_that_is_not_there_is_said_to_be_missing(fails, tmp_path):
    words = [tmp_path / "nowhere", "--encoders", json.dumps(ENCODERS), "--out", tmp_path / "x"]
    assert "nowhere: no such folder. Expected a dataset folder." in fails("classify", *words)
    assert not (tmp_path / "x").exists()


def test_reasons_that_differ_by_numbers_are_counted_together(rare, new):
    for fiber in (3, 4):
        with fits.open(new / "cutouts" / f"9000-57000-{fiber}.fits", mode="update") as hdus:
            hdus[0].header["CRVAL2"] += fiber
            hdus[0].header["DEC"] = hdus[0].header.get("DEC", 2.0) + fiber
    notes = pipeline.classify(model=rare[0], input=new).meta["notes"]
    [note] = [one for one in notes if "of the same id" in one]
    assert note.startswith("left out: 2 (the first: its image is at (150.03000, ")
    assert note.endswith(": 9000-57000-3, 9000-57000-4")


def test_a_warning_is_a_note_on_the_terminal(monkeypatch, capsys):
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    cli.main(["--version"])
    assert warnings.formatwarning(UserWarning("svm: not calibrated."), UserWarning, "x.py", 3) == (
        "note: svm: not calibrated.\n"
    )
    assert "x.py:3: FutureWarning: soon" in warnings.formatwarning(FutureWarning("soon"), FutureWarning, "x.py", 3, "")
