"""Which published orderings hold, told from numbers alone."""

import math

import pytest

from astroclip_kit.classifiers import corrected_difference
from astroclip_kit.recipes.orderings import orderings_html, verdicts
from astroclip_kit.recipes.published import Published

NAMES = {"a": "model A", "b": "model B", "c": "model C"}


def published(value, spread=0.01):
    return Published("paper", "x", "image", "image", "class", "macro_f1", value, "its table", spread=spread)


PUBLISHED = {"a": published(0.95), "b": published(0.92), "c": published(0.919, math.nan)}


def paired(a, b):
    return corrected_difference(a, b, 0.1)


def found(measured, pairs=(("b", "a"),)):
    return list(verdicts(pairs, PUBLISHED, measured, paired))


@pytest.mark.parametrize(
    ("better", "verdict"),
    [
        ([0.95, 0.951, 0.949], "holds"),
        ([0.95, 0.89, 0.91], "holds on average"),
        ([0.93, 0.88, 0.87], "is reversed on average"),
        ([0.9003, 0.91, 0.891], "is level"),
        ([0.85, 0.851, 0.849], "is reversed"),
    ],
)
def test_the_verdict_follows_the_measured_difference(better, verdict):
    [one] = found({"a": better, "b": [0.9, 0.901, 0.9]})
    assert (one.better, one.worse, one.verdict) == ("a", "b", verdict)
    assert one.published == pytest.approx(0.03) and one.spread == pytest.approx(math.hypot(0.01, 0.01))
    assert one.low <= one.value <= one.high


def test_models_that_were_not_run_or_not_published_are_left_out():
    assert not found({"a": [0.9, 0.8], "d": [0.1, 0.2]}, [("a", "b"), ("a", "d")])


def test_the_paragraph_counts_and_names_them():
    measured = {"a": [0.95, 0.951, 0.949], "b": [0.9, 0.901, 0.9], "c": [0.93, 0.931, 0.932]}
    page = orderings_html(found(measured, [("a", "b"), ("a", "c"), ("b", "c")]), NAMES, "macro F1", 11)
    assert "The published tables state 11 orderings by macro F1, of which 3 were measured. Here" in page
    assert "<li>hold beyond the scatter of the repetitions: 2 (model A above model B +0.050; model A above" in page
    assert "<li>are reversed beyond the scatter: 1 (model B above model C -0.031).</li>" in page
    assert "<li>hold on average, within the scatter: 0.</li>" in page and "are level" not in page
    assert "1 published difference is smaller than its own published scatter" in page
    assert page.count("<tr>") == 4 and "<td>is reversed</td>" in page


def test_differences_without_scatter_do_not_hold_beyond_it():
    """Equal differences in all seeds, as of few test objects, and none at all."""
    measured = {"a": [0.95, 0.93, 0.94], "b": [0.9, 0.88, 0.89], "c": [0.9, 0.88, 0.89]}
    first, second = found(measured, [("a", "b"), ("b", "c")])
    assert (first.verdict, second.verdict) == ("holds on average", "is level")
    page = orderings_html([first, second], NAMES, "macro F1", 2)
    assert "<li>hold beyond the scatter of the repetitions: 0.</li>" in page
    assert "<li>are level to three digits: 1 (model B level with model C).</li>" in page
    assert page.count("<td>cannot be told</td><td>-</td>") == 2 and "nan" not in page
