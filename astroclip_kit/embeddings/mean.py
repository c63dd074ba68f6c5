"""One vector for all that was observed of an object: the mean of its modalities, as if it were one more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError

if TYPE_CHECKING:
    from .store import EmbeddingStore

__all__ = ["MEAN", "holds", "mean_of", "mean_vectors"]

MEAN = "mean"
SHORTEST = 1e-4  # of a mean of unit vectors that still has a direction in float32
ROWS = 16384  # per block


def mean_vectors(store: EmbeddingStore) -> npt.NDArray[np.float32]:
    """Mean of the unit vectors of those modalities that an object has, of length 1 again; float32 [N, D].

    Objects with the same modalities are compared as one would expect. Between objects with different ones the gap
    between modalities counts, too: `downstream.centred` removes most of it.

    Args:
        store: The space.

    Raises:
        InputError: If the vectors of an object cancel each other.
    """
    total = np.empty((len(store), store.out_features), dtype=np.float32)
    for start in range(0, len(total), ROWS):
        total[start : start + ROWS] = mean_of(store, slice(start, start + ROWS))
    return total


def mean_of(store: EmbeddingStore, rows: Any) -> npt.NDArray[np.float32]:
    """As `mean_vectors`, of some rows only; float32 [n, D].

    Args:
        store: The space.
        rows: Which, as numpy indexes.

    Raises:
        InputError: If the vectors of an object cancel each other.
    """
    block: Any = sum(store.vectors(name)[rows] for name in store.names)  # absent rows are zero
    present = np.any([store.present(name)[rows] for name in store.names], axis=0)
    norm = np.where(present, np.linalg.norm(block, axis=1), 1)[:, None]
    if (norm < SHORTEST).any():
        who = store.object_ids[rows][int(norm[:, 0].argmin())]
        raise InputError(f"the vectors of {who} cancel each other: their mean has no direction. Ask with one of them.")
    return np.asarray(block / norm, dtype=np.float32)


def holds(store: EmbeddingStore, one: str, other: str) -> bool:
    """Whether vectors of one name are made of those of the other: both are the same, or one is the mean."""
    return one == other or (MEAN not in store.names and MEAN in (one, other))
