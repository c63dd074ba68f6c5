"""How well a score finds what is known to be odd: planted artifacts, planted mislabels, or a list of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import metrics
from ..errors import InputError, UsageError
from ..types import Result

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["measure_detection"]

Array = npt.NDArray[Any]


def measure_detection(
    table: Table, planted: npt.ArrayLike, *, by: str = "score", what: str = "planted", n_boot: int = 1000, seed: int = 0
) -> list[Result]:
    """AUC, and recall at the planted fraction, of one column of a table of anomalies.

    Recall at the planted fraction: of P planted objects, the share that is found among the P highest scores; as many
    are then missed as are wrongly put there, so that it is the precision as well. Chance is the fraction itself.

    Args:
        table: What `find_anomalies` gave, or some rows of it; rows without the score are left out.
        planted: Which of its rows are planted [N].
        by: Column of the score; a larger one is odder.
        what: What was planted, for the results.
        n_boot: Resamples of the 95 % intervals; whole groups are drawn.
        seed: Of the resampling.

    Returns:
        Metrics "auc" and "recall@planted" of task "anomaly".

    Raises:
        InputError: If the lengths differ, or no or every object with a score is planted.
        UsageError: If there is no such column.

    Example:
        >>> from astropy.table import Table
        >>> table = Table({"object_id": list("abcd"), "group": list("abcd"), "score": [3.0, 2.0, 1.0, 0.0]})
        >>> [(one.metric, one.value) for one in measure_detection(table, [True, False, False, False], n_boot=10)]
        [('auc', 1.0), ('recall@planted', 1.0)]
    """
    if by not in table.colnames:
        raise UsageError(f"the table has no score {by!r}; it has {', '.join(table.colnames)}.")
    score, truth = np.asarray(table[by], dtype=np.float64), np.asarray(planted, dtype=bool)
    if truth.shape != score.shape:
        raise InputError(f"planted: expected one flag for each of {len(score)} rows, found shape {truth.shape}.")
    known = np.isfinite(score)
    score, truth, groups = score[known], truth[known], np.asarray(table["group"])[known]
    if not 0 < truth.sum() < len(truth):
        raise InputError(f"{what}: expected some planted and some other objects, found {truth.sum()} of {len(truth)}.")
    value = _found(score, truth)
    low, high = metrics.bootstrap(_found, [score, truth], n_boot=n_boot, seed=seed, groups=groups)
    low[1], high[1] = metrics.share_interval(value[1], low[1], high[1], len(np.unique(groups[truth])))
    about: dict[str, Any] = {
        "seed": seed,
        "dataset": table.meta.get("dataset", ""),
        "origin": table.meta.get("origin", "real"),
    }
    on, chances = table.meta.get("on", ""), (0.5, float(truth.mean()))
    named = zip(("auc", "recall@planted"), value, low.tolist(), high.tolist(), chances, strict=True)
    return [
        Result("anomaly", on, on, f"{what} by {by}", name, v, a, b, len(score), **about, chance=chance)
        for name, v, a, b, chance in named
    ]


def _found(score: Array, truth: Array) -> tuple[float, float]:
    """Area under the ROC curve, and recall among as many as are planted; ties count in part."""
    from scipy.stats import rankdata

    count, total = int(truth.sum()), len(truth)
    if not 0 < count < total:
        return np.nan, np.nan
    area = (rankdata(score)[truth].sum() - count * (count + 1) / 2) / (count * (total - count))
    last = np.partition(score, total - count)[total - count]
    above, level = score > last, score == last
    hits = (truth & above).sum() + (truth & level).sum() * (count - above.sum()) / level.sum()
    return float(area), float(hits / count)
