"""Search of a store from one of its objects, named by id or by position."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from ..surveys.coordinates import in_range

if TYPE_CHECKING:
    from astropy.table import Table

    from .store import EmbeddingStore

__all__ = ["find", "nearest", "search"]


def search(
    store: EmbeddingStore,
    object_id: str = "",
    *,
    ra: float = math.nan,
    dec: float = math.nan,
    query: str = "",
    target: str = "",
    k: int = 10,
    radius_arcsec: float = 3.0,
) -> Table:
    """The k objects whose `target` is most similar to the `query` of one object.

    Args:
        store: Where to search.
        object_id: Id (or group, where it has one row) of the object that asks; or give `ra` and `dec`.
        ra: Right ascension in degrees.
        dec: Declination in degrees.
        query: Modality that asks; the store's first by default.
        target: Modality that answers; the same as `query` by default, and then the object itself is left out.
        k: Number of answers.
        radius_arcsec: How far from the position the object may be.

    Returns:
        Table of object_id, similarity (cosine), ra, dec and the labels; most similar first.

    Raises:
        InputError: If the object is unknown or ambiguous, lacks the query modality, or k is too large.
        UsageError: If the store has no such modality, or neither an id nor a position is given.
    """
    query = query or store.names[0]
    row = find(store, object_id, ra=ra, dec=dec, radius_arcsec=radius_arcsec)
    return nearest(store, row, query=query, target=target or query, k=k)


def nearest(
    store: EmbeddingStore,
    row: int,
    *,
    query: str,
    target: str,
    k: int = 10,
    among: npt.NDArray[np.bool_] | None = None,
) -> Table:
    """The k rows whose `target` is most similar to the `query` of one row; the row itself is left out in-modal.

    Args:
        store: Where to search.
        row: Who asks.
        query: Modality that asks.
        target: Modality that answers.
        k: Number of answers.
        among: Which rows may answer [N]; all by default.

    Returns:
        Table of object_id, similarity (cosine), ra, dec and the labels; most similar first. Its meta say who asked.

    Raises:
        InputError: If the row lacks the query modality, or k is too large.
        UsageError: If the store has no such modality.
    """
    from astropy.table import Table

    from .index import ExactIndex

    if not store.present(query)[row]:
        raise InputError(f"object {str(store.object_ids[row])!r} has no {query}, which is needed to search with it.")
    allowed = store.present(target) & (np.ones(len(store), dtype=bool) if among is None else among)
    allowed[row] &= query != target
    rows = np.flatnonzero(allowed)
    if not 1 <= k <= len(rows):
        raise InputError(f"k: expected 1 to {len(rows)} (objects with {target!r} to choose from), found {k}.")
    similarity, found = ExactIndex(store.vectors(target)[rows]).search(store.vectors(query)[[row]], k)
    columns = {name: store.catalog[name][rows[found[0]]] for name in ("object_id", "ra", "dec", *store.labels)}
    answers = Table(columns, units={"ra": "deg", "dec": "deg"})
    answers.add_column(similarity[0], name="similarity", index=1)
    answers.meta = {"object_id": str(store.object_ids[row]), "query": query, "target": target}
    return answers


def find(
    store: EmbeddingStore,
    object_id: str = "",
    *,
    ra: float = math.nan,
    dec: float = math.nan,
    radius_arcsec: float = 3.0,
) -> int:
    """Row of the one object with an id, or within a radius of a position.

    Args:
        store: Where to look.
        object_id: Id, or a group of one row; "" for a position.
        ra: Right ascension in degrees.
        dec: Declination in degrees.
        radius_arcsec: How far from the position the object may be.

    Raises:
        InputError: If there is no such object, or more than one.
        UsageError: If neither or both of id and position are given.
    """
    by_position = not (math.isnan(ra) and math.isnan(dec))
    if bool(object_id) == by_position:
        raise UsageError("say which object: give either object_id, or ra and dec in degrees.")
    rows = _within(store, ra, dec, radius_arcsec) if by_position else _named(store, str(object_id))
    what = f"within {radius_arcsec} arcsec of ra={ra}, dec={dec}" if by_position else f"with id {object_id!r}"
    if not len(rows):
        raise InputError(f"{store.root} has no object {what}; it holds ids such as {_some(store.object_ids)}.")
    if len(rows) > 1:
        raise InputError(f"{len(rows)} objects {what}: {_some(store.object_ids[rows])}. Give one object_id.")
    return int(rows[0])


def _some(ids: npt.NDArray[np.str_]) -> str:
    return ", ".join(repr(str(one)) for one in ids[:3]) + (", ..." if len(ids) > 3 else "")


def _named(store: EmbeddingStore, object_id: str) -> npt.NDArray[np.int64]:
    rows = np.flatnonzero(store.object_ids == object_id)
    return rows if len(rows) else np.flatnonzero(store.groups == object_id)


def _within(store: EmbeddingStore, ra: float, dec: float, radius_arcsec: float) -> npt.NDArray[np.int64]:
    if not in_range(ra, dec):
        raise UsageError(f"ra, dec: expected 0 <= ra <= 360 and -90 <= dec <= 90 degrees, found ra={ra}, dec={dec}.")
    a, d, a0, d0 = (np.radians(value) for value in (store.ra, store.dec, ra, dec))
    haversine = np.sin((d - d0) / 2) ** 2 + np.cos(d) * np.cos(d0) * np.sin((a - a0) / 2) ** 2
    distance_arcsec = np.degrees(2 * np.arcsin(np.sqrt(np.clip(haversine, 0, 1)))) * 3600
    return np.flatnonzero(distance_arcsec <= radius_arcsec)
