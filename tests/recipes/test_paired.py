"""Models compared over the seeds that they share."""

import math

import pytest

from astroclip_kit.classifiers import corrected_difference
from astroclip_kit.recipes.paired import Paired
from astroclip_kit.recipes.published import Published
from astroclip_kit.results import combine
from astroclip_kit.types import Result

VALUES = {"small": [0.8, 0.82, 0.84], "large": [0.9, 0.91, 0.95], "once": [0.7], "twice": [0.81, 0.8]}
NAMES = {name: name.upper() for name in VALUES}


def result(task, seed, value, metric="macro_f1", of="class"):
    about = (task, "image", "image", of, metric, value, value, value, 30, seed, "sky", "mock")
    return Result(*about, space="supervised")


@pytest.fixture
def paired():
    seeds = [
        [result(task, seed, values[seed]) for task, values in VALUES.items() if seed < len(values)] for seed in range(3)
    ]
    seeds[0] += [result("small", 0, 0.1, "f1", "class:star"), result("shares", 0, 0.3)]
    return Paired(combine(seeds, 0.2), "class", 0.2, NAMES, objects="sources")


def test_models_are_compared_over_the_seeds_that_both_were_run_with(paired):
    assert paired.shared("large", "twice") == [[0.9, 0.91], [0.81, 0.8]]
    assert paired.compares("small", "twice") and not paired.compares("small", "once")
    assert not paired.compares("small", "never")
    assert paired.difference("large", "twice") == corrected_difference([0.9, 0.91], [0.81, 0.8], 0.2)


def test_orderings_are_those_that_were_published_and_repeated(paired):
    told = {
        name: Published("paper", name, "image", "image", "class", "macro_f1", value, "a table")
        for name, value in (("small", 0.9), ("large", 0.8), ("once", 0.7))
    }
    [found] = paired.verdicts([("small", "large"), ("once", "small"), ("twice", "small")], told)
    assert (found.better, found.worse, found.verdict) == ("small", "large", "is reversed")
    assert "The published tables state 1 ordering by macro F1, of which 1 was measured" in paired.orderings(
        [("small", "large")], told
    )
    assert paired.orderings([("twice", "small")], told) == ""


def test_what_is_stated_without_a_number_is_compared_as_well(paired):
    page = paired.stated({("large", "small"): math.nan, ("small", "twice"): 0.01, ("once", "small"): 0.1})
    assert "The published tables state 3 orderings by macro F1, of which 2 were measured" in page
    assert "<td>LARGE</td><td>SMALL</td><td>not printed</td>" in page and "<td>+0.0100</td>" in page
    assert paired.stated({("once", "small"): 0.1}) == ""


def test_one_against_all_others_as_a_table_and_as_results(paired):
    page, differences = paired.against("large")
    assert "Macro F1 of LARGE less that of each other model on the same test sources" in page
    values = {one.target: one for one in differences if one.metric == "macro_f1_difference"}
    assert set(values) == {"small", "twice"} and values["twice"].n == 2
    assert values["small"].value == pytest.approx(0.1)
    assert all(math.isfinite(one.value) for one in differences if one.metric == "p_adjusted")


def test_no_difference_of_shares_reaches_beyond_one():
    seeds = [[result("small", seed, 0.1 + 0.5 * seed), result("large", seed, 0.9 - 0.2 * seed)] for seed in range(2)]
    paired = Paired(combine(seeds, 0.2), "class", 0.2, NAMES)
    mean, low, high, _ = paired.difference("small", "large")
    assert (low, high) == (-1.0, 1.0) and mean == pytest.approx(-0.45)
    _, (difference, _) = paired.against("large")
    assert (difference.low, difference.high) == (-1.0, 1.0)
    told = {
        name: Published("paper", name, "image", "image", "class", "macro_f1", value, "a table")
        for name, value in (("small", 0.8), ("large", 0.9))
    }
    assert "<td>-1.0000 to +1.0000</td>" in paired.orderings([("small", "large")], told)
