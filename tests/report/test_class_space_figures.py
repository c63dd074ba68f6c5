"""Figures of classes in a space: every number is drawn, and what cannot be drawn says why."""

from itertools import combinations

import numpy as np
import pytest
from astropy.table import Table
from matplotlib.text import Text

from astroclip_kit.downstream import Centroids
from astroclip_kit.errors import InputError
from astroclip_kit.report import evaluation_figures, result_figures
from astroclip_kit.report.figures import centroid_similarity, few_shot_curves, mislabel_plane
from astroclip_kit.report.sections import sections
from astroclip_kit.settings import Evaluation
from astroclip_kit.types import Result

CLASSES = np.array(["EB", "EW", "SR"])


def curve(method="centroid", query="spectrum", std=0.05):
    for shots in ("10", "1", "all"):
        for metric in ("accuracy", "balanced_accuracy"):
            value = {"1": 0.4, "10": 0.6, "all": 0.8}[shots]
            about = f"few_shot_{method}", query, query, "class", f"{metric}@{shots}", value, value - 0.1, value + 0.1
            yield Result(*about, 50, 0, "stars", "mock", chance=0.3, std=std)


def test_curves_have_a_column_per_method_and_the_shots_in_order():
    results = [*curve(), *curve(query="mean"), *curve("1nn", std=np.nan)]
    figure = few_shot_curves(results, name="class")
    panels = figure.axes
    assert len(panels) == 4 and figure.task == "few_shot_centroid"
    assert [tick.get_text() for tick in panels[2].get_xticklabels()] == ["1", "10", "all"]
    line = panels[0].containers[0].lines[0]
    assert line.get_ydata().tolist() == [0.4, 0.6, 0.8] and np.allclose(np.diff(line.get_xdata().astype(float)), 1)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["most frequent class", "spectrum", "mean of all"]
    assert {axes.get_title() for axes in panels} == {"nearest centroid", "nearest example", ""}


@pytest.mark.parametrize("methods", [["centroid"], ["centroid", "1nn"], ["centroid", "1nn", "knn"]])
def test_the_legend_of_the_curves_fits_the_figure(methods):
    queries = ["lightcurve", "spectrum", "metadata", "mean", "vote"]
    figure = few_shot_curves([one for method in methods for query in queries for one in curve(method, query)])
    figure.draw_without_rendering()
    [legend] = figure.legends
    box, whole = legend.get_window_extent(), figure.bbox
    assert whole.x0 <= box.x0 < box.x1 <= whole.x1 and whole.y0 <= box.y0 and len(legend.get_texts()) == 6


def test_a_report_has_a_section_of_few_examples():
    results = [*curve(), *curve(query="vote")]
    figures = result_figures(results)
    assert len(figures) == 1 and "by number of examples of each class" in next(iter(figures))
    page = sections(results, figures)["Classes from few examples"]
    assert "balanced accuracy, 1 example<" in page and "accuracy, all examples" in page and "Nearest centroid" in page
    with pytest.raises(InputError, match="expected results of few_shot, found none"):
        few_shot_curves([])


def test_centroids_are_shown_within_and_between_modalities():
    directions = {name: np.linalg.qr(np.random.default_rng(i).normal(size=(8, 3)))[0].T for i, name in enumerate("abc")}
    directions["mean"] = np.where(np.arange(3)[:, None] == 2, np.nan, directions["a"])
    counts = {name: np.array([3, 2, 1]) for name in directions}
    found = Centroids("class", CLASSES, directions, counts)
    shown = [axes for axes in centroid_similarity(found).axes if axes.images]
    assert [axes.get_title() for axes in shown] == ["a", "b", "c", "mean", "a ↓ b →", "a ↓ c →", "b ↓ c →"]
    np.testing.assert_allclose(shown[4].images[0].get_array(), directions["a"] @ directions["b"].T)
    assert [tick.get_text() for tick in shown[0].get_yticklabels()] == CLASSES.tolist()
    with pytest.raises(InputError, match="expected classes in at least one modality, found none"):
        centroid_similarity(Centroids("class", CLASSES, {}, {}))


def audit():
    kinds = ["mislabelled", "in-class outlier", *[""] * 8]
    table = Table({"object_id": [f"v{i}" for i in range(10)], "kind": kinds, "class": ["EW"] * 10})
    table["suggested"], table["own_distance"] = "SR", np.linspace(0.9, 0.1, 10)
    table["nearest_distance"] = np.append(np.linspace(0.1, 0.5, 9), np.nan)
    table.meta = {"on": "mean", "label": "class"}
    return table


def test_the_plane_names_the_first_of_both_kinds():
    axes = mislabel_plane(audit()).axes[0]
    assert {text.get_text() for text in axes.texts} == {"v0: EW → SR", "v1: EW"}
    labels = [text.get_text() for text in axes.figure.legends[0].get_texts()]
    assert labels == ["neither: 7", "in-class outlier: 1", "mislabelled: 1"]
    assert axes.collections[2].get_offsets().tolist() == [[0.9, 0.1]] and axes.get_title() == "class by mean"
    with pytest.raises(InputError, match=r"has no column 'kind'. Give the one of label_audit"):
        mislabel_plane(audit()[["object_id"]])
    with pytest.raises(InputError, match="expected objects with distances to two classes, found none"):
        mislabel_plane(audit()[-1:])


def test_names_cover_no_misfit_and_no_other_name():
    rng, count = np.random.default_rng(0), 300
    kinds = np.array(["mislabelled", "in-class outlier", "far, nearer to another"])[np.arange(count) % 3]
    table = Table({"object_id": [f"v{i}" for i in range(count)], "kind": np.where(np.arange(count) < 30, kinds, "")})
    table["class"], table["suggested"], table["nearest"] = "EW", "SR", "M"
    table["own_distance"], table["nearest_distance"] = rng.uniform(0.4, 1, count), rng.uniform(0.3, 0.8, count)
    table.meta = {"on": "mean", "label": "class"}
    figure = mislabel_plane(table)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    texts = sorted(text.get_text() for text in axes.texts)
    assert len(texts) == 15 and texts[0] == "v0: EW → SR" and {"v1: EW", "v2: EW → M"} <= set(texts)
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    places = axes.transData.transform(np.stack([table["own_distance"], table["nearest_distance"]], axis=1)[:30])
    assert not any(box.contains(*place) for box in boxes for place in places)


def test_names_of_a_crowd_go_far_or_are_left_out():
    near = np.linspace(0.001, 0.01, 400)
    table = Table({"object_id": [f"9000-57000-{i}" for i in range(400)], "kind": np.full(400, "mislabelled")})
    table["class"], table["suggested"] = "galaxy", "star"
    table["own_distance"], table["nearest_distance"] = near, near[::-1] / 50
    table["nearest_distance"][-1], table["kind"][-1] = 0.8, ""
    table.meta = {"on": "spectrum", "label": "class"}
    figure = mislabel_plane(table, named=60)
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in figure.axes[0].texts]
    assert 5 < len(boxes) < 60 and not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_an_evaluation_by_shots_draws_the_centroids(space):
    drawn = evaluation_figures(space, ["class", "z"], settings=Evaluation(k=3, shots="1"))
    own = {caption: one for caption, one in drawn.items() if one.task == "few_shot_centroid"}
    assert list(own) == ["How alike the centroids of class are, within each modality and between two."]
    assert not any(one.task == "few_shot_centroid" for one in evaluation_figures(space, [], dataset=None).values())
