"""Nebular lines: ratios follow abundance, ionisation, dust and nucleus; the BPT classes are the published ones."""

import numpy as np
import pytest

from astroclip_kit.mock.dust import calzetti, milky_way
from astroclip_kit.mock.emission_lines import (
    LINES,
    line_class,
    line_ratios,
    line_spectra,
    nuclear_lines,
    star_forming_lines,
)
from astroclip_kit.mock.population import draw_galaxies
from astroclip_kit.mock.stellar_populations import REST_WAVELENGTH


@pytest.fixture(scope="module")
def galaxies():
    return draw_galaxies(400, np.random.default_rng(0), 19.9)


def named(luminosity):
    return dict(zip(LINES, luminosity.T, strict=True))


def test_calzetti_at_its_published_values():
    assert calzetti(np.array([5500.0]))[0] == pytest.approx(4.05, abs=0.02)
    assert calzetti(np.array([6300.0]))[0] == pytest.approx(3.49, abs=0.1)


def test_milky_way_at_its_published_values():
    ratio = milky_way(1e4 / np.array([2.78, 2.27, 1.82, 1.43, 1.11])) / 3.1
    np.testing.assert_allclose(ratio, [1.569, 1 + 1 / 3.1, 1.0, 0.751, 0.479], atol=0.01)  # U, B, V, R, I


def test_balmer_series_is_case_b_and_doublets_have_their_atomic_ratios(galaxies):
    for lines in (named(star_forming_lines(galaxies)), named(nuclear_lines(galaxies))):
        np.testing.assert_allclose(lines["H_ALPHA"] / lines["H_BETA"], 2.86)
        np.testing.assert_allclose(lines["OIII_5007"] / lines["OIII_4959"], 2.98)
        np.testing.assert_allclose(lines["NII_6584"] / lines["NII_6548"], 3.05)
        assert np.all((lines["SII_6717"] / lines["SII_6731"] > 1) & (lines["OII_3729"] / lines["OII_3727"] > 1))


def test_metal_lines_follow_the_abundance(galaxies):
    poor, rich = (galaxies | {"oxygen": np.full(400, value)} for value in (8.2, 8.5))
    (nitrogen, oxygen), (more_nitrogen, less_oxygen) = line_ratios(poor), line_ratios(rich)
    assert np.all(more_nitrogen > nitrogen) and np.all(less_oxygen < oxygen)
    assert np.all(named(star_forming_lines(rich))["OII_3729"] < named(star_forming_lines(poor))["OII_3729"])


def test_star_forming_gas_lies_below_the_line_of_kauffmann(galaxies):
    classes = line_class(*line_ratios(galaxies))
    assert np.mean(classes == "starforming") > 0.97
    assert np.std(line_ratios(galaxies)[0]) > 0.1


def test_classes_of_known_places():
    nitrogen, oxygen = np.array([-0.8, -0.2, 0.1, 0.6]), np.array([0.2, 0.1, 0.8, -0.5])
    assert line_class(nitrogen, oxygen).tolist() == ["starforming", "composite", "agn", "agn"]


def test_seyferts_are_agn(galaxies):
    lines = named(nuclear_lines(galaxies | {"seyfert": np.ones(400)}))
    nitrogen, oxygen = np.log10(lines["NII_6584"] / lines["H_ALPHA"]), np.log10(lines["OIII_5007"] / lines["H_BETA"])
    assert np.mean(line_class(nitrogen, oxygen) == "agn") > 0.95 and np.median(oxygen) > 0.7


def test_spectra_hold_the_flux_of_their_lines(galaxies):
    luminosity = star_forming_lines(galaxies)[:5]
    spectra = line_spectra(luminosity, np.array([85.0, 100.0, 140.0, 200.0, 260.0]))
    near = np.abs(REST_WAVELENGTH - LINES["H_BETA"]) < 40
    flux = (spectra * np.gradient(REST_WAVELENGTH))[:, near].sum(axis=1)
    np.testing.assert_allclose(flux, named(luminosity)["H_BETA"], rtol=1e-3)
    peak = spectra[:, near].max(axis=1) / flux
    assert np.all(np.diff(peak) < 0)  # the wider, the lower
