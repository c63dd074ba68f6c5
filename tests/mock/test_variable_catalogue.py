import numpy as np
import pytest

from astroclip_kit.mock.atmospheres import REST_WAVELENGTH
from astroclip_kit.mock.galactic_places import draw_places
from astroclip_kit.mock.stellar_colours import BANDS, visual_colours
from astroclip_kit.mock.variable_metadata import measured_columns, true_magnitudes
from astroclip_kit.mock.variable_population import ECLIPSING, draw_variables
from astroclip_kit.mock.variable_spectra import PIXELS, observe_lamost, stellar_light, variable_light
from astroclip_kit.transforms.astrom3_columns import METADATA, PHOTOMETRY

WAVELENGTH = 10 ** (3.5682 + 1e-4 * np.arange(PIXELS))


@pytest.fixture(scope="module")
def stars():
    rng = np.random.default_rng(8)
    drawn = draw_variables(8000, rng)
    return drawn | draw_places(drawn, rng)


@pytest.fixture(scope="module")
def rows(stars):
    rng = np.random.default_rng(9)
    told = {name: np.full(len(stars["teff"]), 0.5) for name in (*PHOTOMETRY, "deviation")}
    told["mean_vmag"] = stars["v_mag"]
    return measured_columns(stars, true_magnitudes(stars, rng), told, rng)


def some(stars, kind, count=40, subclass=""):
    """The first stars of a class."""
    rows = np.flatnonzero((stars["class"] == kind) & (stars["subclass"] == subclass))[:count]
    return {name: values[rows] for name, values in stars.items()}


def depth(flux, centre, width, aside):
    """Median depth of a band [centre, width] below its surroundings `aside` (Angstrom away)."""
    inside = np.abs(WAVELENGTH - centre) < width
    outside = np.abs(np.abs(WAVELENGTH - centre) - aside) < width
    return float(np.median(1 - flux[:, inside].mean(axis=1) / flux[:, outside].mean(axis=1)))


def test_distances_magnitudes_and_dust_agree(stars):
    again = stars["mv"] + 5 * np.log10(stars["distance"] / 10) + stars["extinction"]
    np.testing.assert_allclose(again, stars["v_mag"], atol=0.02)
    low = np.abs(stars["b"]) < 10
    assert np.median(stars["extinction"][low]) > 2 * np.median(stars["extinction"][~low])
    halo = stars["population"] == "halo"
    assert np.median(np.abs(stars["b"][halo])) > 25 > np.median(np.abs(stars["b"][stars["population"] == "thin"]))


def test_the_columns_are_those_of_the_paper_in_its_order(rows):
    assert list(rows) == [*METADATA, *PHOTOMETRY] and len(METADATA) == 34
    missing = np.array([np.isnan(values).mean() for values in rows.values()])
    assert 0 < missing.max() < 0.02 and missing[0] == 0
    np.testing.assert_allclose(rows["bp_rp"], rows["phot_bp_mean_mag"] - rows["phot_rp_mean_mag"], atol=2e-5)


def test_parallaxes_are_right_within_their_errors_and_some_are_negative(stars, rows):
    pull = (rows["parallax"] - 1000 / stars["distance"]) / rows["parallax_error"]
    assert np.nanstd(pull) == pytest.approx(1.15, abs=0.2)
    assert 0.002 < np.nanmean(rows["parallax"] <= 0) < 0.05


def test_colours_follow_class_and_subclass(stars, rows):
    def median(name, kind, subclass=None):
        return np.nanmedian(
            rows[name][(stars["class"] == kind) & ((subclass is None) | (stars["subclass"] == subclass))]
        )

    assert median("bp_rp", "DSCT") < median("bp_rp", "EW") < median("bp_rp", "ROT") < median("bp_rp", "M")
    assert median("w1_w2", "M") > median("w1_w2", "SR") + 0.2 > 0
    assert median("j_k", "M", "carbon") > median("j_k", "M", "oxygen") + 0.4
    assert median("j_k", "SR", "carbon") > median("j_k", "SR", "oxygen") + 0.3
    absolute = rows["phot_g_mean_mag"] - 10 + 5 * np.log10(np.maximum(rows["parallax"], 0.01))
    giant, dwarf = (absolute[stars["subclass"] == name] for name in ("giant", "dwarf"))
    assert np.nanmedian(giant) < np.nanmedian(dwarf) - 2.5
    pair = np.isin(stars["class"], ECLIPSING)
    assert np.nanquantile(rows["ruwe"][pair], 0.9) > np.nanquantile(rows["ruwe"][stars["class"] == "RRAB"], 0.9)


def test_the_sun_has_the_colours_of_the_sun():
    one = np.ones(500)
    found = visual_colours(5772 * one, 4.44 * one, one == 0, 0 * one, np.random.default_rng(0)).mean(axis=0)
    colours = dict(zip(BANDS, found, strict=True))
    assert colours["bp"] - colours["rp"] == pytest.approx(0.82, abs=0.02)
    assert -colours["k"] == pytest.approx(1.56, abs=0.03) and abs(colours["k"] - colours["w1"] - 0.05) < 0.03
    assert -colours["g"] == pytest.approx(0.15, abs=0.05)


def test_cool_giants_have_bands_of_titanium_oxide_or_of_carbon(stars):
    rng = np.random.default_rng(1)
    oxygen, carbon = (variable_light(some(stars, "SR", subclass=name), rng) for name in ("oxygen", "carbon"))
    assert depth(oxygen, 7100, 30, 90) > depth(carbon, 7100, 30, 90) + 0.1
    swan = [np.median(flux[:, (WAVELENGTH > 5100) & (WAVELENGTH < 5160)].mean(axis=1)
                      / flux[:, (WAVELENGTH > 5180) & (WAVELENGTH < 5240)].mean(axis=1))
            for flux in (carbon, oxygen)]  # fmt: skip
    assert swan[0] < 0.4 < swan[1]


def test_hydrogen_absorbs_in_hot_stars_and_shines_in_miras_and_fast_cool_stars(stars):
    rng = np.random.default_rng(2)
    assert depth(variable_light(some(stars, "DSCT"), rng), 6564.6, 5, 40) > 0.2
    mira = variable_light(some(stars, "M", subclass="oxygen"), rng)
    line = mira[:, np.abs(WAVELENGTH - 4102.9) < 3].max(axis=1) / mira[:, np.abs(WAVELENGTH - 4125) < 8].mean(axis=1)
    assert np.mean(line > 1.5) > 0.3
    dwarf = some(stars, "ROT", 60, "dwarf")
    fast, slow = (
        variable_light(dwarf | {"period": np.full(60, days)}, np.random.default_rng(3)) for days in (0.6, 30.0)
    )
    assert depth(slow, 6564.6, 2, 15) > depth(fast, 6564.6, 2, 15) + 0.05


def test_pressure_shows_in_dwarfs_alone():
    sodium = [depth(stellar_light(np.full(1, 4600.0), np.full(1, logg), np.zeros(1), np.zeros(1, bool))[
        :, np.searchsorted(REST_WAVELENGTH, WAVELENGTH)], 5894.6, 4, 40) for logg in (4.5, 2.5)]  # fmt: skip
    assert sodium[0] > 1.5 * sodium[1]


def test_noise_grows_with_magnitude_and_is_as_stated(stars):
    rng, light = np.random.default_rng(4), variable_light(some(stars, "EW", 80), np.random.default_rng(4))
    bright, faint = (observe_lamost(light, np.full(80, v), rng) for v in (11.0, 16.5))
    assert np.median(bright.snr[:, 2]) > 60 > 24 > np.median(faint.snr[:, 2]) > 5
    scale = np.median(faint.flux / light, axis=1, keepdims=True)
    quiet = slice(2600, 3200)  # where the calibration bends little, so that noise is what is left
    left = np.diff(faint.flux[:, quiet] / scale - light[:, quiet], axis=1) * scale / np.sqrt(2)
    assert np.median(np.std(left * np.sqrt(faint.ivar[:, quiet][:, 1:]), axis=1)) == pytest.approx(1, abs=0.1)
