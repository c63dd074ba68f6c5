"""Mock quasars: redshifts and numbers, continuum and lines of the composite, colours, intergalactic absorption."""

import numpy as np
import pandas as pd
import pytest

from astroclip_kit.mock.atmospheres import REST_WAVELENGTH
from astroclip_kit.mock.intergalactic import LYMAN_ALPHA, LYMAN_LIMIT, mean_depth, transmission
from astroclip_kit.mock.point_templates import read_composite
from astroclip_kit.mock.quasar_population import draw_quasars, luminosity_function
from astroclip_kit.mock.quasars import LINES, WAVELENGTH, rest_spectra
from astroclip_kit.mock.redshifted_quasars import quasar_spectra
from astroclip_kit.mock.star_spectra import star_fluxes


@pytest.fixture(scope="module")
def quasars():
    return draw_quasars(300, np.random.default_rng(0), 14.0, 20.2)


@pytest.fixture(scope="module")
def median(quasars):
    return np.median(rest_spectra(quasars), axis=0)


def test_luminosity_function_is_the_published_one():
    z, break_magnitude = np.array([1.0, 2.2, 3.2]), np.array([-25.33, -26.57, -27.379])
    density = luminosity_function(z, break_magnitude)  # half of the characteristic density, by definition
    np.testing.assert_allclose(np.log10(density), np.array([-5.96, -5.93, -6.619]) - np.log10(2), atol=1e-3)
    faint, bright = luminosity_function(np.array([1.5, 1.5]), np.array([-24.0, -28.0]))
    assert 50 < faint / bright < 150


def test_redshifts_reach_five_and_are_those_of_a_flux_limited_sample(quasars):
    many = draw_quasars(20000, np.random.default_rng(1), 14.0, 20.2)
    assert 0.1 <= many["z"].min() and 4.5 < many["z"].max() <= 5.0
    assert np.median(many["z"]) == pytest.approx(1.5, abs=0.15)  # SDSS DR7: 1.49, Schneider et al. (2010)
    assert np.mean(many["z"] > 3) == pytest.approx(0.06, abs=0.03)
    assert many["mag_i"].max() <= 20.2 and np.mean(many["mag_i"] > 19.2) > 0.6


def test_mean_spectrum_is_the_composite(median, shared_data):
    wavelength, flux = read_composite(str(shared_data / "templates"))
    edges = np.arange(1300, 7600, 150.0)
    own = [np.median(median[(WAVELENGTH > low) & (WAVELENGTH < low + 150)]) for low in edges]
    real = [np.median(flux[(wavelength > low) & (wavelength < low + 150)]) for low in edges]
    ratio = np.array(own) / real
    assert np.abs(np.log(ratio / np.median(ratio))).max() < 0.14


@pytest.mark.parametrize("name", ["LY_ALPHA", "C_IV", "C_III", "MG_II", "H_BETA", "H_ALPHA", "O_III_5007"])
def test_lines_are_where_they_are_known_to_be_and_as_strong(median, name):
    centre, width, sigma, _ = LINES[name]
    near = np.abs(WAVELENGTH - centre) < 2 * sigma
    assert WAVELENGTH[near][median[near].argmax()] == pytest.approx(centre, abs=0.25 * sigma)
    assert width == pytest.approx(
        {"C_IV": 23.8, "MG_II": 32.3, "H_BETA": 46.2, "H_ALPHA": 194.5}.get(name, width), rel=0.15
    )


def test_luminous_quasars_have_weaker_high_ionisation_lines(quasars):
    bright, faint = ({**quasars, "mag_absolute": np.full(300, value)} for value in (-28.0, -24.0))
    at = {name: np.searchsorted(WAVELENGTH, LINES[name][0]) for name in ("C_IV", "H_BETA")}
    ratio = np.median(rest_spectra(faint) / rest_spectra(bright), axis=0)
    assert ratio[at["C_IV"]] > 1.2 and ratio[at["H_BETA"]] == pytest.approx(1, abs=0.02)


def test_a_redshift_moves_the_lines(quasars):
    some = {name: values[:6] for name, values in quasars.items()} | {"z": np.array([0.3, 0.7, 1.2, 2.0, 3.0, 4.5])}
    for spectrum, z, name in zip(
        quasar_spectra(some), some["z"], ["H_BETA", "MG_II", "MG_II", "C_IV", "C_IV", "LY_ALPHA"], strict=True
    ):
        centre, _, sigma, _ = LINES[name]
        rest = REST_WAVELENGTH / (1 + z)
        near = np.abs(rest - centre) < 2 * sigma
        assert rest[near][spectrum[near].argmax()] == pytest.approx(centre, abs=0.6 * sigma)


def test_colours_follow_redshift_as_those_of_real_quasars(shared_data):
    table = pd.read_csv(shared_data / "catalogues" / "skyserver_dr14_10k.csv")
    table = table[table["class"] == "QSO"]
    mock = draw_quasars(800, np.random.default_rng(2), 16.0, 19.5)
    rng = np.random.default_rng(3)
    magnitude = -2.5 * np.log10(star_fluxes(quasar_spectra(mock) * transmission(mock["z"], rng)))
    for low in (0.7, 1.0, 1.3, 1.6, 1.9):
        own = np.median(-np.diff(magnitude[(mock["z"] > low) & (mock["z"] < low + 0.3)], axis=1), axis=0)
        real = table[(table.redshift > low) & (table.redshift < low + 0.3)]
        real = [np.median(real[a] - real[b]) for a, b in ("ug", "gr", "ri", "iz")]
        np.testing.assert_allclose(own, real, atol=0.15)


def test_nothing_is_absorbed_redward_of_lyman_alpha_and_the_mean_is_that_of_madau():
    z = np.full(300, 3.5)
    through = transmission(z, np.random.default_rng(4))
    assert np.all(through[:, REST_WAVELENGTH > LYMAN_ALPHA * 4.5] == 1)
    forest = (REST_WAVELENGTH > 1040 * 4.5) & (REST_WAVELENGTH < 1180 * 4.5)
    expected = np.exp(-mean_depth(0))[forest].mean()
    assert through[:, forest].mean() == pytest.approx(expected, abs=0.015)
    assert through[:, forest].std() > 0.25  # a forest, and no veil
    edge = (REST_WAVELENGTH > 1200 * 4.5) & (REST_WAVELENGTH < 1232 * 4.5)
    steps = -np.diff(through[:, edge].mean(axis=0)) < -0.2
    assert REST_WAVELENGTH[edge][:-1][steps][0] == pytest.approx(LYMAN_ALPHA * 4.5, rel=3e-4)


def test_few_lines_of_sight_let_light_beyond_the_lyman_limit_through():
    beyond = REST_WAVELENGTH < LYMAN_LIMIT * 4.6 * 0.9
    through = transmission(np.full(300, 4.0), np.random.default_rng(5))[:, beyond].mean(axis=1)
    assert np.median(through) < 0.1 and through.max() > 0.15
    assert np.all(transmission(np.full(3, 1.2), np.random.default_rng(6))[:, REST_WAVELENGTH > 2700] == 1)
