"""The empty figure of the map, with its tools."""

from __future__ import annotations

import re

from bokeh.models import BoxSelectTool, CustomJS, CustomJSTickFormatter, LassoSelectTool, Range1d, WheelZoomTool
from bokeh.plotting import figure

__all__ = ["HINT", "OVER", "around", "keys", "map_figure"]

HINT = """<p><b>Click an object</b>, or draw around some to select them.
<span class="mouse">The wheel zooms.</span> <span class="touch">Two fingers zoom.</span></p>"""
OVER = """
:host { position: relative; z-index: 3; width: 100%; height: 0; margin: 0; flex: none; pointer-events: none; }
p { position: absolute; top: 56px; left: 50%; transform: translateX(-50%); width: max-content; max-width: 75%;
  margin: 0; padding: 3px 12px; border-radius: 12px; background: rgba(255, 255, 255, .92); border: 1px solid #0072B2; }
.touch { display: none; }
@media (max-width: 800px), (pointer: coarse) { .touch { display: inline; } .mouse { display: none; } }
"""  # over the map, so that it stays as large
NAMES = {
    "pan": "Move the map",
    "poly": "Lasso: draw around objects to select them",
    "rect": "Box: select the objects in it",
    "wheel_zoom": "Zoom with the wheel",
    "zoom_in": "Zoom in",
    "zoom_out": "Zoom out",
    "reset": "Show all again",
}
AROUND = "return String(Number((((tick % 360) + 360) % 360).toPrecision(10)))"

KEYS = """
const map = Bokeh.index.find_one(plot)
if (map) {
  map.el.tabIndex = 0
  map.el.setAttribute("role", "group")
  map.el.setAttribute("aria-label", "Map: arrow keys move it, + and - zoom, 0 shows all")
  map.el.addEventListener("keydown", (event) => {
    const zoom = {"+": 0.8, "=": 0.8, "-": 1.25}[event.key]
    const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[event.key]
    const all = event.key == "0"
    if (event.ctrlKey || event.altKey || event.metaKey || !(zoom || way || all)) return
    event.preventDefault()
    for (const [axis, range] of [plot.x_range, plot.y_range].entries()) {
      const [start, end] = all ? [range.reset_start, range.reset_end] : [range.start, range.end]
      const middle = (start + end) / 2 + (way?.[axis] ?? 0) * (end - start) / 10, half = (zoom ?? 1) * (end - start) / 2
      range.setv({start: middle - half, end: middle + half})
    }
    map.trigger_ranges_update_event()
  })
  const forget = () => map.tool_views.forEach((tool) => tool._clear?.())  // where the pointer was is elsewhere
  for (const range of [plot.x_range, plot.y_range]) range.change.connect(forget)
}
"""


def map_figure() -> figure:
    """A figure in which a lasso and a box tell only what they enclose, at their end."""
    lasso, box = (
        kind(name=name, renderers=[], continuous=False)
        for kind, name in ((LassoSelectTool, "poly"), (BoxSelectTool, "rect"))
    )
    plot = figure(
        name="map",
        tools="pan,wheel_zoom,zoom_in,zoom_out,reset",
        x_range=Range1d(0, 1),
        y_range=Range1d(0, 1),
        output_backend="webgl",
        sizing_mode="stretch_both",
        toolbar_location="right",
        min_border=4,
        lod_threshold=None,
        background_fill_color="#ffffff",
        border_fill_color=None,
        outline_line_color="#9a9a9a",
    )
    plot.add_tools(lasso, box)
    for tool in plot.tools:
        name = tool.name or type(tool).__name__.removesuffix("Tool")
        tool.description = NAMES[re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()]
    plot.toolbar.logo = None
    plot.toolbar.active_drag, plot.toolbar.active_scroll = lasso, plot.select_one(WheelZoomTool)
    plot.grid.grid_line_alpha = 0.35
    plot.axis.axis_label_text_font_style = "normal"
    return plot


def keys(plot: figure) -> CustomJS:
    """What the page runs when it is ready, so that arrows move a map that has the focus, and + and - zoom."""
    return CustomJS(args={"plot": plot}, code=KEYS)


def around() -> CustomJSTickFormatter:
    """Right ascensions on an axis that goes on below 0 degrees."""
    return CustomJSTickFormatter(code=AROUND)
