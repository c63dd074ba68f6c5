"""The verb that reads properties off neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..embeddings.familiarity import groups_of
from ..embeddings.query import Query
from ..errors import InputError, UsageError
from ..settings.prediction import Prediction
from .parts import Folder, left_out, open_store, provenance, words

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
    asked, query, notes = _asked(store, replace(asking, like=object_id or asking.like), query)
    table = predict_table(
        store, names, asked=asked, query=query, memory=memory, where=asking.where, settings=prediction
    )
    table.meta["notes"] += [*notes, provenance(store)]
    return table


def _changed(asking: Query, prediction: Prediction, more: Mapping[str, Any]) -> tuple[Query, Prediction]:
    """Both with some of their fields changed; `weights` are those of the neighbours."""
    own, other = ([one.name for one in fields(kind)] for kind in (Prediction, Query))
    if unknown := [name for name in more if name not in (*own, *other)]:
        raise UsageError(f"there is no argument {unknown[0]!r}. There are: {', '.join(dict.fromkeys([*own, *other]))}.")
    changed = replace(prediction, **{name: value for name, value in more.items() if name in own})
    return replace(asking, **{name: value for name, value in more.items() if name not in own}), changed


def _asked(store: EmbeddingStore, asking: Query, query: str) -> tuple[Any, str, list[str]]:
    """Rows of the store or new objects, or None for all; the modality that asks; and notes on who is left out."""
    from ..embeddings.places import place_of
    from ..embeddings.queries import find, ids_of, rows_of
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
            return np.concatenate(found.rows), query, left_out(found.skipped)
        return _new([found.newcomers]), query or found.name, left_out(found.skipped)
    if asking.like:
        return rows_of(store, ids_of(store, asking.like)), query, []
    if len(asking.coordinates):
        ra, dec = place_of(asking.coordinates)
        return [find(store, ra=ra, dec=dec, radius_arcsec=asking.radius_arcsec)], query, []
    return None, query, []


def _new_objects(store: EmbeddingStore, asking: Query, query: str) -> tuple[Any, str, list[str]]:
    """What new files hold; a mapping gives the files of several modalities of the same objects."""
    from ..embeddings import embed_queries

    files = asking.file if isinstance(asking.file, Mapping) else {query: asking.file}
    found = [embed_queries(store, replace(asking, file=file), name) for name, file in files.items()]
    counts = {one.name: len(one.vectors) for one in found}
    if len(set(counts.values())) > 1:
        raise InputError(f"file: expected as many new objects in every modality, found {counts}.")
    skipped = [reason for one in found for reason in one.skipped]
    placed = [found[0], *(_placed(store, found[0], other, skipped) for other in found[1:])]
    differ = [one.name for one in placed if one.object_ids != found[0].object_ids]
    by_order = [f"{found[0].name} and {', '.join(differ)} are matched by their order, as their ids differ"]
    return _new(placed, store), query or "+".join(counts), [*left_out(skipped), *(by_order if differ else [])]


def _placed(store: EmbeddingStore, first: Newcomers, other: Newcomers, skipped: Sequence[str]) -> Newcomers:
    """The other modality in the order of the first, by ids where both have the same; else as it is.

    Raises:
        InputError: If ids contradict the order, or tell nothing and a file was left out.
    """
    ids, its = first.object_ids, other.object_ids
    if ids == its:
        return other
    names = f"{first.name} and {other.name}"
    if set(ids) == set(its) and len(set(ids)) == len(ids):
        order = [its.index(one) for one in ids]
        familiar = None if other.familiar is None else other.familiar[order]
        samples = [other.samples[place] for place in order]
        return replace(other, vectors=other.vectors[order], samples=samples, familiar=familiar)
    if set(ids) & set(its):
        lone = next(iter(sorted(set(ids) ^ set(its))), ids[0])
        raise InputError(f"file: {names} are not of the same objects, once each: see {lone!r}. Give the same of both.")
    if skipped:
        raise InputError(f"file: ids of {names} differ and a file was left out ({skipped[0]}): who is who is unknown.")
    for one, two, known, its_own in zip(ids, its, groups_of(store, ids), groups_of(store, its), strict=True):
        if known != its_own and {one, two} <= set(store.object_ids):
            raise InputError(f"file: {one!r} of {first.name} and {two!r} of {other.name} are different objects.")
    return other


def _new(found: Sequence[Newcomers], store: EmbeddingStore | None = None) -> NewObjects:
    """The same objects in one modality or several, each by that of its ids that the store knows."""
    from ..downstream import NewObjects

    familiar = {one.name: one.familiar for one in found if one.familiar is not None}
    stored = set() if store is None else set(store.object_ids)
    ids = [
        next((one for one in own if one in stored), own[0])
        for own in zip(*(one.object_ids for one in found), strict=True)
    ]
    return NewObjects({one.name: one.vectors for one in found}, ids, familiar)
