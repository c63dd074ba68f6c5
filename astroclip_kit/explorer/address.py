"""What a page shows, as the query of its address: so a view can be shared, and a page that is opened again goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

from bokeh.models import CustomJS, Div

from ..errors import KitError
from .session import Session, State

__all__ = ["address_line", "query_of", "restore"]

KEEP = """
const own = new URLSearchParams(line.text)
own.set("token", new URLSearchParams(location.search).get("token") ?? "")
history.replaceState(null, "", `${location.pathname}?${own}`)
"""


def query_of(state: State, colour: str = "") -> str:
    """The query of an address: "colour=z&where=z+%3C+0.3"; what is not set is left out.

    Args:
        state: What a page shows.
        colour: What colours a page that asks for nothing.

    Example:
        >>> query_of(State(colour="z", where=("z < 0.3", "snr > 5")))
        'colour=z&where=z+%3C+0.3&where=snr+%3E+5'
    """
    own = [("colour", state.colour)] if state.colour != colour else []  # "colour=" where one wants none
    pairs = [("plane", state.plane), ("focus", state.focus)]
    plane, focus = ([pair] if pair[1] else [] for pair in pairs)
    return urlencode([*plane, *own, *(("where", one) for one in state.where), *focus])


def address_line(session: Session) -> Div:
    """What the page must hold so that the address in the browser follows what is shown."""
    line = Div(name="address", visible=False)
    line.js_on_change("text", CustomJS(args={"line": line}, code=KEEP))

    def follow() -> None:
        planes = session.space.planes
        state = session.state.without(session.own_columns, planes.colour)  # which nobody has who opens the address
        if query_of(state, planes.colour):  # also the map that shows itself: another one may, once it was made
            state = replace(state, plane=state.plane or planes.default)
        line.text = query_of(state, planes.colour)

    session.on("plane", "colour", "where", "focus", call=follow)
    return line


def restore(session: Session, arguments: Mapping[str, list[bytes]]) -> None:
    """Shows what an address says; what of it does not fit is said on the page, and the rest is shown.

    Args:
        session: The page.
        arguments: Name to its values, as the server has them of a request.
    """
    wrong = []
    for name in ("plane", "colour", "where", "focus"):
        for value in arguments.get(name, []):
            text = value.decode(errors="replace")
            try:
                session.change(**{name: (*session.state.where, text) if name == "where" else text})
            except KitError as error:
                wrong.append(str(error))
    if wrong:
        say = partial(session.say, f"The address could not be followed in all: {' '.join(wrong)}", "error")
        page = session.document
        if page is None:
            say()
        else:  # after the first turn, in which panels say what they begin with
            page.add_next_tick_callback(lambda: page.add_next_tick_callback(say))
