"""Who is near: neighbours of the queries, and of objects whose answers say what is usual in this memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..embeddings.familiarity import UNSEEN
from ..errors import InputError
from ..settings.prediction import Prediction
from .combination import Combination
from .knn import neighbours

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore

__all__ = ["MOST", "Neighbourhood", "Question", "gather"]

MOST = 1000  # reference objects: the 1st percentile, and a coverage of 90 %, are then known to 0.3 % and 0.9 %
ENOUGH = 100  # reference objects that the model was not trained on, to do without the others
Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Question:
    """What is asked of whom.

    Args:
        store: The space.
        how: Which modalities ask and answer.
        vectors: Vectors that ask [Q, D'], as `Combination.queries` gives them.
        groups: Astrophysical object of each query [Q]; its rows are no neighbours.
        among: Which objects may be neighbours, or calibrate [N].
        settings: Number of neighbours, coverage, seed.
        familiar: How familiar the inputs of the queries look, as a percentile [Q]; None where that is not known.
    """

    store: EmbeddingStore
    how: Combination
    vectors: npt.NDArray[np.float32]
    groups: Array
    among: Flags
    settings: Prediction
    familiar: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Neighbourhood:
    """Neighbours of queries and of reference objects, as row numbers of the store, nearest first.

    Args:
        rows: Neighbours of the queries [Q, k].
        distance: Their distances, 1 - cosine [Q, k].
        reference: Objects of the store that also asked, one row of each [R].
        reference_rows: Their neighbours [R, k].
        reference_distance: Distances [R, k].
        memory: Number of objects to choose neighbours from.
        unseen: Number of reference objects that the model is known not to have been trained on.
        able: Number of objects to choose reference objects from.
        familiar: See `Question`.
    """

    rows: Rows
    distance: npt.NDArray[np.float64]
    reference: Rows
    reference_rows: Rows
    reference_distance: npt.NDArray[np.float64]
    memory: int
    unseen: int
    able: int
    familiar: npt.NDArray[np.float64] | None = None

    @property
    def support(self) -> npt.NDArray[np.float64]:
        """Percentile [Q] of the k-th neighbour's similarity among those of the reference objects; NaN without any.

        A low one says that an object lies outside of the memory. A high one is no proof that it belongs there: an
        model can place what it has never seen among what it knows, and mostly does: see `supported`.
        """
        usual = np.sort(self.reference_distance[:, -1])
        farther = len(usual) - np.searchsorted(usual, self.distance[:, -1])
        return np.asarray(100 * farther / len(usual) if len(usual) else np.full(len(self.rows), np.nan))

    def supported(self, least: float) -> Flags:
        """Whether support, and familiarity where it is known, are at least a percentile [Q]; not where one is NaN."""
        familiar = True if self.familiar is None else self.familiar >= least
        return np.asarray((self.support >= least) & familiar)


def gather(question: Question, usable: Flags, *, apart: int = 0, least: int = 0, known: str = "") -> Neighbourhood:
    """Finds the neighbours of the queries, and of reference objects, among usable objects.

    Reference objects ask as the queries do, with the same modality and without their own group. They are objects
    that the model was not trained on, as new ones are; where there are too few, others make up the number.

    Args:
        question: Who asks, and how.
        usable: Rows that may answer [N].
        apart: Number of reference objects that are no neighbours of anyone; 0 for references within the memory.
        least: The fewest objects that the model was not trained on to do without others.
        known: What a message on k adds about the usable objects.

    Raises:
        InputError: If k exceeds the memory, or a vector is zero or not finite.
    """
    store, how, k = question.store, question.how, question.settings.k
    for name in {*how.query, *how.memory}:
        store.check_finite(name)
    rng = np.random.default_rng(question.settings.seed)
    able = _one_each(store, rng.permutation(np.flatnonzero(usable & how.asks(store))))
    reference = _reference(store, able, apart or MOST, max(ENOUGH, least))
    codes = np.unique(np.concatenate([store.groups, question.groups]), return_inverse=True)[1]
    own, asking = codes[: len(store)], codes[len(store) :]
    held = np.flatnonzero(usable & how.answers(store))
    if apart:
        held = held[~np.isin(own[held], own[reference])]
    everyone = np.append(asking, own[reference])
    others = len(held) - int(np.bincount(own[held], minlength=codes.max() + 1)[everyone].max(initial=0))
    if not 1 <= k <= others:
        but = f" that do not calibrate ({len(reference)} do)" if apart else ""
        what = f"(rows of the memory with a label{but}, without those of who asks)"
        raise InputError(f"k: expected 1 to {others} {what}, found {k}{known and f'; {known}'}.")
    queries = np.concatenate([question.vectors, how.queries(lambda name: store.vectors(name)[reference])])
    vectors, place = how.entries(store, held)
    rows, distance = _distinct(vectors, place, queries, k, own[place], everyone)
    asked, told = slice(len(asking)), slice(len(asking), None)
    unseen = int(np.isin(store.split[reference], UNSEEN).sum())
    return Neighbourhood(
        *(rows[asked], distance[asked], reference, rows[told], distance[told]),
        *(len(held), unseen, len(able), question.familiar),
    )


def _one_each(store: EmbeddingStore, rows: Rows) -> Rows:
    """The first row of every object, in their order."""
    return rows[np.sort(np.unique(store.groups[rows], return_index=True)[1])]


def _reference(store: EmbeddingStore, rows: Rows, count: int, enough: int) -> Rows:
    """At most `count` rows: those not trained on come first, and alone where there are enough of them."""
    new = np.isin(store.split[rows], UNSEEN)
    alone = new.sum() >= min(count, enough)
    chosen = rows[new] if alone else rows[np.argsort(~new, kind="stable")]
    return np.sort(chosen[:count])


def _distinct(
    memory: npt.NDArray[np.float32], place: Rows, queries: npt.NDArray[np.float32], k: int, ids: Rows, asking: Rows
) -> tuple[Rows, npt.NDArray[np.float64]]:
    """The k nearest objects, each at the distance of its nearest vector, where objects may have several vectors."""
    _, code, times = np.unique(place, return_inverse=True, return_counts=True)
    most = int(times.max())
    if most == 1:
        found, distance = neighbours(memory, queries, k, "cosine", ids, asking)
        return place[found], distance
    excluded = np.bincount(ids, minlength=asking.max() + 1)[asking].max()
    found, distance = neighbours(memory, queries, min(k * most, len(place) - int(excluded)), "cosine", ids, asking)
    rows = code[found]
    first = np.argsort(rows, axis=1, kind="stable")
    in_order = np.take_along_axis(rows, first, axis=1)
    again = np.zeros(rows.shape, dtype=bool)
    np.put_along_axis(again, first[:, 1:], in_order[:, 1:] == in_order[:, :-1], axis=1)
    if (least := int((~again).sum(axis=1).min(initial=k))) < k:
        raise InputError(f"k: expected 1 to {least}, found {k}: no more objects are near without a query's own group.")
    kept = np.argsort(again, axis=1, kind="stable")[:, :k]
    return place[np.take_along_axis(found, kept, axis=1)], np.take_along_axis(distance, kept, axis=1)
