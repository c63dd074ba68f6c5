"""What stands above the map: which plane it shows, what colours it, a UMAP on demand, and nothing selected any more."""

from __future__ import annotations

from bokeh.models import Button, InlineStyleSheet, Row, Select

from .. import stylesheet
from ..session import Session
from .planes import FITTED

__all__ = ["map_controls"]

PAIR = "|"  # in the list of planes: two columns, which are chosen beside it
SKY = "ra|dec"
UMAP_ROWS = 5_000_000  # objects that a page places on a UMAP; more are work for a night
BESIDE = """
.bk-input-group { flex-direction: row; align-items: center; gap: 5px; }
.bk-input-group > label { flex: none; }
@media (max-width: 800px) { :host { flex: 1 1 150px !important; width: auto !important; margin: 0 !important; } }
"""
LOOK = ":host { display: flex; flex-flow: row wrap; gap: 2px 8px; align-items: end; flex: none; }"


def map_controls(session: Session) -> Row:
    """The widgets above the map.

    Args:
        session: The page's state.
    """
    return _Controls(session).layout


class _Controls:
    """The widgets of one page."""

    def __init__(self, session: Session) -> None:
        self.session, self.planes = session, session.space.planes
        self.filling, self.making = False, ""
        self.plane, self.across, self.up, self.colour = (
            Select(title=title, name=name, width=width, styles={"flex": f"0 1 {width}px"}, min_width=100,
                   stylesheets=[stylesheet.WIDGET, BESIDE])
            for title, name, width in (
                ("Map", "plane", 205), ("Across", "across", 130), ("Up", "up", 110), ("Colour", "colour", 185)
            )
        )  # fmt: skip
        self.umap = Button(name="make_umap", visible=False)
        self.clear = Button(label="Clear selection", name="clear", visible=False)
        for widget in (self.plane, self.across, self.up):
            widget.on_change("value", self._choose)
        self.colour.on_change("value", lambda attr, old, new: session.guarded(lambda: session.change(colour=new)))
        self.umap.on_click(lambda: session.guarded(self._make))
        self.clear.on_click(lambda: session.select(None))
        session.on("plane", "colour", "columns", call=self._fill)
        session.on("selection", call=lambda: self.clear.update(visible=session.selection is not None))
        self._fill()
        widgets = (self.plane, self.across, self.up, self.colour, self.umap, self.clear)
        self.layout = Row(*widgets, stylesheets=[InlineStyleSheet(css=LOOK)], name="map_controls")

    @property
    def key(self) -> str:
        """Key of the plane that is asked for."""
        return self.session.state.plane or self.planes.default

    def _fill(self) -> None:
        """Shows what there is to choose from, and what is chosen."""
        columns, titles, key = self.session.columns, self.planes.titles, self.key
        pair = None if key in titles else self.planes.split(key, columns)
        numbers = [(one.name, one.title) for one in columns.values() if not one.is_class]
        sky = [(SKY, "Sky: ra, dec")] if {"ra", "dec"} <= {name for name, _ in numbers} else []
        two = f"{pair[1].name} against {pair[0].name}" if pair and key != SKY else "Two columns"
        self.filling = True
        try:
            self.plane.options = [*titles.items(), *sky, *([(PAIR, two)] if len(numbers) > 1 else [])]
            self.across.options = self.up.options = numbers
            self.colour.options = [("", "nothing"), *((one.name, one.title) for one in columns.values())]
            self.plane.value = PAIR if pair and key != SKY else key
            self.across.value, self.up.value = (one.name for one in pair) if pair else ("", "")
            self.colour.value = self.session.state.colour
        finally:
            self.filling = False
        self.across.visible = self.up.visible = self.plane.value == PAIR
        method, _, modality = key.partition(":")
        few = len(self.session.space) <= UMAP_ROWS
        self.umap.visible = method == "pca" and few and not self.making and f"umap:{modality}" not in titles
        self.umap.label = f"Make UMAP of {modality}"

    def _choose(self, attr: str, old: str, new: str) -> None:
        """Shows the plane that was chosen; of two columns the first ones, until others are."""
        if self.filling:
            return
        key = self.plane.value
        if key == PAIR:
            names = [name for name, _ in self.across.options]
            first = [*(name for name in names if name not in SKY.split(PAIR)), *names]
            key = f"{self.across.value or first[0]}|{self.up.value or first[1]}"
        self.session.guarded(lambda: self.session.change(plane=key))
        self._fill()

    def _make(self) -> None:
        """Makes the UMAP of what is shown, and then shows that."""
        modality, count, fitted = self.key.partition(":")[2], len(self.session.space), FITTED["umap"]
        how = f" (fitted on {fitted:,} of {count:,} objects, the others are placed on it)" if count > fitted else ""
        title = f"Making the UMAP of {modality}{how}; you can go on meanwhile"
        self.making, shown = modality, self.session.state.plane
        self._fill()

        def job() -> Exception | None:
            try:
                self.planes.make_umap(modality)
            except Exception as error:  # after which it may be tried again
                return error
            return None

        def show(error: Exception | None) -> None:
            self.making = ""
            self._fill()
            if error:
                raise error
            if self.session.state.plane == shown:
                self.session.change(plane=f"umap:{modality}")

        self.session.work(job, show, title, lane="umap")
