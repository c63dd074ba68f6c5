"""What the figures of an object share: size, tools, fonts and units that can be read."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from ..texts import plain

if TYPE_CHECKING:
    from bokeh.plotting import figure

__all__ = ["NOTE", "axis_title", "in_unit", "plot"]

NOTE = {"font-size": "12px", "color": "#444"}  # of a sentence below a figure
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def axis_title(what: str, unit: str, power: int = 0) -> str:
    """What an axis shows, with its unit in few letters, and the power of ten that its numbers were divided by.

    Example:
        >>> axis_title("flux", "1e-17 erg / (Angstrom s cm2)"), axis_title("phase", ""), axis_title("flux", "", -15)
        ('flux [10⁻¹⁷ erg/s/cm²/Å]', 'phase', 'flux [10⁻¹⁵]')
    """
    from ...report.figures.views import short_unit

    short = re.sub(r"\$10\^\{(-?\d+)\}\$", lambda power: "10" + power[1].translate(SUPERSCRIPTS), short_unit(unit))
    if power:
        short = f"10{str(power).translate(SUPERSCRIPTS)}{f' {short}' if short else ''}"
    return f"{what} [{short}]" if short else what


def in_unit(value: float, unit: str, wanted: str) -> float:
    """A value of a catalogue in another unit, NaN where its own cannot be that; without a unit it has the other.

    Example:
        >>> in_unit(12.0, "h", "d"), in_unit(12.0, "", "d"), in_unit(12.0, "m", "d")
        (0.5, 12.0, nan)
    """
    from astropy.units import Unit, UnitConversionError

    if not unit:
        return value
    try:
        return float(Unit(unit).to(wanted, value))
    except (UnitConversionError, ValueError, TypeError):  # of another kind, or no unit
        return math.nan


def plot(name: str, tools: str, **settings: Any) -> figure:
    """An empty figure that is quiet around its data.

    Args:
        name: Of the model, by which a test finds it.
        tools: As Bokeh names them; the first is what dragging does.
        settings: As of a Bokeh figure; titles are no formulas.
    """
    from bokeh.plotting import figure

    drawn = figure(
        name=name,
        tools=tools,
        active_drag=tools.split(",")[0],
        toolbar_location="above",
        min_border_right=8,
        **settings,
    )
    for axis in drawn.axis:
        axis.axis_label = axis.axis_label and plain(axis.axis_label)
    drawn.title.text = drawn.title.text and plain(drawn.title.text)
    drawn.toolbar.logo = None
    drawn.grid.grid_line_alpha = 0.4
    drawn.axis.axis_label_text_font_style = "normal"
    drawn.axis.axis_label_text_font_size = "12px"
    drawn.title.text_font_size = "13px"
    return drawn
