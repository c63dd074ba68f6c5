"""One page: its head, the map at the left, and at the right the panels, each in a tab."""

from __future__ import annotations

import html
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bokeh.events import DocumentReady
from bokeh.models import Column, CustomJS, Div, InlineStyleSheet, Row, TabPanel, Tabs
from bokeh.themes import Theme

from . import stylesheet
from .address import address_line, restore
from .clusters.panel import cluster_panel
from .finding.chips import filter_chips
from .finding.filtering import filter_panel
from .finding.finding import find_bar
from .map.panel import map_panel
from .neighbours.panel import neighbour_panel
from .objects.card_buttons import CLICKS
from .objects.panel import object_panel
from .overlays.panel import overlay_panel
from .selection.panel import selection_panel
from .session import Session
from .space import Space
from .transfer import downloads

if TYPE_CHECKING:
    from bokeh.document import Document
    from bokeh.models import UIElement

__all__ = ["compose", "fill"]

Panel = Callable[[Session], "UIElement"]

PANELS: dict[str, Panel] = {  # title of the tab, and the function that makes what is in it
    "Object": object_panel,
    "Neighbours": neighbour_panel,
    "Selection": selection_panel,
    "Filter": filter_panel,
    "Clusters": cluster_panel,
    "Overlay": overlay_panel,
}
LOOK = Theme(  # of models that have no style of their own
    json={
        "attrs": {
            "Widget": {"stylesheets": [stylesheet.WIDGET]},
            "Tabs": {"stylesheets": [stylesheet.CLOSED]},
            "Div": {"disable_math": True},  # a name with dollars is no formula
        }
    }
)
WIDE = "stretch_width"
SHOWS_FOCUS = ("Object", "Neighbours")

KEYS = """
const view = Bokeh.index.find_one(tabs)
view.headers_wrapper_el.setAttribute("role", "tablist")
const narrow = window.matchMedia("(max-width: 800px)")
const roles = () => view.header_els.forEach((el, i) => {
  el.setAttribute("role", "tab")
  el.setAttribute("aria-selected", String(i == tabs.active))
})
roles()
tabs.properties.active.change.connect(roles)
const behavior = window.matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth"
const up = () => narrow.matches ? view.el.scrollIntoView({behavior}) : view.el.scrollTo(0, 0)
tabs.properties.active.change.connect(() => {
  view.invalidate_layout()  // figures of a closed tab have no size
  up()
})
tabs.properties.tags.change.connect(() => { if (narrow.matches) up() })
window.addEventListener("keydown", (event) => {
  const at = event.composedPath()[0]
  const typing = at.matches?.("input:not([type=checkbox], [type=radio], [type=range]), textarea, select")
  const search = Bokeh.documents[0].get_model_by_name("search")
  if (event.key == "/" && !typing && search) {
    event.preventDefault()
    Bokeh.index.find_one(search).input_el.focus()
  } else if (event.key == "Escape" && !typing) {
    cleared.tags = [Date.now()]
  } else if (at.getAttribute?.("role") == "tab") {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key]
    const all = view.header_els
    if (step) all[(all.indexOf(at) + step + all.length) % all.length].focus()
    if (event.key == "Enter" || event.key == " ") { event.preventDefault(); at.click() }
  }
})
"""


def fill(document: Document, space: Space) -> Session:
    """Makes the page of a new window.

    Args:
        document: The page, empty; its request says what to show.
        space: What is explored.

    Returns:
        The session of the page, to be closed with it.
    """
    session = Session(space, document)
    document.title = f"{space.store.root.resolve().name} - astroclip-kit"
    document.template, document.theme = stylesheet.PAGE, LOOK
    document.add_root(compose(session))
    request = document.session_context.request if document.session_context else None
    restore(session, request.arguments if request else {})
    return session


def compose(session: Session) -> Column:
    """The whole page as one layout.

    Args:
        session: The page's state.
    """
    message = _message(session)  # first, so that it shows what is said while the others are made
    cleared = Div(name="cleared", visible=False)
    cleared.on_change("tags", lambda attribute, old, new: session.guarded(lambda: session.select(None)))
    tabs = _tabs(session)
    if session.document is not None:
        args = {"tabs": tabs, "cleared": cleared}
        session.document.js_on_event(DocumentReady, CustomJS(args=args, code=KEYS), CustomJS(code=CLICKS))
    wires = Div(visible=False, tags=[downloads(session)])
    head = _styled(Row(_title(session.space), message, _made(session, find_bar), sizing_mode=WIDE), stylesheet.HEAD)
    chips = _styled(filter_chips(session), stylesheet.CHIPS)
    map_part = _styled(_made(session, map_panel), stylesheet.MAP)
    body = _styled(Row(map_part, chips, tabs, sizing_mode=WIDE), stylesheet.BODY)
    parts = [head, _note(session.space), body, address_line(session), cleared, wires]
    return _styled(Column(*parts, name="page"), stylesheet.ROOT)


def _styled(element: UIElement, style: str) -> UIElement:
    element.stylesheets = [*element.stylesheets, InlineStyleSheet(css=style)]
    return element


def _made(session: Session, panel: Panel) -> UIElement:
    """What a panel makes, or a sentence where it cannot."""
    try:
        return panel(session)
    except Exception as error:
        session.failed(error)
        return Div(text=f"<p>This part could not be made: {html.escape(str(error))}</p>")


def _tabs(session: Session) -> Tabs:
    """The panels, of which that one is opened which shows what was just chosen."""
    panels = [TabPanel(title=title, child=_made(session, panel)) for title, panel in PANELS.items()]
    tabs = _styled(Tabs(tabs=panels, name="tabs"), stylesheet.SIDE)
    titles = list(PANELS)

    def show(title: str) -> None:
        tabs.active = titles.index(title)
        tabs.tags = [time.time()]  # on a narrow window the page scrolls there

    def chosen() -> None:
        if session.selection is not None and titles[tabs.active] != "Clusters":  # selected one after the other there
            show("Selection")

    def looked_at() -> None:
        if session.state.focus:
            show(titles[tabs.active] if titles[tabs.active] in SHOWS_FOCUS else "Object")

    session.on("asked", call=lambda: show("Neighbours"))
    session.on("selection", call=chosen)
    session.on("focus", call=looked_at)
    return tabs


def _title(space: Space) -> Div:
    store = space.store
    counts = ", ".join(f"{html.escape(name)} {int(store.present(name).sum()):,}" for name in store.names)
    mock = '<span class="mock">mock data</span>' if store.manifest.get("origin") == "mock" else ""
    name = "/".join(store.root.resolve().parts[-2:])
    text = f"<h1>{html.escape(name)}</h1><span>{len(store):,} objects: {counts}</span>{mock}"
    return _styled(Div(text=text, name="title"), stylesheet.TITLE)


def _note(space: Space) -> Div:
    """What is wrong with the space, in a line that stays; none where nothing is."""
    text = f'<p class="error">{html.escape(space.note)}</p>'
    return _styled(Div(text=text, name="space-note", visible=bool(space.note), sizing_mode=WIDE), stylesheet.NOTE)


def _message(session: Session) -> Div:
    """The line that says what happens and what went wrong, aloud to who cannot see it."""
    line = Div(name="message", html_attributes={"role": "status", "aria-live": "polite"})

    def said() -> None:
        text, kind = session.said
        word = "<b>Not done:</b> " if kind == "error" else ""
        line.text = f'<p class="{"error" if kind == "error" else "note"}">{word}{html.escape(text)}</p>' if text else ""

    session.on("said", call=said)
    return _styled(line, stylesheet.MESSAGE)
