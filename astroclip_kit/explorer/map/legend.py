"""What the colours of the map mean: a bar with name and unit, or the classes, each with its marker."""

from __future__ import annotations

import html

from bokeh.models import ColorBar, CustomJSTickFormatter, Div, FixedTicker, InlineStyleSheet, LinearColorMapper
from bokeh.palettes import Viridis256
from bokeh.plotting import figure
from matplotlib.ticker import MaxNLocator

from ..texts import plain
from .colours import SIGNS, Colouring

__all__ = ["ColourLegend"]

LOOK = """
:host { position: relative; z-index: 2; width: 100%; height: 0; margin: 0; flex: none; }
p { position: absolute; top: 2px; left: 12px; right: 40px; margin: 0; display: flex; flex-wrap: wrap; gap: 0 14px;
  line-height: 20px; max-height: 80px; overflow: hidden auto; }
b { font-size: 15px; }
"""  # over the upper margin of the map, which stays as large
PLAIN = "return String(Number(tick.toPrecision(6)))"
LINE, MOST_LINES = 20, 4  # pixels
LETTER, SIGN = 8, 34  # pixels, about


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
        self.ticker, self.ends = FixedTicker(ticks=[]), CustomJSTickFormatter(code=PLAIN)
        self.bar.update(ticker=self.ticker, formatter=self.ends)  # which a browser takes once: they change within
        self.plot = plot
        plot.add_layout(self.bar, "above")
        self.line = Div(name="legend", visible=False, stylesheets=[InlineStyleSheet(css=LOOK)])

    def show(self, colouring: Colouring, width: int) -> None:
        """Shows what colours mean over a map of some pixels."""
        self.bar.visible = colouring.kind == "number"
        if colouring.column is not None and self.bar.visible:
            self.mapper.update(low=colouring.span[0], high=colouring.span[1])
            self.bar.title = plain(colouring.column.title)
            ticks, self.ends.code = _ticks(colouring.span, *colouring.beyond)
            self.ticker.ticks = ticks
        parts = _classes(colouring)
        long = sum(LETTER * len(name) + SIGN for name, _, _ in parts) + LETTER * len(colouring.name)
        self.plot.min_border_top = 8 + LINE * min(-(-long // max(width - 90, 1)), MOST_LINES) if parts else 4
        self.line.update(text=f"<p>{_told(colouring, parts)}</p>" if parts else "", visible=bool(parts))


def _ticks(span: tuple[float, float], low: bool, high: bool) -> tuple[list[float], str]:
    """Ticks of a bar, and what names them; its ends say where values beyond have their colour."""
    ticks = [float(one) for one in MaxNLocator(6).tick_values(*span) if span[0] <= one <= span[1]]
    room = 0.06 * (span[1] - span[0])
    ticks = [one for one in ticks if not (low and one < span[0] + room) and not (high and one > span[1] - room)]
    named = {end: f"{sign} {end:.3g}" for end, sign, told in zip(span, "≤≥", (low, high), strict=True) if told}
    code = "".join(f"if (tick == {end!r}) return {told!r}\n" for end, told in named.items()) + PLAIN
    return sorted({*ticks, *named}), code


def _classes(colouring: Colouring) -> list[tuple[str, str, str]]:
    """Name, colour and marker of each class."""
    if colouring.column is None or colouring.kind != "class":
        return []
    names = [*colouring.names]
    rest = len(colouring.column.classes) - len(names)
    parts = list(zip(names, colouring.palette, colouring.shapes, strict=False))
    for name, place in ((f"{rest} other classes", -2), (f"unknown ({colouring.missing:,})", -1)):
        if rest if place == -2 else colouring.missing:
            parts.append((name, colouring.palette[place], colouring.shapes[place]))
    return parts


def _told(colouring: Colouring, parts: list[tuple[str, str, str]]) -> str:
    signs = (
        f'<span><b style="color:{colour}">{SIGNS[marker]}</b> {html.escape(name)}</span>'
        for name, colour, marker in parts
    )
    return f"<span>{html.escape(colouring.name)}:</span> " + " ".join(signs)
