"""Tests of the division into train, valid and test."""

from types import SimpleNamespace

import numpy as np
import pytest

from astroclip_kit.data import splits
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings import Split


@pytest.fixture
def ids():
    return np.array([f"galaxy-{i}" for i in range(5000)])


def test_shares_are_met(ids):
    sides = splits.assign(ids, Split(test=0.2, valid=0.1))
    assert abs(np.mean(sides == "test") - 0.2) < 0.02
    assert abs(np.mean(sides == "valid") - 0.08) < 0.015


def test_an_object_keeps_its_side_when_others_come_and_go(ids):
    for split in (Split(), Split(folds=5, fold=3)):
        some = np.random.default_rng(0).permutation(5000)[:700]
        assert (splits.assign(ids, split)[some] == splits.assign(ids[some], split)).all()


def test_equal_groups_share_a_side(ids):
    groups = ids[np.arange(5000) // 3]
    splits.check_leaks(groups, splits.assign(groups, Split()))


def test_every_object_is_tested_in_exactly_one_fold(ids):
    tested = sum((splits.assign(ids, Split(folds=5, fold=fold)) == "test").astype(int) for fold in range(5))
    assert (tested == 1).all()


def test_seeds_differ_and_repeat(ids):
    first, again, other = (splits.assign(ids, Split(seed=seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert 0.5 < np.mean(first == other) < 0.8


def test_numbers_are_groups_too():
    plates = np.arange(200) // 2
    assert (splits.assign(plates, Split())[::2] == splits.assign(plates, Split())[1::2]).all()


def test_sides_are_pinned_for_all_time():
    """Another version of the kit must not move objects: published splits depend on it."""
    sides = splits.assign([f"object-{i}" for i in range(12)], Split(test=0.3, valid=0.3))
    assert "".join(side[1] for side in sides) == "rrerrarrrrar"


def test_divide_resolves_the_column(ids):
    labels = {"plate": np.arange(5000) // 50}
    objects = SimpleNamespace(object_ids=ids, groups=ids, labels=labels)
    assert (splits.divide(objects, Split(by="object_id")) == splits.divide(objects, Split())).all()
    splits.check_leaks(labels["plate"], splits.divide(objects, Split(by="plate")))
    with pytest.raises(
        UsageError, match=r"split.by: there is no column 'mjd'. Choose one of: group, object_id, healpix, plate"
    ):
        splits.divide(objects, Split(by="mjd"))


def test_a_published_split_is_kept(ids):
    said = np.resize(["train", "validation", "test", "val"], 5000)
    objects = SimpleNamespace(object_ids=ids, groups=ids, labels={"fold": said})
    sides = splits.divide(objects, Split(column="fold", seed=3))
    assert (sides[:4] == ["train", "valid", "test", "valid"]).all() and (sides == np.resize(sides[:4], 5000)).all()
    twice = SimpleNamespace(object_ids=ids, groups=ids[np.arange(5000) // 2], labels={"fold": said})
    with pytest.raises(InputError, match="2500 groups are on more than one side of the split"):
        splits.divide(twice, Split(column="fold"))


@pytest.mark.parametrize(
    ("said", "split", "error", "message"),
    [
        (["train", "test"], Split(column="side"), UsageError, "split.column is 'side': expected a label .* are fold"),
        (["train", "test"], Split(column="fold", folds=5), UsageError, "no folds; there are 5 folds"),
        (
            ["train", "", "test", ""],
            Split(column="fold"),
            InputError,
            "train, valid or test in each row; found '' in 2",
        ),
        (["train", "val"], Split(column="fold"), InputError, "split.column 'fold': .* found no row that says test"),
    ],
)
def test_a_published_split_that_is_none(said, split, error, message):
    names = [str(row) for row in range(len(said))]
    with pytest.raises(error, match=message):
        splits.divide(SimpleNamespace(object_ids=names, groups=names, labels={"fold": np.array(said)}), split)


def test_divide_finds_a_group_on_two_sides(ids):
    objects = SimpleNamespace(object_ids=ids, groups=ids[np.arange(5000) // 2], labels={})
    with pytest.raises(InputError, match=r"groups are on more than one side of the split \(galaxy-"):
        splits.divide(objects, Split(by="object_id"))


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (Split(test=1.0), "split.test is 1.0, expected a share"),
        (Split(valid=-0.1), "split.valid is -0.1, expected a share"),
        (Split(test=float("nan")), "split.test is nan"),
        (Split(folds=5, fold=5), r"split.fold is 5, expected 0 .. 4 for 5 folds"),
        (Split(fold=1), "split.fold is 1, expected 0 .. 0"),
        (Split(folds=1), "split.folds is 1, expected 0"),
    ],
)
def test_settings_out_of_range(ids, split, message):
    with pytest.raises(UsageError, match=message):
        splits.assign(ids, split)


@pytest.mark.parametrize("side", ["train", "valid", "test"])
def test_an_empty_side_is_an_error(side):
    split = {"train": Split(test=0.999), "valid": Split(valid=1e-6), "test": Split(test=1e-6)}[side]
    with pytest.raises(InputError, match=f"no group of 40 falls on the {side} side"):
        splits.assign(np.arange(40), split)


def test_a_side_that_was_not_asked_for_may_be_empty():
    assert set(splits.assign(np.arange(40), Split(test=0.0, valid=0.0))) == {"train"}


def test_rows_without_a_group():
    with pytest.raises(InputError, match=r"2 rows have no value to split by \(first: row 1\)"):
        splits.assign([1.0, np.nan, 2.0, np.nan], Split())
    with pytest.raises(InputError, match="there are no rows"):
        splits.assign([], Split())
    with pytest.raises(InputError, match=r"one value per row, found shape \(1, 2\)"):
        splits.assign([["a", "b"]], Split())


def test_leak_check_needs_equal_lengths():
    with pytest.raises(InputError, match="differ in length"):
        splits.check_leaks(["a"], ["train", "test"])


def sky(ra, dec, groups=None):
    ids = np.array([f"galaxy-{i}" for i in range(len(ra))])
    groups = ids if groups is None else np.asarray(groups)
    return SimpleNamespace(object_ids=ids, groups=groups, labels={}, ra=np.asarray(ra), dec=np.asarray(dec))


def everywhere(count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 360, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))


def test_by_healpix_a_part_of_the_sky_is_on_one_side():
    from astropy import units as u
    from astropy_healpix import HEALPix

    ra, dec = everywhere(5000)
    sides = splits.divide(sky(ra, dec), Split(by="healpix", healpix_nside=8, test=0.3, seed=2))
    pixel = HEALPix(8, order="nested").lonlat_to_healpix(ra * u.deg, dec * u.deg)
    assert max(len(np.unique(sides[pixel == one])) for one in np.unique(pixel)) == 1
    assert 0.2 < (sides == "test").mean() < 0.4
    finer = splits.divide(sky(ra, dec), Split(by="healpix", healpix_nside=16, test=0.3, seed=2))
    assert (finer != sides).any()
    more = everywhere(6000)
    again = splits.divide(sky(*more), Split(by="healpix", healpix_nside=8, test=0.3, seed=2))
    known = {one: side for one, side in zip(pixel.tolist(), sides.tolist(), strict=True)}
    new = HEALPix(8, order="nested").lonlat_to_healpix(more[0] * u.deg, more[1] * u.deg)
    assert all(known.get(one, side) == side for one, side in zip(new.tolist(), again.tolist(), strict=True))


def test_by_healpix_a_group_follows_its_first_row_with_coordinates():
    ra, dec = everywhere(400)
    groups = [f"g{i // 4}" for i in range(400)]
    ra[::4] = np.nan
    objects = sky(ra, dec, groups)
    sides = splits.divide(objects, Split(by="healpix", test=0.5))
    assert (sides.reshape(100, 4) == sides[1::4, None]).all()
    alone = splits.values(sky(ra[1::4], dec[1::4]), "healpix", 16)
    assert (splits.values(objects, "healpix", 16)[::4] == alone).all()


def test_by_healpix_what_cannot_be_placed():
    with pytest.raises(InputError, match=r"2 rows have no coordinates, nor has any of their group. Split by group"):
        splits.divide(sky([1.0, np.nan, np.nan], [0.0, 0.0, 0.0]), Split(by="healpix"))
    with pytest.raises(InputError, match="1 rows have no coordinates"):
        splits.divide(SimpleNamespace(object_ids=["a"], groups=["a"], labels={}), Split(by="healpix"))
    for nside in (0, 12, -4):
        with pytest.raises(UsageError, match=f"split.healpix_nside is {nside}, expected a power of 2 such as 16"):
            splits.divide(sky([1.0], [0.0]), Split(by="healpix", healpix_nside=nside))


def test_one_position_on_two_sides_is_a_leak():
    ra, dec = everywhere(300)
    twins = sky(np.append(ra, ra + 1e-5), np.append(dec, dec))
    message = r"rows lie within 0.5 arcsec of a row of another group .*\(galaxy-\d+ and galaxy-\d+\).*leak_arcsec to 0"
    with pytest.raises(InputError, match=message):
        splits.divide(twins, Split())
    assert len(splits.divide(twins, Split(leak_arcsec=0.0))) == 600
    assert len(splits.divide(twins, Split(leak_arcsec=1e-4))) == 600
    assert len(splits.divide(twins, Split(by="healpix", healpix_nside=1, test=0.4, valid=0.0))) == 600
    together = SimpleNamespace(**{**vars(twins), "groups": np.tile(twins.object_ids[:300], 2)})
    assert len(splits.divide(together, Split())) == 600


def test_one_position_on_two_sides_by_fold_across_0_h_and_at_a_pole():
    sides = np.array(["train", "valid", "test", "train"])
    groups = ["a", "b", "c", "d"]
    for ra, dec in (([359.99999, 0.00001, 90.0, np.nan], [0, 0, 0, 0]), ([0.0, 90.0, 180.0, 10], [90, 90, -90, 0])):
        with pytest.raises(InputError, match=r"1 rows lie within 0.5 arcsec .* \(a and b\)"):
            splits.check_leaks(groups, sides, ra, dec, 0.5)
    splits.check_leaks(groups, sides, [359.99999, 0.00001, 90.0, np.nan], [0, 0, 0, 0], 0.0)
    with pytest.raises(UsageError, match=r"split.leak_arcsec is -1, expected 0"):
        splits.check_leaks(groups, sides, [1, 2, 3, 4], [0, 0, 0, 0], -1)


def test_thousands_of_visits_to_one_object_are_no_leak_and_cost_no_more():
    ra, dec = np.repeat(np.arange(20.0), 2000), np.zeros(40_000)
    sides = splits.divide(sky(ra, dec, np.repeat(np.arange(20), 2000)), Split(test=0.4))
    assert set(sides) == {"train", "valid", "test"}
