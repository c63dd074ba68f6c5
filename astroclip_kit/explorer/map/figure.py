"""The empty figure of the map, with its tools."""

from __future__ import annotations

from bokeh.models import BoxSelectTool, CustomJS, LassoSelectTool, Range1d, WheelZoomTool
from bokeh.plotting import figure

__all__ = ["keys", "map_figure"]

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
    plot.toolbar.logo = None
    plot.toolbar.active_drag, plot.toolbar.active_scroll = lasso, plot.select_one(WheelZoomTool)
    plot.grid.grid_line_alpha = 0.35
    plot.axis.axis_label_text_font_style = "normal"
    return plot


def keys(plot: figure) -> CustomJS:
    """What the page runs when it is ready, so that arrows move a map that has the focus, and + and - zoom."""
    return CustomJS(args={"plot": plot}, code=KEYS)
