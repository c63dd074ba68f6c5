"""One property as columns with units and descriptions, and what they mean in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.table import Column

from ..settings.prediction import Prediction
from .predicted import Answer

__all__ = ["columns_of", "notes_of"]

Array = npt.NDArray[Any]


def columns_of(answer: Answer, unit: Any, settings: Prediction) -> dict[str, Column]:
    """Columns of one property by name; intervals are blank where the prediction is not supported.

    Args:
        answer: The prediction.
        unit: Of the label, as an astropy unit; or None.
        settings: What was asked for.
    """
    supported, familiar = answer.near.supported(settings.least_support), answer.near.familiar
    name = answer.predicted.of.column
    kind = _classes if len(answer.predicted.classes) else _numbers
    columns = dict(kind(answer, unit, supported, settings))
    columns[f"{name}_support"] = Column(
        answer.near.support,
        description=f"percentile of the similarity of neighbour {settings.k} among those of objects of the memory",
    )
    if familiar is not None:
        about = "percentile of how near the input's features are to known ones, among objects not trained on"
        columns[f"{name}_familiar"] = Column(familiar, description=about)
    least = f"{_measures(answer)} of at least {settings.least_support:g}"
    columns[f"{name}_supported"] = Column(supported, description=least)
    return columns


def _measures(answer: Answer, join: str = "and") -> str:
    """What says whether a prediction is supported."""
    return "support" if answer.near.familiar is None else f"support {join} familiarity"


def _numbers(answer: Answer, unit: Any, supported: Array, settings: Prediction) -> Iterator[tuple[str, Column]]:
    found, of = answer.predicted, answer.predicted.of
    how = f"mean{' direction' if of.period else ''} of {settings.k} neighbours"
    here = f" in {unit}" if unit and of.logarithm else ""
    own = None if of.logarithm else unit
    low, high = found.ends()
    if of.period:
        whole = found.half_width >= of.period / 2
        low, high = np.where(whole, 0, low % of.period), np.where(whole, of.period, high % of.period)
    low, high = (np.where(supported, end, np.nan) for end in (low, high))
    yield of.column, Column(found.value, unit=own, description=f"{of.name}{here}: {how}")
    ends = [("low", low), ("high", high)] if settings.coverage else []
    about = f"end of the interval that holds the truth for {100 * settings.coverage:.4g} % of objects on average"
    for end, values in ends:
        yield f"{of.column}_{end}", Column(values, unit=own, description=f"{end} {about}")
    deviation = "angular deviation" if of.period else "standard deviation"
    yield f"{of.column}_spread", Column(found.spread, unit=own, description=f"{deviation} of the neighbours")
    if of.logarithm:
        yield of.label, Column(10**found.value, unit=unit, description=f"10 to the power of {of.name}")
        for end, values in ends:
            yield f"{of.label}_{end}", Column(10**values, unit=unit, description=f"{end} {about}")


def _classes(answer: Answer, unit: Any, supported: Array, settings: Prediction) -> Iterator[tuple[str, Column]]:
    found, name = answer.predicted, answer.predicted.of.column
    yield name, Column(found.value, description=f"{name} with the most weight among {settings.k} neighbours")
    if settings.coverage:
        sets = [",".join(found.classes[row]) for row in found.sets & supported[:, None]]
        about = f"classes that hold the true one for {100 * settings.coverage:.4g} % of objects on average"
        yield f"{name}_set", Column(np.asarray(sets, dtype=str), description=about)
    yield f"{name}_spread", Column(found.spread, description=f"1 - probability of {name}")
    for one, share in zip(found.classes, found.probabilities.T, strict=True):
        yield f"{name}_probability_{one}", Column(share, description=f"weight of the neighbours that are {one}")


def notes_of(answer: Answer, settings: Prediction) -> Iterator[str]:
    """What a reader of the columns has to know, in sentences.

    Args:
        answer: The prediction.
        settings: What was asked for.
    """
    near, name, asked = answer.near, answer.predicted.of.name, len(answer.near.rows)
    if answer.known < answer.total:
        yield f"{name}: known for {answer.known} of {answer.total} objects of the memory"
    if answer.constant:
        then = "nothing to choose from" if len(answer.predicted.classes) else "an interval has no width"
        yield f"{name}: {answer.constant} for every object of the memory, so {then}"
    supported = int(near.supported(settings.least_support).sum())
    if settings.coverage and supported:
        yield from (f"{name}: {text}" for text in _promises(answer, settings))
    if not len(near.reference):
        yield f"{name}: no support is known, as no object of the memory could ask in this way"
    elif supported < asked:
        yield (
            f"{name}: {asked - supported} of {asked} outside of the memory ({_measures(answer, 'or')} below "
            f"{settings.least_support:g}): "
            f"do not rely on their values{'; they get no interval' if settings.coverage else ''}"
        )


def _promises(answer: Answer, settings: Prediction) -> Iterator[str]:
    """How far intervals or sets can be trusted, by who calibrates them."""
    near, count = answer.near, len(answer.near.reference)
    what, size, where = "interval", "narrow", "at the ends of the range"
    if len(answer.predicted.classes):
        what, size, where = "set of classes", "small", "of a rare class"
    less = (
        f" (calibration={settings.calibration:g} allows more)" if count < int(settings.calibration * near.able) else ""
    )
    yield (
        f"the {what} holds the truth for {100 * settings.coverage:.4g} % of objects like the {count} of {near.able} "
        f"that calibrate it{less}, {near.unseen} of them not trained on; {near.memory} others may be neighbours. That "
        f"is an average: {where} it may hold less often"
    )
    if near.unseen < count:
        yield (
            f"{count - near.unseen} of the {count} that calibrate it are not known to be new to the model: for new "
            f"objects the {what} is probably too {size}, and holds the truth less often"
        )
