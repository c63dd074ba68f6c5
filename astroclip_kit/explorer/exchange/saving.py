"""A selection as a file, or as a column of flags beside the store that other selections are combined with."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...embeddings.export import described, to_table, write_export
from ...embeddings.saved_columns import rename_column
from ...errors import UsageError
from ...filters import columns_in
from ..columns import Column
from ..session import Session
from ..space import Space
from .formulas import without_formulas

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = [
    "COMBINED",
    "FORMATS",
    "combine",
    "offer_file",
    "remove_saved",
    "rename_saved",
    "save_in_store",
    "selection_table",
]

FORMATS = {"VOTable": ".vot", "FITS": ".fits", "CSV": ".csv"}
LARGEST = 1_000_000_000  # bytes that a browser takes at once
Mask = npt.NDArray[np.bool_]

COMBINED: dict[str, Callable[[Mask, Mask], Mask]] = {
    "and": np.logical_and,
    "or": np.logical_or,
    "without": lambda one, other: one & ~other,
}
"""How a saved selection is combined with what is selected."""


def selection_table(space: Space, selection: Mask, own: Iterable[Column] = (), *, vectors: bool = False) -> Table:
    """The selected rows with all that is known of them, units and UCDs.

    Args:
        space: The store.
        selection: Flags [N].
        own: Columns of the page that are to be there, too.
        vectors: Whether the vectors of each modality are columns, too.
    """
    rows = np.flatnonzero(selection)
    table = to_table(space.store, vectors=vectors, rows=rows)
    units = {}
    for column in own:
        table[column.name] = column.at(rows)
        units[column.name] = column.unit
    return described(table, units)


def _as_file(table: Table, name: str) -> bytes:
    """The bytes of a table in the format that the end of a name says."""
    if name.endswith(".csv"):
        without_formulas(table)
    with TemporaryDirectory(prefix="astroclip-kit-") as folder:
        path = Path(folder) / f"selection{Path(name).suffix}"
        write_export(table, path)
        return path.read_bytes()


def offer_file(session: Session, style: str, *, vectors: bool = False) -> None:
    """Has the browser save what is selected.

    Args:
        session: The page.
        style: One of `FORMATS`.
        vectors: Whether with vectors.

    Raises:
        UsageError: If nothing is selected, or it is too large for a browser.
    """
    space, selection = session.space, _selected(session)
    count, store = int(selection.sum()), space.store
    width = 4 * store.out_features * len(store.names) * (1 if style == "FITS" else 3 if style == "CSV" else 4 / 3)
    if vectors and count * width > LARGEST:
        raise UsageError(
            f"the file would have about {count * width / 1e9:.1f} GB, expected up to {LARGEST / 1e9:.0f} GB. Leave "
            "the vectors out, or save the selection in the store and write EmbeddingStore.select('its name', 'folder')."
        )
    name = f"{store.root.resolve().name}-selection{FORMATS[style]}"
    own = list(session.own_columns.values())
    session.work(
        lambda: _as_file(selection_table(space, selection, own, vectors=vectors), name),
        lambda content: _offered(session, name, content, count),
        f"writing {count:,} objects",
        lane="save",
    )


def _offered(session: Session, name: str, content: bytes, count: int) -> None:
    session.offer(name, content)
    session.say(f"{name}: {count:,} objects, {len(content) / 1e6:,.3g} MB, in the downloads of the browser.")


def _selected(session: Session) -> Mask:
    if session.selection is None:
        raise UsageError("nothing is selected. Draw around objects of the map with the lasso first.")
    return session.selection


def save_in_store(session: Session, name: str) -> None:
    """Saves what is selected as a column of flags beside the store.

    Raises:
        UsageError: If nothing is selected, or the name cannot be used or is taken.
    """
    selection = _selected(session)
    name, where = free_name(session.columns, name), " and ".join(session.state.where)
    about = {"made by": "astroclip-kit explore", "plane": session.state.plane, "where": where}
    session.work(
        partial(session.space.save_column, name, selection, about=about),
        lambda saved: _saved(session, name, int(selection.sum())),
        f"saving {name}",
        lane="save",
    )


def free_name(taken: Collection[str], name: str) -> str:
    """A name as a column has it, with _ for spaces and hyphens.

    Args:
        taken: Names of other columns.
        name: As it was typed.

    Raises:
        UsageError: If nothing was typed, or the name is taken.

    Example:
        >>> free_name(["z"], " my best-mergers ")
        'my_best_mergers'
    """
    name = re.sub(r"[\s-]+", "_", name.strip())
    if not name:
        raise UsageError("Type a name first, such as mergers.")
    if name in taken:
        raise UsageError(f"column {name!r}: there is a column of this name, which is not changed. Choose another name.")
    return name


def _saved(session: Session, name: str, count: int) -> None:
    session.say(
        f"{name}: {count:,} objects. It is a column now: colour or filter by it, or search with --where {name}."
    )


def remove_saved(session: Session, name: str) -> None:
    """Removes what was saved under a name, also from the filters and the colours of all pages.

    Raises:
        UsageError: If there is no such selection.
    """
    space = session.space
    if name not in space.store.saved_columns:
        raise UsageError(f"no saved selection {name!r} to remove. Choose one of the list.")

    job = partial(space.change, partial(space.store.remove_column, name))
    session.work(job, lambda nothing: session.say(f"{name} was removed."), f"removing {name}", lane="save")


def rename_saved(session: Session, name: str, new: str) -> None:
    """Gives what was saved another name; this page goes on with it, others let go of the old one.

    Raises:
        UsageError: If there is no such selection, or the new name cannot be used or is taken.
    """
    space, state = session.space, session.state
    if name not in space.store.saved_columns:
        raise UsageError(f"no saved selection {name!r} to rename. Choose one of the list.")
    new = free_name(session.columns, new)

    def then(nothing: None) -> None:
        known = {name: new, f"not {name}": f"not {new}"}
        where = tuple(known.get(one, one) for one in state.where if one in known or not columns_in(one, [name]))
        session.change(where=where, colour=new if state.colour == name else state.colour)
        session.say(f"{name} is called {new} now.")

    job = partial(space.change, partial(rename_column, space.store, name, new))
    session.work(job, then, f"renaming {name}", lane="save")


def combine(session: Session, name: str, how: str = "") -> None:
    """Selects what was saved under a name, or combines it with what is selected.

    Args:
        session: The page.
        name: A saved selection.
        how: One of `COMBINED`; in place of what is selected by default.

    Raises:
        UsageError: If there is no such selection.
    """
    if name not in session.columns:
        raise UsageError(f"no saved selection {name!r}. Choose one of the list, or save one first.")
    saved = np.asarray(session.columns[name].values, dtype=bool)
    before = np.zeros_like(saved) if session.selection is None else session.selection
    session.select(COMBINED[how](before, saved) if how else saved.copy())
    if session.selection is None:
        session.say(f"No object is left: the selection {how or 'of'} {name} is empty.")
