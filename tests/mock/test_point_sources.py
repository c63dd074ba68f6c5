"""The mock survey of stars and quasars as files: layout, determinism, truth, light in images and spectra, errors."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from survey_files import check_layout, check_same_bytes

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.mock import simulate_point_sources
from astroclip_kit.mock.instruments import OBSERVED_WAVELENGTH, SDSS, band_weights
from astroclip_kit.mock.point_sources import draw_point_sources, point_spectra
from astroclip_kit.mock.star_spectra import star_fluxes
from astroclip_kit.pipeline import ingest, simulate
from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.settings import Observing
from astroclip_kit.surveys import CleanImages, LegacySurveyCutouts
from astroclip_kit.transforms import ImageQuality
from astroclip_kit.types import Drop

CONFIGS = Path(__file__).parents[2] / "configs"
COUNT = 130
OBSERVING = Observing(faint_limit=20.2, size=32, artifacts=0.0)


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    out = tmp_path_factory.mktemp("points") / "survey"
    return simulate("point_sources", out, count=COUNT, seed=7, observing=OBSERVING, workers=1)


@pytest.fixture(scope="module")
def catalogue(survey):
    return Table.read(survey / "catalogue.fits")


def test_layout(survey, catalogue):
    labels = check_layout(survey, "point_sources", COUNT)
    assert list(labels["class"]) == list(catalogue["class"]) and set(labels["class"]) == {"star", "qso"}


def test_the_truth_of_a_class_is_missing_for_the_other(catalogue):
    star = np.asarray(catalogue["class"] == "star")
    assert np.array_equal(np.isfinite(np.ma.filled(catalogue["teff"], np.nan)), star)
    assert np.array_equal(np.isfinite(np.ma.filled(catalogue["slope"], np.nan)), ~star)
    assert np.all(catalogue["z"][star] == 0) and np.all(catalogue["z"][~star] >= 0.1)
    assert np.all(catalogue["type"][~star] == "QSO") and np.all(catalogue["type"][star] != "QSO")


def test_images_hold_the_light_of_the_spectra(survey, catalogue):
    weights = band_weights(OBSERVED_WAVELENGTH, SDSS)[:, 1:4]  # u and z reach beyond the spectra
    offset = np.arange(32) - 15.5
    within = np.hypot(offset[:, None], offset) < 10
    shares = []
    for row in catalogue[np.argsort(catalogue["mag_i"])[:40]]:
        with fits.open(survey / row["cutout_file"].strip()) as hdus:
            image, ivar = hdus[0].data[1:4, within], hdus[1].data[1:4, within]
        expected = fits.getdata(survey / row["spectrum_file"].strip(), 1)["model"] @ weights
        dust = row["ebv_galactic"] * np.array([3.75, 2.7, 2.05])
        magnitudes = np.array([row[f"mag_{band}"] for band in "gri"])
        np.testing.assert_allclose(22.5 - 2.5 * np.log10(expected) - dust, magnitudes, atol=0.03)
        noise = np.sqrt((1 / ivar).sum(axis=1))
        assert np.all(image.sum(axis=1) > 0.85 * expected - 4 * noise)  # wings lie outside, neighbours inside
        shares.append(image.sum(axis=1) / expected)
    np.testing.assert_allclose(np.median(shares, axis=0), 0.96, atol=0.04)


def test_same_seed_same_bytes_for_any_number_of_workers_and_the_first_of_more(survey, tmp_path):
    simulate_some = partial(simulate_point_sources, observing=OBSERVING)
    check_same_bytes(simulate_some, survey, COUNT, 7, 5, tmp_path)


def test_it_is_ingested_with_all_five_bands_and_the_labels(survey, tmp_path):
    images = LegacySurveyCutouts(survey / "cutouts", bands="ugriz", ivar=True)
    data = ingest(
        tmp_path / "data", images=images, spectra=survey / "spectra", catalogue=survey / "labels.csv", labels="class"
    )
    assert len(data) == COUNT and data.modalities["image"].shape == (10, 32, 32)
    assert set(data.labels["class"]) == {"star", "qso"}


def test_classes_are_as_many_and_as_bright_and_the_limits_hold():
    objects = draw_point_sources(20000, np.random.default_rng(0), OBSERVING)
    quasar = objects["class"] == "qso"
    assert quasar.mean() == pytest.approx(0.5, abs=0.01)
    assert 14 <= objects["mag_i"].min() and objects["mag_i"].max() <= 20.2
    assert np.median(objects["mag_i"][quasar]) == pytest.approx(np.median(objects["mag_i"][~quasar]), abs=0.03)
    assert {"DA", "DB", "sdB", "sdO", "O9", "B2", "A0", "F5", "G2", "K5", "M2"} <= set(objects["type"])


@pytest.mark.parametrize("templates", [False, True])
def test_every_spectrum_is_positive_and_of_its_magnitude(shared_data, templates):
    folder = str(shared_data / "templates") if templates else ""
    rng = np.random.default_rng(1)
    objects = draw_point_sources(60, rng, OBSERVING)
    light = point_spectra(objects, rng, folder)
    assert np.isfinite(light).all() and light.min() >= 0
    np.testing.assert_allclose(22.5 - 2.5 * np.log10(star_fluxes(light)[:, 3]), objects["mag_i"], atol=1e-3)


def test_arguments_are_checked(tmp_path):
    with pytest.raises(UsageError, match=r"faint_limit of point sources must be 14.5 or more, found 14.2: brighter"):
        simulate_point_sources(tmp_path / "survey", observing=Observing(faint_limit=14.2))
    with pytest.raises(FileError, match="no such folder of templates"):
        simulate_point_sources(tmp_path / "survey", templates=tmp_path / "absent")


def test_the_demand_on_light_of_the_configurations_keeps_the_faintest_and_refuses_empty_sky(survey):
    described = load_configuration(CONFIGS / "spectral_gan_cutouts.yaml").sections["ingest"]["sources"]["image"]
    demand = {name: described["init_args"][name] for name in ("core", "significance")}
    reader = CleanImages(LegacySurveyCutouts(survey / "cutouts", bands="ugriz", ivar=True), **demand)
    items = [item for path in reader.files() for item in reader.read(path)]
    assert demand["significance"] == 5 and len(items) == COUNT and not any(isinstance(one, Drop) for one in items)
    noise = np.random.default_rng(0).normal(size=(50, 10, 32, 32)).astype(np.float32)
    noise[:, 5:] = 1
    told = {ImageQuality(**demand).spoiled(view, reader.modality) for view in noise}
    assert told == {"no source in the middle: less than 5 sigma in every band."}
