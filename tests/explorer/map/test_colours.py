"""How columns become colours."""

import numpy as np
import pytest
from bokeh.palettes import Viridis256

from astroclip_kit.explorer.columns import Column
from astroclip_kit.explorer.map.colours import MISSING, OTHERS, PAIRS, PLAIN, Colouring, rgb
from astroclip_kit.report.figures.canvas import COLOURS


def numbers(values, unit=""):
    return Colouring(Column("v", unit, lambda: np.asarray(values, dtype=float), False))


def classes(values):
    return Colouring(Column("k", "", lambda: np.asarray(values), True))


def test_without_a_column_all_have_one_colour():
    plain = Colouring()
    assert plain.kind == "plain" and plain.missing == 0 and plain.name == ""
    assert (plain.of(np.arange(3)) == rgb(PLAIN)).all() and plain.told(np.arange(2)) == ["", ""]


def test_numbers_run_through_viridis_from_1_to_99_per_cent():
    colouring = numbers([*np.linspace(0, 100, 1001), -1e9, 1e9, np.nan, np.inf])
    assert colouring.span == pytest.approx((1, 99), abs=0.2) and colouring.missing == 2
    found = colouring.of(np.array([0, 500, 1000, 1001, 1002, 1003, 1004]))
    first, last, grey = rgb(Viridis256[0]), rgb(Viridis256[-1]), rgb(MISSING)
    expected = [first, rgb(Viridis256[127]), last, first, last, grey, grey]
    assert np.abs(found.astype(int) - expected).max() <= 3


@pytest.mark.parametrize("values", [[3.0, 3.0], [np.nan, np.nan], [3.0, np.nan]])
def test_one_value_or_none_has_a_span_of_its_own(values):
    low, high = numbers(values).span
    assert low < high


def test_values_are_told_with_their_unit():
    colouring = numbers([0.123456, np.nan], unit="Mpc")
    assert colouring.told(np.arange(2)) == ["0.1235 Mpc", "unknown"]


def some_classes(count):
    """Classes "A", "B", ... of which each is rarer than the one before."""
    return [letter for place, letter in enumerate("ABCDEFGHIJKLMN"[:count]) for _ in range(20 - place)]


def test_eleven_classes_have_a_pair_of_colour_and_shape_and_of_more_the_most_frequent_ten():
    kinds = [*some_classes(12), ""]
    few, many = classes(some_classes(11)), classes(kinds)
    assert few.names == list("ABCDEFGHIJK") and len(set(zip(few.palette, few.shapes, strict=True))) == 11 + 2
    assert few.palette[:7] == list(COLOURS) and set(few.palette[7:11]) < set(COLOURS)
    assert many.names == list("ABCDEFGHIJ") and many.palette[-2:] == [OTHERS, MISSING]
    rows = np.array([kinds.index(letter) for letter in "AHKL"] + [len(kinds) - 1])
    assert many.codes(rows).tolist() == [0, 7, 10, 10, 11]
    assert [tuple(one) for one in many.of(rows)] == [rgb(many.palette[code]) for code in (0, 7, 10, 10, 11)]
    assert many.markers(rows) == [PAIRS[0][1], PAIRS[7][1], "hex", "hex", "circle"]
    assert many.told(rows) == ["A", "H", "K", "L", "unknown"] and many.missing == 1


def test_of_pixels_seven_classes_are_told_and_of_more_six_as_no_shape_helps():
    seven, eight = classes(some_classes(7)), classes(some_classes(8))
    assert seven.of_pixels is seven and Colouring().of_pixels.kind == "plain"
    assert eight.of_pixels.names == list("ABCDEF") and eight.of_pixels.palette == [*COLOURS[:6], OTHERS, MISSING]


def test_flags_are_classes():
    flags = classes(np.array([True, False, True]))
    assert flags.names == ["True", "False"] and flags.told(np.array([1])) == ["False"]
