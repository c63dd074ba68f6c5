"""Who asks a store: its own objects by id or position, several of them as one, or new files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..data.crossmatch import Positions, chord_of, unit_vectors
from ..errors import InputError, UsageError
from ..surveys.files.coordinates import in_range
from .places import place_of
from .query import Query

if TYPE_CHECKING:
    from .newcomers import Newcomers
    from .store import EmbeddingStore

__all__ = ["Asked", "ask", "ask_files", "find", "ids_of", "objects", "rows_at", "rows_of"]

Rows = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]
SHOWN = 3
SHORTEST = 1e-6  # of the sum of unit vectors that still has a direction
WHO = "say which object: give either object_id, or ra and dec in degrees, or a file, or a table of these."


@dataclass(frozen=True)
class Asked:
    """Vectors that ask, and whose they are.

    Args:
        name: Their modality.
        vectors: Unit vectors float32 [Q, D].
        labels: What each is called [Q].
        rows: Rows of the store that each is made of; of a new file those of the same object, if any [Q].
        newcomers: What was read, where files ask.
        skipped: Why what was left out was left out.
    """

    name: str
    vectors: Vectors
    labels: list[str]
    rows: list[Rows]
    newcomers: Newcomers | None = None
    skipped: list[str] = field(default_factory=list)


def ids_of(store: EmbeddingStore, value: str | Sequence[str]) -> list[str]:
    """The ids in "a,b,c" or ["a", "b"]; an id of the store may hold a comma itself."""
    if not isinstance(value, str):
        return [str(one) for one in value]
    if len(_named(store, value)):
        return [value]
    return [word.strip() for word in value.split(",") if word.strip()]


def ask(store: EmbeddingStore, query: Query, name: str = "") -> Asked:
    """The vectors of whoever asks.

    Args:
        store: The space.
        query: Who asks; not its `table`, for which there is `query_tables.ask_table`.
        name: Modality that asks; by default the store's first, or what the file holds.

    Raises:
        InputError: If an object is unknown or ambiguous, lacks the modality, or the examples cancel each other.
        UsageError: If it is not said who asks, or in two ways.
    """
    if bool(query.like) + (len(query.coordinates) > 0) + bool(query.file) != 1 or query.table:
        raise UsageError(WHO)
    if query.file:
        asked = ask_files(store, query, name)
        return _as_one(store, query, asked) if query.unlike or query.weights else asked
    name = name or store.names[0]
    if query.like:
        rows = rows_of(store, ids_of(store, query.like))
    else:
        ra, dec = place_of(query.coordinates)
        rows = np.array([find(store, ra=ra, dec=dec, radius_arcsec=query.radius_arcsec)])
    return _as_one(store, query, objects(store, rows, name))


def ask_files(store: EmbeddingStore, query: Query, name: str) -> Asked:
    """New files, each of which asks by itself."""
    from .familiarity import groups_of
    from .newcomers import embed_queries

    found = embed_queries(store, query, name)
    wanted = groups_of(store, found.object_ids)
    rows = store.catalog.find(wanted.tolist(), "group")
    groups = store.catalog.at(rows, ["group"])["group"]
    themselves = [rows[groups == one] for one in wanted]
    return Asked(found.name, found.vectors, found.object_ids, themselves, found, found.skipped)


def objects(store: EmbeddingStore, rows: Rows, name: str) -> Asked:
    """Objects of the store, each of which asks by itself."""
    lacking = rows[~store.present(name)[rows]]
    if len(lacking):
        raise InputError(f"object {_ids(store, lacking[:1])[0]!r} has no {name}, which is needed to search with it.")
    return Asked(name, store.vectors(name)[rows], _ids(store, rows), list(rows[:, None]))


def _numbers(weights: str | list[float]) -> npt.NDArray[np.float64]:
    """The numbers in "2,1,3", or of a list."""
    try:
        return np.array(weights.split(",") if isinstance(weights, str) else weights, dtype=np.float64)
    except ValueError as error:
        raise UsageError(f"weights: expected numbers such as 2,1,3, found {weights!r}.") from error


def _as_one(store: EmbeddingStore, query: Query, asked: Asked) -> Asked:
    """The mean of the examples, less that of those to be avoided."""
    unlike = objects(store, rows_of(store, ids_of(store, query.unlike)), asked.name) if query.unlike else None
    likes, avoided = len(asked.vectors), len(unlike.vectors) if unlike else 0
    weights = _numbers(query.weights) if len(query.weights) else np.ones(likes + avoided)
    if weights.shape != (likes + avoided,) or not (weights > 0).all() or not np.isfinite(weights).all():
        raise UsageError(
            f"weights: expected {likes + avoided} positive numbers, one per example ({likes} like, {avoided} unlike), "
            f"found {query.weights}."
        )
    if likes + avoided == 1:
        return asked
    total = weights[:likes] @ asked.vectors / likes
    total = total - (weights[likes:] @ unlike.vectors / avoided if unlike else 0)
    norm = float(np.linalg.norm(total))
    if norm < SHORTEST:
        raise InputError("the examples cancel each other: their sum has no direction. Give other examples or weights.")
    label = " + ".join(asked.labels) + "".join(f" - {one}" for one in (unlike.labels if unlike else ()))
    rows = np.array([row for one in (*asked.rows, *(unlike.rows if unlike else ())) for row in one], dtype=np.int64)
    return replace(asked, vectors=(total / norm).astype(np.float32)[None], labels=[label], rows=[_once(rows)])


def _once(rows: Rows) -> Rows:
    """The rows without repeats, in their order: the first is who is shown as asking."""
    return rows[np.sort(np.unique(rows, return_index=True)[1])]


def rows_of(store: EmbeddingStore, object_ids: Sequence[str]) -> Rows:
    """Rows of objects named by their ids, or by groups of one row.

    Raises:
        InputError: If the store does not hold one, or a group has several rows; the first few are named.
    """
    if len(object_ids) == 1:
        return np.array([find(store, object_ids[0])])
    wanted = np.asarray(object_ids, dtype=str)
    rows = store.catalog.rows_of(object_ids)
    if (rows < 0).any():
        groups, counts = np.unique(_named_by_group(store, wanted[rows < 0]), return_counts=True)
        single = np.isin(wanted, groups[counts == 1]) & (rows < 0)
        rows[single] = store.catalog.rows_of(wanted[single].tolist(), "group")
    unknown = wanted[rows < 0]
    if len(unknown):
        raise InputError(
            f"{store.root} has no one object with the id {_some(unknown.tolist())} ({len(unknown)} of {len(wanted)}); "
            f"it holds ids such as {_first_ids(store)}."
        )
    return rows


def _named_by_group(store: EmbeddingStore, groups: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Group of each row that belongs to one of some groups."""
    catalog = store.catalog
    return catalog.at(catalog.find(groups.tolist(), "group"), ["group"])["group"]


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
        UsageError: If neither or both of id and position are given, or the position or radius makes no sense.
    """
    by_position = not (math.isnan(ra) and math.isnan(dec))
    if bool(object_id) == by_position:
        raise UsageError(WHO)
    if by_position:
        return int(rows_at(store, [ra], [dec], radius_arcsec)[0])
    return _only(store, _named(store, str(object_id)), f"with id {object_id!r}")


def rows_at(store: EmbeddingStore, ra: npt.ArrayLike, dec: npt.ArrayLike, radius_arcsec: float) -> Rows:
    """Rows of the one object within a radius of each position.

    Args:
        store: Where to look.
        ra: Right ascensions [Q] in degrees.
        dec: Declinations [Q] in degrees.
        radius_arcsec: How far from a position the object may be.

    Raises:
        InputError: If there is no object at a position, or more than one.
        UsageError: If a position or the radius makes no sense.
    """
    alpha, delta = np.asarray(ra, dtype=np.float64), np.asarray(dec, dtype=np.float64)
    alpha = np.where((alpha >= -180) & (alpha < 0), alpha + 360, alpha)
    for a, d in zip(alpha, delta, strict=True) if not in_range(alpha, delta).all() else ():
        if not in_range(a, d):
            raise UsageError(f"ra, dec: expected 0 <= ra <= 360 and -90 <= dec <= 90 degrees, found ra={a}, dec={d}.")
    known = np.flatnonzero(in_range(store.ra, store.dec))
    tree = Positions(store.ra[known], store.dec[known]).tree
    near = tree.query_ball_point(unit_vectors(alpha, delta), chord_of(radius_arcsec), return_sorted=True)
    places = (f"within {radius_arcsec} arcsec of ra={a}, dec={d}" for a, d in zip(alpha, delta, strict=True))
    return np.array([_only(store, known[rows], place) for rows, place in zip(near, places, strict=True)])


def _only(store: EmbeddingStore, rows: Rows, what: str) -> int:
    """The one row that was found."""
    if not len(rows):
        raise InputError(f"{store.root} has no object {what}; it holds ids such as {_first_ids(store)}.")
    if len(rows) > 1:
        raise InputError(f"{len(rows)} objects {what}: {_some(_ids(store, rows[: SHOWN + 1]))}. Give one object_id.")
    return int(rows[0])


def _some(ids: Sequence[str]) -> str:
    return ", ".join(repr(str(one)) for one in ids[:SHOWN]) + (", ..." if len(ids) > SHOWN else "")


def _ids(store: EmbeddingStore, rows: npt.ArrayLike) -> list[str]:
    found: list[str] = store.catalog.at(rows, ["object_id"])["object_id"].tolist()
    return found


def _first_ids(store: EmbeddingStore) -> str:
    return _some(_ids(store, np.arange(min(len(store), SHOWN + 1))))


def _named(store: EmbeddingStore, object_id: str) -> Rows:
    rows = store.catalog.find([object_id])
    return rows if len(rows) else store.catalog.find([object_id], "group")
