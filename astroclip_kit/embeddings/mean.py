"""One vector for all that was observed of an object: the mean of its modalities, as if it were one more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError

if TYPE_CHECKING:
    from .store import EmbeddingStore

__all__ = ["MEAN", "holds", "mean_vectors"]

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
    matrices, present = [store.vectors(name) for name in store.names], store.present(MEAN)  # absent rows are zero
    for start in range(0, len(total), ROWS):
        part = slice(start, start + ROWS)
        block: Any = sum(matrix[part] for matrix in matrices)
        norm = np.where(present[part], np.linalg.norm(block, axis=1), 1)[:, None]
        if (norm < SHORTEST).any():
            who = store.object_ids[start + int(norm[:, 0].argmin())]
            raise InputError(
                f"the vectors of {who} cancel each other: their mean has no direction. Ask with one of them."
            )
        total[part] = block / norm
    return total


def holds(store: EmbeddingStore, one: str, other: str) -> bool:
    """Whether vectors of one name are made of those of the other: both are the same, or one is the mean."""
    return one == other or (MEAN not in store.names and MEAN in (one, other))
