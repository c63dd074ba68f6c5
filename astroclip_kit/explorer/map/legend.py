"""What the colours of the map mean: a bar with name and unit, or the classes, each with its marker."""

from __future__ import annotations

import html

from bokeh.models import ColorBar, Div, InlineStyleSheet, LinearColorMapper
from bokeh.palettes import Viridis256
from bokeh.plotting import figure

from ..texts import plain
from .colours import SIGNS, Colouring

__all__ = ["ColourLegend"]

LOOK = """
:host { flex: none; min-height: 0; }
p { margin: 2px 0; display: flex; flex-wrap: wrap; gap: 0 14px; }
b { font-size: 15px; }
"""


class ColourLegend:
    """The legend of a map.

    Args:
        plot: The figure that gets the bar.
    """

    def __init__(self, plot: figure) -> None:
        self.mapper = LinearColorMapper(palette=Viridis256, low=0, high=1)
        self.bar = ColorBar(
            color_mapper=self.mapper, name="colour_bar", visible=False, height=12, margin=4, padding=4, title_standoff=4
        )
        self.bar.title_text_font_style = "normal"
        plot.add_layout(self.bar, "above")
        self.line = Div(name="legend", visible=False, stylesheets=[InlineStyleSheet(css=LOOK)])

    def show(self, colouring: Colouring) -> None:
        """Shows what colours mean."""
        self.bar.visible = colouring.kind == "number"
        if colouring.column is not None and self.bar.visible:
            self.mapper.update(low=colouring.span[0], high=colouring.span[1])
            self.bar.title = plain(colouring.column.title)
        text = _classes(colouring)
        self.line.update(text=f"<p>{text}</p>" if text else "", visible=bool(text))


def _classes(colouring: Colouring) -> str:
    if colouring.column is None or colouring.kind != "class":
        return ""
    names = [*colouring.names]
    rest = len(colouring.column.classes) - len(names)
    parts = list(zip(names, colouring.palette, colouring.shapes, strict=False))
    for name, place in ((f"{rest} other classes", -2), (f"unknown ({colouring.missing:,})", -1)):
        if rest if place == -2 else colouring.missing:
            parts.append((name, colouring.palette[place], colouring.shapes[place]))
    signs = (
        f'<span><b style="color:{colour}">{SIGNS[marker]}</b> {html.escape(name)}</span>'
        for name, colour, marker in parts
    )
    return f"<span>{html.escape(colouring.name)}:</span> " + " ".join(signs)
