"""The verb that reads properties off neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..embeddings.query import Query
from ..errors import InputError, UsageError
from ..settings.prediction import Prediction
from .parts import Folder, open_store, words
from .searching import SHOWN

if TYPE_CHECKING:
    from astropy.table import Table

    from ..downstream import NewObjects
    from ..embeddings import EmbeddingStore
    from ..embeddings.newcomers import Newcomers

__all__ = ["predict"]


def predict(
    embeddings: Folder,
    properties: str | list[str] = "",
    object_id: str = "",
    *,
    query: str = "",
    memory: str = "",
    asking: Query = Query(),
    prediction: Prediction = Prediction(),
    **more: Any,
) -> Table:
    """Reads properties off the nearest neighbours: value, interval, and whether the space supports it.

    Args:
        embeddings: Embeddings folder.
        properties: Labels to predict, "z,logmstar"; also "log10(z)", and for angles "circular(position_angle, 180)".
        object_id: The object, or several, "a,b,c"; every object of the space by default.
        query: Modality of the objects; the first by default. "image+spectrum": side by side.
        memory: Modality of the neighbours; the same by default. "image+spectrum": side by side; "any": all pooled.
        asking: Who else is asked about, and who may be a neighbour, see `Query`.
        prediction: How, see `Prediction`.
        more: Fields of the two, as keyword arguments in Python: ``file="new.fits", coverage=0.9``.

    Returns:
        One row per object: each property, its interval where a coverage is wanted, spread, support and neighbours.
    """
    from ..downstream import predict_table

    asking, prediction = _changed(asking, prediction, more)
    store, names = open_store(embeddings), words(properties)
    if not names:
        raise UsageError(f"say what to predict with --properties: any of {', '.join(store.labels)}.")
    if object_id and asking.like:
        raise UsageError(f"say who asks once: object_id is {object_id!r}, like is {asking.like!r}.")
    asked, query, skipped = _asked(store, replace(asking, like=object_id or asking.like), query)
    table = predict_table(
        store, names, asked=asked, query=query, memory=memory, where=asking.where, settings=prediction
    )
    left = [f"left out: {reason}" for reason in skipped[:SHOWN]]
    table.meta["notes"] += [*left, f"left out: {len(skipped) - SHOWN} more"] if len(skipped) > SHOWN else left
    return table


def _changed(asking: Query, prediction: Prediction, more: Mapping[str, Any]) -> tuple[Query, Prediction]:
    """Both with some of their fields changed; `weights` are those of the neighbours."""
    own, other = ([one.name for one in fields(kind)] for kind in (Prediction, Query))
    if unknown := [name for name in more if name not in (*own, *other)]:
        raise UsageError(f"there is no argument {unknown[0]!r}. There are: {', '.join(dict.fromkeys([*own, *other]))}.")
    changed = replace(prediction, **{name: value for name, value in more.items() if name in own})
    return replace(asking, **{name: value for name, value in more.items() if name not in own}), changed


def _asked(store: EmbeddingStore, asking: Query, query: str) -> tuple[Any, str, list[str]]:
    """Rows of the store or new objects, or None for all; the modality that asks; and what was left out."""
    from ..embeddings.queries import find, ids_of, place_of, rows_of
    from ..embeddings.query_tables import ask_table

    if asking.unlike or asking.weights:
        raise UsageError("unlike and asking.weights make one query of several objects; predict takes each by itself.")
    ways = {
        "object_id": asking.like,
        "coordinates": len(asking.coordinates),
        "file": asking.file,
        "table": asking.table,
    }
    if len(given := [name for name, value in ways.items() if value]) > 1:
        raise UsageError(f"say in one way what is asked about, found {' and '.join(given)}.")
    if asking.file:
        return _new_objects(store, asking, query)
    if asking.table:
        found = ask_table(store, asking, query.partition("+")[0])
        if found.newcomers is None:
            return np.concatenate(found.rows), query, found.skipped
        return _new([found.newcomers]), query or found.name, found.skipped
    if asking.like:
        return rows_of(store, ids_of(store, asking.like)), query, []
    if len(asking.coordinates):
        ra, dec = place_of(asking.coordinates)
        return [find(store, ra=ra, dec=dec, radius_arcsec=asking.radius_arcsec)], query, []
    return None, query, []


def _new_objects(store: EmbeddingStore, asking: Query, query: str) -> tuple[Any, str, list[str]]:
    """What new files hold; a mapping gives the files of several modalities of the same objects, in one order."""
    from ..embeddings import embed_queries

    files = asking.file if isinstance(asking.file, Mapping) else {query: asking.file}
    found = [embed_queries(store, replace(asking, file=file), name) for name, file in files.items()]
    counts = {one.name: len(one.vectors) for one in found}
    if len(set(counts.values())) > 1:
        raise InputError(f"file: expected as many new objects in every modality, found {counts}.")
    return _new(found), query or "+".join(counts), [reason for one in found for reason in one.skipped]


def _new(found: Sequence[Newcomers]) -> NewObjects:
    """The same objects in one modality or several."""
    from ..downstream import NewObjects

    familiar = {one.name: one.familiar for one in found if one.familiar is not None}
    return NewObjects({one.name: one.vectors for one in found}, found[0].object_ids, familiar)
