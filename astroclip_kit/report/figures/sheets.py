"""Contact sheets: a query beside its best matches, members of clusters, and what is odd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from .canvas import KitFigure
from .contact_sheet import ANSWERS, ASKS, PER_ROW, Entry, as_text, contact_sheet, wrapped

if TYPE_CHECKING:
    from astropy.table import Table

    from ...data import Dataset

__all__ = ["anomaly_sheet", "cluster_sheet", "retrieval_sheet", "search_panel"]

WIDEST = 5  # matches that fit beside the query
MOST_WHOLE = 4  # directions of retrieval with every modality of an object


def search_panel(
    answers: Table,
    dataset: Dataset,
    *,
    matches: int = WIDEST,
    names: Sequence[str] = (),
    show: Sequence[str] = (),
) -> KitFigure:
    """The object that asked and its best matches, each in every modality; what was compared is framed.

    Args:
        answers: What `EmbeddingStore.search` gave: most similar first, with the query in its meta.
        dataset: Where the views are.
        matches: Number of matches to show.
        names: Modalities to show, from top to bottom; all of the dataset by default.
        show: Columns of the answers that stand above the matches, below rank and cosine; the redshift "z", where there
            is one, by default. Labels of the dataset of these names stand above who asked.

    Raises:
        InputError: If the dataset holds none of the objects, or the answers came from elsewhere.
    """
    return retrieval_sheet([answers], dataset, matches=matches, names=names, show=show)


def retrieval_sheet(
    answers: Sequence[Table],
    dataset: Dataset,
    *,
    matches: int = WIDEST,
    names: Sequence[str] = (),
    show: Sequence[str] = (),
) -> KitFigure:
    """A row per direction of retrieval: who asked (orange), and the most similar objects (green).

    Of more than four directions, each object shows the modality that was compared alone, or the sheet would be longer
    than a page.

    Args:
        answers: What `EmbeddingStore.search` gave for each direction, e.g. image to image, image to spectrum,
            spectrum to image and spectrum to spectrum.
        dataset: Where the views are.
        matches: Number of matches of each.
        names: Modalities to show, from top to bottom; all of the dataset by default.
        show: Columns of the answers that stand above the matches, below rank and cosine; the redshift "z", where there
            is one, by default. Labels of the dataset of these names stand above who asked.

    Raises:
        InputError: If there is no answer, a column is unknown, or the answers came from elsewhere than the dataset.
    """
    rows = []
    for table in answers:
        about = table.meta
        if "object_id" not in about:
            raise InputError("search_panel: the answers do not say who asked. Give the table that `search` returned.")
        asked = str(about["object_id"])
        chosen = show or [name for name in ("z",) if name in table.colnames]
        found = [Entry(asked, (f"query: {about['query']}", *_own(dataset, asked, table, chosen)), about["query"], ASKS)]
        for rank, one in enumerate(table[:matches], 1):
            how = "itself," if str(one["object_id"]) == asked else "cosine"
            lines = (f"{rank}. {how} {one['similarity']:.3f}", *_shown(table, one, chosen))
            found.append(Entry(str(one["object_id"]), lines, about["target"], ANSWERS))
        rows.append((f"{about['query']} → {about['target']}", found))
    return contact_sheet(rows, dataset, names=names, task="retrieval", compact=len(rows) > MOST_WHOLE)


def cluster_sheet(
    nearest: Mapping[str, Sequence[str]],
    farthest: Mapping[str, Sequence[str]],
    dataset: Dataset,
    *,
    names: Sequence[str] = (),
    each: int = 3,
) -> KitFigure:
    """A row per cluster: its members nearest to the centre (green), then those farthest from it (orange).

    Args:
        nearest: Name of the cluster to ids of its members, nearest to the centre first.
        farthest: The same, farthest first.
        dataset: Where the views are.
        names: Modalities to show, from top to bottom; all of the dataset by default.
        each: Number of members of either kind.

    Raises:
        InputError: If there is no member, or the dataset holds none of them.
    """
    rows = []
    first = next(iter(names or dataset.modalities))
    for name, ids in nearest.items():
        inner = [Entry(str(one), ("near the centre",), first, ANSWERS) for one in ids[:each]]
        outer = [Entry(str(one), ("far from it",), first, ASKS) for one in farthest.get(name, ())[:each]]
        rows.append((name, [*inner, *outer]))
    return contact_sheet(rows, dataset, names=names, task="clustering")


def anomaly_sheet(
    table: Table,
    dataset: Dataset,
    *,
    count: int = 2 * PER_ROW,
    names: Sequence[str] = (),
    score: str = "score",
    reason: str = "reason",
    show: Sequence[str] = (),
) -> KitFigure:
    """The oddest objects, with how odd they are and why.

    Args:
        table: One row per object, oddest first: object_id, score, and why.
        dataset: Where the views are.
        count: Number of objects.
        names: Modalities to show, from top to bottom; all of the dataset by default.
        score: Column of the score.
        reason: Column that says why.
        show: Further columns that stand above the objects.

    Raises:
        InputError: If there is no object, a column is missing, or the dataset holds none of the objects.
    """
    if not len(table):
        raise InputError("anomaly_sheet: expected at least one object, found an empty table.")
    entries = []
    for number, one in enumerate(table[:count], 1):
        value, why = _shown(table, one, (score, reason))
        lines = (f"{number}. {score} {value.split(' = ', 1)[1]}", *_shown(table, one, show))
        entries.append(Entry(str(one["object_id"]), (*lines, *wrapped(why.split(" = ", 1)[1]))))
    rows = [("", entries[start : start + PER_ROW]) for start in range(0, len(entries), PER_ROW)]
    return contact_sheet(rows, dataset, names=names, task="anomaly")


def _own(dataset: Dataset, asked: str, answers: Table, columns: Sequence[str]) -> tuple[str, ...]:
    """What the dataset knows of who asked, in the units of the answers."""
    labels = getattr(dataset, "labels", {})  # arrays of views have none
    rows = np.flatnonzero(dataset.object_ids == asked)[:1]
    known = [(name, labels[name][row]) for name in columns if name in labels for row in rows]
    return tuple(f"{name} = {as_text(value)}{_unit(answers, name)}" for name, value in known)


def _shown(table: Table, row: Table.Row, columns: Sequence[str]) -> tuple[str, ...]:
    """Columns of a row as "z = 0.12 km/s"."""
    if unknown := [name for name in columns if name not in table.colnames]:
        raise InputError(f"the table has no column {unknown[0]!r}; there is: {', '.join(table.colnames)}.")
    return tuple(f"{name} = {as_text(row[name])}{_unit(table, name)}" for name in columns)


def _unit(table: Table, name: str) -> str:
    return f" {table[name].unit}".replace(" / ", "/") if table[name].unit else ""
