"""Tests of positions at one epoch."""

import json

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from astropy.time import Time

from astroclip_kit.data import objects
from astroclip_kit.data.places import mean_places, moved
from astroclip_kit.errors import InputError
from astroclip_kit.settings import Matching, Motion

BARNARD = {"ra": 269.448503, "dec": 4.739421, "pmra": -801.551, "pmdec": 10362.394}  # Gaia DR3, epoch 2016.0


@pytest.mark.filterwarnings("ignore:.*(distance|dubious year).*")
def test_motion_is_that_of_astropy():
    rng = np.random.default_rng(0)
    ra = np.append(rng.uniform(0, 360, 200), [359.99999999, 0.0, 12.0])
    dec = np.append(np.degrees(np.arcsin(rng.uniform(-1, 1, 200))), [0.0, 0.0, 89.9999])
    pmra, pmdec = rng.normal(0, 3000, (2, 203))
    years = np.append(rng.uniform(-50, 50, 200), [50.0, -50.0, 50.0])
    start = SkyCoord(
        ra * u.deg, dec * u.deg, pm_ra_cosdec=pmra * u.mas / u.yr, pm_dec=pmdec * u.mas / u.yr,
        obstime=Time(2016.0, format="jyear"),
    )  # fmt: skip
    expected = start.apply_space_motion(new_obstime=Time(2016.0 + years, format="jyear"))
    found = SkyCoord(*(angle * u.deg for angle in moved(ra, dec, pmra, pmdec, years)))
    assert start.separation(found).arcsec.max() > 100
    assert found.separation(expected).mas.max() < 0.5  # astropy adds light travel time and a finite distance


def test_nothing_moves_without_motion_or_time():
    ra, dec = np.array([0.0, 359.9999999, 200.0]), np.array([0.0, -90.0, 90.0])
    for motion, years in ((0.0, 30.0), (500.0, 0.0)):
        found = moved(ra, dec, np.full(3, motion), np.full(3, motion), years)
        np.testing.assert_allclose(found[1], dec, atol=1e-7)
        np.testing.assert_allclose(found[0][:1], ra[:1], atol=1e-12)


def test_a_repeated_entry_is_at_the_mean_of_its_observations():
    places = pd.DataFrame({"ra": [359.9999, 50.0, 0.0003], "dec": [10.0, -20.0, 10.0]}, index=[4, 7, 9])
    mean = mean_places(places, np.array([0, 1, 0]))
    assert mean["ra"].to_numpy() == pytest.approx([0.0001, 50.0], abs=1e-9)
    assert mean["dec"].to_numpy() == pytest.approx([10.0, -20.0], abs=1e-9) and mean["ra"][1] == 50.0


def observed(name, ra, dec, **labels):
    return pd.DataFrame(
        {"object_id": [name], "group": [name], "ra": [ra], "dec": [dec], "labels": [json.dumps(labels)], "snr": np.nan}
    )


def sources(**labels):
    """Barnard's star as Gaia saw it in 2016, and on a plate of 1999.5."""
    (ra,), (dec,) = moved([BARNARD["ra"]], [BARNARD["dec"]], [BARNARD["pmra"]], [BARNARD["pmdec"]], -16.5)
    motion = {"pmra": BARNARD["pmra"], "pmdec": BARNARD["pmdec"], **labels}
    return {"gaia": observed("g", BARNARD["ra"], BARNARD["dec"], **motion), "plate": observed("p", ra, dec)}


@pytest.mark.parametrize(
    ("labels", "epochs"), [({"ref_epoch": 2016.0}, {}), ({}, {"gaia": 2016.0}), ({"ref_epoch": 0.0}, {"gaia": 2016.0})]
)
def test_positions_are_matched_at_one_epoch(labels, epochs):
    made = objects.plan(sources(**labels), ["gaia", "plate"], Matching(by="position", motion=Motion(1999.5, epochs)))
    assert len(made.catalogue) == 1 and made.rows["plate"].tolist() == [0]
    assert made.catalogue["ra"].tolist() == [BARNARD["ra"]]  # the dataset keeps the coordinates that were given
    late = objects.plan(sources(**labels), ["gaia", "plate"], Matching(by="position", motion=Motion(2016.0, epochs)))
    assert len(late.catalogue) == 2


def test_groups_by_position_are_made_at_one_epoch():
    made = objects.plan(
        sources(ref_epoch=2016.0), ["gaia", "plate"], Matching(group="position", motion=Motion(epoch=1999.5))
    )
    assert made.catalogue["group"].tolist() == ["g", "g"]


def test_a_motion_without_an_epoch():
    with pytest.raises(InputError, match=r"1 observations of 'gaia' have a proper motion .* to \{gaia: 2016.0\}"):
        objects.plan(sources(), ["gaia", "plate"], Matching(by="position"))
    with pytest.raises(InputError, match="the label 'ref_epoch' of 'gaia' is text, not a number"):
        objects.plan(sources(ref_epoch="J2016"), ["gaia", "plate"], Matching(by="position"))
    assert len(objects.plan(sources(), ["gaia", "plate"], Matching()).catalogue) == 2  # by id nothing is moved


def test_what_does_not_move_needs_no_epoch():
    still = {"gaia": observed("g", 10.0, 0.0, pmra=0.0, pmdec=0.0), "plate": observed("p", 10.0, 0.0)}
    assert len(objects.plan(still, ["gaia", "plate"], Matching(by="position")).catalogue) == 1
