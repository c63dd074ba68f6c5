"""Model atmospheres and lines: what separates giants from dwarfs behaves as theory and observed stars say."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from astroclip_kit.mock.atmospheres import DEPTH, atmosphere, emergent_flux, grid_weights
from astroclip_kit.mock.hydrogen import _profile, gas, vacuum_line
from astroclip_kit.mock.instruments import SDSS, band_weights
from astroclip_kit.mock.metal_lines import equivalent_widths, lines
from astroclip_kit.mock.star_population import BHB_FILE

WAVELENGTH = np.power(10, 3.466 + 3e-4 * np.arange(1960))


def width(teff, logg, depth=0.2):
    """Width of H delta in Angstrom at 20 % below the continuum, as Sirko et al. (2004) separate the two."""
    wavelength = np.arange(4045.0, 4225.0, 0.5)
    flux = emergent_flux(teff, logg, wavelength)
    continuum = np.interp(wavelength, wavelength[[0, -1]], flux[[0, -1]])
    return 0.5 * np.count_nonzero(flux / continuum < 1 - depth)


def jump(teff, logg):
    """Balmer jump in magnitudes: the flux beyond the last line over that at 3600 A, free of the slope."""
    flux = emergent_flux(teff, logg, np.array([3400.0, 3600.0, 4150.0, 4200.0, 4500.0, 4600.0]))
    return -2.5 * np.log10(flux[1] / flux[3])


def colours(teff, logg):
    fluxes = emergent_flux(teff, logg, WAVELENGTH).astype(np.float32) @ band_weights(WAVELENGTH, SDSS)
    return -2.5 * np.log10(fluxes[:-1] / fluxes[1:])


def test_hydrogen_is_ionised_by_heat_and_less_where_it_is_dense():
    temperature = np.array([5000.0, 7500.0, 9500.0, 9500.0, 15000.0])
    layers = gas(temperature, np.array([1e4, 1e4, 1e3, 1e5, 1e3]))
    ionised = layers.protons / (layers.protons + layers.neutral)
    assert np.all(np.diff(ionised[[0, 1, 2, 4]]) > 0) and ionised[3] < ionised[2]
    assert ionised[0] < 1e-3 and ionised[4] > 0.99
    saha = layers.protons * layers.electrons / layers.neutral
    np.testing.assert_allclose(saha, 2.4146e15 * temperature**1.5 * np.exp(-157803 / temperature), rtol=2e-3)


def test_lines_are_where_the_balmer_series_is_and_profiles_hold_all_of_their_strength():
    assert [round(vacuum_line(2, n), 1) for n in (3, 4, 5)] == pytest.approx([6564.7, 4862.7, 4341.7], abs=0.2)
    offset = np.linspace(-3000, 3000, 2_000_001)
    shape = _profile(np.abs(offset), np.array([[0.5]]), np.array([[1e-3]]))[0]
    assert np.trapezoid(shape, offset) == pytest.approx(1, abs=0.03)
    far = np.searchsorted(offset, [100.0, 200.0])
    assert shape[far[0]] / shape[far[1]] == pytest.approx(2**2.5, rel=0.01)


def test_an_atmosphere_is_in_hydrostatic_equilibrium():
    layers, opacity = atmosphere(9000.0, 4.0)
    pressure = 1.380649e-16 * layers.temperature * (layers.electrons + 1.1 * (layers.neutral + layers.protons))
    inner = slice(10, -1)
    gradient = np.gradient(pressure, DEPTH)[inner]
    np.testing.assert_allclose(gradient, 1e4 / opacity[inner], rtol=0.3)
    assert np.all(np.diff(layers.temperature) > 0)


def test_wings_of_the_balmer_lines_grow_with_gravity():
    giant, dwarf = width(8500.0, 3.3), width(8500.0, 4.2)
    assert 20 < giant < 26.5 < dwarf < 35  # Xue et al. (2008), figure 2: they divide at 28 A
    assert width(9500.0, 4.0) > width(12000.0, 4.0)


def test_the_balmer_jump_is_highest_near_9000_k_and_higher_in_giants():
    temperatures = np.array([6500.0, 7500.0, 8500.0, 9500.0, 11000.0])
    giants = np.array([jump(teff, 3.3) for teff in temperatures])
    assert 7500 <= temperatures[giants.argmax()] <= 9500
    assert all(jump(teff, 3.3) > jump(teff, 4.3) + 0.03 for teff in (7500.0, 8250.0, 9000.0))
    assert giants.max() - giants[-1] > 0.4


def test_colours_are_those_of_real_horizontal_branch_stars(shared_data):
    from astropy.table import Table

    table = Table.read(next((shared_data / "catalogues").glob(BHB_FILE)))
    table = table[table["probability"] > 90]
    for low in (7500, 7800, 8100, 8400):
        some = table[(table["teff_adop"] > low) & (table["teff_adop"] < low + 300)]
        teff, logg = np.median(some["teff_adop"]), np.median(some["logg_adop"])
        ultraviolet, blue = colours(teff, logg)[:2]
        assert ultraviolet == pytest.approx(np.median(some["ug"]), abs=0.1)
        assert blue == pytest.approx(np.median(some["gr"]), abs=0.08)


def test_metal_lines_follow_abundance_temperature_and_gravity():
    teff, logg = np.array([7500.0, 8250, 9000, 9750, 8250]), np.array([4.0, 4, 4, 4, 3.2])
    weights = grid_weights(teff, logg)
    solar, poor = (equivalent_widths(weights, np.full(5, feh), np.zeros(5)) for feh in (0.0, -1.7))
    calcium, magnesium = (int(np.argmin(np.abs(lines().wavelength - line))) for line in (3934.78, 4482.4))
    assert np.all(poor <= solar) and np.all(poor >= 0) and np.mean(poor < solar) > 0.99
    assert np.all(np.diff(solar[:4, calcium]) < 0) and 3 < solar[1, calcium] < 7 and 0.5 < poor[1, calcium] < 2
    assert spearmanr(solar[:4, magnesium], teff[:4])[0] > 0  # needs heat: excited by 8.9 eV
    enhanced = equivalent_widths(weights, np.full(5, -1.7), np.full(5, 0.3))
    iron = lines().element == "Fe"
    np.testing.assert_array_equal(enhanced[:, iron], poor[:, iron])
    assert np.all(enhanced[:, calcium] > poor[:, calcium])


def test_curve_of_growth_is_linear_then_flat_then_a_square_root():
    weights = grid_weights(np.array([8250.0]), np.array([4.0]))
    calcium = int(np.argmin(np.abs(lines().wavelength - 3934.78)))

    def growth(feh):
        low, high = (equivalent_widths(weights, np.array([value]), np.zeros(1))[0, calcium] for value in (feh, feh + 1))
        return high / low

    assert growth(-8.0) == pytest.approx(10, rel=0.1) and growth(-4.5) < 2.5
    assert growth(0.5) == pytest.approx(np.sqrt(10), rel=0.15)
