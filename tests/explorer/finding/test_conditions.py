"""Conditions that widgets write and read again."""

import numpy as np
import pytest

from astroclip_kit.explorer.finding.conditions import among, between, chosen, limits, swapped
from astroclip_kit.filters import rows_where

NAMES = ["z", "class", "2mass j", "a`b", "a__b", "<script>", "é"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "ends", [(0.1, None), (None, -2e-7), (-1.5, 12345678.25), (0.0, 0.0), (2460123.123456789, 1e300)]
)
def test_limits_are_read_as_they_were_written(name, ends):
    condition = between(name, *ends)
    assert limits(name, condition) == ends
    assert all(limits(other, condition) is None for other in NAMES if other != name)
    values = np.array([-2.0, -1.0, 0.0, 0.2, np.nan])
    low, high = (-np.inf if ends[0] is None else ends[0], np.inf if ends[1] is None else ends[1])
    assert rows_where({name: values}, condition).tolist() == ((values >= low) & (values <= high)).tolist()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("classes", [["QSO"], ['Barnard\'s "star"', "a\\b", "`", ""], ["<script>", "x] or z in ["]])
def test_classes_are_read_as_they_were_written(name, classes):
    condition = among(name, classes)
    assert chosen(name, condition) == classes
    values = np.array([*classes, "another"])
    assert rows_where({name: values}, condition).tolist() == [True] * len(classes) + [False]


@pytest.mark.parametrize(
    "condition", ["", "z", "z > 1", "1 <= z < 2", "z >= 1 and x", "z in [1]", "z in [", "z in ['a'] or x"]
)
def test_other_conditions_are_not_theirs(condition):
    assert limits("z", condition) is None and chosen("z", condition) is None


def test_nothing_that_is_chosen_is_no_condition():
    assert between("z", None, None) == among("z", []) == ""


def test_a_condition_takes_the_place_of_another_and_stands_once():
    assert swapped(("a", "b"), "a", "c") == ("c", "b")
    assert swapped(("a", "b"), "a", "b") == ("b",)
    assert swapped(("a", "b"), "b", "") == ("a",)
    assert swapped(("a",), "", "b") == ("a", "b")


@pytest.mark.parametrize("ends", [(4611686018427387907, None), (None, 39627835123456789), (123456789012345.0, 2**62)])
def test_ids_keep_all_their_digits(ends):
    condition = between("id", *ends)
    assert limits("id", condition) == ends
    values = np.array([one for one in ends if one is not None], dtype=np.int64)
    assert rows_where({"id": values}, condition).all() and between("id", values[0], None) == f"id >= {values[0]}"
