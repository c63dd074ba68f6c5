"""Objects that do not belong: several scores of oddness, and a table that says which of them put an object there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from ..filters import rows_where
from ..settings.oddities import Oddness
from .mislabels import LabelScores, label_scores
from .oddness import Near, disagreement, isolation, nearest_others, tails
from .properties import classes_of

if TYPE_CHECKING:
    from astropy.table import Table

    from ..embeddings import EmbeddingStore

__all__ = ["SCORES", "find_anomalies"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

SCORES = {
    "neighbours": "far from its nearest neighbours",
    "isolation": "isolated from all others",
    "disagreement": "its {pair} disagree",
    "disagreement_rank": "its {on} finds others' {others} first",
    "class_distance": "far from the centre of {label}",
    "label_odds": "labelled {label}, likelier {suggested}",
    "label_centroid": "labelled {label}, nearer to {suggested}",
    "label_neighbours": "labelled {label}, among {suggested}",
}
"""Name of a score, and what it says of an object that it puts on top."""

MISLABELS = ("label_odds", "label_centroid", "label_neighbours")
BEST = MISLABELS[0]  # finds more wrong labels alone than together with the others
OF_LABELS = ("class_distance", *MISLABELS)
COLUMNS = ("rank", "score", "kind", "by", "reason", "suggested", "suggested_share")
EXTREME = 0.02  # of the objects: what is as odd as that by its vectors alone is not explained by a wrong label


def find_anomalies(
    store: EmbeddingStore,
    *,
    on: str = "",
    label: str = "",
    rows: npt.NDArray[np.bool_] | None = None,
    scoring: Oddness = Oddness(),
) -> Table:
    """Ranks the objects of a store by how little they belong.

    Of every score, the share of objects that are as extreme is taken, and of its logarithm the mean over the scores of
    oddness (Fisher's way to combine tests); of mislabels that of label_odds, or the mean of the others without it. An
    object is called "mislabelled" where that is more extreme and another class is likelier, "odd" otherwise. Whatever
    is broken lies among strangers too, so that its label seems wrong: among the 2 % that are oddest without regard to
    labels (all scores together, or the most extreme one), it is "odd or mislabelled", for the reason of its oddness.

    Args:
        store: The space.
        on: Modality; the store's first by default. Others that an object has are compared with it. "mean" for all that
            it has; then every two of its modalities are compared.
        label: Label with the class of each object, for distances to the centre of a class and for mislabels; objects
            without one, "", are judged by the other scores alone.
        rows: Which of them to look at [N]; all that have the modality by default.
        scoring: Which scores rank, and how they are computed.

    Returns:
        One row per object that has the modality, least ordinary first: object_id, rank, score (-log10 of the share of
        objects that are as extreme in all scores of its kind), kind, by (the most extreme of these scores), reason (the
        same in words), the label with a suggested class and its weight among the neighbours, group, ra, dec, and every
        score with its percentile; NaN where an object has no such score. ``meta["notes"]`` says what was not judged.

    Raises:
        InputError: If k is larger than the number of others, vectors are not finite, or the label names every object.
        UsageError: If there is no such modality, label or score, or the label is a number.
    """
    on = on or store.names[0]
    chosen = store.present(on) & rows_where(store.catalog, scoring.where)
    chosen &= True if rows is None else np.asarray(rows, dtype=bool)
    at = np.flatnonzero(chosen)
    classes = _classes(store, label, at)
    by = [name.strip() for name in scoring.by.split(",")] if isinstance(scoring.by, str) else scoring.by
    wanted = tuple(name for name in by if name) or tuple(SCORES)
    if unknown := [name for name in wanted if name not in SCORES]:
        raise UsageError(f"no score {unknown[0]!r}; there is: {', '.join(SCORES)}.")
    store.check_finite(on, at)
    z = np.asarray(store.vectors(on)[at])
    if not 1 <= scoring.k < (count := len(np.unique(store.groups[at]))):
        raise InputError(f"k: expected 1 to {max(0, count - 1)} ({on} of other objects), found {scoring.k}.")
    notes: list[str] = []
    near = nearest_others(z, store.groups[at], scoring.k)
    scores = {"neighbours": near[1].mean(axis=1)} if "neighbours" in wanted else {}
    scores |= dict(_unlabelled(store, on, at, z, wanted, scoring, notes))
    found = (
        _labelled(store, at, on, classes, near, label, scoring.seed, notes) if set(wanted) & set(OF_LABELS) else None
    )
    if found:
        scores |= {name: getattr(found, name) for name in OF_LABELS if name in wanted}
    if not scores:
        raise UsageError(f"none of {', '.join(wanted)} can be computed here: {'; '.join(notes) or 'give a label'}.")
    return _table(store, on, at, scores, found, classes, label, notes)


def _classes(store: EmbeddingStore, label: str, at: Rows) -> Array:
    """Class of each chosen object, "" where it is unknown."""
    if not label:
        return np.full(len(at), "")
    classes = classes_of(store.labels, label, at)
    if label in (*COLUMNS, *SCORES):
        raise UsageError(f"label {label!r} has the name of a column of the answer.")
    return classes


def _unlabelled(
    store: EmbeddingStore, on: str, at: Rows, z: Array, wanted: Sequence[str], scoring: Oddness, notes: list[str]
) -> Iterator[tuple[str, Float]]:
    """Scores of a whole modality, and of its likeness to others."""
    groups, k = store.groups[at], scoring.k
    if "isolation" in wanted:
        yield "isolation", isolation(z, scoring.seed)
    asked = [name for name in ("disagreement", "disagreement_rank") if name in wanted]
    sums, counts = np.zeros((2, len(at))), np.zeros(len(at))
    for one, other in _compared(store, on) if asked else ():
        both = np.flatnonzero((store.present(one) & store.present(other))[at])
        if len(np.unique(groups[both])) <= k:
            notes.append(f"{other} was not compared with {one}: {len(both)} objects have both")
            continue
        first, second = (store.vectors(name)[at[both]] for name in (one, other))
        sums[:, both] += disagreement(first, second, groups[both], scoring.seed)
        counts[both] += 1
    if counts.any():
        means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        named = zip(("disagreement", "disagreement_rank"), means, strict=True)
        yield from ((name, mean) for name, mean in named if name in asked)


def _compared(store: EmbeddingStore, on: str) -> list[tuple[str, str]]:
    """Which modalities shall agree: that one with every other, or of their mean every two."""
    if on not in store.names:
        return list(combinations(store.names, 2))
    return [(on, name) for name in store.names if name != on]


def _labelled(
    store: EmbeddingStore, at: Rows, on: str, classes: Array, near: Near, label: str, seed: int, notes: list[str]
) -> LabelScores | None:
    """Scores of the label, NaN where it is not known; None where nothing can be mislabelled."""
    known = np.flatnonzero(classes != "")
    if not label:
        return None
    names = np.unique(classes[known])
    if len(names) < 2:
        notes.append(f"{label} is {names[0]} for all objects, so nothing can be mislabelled")
        return None
    k, everyone = near[0].shape[1], len(known) == len(at)
    if len(np.unique(store.groups[at[known]])) <= k:
        notes.append(f"{label} is known for {len(known)} objects alone, too few for {k} neighbours")
        return None
    if not everyone:
        notes.append(f"{label}: known for {len(known):,} of {len(at):,} objects; the others are judged without it")
    z, *views = (store.vectors(name)[at[known]] for name in (on, *([on] if on in store.names else store.names)))
    given = z, classes[known], store.groups[at[known]], k, near if everyone else None
    found = label_scores(*given, views=views, seed=seed)
    full = {name: np.full(len(at), np.nan) for name in (*OF_LABELS, "share")}
    for name, column in full.items():
        column[known] = getattr(found, name)
    suggested = np.full(len(at), "", dtype=found.suggested.dtype)
    suggested[known] = found.suggested
    return LabelScores(**full, suggested=suggested)


def _combined(evidence: Mapping[str, Float], count: int) -> Float:
    """-log10 of the share of objects [N] whose mean evidence is as large; 0 where there is none."""
    if not evidence:
        return np.zeros(count)
    values = np.stack(list(evidence.values()))
    known = np.isfinite(values)
    mean = np.where(known, values, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.nan_to_num(-np.log10(tails(np.where(known.any(axis=0), mean, np.nan))))


def _extreme(evidence: Mapping[str, Float], count: int) -> npt.NDArray[np.bool_]:
    """Which objects [N] are among the oddest by all scores together, or by their most extreme one."""
    if not evidence:
        return np.zeros(count, dtype=bool)
    largest = np.fmax.reduce(list(evidence.values()))
    return np.asarray((_combined(evidence, count) > -np.log10(EXTREME)) | (tails(largest) < EXTREME))


def _leading(evidence: Mapping[str, Float], count: int) -> Array:
    """Name of the most extreme score of each object [N]; "" where there is none."""
    if not evidence:
        return np.full(count, "")
    values = np.nan_to_num(np.stack(list(evidence.values())), nan=-1.0)
    return np.asarray(np.array(list(evidence))[values.argmax(axis=0)])


@dataclass(frozen=True)
class _Verdict:
    """Score, kind of trouble and leading score of each object [N], and the objects in order."""

    score: Float
    kind: Array
    by: Array
    order: Rows

    @classmethod
    def of(cls, evidence: Mapping[str, Float], found: LabelScores | None, count: int) -> _Verdict:
        odd = {name: one for name, one in evidence.items() if name not in MISLABELS}
        wrong = {name: one for name, one in evidence.items() if name in MISLABELS}
        wrong = {BEST: wrong[BEST]} if BEST in wrong else wrong
        strange, suspect = _combined(odd, count), _combined(wrong, count)
        if found:
            suspect[~(np.where(np.isfinite(found.label_odds), found.label_odds, found.label_neighbours) > 0)] = 0
        alone = {name: one for name, one in odd.items() if name not in OF_LABELS}
        mislabelled = suspect > strange
        unclear = mislabelled & _extreme(alone, count)
        kind = np.select([unclear, mislabelled], ["odd or mislabelled", "mislabelled"], "odd")
        reasons = [_leading(one, count) for one in (alone, wrong, odd)]
        by = np.select([unclear, mislabelled], reasons[:2], reasons[2])
        score = np.where(mislabelled, suspect, strange)
        order = np.lexsort((-np.nansum(list(evidence.values()), axis=0), -score))
        return cls(score, kind, by, order)


def _table(
    store: EmbeddingStore,
    on: str,
    at: Rows,
    scores: Mapping[str, Float],
    found: LabelScores | None,
    classes: Array,
    label: str,
    notes: list[str],
) -> Table:
    from astropy.table import Column, Table

    shares = {name: tails(one) for name, one in scores.items()}
    verdict = _Verdict.of({name: -np.log10(share) for name, share in shares.items()}, found, len(at))
    table = Table({"object_id": store.object_ids[at]})
    table["rank"] = 0
    table["rank"][verdict.order] = np.arange(1, len(at) + 1)
    table["score"] = Column(verdict.score, description="-log10 of the share of objects that are as extreme")
    table["kind"] = verdict.kind
    table["by"] = Column(verdict.by, description="the most extreme score")
    table["reason"] = _reasons(store, on, verdict.by, classes, found.suggested if found else classes)
    if label:
        table[label] = classes
    if found:
        table["suggested"], table["suggested_share"] = found.suggested, found.share
    for name, unit in (("group", None), ("ra", "deg"), ("dec", "deg")):
        table[name] = Column(store.catalog[name][at], unit=unit)
    for name, values in scores.items():
        table[name] = values
        table[f"{name}_percentile"] = 100 * (1 - shares[name])
    about = {name: store.manifest[name] for name in ("dataset", "origin", "seed")}
    table = table[verdict.order]
    table.meta = {"on": on, **about, "notes": notes}
    return table


def _reasons(store: EmbeddingStore, on: str, by: Array, classes: Array, suggested: Array) -> list[str]:
    on, *rest = [on, *(name for name in store.names if name != on)] if on in store.names else store.names
    others = " and ".join(rest)
    words = {"on": on, "others": others, "pair": f"{on} and {others}"}
    told = zip(by, classes, suggested, strict=True)
    return [SCORES[name].format(label=own, suggested=other, **words) if name else "" for name, own, other in told]
