"""The mock beside real tables: the same selection, and by how much the two may differ.

Real galaxies are those of SDSS DR14 in ``skyserver_dr14_10k.csv`` (r < 17.77, and u < 19.6 as the table was cut) and
those in the field of Coma in ``coma_sdss_spectro_1068.fits``. In every bin of redshift the median colours agree within
0.15 mag and their 16 to 84 % widths within a factor of 1.5; magnitude, redshift and velocity dispersion agree as each
test says. The tables hold neither sizes nor lines: sizes are compared with the relations of Shen et al. (2003), lines
with the borders of Kauffmann et al. (2003) and Kewley et al. (2001).
"""

from itertools import pairwise

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from astroclip_kit.mock.camera import draw_exposures
from astroclip_kit.mock.catalogue import truth
from astroclip_kit.mock.dust import milky_way
from astroclip_kit.mock.population import draw_galaxies, luminosity_distance_mpc
from astroclip_kit.mock.spectra import redshifted, rest_spectra

BANDS = {"u": (3550, 560), "g": (4710, 1390), "r": (6170, 1370), "i": (7490, 1540), "z": (8950, 1130)}  # SDSS, A
WAVELENGTH = np.power(10, 3.48 + 1e-4 * np.arange(5400))
REDSHIFTS = (0.02, 0.05, 0.08, 0.11, 0.15)
FAINT_R, FAINT_U = 17.77, 19.6


def magnitudes(galaxies):
    """SDSS ugriz [B, 5] (AB) through box filters, behind the dust of our Galaxy as in the real table."""
    flux = sum(redshifted(part, galaxies["z"], WAVELENGTH) for part in rest_spectra(galaxies))
    flux = flux * np.exp(np.float32(-0.4 * np.log(10) * galaxies["ebv_galactic"][:, None] * milky_way(WAVELENGTH)))
    photons = np.float32(np.gradient(WAVELENGTH) * WAVELENGTH)
    flat = 3.6308e-20 * 2.99792458e18 / WAVELENGTH**2 * 1e17  # magnitude 0
    inside = np.stack([np.abs(WAVELENGTH - centre) < width / 2 for centre, width in BANDS.values()], axis=1)
    inside = inside.astype(np.float32)
    return -2.5 * np.log10((flux * photons) @ inside / ((flat * photons) @ inside))


@pytest.fixture(scope="module")
def mock():
    """Latents and SDSS magnitudes of galaxies that would be in the real table."""
    rng, tables = np.random.default_rng(8), []
    while sum(map(len, tables)) < 1500:
        galaxies = draw_galaxies(500, rng, FAINT_R)
        galaxies = {name: values[galaxies["z"] < 0.3] for name, values in galaxies.items()}
        found = Table(dict(zip(BANDS, magnitudes(galaxies).T, strict=True)))
        for name in galaxies:
            found["redshift" if name == "z" else name] = galaxies[name]
        tables.append(found[(found["r"] < FAINT_R) & (found["u"] < FAINT_U)])
    return Table({name: np.concatenate([table[name] for table in tables]) for name in tables[0].colnames})


@pytest.fixture(scope="module")
def sdss(shared_data):
    table = Table.read(shared_data / "catalogues" / "skyserver_dr14_10k.csv")
    table = table[(table["class"] == "GALAXY") & (table["redshift"] > 0.01) & (table["redshift"] < 0.3)]
    return table[(table["r"] < FAINT_R) & (table["u"] < FAINT_U)]


@pytest.mark.shared_data
@pytest.mark.parametrize("colour", ["ug", "gr", "ri", "iz"])
def test_colours_at_every_redshift(mock, sdss, colour):
    for low, high in pairwise(REDSHIFTS):
        bins = [
            np.percentile(
                (table[colour[0]] - table[colour[1]])[(table["redshift"] > low) & (table["redshift"] < high)], q
            )
            for table in (mock, sdss)
            for q in ([16, 50, 84],)
        ]
        assert abs(bins[0][1] - bins[1][1]) < 0.15, f"median {colour} at z = {low} to {high}"
        assert 1 / 1.5 < np.ptp(bins[0]) / np.ptp(bins[1]) < 1.5, f"width of {colour} at z = {low} to {high}"


@pytest.mark.shared_data
def test_magnitudes_and_redshifts(mock, sdss):
    """Medians of r within 0.2 mag and of redshift within 25 %, both widths within a factor of 1.3."""
    for name, tolerance in (("r", 0.2), ("redshift", 0.25 * np.median(sdss["redshift"]))):
        here, there = (np.percentile(table[name], [16, 50, 84]) for table in (mock, sdss))
        assert abs(here[1] - there[1]) < tolerance, name
        assert 1 / 1.3 < np.ptp(here) / np.ptp(there) < 1.3, name


@pytest.mark.shared_data
def test_red_and_blue_galaxies(mock, sdss):
    """The share of the red sequence, u - r > 2.22 (Strateva et al. 2001), within 0.15."""
    shares = [np.mean(table["u"] - table["r"] > 2.22) for table in (mock, sdss)]
    assert abs(shares[0] - shares[1]) < 0.15


@pytest.mark.shared_data
def test_velocity_dispersions(mock, shared_data):
    """Medians in the cluster, and of the galaxies behind it, within 25 %."""
    table = fits.getdata(shared_data / "catalogues" / "coma_sdss_spectro_1068.fits", 1)
    z, width, error = (table[name].ravel() for name in ("z", "velDisp", "velDispErr"))
    for low, high in ((0.015, 0.032), (0.04, 0.2)):
        real = width[(z > low) & (z < high) & (width > 0) & (width < 800) & (error > 0)]
        here = mock["vdisp"][(mock["redshift"] > low) & (mock["redshift"] < high)]
        assert len(real) > 200
        assert 0.75 < np.median(here) / np.median(real) < 1.25, f"z = {low} to {high}"


def test_sizes_follow_the_mass_as_published(mock):
    """Circularised half-light radii in kpc within 0.15 dex of Shen et al. (2003), equations 17 and 18."""
    galaxies = {name: np.asarray(mock[name]) for name in mock.colnames} | {"z": np.asarray(mock["redshift"])}
    rows = truth(galaxies, np.ones((len(mock), 3)), draw_exposures(len(mock), np.random.default_rng(0)))
    share = galaxies["bulge_to_total"]
    ratio = share * galaxies["bulge_axis_ratio"] + (1 - share) * galaxies["axis_ratio"]
    kpc = rows["size"] * np.sqrt(ratio) * luminosity_distance_mpc(galaxies["z"]) / (1 + galaxies["z"]) ** 2 * 4.8481e-3
    mass = 10 ** galaxies["logmstar"]
    late, early = 0.1 * mass**0.14 * (1 + mass / 3.98e10) ** 0.25, 2.88e-6 * mass**0.56
    for relation, chosen in ((late, share < 0.4), (early, share > 0.6)):
        offset = np.log10(kpc / relation)[chosen & (galaxies["logmstar"] > 9.5)]
        assert abs(np.median(offset)) < 0.15 and 0.1 < offset.std() < 0.3


def test_lines_lie_on_the_sequences_of_the_bpt_diagram(mock):
    """Star-forming galaxies on the sequence, a few per cent of nuclei beyond Kewley's border, mixtures between."""
    galaxies = {name: np.asarray(mock[name]) for name in mock.colnames} | {"z": np.asarray(mock["redshift"])}
    rows = truth(galaxies, np.ones((len(mock), 3)), draw_exposures(len(mock), np.random.default_rng(0)))
    shares = {name: np.mean(rows["line_class"] == name) for name in ("starforming", "composite", "agn")}
    assert 0.6 < shares["starforming"] < 0.9 and 0.05 < shares["composite"] < 0.3 and 0.01 < shares["agn"] < 0.15
    forming = rows["line_class"] == "starforming"
    assert np.corrcoef(rows["log_nii_ha"][forming], rows["log_oiii_hb"][forming])[0, 1] < -0.8
    assert 3.0 < np.median(rows["balmer_decrement"][forming]) < 4.5  # 3.5 to 4 in SDSS (Brinchmann et al. 2004)
