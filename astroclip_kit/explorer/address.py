"""What a page shows, as the query of its address: so a view can be shared, and a page that is opened again goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

from bokeh.models import CustomJS, Div

from ..errors import KitError, UsageError
from .session import Session, State

__all__ = ["address_line", "query_of", "restore"]

LARGEST = 1e150  # of a number on an axis
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
    view = [("view", ",".join(f"{one:.6g}" for one in state.view))] if state.view else []
    return urlencode([*plane, *own, *(("where", one) for one in state.where), *view, *focus])


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

    session.on("plane", "colour", "where", "focus", "view", call=follow)
    return line


def restore(session: Session, arguments: Mapping[str, list[bytes]]) -> None:
    """Shows what an address says; what of it does not fit is said on the page, and the rest is shown.

    Args:
        session: The page.
        arguments: Name to its values, as the server has them of a request.
    """
    wrong = []
    for name in ("plane", "colour", "where", "view", "focus"):
        for value in arguments.get(name, []):
            text = value.decode(errors="replace")
            try:
                held = (*session.state.where, text) if name == "where" else _view(text) if name == "view" else text
                session.change(**{name: held})
            except KitError as error:
                wrong.append(str(error))
    if wrong:
        say = partial(session.say, f"The address could not be followed in all: {' '.join(wrong)}", "error")
        page = session.document
        if page is None:
            say()
        else:  # after the first turn, in which panels say what they begin with
            page.add_next_tick_callback(lambda: page.add_next_tick_callback(say))


def _view(text: str) -> tuple[float, ...]:
    """Least and greatest x, least and greatest y.

    Raises:
        UsageError: If it is no such part of a map.
    """
    try:
        left, right, bottom, top = map(float, text.split(","))
    except ValueError:
        left = right = bottom = top = 0.0
    if not (-LARGEST < left < right < LARGEST and -LARGEST < bottom < top < LARGEST):
        raise UsageError(f"view {text!r}: expected four numbers, the least and greatest x, the least and greatest y.")
    return left, right, bottom, top
