"""What the probabilities of a classifier are worth on objects that it has not seen, with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NotRequired, TypedDict, Unpack

import numpy as np
import numpy.typing as npt

from ..downstream.calibration import brier, calibration_interval, confidence
from ..downstream.scoring import trials
from ..downstream.tally import Tally, binned_errors
from ..errors import InputError
from ..metrics import Sweep, class_scores, share_interval, weighted_bootstrap
from ..metrics.classes import OF_ONE
from ..types import Result

__all__ = ["CLASS_METRICS", "METRICS", "judge"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
COUNTED = ("macro_precision", "macro_recall", "macro_f1", "accuracy", "balanced_accuracy")
METRICS = (*COUNTED, "auc", "average_precision", "brier", "ece", "ece_uncalibrated")  # of all classes together
CLASS_METRICS = (*OF_ONE, "auc", "average_precision")


class About(TypedDict):
    """What was judged.

    Args:
        task: Name of the model: "batmm", "svm", ...
        query: What it sees: "image", "spectrum", "image+spectrum", ...
        dataset: Name of the data set.
        origin: "mock" or "real".
        space: Where the model works; "supervised" by default.
    """

    task: str
    query: str
    dataset: str
    origin: Literal["mock", "real"]
    space: NotRequired[str]


def judge(
    true: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    classes: Sequence[str],
    *,
    label: str,
    uncalibrated: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    n_boot: int = 1000,
    seed: int = 0,
    **about: Unpack[About],
) -> list[Result]:
    """Judges probabilities of classes by objects whose class is known.

    Args:
        true: Class of each object [N].
        probabilities: Of each class [N, C]; the most probable one is what is said.
        classes: Names of the classes [C].
        label: What the classes are of: the property of the results.
        uncalibrated: Probabilities before temperature scaling [N, C]; adds "ece_uncalibrated".
        groups: Astrophysical object of each row [N]; whole groups are drawn for the intervals.
        n_boot: Resamples of the 95 % intervals.
        seed: Of the run, and of the resampling.
        about: `task` (the model), `query` (what it sees), `dataset` and `origin` of the results.

    Returns:
        Of all classes together, with the label as property: `METRICS`, of which "macro_precision", "macro_recall"
        and "macro_f1" are means over the classes that occur, "auc" and "average_precision" means of every class
        against the rest; `chance` is whoever always says the most frequent class (and, for "brier", how frequent each
        is). Then of each class that occurs, with property "label:class" and `n` its objects: `CLASS_METRICS`, of which
        "one_vs_rest_accuracy" is not comparable with "accuracy", and what needs others is left out where there is one
        class alone; chance is whoever says the class at random, as often as it occurs. Space is "supervised", target
        what it sees. Shares of 0 or 1, which resamples cannot change, have the interval of Wilson; "ece" is that of
        `calibration_interval`, without what few objects add.

    Raises:
        InputError: If lengths do not fit, rows are no probabilities, or a true class is not among `classes`.

    Example:
        >>> about = {"task": "svm", "query": "spectrum", "dataset": "stars", "origin": "mock"}
        >>> sure = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]
        >>> found = judge(["bhb", "other", "other"], sure, ["bhb", "other"], label="class", n_boot=10, **about)
        >>> [(one.property, one.value) for one in found if one.metric in ("accuracy", "recall")]
        [('class', 0.6666666666666666), ('class:bhb', 1.0), ('class:other', 0.5)]
    """
    judged = _Judged.of(true, probabilities, classes)
    owner = np.arange(len(judged.true)) if groups is None else np.asarray(groups)
    resampling: dict[str, Any] = {"n_boot": n_boot, "seed": seed, "groups": owner}
    low, high = weighted_bootstrap(judged.numbers, len(judged.true), **resampling)
    values = judged.numbers(np.ones((len(judged.true), 1)))[:, 0]
    found = list(zip(judged.names, zip(values, low, high, judged.chances, strict=True), strict=True))
    for metric, given in (("ece", probabilities), ("ece_uncalibrated", uncalibrated)):
        if given is not None:
            found.append(((metric, -1), (*_Judged.of(true, given, classes).error(**resampling), math.nan)))
    results = []
    for (metric, column), (value, bottom, top, chance) in sorted(found, key=lambda one: one[0][1] >= 0):
        own = judged.true == column if column >= 0 else np.ones(len(judged.true), dtype=bool)
        if metric in (*COUNTED, *OF_ONE):
            among = {"specificity": ~own, "one_vs_rest_accuracy": np.ones_like(own)}.get(metric, own)
            bottom, top = share_interval(value, bottom, top, trials(metric, owner[among], judged.true[among]))
        one = Result(
            task=about["task"],
            query=about["query"],
            target=about["query"],
            property=f"{label}:{classes[column]}" if column >= 0 else label,
            metric=metric,
            value=float(value),
            low=float(bottom),
            high=float(top),
            n=int(own.sum()),
            seed=seed,
            dataset=about["dataset"],
            origin=about["origin"],
            chance=float(chance),
            space=about.get("space", "supervised"),
        )
        results.append(one)
    return results


@dataclass(frozen=True)
class _Judged:
    """True classes beside probabilities, and the numbers of many resamples of them.

    Args:
        classes: Names [C].
        true: Number of the class of each object [N].
        p: Probabilities [N, C].
    """

    classes: npt.NDArray[np.str_]
    true: npt.NDArray[np.int64]
    p: Float

    @classmethod
    def of(cls, true: npt.ArrayLike, probabilities: npt.ArrayLike, classes: Sequence[str]) -> _Judged:
        names, y = np.asarray(classes).astype(str), np.asarray(true).astype(str)
        if unknown := sorted(set(y.tolist()) - set(names.tolist())):
            raise InputError(f"true: the class {unknown[0]!r} is none of those judged: {', '.join(names)}.")
        confidence(probabilities, names, y)  # refuses what are no probabilities
        order = np.argsort(names)
        return cls(names, order[np.searchsorted(names[order], y)], np.asarray(probabilities, dtype=np.float64))

    @cached_property
    def tally(self) -> Tally:
        return Tally(self.true, self.p.argmax(axis=1), len(self.classes))

    @cached_property
    def sweeps(self) -> dict[int, Sweep]:
        """Of each class that occurs, and is not the only one, against the rest."""
        occur = np.unique(self.true).tolist()
        return {one: Sweep.of(self.p[:, one], self.true == one) for one in occur if len(occur) > 1}

    @cached_property
    def loss(self) -> Float:
        return brier(self.p, self.classes, self.classes[self.true])

    @cached_property
    def names(self) -> list[tuple[str, int]]:
        """Metric and column of the class, -1 for all classes, of each of the numbers."""
        drawn = METRICS[: len(COUNTED) + 3] if self.sweeps else (*COUNTED, "brier")
        of_class = CLASS_METRICS if self.sweeps else ("precision", "recall", "f1")
        return [(name, -1) for name in drawn] + [(name, c) for c in np.unique(self.true).tolist() for name in of_class]

    def numbers(self, drawn: Float) -> Float:
        """The numbers [M, B] of resamples in which each object occurs as often as it was drawn [N, B]."""
        counted = self.tally.scores(drawn)
        swept: dict[str, dict[int, Float]] = {"auc": {}, "average_precision": {}}
        for column, sweep in self.sweeps.items():
            swept["auc"][column], swept["average_precision"][column] = sweep.area(drawn), sweep.average_precision(drawn)
        together = {**counted, **{name: _mean(one) for name, one in swept.items() if one}}
        together["brier"] = self.loss @ drawn / drawn.sum(axis=0)
        of_class: dict[str, Any] = {name: counted[name].T for name in OF_ONE} | swept
        return np.stack([together[name] if column < 0 else of_class[name][column] for name, column in self.names])

    @cached_property
    def chances(self) -> list[float]:
        """What the numbers are of whoever knows only how frequent the classes are."""
        many = np.bincount(self.true, minlength=len(self.classes))
        share, constant = many / many.sum(), np.zeros((len(many), len(many)))
        constant[:, many.argmax()] = many
        guessed = {name: float(values) for name, values in class_scores(constant).items() if np.ndim(values) == 0}
        guessed |= {
            "auc": 0.5,
            "average_precision": share[many > 0].mean(),
            "brier": 1 - np.square(share).sum(),
        }
        of_class: dict[str, Any] = {"auc": np.full(len(share), 0.5), "specificity": 1 - share}
        of_class["one_vs_rest_accuracy"] = share**2 + (1 - share) ** 2
        return [guessed[name] if column < 0 else of_class.get(name, share)[column] for name, column in self.names]

    def error(self, **resampling: Any) -> tuple[float, float, float]:
        """Expected calibration error and its interval."""
        sure, right = confidence(self.p, self.classes, self.classes[self.true])
        low, high = weighted_bootstrap(lambda drawn: binned_errors(sure, right, drawn), len(sure), **resampling)
        return calibration_interval(sure, right, resampling["groups"], float(high - low) / 2)


def _mean(by_class: dict[int, Float]) -> Float:
    """Mean over the classes that a resample holds; NaN where it holds one class only."""
    stacked = np.stack(list(by_class.values()))
    known = np.isfinite(stacked)
    mean: Float = np.where(known, stacked, 0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)
    return mean
