"""How good predictions for held-out objects are: metrics with intervals, beside those of whoever knows nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import metrics
from ..results import SHARES
from ..types import Result
from .calibration import binned_error, brier, calibration_interval, confidence
from .held_out import HeldOut
from .space import REDSHIFTS, Space

__all__ = ["score", "trials"]

Array = npt.NDArray[Any]
Judgement = tuple[list[str], Callable[..., list[float]], list[Array], list[Array]]


def score(prediction: HeldOut, space: Space, n_boot: int = 1000, seed: int = 0) -> Iterator[Result]:
    """Metrics of a prediction, with intervals and beside what a constant answer reaches.

    Args:
        prediction: What was predicted for held-out objects.
        space: Where they come from.
        n_boot: Resamples of the intervals; whole groups are drawn.
        seed: Of the resampling.

    Returns:
        R2, NMAD and, for redshifts, the outlier fraction; accuracy, balanced accuracy, macro F1, Brier score and
        expected calibration error, without what few objects add to it (`calibration_interval`), for classes. Of the
        last there is no `chance`: whoever always says how frequent the classes are is well calibrated. Shares of 0 or
        1, which resamples cannot change, have the interval of Wilson.
    """
    names, numbers, said, constant = _classes(prediction) if len(prediction.classes) else _numbers(prediction)
    groups = space.groups[prediction.rows]
    low, high = metrics.bootstrap(numbers, said, n_boot=n_boot, seed=seed, groups=groups)
    about = prediction.task, prediction.query, prediction.target, prediction.property
    source = {name: space.source[name] for name in ("seed", "dataset", "origin")}
    for i, (name, value, chance) in enumerate(zip(names, numbers(*said), numbers(*constant), strict=True)):
        bottom, top = float(low[i]), float(high[i])
        if name == "ece":
            value, bottom, top = calibration_interval(said[2], said[3], groups, (top - bottom) / 2)
        if name in SHARES:
            bottom, top = metrics.share_interval(value, bottom, top, trials(name, groups, prediction.true))
        one = Result(*about, name, value, bottom, top, len(prediction.rows), **source)
        yield replace(one, chance=np.nan if name == "ece" else chance, space=prediction.space)


def trials(name: str, groups: Array, true: Array) -> float:
    """Number of independent objects; of a mean over classes, of so many that their share varies as that mean does.

    Args:
        name: The metric.
        groups: Object of each row [N].
        true: Class of each row [N].
    """
    if name != "balanced_accuracy" and not name.startswith("macro_"):
        return len(np.unique(groups))
    counts = [len(np.unique(groups[true == one])) for one in np.unique(true)]
    return len(counts) ** 2 / sum(1 / count for count in counts)


def _classes(one: HeldOut) -> Judgement:
    """Names of the metrics, their function, and its arguments for the prediction and for the constant answer."""
    constant = np.full_like(one.value, one.constant)
    true, said, constant = np.split(
        np.unique(np.concatenate([one.true, one.value, constant]), return_inverse=True)[1], 3
    )
    shares = np.tile(one.shares, (len(true), 1))
    told, guessed = (
        [*confidence(p, one.classes, one.true), brier(p, one.classes, one.true)] for p in (one.probabilities, shares)
    )
    names = ["accuracy", "balanced_accuracy", "macro_f1", "ece", "brier"]
    return names, _classification, [true, said, *told], [true, constant, *guessed]


def _numbers(one: HeldOut) -> Judgement:
    true, said, constant = one.true, one.value, np.full(len(one.true), float(one.constant))
    if one.period:  # as angles from the constant answer, the short way round
        true = _turn(true - constant, one.period)
        said, constant = true + _turn(said - one.true, one.period), np.zeros_like(constant)
    if one.property in REDSHIFTS:
        return ["r2", "nmad", "outlier_fraction"], _redshift, [true, said], [true, constant]
    return ["r2", "nmad"], _regression, [true, said], [true, constant]


def _turn(angle: Array, period: float) -> Array:
    return np.asarray((angle + period / 2) % period - period / 2)


def _classification(true: Array, said: Array, sure: Array, right: Array, loss: Array) -> list[float]:
    numbers = [metrics.accuracy(true, said), metrics.balanced_accuracy(true, said), metrics.macro_f1(true, said)]
    return [*numbers, binned_error(sure, right), float(loss.mean())]


def _regression(true: Array, said: Array) -> list[float]:
    return [metrics.r2(true, said), metrics.nmad(true, said)]


def _redshift(true: Array, said: Array) -> list[float]:
    return [metrics.r2(true, said), metrics.nmad(true, said, redshift=True), metrics.outlier_fraction(true, said)]
