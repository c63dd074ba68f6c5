"""Mock stars of all types: colours on the published locus, lines and bands, star counts, templates, errors."""

import numpy as np
import pytest

from astroclip_kit.errors import FileError
from astroclip_kit.mock.atmospheres import REST_WAVELENGTH
from astroclip_kit.mock.point_templates import STAR_FILE, read_composite, read_star_templates
from astroclip_kit.mock.star_counts import draw_star_sample
from astroclip_kit.mock.star_spectra import star_fluxes
from astroclip_kit.mock.stellar_sequence import COLOUR, FEH, HOT, TEFF, TYPES, WHITE, library, locus, sequence_weights

MAIN, HOT_FIRST = len(TYPES) * len(FEH), len(TYPES) * len(FEH)


@pytest.fixture(scope="module")
def spectra():
    return np.exp(library())


@pytest.fixture(scope="module")
def colours(spectra):
    return -np.diff(-2.5 * np.log10(star_fluxes(spectra)), axis=1)


def cool(name, metals=2):
    return TYPES.index(name) * len(FEH) + metals


def depth(spectrum, line, width, beside):
    """Share of the light between two sides that is missing at a line."""
    level = np.mean([spectrum[np.abs(REST_WAVELENGTH - side) < 8].mean() for side in beside])
    return 1 - spectrum[np.abs(REST_WAVELENGTH - line) < width].mean() / level


def test_cool_stars_lie_on_the_locus_of_covey(colours):
    expected = locus(np.repeat(COLOUR, len(FEH)), np.tile(FEH, len(TYPES)))
    np.testing.assert_allclose(colours[:MAIN], expected, atol=0.01)
    np.testing.assert_allclose(colours[cool("G2")], [1.31, 0.44, 0.16, 0.05], atol=0.08)  # the Sun, u-g less metals
    np.testing.assert_allclose(colours[cool("M2")], [2.6, 1.43, 1.0, 0.55], atol=0.1)  # West et al. (2011)


def test_hot_stars_and_white_dwarfs_have_their_colours(colours):
    hot = dict(zip(HOT, colours[HOT_FIRST:], strict=False))
    np.testing.assert_allclose(hot[9500.0][:3], [1.02, -0.2, -0.18], atol=0.08)  # A0 V, Fukugita et al. (1996)
    np.testing.assert_allclose(hot[45000.0][:3], [-0.41, -0.54, -0.38], atol=0.08)  # O5 V
    dwarfs = colours[-2 * len(WHITE) : -len(WHITE)]
    twelve = dwarfs[list(WHITE).index(12500.0)]
    np.testing.assert_allclose(
        twelve[:3], [0.36, -0.15, -0.21], atol=0.12
    )  # Bergeron et al. (1995), Holberg et al. (2006)
    assert np.all(np.diff(dwarfs[:, 1]) < 0)


def test_poor_stars_are_brighter_in_u(colours):
    grid = colours[:MAIN].reshape(len(TYPES), len(FEH), 4)
    assert np.all(np.diff(grid[:, :, 0], axis=1) > 0)
    turn_off = TYPES.index("F8")
    assert grid[turn_off, -1, 0] - grid[turn_off, 0, 0] == pytest.approx(0.32, abs=0.12)  # Ivezic et al. (2008)


def test_lines_and_bands_come_and_go_with_temperature(spectra):
    sodium = [depth(spectra[cool(name)], 5894, 3, (5870, 5920)) for name in ("F5", "G5", "K5")]
    assert sodium[0] < 0.06 < sodium[1] < sodium[2]
    calcium = [depth(spectra[cool(name)], 8544.4, 3, (8520, 8570)) for name in ("F5", "G5", "K5")]
    assert min(calcium) > 0.1
    oxide = [depth(spectra[cool(name)], 7085, 15, (7035, 7035)) for name in ("K3", "M0", "M2", "M4")]
    assert oxide[0] < 0.05 < oxide[1] < oxide[2] < oxide[3]
    balmer = [depth(spectra[HOT_FIRST + k], 4862.7, 4, (4780, 4945)) for k in (2, 6, 10)]
    assert balmer[0] > balmer[1] > balmer[2] > 0.02
    assert depth(spectra[cool("F2")], 3934.8, 4, (3910, 4015)) > 0.2
    assert depth(spectra[cool("G5", 3)], 5177, 10, (5100, 5230)) > depth(spectra[cool("G5", 0)], 5177, 10, (5100, 5230))


def test_white_dwarfs_have_broader_lines_than_other_stars(spectra):
    star, dwarf = spectra[HOT_FIRST + list(HOT).index(13000.0)], spectra[-2 * len(WHITE) + list(WHITE).index(12500.0)]
    wings = [depth(one, 4862.7 + 40, 6, (4760, 4970)) for one in (star, dwarf)]
    assert wings[1] > 3 * wings[0]
    helium = spectra[-len(WHITE) + list(WHITE).index(19000.0)]
    assert depth(helium, 4472.8, 8, (4430, 4530)) > 0.15 > abs(depth(helium, 4862.7, 8, (4830, 4880)))


def test_faint_stars_are_of_the_halo_and_hot_ones_few():
    rng = np.random.default_rng(0)
    bright, faint = (draw_star_sample(np.full(8000, magnitude), rng) for magnitude in (15.0, 20.0))
    halo = [np.mean(some["population"][some["kind"] == "dwarf"] == "halo") for some in (bright, faint)]
    assert halo[0] < 0.2 and halo[1] > 0.4
    dwarfs = faint["kind"] == "dwarf"
    assert np.median(faint["feh"][dwarfs & (faint["population"] == "halo")]) == pytest.approx(-1.5, abs=0.05)
    assert np.median(bright["teff"]) < 7000 and np.mean(faint["teff"] > 10000) < 0.15
    assert np.all((faint["g_i"] > 0) == dwarfs)
    assert np.all(sequence_weights(faint).sum(axis=1).round(5) == (faint["kind"] != "a"))


def test_temperatures_and_colours_descend_together():
    assert np.all(np.diff(TEFF) < 0) and np.all(np.diff(COLOUR) > 0)
    assert np.all(np.diff(locus(COLOUR, -0.7)[:, 2]) > 0)


def test_templates_of_real_stars_are_taken_with_the_colours_of_the_locus(shared_data, spectra, colours):
    folder = str(shared_data / "templates")
    real = np.exp(library(folder))
    np.testing.assert_allclose(-np.diff(-2.5 * np.log10(star_fluxes(real)), axis=1)[:MAIN], colours[:MAIN], atol=0.02)
    inside = (REST_WAVELENGTH > 3900) & (REST_WAVELENGTH < 9500)
    agreement = [np.corrcoef(real[k, inside], spectra[k, inside])[0, 1] for k in range(MAIN)]
    assert np.median(agreement) > 0.97 and min(agreement) > 0.85 and max(agreement) < 0.99999


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (None, None, "holds no templates of point sources, expected pyhammer_sdss_stellar_templates.npz or qso_vanden"),
        (STAR_FILE, b"no zip", "not readable as templates"),
        (STAR_FILE, b"PK\x03\x04 a zip cut short", "not readable as templates: File is not a zip file"),
        (
            STAR_FILE,
            {"loglam": np.linspace(3.5, 4.0, 9), "flux": np.ones((1, 9)), "spt": ["Gx"], "feh": ["0"]},
            "could not convert string to float: 'x'",
        ),
        (STAR_FILE, {"loglam": np.zeros(3), "flux": np.zeros((1, 3))}, "spt is not a file in the archive"),
        (
            STAR_FILE,
            {"loglam": np.linspace(3.6, 3.7, 9), "flux": np.ones((1, 9)), "spt": ["G2"], "feh": ["0"]},
            "expected spectra of types O to M from 3800 to 9600 A",
        ),
        ("qso_vandenberk2001.txt", b"800.5 0.149 0.074\n", "expected rows of wavelength, flux and error, found 1"),
    ],
)
def test_unusable_templates(tmp_path, name, content, message):
    if isinstance(content, dict):
        np.savez(tmp_path / name, **content)
    elif name:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=message):
        read_star_templates(str(tmp_path)), read_composite(str(tmp_path))


def test_a_folder_may_hold_templates_of_one_kind_alone(tmp_path):
    (tmp_path / "qso_vandenberk2001.txt").write_text("".join(f"{800 + k} 1.0 0.1\n" for k in range(1200)))
    assert read_star_templates(str(tmp_path)) is None
    wavelength, flux = read_composite(str(tmp_path))
    assert len(wavelength) == 1200 and wavelength[0] == 800 and np.all(flux == 1)
