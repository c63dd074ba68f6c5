"""Whether one model is better than another over repeated random splits, whose training objects overlap."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from ..metrics import error_of_mean
from ..results import DIFFERENCE, range_of
from ..types import Result

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["Difference", "corrected_difference", "significance_table"]


class Difference(NamedTuple):
    """The mean of paired differences; interval and p are NaN where they cannot be told.

    Args:
        mean: Of the differences.
        low: Lower end of its 95 % interval.
        high: Upper end.
        p: Probability of a mean as far from 0 where there is no difference, two-sided.
    """

    mean: float
    low: float
    high: float
    p: float


def corrected_difference(a: Sequence[float], b: Sequence[float], test_share: float, metric: str = "") -> Difference:
    """The mean of a - b over repeated random splits, by the corrected resampled t-test.

    The error of the mean is `metrics.error_of_mean`, as splits of the same objects share most of their training objects
    (Nadeau & Bengio 2003), and the interval is Student's with J - 1 degrees of freedom. Where all differences are the
    same, as on few tested objects, on which a metric takes few values, nothing is known of their scatter: interval and
    p are NaN.

    Args:
        a: Metric of one model for each of J splits (seeds).
        b: Metric of the other for the same splits, in the same order.
        test_share: Share of the tested objects among those that train or are tested in each split
            (`Split.tested_share`), from 0 to below 1; 0 for splits that share no object.
        metric: Which it is: the interval is cut off where a difference of it ends, of shares at -1 and 1.

    Raises:
        InputError: If the lengths differ, there are less than two splits, a value is not finite, or the share is none.

    Example:
        >>> corrected_difference([0.95, 0.94, 0.96], [0.92, 0.93, 0.93], 0.1).mean.__round__(4)
        0.0233
    """
    from scipy.stats import t

    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise InputError(f"a and b: expected one value for each of two splits or more, found {x.shape} and {y.shape}.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("a and b: found NaN or infinity. Leave out the splits without a value, of both models.")
    difference = x - y
    mean, free, error = float(difference.mean()), len(x) - 1, error_of_mean(difference, test_share)
    half = error * float(t.ppf(0.975, free))
    if error <= 1e-12 * float(np.abs(x).max() + np.abs(y).max()):  # the same difference in every split
        return Difference(mean, math.nan, math.nan, math.nan)
    low, high = np.clip([mean - half, mean + half], *range_of(f"{metric}{DIFFERENCE}")).tolist()
    return Difference(mean, low, high, 2 * float(t.sf(abs(mean) / error, free)))


def significance_table(
    results: Sequence[Result],
    model: str,
    *,
    metric: str = "macro_f1",
    of: str = "",
    test_share: float = 0.1,
    names: Mapping[str, str] | None = None,
) -> Table:
    """One model against every other over the seeds at which both were judged, each line by `corrected_difference`.

    Args:
        results: Of single seeds or folds, as `judge` gives them or `results.combine` numbers them.
        model: Task of the model that is compared with the others.
        metric: By which.
        of: Property; all classes together by default, "class:bhb" for one.
        test_share: Share of the tested objects among those that train or are tested, `Split.tested_share`.
        names: What models are called in the table.

    Returns:
        A row per other model: "model", its "mean", that of the first "mean_of_first", "difference" with "low" and
        "high", "p", and "p_adjusted" for the number of rows with a p (Holm 1979, Scand. J. Stat. 6, 65), "seeds".

    Raises:
        UsageError: If the model has no such number, or no other model has it at two seeds or more in common.
    """
    from astropy.table import Table

    by_model: dict[str, dict[tuple[int, int], float]] = {}
    for one in results:
        fitting = one.metric == metric and (one.property == of if of else ":" not in one.property)
        if fitting and math.isfinite(one.value) and not math.isfinite(one.std):
            by_model.setdefault(one.task, {})[one.fold, one.seed] = one.value
    first = by_model.pop(model, {})
    rows = []
    for other, values in by_model.items():
        if len(seeds := sorted(set(first) & set(values))) > 1:
            a, b = ([each[seed] for seed in seeds] for each in (first, values))
            means = float(np.mean(b)), float(np.mean(a))
            rows.append(
                ((names or {}).get(other, other), *means, *corrected_difference(a, b, test_share, metric), len(seeds))
            )
    if not rows:
        known = ", ".join([model] * bool(first) + list(by_model)) or "none"
        raise UsageError(f"{metric} of {model!r} and of another model at two seeds: there is none. There is: {known}.")
    heads = ("model", "mean", "mean_of_first", "difference", "low", "high", "p", "seeds")
    table = Table(rows=rows, names=heads)
    table.add_column(_holm(np.asarray(table["p"])), name="p_adjusted", index=7)
    for name in (*heads[1:6], "p", "p_adjusted"):
        table[name].format = ".4f"
    table.meta = {"model": model, "metric": metric, "test_share": test_share}
    return table


def _holm(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Adjusted for as many comparisons as could be made; NaN for the others."""
    order = np.argsort(p)[: int(np.isfinite(p).sum())]  # NaN comes last
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)).clip(max=1)
    return adjusted
