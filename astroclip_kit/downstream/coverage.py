"""How often intervals and sets of classes hold the truth of held-out objects: overall, and per bin of the property."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import metrics
from ..errors import InputError, UsageError
from ..filters import rows_where
from ..settings.prediction import Prediction
from ..types import Result
from .combination import Combination
from .neighbourhood import Question
from .predicted import Answer, Predicted, predict_properties
from .properties import Property, known

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore

__all__ = ["measure_coverage", "shortfalls"]

Array = npt.NDArray[Any]
Flags = npt.NDArray[np.bool_]


def measure_coverage(
    store: EmbeddingStore,
    properties: Sequence[str],
    *,
    query: str = "",
    memory: str = "",
    where: str = "",
    bins: int = 5,
    settings: Prediction = Prediction(coverage=0.9),
) -> list[Result]:
    """Asks about held-out objects with the others as memory, some of which calibrate, and counts.

    Args:
        store: Embeddings with a split.
        properties: As in `predict_table`.
        query: Modality of the held-out objects, see `Combination.parse`.
        memory: Modality of the others.
        where: Which objects are judged, and make up the memory; all by default.
        bins: Number of bins of a property: equally full ones of numbers, equally wide ones of angles; of classes
            each is one.
        settings: The coverage wanted, number of neighbours, seed.

    Returns:
        Results of task "coverage", whose metric says what was wanted: "coverage@0.9" overall, "coverage@0.9 of
        0.1..0.3" in a bin of the true values, with an interval that knows the held-out groups and the calibrating
        ones to be a finite draw; "new_calibrating@0.9", the share of the n objects that calibrate that the model is
        known not to have been trained on; and "width@0.9", the median width of the intervals, or "set_size@0.9", the
        mean number of classes. Predictions that the memory does not support count as all others. Split conformal
        prediction promises the overall number only: in a bin of true values it may be lower or higher.

    Raises:
        InputError: If a property is known for no held-out object, or too few objects are left to calibrate.
        UsageError: If no coverage is wanted, `bins` is below 1, or a name is unknown.
    """
    if not settings.coverage or bins < 1:
        raise UsageError(f"expected a coverage and at least 1 bin, found {settings.coverage:g} and {bins}.")
    how, allowed = Combination.parse(store, query, memory), rows_where(store.catalog, where)
    results = []
    for of in map(Property.parse, properties):
        y = of.values(store.labels)
        rows = np.flatnonzero(allowed & (store.split == "test") & how.asks(store) & known(y))
        if not len(rows):
            raise InputError(f"property {of.name!r} is known for no held-out object that can ask.")
        vectors = how.queries(lambda name, rows=rows: store.vectors(name)[rows])  # type: ignore[misc]
        question = Question(store, how, vectors, store.groups[rows], allowed & (store.split != "test"), settings)
        [answer] = predict_properties(question, [of])
        for metric, value, low, high, count in _numbers(answer, y[rows], question, bins):
            about = "coverage", "+".join(how.query), str(how), of.name, metric
            source = {name: store.manifest[name] for name in ("dataset", "origin")}
            results.append(Result(*about, value, low, high, count, settings.seed, **source))
    return results


def shortfalls(results: Sequence[Result]) -> Iterator[str]:
    """Which intervals, or sets, hold the truth less often than wanted, beyond what chance explains: a sentence each.

    Args:
        results: Of `measure_coverage`, and any others.
    """
    for one in results:
        name, _, wanted = one.metric.partition("@")
        if name == "coverage" and " of " not in wanted and one.high < float(wanted):
            yield (
                f"{one.property} by {one.query}: what is to hold the truth of {float(wanted):.4g} of the objects holds "
                f"that of {one.value:.3f} ({one.low:.3f} to {one.high:.3f}): less than wanted"
            )


def _numbers(
    answer: Answer, true: Array, question: Question, bins: int
) -> Iterator[tuple[str, float, float, float, int]]:
    """Metric, value, interval and number of objects."""
    wanted, groups, found, near = f"{question.settings.coverage:.4g}", question.groups, answer.predicted, answer.near
    held, count = found.holds(true), len(near.reference)
    yield f"coverage@{wanted}", *_share(held, groups, count)
    for name, inside in _bins(found, true, bins):
        yield f"coverage@{wanted} of {name}", *_share(held[inside], groups[inside], count)
    yield f"new_calibrating@{wanted}", near.unseen / count, math.nan, math.nan, count
    size, name = (found.sets.sum(axis=1), "set_size") if len(found.classes) else (-np.subtract(*found.ends()), "width")
    statistic = np.mean if len(found.classes) else np.median
    low, high = metrics.bootstrap(statistic, [size], seed=question.settings.seed, groups=groups)
    yield f"{name}@{wanted}", float(statistic(size)), low, high, len(size)


def _bins(found: Predicted, true: Array, count: int) -> Iterator[tuple[str, Flags]]:
    """Names and members of the bins of true values that are not empty."""
    if len(found.classes):
        for name in np.unique(true):
            yield str(name), true == name
        return
    period = found.of.period
    edges = np.linspace(0, period, count + 1) if period else np.unique(np.quantile(true, np.linspace(0, 1, count + 1)))
    inner = edges[1:-1]
    number = np.searchsorted(inner, true, side="right")
    for one in np.unique(number):
        yield f"{edges[one]:.3g}..{edges[min(one + 1, len(edges) - 1)]:.3g}", number == one


def _share(held: Flags, groups: Array, calibrating: int) -> tuple[float, float, float, int]:
    """Share, its 95 % interval, and number of rows.

    Rows of a group are one trial. The n objects that calibrate are drawn as well: given them, the coverage c follows a
    Beta distribution of variance c (1 - c) / (n + 2) (Vovk 2012, arXiv:1209.2673), as the share of n + 2 more trials
    does; so the trials are T (n + 2) / (T + n + 2).
    """
    share, trials = float(held.mean()), 1 / (1 / len(np.unique(groups)) + 1 / (calibrating + 2))
    return share, *metrics.wilson(share, trials), len(held)
