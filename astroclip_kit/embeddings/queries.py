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
from .query import Query

if TYPE_CHECKING:
    from .newcomers import Newcomers
    from .store import EmbeddingStore

__all__ = ["Asked", "ask", "ask_files", "find", "ids_of", "objects", "place_of", "rows_at", "rows_of"]

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
    if value in store.object_ids or value in store.groups:
        return [value]
    return [word.strip() for word in value.split(",") if word.strip()]


def place_of(coordinates: str | Sequence[float]) -> tuple[float, float]:
    """Right ascension and declination in degrees.

    Args:
        coordinates: "150.1 2.2" (degrees), "10h00m24s +02d12m00s", or the two numbers.

    Raises:
        UsageError: If the text is no position.

    Example:
        >>> place_of("10:00:24 +02:12:00")
        (150.1, 2.2)
    """
    if not isinstance(coordinates, str):
        return float(coordinates[0]), float(coordinates[1])
    from astropy.coordinates import SkyCoord

    text = coordinates.replace(",", " ")
    plain = all(letter in "0123456789.+- " for letter in text) and len(text.split()) == 2
    try:
        place = SkyCoord(text, unit="deg" if plain else ("hourangle", "deg"))
    except ValueError as error:
        raise UsageError(
            f'coordinates {coordinates!r}: expected "150.1 2.2" (degrees) or "10h00m24s +02d12m00s".'
        ) from error
    if plain and not 0 <= float(text.split()[0]) <= 360:
        raise UsageError(f"coordinates {coordinates!r}: expected a right ascension of 0 to 360 degrees.")
    return round(float(place.ra.deg), 9), round(float(place.dec.deg), 9)


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
    wanted, order = groups_of(store, found.object_ids), np.argsort(store.groups, kind="stable")
    first, last = (np.searchsorted(store.groups, wanted, side, sorter=order) for side in ("left", "right"))
    themselves = [order[start:end] for start, end in zip(first, last, strict=True)]
    return Asked(found.name, found.vectors, found.object_ids, themselves, found, found.skipped)


def objects(store: EmbeddingStore, rows: Rows, name: str) -> Asked:
    """Objects of the store, each of which asks by itself."""
    lacking = rows[~store.present(name)[rows]]
    if len(lacking):
        raise InputError(
            f"object {str(store.object_ids[lacking[0]])!r} has no {name}, which is needed to search with it."
        )
    return Asked(name, store.vectors(name)[rows], [str(one) for one in store.object_ids[rows]], list(rows[:, None]))


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
    rows = _places(store.object_ids, wanted)
    by_group = rows < 0
    groups, first, counts = np.unique(store.groups, return_index=True, return_counts=True)
    place = _places(groups, wanted[by_group])
    rows[by_group] = np.where((place >= 0) & (counts[place] == 1), first[place], -1)
    unknown = wanted[rows < 0]
    if len(unknown):
        raise InputError(
            f"{store.root} has no one object with the id {_some(unknown)} ({len(unknown)} of {len(wanted)}); it holds "
            f"ids such as {_some(store.object_ids)}."
        )
    return rows


def _places(known: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> Rows:
    """Position of each wanted value among the known ones; -1 where it is not there."""
    order = np.argsort(known)
    place = order[np.searchsorted(known, wanted, sorter=order).clip(max=len(known) - 1)]
    return np.where(known[place] == wanted, place, -1).astype(np.int64)


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
        raise InputError(f"{store.root} has no object {what}; it holds ids such as {_some(store.object_ids)}.")
    if len(rows) > 1:
        raise InputError(f"{len(rows)} objects {what}: {_some(store.object_ids[rows])}. Give one object_id.")
    return int(rows[0])


def _some(ids: npt.NDArray[np.str_]) -> str:
    return ", ".join(repr(str(one)) for one in ids[:SHOWN]) + (", ..." if len(ids) > SHOWN else "")


def _named(store: EmbeddingStore, object_id: str) -> Rows:
    rows = np.flatnonzero(store.object_ids == object_id)
    return rows if len(rows) else np.flatnonzero(store.groups == object_id)
