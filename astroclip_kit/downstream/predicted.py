"""One property of many objects, with its interval and with how far the memory supports it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .knn import average, vote, weigh
from .neighbourhood import MOST, Neighbourhood, Question, gather
from .properties import Property, known

__all__ = ["Answer", "Predicted", "predict_properties"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Predicted:
    """What was read off the neighbours, on the scale of the property.

    Args:
        of: The property.
        value: Weighted mean of the neighbours' values, or the class with the most weight [Q].
        spread: Weighted deviation of the neighbours' values, or 1 - probability of the class [Q].
        classes: Names of all classes of the memory [C]; empty for numbers.
        probabilities: Weight of each class [Q, C].
        half_width: Half the width of a number's interval [Q], before what cannot be is cut off; NaN where no coverage
            is wanted.
        sets: Which classes are in the set, where a coverage is wanted [Q, C].
        least: What no value is below: 0 of numbers none of which is known to be negative, such as redshifts and masses.
    """

    of: Property
    value: Array
    spread: Float
    classes: Array
    probabilities: Float
    half_width: Float
    sets: Flags
    least: float = -math.inf

    def ends(self) -> tuple[Float, Float]:
        """Lower and upper end of a number's interval [Q]; of an angle they may lie beyond a full turn.

        Below `least` nothing is true, so that what is cut off there holds no truth: the coverage stays what it was.
        """
        return np.maximum(self.value - self.half_width, self.least), self.value + self.half_width

    def holds(self, true: Array) -> Flags:
        """Whether the interval, or the set of classes, holds what is true [Q]."""
        if len(self.classes):
            return np.asarray((self.sets & (self.classes == true[:, None])).any(axis=1))
        near = np.abs(self.of.difference(true, self.value)) <= self.half_width
        return np.asarray(near & (true >= self.least))


@dataclass(frozen=True)
class Answer:
    """A prediction and where it comes from.

    Args:
        predicted: Of the queries.
        near: Their neighbours.
        known: How many objects of the memory have the property, those that calibrate among them.
        total: How many objects the memory would have if all had it.
        constant: The one value that all of them have, as text; "" where they differ.
    """

    predicted: Predicted
    near: Neighbourhood
    known: int
    total: int
    constant: str


def predict_properties(question: Question, properties: Sequence[Property]) -> Iterator[Answer]:
    """Reads properties off the neighbours; those that are known for the same objects share them.

    Args:
        question: Who asks, and how.
        properties: What to predict.

    Raises:
        InputError: If k exceeds the objects with a property, too few are left to calibrate the coverage, or a vector
            is zero or not finite.
        UsageError: If there is no such property.
    """
    store, how = question.store, question.how
    answering = question.among & how.answers(store)
    columns = [one.values(store.labels) for one in properties]
    found: dict[bytes, Neighbourhood] = {}
    for one, y in zip(properties, columns, strict=True):
        usable = question.among & known(y)
        values, total = y[answering & usable], int(answering.sum())
        if not total:
            raise InputError(
                f"no object that `where` lets answer has {how}, so there is no memory. Ask with another condition."
            )
        text = f"{one.name} is known for {len(values)} of {total} objects with {how}"
        if not len(values):
            raise InputError(f"{text}, so nothing can be predicted. Ask for another property or memory.")
        if (key := usable.tobytes()) not in found:
            apart, least = _apart(question, one, usable)
            found[key] = gather(question, usable, apart=apart, least=least, known=text)
        constant = str(values[0]) if (values == values[0]).all() else ""
        yield Answer(_read(question, one, y, found[key]), found[key], len(values), total, constant)


def _apart(question: Question, of: Property, usable: Flags) -> tuple[int, int]:
    """Number of objects that may calibrate, and the fewest that can; 0 without intervals."""
    settings, groups = question.settings, question.store.groups[usable & question.how.asks(question.store)]
    if not settings.coverage:
        return 0, 0
    from .conformal import smallest

    objects = len(np.unique(groups))
    least = smallest(settings.coverage, themselves=bool(np.isin(question.groups, groups).any()))
    count = min(max(MOST, least), int(settings.calibration * objects))
    if count < least:
        raise InputError(
            f"{of.name}: a coverage of {settings.coverage:g} takes at least {least} objects for calibration, and "
            f"{settings.calibration:g} of {objects} are {count}. Ask for less coverage, set a larger share apart, or "
            f"leave {of.name} out."
        )
    return count, least


def _read(question: Question, of: Property, y: Array, near: Neighbourhood) -> Predicted:
    weights = question.settings.weights
    there = y[question.among & known(y)]
    classes = np.unique(there) if y.dtype.kind == "U" else np.empty(0, dtype=str)
    queries = _point(of, y[near.rows], weigh(near.distance, weights), classes)
    if not question.settings.coverage:
        return queries
    if not (len(classes) or of.period or (there < 0).any()):
        queries = replace(queries, least=0.0)
    told = _point(of, y[near.reference_rows], weigh(near.reference_distance, weights), classes)
    return _calibrated(question, queries, told, y[near.reference], question.store.groups[near.reference])


def _point(of: Property, y: Array, weight: Float, classes: Array) -> Predicted:
    """Predictions from the values of neighbours [Q, k], with no interval."""
    value, spread, probabilities = vote(y, weight, classes) if len(classes) else average(y, weight, of.period)
    none = np.zeros(probabilities.shape, dtype=bool)
    return Predicted(of, value, spread, classes, probabilities, np.full(len(y), np.nan), none)


def _calibrated(question: Question, queries: Predicted, told: Predicted, true: Array, groups: Array) -> Predicted:
    """The predictions with intervals or sets, from predictions for objects of which the truth is known."""
    from .conformal import class_sets, half_widths, parts

    coverage, of = question.settings.coverage, queries.of
    sets, half = queries.sets.copy(), queries.half_width.copy()
    for by, on in parts(groups, question.groups, question.settings.seed):
        if len(queries.classes):
            codes = np.searchsorted(queries.classes, true[by])
            sets[on] = class_sets(told.probabilities[by], codes, queries.probabilities[on], coverage)
        else:
            half[on] = half_widths(told.value[by], told.spread[by], true[by], queries.spread[on], coverage, of)
    return replace(queries, sets=sets, half_width=half)
