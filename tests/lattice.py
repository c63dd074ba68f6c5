"""A hundred objects in rows of ten, and the gestures of a reader on their map."""

import numpy as np
from bokeh.events import PanStart, SelectionGeometry

N = 100
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


def named(panel, name):
    return panel.select_one({"name": name})


def lasso(panel, outline, kind="poly", final=True, **keys):
    plot = named(panel, "map")
    plot._trigger_event(PanStart(plot, modifiers={"shift": False, "ctrl": False, "alt": False, **keys}))
    plot._trigger_event(SelectionGeometry(plot, {"type": kind, **outline}, final))


def box(x0, x1, y0, y1):
    return {"x0": x0, "x1": x1, "y0": y0, "y1": y1}


def selected(session):
    return [] if session.selection is None else np.flatnonzero(session.selection).tolist()
