"""Tests of objects made of the entries of several catalogues."""

from itertools import combinations, permutations

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord

from astroclip_kit.data.linking import link, radius_between
from astroclip_kit.errors import InputError, UsageError

ARCSEC = 1 / 3600


def table(ra, dec=None, ids=None):
    ra = np.asarray(ra, dtype=float)
    dec = np.zeros(len(ra)) if dec is None else dec
    return pd.DataFrame({"ra": ra, "dec": dec, "object_id": [f"{i}" for i in range(len(ra))] if ids is None else ids})


def skies(seed, names=("gaia", "image", "spectrum"), crowded=False):
    """Catalogues of the same sky, each with 60 of 80 places and its own errors; half of them around poles and 0 h."""
    rng = np.random.default_rng(seed)
    extent = 0.003 if crowded else 0.01
    ra = np.concatenate([rng.uniform(0, 360, 40), rng.uniform(-extent, extent, 40)]) % 360
    dec = np.concatenate([(90 - rng.uniform(0, extent, 40)) * rng.choice([-1, 1], 40), rng.uniform(0, extent, 40)])
    found = {}
    for name in names:
        which = rng.permutation(80)[:60]
        place = SkyCoord(ra[which] * u.deg, dec[which] * u.deg)
        moved = place.directional_offset_by(rng.uniform(0, 360, 60) * u.deg, rng.rayleigh(0.5, 60) * u.arcsec)
        found[name] = table(moved.ra.deg, moved.dec.deg, [f"{name}{i}" for i in which])
    return found


def members(found, catalogues):
    """The objects as sets of ids."""
    objects = {}
    for name, numbers in found.objects.items():
        for number, name_in in zip(numbers, catalogues[name]["object_id"], strict=True):
            objects.setdefault(number, set()).add(f"{name} {name_in}")
    return {frozenset(one) for one in objects.values()}


@pytest.mark.parametrize("seed", range(5))
def test_two_catalogues_are_matched_as_astropy_does(seed):
    catalogues = skies(seed, ("one", "two"))
    one, two = (SkyCoord(own["ra"].to_numpy() * u.deg, own["dec"].to_numpy() * u.deg) for own in catalogues.values())
    there, separation, _ = one.match_to_catalog_sky(two)
    back, _, _ = two.match_to_catalog_sky(one)
    mutual = (back[there] == np.arange(60)) & (separation.arcsec <= 1.5)
    found = link(catalogues, 1.5).objects
    together = found["one"][:, None] == found["two"][None]
    assert mutual.sum() > 20 and (together.sum(axis=1) == mutual).all()
    assert (together.argmax(axis=1)[mutual] == there[mutual]).all()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("crowded", [False, True])
def test_of_any_number_of_catalogues_no_entry_is_in_two_objects_nor_two_of_one_catalogue_in_one(seed, crowded):
    catalogues = skies(seed, ("a", "b", "c", "d"), crowded)
    found = link(catalogues, 3.0)
    objects = members(found, catalogues)
    assert sum(map(len, objects)) == 240 and len(frozenset.union(*objects)) == 240
    assert all(len({entry.split()[0] for entry in one}) == len(one) for one in objects)
    assert any(len(one) == 4 for one in objects)
    taken = [one for one in found.ambiguous if one.taken]
    assert all(found.objects[a][i] == found.objects[b][j] for (a, i), (b, j) in ((o.first, o.second) for o in taken))


@pytest.mark.parametrize("seed", range(4))
def test_neither_the_order_of_rows_nor_that_of_catalogues_matters(seed):
    catalogues = skies(seed, crowded=True)
    catalogues["spectrum"] = pd.concat([catalogues["spectrum"], catalogues["image"].iloc[:20]])  # the very same places
    twins = catalogues["spectrum"].iloc[:10].assign(object_id=[f"twin{i}" for i in range(10)])
    catalogues["spectrum"] = pd.concat([catalogues["spectrum"], twins], ignore_index=True)
    expected = members(link(catalogues, 2.0), catalogues)
    rng = np.random.default_rng(seed)
    for names in permutations(catalogues):
        shuffled = {name: catalogues[name].sample(frac=1, random_state=rng) for name in names}
        assert members(link(shuffled, 2.0), shuffled) == expected


def test_the_closest_come_first_and_a_link_that_is_not_taken_is_listed():
    """0 of a is next to b, b to c and c to 1 of a: all four cannot be one object."""
    catalogues = {
        "a": table([10.0, 10 + 1.5 * ARCSEC]),
        "b": table([10 + 0.5 * ARCSEC]),
        "c": table([10 + 0.8 * ARCSEC]),
    }
    found = link(catalogues, 1.0)
    assert found.objects["a"][0] == found.objects["b"][0] == found.objects["c"][0] != found.objects["a"][1]
    (refused,) = [one for one in found.ambiguous if not one.taken]
    assert (refused.first, refused.second) == (("a", 1), ("c", 0))
    assert refused.separation_arcsec == pytest.approx(0.7, abs=1e-6)
    assert refused.rivals == [("a", 0, pytest.approx(0.8, abs=1e-6))]
    wide = link(catalogues, 1.0, {"a-c": 10.0}).objects  # a wider radius makes the same separation a closer link
    assert wide["a"][1] == wide["c"][0] == wide["b"][0] != wide["a"][0]


def test_a_chain_holds_an_object_together():
    catalogues = {"a": table([10.0]), "b": table([10 + 0.9 * ARCSEC]), "c": table([10 + 1.8 * ARCSEC])}
    assert len({int(numbers[0]) for numbers in link(catalogues, 1.0).objects.values()}) == 1


def test_every_pair_may_have_its_own_radius():
    catalogues = {"image": table([10.0]), "spectrum": table([10 + 1.2 * ARCSEC]), "radio": table([10 - 4 * ARCSEC])}
    radii = {"image-spectrum": 1.5, "radio-image": 5.0}
    one = {name: int(numbers[0]) for name, numbers in link(catalogues, 1.0, radii).objects.items()}
    assert len(set(one.values())) == 1
    for pair in combinations(("image", "spectrum", "radio"), 2):
        assert radius_between(*pair, 1.0, radii) == radius_between(*reversed(pair), 1.0, radii)
    alone = link(catalogues, 1.0, {"spectrum-image": 1.5}).objects
    assert alone["image"] == alone["spectrum"] != alone["radio"]


def test_rivals_are_listed_with_their_separations():
    catalogues = {"a": table([10.0]), "b": table([10 + 0.8 * ARCSEC, 10 + 0.2 * ARCSEC, 20.0])}
    (one,) = link(catalogues, 1.0).ambiguous
    assert (one.first, one.second, one.taken) == (("a", 0), ("b", 1), True)
    assert one.separation_arcsec == pytest.approx(0.2, abs=1e-6)
    assert one.rivals == [("b", 0, pytest.approx(0.8, abs=1e-6))]


def test_nothing_to_link():
    assert link({}, 1.0).objects == {}
    found = link({"a": table([]), "b": table([10.0])}, 1.0)
    assert found.objects["a"].tolist() == [] and len(found.objects["b"]) == 1 and found.ambiguous == []


def test_bad_places_and_radii():
    with pytest.raises(InputError, match="1 values of ra are not within 0 to 360 degrees"):
        link({"a": table([400.0]), "b": table([1.0])}, 1.0)
    with pytest.raises(UsageError, match="radius_arcsec is -1, expected a positive angle in arcsec"):
        link({"a": table([1.0]), "b": table([1.0])}, 1.0, {"a-b": -1})
