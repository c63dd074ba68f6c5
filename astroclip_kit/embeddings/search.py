"""Search of a store: the most similar objects to whoever asks."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..filters import rows_where
from .export import described
from .index import ExactIndex
from .mean import holds
from .queries import Asked, ask, objects
from .query import Query
from .query_tables import ask_table
from .saved_index import saved_index

if TYPE_CHECKING:
    from astropy.table import Table

    from .store import EmbeddingStore

__all__ = ["ALL", "nearest", "search", "search_pairs", "similar_rows"]

Rows = npt.NDArray[np.int64]
Found = tuple[npt.NDArray[np.float32], Rows]
Mask = npt.NDArray[np.bool_]
ALL = "all"  # modalities, where one is named


def search(store: EmbeddingStore, asking: Query, *, query: str = "", target: str = "", k: int = 10) -> Table:
    """The k objects whose `target` is most similar to the `query` of whoever asks.

    All objects that may answer are compared, unless there is an index (`build_indexes`) and all of them may.

    Args:
        store: Where to search.
        asking: Who asks, and who may answer.
        query: Modality that asks; the store's first by default, or what a new file holds. "mean" for all that an
            object has.
        target: Modality that answers, or "mean"; the same as `query` by default. Then, and where one of them is the
            mean, who asks is left out, also where a new file is of an object of the store.
        k: Number of answers.

    Returns:
        Table of object_id, similarity (cosine), ra, dec and the labels, most similar first. For several queries
        (a table, or a folder of files) one below the other, with the columns query and rank before. Its meta say who
        asked; ``meta["newcomers"]`` holds what was read of new files.

    Raises:
        FileError: If the only file, or the table, cannot be read.
        InputError: If an object is unknown, ambiguous or lacks the query modality, a file is not what the model was
            trained on, or k is too large.
        UsageError: If the store has no such modality or column, or it is not said who asks.
    """
    for name in (query, target):
        if name:
            store.present(name)
    asked = (ask_table if asking.table else ask)(store, asking, query)
    among = rows_where(store.catalog, asking.where)
    if asking.where and not (among & store.present(target or asked.name)).any():
        raise InputError(f"no object with {target or asked.name} fulfils {asking.where!r}.")
    table = _answered(store, asked, target or asked.name, k, among, asking.exact, bool(asking.table))
    table.meta["newcomers"], table.meta["skipped"] = asked.newcomers, asked.skipped
    return table


def search_pairs(
    store: EmbeddingStore, asking: Query, *, query: str = "", target: str = "", k: int = 10
) -> tuple[list[Table], list[str]]:
    """What `search` finds in every pair of modalities.

    Args:
        store: Where to search.
        asking: Who asks, and who may answer.
        query: Modality that asks; "all" for every one.
        target: Modality that answers; "all" for every one.
        k: Number of answers of each pair.

    Returns:
        A table for each pair that can be answered, and why the others cannot, as who asks may lack a modality.

    Raises:
        InputError: If no pair can be answered, see `search`.
        UsageError: If the store has no such modality or column, or it is not said who asks.
    """
    names = (store.names if name == ALL and name not in store.names else [name] for name in (query, target))
    found: list[Table] = []
    refused: list[InputError] = []
    for one, other in product(*names):
        try:
            found.append(search(store, asking, query=one, target=other, k=k))
        except InputError as error:
            refused.append(error)
    if not found:
        raise refused[0]
    return found, list(dict.fromkeys(map(str, refused)))


def nearest(
    store: EmbeddingStore, row: int, *, query: str, target: str, k: int = 10, among: Mask | None = None
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
        As `search`.

    Raises:
        InputError: If the row lacks the query modality, or k is too large.
        UsageError: If the store has no such modality.
    """
    asked = objects(store, np.array([row]), query)
    return _answered(store, asked, target, k, np.ones(len(store), dtype=bool) if among is None else among)


def _answered(
    store: EmbeddingStore, asked: Asked, target: str, k: int, among: Mask, exact: bool = False, several: bool = False
) -> Table:
    from astropy.table import Table

    similarity, rows = similar_rows(store, asked, target, k, among, exact)
    names = ("object_id", "ra", "dec", *store.labels)
    table = Table(store.catalog.at(rows.ravel(), names))
    table.add_column(similarity.ravel(), name="similarity", index=1)
    described(table, store.units)
    if several or len(rows) > 1:
        table.add_column(np.tile(np.arange(1, k + 1), len(rows)), name="rank", index=0)
        table.add_column(np.repeat(np.asarray(asked.labels), k), name="query", index=0)
    first = asked.rows[0]
    who = str(store.object_ids[first[0]]) if len(first) and asked.newcomers is None else asked.labels[0]
    table.meta = {"object_id": who, "asked": asked.labels, "query": asked.name, "target": target}
    return table


def similar_rows(store: EmbeddingStore, asked: Asked, target: str, k: int, among: Mask, exact: bool = False) -> Found:
    """The k rows whose `target` is most similar to each vector that asks, however it was made.

    Args:
        store: Where to search.
        asked: Vectors [Q, D] that ask, as `queries.ask` gives them.
        target: Modality that answers, or "mean"; those who ask are left out where it holds what asks.
        k: Number of answers.
        among: Which rows may answer [N].
        exact: Whether to compare with every object although there is an index.

    Returns:
        Similarities, falling, and rows [Q, k].

    Raises:
        InputError: If k is too large.
        UsageError: If the store has no such modality.
    """
    allowed = store.present(target) & among
    own = _matrix([rows[allowed[rows]] for rows in asked.rows]) if holds(store, asked.name, target) else None
    left_out = 0 if own is None else own.shape[1]
    count = int(allowed.sum()) - left_out
    if not 1 <= k <= count:
        raise InputError(f"k: expected 1 to {count} (objects with {target!r} to choose from), found {k}.")
    rows = np.flatnonzero(allowed)
    if not np.isfinite(asked.vectors).all():
        store.check_finite(asked.name)
    whole = len(rows) == int(store.present(target).sum())
    index: Any = saved_index(store, target) if whole and not exact else None
    if index is None:
        vectors = store.vectors(target)
        try:
            index = ExactIndex(vectors if len(rows) == len(store) else vectors[rows])
        except InputError:
            store.check_finite(target)
            raise
    similarity, places = index.search(asked.vectors, k + left_out)
    found = rows[places]
    if own is not None:
        itself = (found[:, :, None] == own[:, None, :]).any(axis=2)
        order = np.argsort(itself, axis=1, kind="stable")[:, :k]
        similarity, found = np.take_along_axis(similarity, order, 1), np.take_along_axis(found, order, 1)
    return similarity, found


def _matrix(rows: list[Rows]) -> Rows:
    """Lists of rows as one matrix, padded with -1."""
    matrix = np.full((len(rows), max(map(len, rows))), -1)
    for place, one in enumerate(rows):
        matrix[place, : len(one)] = one
    return matrix
