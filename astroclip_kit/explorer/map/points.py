"""Objects as points: few enough for a browser to draw each, with its id and value where the pointer is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from bokeh.models import ColumnDataSource, HoverTool
from bokeh.plotting import figure

from ..space import Space
from .drawing import Drawn

__all__ = ["Points"]

LARGEST, SMALLEST = 9.0, 3.5  # pixels, of a point among few and among many
OPAQUE, FAINT = 220, 40  # of 255: a point, and one that is not selected while others are
EMPTY: dict[str, Any] = {"x": [], "y": [], "colour": [], "marker": [], "size": [], "id": [], "value": []}


class Points:
    """The points of a map.

    Args:
        plot: The figure that they are drawn in.
        space: What is explored.
    """

    def __init__(self, plot: figure, space: Space) -> None:
        self.space = space
        self.source = ColumnDataSource(EMPTY, name="points")
        glyphs = plot.scatter(
            "x", "y", marker="marker", size="size", fill_color="colour", line_color=None, source=self.source
        )
        glyphs.nonselection_glyph = None
        self.hover = HoverTool(renderers=[glyphs], tooltips=[("object", "@id")])
        plot.add_tools(self.hover)

    def named(self, drawn: Drawn) -> Drawn:
        """What was drawn with the ids of its points, which are read from disk: no work for the page's own turn."""
        return drawn if drawn.rows is None else replace(drawn, ids=tuple(self.space.ids_of(drawn.rows)))

    def show(self, drawn: Drawn, selected: npt.NDArray[np.bool_] | None) -> None:
        """Shows the points of what was drawn, of which the selected stay strong."""
        if drawn.rows is None or not len(drawn.rows):
            self.source.data = EMPTY
            return
        rows, colouring = drawn.rows, drawn.colouring
        x, y = drawn.plane.at(rows)
        opacity = np.full((len(rows), 1), OPAQUE, np.uint8)
        if selected is not None:
            opacity[~selected[rows]] = FAINT
        size = float(np.clip(14 - 2.6 * np.log10(len(rows)), SMALLEST, LARGEST))
        self.source.data = {
            "x": x,
            "y": y,
            "colour": np.hstack([colouring.of(rows), opacity]),
            "marker": colouring.markers(rows),
            "size": np.full(len(rows), size, np.float32),
            "id": list(drawn.ids),
            "value": colouring.told(rows),
        }
        named = [(colouring.name, "@value")] if colouring.column is not None else []
        self.hover.tooltips = [("object", "@id"), *named]
