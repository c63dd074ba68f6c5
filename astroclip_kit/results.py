"""Measured numbers on disk (``results.jsonl``) and put together over folds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from .errors import FolderError, InputError
from .metrics import error_of_mean, share_interval
from .storage import publish
from .types import Result

__all__ = ["combine", "range_of", "read_results", "write_results"]

RANGES = {
    "r2": (-math.inf, 1.0),
    "nmad": (0.0, math.inf),
    "median_rank": (1.0, math.inf),
    "brier": (0.0, 2.0),
    "alignment": (0.0, 4.0),
    "uniformity": (-math.inf, 0.0),
    "modality_gap": (0.0, 2.0),
    "effective_rank": (1.0, math.inf),
    "cosine": (-1.0, 1.0),
    "cosine_permuted": (-1.0, 1.0),
    "frechet": (0.0, math.inf),
    "frechet_real": (0.0, math.inf),
}
SHARES = (  # from 0 to 1, as what follows
    *("accuracy", "balanced_accuracy", "precision", "recall", "f1", "macro_precision", "macro_recall", "macro_f1"),
    *("specificity", "one_vs_rest_accuracy", "outlier_fraction", "ece", "ece_uncalibrated", "auc", "average_precision"),
    *("probability", "capped_accuracy"),
)
SHARES_AT = ("recall@", "coverage@", "accuracy@", "balanced_accuracy@", "share")
DIFFERENCE = "_difference"  # ends the name of the metric of two models that are compared


def write_results(path: str | Path, results: Iterable[Result]) -> None:
    """Writes results as JSON lines, in one step; NaN becomes null.

    Args:
        path: The file, by custom ``results.jsonl``.
        results: What to write.
    """
    lines = "".join(json.dumps({key: _plain(value) for key, value in asdict(one).items()}) + "\n" for one in results)
    publish(path, lambda temporary: temporary.write_text(lines))


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_results(path: str | Path) -> list[Result]:
    """Reads what `write_results` wrote.

    Args:
        path: The file, or the folder that holds a ``results.jsonl``.

    Raises:
        FolderError: If there is no such file or a line is no result.
    """
    path = Path(path)
    path = path / "results.jsonl" if path.is_dir() else path
    if not path.exists():
        raise FolderError(f"{path}: no such file. Expected the results that `evaluate` writes.")
    return [_read(line, path, number) for number, line in enumerate(path.read_text().splitlines(), 1) if line.strip()]


def _read(line: str, path: Path, number: int) -> Result:
    known = {one.name for one in fields(Result)}
    try:
        values: dict[str, Any] = {key: value for key, value in json.loads(line).items() if key in known}
        missing: dict[str, Any] = {key: math.nan for key, value in values.items() if value is None}
        return Result(**{**values, **missing})
    except (ValueError, TypeError, AttributeError) as error:
        raise FolderError(f"{path}, line {number}: not a result ({error}). Evaluate again.") from error


def combine(folds: Sequence[Sequence[Result]], test_share: float = 0.0) -> list[Result]:
    """Puts the results of several folds, or of several seeds, together.

    Args:
        folds: Results of each fold or seed.
        test_share: Of repeated random splits, share of the tested objects among those that train or are tested in each
            (`Split.tested_share`); 0 for folds.

    Returns:
        First one result per measurement: the mean over the folds as value and as chance, `std` the standard
        deviation over the folds (n - 1), `n` the number of all queries, and low and high the 95 % interval of the
        mean from Student's t with F - 1 degrees of freedom, cut off where the metric ends. Folds share most of their
        training objects, so this interval is too narrow for a comparison of methods (Bengio & Grandvalet 2004, JMLR
        5, 1089); repeated random splits share tested objects as well, for which a `test_share` widens it as
        `metrics.error_of_mean` says. The interval of a share that is 0 in every fold, or 1, is Wilson's of all queries,
        and what one fold alone has keeps its own. Then the results of every fold, numbered in `fold`. A fold whose
        value is NaN is left out of the mean.

    Raises:
        InputError: If there is no fold, one measurement occurs twice in a fold, or the share is none.
    """
    if not folds:
        raise InputError("combine: expected the results of at least one fold, found none.")
    single = [replace(one, fold=number) for number, results in enumerate(folds) for one in results]
    together: dict[tuple[Any, ...], list[Result]] = {}
    for one in single:
        together.setdefault(_measurement(one), []).append(one)
    for members in together.values():
        if len({one.fold for one in members}) < len(members):
            raise InputError(f"combine: {_measurement(members[0])} occurs twice in a fold.")
    return [_mean(members, test_share) for members in together.values()] + single


def _measurement(one: Result) -> tuple[Any, ...]:
    return one.task, one.query, one.target, one.property, one.metric, one.dataset, one.origin, one.space


def range_of(metric: str) -> tuple[float, float]:
    """The least and the largest value that a metric, or the difference of two values of it, can take.

    Args:
        metric: As results call it, "accuracy" or "accuracy_difference".

    Example:
        >>> range_of("accuracy"), range_of("accuracy_difference")
        ((0.0, 1.0), (-1.0, 1.0))
    """
    if metric.endswith(DIFFERENCE):
        low, high = range_of(metric.removesuffix(DIFFERENCE))
        return low - high, high - low
    if metric in SHARES or metric.startswith(SHARES_AT):
        return 0.0, 1.0
    return RANGES.get(metric, (-math.inf, math.inf))


def _mean(members: list[Result], test_share: float) -> Result:
    from scipy.stats import t

    found = np.array([one.value for one in members if math.isfinite(one.value)])
    chance = np.array([one.chance for one in members if math.isfinite(one.chance)])
    mean = float(found.mean()) if len(found) else math.nan
    std = float(found.std(ddof=1)) if len(found) > 1 else math.nan
    half = error_of_mean(found, test_share) * float(t.ppf(0.975, len(found) - 1))
    if len(members) == 1:
        return replace(members[0], fold=-1)
    ends, count = range_of(members[0].metric), sum(one.n for one in members)
    low, high = np.clip([mean - half, mean + half], *ends).tolist()
    if ends == (0.0, 1.0) and count:
        low, high = share_interval(mean, low, high, count)
    return replace(
        members[0],
        value=mean,
        low=low,
        high=high,
        std=std,
        n=count,
        chance=float(chance.mean()) if len(chance) else math.nan,
        fold=-1,
    )
