"""Galaxy spectra: what a latent changes, and what the spectrograph adds."""

import numpy as np
import pytest

from astroclip_kit.mock.instruments import OBSERVED_WAVELENGTH, band_fluxes, sky_spectrum
from astroclip_kit.mock.population import draw_galaxies, luminosity_distance_mpc
from astroclip_kit.mock.spectra import galaxy_spectra, redden
from astroclip_kit.mock.spectrograph import BRIGHTSKY, NODATA, observe_spectra, resample


@pytest.fixture(scope="module")
def galaxies():
    return draw_galaxies(200, np.random.default_rng(0), 19.9)


def total(galaxies):
    bulge, disc = galaxy_spectra(galaxies)
    return bulge + disc


def colour(spectra):
    flux = band_fluxes(spectra)
    return -2.5 * np.log10(flux[:, 0] / flux[:, 1])


def test_flat_spectrum_has_its_ab_magnitude():
    flat = (3.6308e-20 * 1e-9 * 2.99792458e18 / OBSERVED_WAVELENGTH**2 * 1e17)[None].astype(np.float32)
    np.testing.assert_allclose(band_fluxes(flat), 1, rtol=1e-4)


def test_distance_of_a_flat_universe():
    assert luminosity_distance_mpc(np.array([0.1]))[0] == pytest.approx(460.3, rel=1e-3)  # Ned Wright's calculator


def test_dust_reddens_and_dims(galaxies):
    dusty = galaxies | {"ebv": galaxies["ebv"] + 0.3}
    assert np.all(colour(total(dusty)) > colour(total(galaxies)))
    assert np.all(band_fluxes(total(dusty)) < band_fluxes(total(galaxies)))


def test_our_galaxy_reddens(galaxies):
    spectra = total(galaxies)
    behind = redden(spectra, np.full(200, 0.1))
    loss = -2.5 * np.log10(band_fluxes(behind) / band_fluxes(spectra))
    np.testing.assert_allclose(np.median(loss, axis=0), [0.36, 0.26, 0.15], atol=0.03)  # g, r, z


def test_balmer_decrement_grows_with_dust(galaxies):
    one = {name: values[:1] for name, values in galaxies.items()} | {"z": np.array([0.1]), "sfr": np.array([1.5])}
    ratios = []
    for ebv in (0.0, 0.2):
        spectra = [total(one | {"ebv": np.array([ebv]), "sfr": np.array([sfr])})[0] for sfr in (1.5, -9.0)]
        line = (spectra[0] - spectra[1]) * np.gradient(OBSERVED_WAVELENGTH)
        near = [np.abs(OBSERVED_WAVELENGTH / 1.1 - centre) < 12 for centre in (6564.61, 4862.68)]
        ratios.append(line[near[0]].sum() / line[near[1]].sum())
    assert ratios[0] == pytest.approx(2.86, rel=0.05)
    assert ratios[1] / ratios[0] == pytest.approx(10 ** (0.4 * 0.2 / 0.44 * 1.27), rel=0.05)


def test_halpha_follows_star_formation_and_redshift(galaxies):
    z = 0.15
    one = {name: values[:1] for name, values in galaxies.items()} | {"z": np.array([z]), "nuclear_halpha": np.zeros(1)}
    spectra = [total(one | {"sfr": np.array([sfr])})[0] for sfr in (-9.0, 0.0, 1.0)]
    near = np.abs(OBSERVED_WAVELENGTH - 6564.6 * (1 + z)) < 6
    line = [float((spectrum - spectra[0])[near].sum()) for spectrum in spectra[1:]]
    assert line[1] == pytest.approx(10 * line[0], rel=1e-2)
    assert near[np.argmax(spectra[2] - spectra[0])] or line[0] > 0


def test_bulges_are_redder_than_discs(galaxies):
    forming = galaxies["quiescent"] == 0
    bulge, disc = galaxy_spectra(galaxies)
    assert np.median(colour(bulge[forming]) - colour(disc[forming])) > 0.1


def test_noise_is_what_the_inverse_variance_says(galaxies):
    model = total(galaxies)
    flux, ivar, mask = observe_spectra(model, "sdss", np.random.default_rng(1))
    assert flux.dtype == ivar.dtype == np.float32 and mask.dtype == np.int32
    assert np.all((ivar == 0) == (mask & NODATA > 0)) and np.isfinite(flux).all()
    quiet = (sky_spectrum("sdss") < 3) & (ivar > 0)
    pull = ((flux - model) * np.sqrt(ivar))[quiet]
    assert pull.std() == pytest.approx(1, abs=0.02)
    assert np.all(mask[:, sky_spectrum("sdss") > 25] & BRIGHTSKY)


def test_desi_grid_keeps_the_flux(galaxies):
    model = total(galaxies)
    linear = resample(model, "desi")
    assert linear.shape == (200, 7781)
    inside = (OBSERVED_WAVELENGTH > 5000) & (OBSERVED_WAVELENGTH < 9000)
    wavelength = 3600 + 0.8 * np.arange(7781)
    integral = (model * np.gradient(OBSERVED_WAVELENGTH))[:, inside].sum(axis=1)
    np.testing.assert_allclose(
        0.8 * linear[:, (wavelength > 5000) & (wavelength < 9000)].sum(axis=1), integral, rtol=2e-3
    )
