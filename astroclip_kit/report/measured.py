"""Figures of results: what was measured, side by side with its intervals and with what guessing reaches."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..types import Result
from .classes import is_classifier
from .figures.calibration import coverage_by_bin, coverage_curve
from .figures.few_shots import few_shot_curves
from .figures.intervals import Interval, interval_plot
from .figures.subsets import modality_subsets
from .tables import chosen
from .wording import axis_title, method, model_title, pair, property_title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["result_figures"]

LEADING = ("r2", "balanced_accuracy")  # the metric by which ways to predict a property are compared
Captioned = Iterator[tuple[str, "Figure"]]


def result_figures(results: Sequence[Result]) -> dict[str, Figure]:
    """Caption to figure of everything that was measured; of tasks without results there is none.

    Args:
        results: What was measured; where folds were put together, the single folds are left out.
    """
    shown = [one for one in results if one.fold < 0 and math.isfinite(one.value)]
    by_task: dict[str, list[Result]] = {}
    for one in shown:
        by_task.setdefault(one.task, []).append(one)
    drawn = [
        *_retrieval(by_task.get("retrieval", [])),
        *_methods(
            [one for one in shown if one.metric in LEADING and one.task != "modalities" and not is_classifier(one)]
        ),
        *_classifiers([one for one in shown if one.metric in ("macro_f1", "f1") and is_classifier(one)]),
        *_few_shots([one for one in shown if one.task.startswith("few_shot_")]),
        *_subsets(by_task.get("modalities", [])),
        *_coverage(by_task.get("coverage", [])),
        *_space(by_task.get("space", [])),
        *_clusters(by_task.get("clustering", [])),
        *_oddities(by_task.get("anomaly", [])),
    ]
    return dict(drawn)


def _panels(results: Sequence[Result], label: Callable[[Result], str]) -> dict[str, list[Interval]]:
    """Numbers by metric."""
    panels: dict[str, list[Interval]] = {}
    order = list(dict.fromkeys((one.query, one.target) for one in results))
    for one in sorted(results, key=lambda one: order.index((one.query, one.target))):
        number = Interval(label(one), one.value, one.low, one.high, one.chance)
        panels.setdefault(axis_title(one.metric), []).append(number)
    return panels


def _by_pair(one: Result) -> str:
    centred = ", centred" if one.space == "aligned, centred" else ""
    return pair(one.query, one.target) + centred


def _retrieval(results: Sequence[Result]) -> Captioned:
    if results:
        yield (
            "Retrieval of held-out objects, with 95 % intervals; grey marks: guessing.",
            interval_plot(_panels(results, _by_pair), task="retrieval"),
        )


def _methods(results: Sequence[Result]) -> Captioned:
    """Ways to predict a property, where there are several."""
    for name in dict.fromkeys(one.property for one in results):
        own = [one for one in results if one.property == name]
        if len({(one.task, one.space) for one in own}) < 2:
            continue
        own.sort(key=lambda one: (one.query != one.target, pair(one.query, one.target)))
        panels = _panels(own, lambda one: f"{pair(one.query, one.target)}: {method(one)}")
        task = "probe_linear" if any(one.task.startswith("probe") for one in own) else own[0].task
        caption = f"{name} of held-out objects by different methods, with 95 % intervals; grey marks: guessing."
        yield caption, interval_plot(panels, title=name, task=task)


def _classifiers(results: Sequence[Result]) -> Captioned:
    """F1 of all classes together and of each, where there are several models; the best of all classes first."""
    models = {(one.task, one.query): one.value for one in results if one.metric == "macro_f1"}
    if len(models) < 2:
        return
    order = sorted(models, key=lambda model: -models[model])
    known = [one for one in results if (one.task, one.query) in models]
    panels: dict[str, list[Interval]] = {}
    for one in sorted(known, key=lambda one: order.index((one.task, one.query))):
        label = f"{model_title(one.task)} ({one.query.replace('+', ' + ')})"
        axis = f"{axis_title(one.metric)}: {property_title(one.property)}"
        panels.setdefault(axis, []).append(Interval(label, one.value, one.low, one.high, one.chance))
    caption = "Classifiers by what each sees, on held-out objects, with 95 % intervals; grey marks: guessing."
    yield caption, interval_plot(panels, task="classifiers")


def _few_shots(results: Sequence[Result]) -> Captioned:
    for name, data in dict.fromkeys((one.property, one.dataset) for one in results):
        own = [one for one in results if (one.property, one.dataset) == (name, data)]
        caption = (
            f"{name} of held-out objects by number of examples of each class. Shades: a standard deviation between "
            f"draws of the examples; bars: 95 % interval of the mean; dashed: always saying the most frequent class."
        )
        yield caption, few_shot_curves(own, name=name)


def _subsets(results: Sequence[Result]) -> Captioned:
    """One classifier with each subset of its modalities."""
    if results:
        caption = "What a classifier is worth that is shown some modalities alone, with 95 % intervals; grey: guessing."
        yield caption, modality_subsets(results)


def _coverage(results: Sequence[Result]) -> Captioned:
    """By bin for each coverage wanted, and over all wanted where there are several."""
    kinds = dict.fromkeys((one.property, one.query, one.target) for one in results)
    for name, query, target in kinds:
        own = [one for one in results if (one.property, one.query, one.target) == (name, query, target)]
        overall: list[tuple[float, Result]] = []
        bins: dict[float, list[tuple[str, Result]]] = {}
        for one in own:
            if found := re.fullmatch(r"coverage@([\d.]+)(?: of (.+))?", one.metric):
                bins.setdefault(float(found[1]), []).append((found[2] or "all", one))
                overall += [] if found[2] else [(float(found[1]), one)]
        for wanted, named in bins.items():
            numbers = [[getattr(one, key) for _, one in named] for key in ("value", "low", "high")]
            labels = [f"{label} (n = {one.n:,})" for label, one in named]
            caption = f"How often {100 * wanted:g} % intervals hold the true {name} of held-out objects: {target}."
            yield caption, coverage_by_bin(labels, *numbers, wanted=wanted, name=name, title=pair(query, target))
        if len(overall) > 1:
            columns = zip(*((wanted, one.value, one.low, one.high) for wanted, one in overall), strict=True)
            yield f"Coverage of {name} measured against wanted: {target}.", coverage_curve(*columns, title=name)


def _space(results: Sequence[Result]) -> Captioned:
    if results:
        caption = "The space itself, of held-out objects, with 95 % intervals (jackknife)."
        yield caption, interval_plot(_panels(results, _by_pair), task="space")


def _clusters(results: Sequence[Result]) -> Captioned:
    """Silhouettes by number of clusters, and agreement with known classes."""
    silhouettes = [one for one in results if one.metric.startswith("silhouette")]
    if len(silhouettes) > 1:
        best = chosen(silhouettes)
        numbers = [
            Interval(one.metric.partition("@")[2] + " (chosen)" * (one in best), one.value, one.low, one.high)
            for one in silhouettes
        ]
        panel = {"mean silhouette (1: apart, 0: touching)": numbers}
        yield (
            "How far apart clusters are, by their number, with 95 % intervals.",
            interval_plot(panel, title="number of clusters", task="clustering"),
        )
    if agreement := [one for one in results if one.property]:
        panels = _panels(agreement, lambda one: one.property)
        yield (
            "Agreement of clusters with known classes, with 95 % intervals.",
            interval_plot(panels, task="clustering"),
        )


def _oddities(results: Sequence[Result]) -> Captioned:
    if results:
        panels = _panels(results, lambda one: " ".join(part for part in (one.property, _by_pair(one)) if part))
        yield "How well odd objects are found, with 95 % intervals.", interval_plot(panels, task="anomaly")
