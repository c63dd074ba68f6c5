"""Scores by share of the labels."""

import math

import pytest

from astroclip_kit.errors import InputError
from astroclip_kit.report.figures import AtShare, scores_by_label_share


def test_a_panel_for_each_input_with_published_marks_where_there_are_any():
    without = [AtShare(10, 0.6, 0.02, 0.688), AtShare(100, 0.8, math.nan, 0.846)]
    panels = {
        "Photometry": {"random weights": without, "pretrained": [AtShare(10, 0.7)]},
        "Spectra": {"pretrained": []},
    }
    figure = scores_by_label_share(panels, metric="accuracy")
    first, second = figure.axes
    assert (first.get_title(), second.get_title()) == ("Photometry", "Spectra")
    assert [text.get_text() for text in first.get_xticklabels()] == ["10", "100"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(labels) == ["pretrained", "random weights", "random weights, published"]


def test_no_score_at_all_is_refused():
    with pytest.raises(InputError, match="scores_by_label_share: expected at least one score, found none"):
        scores_by_label_share({"Photometry": {"pretrained": []}}, metric="accuracy")
