"""Intervals and sets of classes that hold the truth as often as wanted: split conformal prediction with MAPIE.

Objects that are neither neighbours nor queries say how far predictions are off. A number's error counts in units of
0.5 + spread / median spread, so that intervals widen where neighbours disagree (Papadopoulos, Vovk & Gammerman 2011,
JAIR 40, 815, Eq. 28); a class's is 1 - its probability (Sadinle, Lei & Wasserman 2019, JASA 114, 223). What is promised
holds for queries drawn like the calibrating objects, on average over them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from mapie.classification import SplitConformalClassifier
from mapie.conformity_scores import BaseRegressionScore
from mapie.regression import SplitConformalRegressor

from .properties import Property

__all__ = ["class_sets", "half_widths", "parts", "smallest"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
PARTS = 5  # of the calibrating objects, where some of them are also asked about
LEAST_SCALE = 0.5


def smallest(coverage: float, *, themselves: bool = False) -> int:
    """The fewest objects that can calibrate a coverage of a half or more.

    Args:
        coverage: How often intervals are to hold the truth.
        themselves: Whether some may be asked about, so that there have to be enough without the part they are in.

    Example:
        >>> smallest(0.9), smallest(0.95), smallest(0.9, themselves=True)
        (10, 20, 13)
    """
    least = math.ceil(round(1 / (1 - coverage), 9))
    return math.ceil(least * PARTS / (PARTS - 1)) if themselves else least


def parts(calibrating: Array, asked: Array, seed: int) -> Iterator[tuple[Flags, Flags]]:
    """Which objects calibrate which queries, so that no object calibrates itself.

    Args:
        calibrating: Group of each calibrating object [C], unique.
        asked: Group of each query [Q].
        seed: Of the parts.

    Returns:
        Pairs of masks [C] and [Q]; queries that are calibrating objects themselves leave out the part they are in.
    """
    order = np.argsort(calibrating)
    place = order[np.searchsorted(calibrating, asked, sorter=order).clip(max=len(order) - 1)]
    own = calibrating[place] == asked
    part = np.random.default_rng(seed).permutation(len(calibrating)) % PARTS
    if not own.all():
        yield np.ones(len(calibrating), dtype=bool), ~own
    for number in range(PARTS):
        if (within := own & (part[place] == number)).any():
            yield part != number, within


def half_widths(value: Float, spread: Float, true: Float, query_spread: Float, coverage: float, of: Property) -> Float:
    """Half the width [Q] of the interval around each prediction.

    Args:
        value: Predictions for the calibrating objects [C].
        spread: Deviation of their neighbours [C].
        true: What is true of them [C].
        query_spread: Deviation of the neighbours of the queries [Q].
        coverage: How often the interval is to hold the truth.
        of: The property: errors in angles go the short way round.
    """
    typical = float(np.median(spread)) or 1.0
    scale, query_scale = (LEAST_SCALE + one / typical for one in (spread, query_spread))
    model = SplitConformalRegressor(_Found(), coverage, conformity_score=_ScaledError(of), prefit=True)
    model.conformalize(np.stack([value, scale], axis=1), true)
    interval = model.predict_interval(np.stack([np.zeros_like(query_scale), query_scale], axis=1))[1][:, 1, 0]
    return np.minimum(interval, of.period / 2) if of.period else np.asarray(interval)


def class_sets(probabilities: Float, true: npt.NDArray[np.int64], query: Float, coverage: float) -> Flags:
    """Which classes are in the set of each query [Q, K]; the most probable one always is.

    Args:
        probabilities: Of every class, for the calibrating objects [C, K].
        true: Numbers of their classes [C].
        query: Probabilities for the queries [Q, K].
        coverage: How often the set is to hold the truth.
    """
    sets = query == query.max(axis=1, keepdims=True)
    if query.shape[1] > 1:
        model = SplitConformalClassifier(_FoundClasses(query.shape[1]), coverage, conformity_score="lac", prefit=True)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*less labels than your training")  # a rare class; no fault
            sets |= model.conformalize(probabilities, true).predict_set(query)[1][:, :, 0]
    return np.asarray(sets)


class _Found:
    """What MAPIE takes for a fitted regressor: the neighbours have been found, their mean is the first column."""

    n_features_in_ = 2

    def fit(self, x: Array, y: Array) -> _Found:
        return self

    def predict(self, x: Array) -> Array:
        return np.asarray(x)[:, 0]


class _FoundClasses:
    """What MAPIE takes for a fitted classifier: the columns are the probabilities."""

    def __init__(self, count: int) -> None:
        self.classes_ = np.arange(count)

    def fit(self, x: Array, y: Array) -> _FoundClasses:
        return self

    def predict(self, x: Array) -> Array:
        return np.asarray(np.argmax(x, axis=1))

    def predict_proba(self, x: Array) -> Array:
        return np.asarray(x)


class _ScaledError(BaseRegressionScore):  # type: ignore[misc]
    """Error in units of the second column of X."""

    def __init__(self, of: Property) -> None:
        super().__init__(sym=True, consistency_check=False)
        self.of = of

    def get_signed_conformity_scores(self, y: Array, y_pred: Array, **data: Any) -> Array:
        return np.asarray(self.of.difference(y, y_pred) / data["X"][:, 1])

    def get_estimation_distribution(self, y_pred: Array, conformity_scores: Array, **data: Any) -> Array:
        return np.asarray(y_pred + conformity_scores * data["X"][:, 1:])
