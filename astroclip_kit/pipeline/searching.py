"""Verbs that find what is similar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..embeddings.query import Query
from ..errors import UsageError
from .parts import Folder, changed, left_out, open_pictures, open_store, provenance, save_figure, words

if TYPE_CHECKING:
    from astropy.table import Table

    from ..data import Dataset
    from ..embeddings.newcomers import Newcomers

__all__ = ["index", "search"]

LEAD = ("query_modality", "target_modality", "query", "object_id", "rank", "similarity", "class")
MOST = 8  # columns that are printed
STRANGE = 1.0  # percentile of familiarity, as predict warns below it


def search(
    embeddings: Folder,
    object_id: str = "",
    *,
    query: str = "",
    target: str = "",
    k: int = 10,
    dataset: Folder = "",
    figure: str = "",
    asking: Query = Query(),
    **more: Any,
) -> Table:
    """Finds the objects most like one object, several, or a new observation, in any modality.

    Args:
        embeddings: Embeddings folder.
        object_id: The object that asks; "a,b,c" for several that ask as one.
        query: Modality that asks; the first by default, or what a new file holds. "mean" for the mean of all that an
            object has, "all" for one after the other.
        target: Modality that answers, "mean", or "all" for one after the other; the same by default.
        k: Number of answers.
        dataset: Dataset folder, for the figure.
        figure: File for a picture of the answers to the first query, e.g. like-this.pdf; a row per pair of modalities.
        asking: Who asks otherwise, and who may answer, see `Query`.
        more: Its fields, as keyword arguments in Python: ``file="new.fits", model="model"``.

    Returns:
        One row per answer, most similar first; of several queries, or pairs of modalities, one below the other, with
        their rank.
    """
    from ..embeddings.search import search_pairs

    store = open_store(embeddings)
    if object_id and asking.like:
        raise UsageError(f"say who asks once: object_id is {object_id!r}, like is {asking.like!r}.")
    asked = changed(replace(asking, like=object_id or asking.like), more, "a query")
    tables, refused = search_pairs(store, asked, query=query, target=target, k=k)
    if figure:
        save_figure(_panel(tables, k, open_pictures(dataset)), figure)
    table = tables[0] if len(tables) == 1 else _stacked(tables)
    about = table.meta
    about["shown"], further = _first_columns(table)
    who = about["asked"][0] if len(about["asked"]) == 1 else f"{len(about['asked'])} objects"
    about["notes"] = [
        f"asked with the {about['query']} of {who}, answered by {about['target']}",
        *_strange(about["newcomers"]),
        *(f"left out: {one}" for one in refused),
        *left_out(about["skipped"]),
        *([f"{further} more columns are in --format csv"] if further else []),
        provenance(store),
    ]
    return table


def _first_columns(table: Table) -> tuple[list[str], int]:
    """Who, how similar and of which class first, what is the same for all last; and how many columns are not shown."""
    names = [name for name in LEAD if name in table.colnames]
    rest = [name for name in table.colnames if name not in {*LEAD, "ra", "dec"}]
    same = {name for name in rest if len(set(table[name])) == 1 < len(table)}
    rest.sort(key=lambda name: (name in same, table[name].dtype.kind not in "OSU"))
    names += [*rest, "ra", "dec"]
    return names[:MOST], max(0, len(names) - MOST)


def _strange(newcomers: Newcomers | None) -> Iterator[str]:
    """How many new observations look unlike those that the model knows."""
    if newcomers is None or newcomers.familiar is None:
        return
    if strange := int((newcomers.familiar < STRANGE).sum()):
        yield f"{strange} of {len(newcomers.familiar)} look unlike what the model was trained on"


def index(embeddings: Folder, factory: str = "", *, modalities: str | list[str] = "", recall: float = 0.95) -> Table:
    """Builds approximate indexes for spaces that are searched often; search takes them from then on.

    Args:
        embeddings: Embeddings folder; the indexes are kept in it.
        factory: How faiss builds them: "IVF512,Flat", "HNSW32", "PCA64,IVF512,SQ8". By default chosen by size:
            none below 100,000 objects, where comparing all is as quick.
        modalities: Which get one, "image,spectrum"; all by default.
        recall: Share of the ten nearest that shall be found.

    Returns:
        One row per modality: how it is searched, the recall against the exact answer, size and time.
    """
    from ..embeddings import build_indexes

    store = open_store(embeddings)
    return build_indexes(store, factory, modalities=words(modalities), recall=recall)


def _stacked(tables: Sequence[Table]) -> Table:
    """Answers of several pairs of modalities, one below the other."""
    from astropy.table import vstack

    for table in tables:
        if "rank" not in table.colnames:
            table.add_column(np.arange(1, len(table) + 1), name="rank", index=0)
        for name in ("target", "query"):
            table.add_column(np.full(len(table), table.meta[name]), name=f"{name}_modality", index=0)
    about = tables[0].meta
    stacked = vstack(list(tables), metadata_conflicts="silent")
    sides = (" and ".join(dict.fromkeys(one.meta[name] for one in tables)) for name in ("query", "target"))
    stacked.meta = {**about, **dict(zip(("query", "target"), sides, strict=True))}
    return stacked


def _panel(tables: Sequence[Table], k: int, shown: Any) -> Any:
    """The first query and its answers, for each pair of modalities; a new file is shown as it was read."""
    from ..report import figures

    answers = [table[:k] for table in tables]
    for one, table in zip(answers, tables, strict=True):
        one.meta = dict(table.meta)
        if table.meta["newcomers"] is not None:
            shown = shown if isinstance(shown, _Beside) else _Beside(shown, table.meta["newcomers"])
            one.meta["object_id"] = shown.new
    return figures.retrieval_sheet(answers, shown)


class _Beside:
    """A dataset with the first of some new observations as its last row: what a figure asks of a dataset."""

    def __init__(self, dataset: Dataset, newcomers: Newcomers) -> None:
        name = newcomers.modality.name
        self.dataset, self.view = dataset, newcomers.samples[0].views[name]
        self.root, self.name, self.new = dataset.root, name, f"{newcomers.object_ids[0]} (new)"
        self.modalities = {name: newcomers.modality} | dataset.modalities
        self.object_ids, self.groups = (np.append(ids, self.new) for ids in (dataset.object_ids, dataset.groups))

    def present(self, name: str) -> npt.NDArray[np.bool_]:
        """Which rows have a modality."""
        known = name in self.dataset.modalities
        return np.append(self.dataset.present(name) if known else [False] * len(self.dataset), name == self.name)

    def views(self, name: str, rows: list[int]) -> npt.NDArray[np.float32]:
        """The view of one row."""
        return self.view[None] if rows == [len(self.dataset)] else self.dataset.views(name, rows)
