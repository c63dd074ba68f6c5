"""The members of a selection that are most and least like the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...downstream.oddness import nearest_others
from ...embeddings import EmbeddingStore
from ...errors import InputError
from .samples import drawn

__all__ = ["MOST", "Extremes", "extremes"]

MOST = 20_000  # objects that are compared with each other
NEIGHBOURS = 10
SHORTEST = 1e-4  # of a mean of unit vectors that still has a direction in float32
Rows = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Extremes:
    """Typical and odd members.

    Args:
        modality: By whose vectors.
        count: Members that have it.
        compared: Of these, who were compared.
        typical: Rows of the store, the most typical first [k].
        closeness: Cosine of each with the mean direction of the selection [k].
        odd: Rows of the store, the oddest first [k].
        likeness: Mean cosine of each with its nearest neighbours in the selection [k].
        neighbours: How many these are.
    """

    modality: str
    count: int
    compared: int
    typical: Rows
    closeness: Float
    odd: Rows
    likeness: Float
    neighbours: int


def extremes(
    store: EmbeddingStore, selection: npt.NDArray[np.bool_], name: str, *, most: int = 10, seed: int = 0
) -> Extremes:
    """Finds the typical and the odd members of a selection; of more than 20,000 among so many at random.

    Args:
        store: The space.
        selection: Its members [N].
        name: Modality, or "mean".
        most: How many of each.
        seed: Of the random members.

    Raises:
        InputError: If fewer than two members have the modality, or their mean has no direction.
    """
    having = selection & store.present(name)
    count, at = int(having.sum()), drawn(having, MOST, seed)
    if count < 2:
        raise InputError(f"typical and odd: expected at least 2 selected objects with {name}, found {count}.")
    store.check_finite(name, at)
    z = np.asarray(store.vectors(name)[at])
    mean = z.mean(axis=0, dtype=np.float64)
    if np.linalg.norm(mean) < SHORTEST:
        raise InputError(f"typical and odd: the {name} vectors of the selection cancel each other. Select fewer.")
    closeness = z @ (mean / np.linalg.norm(mean))
    typical = np.argsort(-closeness, kind="stable")[:most]
    groups = np.unique(store.catalog.at(at, ["group"])["group"], return_inverse=True)[1]
    k = min(NEIGHBOURS, int(groups.max()))
    likeness = 1 - nearest_others(z, groups, k)[1].mean(axis=1) if k else np.ones(len(at))
    odd = np.argsort(likeness, kind="stable")[: most if k else 0]
    return Extremes(name, count, len(at), at[typical], closeness[typical], at[odd], likeness[odd], k)
