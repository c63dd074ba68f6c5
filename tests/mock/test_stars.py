"""The mock survey of stars as files: layout, determinism, truth, difficulty, real catalogues, and errors."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from survey_files import check_layout, check_same_bytes

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.mock import simulate_stars
from astroclip_kit.mock.atmospheres import REST_WAVELENGTH
from astroclip_kit.mock.instruments import OBSERVED_WAVELENGTH, SDSS, band_weights
from astroclip_kit.mock.star_population import COOLEST, HOTTEST, draw_stars, read_catalogues
from astroclip_kit.mock.star_spectra import blurred, on_observed_grid
from astroclip_kit.pipeline import ingest, simulate
from astroclip_kit.settings import Observing
from astroclip_kit.storage import open_folder
from astroclip_kit.surveys import LegacySurveyCutouts

COUNT = 130


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    return simulate("stars", tmp_path_factory.mktemp("stars") / "survey", count=COUNT, seed=5, workers=1)


@pytest.fixture(scope="module")
def catalogue(survey):
    return Table.read(survey / "catalogue.fits")


def test_layout(survey, catalogue):
    labels = check_layout(survey, "stars", COUNT)
    assert np.array_equal(labels["class"] == "bhb", catalogue["class"] == "bhb")
    assert set(catalogue["class"]) == {"bhb", "bs", "a"} and set(labels["class"]) == {"bhb", "other"}


def test_cutouts_are_points_where_the_catalogue_says(survey, catalogue):
    row = catalogue[int(np.argmin(catalogue["mag_g"]))]
    with fits.open(survey / row["cutout_file"]) as hdus:
        header, image, ivar = hdus[0].header, hdus[0].data, hdus[1].data
    assert image.shape == ivar.shape == (5, 64, 64) and header["BANDS"] == "ugriz" and header["SURVEY"] == "SDSS"
    sky = WCS(header, naxis=2)  # the third axis, the bands, is none of the sky
    assert sky.proj_plane_pixel_scales()[0].to_value("arcsec") == pytest.approx(0.396, abs=1e-4)
    peak = np.unravel_index(image[1].argmax(), image[1].shape)
    there = sky.pixel_to_world(peak[1], peak[0])
    assert abs(there.dec.deg - row["dec"]) * 3600 < 0.6
    inner = image[:, 22:42, 22:42].sum(axis=(1, 2))
    magnitude = np.array([row[f"mag_{band}"] for band in "ugriz"])
    np.testing.assert_allclose(22.5 - 2.5 * np.log10(inner), magnitude, atol=0.3)


def test_same_seed_same_bytes_for_any_number_of_workers_and_the_first_of_more(survey, tmp_path):
    check_same_bytes(simulate_stars, survey, COUNT, 5, 7, tmp_path)


def test_it_is_ingested_with_all_five_bands_and_the_labels(survey, tmp_path):
    images = LegacySurveyCutouts(survey / "cutouts", bands="ugriz", ivar=True)
    data = ingest(
        tmp_path / "data", images=images, spectra=survey / "spectra", catalogue=survey / "labels.csv", labels="class"
    )
    assert len(data) == COUNT and data.modalities["image"].shape == (10, 64, 64)
    assert set(data.labels["class"]) == {"bhb", "other"}


def test_brightness_sets_the_noise(catalogue):
    assert 14 <= catalogue["mag_g"].min() and catalogue["mag_g"].max() <= Observing().faint_limit
    signal = catalogue["sn_median"]
    order = np.argsort(catalogue["mag_g"])
    assert np.all(np.diff([np.median(signal[part]) for part in np.array_split(order, 4)]) < 0)
    near = np.abs(catalogue["mag_g"] - 18) < 0.5
    assert 8 < np.median(signal[near]) < 25  # as of SEGUE


def test_spectra_hold_noise_as_stated_and_lines_where_the_velocity_puts_them(survey, catalogue):
    pulls = []
    for row in catalogue[np.argsort(catalogue["mag_g"])[:20]]:
        spectrum = fits.getdata(survey / row["spectrum_file"].strip(), 1)
        wavelength = 10.0 ** spectrum["loglam"].astype(float)
        near = np.abs(wavelength - 4862.7) < 25
        depth = spectrum["model"][near].max() - spectrum["model"][near]
        centre = np.average(wavelength[near], weights=depth**4)
        assert 299792 * (centre / 4862.7 - 1) == pytest.approx(row["rv"], abs=35)
        good = (spectrum["ivar"] > 0) & (wavelength > 5000) & (wavelength < 5500)
        difference = (spectrum["flux"] / spectrum["model"])[good]
        pulls.append(np.diff(difference) * (spectrum["model"] * np.sqrt(spectrum["ivar"] / 2))[good][1:])
    assert np.concatenate(pulls).std() == pytest.approx(1, abs=0.1)


def test_rotation_broadens_and_velocity_moves_without_losing_light():
    line = 100 - 80 * np.exp(-0.5 * ((REST_WAVELENGTH - 5000) / 1.5) ** 2).astype(np.float32)
    stars = {"vsini": np.array([1.0, 250.0, 1.0]), "rv": np.array([0.0, 0.0, 300.0])}
    seen = on_observed_grid(blurred(np.stack([line] * 3), stars))
    missing = 100 - seen
    area = np.trapezoid(missing, OBSERVED_WAVELENGTH, axis=1)
    np.testing.assert_allclose(area, np.trapezoid(100 - line, REST_WAVELENGTH), rtol=0.01)
    assert missing[1].max() < 0.7 * missing[0].max()
    assert OBSERVED_WAVELENGTH[seen[2].argmin()] == pytest.approx(5000 * (1 + 300 / 299792), abs=1)


def test_classes_have_the_gravity_metals_and_numbers_of_their_kind():
    stars = draw_stars(20000, np.random.default_rng(0), Observing())
    of = {kind: {name: values[stars["class"] == kind] for name, values in stars.items()} for kind in ("bhb", "bs", "a")}
    assert len(of["bhb"]["teff"]) / 20000 == pytest.approx(4752 / 12032, abs=0.01)
    quantiles = {kind: np.quantile(some["logg"], [0.1, 0.9]) for kind, some in of.items()}
    np.testing.assert_allclose(quantiles["bhb"], [3.05, 3.62], atol=0.08)
    np.testing.assert_allclose(quantiles["bs"], [3.95, 4.4], atol=0.08)
    np.testing.assert_allclose(quantiles["a"], [3.8, 4.25], atol=0.08)
    assert np.median(of["bhb"]["feh"]) == pytest.approx(-1.7, abs=0.05) and abs(np.median(of["a"]["feh"])) < 0.1
    assert of["bhb"]["rv"].std() > 100 > 40 > of["a"]["rv"].std()
    assert np.median(of["a"]["vsini"]) > 5 * np.median(of["bhb"]["vsini"])
    assert COOLEST <= stars["teff"].min() and stars["teff"].max() <= HOTTEST
    assert np.median(of["bhb"]["mag_g"]) == pytest.approx(np.median(of["a"]["mag_g"]), abs=0.05)
    assert 3.3 * np.median(stars["ebv_galactic"]) == pytest.approx(0.1, abs=0.02)  # Wei et al. (2023): A near 0.1


def test_parameters_are_those_of_real_stars_where_catalogues_are_given(shared_data, tmp_path):
    folder = str(shared_data / "catalogues")
    tables = read_catalogues(folder)
    stars = draw_stars(20000, np.random.default_rng(1), Observing(), folder)
    for kind, names in (("bhb", ("teff", "logg", "rv")), ("a", ("teff", "logg", "feh", "rv"))):
        some = stars["class"] == kind
        for name in names:
            drawn, real = (np.quantile(values, [0.16, 0.5, 0.84]) for values in (stars[name][some], tables[kind][name]))
            np.testing.assert_allclose(drawn, real, atol=0.15 * (real[2] - real[0]))
    survey = simulate_stars(tmp_path / "real", count=2, catalogues=folder)
    assert open_folder(survey, "survey")["templates"] == "catalogues"


def test_magnitudes_are_those_of_the_spectra(survey, catalogue):
    grid = (OBSERVED_WAVELENGTH > 3980) & (OBSERVED_WAVELENGTH < 6900)
    weights = band_weights(OBSERVED_WAVELENGTH, SDSS)[:, 1:3]
    assert np.all(weights[~grid].sum(axis=0) < 0.05 * weights.sum(axis=0))
    for row in catalogue[:10]:
        model = fits.getdata(survey / row["spectrum_file"].strip(), 1)["model"]
        seen = 22.5 - 2.5 * np.log10(model @ weights)
        dust = row["ebv_galactic"] * np.array([3.7, 2.7])
        np.testing.assert_allclose(seen - dust, [row["mag_g"], row["mag_r"]], atol=0.02)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such folder of catalogues"),
        ({}, "holds no catalogue of stars, expected bhb_segue_barbosa2022"),
        ({"bhb_segue_barbosa2022.csv": "teff_adop,logg_adop\n8000,3.2\n"}, "lacks logg_annrr, logg_spec, rv_adop"),
        (
            {
                "bhb_segue_barbosa2022.csv": "teff_adop,logg_adop,logg_annrr,logg_spec,rv_adop\n"
                "8000,3.2,3.2,3.2,10\n8500,3.4,3.3,3.4,9\n",
                "lamost_dr10_AFG_params.csv": "subclass,teff,logg,feh,z\nG2,5500,4.1,0.0,0\n",
            },
            r"lamost_dr10_AFG_params.csv holds no star of 7000 to 10500 K",
        ),
    ],
)
def test_unusable_catalogues(tmp_path, content, message):
    folder = tmp_path / "catalogues"
    if content is not None:
        folder.mkdir()
        for name, text in content.items():
            (folder / name).write_text(text)
    with pytest.raises(FileError, match=message):
        simulate_stars(tmp_path / "survey", count=1, catalogues=folder)


def test_arguments_are_checked(tmp_path):
    with pytest.raises(UsageError, match="there is: galaxies, stars, point_sources, wise, variables"):
        simulate("unicorns", tmp_path / "survey")
    with pytest.raises(UsageError, match="size must be even and at least 32 pixels, found 31"):
        simulate_stars(tmp_path / "survey", observing=Observing(size=31))
    with pytest.raises(UsageError, match=r"faint_limit of stars must be 14.5 or more, found 14.2: brighter ones"):
        simulate_stars(tmp_path / "survey", observing=Observing(faint_limit=14.2))
