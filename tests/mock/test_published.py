"""What surveys would measure: near the truth, with the noise that they state, under their own names."""

import numpy as np
import pytest
from astropy.table import Table

from astroclip_kit.mock import simulate_galaxies
from astroclip_kit.mock.history import mass_weighted_age_gyr, mean_rate
from astroclip_kit.settings import Observing

DESI = ["Z", "ZERR", "ZWARN", "SPECTYPE", "EBV"]
DESI += [f"{kind}_{band}" for kind in ("FLUX", "FLUX_IVAR", "FIBERFLUX", "FIBERTOTFLUX", "MAG") for band in "GRZ"]
PROVABGS = ["LOG_MSTAR", "Z_HP", "Z_MW", "TAGE_MW", "AVG_SFR", "FIBMAG_R", "IS_BGS_BRIGHT", "IS_BGS_FAINT"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    survey = simulate_galaxies(
        tmp_path_factory.mktemp("published") / "survey", 200, seed=2, observing=Observing(size=32)
    )
    return Table.read(survey / "catalogue.fits"), Table.read(survey / "published.fits")


def test_columns_are_those_of_desi_and_provabgs(tables):
    truth, published = tables
    assert set(DESI + PROVABGS) <= set(published.colnames)
    assert list(published["object_id"]) == list(truth["object_id"])
    for table in tables:  # FITS does not tell names apart by case
        assert len({name.lower() for name in table.colnames}) == len(table.colnames)


def test_redshifts_are_as_good_as_they_say_unless_flagged(tables):
    truth, published = tables
    good = published["ZWARN"] == 0
    pull = (published["Z"] - truth["z"])[good] / published["ZERR"][good]
    assert 0.9 < good.mean() < 1 and pull.std() == pytest.approx(1, abs=0.15)


def test_fluxes_carry_their_noise_and_the_dust_of_our_galaxy(tables):
    truth, published = tables
    for band in "grz":
        difference = published[f"MAG_{band.upper()}"] - truth[f"mag_{band}"]
        error = 1.0857 / published[f"FLUX_{band.upper()}"] / np.sqrt(published[f"FLUX_IVAR_{band.upper()}"])
        assert np.abs(np.median(difference)) < 0.01
        assert np.std(difference / error) == pytest.approx(1, abs=0.2)
    behind = 22.5 - 2.5 * np.log10(published["FLUX_R"]) - published["MAG_R"]
    assert np.corrcoef(behind, published["EBV"])[0, 1] > 0.999


def test_fibre_takes_a_part_and_neighbours_add(tables):
    published = tables[1]
    assert np.all(published["FIBERFLUX_R"] < published["FLUX_R"] * 1.02)
    assert np.all(published["FIBERTOTFLUX_R"] >= published["FIBERFLUX_R"] * 0.999)
    assert np.any(published["FIBERTOTFLUX_R"] > published["FIBERFLUX_R"] * 1.02)


def test_properties_scatter_around_the_truth(tables):
    truth, published = tables
    assert np.std(published["LOG_MSTAR"] - truth["logmstar"]) == pytest.approx(0.08, abs=0.02)
    metallicity = np.log10(published["Z_MW"] / 0.0142) - truth["metallicity"]
    assert np.median(metallicity) == pytest.approx(0, abs=0.04)
    forming = truth["ssfr"] > -10.3
    assert np.median(np.abs(np.log10(published["AVG_SFR"]) - truth["sfr"])[forming]) < 0.35
    assert np.all(published["TAGE_MW"] < 13.5 * 1.3)
    assert np.all(published["IS_BGS_BRIGHT"] == (published["MAG_R"] < 19.5))


def test_rising_history_has_a_third_of_its_age():
    """With a timescale far longer than its age, t exp(-t / tau) rises in a line."""
    galaxies = {"age_gyr": np.array([6.0]), "tau_gyr": np.array([1e3]), "logmstar": np.array([10.0])}
    assert mass_weighted_age_gyr(galaxies)[0] == pytest.approx(2.0, rel=0.01)
    formed = 10 ** (10 + 0.24)
    assert mean_rate(galaxies, 6.0)[0] == pytest.approx(formed / 6e9, rel=1e-6)
    assert mean_rate(galaxies, 1.0)[0] == pytest.approx(formed * (36 - 25) / 36 / 1e9, rel=0.01)
