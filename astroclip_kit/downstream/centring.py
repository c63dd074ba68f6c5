"""Modalities without their mean: what is left of a space when the gap between its modalities is closed.

Contrastive training leaves each modality in a cone of its own (Liang et al. 2022, NeurIPS, arXiv:2203.02053). Less its
mean over the training objects, and of length 1 again, each modality lies around the origin, so that directions are
compared and not cones.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore

__all__ = ["centre", "centred"]

Flags = npt.NDArray[np.bool_]
LEAST = 1e-6  # length of what is left of a unit vector, below which it is rounding error


def centre(vectors: npt.ArrayLike, present: Flags, training: Flags, name: str = "vectors") -> npt.NDArray[np.float32]:
    """Unit vectors [N, D] less the mean of the training objects, of length 1 again.

    Args:
        vectors: Unit vectors of one modality [N, D].
        present: Which rows have the modality [N]; the others stay zero.
        training: Which rows the mean is taken of, where they have the modality [N].
        name: The modality, for errors.

    Raises:
        InputError: If no training object has the modality, or a vector is the mean itself.

    Example:
        >>> everyone = np.ones(2, dtype=bool)
        >>> centre([[0.6, 0.8], [-0.6, 0.8]], everyone, everyone).round(3)
        array([[ 1.,  0.],
               [-1.,  0.]], dtype=float32)
    """
    z, own = np.asarray(vectors), present & training
    if not own.any():
        raise InputError(f"{name}: no training object has it, so there is no mean to subtract.")
    out = np.where(present[:, None], z - z[own].mean(axis=0, dtype=np.float64), 0)
    norm = np.linalg.norm(out, axis=1, keepdims=True)
    if alike := int((norm[present] < LEAST).sum()):
        raise InputError(
            f"{name}: {alike} of {int(present.sum())} vectors are the mean of all; nothing is left of them."
        )
    return np.asarray(out / np.where(norm > 0, norm, 1), dtype=np.float32)


def centred(store: EmbeddingStore, root: str | Path) -> EmbeddingStore:
    """Writes a store with every modality centred by its training objects; all verbs take it like any other.

    Args:
        store: The space. Without a split, all objects count as training objects.
        root: Where to.

    Returns:
        The new store. It no longer belongs to its model: a new observation is not centred when it is embedded, so a
        file cannot ask this store.

    Raises:
        InputError: If a modality has no training object, or a vector is the mean itself.
    """
    from ..embeddings import EmbeddingStore as Store

    training = store.split != "test"
    training = training if training.any() else ~training
    vectors = {name: centre(store.vectors(name), store.present(name), training, name) for name in store.names}
    values: dict[str, Any] = {
        key: store.manifest[key] for key in ("dataset", "origin", "seed", "pool") if key in store.manifest
    }
    return Store.write(
        root,
        vectors,
        store.object_ids,
        present={name: store.present(name) for name in store.names},
        catalog={name: store.catalog[name] for name in ("group", "ra", "dec", "split")},
        labels=store.labels,
        values=values | {"centred": True},
    )
