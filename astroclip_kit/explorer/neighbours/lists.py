"""The neighbours of whoever asks, by every modality that may answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...embeddings import EmbeddingStore
from ...embeddings.mean import holds
from ...embeddings.queries import Asked
from ...embeddings.search import similar_rows

__all__ = ["NeighbourList", "neighbour_list", "targets"]

Mask = npt.NDArray[np.bool_]
RANKED = 200_000  # objects of a store up to which a rank beyond the list is counted


@dataclass(frozen=True)
class NeighbourList:
    """The neighbours of one who asks, by one modality.

    Args:
        query: Modality that asks.
        target: Modality that answers.
        rows: Rows of the store, most similar first [k].
        similarity: Cosine of each [k].
        same: Whether each is another observation of the object that asks [k].
        notes: What one should know of it: that there are fewer, or how similar the asking object's own target is.
    """

    query: str
    target: str
    rows: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float32]
    same: Mask
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Who asks whom."""
        return f"{self.query} → {self.target}"


def targets(store: EmbeddingStore, query: str) -> list[str]:
    """Modalities that answer, the one that asks first; the mean of all answers only where it asks."""
    return [query, *(name for name in store.names if name != query)]


def neighbour_list(
    store: EmbeddingStore, asked: Asked, target: str, k: int, among: Mask | None = None
) -> NeighbourList:
    """The objects whose `target` is most similar to one vector; who asks is not among them.

    Args:
        store: Where to search.
        asked: One vector, and the rows that it is of.
        target: Modality that answers.
        k: Number of neighbours; as many as there are where that is less.
        among: Which rows may answer [N]; all by default.
    """
    may = store.present(target) if among is None else store.present(target) & among
    own = asked.rows[0]
    there = own[may[own]]
    most = int(may.sum()) - len(there)
    if most < 1:
        empty = np.zeros(0)
        note = f"No other object that may answer has {target}."
        return NeighbourList(asked.name, target, empty.astype(int), empty.astype("f4"), empty.astype(bool), (note,))
    wanted, crossing = min(k, most), not holds(store, asked.name, target)
    everyone = np.ones(len(store), dtype=bool) if among is None else among
    similarity, rows = (one[0] for one in similar_rows(store, asked, target, wanted + crossing * len(there), everyone))
    others = np.flatnonzero(~np.isin(rows, own))[:wanted]
    notes = [f"There are only {most}."] if most < k else []
    if crossing and len(there):
        mine = float(asked.vectors[0] @ store.vectors(target)[there[0]])
        place = np.flatnonzero(rows == there[0])
        rank = f"rank {place[0] + 1}" if len(place) else f"not among the first {wanted}"
        if not len(place) and len(store) <= RANKED:
            nearer = np.asarray(store.vectors(target)) @ asked.vectors[0] > mine
            rank = f"rank {np.count_nonzero(nearer & may) + 1:,} of {np.count_nonzero(may):,}"
        notes.append(f"Its own {target}: similarity {mine:.3f}, {rank}.")
    groups = store.catalog.at(np.append(rows[others], own), ["group"])["group"]
    same = np.isin(groups[: len(others)], groups[len(others) :])
    return NeighbourList(asked.name, target, rows[others], similarity[others], same, tuple(notes))
