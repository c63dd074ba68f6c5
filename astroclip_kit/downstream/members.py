"""Who belongs to which cluster, and the members that show what a cluster is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .clustering import Division
from .separation import Separation

if TYPE_CHECKING:
    from astropy.table import Table

    from ..embeddings import EmbeddingStore

__all__ = ["described", "member_table"]

MEMBERS = 5  # nearest to and farthest from the centre


def member_table(
    store: EmbeddingStore,
    at: npt.NDArray[np.int64],
    division: Division,
    coordinates: npt.NDArray[np.float32] | None = None,
) -> Table:
    """One row per object of a store: object_id, ra, dec, cluster, probability, and x and y where there is a map.

    Args:
        store: The space.
        at: Rows that were looked at [n]; for the others cluster is -1 and probability NaN.
        division: Their clusters.
        coordinates: Places of all objects [N, 2].
    """
    from astropy.table import Table

    labels, strength = np.full(len(store), -1), np.full(len(store), np.nan, np.float32)
    labels[at], strength[at] = division.labels, division.strength
    known = {"object_id": store.object_ids, "ra": store.ra, "dec": store.dec}
    table = Table({**known, "cluster": labels, "probability": strength}, units={"ra": "deg", "dec": "deg"})
    if coordinates is not None:
        table["x"], table["y"] = coordinates.T
    return table


def described(
    division: Division, z: npt.NDArray[np.float32], ids: npt.NDArray[np.str_], separations: Sequence[Separation]
) -> list[dict[str, Any]]:
    """Size, members and separating properties of each cluster, as plain values.

    Args:
        division: The clusters of n objects.
        z: Their vectors [n, D].
        ids: Their ids [n].
        separations: What `separate` gave.
    """
    found = []
    for number in range(int(division.labels.max()) + 1):
        members = np.flatnonzero(division.labels == number)
        centre = z[members].mean(axis=0)
        order = members[np.argsort(np.linalg.norm(z[members] - centre, axis=1), kind="stable")]
        found.append(
            {
                "cluster": number,
                "size": len(members),
                "share": len(members) / len(z),
                "probability": float(division.strength[members].mean()),
                "nearest": ids[order[:MEMBERS]].tolist(),
                "farthest": ids[order[::-1][:MEMBERS]].tolist(),
                "separating": [asdict(one) for one in separations if one.cluster == number],
            }
        )
    return found
