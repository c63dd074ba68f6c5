"""New stores from old ones: some rows, one modality less, two together. The old ones stay as they are.

The manifest of a new store says in ``made_from`` which stores it came from, by folder and hash of their content, and in
``change`` what was done. Vectors of two models share no space, so only stores of the same model are put together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import FolderError, InputError
from ..filters import rows_where
from ..storage import hash_text
from .familiarity import carry_familiarity

if TYPE_CHECKING:
    from .store import EmbeddingStore

__all__ = ["check_content", "merged", "select", "without"]

Array = npt.NDArray[Any]
KEPT = ("dataset", "origin", "seed", "model", "model_folder", "dataset_folder", "data", "pool", "centred", "units")
SAME = 1e-5  # largest difference of a value of two unit vectors that are the same
OWN = ("group", "ra", "dec", "split")


def check_content(store: EmbeddingStore) -> None:
    """Makes sure that ids and vectors are those that were written.

    Raises:
        FolderError: If they are not.
    """
    known = store.manifest.get("content")
    found = hash_text(store.object_ids.tobytes(), *(np.ascontiguousarray(store.vectors(n)).data for n in store.names))
    if known and known != found:
        raise FolderError(f"{store.root}: its ids or vectors were changed after they were written. Embed again.")


def select(store: EmbeddingStore, rows: npt.ArrayLike | str, out: str | Path) -> EmbeddingStore:
    """Writes a new store with some rows only.

    Args:
        store: The old one.
        rows: Row numbers, in their new order; flags [N]; or a condition on the catalogue, "z < 0.3 and class == 'QSO'".
        out: Where to.

    Returns:
        The new store; a modality that no row has is dropped.

    Raises:
        FolderError: If the old store is damaged.
        InputError: If no row is left, or rows are no row numbers or repeat.
        UsageError: If the condition cannot be read.
    """
    at = _rows(store, rows)
    names = [name for name in store.names if store.present(name)[at].any()]
    if not names:
        raise InputError(f"no object of {store.root} is left with {rows if isinstance(rows, str) else 'these rows'}.")
    change = {"select": rows if isinstance(rows, str) else len(at)}
    return _write(store, at, names, out, change)


def without(store: EmbeddingStore, name: str, out: str | Path) -> EmbeddingStore:
    """Writes a new store that lacks one modality, and the rows that had nothing else.

    Args:
        store: The old one.
        name: The modality to drop.
        out: Where to.

    Raises:
        FolderError: If the old store is damaged.
        InputError: If it has no other modality.
        UsageError: If it has no such modality.
    """
    store.present(name)
    names = [one for one in store.names if one != name]
    if not names:
        raise InputError(f"{store.root} has no modality but {name!r}; nothing would be left.")
    at = np.flatnonzero(np.any([store.present(one) for one in names], axis=0))
    return _write(store, at, names, out, {"without": name})


def _rows(store: EmbeddingStore, rows: npt.ArrayLike | str) -> npt.NDArray[np.int64]:
    if isinstance(rows, str):
        return np.flatnonzero(rows_where(store.catalog, rows))
    given = np.asarray(rows)
    if given.dtype == bool and given.shape == (len(store),):
        return np.flatnonzero(given)
    if given.ndim != 1 or given.dtype.kind not in "iu" or ((given < 0) | (given >= len(store))).any():
        found = f"{given.dtype} of shape {given.shape}"
        raise InputError(f"rows: expected row numbers 0 to {len(store) - 1} or {len(store)} flags, found {found}.")
    if len(np.unique(given)) < len(given):
        raise InputError("rows: found a row twice. Each object is in a store once.")
    return given.astype(np.int64)


def _write(
    store: EmbeddingStore, at: npt.NDArray[np.int64], names: list[str], out: str | Path, change: Mapping[str, Any]
) -> EmbeddingStore:
    check_content(store)
    new = type(store).write(
        out,
        {name: store.vectors(name)[at] for name in names},
        store.object_ids[at],
        present={name: store.present(name)[at] for name in names},
        catalog={name: store.catalog[name][at] for name in OWN},
        labels={name: column[at] for name, column in store.labels.items()},
        values={**_about(store, out), "made_from": [_source(store)], "change": dict(change)},
    )
    carry_familiarity(new, [(store, at, np.arange(len(at)))])
    return new


def _about(store: EmbeddingStore, out: str | Path) -> dict[str, Any]:
    """What stays true of a new store; where model and dataset lie is seen from there."""
    about = {name: store.manifest[name] for name in KEPT if name in store.manifest}
    for name in ("model_folder", "dataset_folder"):
        if folder := about.get(name):
            about[name] = os.path.relpath(os.path.realpath(store.root / folder), os.path.realpath(out))
    return about


def _source(store: EmbeddingStore) -> dict[str, str]:
    return {"folder": str(store.root), "content": str(store.manifest.get("content", ""))}


def merged(one: EmbeddingStore, other: EmbeddingStore, out: str | Path) -> EmbeddingStore:
    """Writes a new store with the objects and modalities of two: those of the first, then what the other adds.

    An object of both gets the modalities of both, and of a label the first's value where it is known.

    Args:
        one: A store.
        other: Another, of the same model.
        out: Where to.

    Raises:
        FolderError: If a store is damaged.
        InputError: If the stores are of different models, or none is known; if one is mock and the other real; or if
            they contradict each other about an object's group, side of the split, vector, or the kind or unit of a
            label.
    """
    _check_models(one, other)
    for store in (one, other):
        check_content(store)
    new = ~np.isin(other.object_ids, one.object_ids)
    ids = np.concatenate([one.object_ids, other.object_ids[new]])
    order = np.argsort(ids)
    places = [order[np.searchsorted(ids, store.object_ids, sorter=order)] for store in (one, other)]
    shared = places[1][~new]
    for name in ("group", "split"):
        if (wrong := one.catalog[name][shared] != other.catalog[name][~new]).any():
            first = str(ids[shared[np.flatnonzero(wrong)[0]]])
            what = "belongs to two groups" if name == "group" else "is on two sides of the split"
            raise InputError(
                f"{int(wrong.sum())} objects cannot be put together: {first!r} {what}. Select others first."
            )
    vectors, present = _vectors(one, other, places, len(ids))
    catalog = {name: _joined(name, one.catalog, other.catalog, places, len(ids)) for name in OWN}
    names = dict.fromkeys([*one.labels, *other.labels])
    labels = {name: _joined(name, one.labels, other.labels, places, len(ids)) for name in names}
    about = {
        **_about(one, out),
        "units": _units(one, other),
        "dataset": "+".join(dict.fromkeys([one.manifest["dataset"], other.manifest["dataset"]])),
        "made_from": [_source(one), _source(other)],
        "change": "merged",
    }
    written = type(one).write(out, vectors, ids, present=present, catalog=catalog, labels=labels, values=about)
    stores = [(store, np.arange(len(store)), place) for store, place in zip((one, other), places, strict=True)]
    if lost := carry_familiarity(written, stores):
        print(
            f"note: {out} does not say how familiar its {' and '.join(lost)} look: the two stores do not know it by "
            f"the same sample. Embed all with one model for that.",
            file=sys.stderr,
        )
    return written


def _check_models(one: EmbeddingStore, other: EmbeddingStore) -> None:
    first, second = one.manifest.get("model", ""), other.manifest.get("model", "")
    if not first or not second:
        lacking = other if first else one
        raise InputError(f"{lacking.root} does not say which model made it, so it cannot be put together with another.")
    if first != second:
        raise InputError(
            f"{one.root} and {other.root} are of different models ({first} and {second}): their vectors share no "
            f"space. Embed both with one model, or compare them."
        )
    for name in ("origin", "pool"):
        if (a := one.manifest.get(name, "")) != (b := other.manifest.get(name, "")):
            raise InputError(f"{one.root} has {name} {a!r}, {other.root} has {b!r}: they cannot be put together.")


def _vectors(
    one: EmbeddingStore, other: EmbeddingStore, places: list[Array], count: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    vectors: dict[str, Array] = {}
    present: dict[str, Array] = {}
    for name in dict.fromkeys([*one.names, *other.names]):
        matrix, has = np.zeros((count, one.out_features), np.float32), np.zeros(count, dtype=bool)
        for store, place in zip((one, other), places, strict=True):
            if name not in store.names:
                continue
            rows = np.flatnonzero(store.present(name))
            z, at = store.vectors(name)[rows], place[rows]
            again = has[at]
            if (differ := (np.abs(matrix[at[again]] - z[again]) > SAME).any(axis=1)).any():
                wrong = str(other.object_ids[rows[again][differ][0]])
                raise InputError(f"{int(differ.sum())} objects have two different vectors of {name}: {wrong!r} is one.")
            matrix[at[~again]], has[at] = z[~again], True
        vectors[name], present[name] = matrix, has
    return vectors, present


def _joined(
    name: str, first: Mapping[str, Array], second: Mapping[str, Array], places: list[Array], count: int
) -> Array:
    """Values [count] of one column: the first's where it is known, the other's elsewhere."""
    given = [(columns[name], place) for columns, place in zip((first, second), places, strict=True) if name in columns]
    texts = {column.dtype.kind in "OSU" for column, _ in given}
    if len(texts) > 1:
        raise InputError(f"label {name!r} is text in one store and a number in the other. Select without it first.")
    text = texts.pop()
    out = np.full(count, "", dtype=object) if text else np.full(count, np.nan)
    for column, place in reversed(given):
        known = column != "" if text else np.isfinite(column)
        out[place[known]] = column[known]
    whole = not text and np.isfinite(out).all() and all(column.dtype.kind in "iu" for column, _ in given)
    return out.astype(str) if text else out.astype(np.int64) if whole else out


def _units(one: EmbeddingStore, other: EmbeddingStore) -> dict[str, str]:
    a, b = one.manifest.get("units", {}), other.manifest.get("units", {})
    for name in a.keys() & b.keys():
        if a[name] != b[name]:
            raise InputError(f"label {name!r} is in {a[name]!r} in {one.root} and in {b[name]!r} in {other.root}.")
    return {**b, **a}
