import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from astroclip_kit.errors import UsageError
from astroclip_kit.mock import simulate_wise
from astroclip_kit.mock.camera import draw_exposures, observe_images
from astroclip_kit.mock.confusion import DENSITY, draw_neighbours
from astroclip_kit.mock.mid_infrared import AB_OFFSETS, WISE, galaxy_light, quasar_light, star_light
from astroclip_kit.mock.population import draw_galaxies
from astroclip_kit.mock.wise_artifacts import WISE_ARTIFACTS
from astroclip_kit.mock.wise_images import MARGIN, measured, transfers
from astroclip_kit.settings import Observing
from astroclip_kit.surveys import LegacySurveyCutouts, SDSSSpectra, TableReader

SMALL = Observing(size=38, artifacts=0.2)


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    return simulate_wise(tmp_path_factory.mktemp("wise") / "mock", 60, observing=SMALL, workers=1, quiet=True)


@pytest.fixture(scope="module")
def catalogue(survey):
    return Table.read(survey / "catalogue.fits")


def colours(light):
    return light[:, 0] - light[:, 1], light[:, 1] - light[:, 2]


def test_files_are_those_of_real_surveys(survey):
    images = LegacySurveyCutouts(survey / "cutouts", bands=WISE.bands, ivar=True)
    assert images.modality.shape == (8, 38, 38) and images.modality.pixel_scale_arcsec == 1.375
    spectra = SDSSSpectra(survey / "spectra", grid="sdss 4000-9000")
    [seen], [taken] = images.read(images.files()[0]), spectra.read(spectra.files()[0])
    assert (seen.views["image"][4:] > 0).any() and taken.views["spectrum"].shape == (2, 3522)
    table = TableReader(survey / "colours.csv", columns=["w1_w2", "w2_w3"], id_column="object_id")
    assert len(list(table.read(table.files()[0]))) == len(images.files()) == len(spectra.files()) == 60


def test_every_object_has_a_class_and_the_same_id_everywhere(survey, catalogue):
    labels, columns = pd.read_csv(survey / "labels.csv"), pd.read_csv(survey / "colours.csv")
    assert list(labels["object_id"]) == list(columns["object_id"]) == list(catalogue["object_id"])
    assert list(labels["class"]) == list(catalogue["class"]) and set(labels["class"]) == {"galaxy", "qso", "star"}
    assert labels["class"].value_counts(normalize=True).between(0.15, 0.55).all()


def test_a_band_that_is_not_detected_has_an_upper_limit_and_no_colour(survey, catalogue):
    columns = pd.read_csv(survey / "colours.csv")
    faint = np.array(catalogue["w3snr"] < 2)
    error = np.ma.filled(catalogue["w3sigmpro"], np.nan)
    assert 0.2 < faint.mean() < 0.8
    assert np.isnan(error[faint]).all() and np.isfinite(error[~faint]).all()
    assert columns["w2_w3"].isna().to_numpy()[faint].all() and np.isfinite(catalogue["w3mpro"]).all()
    seen = np.isfinite(columns["w2_w3"])
    np.testing.assert_allclose(columns["w2_w3"][seen], (catalogue["w2mpro"] - catalogue["w3mpro"])[seen], atol=1e-5)


@pytest.mark.slow
def test_same_seed_same_bytes_for_any_number_of_workers_and_the_first_of_more(survey, tmp_path):
    other = simulate_wise(tmp_path / "mock", 110, observing=SMALL, workers=2, quiet=True)
    for path in [*sorted(survey.glob("cutouts/*"))[:5], *sorted(survey.glob("spectra/*"))[:5]]:
        assert path.read_bytes() == (other / path.relative_to(survey)).read_bytes()


def test_stars_have_the_colours_of_the_rayleigh_jeans_tail_but_for_the_coolest_and_the_dusty():
    rng, r = np.random.default_rng(0), np.full(2000, 16.0)
    for teff, dust, centre in ((8000, 0, (-0.02, 0.02)), (5500, 0, (-0.05, 0.03)), (3000, 0, (0.21, 0.28))):
        found = colours(star_light(np.full(2000, float(teff)), np.full(2000, float(dust)), r, rng))
        assert [np.median(colour) for colour in found] == pytest.approx(centre, abs=0.03)
    dusty = colours(star_light(np.full(2000, 3000.0), np.full(2000, 0.7), r, rng))
    assert np.median(dusty[0]) > 0.8 and 1 < np.median(dusty[1]) < 2.5


def test_most_quasars_are_redder_than_stern_et_al_ask_for_until_z_of_3_and_hosts_hide_some():
    rng, r, ones = np.random.default_rng(0), np.full(3000, 18.5), np.ones(3000)
    near = colours(quasar_light(1.5 * ones, 0 * ones, r, rng))
    assert np.mean(near[0] > 0.8) > 0.95 and 2 < np.median(near[1]) < 4
    assert np.mean(colours(quasar_light(3.5 * ones, 0 * ones, r, rng))[0] > 0.8) < 0.2
    assert np.median(colours(quasar_light(0.3 * ones, 0.7 * ones, r, rng))[0]) < 0.75


def test_galaxies_lie_in_the_regions_of_wright_et_al_by_their_star_formation():
    rng = np.random.default_rng(0)
    galaxies = draw_galaxies(3000, rng, 17.77)
    first, second = colours(galaxy_light(galaxies, rng))
    early, rate = galaxies["quiescent"] > 0, galaxies["sfr"] - galaxies["logmstar"]
    assert 0.4 < np.median(second[early]) < 2 < np.median(second[~early]) < 4.5
    assert np.median(second[rate > -9.5]) > 3.3
    assert np.median(first[early]) < 0.2 and np.mean(first > 0.8) < 0.03
    far, near = early & (galaxies["z"] > 0.2), early & (galaxies["z"] < 0.05)
    assert np.median(first[far]) > np.median(first[near]) + 0.05


def observed(magnitude, count=60, shape=(0.0, 1.0, 0.0), seed=0):
    """Photometry of isolated objects of a magnitude (Vega), or one per band."""
    rng = np.random.default_rng(seed)
    size = 38 + 2 * MARGIN
    wave = transfers(np.tile(shape, (count, 1)), size, rng)
    flux = (10 ** (-0.4 * (np.broadcast_to(magnitude, 4) + AB_OFFSETS - 22.5))).astype(np.float32)
    scene = np.fft.irfft2(wave[:, 0], (size, size))[:, None] * flux[:, None, None]
    exposure = draw_exposures(count, rng, WISE)
    clean = np.full(count, "none")
    image, ivar = observe_images(scene, exposure, clean, rng, WISE.pixel_scale_arcsec, WISE_ARTIFACTS, MARGIN)
    return measured(image, ivar, np.zeros_like(scene), wave[:, 1], exposure), image


def test_photometry_is_right_within_its_errors():
    rows, _ = observed(12.0)
    for band, floor in (("w1", 0.03), ("w2", 0.03)):
        assert np.median(rows[f"{band}mpro"]) == pytest.approx(12.0, abs=0.03)
        assert np.median(rows[f"{band}sigmpro"]) == pytest.approx(0.022, abs=floor)
    rows, _ = observed(15.0, 150)
    pull = (rows["w2mpro"] - 15.0) / rows["w2sigmpro"]
    assert np.std(pull) == pytest.approx(1.0, abs=0.15) and abs(np.median(pull)) < 0.4


def test_the_depth_is_that_of_allwise():
    rows, _ = observed((17.1, 15.7, 11.5, 7.7), 150)
    assert [np.median(rows[f"{band}snr"]) for band in WISE.bands] == pytest.approx([5.0] * 4, abs=1.0)


def test_galaxies_are_resolved_slightly_and_points_not():
    def width(shape):
        image = observed(10.0, 12, shape)[1][:, 0].mean(axis=0)
        offset = np.arange(38) - 18.5
        inner = np.hypot(offset[:, None], offset) < 8
        return np.sqrt((image * inner * offset**2).sum() / (image * inner).sum()) * WISE.pixel_scale_arcsec

    assert width((0.0, 1.0, 0.0)) < width((2.5, 0.7, 1.0)) < 1.5 * width((0.0, 1.0, 0.0))


def test_neighbours_are_as_many_as_on_the_sky_and_their_light_is_kept():
    size, known = 40, 16.0
    found, unseen = draw_neighbours(300, size, np.random.default_rng(0), known)
    area = 300 * (size * WISE.pixel_scale_arcsec / 3600) ** 2
    bright = (found[:, 0] > 0).sum() / 4  # each is spread over four pixels
    assert bright == pytest.approx(DENSITY * 10 ** (0.3 * (known - 17)) * area, rel=0.15)
    assert found.shape == unseen.shape == (300, 4, size, size)
    brightest = 10 ** (-0.4 * (known + AB_OFFSETS[0] - 22.5))
    assert 0 < unseen[:, 0].max() < 2.5 * brightest


@pytest.mark.parametrize("kind", WISE_ARTIFACTS)
def test_artifacts_are_seen_and_only_bright_stars_saturate(kind):
    rng = np.random.default_rng(0)
    fwhm, sigma = np.array(WISE.seeing_arcsec) / WISE.pixel_scale_arcsec, np.full(4, 2.0)
    drawn = [WISE_ARTIFACTS[kind](38, fwhm, sigma, rng) for _ in range(40)]
    assert all(light.shape == lost.shape == (4, 38, 38) and np.isfinite(light).all() for light, lost in drawn)
    assert np.mean([(light.max(axis=(1, 2)) > 2 * sigma).any() for light, _ in drawn]) > 0.7
    assert any(lost.any() for _, lost in drawn) == (kind == "bright_star")


def test_artifacts_are_labelled_and_as_many_as_asked_for(catalogue):
    assert set(catalogue["artifact"]) <= {*WISE_ARTIFACTS, "none"}
    assert 0.05 < np.mean(catalogue["artifact"] != "none") < 0.4


def test_what_cannot_be_simulated(tmp_path):
    with pytest.raises(UsageError, match="faint_limit of WISE objects must be 16 or more in r, found 15"):
        simulate_wise(tmp_path / "mock", 2, observing=Observing(faint_limit=15.0))
