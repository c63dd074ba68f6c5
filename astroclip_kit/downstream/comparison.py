"""Two spaces of the same objects, side by side: which is better, by how much, and how alike they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import metrics
from ..errors import InputError
from ..results import SHARES, SHARES_AT
from . import retrieval
from .common_objects import common_spaces
from .held_out import HeldOut, by_neighbours
from .likeness import cka, mutual_neighbours
from .separation import Z, false_discovery_rate
from .space import REDSHIFTS, Space

if TYPE_CHECKING:
    from astropy.table import Table

    from ..embeddings import EmbeddingStore

__all__ = ["compare"]

Array = npt.NDArray[Any]
KS = (1, 5, 10)
NEAREST = 10  # neighbours whose overlap is measured
LESS_IS_BETTER = ("median_rank", "nmad")
SURE = 0.05  # false discovery rate among the lines of a table


@dataclass(frozen=True)
class _Line:
    """One measurement; `shared` is of both spaces together."""

    task: str
    query: str
    target: str
    property: str
    metric: str
    n: int
    one: float = np.nan
    one_low: float = np.nan
    one_high: float = np.nan
    two: float = np.nan
    two_low: float = np.nan
    two_high: float = np.nan
    difference: float = np.nan
    shared: float = np.nan
    low: float = np.nan
    high: float = np.nan
    chance: float = np.nan
    q: float = np.nan


def compare(
    one: EmbeddingStore,
    two: EmbeddingStore,
    properties: Sequence[str] = (),
    *,
    common: bool = False,
    k: int = 16,
    n_boot: int = 1000,
    seed: int = 0,
) -> Table:
    """Measures two spaces on the objects that both hold out, by the same queries, memories and resamples.

    A difference is that of the second from the first, and its interval that of differences over resampled objects
    (paired bootstrap), which is narrower than the intervals of the two.

    Args:
        one: A store.
        two: Another of the same objects, from any model.
        properties: Labels to predict by k-NN within and across modalities, as in `evaluate`.
        common: Whether to take what both have in common where they differ in objects or split: queries are held out
            in both, the memory in neither, and labels are those of the first.
        k: Number of neighbours of a prediction.
        n_boot: Resamples; whole groups are drawn.
        seed: Of the resampling.

    Returns:
        One row per measurement: task, query, target, property, metric, one, two, difference, shared (what only both
        together have: "mutual_knn@10" and "cka"), low and high of the difference or of what is shared (95 %), q of the
        difference (Benjamini-Hochberg over the lines of the table, from the width of the intervals), better ("one" or
        "two" where the interval leaves out zero and q is below 0.05), n, chance, and the intervals of both.

    Raises:
        InputError: If nothing is held out in both, they differ in objects, split or a property and `common` is not
            set, have no modality in common, or k exceeds the memory.
        UsageError: If a property is no label of both.
    """
    spaces = common_spaces(one, two, properties, common=common)
    lines = [*_retrieval(spaces, n_boot, seed)]
    for wanted in properties:
        lines += _predictions(spaces, wanted, k, n_boot, seed)
    lines += _likeness(spaces, n_boot, seed)
    return _table(_judged_together(lines), one, two, spaces[0], seed)


def _paired(
    about: tuple[str, str, str, str],
    names: Sequence[str],
    statistic: Callable[..., Array],
    arrays: Sequence[Array],
    groups: Array,
    n_boot: int,
    seed: int,
) -> Iterator[_Line]:
    """Lines of metrics [M] that `statistic` gives for both spaces, [2, M]."""

    def both(*drawn: Array) -> Array:
        values = statistic(*drawn)
        return np.stack([*values, values[1] - values[0]])

    value, objects = both(*arrays), len(np.unique(groups))
    low, high = metrics.bootstrap(both, arrays, n_boot=n_boot, seed=seed, groups=groups)
    for i, name in enumerate(names):
        ends: dict[str, Any] = {
            f"{which}{end}": float(numbers[row, i])
            for row, which in enumerate(("one_", "two_", ""))
            for end, numbers in (("low", low), ("high", high))
        }
        first, second, difference = map(float, value[:, i])
        if name in SHARES or name.startswith(SHARES_AT):
            for which, share in (("one_", first), ("two_", second)):
                own = ends[f"{which}low"], ends[f"{which}high"]
                ends[f"{which}low"], ends[f"{which}high"] = metrics.share_interval(share, *own, objects)
        yield _Line(*about, name, len(arrays[0]), one=first, two=second, difference=difference, **ends)


def _retrieval(spaces: tuple[Space, Space], n_boot: int, seed: int) -> Iterator[_Line]:
    """Recall and median rank of every ordered pair of modalities, among held-out objects."""
    space, names = spaces[0], [*(f"recall@{k}" for k in KS), "median_rank"]
    rows = {name: space.rows(name, held_out=True) for name in space.names}
    for query, target in permutations(space.names, 2):
        asked, held = space.groups[rows[query]], space.groups[rows[target]]
        if not len(np.intersect1d(asked, held)):
            continue
        one, two = (
            retrieval.rank(s.vectors[query][rows[query]], s.vectors[target][rows[target]], asked, held) for s in spaces
        )
        chances = [chance for _, chance in retrieval.recall(one, KS).values()]
        lines = _paired(
            ("retrieval", query, target, ""), names, _recalls, [one.rank, two.rank], asked[one.queries], n_boot, seed
        )
        yield from (replace(line, chance=chance) for line, chance in zip(lines, chances, strict=True))


def _recalls(one: Array, two: Array) -> Array:
    return np.array([[*((ranks <= k).mean() for k in KS), np.median(ranks)] for ranks in (one, two)])


def _predictions(spaces: tuple[Space, Space], wanted: str, k: int, n_boot: int, seed: int) -> Iterator[_Line]:
    """k-NN predictions for the same held-out objects from the same memory."""
    found = list(zip(*(by_neighbours(space, wanted, k=k) for space in spaces), strict=True))
    if not found:
        raise InputError(f"property {wanted!r} is known for no object that both hold out, or for none of the others.")
    for one, two in found:
        about = one.task, one.query, one.target, one.property
        names, statistic, arrays = _judged(one, two)
        yield from _paired(about, names, statistic, arrays, spaces[0].groups[one.rows], n_boot, seed)


def _judged(one: HeldOut, two: HeldOut) -> tuple[list[str], Callable[..., Array], list[Array]]:
    """Names of metrics, their function, and what it takes: what is true and what each space says."""
    if len(one.classes):
        texts = np.concatenate([one.true, one.value, two.value])
        return ["accuracy", "balanced_accuracy"], _classes, np.split(np.unique(texts, return_inverse=True)[1], 3)
    said = one.value, two.value
    if one.period:
        turned = [one.true + _turn(value - one.true, one.period) for value in said]
        return ["nmad"], _angles, [one.true, *turned]
    return ["r2", "nmad"], partial(_numbers, redshift=one.property in REDSHIFTS), [one.true, *said]


def _turn(angle: Array, period: float) -> Array:
    """The short way round."""
    return np.asarray((angle + period / 2) % period - period / 2)


def _classes(true: Array, *said: Array) -> Array:
    return np.array([[metrics.accuracy(true, one), metrics.balanced_accuracy(true, one)] for one in said])


def _numbers(true: Array, *said: Array, redshift: bool) -> Array:
    return np.array([[metrics.r2(true, one), metrics.nmad(true, one, redshift=redshift)] for one in said])


def _angles(true: Array, *said: Array) -> Array:
    return np.array([[metrics.nmad(true, one)] for one in said])


def _likeness(spaces: tuple[Space, Space], n_boot: int, seed: int) -> Iterator[_Line]:
    """What both spaces have in common, of every modality, among held-out objects."""
    for name in spaces[0].names:
        rows = spaces[0].rows(name, held_out=True)
        one, two = (space.vectors[name][rows] for space in spaces)
        groups = spaces[0].groups[rows]
        count = len(np.unique(groups))
        if count > NEAREST:
            value, low, high = mutual_neighbours(one, two, groups, k=NEAREST, n_boot=n_boot, seed=seed)
            about = "likeness", name, name, "", f"mutual_knn@{NEAREST}", len(rows)
            yield _Line(*about, shared=value, low=low, high=high, chance=NEAREST / (len(rows) - 1))
            value, low, high = cka(one, two, groups, seed=seed)
            yield _Line("likeness", name, name, "", "cka", len(rows), shared=value, low=low, high=high, chance=0.0)


def _judged_together(lines: Sequence[_Line]) -> list[_Line]:
    """With q of every difference: of many lines, some leave out zero by chance."""
    at = [i for i, line in enumerate(lines) if math.isfinite(line.difference)]
    q = false_discovery_rate(np.array([_chance(lines[i]) for i in at], dtype=np.float64))
    rates = dict(zip(at, q.tolist(), strict=True))
    return [replace(line, q=rates.get(i, math.nan)) for i, line in enumerate(lines)]


def _chance(line: _Line) -> float:
    """Two-sided p of no difference, as if the resampled differences were normal."""
    spread = (line.high - line.low) / (2 * Z)
    if not spread > 0:
        return float(line.difference == 0)
    return math.erfc(abs(line.difference) / spread / math.sqrt(2))


def _better(line: _Line) -> str:
    """Which space is better, beyond the interval and what chance brings among many lines; "" where that is open."""
    if not (line.low > 0 or line.high < 0) or not line.q < SURE:
        return ""
    return "two" if (line.low > 0) != (line.metric in LESS_IS_BETTER) else "one"


def _table(lines: Sequence[_Line], one: EmbeddingStore, two: EmbeddingStore, space: Space, seed: int) -> Table:
    from astropy.table import MaskedColumn, Table

    names = ["task", "query", "target", "property", "metric", "one", "two", "difference", "shared", "low", "high", "q"]
    more = ["n", "chance", "one_low", "one_high", "two_low", "two_high"]
    table = Table()
    for name in [*names, "better", *more]:
        values = [_better(line) for line in lines] if name == "better" else [getattr(line, name) for line in lines]
        numbers = isinstance(values[0], float)
        table[name] = MaskedColumn(values, mask=np.isnan(values)) if numbers else values
    held = int((space.split == "test").sum())
    table["seed"], table["dataset"], table["origin"] = seed, space.source["dataset"], space.source["origin"]
    shown = [*names, "better", "n"]
    same = one.manifest.get("model") and one.manifest.get("model") == two.manifest.get("model")
    notes = [
        f"one: {one.root}, two: {two.root}" + (" (the same model)" if same else ""),
        f"{held:,} objects that both hold out; low and high: 95 % interval of the difference two - one, or of shared",
        f"better: where the interval leaves out zero and q, adjusted for the number of lines (Benjamini-Hochberg), is "
        f"below {SURE}",
    ]
    table.meta = {"shown": shown, "notes": ["", *notes]}
    return table
