"""Properties of chosen objects as a table: what `astroclip-kit predict` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from . import knn

if TYPE_CHECKING:
    from astropy.table import Table

    from ..embeddings import EmbeddingStore

__all__ = ["predict_table"]


def predict_table(
    store: EmbeddingStore,
    properties: Sequence[str],
    *,
    rows: npt.ArrayLike | None = None,
    query: str = "",
    memory: str = "",
    k: int = 16,
    weights: Literal["distance", "uniform"] = "distance",
) -> Table:
    """Reads properties off the nearest neighbours among all other objects.

    Args:
        store: Where to look.
        properties: Labels to predict.
        rows: Row numbers of the objects; all that have the query modality by default.
        query: Modality of the objects; the store's first by default.
        memory: Modality of the neighbours; the same as `query` by default.
        k: Number of neighbours; rows of the object's own group are never among them.
        weights: "distance" or "uniform", see `knn.predict`.

    Returns:
        One row per object: object_id, ra, dec, and for every property NAME its value, ``NAME_spread`` and
        ``NAME_neighbours`` (their ids, nearest first, with commas).

    Raises:
        InputError: If an object lacks the query modality or k exceeds the labelled memory.
        UsageError: If a property or a modality is unknown.
    """
    query = query or store.names[0]
    memory = memory or query
    asked = np.flatnonzero(store.present(query)) if rows is None else np.asarray(rows, dtype=np.int64)
    if len(absent := asked[~store.present(query)[asked]]):
        raise InputError(f"object {str(store.object_ids[absent[0]])!r} has no {query}, which is needed to ask with it.")
    held = np.flatnonzero(store.present(memory))
    z, queries, groups = store.vectors(memory)[held], store.vectors(query)[asked], store.groups
    table = store.to_table()["object_id", "ra", "dec"][asked]
    for name in properties:
        if name not in store.labels:
            raise UsageError(f"no property {name!r} among the labels: {', '.join(store.labels) or 'there are none'}.")
        y = store.labels[name][held]
        found = knn.predict(z, y, queries, k=k, weights=weights, exclude=(groups[asked], groups[held]))
        table[name], table[f"{name}_spread"] = found.value, found.spread
        table[f"{name}_neighbours"] = [",".join(ids) for ids in store.object_ids[held[found.rows]]]
    return table
