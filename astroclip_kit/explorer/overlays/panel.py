"""Catalogues brought along: which objects they hold, drawn over the map, listed, and their columns to colour by."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from bokeh.models import Button, Div, NumericInput, Select
from bokeh.models import Column as Layout

from ...errors import UsageError
from ..columns import Column
from ..session import Session
from ..stylesheet import line
from ..transfer import upload_button
from .catalogue_file import ACCEPT, CatalogueFile
from .columns import overlay_columns, short_name
from .counterparts import Counterparts, by_id, by_position, counterparts
from .table import OverlayTable

__all__ = ["Overlays", "overlay_panel"]

RADIUS = 1.0  # arcsec
WIDE = "stretch_width"
POSITION = "position"
INTRODUCTION = """
<p style="margin: 0">Add a catalogue of yours (FITS, VOTable, CSV, ECSV, Parquet): its rows are matched with the objects
here by position or by id, and drawn over the map. The file stays between this page and its server.</p>
"""


@dataclass(frozen=True)
class Overlay:
    """A catalogue and the objects that it holds.

    Args:
        catalogue: The file.
        found: The object of each of its rows.
        columns: What it adds to the page.
    """

    catalogue: CatalogueFile
    found: Counterparts
    columns: tuple[Column, ...]

    def __str__(self) -> str:
        return f"{self.found} {self.catalogue.note}".rstrip()


class Overlays:
    """The overlays of a page, by the short names that their columns begin with.

    Args:
        session: The page.
        changed: Called when one was added, matched again or removed, with its short name.
    """

    def __init__(self, session: Session, changed: Callable[[str], None]) -> None:
        self._session, self._changed = session, changed
        self.all: dict[str, Overlay] = {}

    def add(self, name: str, content: bytes, radius_arcsec: float) -> None:
        """Reads a catalogue and matches it as it is recognised."""
        space = self._session.space

        def job() -> tuple[CatalogueFile, Counterparts]:
            catalogue = CatalogueFile.read(name, content)
            return catalogue, counterparts(space, catalogue, radius_arcsec)

        def then(result: tuple[CatalogueFile, Counterparts]) -> None:
            taken = self._taken()
            self._put(short_name(name, {*self.all, *taken, *(one.removeprefix("in_") for one in taken)}), *result)

        self._session.work(job, then, f"reading and matching {name}", lane="overlay")

    def match(self, short: str, how: str, ra: str, dec: str, radius_arcsec: float) -> None:
        """Matches an overlay again.

        Args:
            short: Which.
            how: "position", or the column of ids.
            ra: Column of right ascensions.
            dec: Column of declinations.
            radius_arcsec: How far apart a row and its object may be.
        """
        space, catalogue = self._session.space, self.all[short].catalogue

        def job() -> Counterparts:
            if how == POSITION:
                return by_position(space, catalogue, ra, dec, radius_arcsec)
            return by_id(space, catalogue, how)

        def then(found: Counterparts) -> None:
            if short in self.all:  # it may have been removed meanwhile
                self._put(short, catalogue, found)

        self._session.work(job, then, f"matching {catalogue.name}", lane="overlay")

    def remove(self, short: str) -> None:
        """Takes an overlay and its columns away."""
        self._drop(short)
        self._session.mark(short, None)
        self._changed("")

    def select(self, short: str) -> None:
        """Selects the objects that an overlay holds.

        Raises:
            UsageError: If it holds none.
        """
        rows = np.zeros(len(self._session.space), dtype=bool)
        found = self.all[short].found
        rows[found.rows[found.matched]] = True
        if not rows.any():
            raise UsageError("no row of this catalogue is matched. Match by other columns, or within a larger radius.")
        self._session.select(rows)

    def _taken(self) -> set[str]:
        """Names of columns that there are, the store's before all."""
        return {*self._session.columns, *self._session.space.ids}

    def _drop(self, short: str) -> None:
        self._session.remove_columns(*(column.name for column in self.all.pop(short).columns))

    def _put(self, short: str, catalogue: CatalogueFile, found: Counterparts) -> None:
        if short in self.all:
            self._drop(short)
        columns = overlay_columns(short, catalogue, found, len(self._session.space), self._taken())
        self.all[short] = Overlay(catalogue, found, tuple(columns))
        self._session.add_columns(*columns)
        self._session.mark(short, found.rows[found.matched] if len(found.matched) else None)
        self._session.say(f"{catalogue.name}: {self.all[short]}")
        self._changed(short)


def overlay_panel(session: Session) -> Layout:
    """Adds catalogues, lists them, and takes them away."""
    radius = NumericInput(title="Radius [arcsec]", value=RADIUS, low=0, mode="float", width=120, name="overlay-radius")
    which = Select(title="Overlay", name="overlay-choice", visible=False, sizing_mode=WIDE)
    told = Div(name="overlay-told", sizing_mode=WIDE, styles={"overflow-wrap": "anywhere"})
    table, controls = OverlayTable(session), _Controls()

    def changed(short: str) -> None:
        which.options = [(one, overlay.catalogue.name) for one, overlay in overlays.all.items()]
        which.value = short or next(iter(overlays.all), "")
        which.visible = bool(overlays.all)
        show()

    def show() -> None:
        overlay = overlays.all.get(which.value)
        told.text = _told(which.value, overlay) if overlay else ""
        controls.show(overlay)
        table.show((overlay.catalogue, overlay.found) if overlay else None)

    def take(name: str, content: bytes) -> None:
        overlays.add(name, content, _positive(radius.value))

    def again() -> None:
        overlays.match(which.value, controls.how.value, controls.ra.value, controls.dec.value, _positive(radius.value))

    overlays = Overlays(session, changed)
    upload = upload_button(session, "Add a catalogue file", take, ACCEPT, name="overlay-upload", button_type="primary")
    session.on("arrived", call=lambda: take(*session.arrived))
    which.on_change("value", lambda attribute, old, new: show())
    controls.again.on_click(lambda: session.guarded(again))
    controls.select.on_click(lambda: session.guarded(partial(overlays.select, which.value)))
    controls.remove.on_click(lambda: session.guarded(partial(overlays.remove, which.value)))
    first = line(upload, radius)
    parts = [Div(text=INTRODUCTION, sizing_mode=WIDE), first, which, told, table.layout, controls.layout]
    return Layout(*parts, sizing_mode=WIDE, name="overlay-panel")


class _Controls:
    """What an overlay is matched by, and its end."""

    def __init__(self) -> None:
        self.how = Select(title="Match by", name="overlay-how", width=150)
        self.ra = Select(title="Right ascension", name="overlay-ra", width=130)
        self.dec = Select(title="Declination", name="overlay-dec", width=130)
        self.again = Button(label="Match again", name="overlay-match", align="end")
        self.select = Button(label="Select these objects", name="overlay-select", align="end")
        self.remove = Button(label="Remove this overlay", name="overlay-remove", align="end")
        widgets = (self.how, self.ra, self.dec, self.again, self.select, self.remove)
        self.layout = line(*widgets, visible=False, sizing_mode=WIDE)

    def show(self, overlay: Overlay | None) -> None:
        """Offers the columns of an overlay."""
        self.layout.visible = overlay is not None
        if overlay is None:
            return
        catalogue = overlay.catalogue
        names = [str(name) for name in catalogue.frame.columns]
        others = [name for name in names if name not in catalogue.id_columns]
        self.how.options = [(POSITION, POSITION), *((name, f"id: {name}") for name in (*catalogue.id_columns, *others))]
        self.how.value = overlay.found.column or POSITION
        for select, usual in ((self.ra, catalogue.ra), (self.dec, catalogue.dec)):
            select.options = [("", "choose ..."), *((name, name) for name in names)]
            select.value = usual


def _told(short: str, overlay: Overlay) -> str:
    """What was found, and what the columns are called, as HTML."""
    text = f"<b>{html.escape(overlay.catalogue.name)}</b>: {html.escape(str(overlay))}"
    names = ", ".join(f"<code>{html.escape(column.name)}</code>" for column in overlay.columns[:6])
    more = ", ..." if len(overlay.columns) > 6 else ""
    return f"<p>{text}</p><p>Colour and filter the map by its columns, which no address holds: {names}{more}</p>"


def _positive(radius: float | None) -> float:
    if not radius or radius <= 0:
        raise UsageError("Type a radius in arcsec that is larger than 0.")
    return radius
