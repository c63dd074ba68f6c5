"""The object that is looked at: its name and place, its cutout, spectrum and light curve, and its properties."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from ...errors import KitError
from ...types import Modality
from ..session import Session
from ..space import Space
from ..texts import printable
from .cutouts import CutoutView
from .lightcurves import LightCurveView
from .observations import Observations, same_object
from .property_table import PropertyTable
from .spectra import SpectrumView
from .stamps import StampsView, are_stamps

if TYPE_CHECKING:
    from bokeh.models import UIElement

__all__ = ["coordinates", "object_panel"]

HINT = (
    "<p><b>No object is chosen yet.</b> Click a point of the map, or search above for an id or a position: its "
    "cutout, spectrum, light curve and properties are shown here.</p>"
)
COPY = """
const told = (word) => { button.label = word; setTimeout(() => { button.label = "Copy" }, 1500) }
const refused = () => told("Refused")
if (navigator.clipboard) navigator.clipboard.writeText(head.tags.join("\\t")).then(() => told("Copied"), refused)
else refused()
"""
STYLE = """
h2 { font-size: 16px; margin: 2px 0; overflow-wrap: anywhere; } p { margin: 2px 0; overflow-wrap: anywhere; }
h2, span { user-select: all; } span { white-space: nowrap; margin-right: 12px; }
.bk-clearfix { display: block; width: 100%; }
.beside table, .beside tbody { display: block; } .beside tbody { columns: 180px; column-gap: 16px; }
.beside tr { display: flex; justify-content: space-between; gap: 12px; break-inside: avoid; font-size: 13px; }
.beside td { overflow-wrap: anywhere; border-bottom: 1px solid #eee; flex: 1 1 auto; }
.beside td + td { text-align: right; font-variant-numeric: tabular-nums; flex: none; }
"""


class _ObjectView(Protocol):
    """How one modality of an object is shown."""

    layout: UIElement

    def show(self, row: int, view: npt.NDArray[np.float32]) -> None:
        """Shows the view of the object in a row of the store."""


class TableView:
    """The numbers of a table, with their names."""

    def __init__(self, space: Space, modality: Modality) -> None:
        from bokeh.models import Div

        self._modality = modality
        self.layout: UIElement = Div(name=f"table-{modality.name}", sizing_mode="stretch_width", stylesheets=[STYLE])

    def show(self, row: int, view: npt.NDArray[np.float32]) -> None:
        """Lists the numbers [C] of an object."""
        cells = [(escape(name), float(value)) for name, value in zip(self._modality.channels, view, strict=True)]
        lines = (f"<tr><td>{name}<td>{value:.5g}" for name, value in cells if np.isfinite(value))
        unit = f" [{escape(self._modality.unit)}]" if self._modality.unit else ""
        lacks = ", ".join(name for name, value in cells if not np.isfinite(value))
        text = (
            f"<b>{escape(self._modality.name)}</b>{unit}<div class=beside><table>{''.join(lines)}</table></div>"
            f"{f'<p>Without a value: {lacks}.</p>' if lacks else ''}"
        )
        self.layout.update(text=text)


def _image_view(space: Space, modality: Modality) -> _ObjectView:
    return StampsView(space, modality) if are_stamps(modality) else CutoutView(space, modality)


VIEWS: dict[str, Any] = {
    "image": _image_view,
    "spectrum": SpectrumView,
    "lightcurve": LightCurveView,
    "table": TableView,
}


def object_panel(session: Session) -> UIElement:
    """What is known of the object that is looked at, and a sentence on what to do where there is none.

    Args:
        session: The page's state.
    """
    from bokeh.layouts import column, row
    from bokeh.models import Button, CustomJS, Div

    space = session.space
    modalities = space.dataset.modalities if space.dataset else {}
    views: dict[str, _ObjectView] = {name: VIEWS[one.kind](space, one) for name, one in modalities.items()}
    head = Div(text=HINT, name="object", sizing_mode="stretch_width", stylesheets=[STYLE])
    copy = Button(label="Copy", name="copy", width=70)
    copy.js_on_click(CustomJS(args={"head": head, "button": copy}, code=COPY))
    table = PropertyTable(session)
    observations = Observations(space, lambda: session.guarded(draw))
    parts = [observations.layout, *(view.layout for view in views.values()), table.layout]
    rest = column(*parts, sizing_mode="stretch_width")
    rest.visible = False

    def draw() -> None:
        at, drawn = session.focus, dict[str, npt.NDArray[np.float32]]()
        told = [_shown(space, (at, observations.at), name, view, drawn) for name, view in views.items()]
        copied = _copied(space, at)
        head.update(text=_head(space, at, copied, list(filter(None, told))), tags=copied)

    def show() -> None:
        at = session.focus
        copy.visible = at >= 0
        if at < 0:
            rest.visible = False
            head.update(text=HINT, tags=[])
            return
        head.update(text=_head(space, at, copied := _copied(space, at), []), tags=copied)
        session.later(partial(show_rest, at))

    def show_rest(at: int) -> None:
        """Draws what takes longer, once the page shows who is looked at, unless it is another one by then."""
        if at != session.focus:
            return
        observations.show(at)
        draw()
        table.show(at)
        rest.visible = True

    session.on("focus", call=show)
    show()
    top = row(head, copy, sizing_mode="stretch_width")
    return column(top, rest, sizing_mode="stretch_width", name="object-panel")


def _shown(
    space: Space, at: tuple[int, int], name: str, view: _ObjectView, drawn: dict[str, npt.NDArray[np.float32]]
) -> str:
    """Shows a modality of an object; where that is not done, why.

    Args:
        space: What is explored.
        at: Row of the store and of the dataset.
        name: The modality.
        view: Where it is shown.
        drawn: What is shown already, by modality: nothing is shown twice.
    """
    problem = f"It has no {name}."
    try:
        found = space.view(at[0], name, at[1])
    except KitError as error:
        found, problem = None, str(error)
    if found is not None and (twin := _twin(space, name, found, drawn)):
        found, problem = None, f"Its {name} is the same observation as its {twin}."
    view.layout.visible = found is not None
    if found is None:
        return problem
    drawn[name] = found
    if isinstance(view, (CutoutView, StampsView)):
        view.point(space.north(at[0], name, at[1]))
    view.show(at[0], found)
    return ""


def _twin(space: Space, name: str, found: npt.NDArray[np.float32], drawn: dict[str, npt.NDArray[np.float32]]) -> str:
    """The modality that holds the very same, "" for none."""
    known = space.dataset.modalities if space.dataset else {}
    for other, shown in drawn.items():
        if replace(known[other], name=name) == known[name] and np.array_equal(shown, found, equal_nan=True):
            return other
    return ""


def coordinates(ra: float, dec: float) -> list[str]:
    """A position in degrees and sexagesimal, or nothing where it is none.

    Example:
        >>> coordinates(150.1, 2.2)
        ['150.100000 +2.200000', '10h00m24.00s +02d12m00.0s']
    """
    from astropy.coordinates import SkyCoord

    if not (np.isfinite(ra) and abs(dec) <= 90):
        return []
    place = SkyCoord(ra, dec, unit="deg")
    hours = place.ra.to_string("hourangle", sep="hms", precision=2, pad=True)
    return [f"{ra:.6f} {dec:+.6f}", f"{hours} {place.dec.to_string(sep='dms', precision=1, pad=True, alwayssign=True)}"]


def _copied(space: Space, row: int) -> list[str]:
    """Id and place [deg; hours and deg] of an object."""
    own = space.store.catalog.at([row], ["object_id", "ra", "dec"])
    return [str(own["object_id"][0]), *coordinates(float(own["ra"][0]), float(own["dec"][0]))]


def _head(space: Space, row: int, copied: list[str], problems: list[str]) -> str:
    """What is copied of an object, what the space knows of it, and what cannot be shown."""
    object_id, *place = (escape(one) for one in copied)
    places = "  ".join(f"<span>{one}</span>" for one in place) or "No position of it is known."
    here = [name for name in space.store.names if space.store.present(name)[row]]
    if space.dataset is None:
        problems = [space.note or "There is no dataset, so no cutouts or spectra are shown."]
    elif space.dataset_row(row) < 0:
        problems = [f"{space.dataset.root} has no object of this id, so no cutout or spectrum of it is shown."]
    return (
        f"<h2>{object_id}</h2><p>{places}</p>"
        f"<p>In the space by: {escape(', '.join(here)) or 'nothing'}. {escape(' '.join(problems))}</p>"
        f"<p>{escape(printable(same_object(space, row)))}</p>"
    )
