"""Tests of matching on the sphere."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from astroclip_kit.data import crossmatch
from astroclip_kit.errors import InputError, UsageError


def scattered(ra, dec, arcsec, rng):
    """The same positions, each moved by up to some arcsec in a random direction."""
    place = SkyCoord(ra * u.deg, dec * u.deg)
    moved = place.directional_offset_by(
        rng.uniform(0, 360, len(ra)) * u.deg, rng.uniform(0, arcsec, len(ra)) * u.arcsec
    )
    return moved.ra.deg, moved.dec.deg


REGIONS = {
    "equator at 0 h": lambda rng: (rng.uniform(-0.02, 0.02, 400) % 360, rng.uniform(-0.02, 0.02, 400)),
    "north pole": lambda rng: (rng.uniform(0, 360, 400), 90 - rng.uniform(0, 0.02, 400)),
    "south pole": lambda rng: (rng.uniform(0, 360, 400), -90 + rng.uniform(0, 0.02, 400)),
    "whole sky": lambda rng: (rng.uniform(0, 360, 400), np.degrees(np.arcsin(rng.uniform(-1, 1, 400)))),
}


@pytest.mark.parametrize("region", REGIONS)
def test_equals_astropy_where_both_ways_agree(region):
    rng = np.random.default_rng(1)
    ra, dec = REGIONS[region](rng)
    ra2, dec2 = scattered(ra[:300], dec[:300], 2.0, rng)
    found = crossmatch.match(ra, dec, ra2, dec2, radius_arcsec=1.5)
    one, two = SkyCoord(ra * u.deg, dec * u.deg), SkyCoord(ra2 * u.deg, dec2 * u.deg)
    there, separation, _ = one.match_to_catalog_sky(two)
    back, _, _ = two.match_to_catalog_sky(one)
    first = np.flatnonzero((back[there] == np.arange(400)) & (separation.arcsec <= 1.5))
    assert len(first) > 150
    assert (found.first == first).all() and (found.second == there[first]).all()
    np.testing.assert_allclose(found.separation_arcsec, separation.arcsec[first], atol=1e-6)


def test_each_position_is_matched_at_most_once():
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(10, 10.002, 200), rng.uniform(0, 0.002, 200)
    found = crossmatch.match(ra, dec, ra[::2] + 1e-5, dec[::2], radius_arcsec=3)
    assert len(np.unique(found.first)) == len(np.unique(found.second)) == len(found.first)


def test_a_rival_makes_a_match_ambiguous():
    arcsec = 1 / 3600
    found = crossmatch.match([10, 50], [0, 0], [10 + 0.2 * arcsec, 10 + 0.8 * arcsec, 50], [0, 0, 0], radius_arcsec=1)
    assert found.second.tolist() == [0, 2]
    assert found.candidates.tolist() == [2, 1]
    assert found.ambiguous.tolist() == [True, False]
    back = crossmatch.match([10, 10 + 0.8 * arcsec], [0, 0], [10 + 0.2 * arcsec], [0], radius_arcsec=1)
    assert back.first.tolist() == [0] and back.ambiguous.tolist() == [True]


def test_not_mutual_is_no_match():
    arcsec = 1 / 3600
    found = crossmatch.match([10, 10 + 0.5 * arcsec], [0, 0], [10 + 0.6 * arcsec], [0], radius_arcsec=1)
    assert found.first.tolist() == [1]


def test_the_radius_is_a_great_circle():
    """One arcsec of right ascension at declination 60 is half an arcsec on the sky."""
    found = crossmatch.match([10], [60], [10 + 1 / 3600], [60], radius_arcsec=0.51)
    assert found.separation_arcsec == pytest.approx([0.5], abs=1e-6)
    assert len(crossmatch.match([10], [60], [10 + 1 / 3600], [60], radius_arcsec=0.49).first) == 0


def test_nothing_to_match():
    assert len(crossmatch.match([], [], [1.0], [2.0], radius_arcsec=1).first) == 0
    assert len(crossmatch.groups([], [], radius_arcsec=1)) == 0


def test_groups_are_chains_of_friends():
    arcsec = 1 / 3600
    ra = np.array([20, 10, 10 + 0.9 * arcsec, 10 + 1.8 * arcsec, 359.9999, 0.0001])
    assert crossmatch.groups(ra, np.zeros(6), radius_arcsec=1).tolist() == [0, 1, 1, 1, 2, 2]
    assert crossmatch.groups([0, 90, 180], [90, 90, 90], radius_arcsec=1).tolist() == [0, 0, 0]


@pytest.mark.parametrize("function", ["match", "groups"])
@pytest.mark.parametrize(
    ("ra", "dec", "message"),
    [
        ([10, np.nan], [0, 0], r"1 values of ra are not within 0 to 360 degrees \(first: nan in row 1\)"),
        ([10, 361], [0, 0], r"ra are not within 0 to 360 degrees \(first: 361.0 in row 1\)"),
        ([10, -1], [0, 0], "ra are not within"),
        ([10, 20], [0, -90.1], r"dec are not within -90 to 90 degrees \(first: -90.1 in row 1\)"),
        ([10, 20], [0], "two lists of one length"),
    ],
)
def test_bad_coordinates(function, ra, dec, message):
    with pytest.raises(InputError, match=message):
        if function == "match":
            crossmatch.match([1.0], [2.0], ra, dec, radius_arcsec=1)
        else:
            crossmatch.groups(ra, dec, radius_arcsec=1)


@pytest.mark.parametrize("radius", [0, -1, np.nan, np.inf])
def test_bad_radius(radius):
    with pytest.raises(UsageError, match="expected a positive angle in arcsec"):
        crossmatch.match([1], [1], [1], [1], radius_arcsec=radius)


def linked_one_by_one(vectors, chord):
    """Friends of friends, the plain way."""
    number = np.full(len(vectors), -1)
    for start in range(len(vectors)):
        new = [start] if number[start] < 0 else []
        while new:
            number[new] = number.max() + 1 if number[start] < 0 else number[start]
            near = (np.linalg.norm(vectors[new][:, None] - vectors[None], axis=2) <= chord).any(axis=0)
            new = np.flatnonzero(near & (number < 0)).tolist()
    return number


@pytest.mark.parametrize("spread_arcsec", [0.05, 0.4, 3.0, 30.0])
@pytest.mark.parametrize("rounded", [False, True])
def test_groups_are_friends_of_friends_however_crowded(spread_arcsec, rounded):
    rng = np.random.default_rng(int(spread_arcsec * 100))
    centre = rng.uniform(-0.005, 0.005, (5, 2))[rng.integers(0, 5, 300)]
    ra, dec = (centre + rng.normal(0, spread_arcsec / 3600, (300, 2))).T
    ra, dec = (ra.round(4) % 360, dec.round(4)) if rounded else (ra % 360, dec)
    expected = linked_one_by_one(crossmatch.unit_vectors(ra, dec), crossmatch.chord_of(1.0))
    assert crossmatch.groups(ra, dec, radius_arcsec=1.0).tolist() == expected.tolist()


def test_thousands_of_visits_to_each_place_are_grouped_without_all_their_pairs(monkeypatch):
    monkeypatch.setattr(crossmatch, "MOST_LINKS", 50_000)
    rng = np.random.default_rng(0)
    ra, dec = (np.repeat(np.arange(10.0) + 5, 3000) + rng.normal(0, 0.1 / 3600, 30_000) for _ in range(2))
    assert (crossmatch.groups(ra, dec, radius_arcsec=1.0) == np.repeat(np.arange(10), 3000)).all()


def test_a_position_that_lies_in_none_of_the_ranges_is_named_by_its_row():
    with pytest.raises(InputError, match=r"1 values of dec are not within -90 to 90 degrees \(first: 91.0 in row 2\)"):
        crossmatch.groups([1.0, 2.0, 3.0], [0.0, 0.0, 91.0], radius_arcsec=1)
