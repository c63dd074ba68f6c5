"""Asking with a new file: where it is given, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape

from bokeh import models

from ..session import Session
from ..transfer import upload_button
from .new_file import NewFile, model_is_known, read_new_file

__all__ = ["about_file", "new_query"]

STRANGE = 1.0  # per cent of familiarity below which a file is said to look strange
ANY = "what it looks like"


def new_query(session: Session, take: Callable[[NewFile], None]) -> models.UIElement:
    """The part of the page where one gives a file.

    Args:
        session: The page.
        take: Called with the file when it is placed in the space.
    """
    store = session.space.store
    holds = models.Select(title="The file holds", name="new-holds", options=[ANY, *store.names], value=ANY, width=150)
    folder = models.TextInput(title="Model folder", name="new-model", width=220, visible=not model_is_known(store))

    refused: list[tuple[str, bytes]] = []  # the last file, where it could not ask yet

    def given(name: str, content: bytes) -> None:
        modality, model = "" if holds.value == ANY else holds.value, folder.value.strip()
        refused[:] = [(name, content)]
        job = partial(read_new_file, store, name, content, holds=modality, model=model)
        session.work(job, taken, f"Reading {name}", lane="new file")

    def taken(file: NewFile) -> None:
        refused.clear()
        take(file)

    def told(attribute: str, old: str, new: str) -> None:
        if refused and new != ANY:
            session.guarded(partial(given, *refused[0]))

    holds.on_change("value", told)

    accept = ".fits,.fit,.fts,.fz,.fits.gz,.fits.bz2"
    button = upload_button(session, "Query with a new file", given, accept=accept, name="new-file", align="end")
    return models.Row(button, holds, folder, name="new-query", styles={"flex-wrap": "wrap", "gap": "4px"})


def about_file(file: NewFile) -> list[str]:
    """What is said of a new file, as lines of HTML: what it is, how familiar it looks, and its header as text."""
    newcomers, lines = file.asked.newcomers, [f"Recognised as {escape(file.kind)}, asks as {escape(file.asked.name)}."]
    if file.count > 1:
        lines.append(f"It holds {file.count:,} observations; the first asks: {escape(file.asked.labels[0])}.")
    if len(file.asked.rows[0]):
        lines.append("The space holds observations of the same object. They are named below, and not among the lists.")
    if newcomers is not None and newcomers.familiar is not None:
        percentile = float(newcomers.familiar[0])
        strange = "<b>It looks unlike what the model was trained on</b>: " if percentile < STRANGE else ""
        share = f"{percentile:.{int(percentile < 1)}f} %"
        lines.append(f"{strange}{share} of the objects of the space look at least as strange.")
    cards = escape("\n".join(file.cards))
    lines.append(f"<details><summary>Header</summary><pre>{cards}</pre></details>")
    return lines
