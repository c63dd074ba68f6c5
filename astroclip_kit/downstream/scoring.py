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
from .calibration import brier, calibration_interval, confidence
from .held_out import HeldOut
from .space import REDSHIFTS, Space
from .tally import Tally, binned_errors

__all__ = ["score", "trials"]

Array = npt.NDArray[Any]
Judgement = tuple[str, float, float, float, float]  # metric, value, interval, chance
COUNTED = ("accuracy", "balanced_accuracy", "macro_f1")


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
    groups = space.groups[prediction.rows]
    judge = _classes if len(prediction.classes) else _numbers
    about = prediction.task, prediction.query, prediction.target, prediction.property
    source = {name: space.source[name] for name in ("seed", "dataset", "origin")}
    for name, value, bottom, top, chance in judge(prediction, n_boot=n_boot, seed=seed, groups=groups):
        if name in SHARES:
            bottom, top = metrics.share_interval(value, bottom, top, trials(name, groups, prediction.true))
        one = Result(*about, name, value, bottom, top, len(prediction.rows), **source)
        yield replace(one, chance=chance, space=prediction.space)


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


def _classes(one: HeldOut, **resampling: Any) -> Iterator[Judgement]:
    """Metrics of the prediction, beside those of the most frequent class and of how frequent the classes are."""
    constant = np.full_like(one.value, one.constant)
    true, said, constant = np.split(
        np.unique(np.concatenate([one.true, one.value, constant]), return_inverse=True)[1], 3
    )
    size, shares = int(max(true.max(), said.max(), constant.max())) + 1, np.tile(one.shares, (len(true), 1))
    sure, right = confidence(one.probabilities, one.classes, one.true)

    def numbers(said: Array, p: Array) -> Callable[[Array], Array]:
        tally, loss = Tally(true, said, size), brier(p, one.classes, one.true)

        def of(drawn: Array) -> Array:
            counted = tally.scores(drawn)
            error, mean_loss = binned_errors(sure, right, drawn), loss @ drawn / drawn.sum(axis=0)
            return np.stack([*(counted[name] for name in COUNTED), error, mean_loss])

        return of

    told, guessed, once = numbers(said, one.probabilities), numbers(constant, shares), np.ones((len(true), 1))
    low, high = (end.tolist() for end in metrics.weighted_bootstrap(told, len(true), **resampling))
    values, chances = (of(once)[:, 0].tolist() for of in (told, guessed))
    for name, value, bottom, top, chance in zip((*COUNTED, "ece", "brier"), values, low, high, chances, strict=True):
        if name == "ece":
            value, bottom, top = calibration_interval(sure, right, resampling["groups"], (top - bottom) / 2)
        yield name, value, bottom, top, np.nan if name == "ece" else chance


def _numbers(one: HeldOut, **resampling: Any) -> Iterator[Judgement]:
    true, said, constant = one.true, one.value, np.full(len(one.true), float(one.constant))
    if one.period:  # as angles from the constant answer, the short way round
        true = _turn(true - constant, one.period)
        said, constant = true + _turn(said - one.true, one.period), np.zeros_like(constant)
    redshift = one.property in REDSHIFTS
    names = ("r2", "nmad", "outlier_fraction") if redshift else ("r2", "nmad")
    numbers = _redshift if redshift else _regression
    low, high = metrics.bootstrap(numbers, [true, said], **resampling)
    yield from zip(names, numbers(true, said), low.tolist(), high.tolist(), numbers(true, constant), strict=True)


def _turn(angle: Array, period: float) -> Array:
    return np.asarray((angle + period / 2) % period - period / 2)


def _regression(true: Array, said: Array) -> list[float]:
    return [metrics.r2(true, said), metrics.nmad(true, said)]


def _redshift(true: Array, said: Array) -> list[float]:
    return [metrics.r2(true, said), metrics.nmad(true, said, redshift=True), metrics.outlier_fraction(true, said)]
