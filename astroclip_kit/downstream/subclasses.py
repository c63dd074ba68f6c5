"""Groups inside one class: what a label does not tell apart, but the space does, and which properties do, too.

Source: AstroM3 (Rizhko & Bloom 2025, arXiv:2411.08842), who see giants and dwarfs among rotational variables, and
oxygen- and carbon-rich Miras, on a map of the mean of all modalities.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..embeddings.mean import MEAN
from ..errors import InputError, UsageError
from .clustering import Division, Grouping, divide
from .clusters import Found
from .maps import Map, placed
from .members import described, member_table
from .permuted_groups import Ranked, ranked
from .projection import UMAPMap
from .properties import MOST_SHARE
from .separation import Separation, distinct, separate
from .valleys import SURE, Valley, joined, valleys

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore

__all__ = ["Subclasses", "find_subclasses"]

NEIGHBOURS, MIN_DIST = 45, 0.7  # of the map, as AstroM3
FEWEST = 30  # objects of a class among which groups are looked for
SHARE = 20  # one in so many objects is the smallest group
UNKNOWN: dict[str, Any] = {"chance": None, "p_any": None}
FEW = 10  # objects that did not make the groups, too few to tell whether they are apart
FLATTERED = "the map was fitted also on objects that are counted: the valleys flatter the groups"
Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Subclasses(Found):
    """Groups of one class: clusters whose summary also holds label and within, and the following.

    "fitted", the objects that made the groups; "subclasses", how many groups are apart, 1 where none is; "valleys",
    what lies between them (see `Valley`); "columns", the properties that separate them, the largest effect first (see
    `Ranked`; chance and p_any are None for a division of one group).
    """

    @property
    def count(self) -> int:
        """How many subclasses there are, as far as held-out objects can tell: 1 where the class is one group."""
        return int(self.summary["subclasses"])


@dataclass(frozen=True)
class _Class:
    """The objects of one class that have the modality, and which of them make the groups."""

    at: Rows
    fitted: npt.NDArray[np.bool_]
    first: npt.NDArray[np.bool_]  # one row for each object


def find_subclasses(
    store: EmbeddingStore,
    label: str,
    value: str,
    *,
    on: str = "",
    place: Map | None = None,
    grouping: Grouping = Grouping("hdbscan"),
    properties: Mapping[str, Array] | None = None,
    seed: int = 0,
) -> Subclasses:
    """Looks for groups inside one class, tests whether they are apart, and ranks the properties that separate them.

    HDBSCAN groups the training objects of the class on a map that was fitted on those of all classes; others belong
    to the group of the training object that is nearest on the map. As a map shows groups where there are none, it is
    tested in the space itself, on the other objects, whether there is a valley between any two (`valleys`); groups
    without one are joined. If nothing is left apart, the groups are given as they were found, and named a division of
    one group. A valley is one of the space: a network may divide what is continuous. Where the store knows no training
    objects, a half of all, drawn by object, takes their part.

    Args:
        store: The space.
        label: Label with the class of each object.
        value: The class.
        on: Modality; by default "mean", of all that an object has, or the only one.
        place: Map of the store and modality; by default UMAP (45 neighbours, 0.7) of all that train, in minutes.
        grouping: How. The smallest group of HDBSCAN is by default one in twenty. K-means works on the vectors.
        properties: What may separate groups: name to values [N], NaN or "" where missing; by default the labels. Names
            of objects are left out. For a mean of modalities it is compared, too, which of them an object has.
        seed: Of the map, k-means, samples, intervals and permutations.

    Raises:
        UsageError: If there is no such label, class, modality or method.
        InputError: If too few objects are of the class, or the map is that of another store or modality.
    """
    on = on or (MEAN if MEAN in store.choices else store.names[0])
    own = _objects(store, label, value, on, seed)
    z, xy = store.vectors(on)[own.at], _places(store, own, on, place, seed)
    method = grouping.method or "hdbscan"
    size = grouping.min_size or max(5, int(own.fitted.sum()) // SHARE)
    points = z if method == "kmeans" else xy[own.at]
    division = _divided(points, z, own.fitted, replace(grouping, method=method, min_size=size), seed)
    found = valleys(z[own.first], division.labels[own.first], own.fitted[own.first])
    merged = joined(division.labels, found)
    count = int(merged.max(initial=0)) + 1
    division = replace(division, labels=merged) if count > 1 else division
    known = _properties(store, label, on, store.labels if properties is None else properties, own.at)
    separations, ranking = _separations(division.labels, known, store.groups[own.at], seed)
    about = {"method": method, "modality": on, "label": label, "within": value, "seed": seed}
    summary = {
        **about,
        **_counts(store, own, about, division, place),
        "comparisons": len(separations),
        "subclasses": count,
        "valleys": [asdict(one) for one in found],
        "columns": [_column(one, apart=count > 1) for one in ranking],
        "clusters": described(division, z, store.object_ids[own.at], separations),
    }
    flatters = place is not None and bool(place.fitted[own.at[~own.fitted]].any())
    summary["notes"] = [*_notes(summary, found, ranking), *[FLATTERED] * flatters]
    return Subclasses(member_table(store, own.at, division, xy), summary, [])


def _column(one: Ranked, *, apart: bool) -> dict[str, Any]:
    """Of the summary: how a property separates groups; how likely that is where they were cut out of one is unknown."""
    return {**asdict(one.separation), **({"chance": one.chance, "p_any": one.p} if apart else UNKNOWN)}


def _counts(
    store: EmbeddingStore, own: _Class, about: Mapping[str, Any], division: Division, place: Map | None
) -> dict[str, Any]:
    """Of the summary: how the groups were made, of how many objects, and whose they are."""
    of_class = store.labels[about["label"]] == about["within"]
    return {
        "space": "vectors" if about["method"] == "kmeans" else "map",
        "map": str(place.root) if place is not None else "",
        "parameters": division.parameters,
        "considered": len(own.at),
        "fitted": int(own.fitted.sum()),
        "without_modality": int((of_class & ~store.present(about["modality"])).sum()),
        "in_no_cluster": int((division.labels < 0).sum()),
        "source": str(store.root),
        **{name: store.manifest[name] for name in ("dataset", "origin")},
        "silhouettes": [],  # the valleys say more
        "silhouette_without_clusters": math.nan,
    }


def _objects(store: EmbeddingStore, label: str, value: str, on: str, seed: int) -> _Class:
    """Who is of the class, and who of them makes the groups: those of training, or a half."""
    if label not in store.labels:
        raise UsageError(f"no label {label!r}; there is: {', '.join(store.labels) or 'none'}.")
    classes = store.labels[label]
    if classes.dtype.kind not in "OSU":
        raise UsageError(f"{label} holds numbers, expected a label with classes.")
    if not (classes == value).any():
        names, counts = np.unique(classes[classes != ""], return_counts=True)
        known = ", ".join(f"{name} ({count})" for name, count in zip(names, counts, strict=True))
        raise UsageError(f"no object has the {label} {value!r}; there is: {known or 'none'}.")
    at = np.flatnonzero((classes == value) & store.present(on))
    groups = store.groups[at]
    names, start = np.unique(groups, return_index=True)
    trained = store.split[at] == "train"
    if not trained.any() or trained.all():
        trained = np.isin(groups, np.random.default_rng(seed).permutation(names)[: (len(names) + 1) // 2])
    fitted = int(np.isin(np.flatnonzero(trained), start).sum())
    if fitted < FEWEST:
        raise InputError(
            f"{fitted} training objects are {value} and have {on} (of {len(names)}); at least {FEWEST} are needed to "
            f"look for groups among them."
        )
    store.check_finite(on)
    return _Class(at, trained, np.isin(np.arange(len(at)), start))


def _places(store: EmbeddingStore, own: _Class, on: str, place: Map | None, seed: int) -> npt.NDArray[np.float32]:
    """Where the training objects, and all of the class, lie on the map [N, 2]; NaN for the others."""
    if place is not None:
        place.check(store, on)
        return place.coordinates
    fitted = store.present(on) & (store.split == "train")
    if (fitted[own.at] != own.fitted).any():  # no training side: the half that was drawn
        fitted = np.isin(np.arange(len(store)), own.at[own.fitted])
    how: dict[str, Any] = {"neighbours": min(NEIGHBOURS, int(fitted.sum()) - 1), "min_dist": MIN_DIST, "seed": seed}
    return placed(UMAPMap, store.vectors(on), fitted, own.at[~own.fitted], **how)[1]


def _divided(
    points: npt.NDArray[np.float32],
    z: npt.NDArray[np.float32],
    fitted: npt.NDArray[np.bool_],
    grouping: Grouping,
    seed: int,
) -> Division:
    """The groups of the fitted objects, in which every other is where the fitted one nearest to it is."""
    from sklearn.neighbors import NearestNeighbors

    division = divide(points[fitted], grouping, vectors=z[fitted], seed=seed)
    nearest = NearestNeighbors(n_neighbors=1).fit(points[fitted]).kneighbors(points, return_distance=False)[:, 0]
    return replace(division, labels=division.labels[nearest], strength=division.strength[nearest])


def _properties(
    store: EmbeddingStore, label: str, on: str, properties: Mapping[str, Array], at: Rows
) -> dict[str, Array]:
    """What may separate groups, of the objects of the class; of a mean also which modalities there are."""
    for name, values in properties.items():
        if np.shape(values) != (len(store),):
            raise InputError(f"property {name!r}: expected {len(store)} values, found shape {np.shape(values)}.")
    known = {name: np.asarray(values) for name, values in properties.items() if name != label}
    found = {name: known[name][at] for name in distinct(known)}
    found = {name: values for name, values in found.items() if not _names(values)}
    if on == MEAN and MEAN not in store.names:
        found |= {f"has {name}": np.where(store.present(name)[at], "yes", "no") for name in store.names}
    return found


def _names(values: Array) -> bool:
    """Whether texts name the objects: no classes, of which each has several."""
    texts = values[values != ""] if values.dtype.kind in "OSU" else values[:0]
    return len(texts) > 0 and len(np.unique(texts)) > MOST_SHARE * len(texts)


def _separations(
    labels: Rows, known: Mapping[str, Array], groups: Array, seed: int
) -> tuple[list[Separation], list[Ranked]]:
    """What sets each group apart from the other groups, one row for each object; and the properties, ranked."""
    rows = np.sort(np.unique(groups, return_index=True)[1])
    rows = rows[labels[rows] >= 0]
    inside, properties = labels[rows], {name: values[rows] for name, values in known.items()}
    if len(np.unique(inside)) < 2:
        return [], []
    separations = separate(inside, properties, seed=seed)
    return separations, ranked(separations, inside, properties, seed=seed)


def _notes(about: Mapping[str, Any], found: list[Valley], ranking: list[Ranked]) -> Iterator[str]:
    """What a reader has to know, in whole sentences."""
    what, count = f"{about['within']} ({about['considered']:,} objects, by {about['modality']})", about["subclasses"]
    if about["without_modality"]:
        yield f"{about['without_modality']:,} objects without {about['modality']} were left out"
    if not found:
        yield f"{what} is one group: {about['method']} finds no two in it"
        return
    counted = f"{found[0].n:,} objects that did not make the groups"
    if count < 2:
        yield (
            f"{what} is one group as far as {counted} can tell: none of the {len(found) + 1} found is apart from the "
            f"others (smallest q {min(one.q for one in found):.2g}). What follows is a division of one group"
        )
    for one in (one for one in found if one.q < SURE):
        yield (
            f"a valley: {one.between} of {counted} lie between two groups, where {one.inside} and {one.beyond} lie "
            f"around their middles (q {one.q:.1g})"
        )
    if found[0].n < FEW:
        yield f"{counted} are too few to tell whether groups are apart: hold more out"
    favoured = "properties that went into the space are favoured"
    if count < 2:
        yield f"one group was cut by the space itself, so that no p says how clearly properties differ; {favoured}"
        return
    clear = sum(one.p < SURE for one in ranking)
    yield (
        f"{clear} of {len(ranking)} properties separate groups more clearly than any does in 95 % of the permutations "
        f"of the groups; intervals are 95 % each. This takes the groups as given, which the space made: {favoured}"
    )
