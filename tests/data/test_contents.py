"""Tests of what `info` prints of a dataset."""

import json

import pytest

from astroclip_kit.data import describe, ingest, render
from astroclip_kit.errors import FolderError
from astroclip_kit.settings import Matching


@pytest.fixture
def dataset(survey, tmp_path):
    return ingest(survey, tmp_path / "data", quiet=True)


def test_counts_ranges_and_reasons(dataset):
    found = describe(dataset)
    assert (found["rows"], found["groups"], found["coordinates"], found["origin"]) == (12, 12, 12, "real")
    spectrum = found["modalities"]["spectrum"]
    assert (spectrum["present"], spectrum["missing"]) == (6, 0.5)
    assert spectrum["wavelength_angstrom"] == [4000.0, 4004.0] and spectrum["bands"] == []
    assert found["modalities"]["image"]["bands"] == ["g", "r"]
    assert found["modalities"]["image"]["pixel_scale_arcsec"] == 0.262
    assert found["together"] == {
        "image": 4,
        "image + spectrum": 4,
        "image + spectrum + lightcurve": 2,
        "image + lightcurve": 2,
    }
    assert found["labels"]["class"] == {"count": 10, "classes": {"QSO": 5, "STAR": 5}}
    assert found["labels"]["z"]["count"] == 10 and found["labels"]["z"]["median"] == pytest.approx(0.45)
    assert found["dropped"] == 2 and [drop["count"] for drop in found["drops"]] == [1, 1]
    assert found["unmatched"] == {"catalogue": 1}
    assert json.loads(json.dumps(found)) == found


def test_the_text(dataset):
    lines = render(describe(dataset.root)).splitlines()
    assert lines[0] == "dataset data (real data)"
    assert lines[1] == "12 rows of 12 objects, 12 with coordinates"
    for wanted in (
        "  spectrum            6 (50.0% missing)  spectrum 2 x 5; flux, ivar; 4000 to 4004 Angstrom",
        "  image              12 (0.0% missing)  image 2 x 4 x 4; g, r; 0.262 arcsec per pixel; nmgy",
        "  lightcurve          4 (66.7% missing)  lightcurve any x 4; g, r; mag",
        "         2  image + spectrum + lightcurve",
        "  class              10  QSO 5, STAR 5",
        "  z                  10  0 to 0.9, median 0.45",
        "dropped 2, ambiguous matches 0",
        "         1  image: this is a web page, expected JSON. Download it again.",
        "1 rows of catalogue belong to no observation",
    ):
        assert wanted in lines


def test_a_selection_and_long_lists(dataset):
    assert describe(dataset.select([10, 11]))["labels"]["z"] == {"count": 0}
    found = describe(dataset.select([0, 1]))
    found["labels"] = {"type": {"count": 40, "classes": {f"M{i}": 2 for i in range(20)}}, "z": {"count": 0}}
    found["drops"] = [{"source": "image", "reason": f"reason {i}", "count": 1} for i in range(20)]
    text = render(found)
    assert "M11 2, and 8 more" in text and "more reasons in drops.csv" in text and "reason 10" not in text
    assert "z                   0  none" in text


def test_rows_of_one_position_in_several_groups_are_pointed_out(tmp_path, write, fake):
    places = [*({"ra": 10.0, "dec": arcsec / 3600} for arcsec in (0, 0.5, 2)), {}]
    rows = [{"id": f"o{i}", "view": fake.image(i), **place} for i, place in enumerate(places)]
    reader = {"image": fake.JsonReader(write(tmp_path / "i", rows), fake.IMAGE)}
    note = "note: 2 rows share a position (within 1 arcsec) with a row of another group, "
    lines = render(describe(ingest(reader, tmp_path / "data", quiet=True))).splitlines()
    assert lines[-1].startswith(note) and lines[-1].endswith("with --matching.group position")
    for matching in (Matching(group="position"), Matching(by="position")):
        assert describe(ingest(reader, tmp_path / "data", matching=matching, quiet=True))["notes"] == []


def test_modalities_that_never_meet_are_pointed_out(tmp_path, write, fake, capsys):
    place = {"ra": 10.0, "dec": 0.0}
    images = write(tmp_path / "i", [{"id": "J1000", "view": fake.image(0), **place}])
    spectra = write(tmp_path / "s", [{"id": "266-51602-31", "view": fake.spectrum(0), **place}])
    readers = {"image": fake.JsonReader(images, fake.IMAGE), "spectrum": fake.JsonReader(spectra, fake.SPECTRUM)}
    note = (
        "no object has both image and spectrum; ids look like 'J1000' and '266-51602-31'; "
        "match by position with --matching.by position"
    )
    dataset = ingest(readers, tmp_path / "data", workers=1)
    assert describe(dataset)["notes"][0] == note and describe(dataset.select([0]))["notes"] == []
    assert f"data: {note}.\n" in capsys.readouterr().err
    ingest(readers, tmp_path / "quiet", workers=1, quiet=True)
    assert capsys.readouterr().err == ""
    assert describe(ingest(readers, tmp_path / "data", matching=Matching(by="position"), quiet=True))["notes"] == []
    lines = write(tmp_path / "l", [{"id": "x", "view": fake.light_curve(0, 2), "ra": 50.0, "dec": 0.0}])
    readers = {"image": readers["image"], "lightcurve": fake.JsonReader(lines, fake.LIGHTCURVE)}
    apart = ingest(readers, tmp_path / "data", matching=Matching(by="position"), quiet=True)
    assert describe(apart)["notes"] == [
        "no object has both image and lightcurve within 1 arcsec; check the coordinates, or --matching.radius_arcsec"
    ]


def test_no_dataset(tmp_path):
    with pytest.raises(FolderError, match="is not a complete dataset folder"):
        describe(tmp_path)
