"""New observations are brought to what a model was trained on, or refused."""

import numpy as np
import pytest
from astropy.table import Table

from astroclip_kit.embeddings.observations import adapted, modality_of, read_observations, reader_of
from astroclip_kit.errors import FileError, InputError, UsageError
from astroclip_kit.surveys import (
    ASASSNLightCurves,
    FunctionReader,
    LegacySurveyCutouts,
    SDSSSpectra,
    write_legacysurvey_cutout,
    write_sdss_spectrum,
)
from astroclip_kit.surveys.sdss import SPECTRUM_UNIT
from astroclip_kit.types import LIGHTCURVE_CHANNELS, Modality

GRID = tuple(np.arange(4000.0, 9000.0, 4.0))
SPECTRUM = Modality("spectrum", "spectrum", ("flux", "ivar"), (2, len(GRID)), SPECTRUM_UNIT, GRID)
IMAGE = Modality("image", "image", ("g", "r", "z"), (3, 16, 16), "nmgy", (0.262,))
CURVE = Modality("curve", "lightcurve", LIGHTCURVE_CHANNELS, (-1, 4), "mag", bands=("V", "g"))
TABLE = Modality("colours", "table", ("g_r", "r_z"), (2,))


def change(modality, **values):
    return Modality.from_dict({**modality.to_dict(), **values})


def cutout(path, bands="griz", size=24, scale=0.262, seed=0):
    image = np.random.default_rng(seed).normal(size=(len(bands), size, size)) + 5
    write_legacysurvey_cutout(path, image, 150.0, 2.0, bands=bands, pixel_scale_arcsec=scale)
    return image.astype(np.float32)


def sdss(path, fiber=1, low=3700.0, high=9300.0):
    wavelength = 10 ** np.arange(np.log10(low), np.log10(high), 1e-4)
    row = {"plate": 1, "mjd": 55000, "fiber": fiber, "ra": 10.0, "dec": 1.0}
    write_sdss_spectrum(path, wavelength, np.full(len(wavelength), 3.0), np.ones(len(wavelength)), row)
    return path


def test_the_reader_of_the_survey_is_told_the_bands_size_and_grid(tmp_path):
    image = cutout(tmp_path / "a.fits")
    [sample], skipped = read_observations([tmp_path / "a.fits"], "", IMAGE)
    np.testing.assert_array_equal(sample.views["image"], image[[0, 1, 3], 4:20, 4:20])
    assert sample.object_id == "a" and sample.ra == 150 and not skipped
    [sample], _ = read_observations([sdss(tmp_path / "spec-0001.fits")], "", SPECTRUM)
    assert sample.views["spectrum"].shape == SPECTRUM.shape and sample.views["spectrum"].dtype == np.float32
    np.testing.assert_allclose(sample.views["spectrum"][0], 3, rtol=1e-5)


def test_a_named_reader_is_taken(tmp_path):
    cutout(tmp_path / "a.fits")
    described = {"class_path": "astroclip_kit.surveys.LegacySurveyCutouts", "init_args": {"pattern": "a*"}}
    for reader in ("LegacySurveyCutouts", described, LegacySurveyCutouts(tmp_path)):
        [sample], _ = read_observations([tmp_path], reader, IMAGE)
        assert sample.views["image"].shape == IMAGE.shape
    told = reader_of(tmp_path, described, IMAGE)
    assert told.pattern == "a*" and told.bands == ("g", "r", "z") and told.size == 16 and told.ivar is False


def test_readers_of_light_curves_are_told_the_bands(tmp_path):
    limits = change(CURVE, bands=["g", "g_limit"])
    told = reader_of(tmp_path, ASASSNLightCurves(tmp_path, quality=["G", "B"]), limits)
    assert told.bands == ("g",) and told.upper_limits == "keep" and told.quality == ("G", "B")
    assert reader_of(tmp_path, "ASASSNLightCurves", CURVE).upper_limits == "drop"
    columns = {"id": "oid", "time": "mjd", "value": "mag", "band": "fid"}
    described = {"class_path": "astroclip_kit.surveys.LightCurveTable", "init_args": {"columns": columns}}
    described["init_args"]["bands"] = {1: "g"}
    told = reader_of(tmp_path / "new.csv", described, change(CURVE, bands=["g"]))
    assert told.path == str(tmp_path / "new.csv") and told.bands == {"1": "g"}


def test_a_reader_of_ones_own_is_adapted(tmp_path):
    np.save(tmp_path / "x.npy", np.stack([np.full((20, 20), value) for value in (1.0, 2.0, 3.0)]))
    own = FunctionReader(np.load, str(tmp_path / "*.npy"), channels=["z", "g", "r"], unit="nmgy")
    [sample], _ = read_observations([tmp_path], own, IMAGE)
    assert sample.views["image"].shape == IMAGE.shape and sample.views["image"][:, 0, 0].tolist() == [2, 3, 1]


def test_a_spectrum_of_another_survey_is_resampled(tmp_path):
    given = Modality(
        "s", "spectrum", ("flux", "ivar"), (2, 7000), "erg / (Angstrom s cm2)", tuple(np.arange(3000, 10000))
    )
    view = np.stack([np.full(7000, 2e-17), np.full(7000, 1e34)]).astype(np.float32)
    flux, ivar = adapted(view, given, SPECTRUM)
    np.testing.assert_allclose(flux, 2, rtol=1e-5)
    np.testing.assert_allclose(ivar, 4, rtol=0.2)  # of four pixels and parts of others, 1 each in the model's unit


def test_light_curves_keep_the_bands_that_the_model_knows():
    given = Modality("x", "lightcurve", LIGHTCURVE_CHANNELS, (-1, 4), "mag", bands=("g", "i", "V"))
    view = np.array([[0, 15, 0.1, 1], [1, 16, 0.1, 0], [2, 17, np.nan, 2], [np.nan] * 4], np.float32)
    np.testing.assert_array_equal(
        adapted(view, given, CURVE), np.array([[1, 16, 0.1, 1], [2, 17, np.nan, 0]], np.float32)
    )


def test_rows_of_a_table_are_observations(tmp_path):
    Table({"r_z": [0.3, 0.5], "g_r": [1.0, 2.0], "x": [0, 0]}).write(tmp_path / "new.csv")
    samples, _ = read_observations([tmp_path / "new.csv"], "", TABLE)
    np.testing.assert_allclose([sample.views["colours"] for sample in samples], [[1.0, 0.3], [2.0, 0.5]])
    assert modality_of(tmp_path / "new.csv", {"image": IMAGE, "colours": TABLE}) == "colours"


def test_what_a_file_holds_is_recognised(tmp_path):
    cutout(tmp_path / "a.fits")
    both = {"image": IMAGE, "spectrum": SPECTRUM}
    assert modality_of(tmp_path / "a.fits", both) == "image"
    assert modality_of(sdss(tmp_path / "spec-0001.fits"), both) == "spectrum"
    with pytest.raises(UsageError, match=r"found Legacy Survey cutouts. Say with `query` which it is: deep, wide"):
        modality_of(tmp_path / "a.fits", {"deep": IMAGE, "wide": IMAGE})
    (tmp_path / "notes.md").write_text("mine")
    with pytest.raises(UsageError, match=r"found nothing that the kit knows. Say with `query`"):
        modality_of(tmp_path / "notes.md", both)
    with pytest.raises(FileError, match=r"no such file"):
        modality_of(tmp_path / "nosuch", both)


def test_bad_files_among_good_ones_are_listed(tmp_path):
    for name in "abc":
        cutout(tmp_path / f"{name}.fits")
    (tmp_path / "b.fits").write_bytes((tmp_path / "a.fits").read_bytes()[:5000])
    samples, skipped = read_observations([tmp_path], "", IMAGE)
    assert [sample.object_id for sample in samples] == ["a", "c"]
    assert len(skipped) == 1 and "b.fits" in skipped[0]
    samples, skipped = read_observations([tmp_path / "a.fits", tmp_path / "b.fits"], "LegacySurveyCutouts", IMAGE)
    assert len(samples) == 1 and len(skipped) == 1


def test_one_truncated_file_is_an_error(tmp_path):
    cutout(tmp_path / "a.fits")
    (tmp_path / "b.fits").write_bytes((tmp_path / "a.fits").read_bytes()[:5000])
    with pytest.raises(FileError, match=r"b.fits"):
        read_observations([tmp_path / "b.fits"], "", IMAGE)
    for path in (tmp_path / "a.fits", tmp_path / "b.fits"):
        path.write_bytes(b"SIMPLE  = ")
    with pytest.raises(InputError, match=r"no observation can be used; the first: .*a.fits"):
        read_observations([tmp_path], "LegacySurveyCutouts", IMAGE)


def test_a_folder_without_files_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"LegacySurveyCutouts finds no files there. Check the path"):
        read_observations([tmp_path], "", IMAGE)
    with pytest.raises(UsageError, match=r"reader 'Nonsense': there is no such reader"):
        read_observations([tmp_path], "Nonsense", IMAGE)


def test_a_cutout_that_does_not_fit_is_refused(tmp_path):
    cutout(tmp_path / "a.fits", bands="gr")
    with pytest.raises(FileError, match=r"band 'z' is missing"):
        read_observations([tmp_path / "a.fits"], "", IMAGE)
    cutout(tmp_path / "a.fits", scale=0.4)
    with pytest.raises(
        InputError, match=r"a\.fits: object a: 0.4000 arcsec per pixel, the model was trained on 0.2620. Resample"
    ):
        read_observations([tmp_path / "a.fits"], "", IMAGE)
    cutout(tmp_path / "a.fits", size=12)
    with pytest.raises(FileError, match=r"fewer than size=16"):
        read_observations([tmp_path / "a.fits"], "", IMAGE)


def test_a_spectrum_beyond_the_grid_is_refused(tmp_path):
    path = sdss(tmp_path / "spec-0001.fits", low=9100.0, high=9300.0)
    with pytest.raises(FileError, match=r"no good pixel on the grid: the file covers 9100"):
        read_observations([path], SDSSSpectra(path), SPECTRUM)


@pytest.mark.parametrize(
    ("given", "wanted", "message"),
    [
        (SPECTRUM, IMAGE, "the file holds a spectrum, the model's image is a image"),
        (change(IMAGE, channels=["g", "r", "i"]), IMAGE, "'z' is missing: it has g, r, i, the model was trained on g"),
        (change(IMAGE, grid=[0.3]), IMAGE, "0.3000 arcsec per pixel, the model was trained on 0.2620"),
        (change(IMAGE, shape=[3, 16, 15]), IMAGE, r"\(16, 15\) pixels, the model was trained on \(16, 16\)"),
        (
            change(IMAGE, unit="ct"),
            IMAGE,
            "it is in ct, the model was trained on image in nmgy, so that they cannot be compared. Take a model",
        ),
        (change(IMAGE, unit=""), IMAGE, "it is in no unit, the model was trained on image in nmgy"),
        (change(SPECTRUM, unit=""), SPECTRUM, "it is in no unit, the model was trained on spectrum in 1e-17 erg"),
        (change(SPECTRUM, grid=[one + 9000 for one in GRID]), SPECTRUM, "13000 to 17996 Angstrom hold no good pixel"),
        (change(CURVE, bands=["i", "z"]), CURVE, r"no measurement in V, g, the bands of the model \(found i, z\)"),
        (change(CURVE, unit="mJy"), CURVE, "it is in mJy, the model was trained on curve in mag"),
        (change(TABLE, channels=["g_r", "z_y"]), TABLE, "'r_z' is missing: it has g_r, z_y"),
    ],
)
def test_a_view_that_cannot_be_adapted_says_why(given, wanted, message):
    view = np.ones([3 if axis == -1 else axis for axis in given.shape], np.float32)
    if given.kind == "lightcurve":
        view[:, 3] = 0
    with pytest.raises(InputError, match=message):
        adapted(view, given, wanted)


def test_inverse_variances_are_converted_with_their_image():
    given = change(IMAGE, channels=["g", "ivar_g", "r"], unit="uJy")
    wanted = Modality("image", "image", ("g", "ivar_g"), (2, 16, 16), "nmgy", (0.262,))
    flux, ivar = adapted(np.ones((3, 16, 16), np.float32), given, wanted)[:, 0, 0]
    assert flux == pytest.approx(1 / 3.631, rel=1e-3) and ivar == pytest.approx(3.631**2, rel=1e-3)


def test_a_missing_file_is_left_out_of_many(tmp_path):
    cutout(tmp_path / "a.fits")
    samples, skipped = read_observations([tmp_path / "a.fits", tmp_path / "b.fits"], "", IMAGE)
    assert len(samples) == 1 and skipped == [f"{tmp_path / 'b.fits'}: no such file."]
    with pytest.raises(FileError, match=r"b\.fits: no such file\."):
        read_observations([tmp_path / "b.fits"], "", IMAGE)


def test_covariates_of_a_light_curve_are_found_by_name():
    channels = (*LIGHTCURVE_CHANNELS, "amplitude", "period")
    given = Modality("x", "lightcurve", channels, (-1, 6), "mag", bands=("V",))
    wanted = change(CURVE, channels=[*LIGHTCURVE_CHANNELS, "period"], shape=[-1, 5])
    view = np.array([[0, 15, 0.1, 0, 0.5, 3], [1, 16, 0.1, 0, 0.5, 3]], np.float32)
    np.testing.assert_array_equal(adapted(view, given, wanted), view[:, [0, 1, 2, 3, 5]])
    with pytest.raises(InputError, match=r"'period' is missing: it has time, value, .* with period beside the files"):
        adapted(view[:, :4], CURVE, wanted)
