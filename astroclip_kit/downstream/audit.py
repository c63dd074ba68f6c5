"""A label and the space against each other: who is called by a wrong name, and who is strange for what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from ..filters import rows_where
from .class_odds import class_factors, class_odds, label_odds
from .mislabels import class_distances
from .oddness import tails
from .properties import classes_of

if TYPE_CHECKING:
    from astropy.table import Table

    from ..embeddings import EmbeddingStore

__all__ = ["KINDS", "label_audit"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
KINDS = ("mislabelled", "in-class outlier", "far, nearer to another", "")
REASONS = ("labelled {0}, likelier {1}", "far from other {0}", "far from other {0}, nearer to {2}", "")
TOLD = 0.03  # of the objects: who is no more extreme than these is of no kind
FEWEST = 17  # members, so that half of one is no more than that share


def label_audit(
    store: EmbeddingStore,
    label: str,
    on: str = "",
    *,
    rows: npt.NDArray[np.bool_] | None = None,
    where: str = "",
    seed: int = 0,
) -> Table:
    """Ranks labelled objects by how little label and vectors fit, and tells three kinds of misfit apart.

    "mislabelled": another class is likelier (`class_odds`), and the odds are among the 3 % largest of all objects. The
    distance to the own centroid alone, which AstroM3 ranks by, finds fewer wrong labels: a class may have several
    parts, and a faint object is far from everything. "in-class outlier": no other class is so much likelier, its own
    centroid is the nearest, and it is among the 3 % of the others of its class that are farthest from it, and farther
    than half of all objects from theirs. "far, nearer to another": as far, but another centroid is nearer. As each
    class is its own measure, the rare ones do not fill the top; one of fewer than 17 members is too small to have any
    that is far, and is named in ``meta["notes"]``.

    Args:
        store: The space. Labels took no part in making it, or all objects are judged by what they were told.
        label: Label with the class of each object; objects without one are left out.
        on: Modality; "mean" for all that an object has by default.
        rows: Which objects to look at [N]; all that have the modality by default.
        where: A condition on them, "snr > 5".
        seed: Of the folds of the models.

    Returns:
        One row per object, least fitting first: object_id, rank, score (-log10 of the share of objects that are as
        extreme in their kind), kind, reason, the label, suggested (the likeliest other class), label_odds (natural
        logarithm of its odds against the own class), label_odds_percentile, own_distance and nearest_distance
        (1 - cosine with the centroids of the own class and of the nearest other one), nearest (that class), and of
        several modalities which class each says by itself (says_NAME); group, ra, dec, split.

    Raises:
        InputError: If there are fewer than two classes, the label names every object, or a vector is not finite.
        UsageError: If there is no such label or modality, the label is a number, or it has the name of a column.
    """
    on = on or store.choices[-1 if len(store.choices) > len(store.names) else 0]
    chosen = store.present(on) & rows_where(store.catalog, where)
    at = np.flatnonzero(chosen if rows is None else chosen & np.asarray(rows, dtype=bool))
    names = classes_of(store.labels, label, at)
    at, names = at[names != ""], names[names != ""]
    classes, codes = np.unique(names, return_inverse=True)
    if len(classes) < 2:
        raise InputError(f"{label} is {classes[0]} for all objects, so nothing can be mislabelled.")
    parts = [on] if on in store.names else store.names
    for name in parts:
        store.check_finite(name, at[store.present(name)[at]])
    groups = np.unique(store.groups[at], return_inverse=True)[1]
    factors = class_factors([store.vectors(name)[at] for name in parts], codes, groups, seed)
    odds, likeliest = label_odds(class_odds(factors, codes), codes)
    own, nearest, other = class_distances(np.asarray(store.vectors(on)[at]), codes, groups, len(classes))
    likeliest = np.where(np.isfinite(odds), likeliest, nearest)
    columns: dict[str, Any] = {label: names, "suggested": classes[likeliest], "label_odds": odds}
    columns |= {"own_distance": 1 - own, "nearest_distance": 1 - other, "nearest": classes[nearest]}
    if len(parts) > 1:
        prior = np.log(np.bincount(codes) / len(codes))
        for name, one in zip(parts, factors, strict=True):
            said = classes[np.nan_to_num(one + prior).argmax(axis=1)]
            columns[f"says_{name}"] = np.where(store.present(name)[at] & np.isfinite(odds), said, "")
    return _table(store, at, label, on, codes, columns)


def _table(
    store: EmbeddingStore, at: npt.NDArray[np.int64], label: str, on: str, codes: Array, columns: dict[str, Any]
) -> Table:
    from astropy.table import Column, Table

    wrong = tails(columns["label_odds"])
    mislabelled = (columns["label_odds"] > 0) & (wrong <= TOLD)
    distance = columns["own_distance"]
    far = _within(np.where(mislabelled, np.nan, distance), codes)
    far[distance < np.nanmedian(distance)] = 1  # the last of a class that lies close together is no outlier
    share = np.nan_to_num(np.where(mislabelled, wrong, far), nan=1.0)
    outside = distance > columns["nearest_distance"]
    kind = np.select([mislabelled, (share <= TOLD) & ~outside, share <= TOLD], KINDS[:3], KINDS[3])
    table = Table({"object_id": store.object_ids[at]})
    table["rank"] = 0
    table["score"] = Column(-np.log10(share), description="-log10 of the share of objects that are as extreme")
    table["kind"] = kind
    told = dict(zip(KINDS, REASONS, strict=True))
    named = zip(kind, columns[label], columns["suggested"], columns["nearest"], strict=True)
    table["reason"] = [told[one].format(*classes) for one, *classes in named]
    if label in (*table.colnames, *(name for name in columns if name != label), "label_odds_percentile"):
        raise UsageError(f"label {label!r} has the name of a column of the answer.")
    for name, values in columns.items():
        table[name] = values
        if name == "label_odds":
            table["label_odds_percentile"] = 100 * (1 - wrong)
    for name, unit in (("group", None), ("ra", "deg"), ("dec", "deg"), ("split", None)):
        table[name] = Column(store.catalog[name][at], unit=unit)
    order = np.lexsort((-np.nan_to_num(columns["label_odds"]), share))
    table["rank"][order] = np.arange(1, len(table) + 1)
    table = table[order]
    table.meta = {"on": on, "label": label, **{name: store.manifest[name] for name in ("dataset", "origin", "seed")}}
    counts = [f"{int((kind == one).sum()):,} {one}" for one in KINDS[:3]]
    table.meta["notes"] = [f"{len(table):,} objects with {label} by their {on}: {'; '.join(counts)}"]
    names, members = np.unique(columns[label][~mislabelled & np.isfinite(distance)], return_counts=True)
    counted = dict(zip(names, members, strict=True))
    small = {name: counted.get(name, 0) for name in np.unique(columns[label]) if counted.get(name, 0) < FEWEST}
    if small:
        listed = ", ".join(f"{name} ({count})" for name, count in small.items())
        table.meta["notes"].append(f"too small to tell who is far from the others (fewer than {FEWEST}): {listed}")
    return table


def _within(distance: Float, codes: Array) -> Float:
    """Share of the objects of the same class [N] that are at least as far."""
    share = np.full(len(distance), np.nan)
    for code in np.unique(codes):
        share[codes == code] = tails(distance[codes == code])
    return share
