"""Shares of the labels: the sizes of AstroM3's subsets, and who is in them."""

import numpy as np
import pytest

from astroclip_kit.data import class_cap, label_share
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings import LabelShare

# Objects of EW, SR, EA, RRAB, EB, ROT, RRC, HADS, M and DSCT of AstroM3's split of seed 42.
PUBLISHED = {
    "train": [4890, 3647, 2343, 1886, 1571, 1454, 624, 226, 216, 206],
    "valid": [597, 479, 272, 231, 207, 189, 93, 29, 30, 25],
    "test": [681, 464, 301, 234, 198, 196, 79, 26, 22, 24],
}
SIDES = np.repeat(list(PUBLISHED), [sum(counts) for counts in PUBLISHED.values()])
CODES = np.concatenate([np.repeat(np.arange(10), counts) for counts in PUBLISHED.values()])
ALL = ["train", "valid", "test"]


@pytest.mark.parametrize(
    ("factor", "total", "cap", "caps"),
    [(2, 10708, 1518, (1209, 149, 160)), (4, 5347, 649, (516, 64, 69)), (10, 2090, 209, (166, 21, 22))],
)
def test_the_subsets_of_astrom3_have_their_published_sizes(factor, total, cap, caps):
    kept = label_share(CODES, SIDES, LabelShare(1 / factor, "capped", sides=ALL), seed=42)
    counts = np.array([np.bincount(CODES[kept & (SIDES == side)]) for side in ALL])
    assert kept.sum() == total and counts.max(axis=1).tolist() == list(caps) and counts.sum(axis=0).max() == cap
    full = np.array([PUBLISHED[side] for side in ALL])
    assert (counts == np.minimum(full, np.array(caps)[:, None])).all()  # rare classes stay whole


def test_ten_percent_leave_as_many_of_each_class_as_in_the_paper():
    kept = label_share(CODES, SIDES, LabelShare(0.1, "capped", sides=ALL))
    train, test = (np.bincount(CODES[kept & (SIDES == side)]) for side in ("train", "test"))
    assert (train == 166).all() and (test == 22).all()


def test_a_side_that_is_not_named_keeps_its_labels_and_a_random_share_knows_no_classes():
    kept = label_share(CODES, SIDES, LabelShare(0.1, by="random"), seed=1)
    assert kept[SIDES == "test"].all()
    for side in ("train", "valid"):
        here = SIDES == side
        assert kept[here].sum() == int(0.1 * here.sum())
    shares = np.bincount(CODES[kept & (SIDES == "train")], minlength=10) / np.array(PUBLISHED["train"])
    assert np.abs(shares[:7] - 0.1).max() < 0.04  # classes of 600 objects and more


@pytest.mark.parametrize("by", ["capped", "random"])
def test_a_smaller_share_is_part_of_a_larger_one_and_another_seed_draws_others(by):
    ids = np.array([f"star-{number}" for number in range(len(CODES))])
    tenth, quarter = (label_share(CODES, SIDES, LabelShare(size, by), 3, ids) for size in (0.1, 0.25))
    assert (quarter | ~tenth).all() and quarter.sum() > tenth.sum()
    other = label_share(CODES, SIDES, LabelShare(0.1, by), 4, ids)
    assert 0 < (other & tenth).sum() < 0.5 * len(CODES) and (other != tenth).any()
    order = np.random.default_rng(0).permutation(len(CODES))
    assert (label_share(CODES[order], SIDES[order], LabelShare(0.1, by), 3, ids[order]) == tenth[order]).all()


def test_all_labels_are_those_that_are_known_and_unknown_ones_count_nowhere():
    codes, sides = np.array([0, -1, 1, 1, -1, 0, 1]), ["train"] * 7
    assert label_share(codes, sides, LabelShare()).tolist() == (codes >= 0).tolist()
    kept = label_share(codes, sides, LabelShare(0.4, "capped"))
    assert np.bincount(codes[kept & (codes >= 0)]).tolist() == [1, 1] and not kept[codes < 0].any()
    assert not label_share([-1, -1], ["train", "valid"], LabelShare(0.5)).any()


def test_at_least_one_of_each_class_is_left():
    assert class_cap([5, 4], 0) == 1 and class_cap([7], 3) == class_cap([7], 3, smallest_whole=True) == 3


def test_a_level_leaves_as_many_as_asked_for_where_every_class_is_cut():
    codes = np.repeat([0, 1, 2], [30, 28, 26])
    sides = np.full(84, "train")
    sizes = {by: label_share(codes, sides, LabelShare(0.4, by)).sum() for by in ("level", "capped", "random")}
    assert sizes == {"level": 33, "capped": 9, "random": 33}
    tenth, half = (label_share(CODES, SIDES, LabelShare(size, "level")) for size in (0.1, 0.5))
    assert np.bincount(CODES[tenth & (SIDES == "train")]).tolist() == [170] * 10
    assert (half == label_share(CODES, SIDES, LabelShare(0.5, "capped"))).all()


@pytest.mark.parametrize(
    ("share", "message"),
    [
        (LabelShare(0.0), "labelled.fraction is 0.0, expected a share above 0 and at most 1"),
        (LabelShare(0.5, "first"), "labelled.by is 'first', expected one of capped, level, random"),
        (LabelShare(0.5, sides=["learn"]), "labelled.sides: there is no side 'learn'; there are train, valid, test"),
    ],
)
def test_shares_that_make_no_sense_are_refused(share, message):
    with pytest.raises(UsageError, match=message):
        label_share([0, 1], ["train", "train"], share)


def test_lengths_have_to_fit():
    with pytest.raises(InputError, match="codes, sides and ids differ in length"):
        label_share([0, 1], ["train"], LabelShare(0.5))
