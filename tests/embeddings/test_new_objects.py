"""New objects of several modalities: matched by id, else by position; those that lack one are named."""

import numpy as np
import pytest

from astroclip_kit.data import ingest
from astroclip_kit.embeddings.new_objects import new_objects
from astroclip_kit.errors import FileError, InputError, UsageError
from astroclip_kit.surveys import (
    LegacySurveyCutouts,
    SDSSSpectra,
    write_asassn_light_curve,
    write_legacysurvey_cutout,
    write_sdss_spectrum,
)
from astroclip_kit.surveys.sdss import SPECTRUM_UNIT
from astroclip_kit.types import LIGHTCURVE_CHANNELS, Drop, Modality, Sample

GRID = tuple(np.arange(4000.0, 9000.0, 4.0))
MODALITIES = {
    "image": Modality("image", "image", ("g", "r"), (2, 8, 8), "nmgy", (0.396,)),
    "spectrum": Modality("spectrum", "spectrum", ("flux", "ivar"), (2, len(GRID)), SPECTRUM_UNIT, GRID),
}


def image(folder, fiber, object_id="", size=12, offset_arcsec=0.0, bands=("u", "g", "r")):
    folder.mkdir(exist_ok=True)
    values = np.full((len(bands), size, size), float(fiber))
    name = object_id or f"1-55000-{fiber}"
    dec = 1.0 + offset_arcsec / 3600
    write_legacysurvey_cutout(
        folder / f"{name}.fits", values, 10.0 + fiber, dec, object_id=name, bands=bands, pixel_scale_arcsec=0.396
    )


def spectrum(folder, fiber, low=3800.0):
    folder.mkdir(exist_ok=True)
    wavelength = 10 ** np.arange(np.log10(low), np.log10(9300), 1e-3)
    row = {"plate": 1, "mjd": 55000, "fiber": fiber, "ra": 10.0 + fiber, "dec": 1.0}
    path = folder / f"spec-0001-55000-{fiber:04d}.fits"
    write_sdss_spectrum(path, wavelength, np.full(len(wavelength), fiber), np.ones(len(wavelength)), row)


@pytest.fixture
def survey(tmp_path):
    for fiber in (1, 2, 3):
        image(tmp_path / "cutouts", fiber)
    image(tmp_path / "cutouts", 4, "J4", offset_arcsec=0.6)
    for fiber in (2, 3, 4, 5):
        spectrum(tmp_path / "spectra", fiber)
    (tmp_path / "catalogue.csv").write_text("object_id,ra,dec\na,1,2\n")
    return tmp_path


def parted(items):
    items = list(items)
    kept = {one.object_id: one for one in items if isinstance(one, Sample)}
    return kept, {one.source: one.reason for one in items if isinstance(one, Drop)}


def test_a_folder_of_a_survey_is_matched_by_id_and_then_by_position(survey):
    kept, dropped = parted(new_objects(survey, MODALITIES))
    assert list(kept) == ["1-55000-2", "1-55000-3", "J4"]
    assert dropped == {"1-55000-1": "has no spectrum.", "1-55000-5": "has no image."}
    for fiber, sample in zip((2, 3, 4), kept.values(), strict=True):
        assert sample.views["image"].shape == (2, 8, 8) and sample.views["spectrum"].shape == (2, len(GRID))
        assert (sample.views["image"] == fiber).all()
        np.testing.assert_allclose(sample.views["spectrum"][0], fiber, rtol=1e-5)
        assert sample.ra == 10 + fiber
    assert list(parted(new_objects(survey, MODALITIES, radius_arcsec=0.5))[0]) == ["1-55000-2", "1-55000-3"]


def test_one_id_at_two_places_is_not_one_object(survey):
    image(survey / "cutouts", 3, offset_arcsec=7200.0)
    kept, dropped = parted(new_objects(survey, MODALITIES))
    assert list(kept) == ["1-55000-2", "J4"]
    assert dropped["1-55000-3"] == (
        "its image is at (13.00000, 3.00000) deg and the spectrum of the same id at (13.00000, 1.00000), "
        "7,200.0 arcsec apart, more than radius_arcsec (1)."
    )
    assert "1-55000-3" in parted(new_objects(survey, MODALITIES, radius_arcsec=7201.0))[0]


def test_modalities_may_be_named_one_by_one(survey):
    described = {"file": str(survey / "spectra"), "reader": "SDSSSpectra"}
    kept, _ = parted(new_objects({"image": survey / "cutouts", "spectrum": described}, MODALITIES))
    assert len(kept) == 3


def test_a_dataset_gives_those_that_have_all(survey, tmp_path):
    readers = {
        "image": LegacySurveyCutouts(survey / "cutouts", bands=("u", "g", "r")),
        "spectrum": SDSSSpectra(survey / "spectra", grid="sdss"),
    }
    data = ingest(readers, tmp_path / "data", workers=1, quiet=True)
    for given in (data, tmp_path / "data"):
        kept, dropped = parted(new_objects(given, MODALITIES))
        assert list(kept) == ["1-55000-2", "1-55000-3"]
        assert set(dropped.values()) == {"has no spectrum.", "has no image."} and len(dropped) == 4
        assert kept["1-55000-2"].views["image"].shape == (2, 8, 8)
    far = {"spectrum": Modality.spectrum("spectrum", np.arange(20000.0, 21000.0), SPECTRUM_UNIT)}
    kept, dropped = parted(new_objects(data, far))
    assert not kept and "hold no good pixel of the model's 20000 to 20999 Angstrom" in dropped["1-55000-2"]


def test_one_bad_file_among_many_is_named_and_the_others_are_used(survey):
    image(survey / "cutouts", 2, bands=("u", "g"))
    (survey / "spectra" / "spec-0001-55000-0009.fits").write_bytes(b"SIMPLE  = half a file")
    kept, dropped = parted(new_objects(survey, MODALITIES))
    assert list(kept) == ["1-55000-3", "J4"]
    reasons = {who.rpartition("/")[2]: why for who, why in dropped.items()}
    assert "band 'r' is missing" in reasons["1-55000-2.fits"] and "spec-0001-55000-0009.fits" in reasons
    assert reasons["1-55000-2"] == "has no image."


def test_what_cannot_be_told_apart_or_is_not_there(survey, tmp_path):
    image(survey / "small", 7, size=4)
    cases = [
        (survey / "nowhere", FileError, "no such file or folder"),
        (survey / "cutouts", InputError, "there is no spectrum, and the model needs image and spectrum. Give each as"),
        (survey / "catalogue.csv", UsageError, "found tables, 1 file, the model takes image and spectrum"),
        ({"photo": survey}, UsageError, "the model has no modality 'photo'; it takes image, spectrum"),
        ({"image": survey / "small", "spectrum": survey / "spectra"}, FileError, "4.* pixels"),
    ]
    for given, kind, problem in cases:
        with pytest.raises(kind, match=problem):
            list(new_objects(given, MODALITIES))
    two = {**MODALITIES, "blue": MODALITIES["spectrum"]}
    with pytest.raises(UsageError, match="for spectrum and blue of the model"):
        list(new_objects(survey, two))
    data = ingest({"spectrum": SDSSSpectra(survey / "spectra", grid=GRID)}, tmp_path / "data", workers=1, quiet=True)
    with pytest.raises(InputError, match="data has no image, and the model needs image and spectrum"):
        list(new_objects(data, MODALITIES))


def test_rows_of_a_table_are_matched_by_their_ids_too(survey):
    (survey / "colours.csv").write_text("object_id,w1_w2\n1-55000-3,0.8\n1-55000-9,1.2\n1-55000-1,0.1\n")
    both = {"image": MODALITIES["image"], "colours": Modality("colours", "table", ("w1_w2",), (1,))}
    kept, dropped = parted(new_objects({"image": survey / "cutouts", "colours": survey / "colours.csv"}, both))
    assert {name: float(one.views["colours"][0]) for name, one in kept.items()} == pytest.approx(
        {"1-55000-1": 0.1, "1-55000-3": 0.8}
    )
    assert dropped == {"1-55000-2": "has no colours.", "J4": "has no colours.", "1-55000-9": "has no image."}


def test_a_folder_of_a_survey_holds_the_table_too(survey):
    both = {"image": MODALITIES["image"], "colours": Modality("colours", "table", ("w1_w2",), (1,))}
    missing = r"there is no colours \(a table with the columns w1_w2\), .* as image=FOLDER,colours=TABLE"
    with pytest.raises(InputError, match=missing):
        list(new_objects(survey, both))
    (survey / "labels.csv").write_text("object_id,class\n1-55000-3,star\n")
    (survey / "measured.csv").write_text("object_id,w1_w2\n1-55000-3,0.8\n1-55000-1,0.1\n")
    assert set(parted(new_objects(survey, both))[0]) == {"1-55000-1", "1-55000-3"}
    (survey / "truth.csv").write_text("object_id,w1_w2\n1-55000-3,9.9\n")
    with pytest.raises(UsageError, match=r"measured\.csv, truth\.csv have the columns w1_w2"):
        list(new_objects(survey, both))
    (survey / "colours.csv").write_text("object_id,w1_w2\n1-55000-3,0.5\n")  # called as the modality is
    kept, _ = parted(new_objects(survey, both))
    assert {name: float(one.views["colours"][0]) for name, one in kept.items()} == {"1-55000-3": 0.5}
    with pytest.raises(UsageError, match="no table in that folder has the columns w1_w2"):
        list(new_objects({"image": survey / "cutouts", "colours": survey / "cutouts"}, both))


def test_rows_that_belong_to_no_image_are_refused_with_what_to_do(survey):
    (survey / "rows.csv").write_text("w1_w2\n0.8\n1.2\n")
    both = {"image": MODALITIES["image"], "colours": Modality("colours", "table", ("w1_w2",), (1,))}
    problem = "no colours belongs to any image: no id is the same .the first are 0 and 1-55000-1.* column object_id"
    with pytest.raises(InputError, match=problem):
        list(new_objects({"image": survey / "cutouts", "colours": survey / "rows.csv"}, both))


def test_covariates_are_those_of_a_table_beside_or_the_light_curve_is_dropped(tmp_path):
    (tmp_path / "new").mkdir()
    columns = [np.arange(8.0) + 2456000, np.full(8, 13.0), np.full(8, 0.1), np.full(8, 19.0), np.full(8, 1.0)]
    for name in ("215707", "215727"):
        write_asassn_light_curve(tmp_path / "new" / f"{name}.dat", *columns)
    channels = (*LIGHTCURVE_CHANNELS, "amplitude", "period")
    modality = Modality("curve", "lightcurve", channels, (-1, 6), "mag", bands=("V",))
    colours = Modality("colours", "table", ("w1_w2",), (1,))
    (tmp_path / "rows.csv").write_text("object_id,w1_w2\n215727,0.1\n9,0.2\n")
    both = {"curve": modality, "colours": colours}
    given = {"curve": tmp_path / "new", "colours": tmp_path / "rows.csv"}
    table = tmp_path / "new" / "metadata.csv"
    table.write_text("object_id,period,amplitude\n215727,4.5,0.9\n7,1.5,0.1\n")
    kept, dropped = parted(new_objects(given, both, partial=True))
    assert not [one for one in dropped if "curve is not used" in dropped[one]]
    np.testing.assert_allclose(kept["215727"].views["curve"][:, 4:], [[0.9, 4.5]] * len(kept["215727"].views["curve"]))
    assert np.isnan(kept["215707"].views["curve"][:, 4:]).all() and list(kept["9"].views) == ["colours"]
    table.write_text("object_id,period,amplitude\nJ1,4.5,0.9\n")
    kept, dropped = parted(new_objects(given, both, partial=True))
    assert list(kept) == ["215727", "9"] and "none of 2 objects has a row" in dropped[str(tmp_path / "new")]
    table.unlink()
    kept, dropped = parted(new_objects(given, both, partial=True))
    assert list(kept) == ["215727", "9"] and [*dropped] == [str(tmp_path / "new")]
    reason = dropped[str(tmp_path / "new")]
    assert "curve is not used" in reason and "'amplitude' is missing" in reason
    for asked in ({"partial": False}, {"partial": True}):
        with pytest.raises(InputError, match=r"'amplitude' is missing.*Put a table with amplitude, period beside"):
            list(new_objects({"curve": tmp_path / "new"}, {"curve": modality}, **asked))


def test_a_partial_model_takes_objects_that_lack_a_modality(survey, tmp_path):
    kept, dropped = parted(new_objects(survey, MODALITIES, partial=True))
    have = {name: "+".join(one.views) for name, one in kept.items()}
    both = dict.fromkeys(["1-55000-2", "1-55000-3", "J4"], "image+spectrum")
    assert have == {"1-55000-1": "image", "1-55000-5": "spectrum", **both} and not dropped
    alone, dropped = parted(new_objects({"spectrum": survey / "spectra"}, MODALITIES, partial=True))
    assert len(alone) == 4 and {"+".join(one.views) for one in alone.values()} == {"spectrum"} and not dropped
    apart, _ = parted(
        new_objects({"image": survey / "cutouts", "spectrum": survey / "spectra"}, MODALITIES, 1e-4, partial=True)
    )
    assert sorted(apart) == ["1-55000-1", "1-55000-2", "1-55000-3", "1-55000-4", "1-55000-5", "J4"]
    reader = LegacySurveyCutouts(survey / "cutouts", bands=("g", "r"))
    dataset = ingest({"image": reader, "spectrum": SDSSSpectra(survey / "spectra")}, tmp_path / "data", quiet=True)
    of_dataset, dropped = parted(new_objects(dataset, MODALITIES, partial=True))
    assert len(of_dataset) == len(dataset) and not dropped
    with pytest.raises(InputError, match=r"has no lightcurve, and the model needs lightcurve or table\."):
        list(new_objects(dataset, {"lightcurve": None, "table": None}, partial=True))
    with pytest.raises(InputError, match="there is no image, and the model needs image or spectrum"):
        list(new_objects({}, MODALITIES, partial=True))
