"""What lies near a position."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from astroclip_kit.explorer.finding.nearby import angle, near, near_any, separations


@pytest.mark.parametrize("at", [(0.0, 0.0), (359.99, 89.9), (10.0, -90.0), (180.0, 0.3)])
@pytest.mark.parametrize("radius", [0.001, 1.0, 30.0, 180.0])
def test_they_are_those_of_astropy(at, radius):
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0, 360, 500), np.degrees(np.arcsin(rng.uniform(-1, 1, 500)))
    truth = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(*at, unit="deg")).deg
    assert separations(ra, dec, *at) == pytest.approx(truth, abs=1e-9)
    rows, apart = near(ra, dec, *at, radius)
    order = np.argsort(truth)
    expected = order[: max(1, int((truth <= radius).sum()))]
    assert rows.tolist() == expected.tolist()
    assert apart == pytest.approx(truth[expected], abs=1e-9)


@pytest.mark.parametrize("radius", [1 / 3600, 0.04, 0.3, 7.0])
def test_whoever_is_near_one_of_many_is_among_few(radius):
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(0, 360, 300), np.degrees(np.arcsin(rng.uniform(-1, 1, 300)))
    ra[:6], dec[:6] = [0, 359.9999, 360, 10, 200, 33], [0, 0, 5, 90, -89.9999, 89.99]
    places = SkyCoord(ra, dec, unit="deg")
    moved = places.directional_offset_by(rng.uniform(0, 360, 300) * u.deg, 0.999 * radius * u.deg)
    far_ra, far_dec = rng.uniform(0, 360, 5000), rng.uniform(-90, 90, 5000)
    sky = np.append(moved.ra.deg, far_ra), np.append(moved.dec.deg, far_dec)
    found = near_any(np.append(sky[0], np.nan), np.append(sky[1], 0.0), ra, dec, radius)
    apart = SkyCoord(*sky, unit="deg").match_to_catalog_sky(places)[1].deg
    assert set(np.flatnonzero(apart <= radius)) <= set(found.tolist()) <= set(range(len(sky[0])))
    assert radius > 1 or len(found) < 600
    assert (np.diff(found) > 0).all()


def test_tiny_angles_are_exact():
    rows, apart = near(np.array([150.0, 150.0]), np.array([2.0, 2.0 + 1e-7]), 150.0, 2.0 + 1e-7, 1e-8)
    assert rows.tolist() == [1] and apart[0] == pytest.approx(0, abs=1e-12)


def test_what_is_no_position_is_not_found():
    ra, dec = np.array([np.nan, 400.0, 5.0]), np.array([0.0, 0.0, np.nan])
    assert [len(one) for one in near(ra, dec, 5.0, 0.0, 1.0)] == [0, 0]


def test_an_angle_is_said_in_its_unit():
    assert [angle(one) for one in (0, 0.002, 0.5, 12, 180)] == [
        "less than 0.01 arcsec", "7.2 arcsec", "30 arcmin", "12 degrees", "180 degrees",
    ]  # fmt: skip
