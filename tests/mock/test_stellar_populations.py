"""Stellar populations: colours, breaks and lines of the ages that they stand for."""

import numpy as np

from astroclip_kit.mock.stellar_populations import AGE_GYR, REST_WAVELENGTH, population_spectra


def mean(spectra, low, high):
    return spectra[..., (REST_WAVELENGTH > low) & (REST_WAVELENGTH < high)].mean(axis=-1)


def break_4000(spectra):
    """D_n(4000) of Balogh et al. (1999), in flux per frequency."""
    per_hertz = spectra * REST_WAVELENGTH**2
    return mean(per_hertz, 4000, 4100) / mean(per_hertz, 3850, 3950)


def test_4000_angstrom_break_grows_with_age_and_metallicity():
    depth = break_4000(population_spectra()[0])
    assert np.all(np.diff(depth[:, 1:], axis=1) > 0)
    assert np.all(np.diff(depth[:, -1]) > 0)
    assert 1.0 < depth[1, 1] < 1.2 and 1.6 < depth[1, -1] < 2.2


def test_balmer_absorption_peaks_at_intermediate_age():
    spectra = population_spectra()[0, 1]
    depth = 1 - mean(spectra, 4095, 4110) / (0.5 * (mean(spectra, 4045, 4075) + mean(spectra, 4130, 4160)))
    assert 0.1 < AGE_GYR[depth.argmax()] < 1.0


def test_light_per_mass_fades_with_age():
    assert np.all(np.diff(mean(population_spectra()[0, 1], 5400, 5600)[1:]) < 0)


def test_velocity_dispersion_keeps_light_and_smooths_lines():
    spectra = population_spectra()[:, 2, -1]
    np.testing.assert_allclose(mean(spectra, 4500, 6500), mean(spectra[0], 4500, 6500), rtol=1e-3)
    calcium = mean(spectra, 3932, 3937)
    assert calcium[0] < calcium[1] < calcium[2]
