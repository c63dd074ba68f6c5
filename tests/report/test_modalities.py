"""The table and the figure of a classifier that is shown some of its modalities."""

from dataclasses import replace

import numpy as np
import pytest

from astroclip_kit.errors import InputError
from astroclip_kit.report import figures, result_figures
from astroclip_kit.report.modalities import subsets_html
from astroclip_kit.report.sections import sections
from astroclip_kit.types import Result

CLASSES = ["EW", "M", "RRAB", "SR", "ROT", "DSCT"]
QUERIES = ["lightcurve", "spectrum", "lightcurve+spectrum"]


def result(query, metric, value, name=""):
    wanted, count = f"class:{name}" if name else "class", 20 if name else 120
    about = {"task": "modalities", "target": query, "n": count, "seed": 0, "dataset": "survey", "origin": "mock"}
    about |= {"low": value - 0.1, "high": value + 0.1, "chance": 0.2, "space": "supervised"}
    return Result(query=query, property=wanted, metric=metric, value=value, **about)


RESULTS = [
    one
    for number, query in enumerate(QUERIES)
    for one in (
        result(query, "accuracy", 0.6 + 0.1 * number),
        result(query, "balanced_accuracy", 0.5 + 0.1 * number),
        *(result(query, "recall", 0.1 + 0.15 * place, name) for place, name in enumerate(CLASSES)),
    )
]


def test_the_figure_has_a_line_and_a_row_of_cells_for_each_subset():
    figure = figures.modality_subsets(RESULTS, title="variables")
    left, right = figure.axes
    assert [text.get_text() for text in left.get_yticklabels()] == [one.replace("+", " + ") for one in QUERIES]
    assert right.get_xticklabels()[0].get_text() == "EW (20)"
    assert [text.get_text() for text in right.texts][: len(CLASSES)] == ["10", "25", "40", "55", "70", "85"]
    points = [line.get_xdata()[0] for line in left.lines if line.get_marker() in "os"]
    np.testing.assert_allclose(points, [0.6, 0.7, 0.8, 0.5, 0.6, 0.7])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["accuracy", "balanced accuracy", "guessing"]


def test_the_table_shows_each_class_with_its_number_of_objects():
    page = subsets_html([*RESULTS, replace(RESULTS[0], fold=0)])
    assert page.count("<td>lightcurve + spectrum</td>") == 3  # all classes, five classes, and one
    for text in ("<h3>class: all classes</h3>", "<th>ROT (n 20)</th>", "<th>accuracy (n 120)</th>", "0.700 to 0.900"):
        assert text in page, text
    assert subsets_html([]) == ""


def test_a_report_has_a_section_of_them_and_counts_them_as_no_model():
    drawn = result_figures(RESULTS)
    assert [*drawn] == [
        "What a classifier is worth that is shown some modalities alone, with 95 % intervals; grey: guessing."
    ]
    shown = sections(RESULTS, drawn)
    assert [*shown] == ["What each modality tells"] and "<figure" in shown["What each modality tells"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([one for one in RESULTS if one.metric != "recall"], "there is no number of any class. Give what subset_table"),
        (RESULTS[1:], r"there is no number of all classes \(lightcurve, accuracy\)"),
        (RESULTS[:-1], r"there is no number of DSCT \(lightcurve\+spectrum, recall\)"),
    ],
)
def test_what_lacks_a_number_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        figures.modality_subsets(given)
