"""The conditions in force, each with a button that removes it."""

from __future__ import annotations

from functools import partial

import numpy as np
from bokeh.models import Button, Div, InlineStyleSheet, Row

from ..session import Session
from ..texts import cut
from .conditions import swapped

__all__ = ["filter_chips", "shown_line"]

LONGEST = 40  # letters on a button
STYLE = ":host { flex-flow: row wrap; gap: 4px; align-items: center; flex: none; }"


def shown_line(session: Session) -> str:
    """How many objects are shown.

    Example: "1,234 of 3,000 objects shown".
    """
    count = len(session.space) if session.shown is None else int(np.count_nonzero(session.shown))
    return f"{count:,} of {len(session.space):,} objects shown"


def filter_chips(session: Session) -> Row:
    """A row of buttons that remove the conditions in force; nothing where there is none."""
    row = Row(name="chips", stylesheets=[InlineStyleSheet(css=STYLE)], visible=False)

    def update() -> None:
        where = session.state.where
        remove = [_button(session, one, swapped(where, one, ""), f"Remove the condition {one}") for one in where]
        clear = _button(session, "Clear all", (), "Remove all conditions") if len(where) > 1 else None
        row.children = [Div(text=shown_line(session), name="chips-count"), *remove, *([clear] if clear else [])]
        row.visible = bool(where)

    session.on("where", call=update)
    update()
    return row


def _button(session: Session, text: str, where: tuple[str, ...], title: str) -> Button:
    button = Button(label=f"✕ {cut(text, LONGEST)}", html_attributes={"title": title, "aria-label": title}, margin=2)
    button.on_click(partial(session.guarded, partial(session.change, where=where)))
    return button
