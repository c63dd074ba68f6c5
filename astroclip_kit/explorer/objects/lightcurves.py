"""Light curves as one looks at them: measurements by band, folded where a period is known."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...types import Modality
from ..space import Space
from .plots import NOTE, axis_title, in_unit, plot

if TYPE_CHECKING:
    from bokeh.models import UIElement

__all__ = ["LIMIT", "LightCurveView", "Measured", "Period", "measured", "period_of"]

PERIODS = ("period", "period_days", "period_day", "period_d", "per", "p_days")
LIMIT = "_limit"  # how a band of upper limits ends
WAYS = ("in time", "folded")
MARKERS = ("circle", "square", "triangle", "diamond", "star", "hex", "plus")
WILD = 1.0  # how far from 99 % of the values, in units of their span, one is not shown at first
LEGEND = 8  # bands that fit one
Array = npt.NDArray[np.float64]
View = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Measured:
    """The measurements of one object.

    Args:
        time: Days since the first [T].
        value: In the unit of the modality [T].
        error: Its standard deviation [T]; NaN where not given.
        band: Index into the bands of the modality [T].
    """

    time: Array
    value: Array
    error: Array
    band: npt.NDArray[np.int64]

    def phase(self, period: float) -> Array:
        """Phase from 0 to 1 [T] for a period in days."""
        return np.asarray(self.time / period % 1)


def measured(view: View) -> Measured:
    """The rows of a light curve [T, C] that hold a measurement."""
    rows = view[np.isfinite(view[:, :2]).all(axis=1) & np.isfinite(view[:, 3]), :4].astype(np.float64)
    return Measured(rows[:, 0] - rows[:, 0].min(initial=np.inf), rows[:, 1], rows[:, 2], rows[:, 3].astype(np.int64))


@dataclass(frozen=True)
class Period:
    """A period, and who says so.

    Args:
        days: How long it is; NaN where none is known.
        source: Where it is from, in words.
    """

    days: float
    source: str = ""


def period_of(space: Space, row: int, modality: Modality, view: View) -> Period:
    """The period of an object, from the light curve's own covariate or else the catalogue."""
    found = [
        Period(float(view[0, modality.channels.index(name)]), f"the channel {name} of {modality.name}")
        for name in _periods(modality.covariates)
        if len(view)
    ]
    if names := _periods(name for name, column in space.columns.items() if not column.is_class):
        values = space.store.catalog.at([row], names)
        days = (in_unit(float(values[name][0]), space.columns[name].unit, "d") for name in names)
        found += [Period(one, f"the column {name} of the catalogue") for one, name in zip(days, names, strict=True)]
    return next((one for one in found if math.isfinite(one.days) and one.days > 0), Period(math.nan))


def _periods(names: Iterable[str]) -> list[str]:
    """Those that are called like a period in days, the most usual first."""
    return sorted((name for name in names if name.lower() in PERIODS), key=lambda name: PERIODS.index(name.lower()))


class LightCurveView:
    """A light curve by band, with a switch to fold it where a period is known.

    Args:
        space: What is explored.
        modality: The light curves.
    """

    def __init__(self, space: Space, modality: Modality) -> None:
        from bokeh.layouts import column
        from bokeh.models import ColumnDataSource, Div, RadioButtonGroup

        self._space, self._modality = space, modality
        self._points, self._period = measured(np.empty((0, 4), np.float32)), Period(math.nan)
        self._outside = 0
        self._magnitudes = modality.unit.startswith("mag")
        self._bands = modality.bands or (modality.name,)
        self._way = RadioButtonGroup(labels=list(WAYS), active=0, name=f"fold-{modality.name}")
        self._note = Div(name=f"note-{modality.name}", styles=NOTE)
        self._sources = [
            (ColumnDataSource({"x": [], "y": []}), ColumnDataSource({"x": [], "low": [], "high": []}))
            for _ in self._bands
        ]
        self._figure()
        self._way.on_change("active", lambda attribute, old, new: self._draw())
        self.layout: UIElement = column(self.figure, self._way, self._note, sizing_mode="stretch_width")

    def _figure(self) -> None:
        from bokeh.models import Range1d

        from ...report.figures.canvas import COLOURS

        name = self._modality.name
        value = self._bands[0] if len(self._bands) == 1 else "brightness"
        self.figure = plot(
            f"lightcurve-figure-{name}",
            "box_zoom,pan,wheel_zoom,reset",
            height=280,
            sizing_mode="stretch_width",
            title=name,
            x_range=Range1d(0, 1),
            y_range=Range1d(0, 1),
            y_axis_label=axis_title(value, self._modality.unit),
        )
        detections = [band for band in self._bands if not band.endswith(LIMIT)]
        for band, (points, errors) in zip(self._bands, self._sources, strict=True):
            of = band.removesuffix(LIMIT)
            place = detections.index(of) if of in detections else len(detections)
            colour, limit = COLOURS[place % len(COLOURS)], band not in detections
            marker = "inverted_triangle" if limit else MARKERS[place % len(MARKERS)]
            label = f"{of}, upper limit" if limit else band
            style = {"line_color": colour, "fill_color": None if limit else colour, "legend_label": label}
            self.figure.segment("x", "low", "x", "high", source=errors, line_color=colour, line_alpha=0.5)
            points.name = f"lightcurve-{name}-{band}"
            self.figure.scatter("x", "y", source=points, marker=marker, size=5, **style)
        self.figure.legend.visible = 1 < len(self._bands) <= LEGEND
        self.figure.legend.update(orientation="horizontal", label_text_font_size="11px", padding=3, spacing=8)
        self.figure.add_layout(self.figure.legend[0], "above")

    def show(self, row: int, view: View) -> None:
        """Draws the light curve [T, C] of an object, folded where a period is known."""
        self._points = measured(view)
        self._period = period_of(self._space, row, self._modality, view)
        self._way.disabled = not math.isfinite(self._period.days)
        self._way.active = 0 if self._way.disabled else 1
        self._draw()

    def _draw(self) -> None:
        points, folded = self._points, self._way.active == 1
        along = points.phase(self._period.days) if folded else points.time
        for number, (source, errors) in enumerate(self._sources):
            of_band = points.band == number
            x, y, error = along[of_band], points.value[of_band], points.error[of_band]
            if folded:  # two periods, so that no phase is at an edge
                x, y, error = np.append(x, x + 1), np.tile(y, 2), np.tile(error, 2)
            source.data = {"x": x, "y": y}
            given = np.isfinite(error) & (error > 0)
            errors.data = {"x": x[given], "low": (y - error)[given], "high": (y + error)[given]}
        self.figure.xaxis.axis_label = (
            f"phase (P = {self._period.days:.5g} d)" if folded else "time [d] since the first"
        )
        end = 2.0 if folded else float(points.time.max(initial=0.0)) or 1.0
        pad = 0.0 if folded else 0.02 * end
        self.figure.x_range.update(start=-pad, end=end + pad, reset_start=-pad, reset_end=end + pad)
        self._set_heights()
        self._note.text = self._told()

    def _set_heights(self) -> None:
        """Shows all values; a few wild ones and long error bars do not rule. Magnitudes are upside down."""
        self._outside = 0
        if not len(self._points.value):
            return
        low, high = _ends(self._points.value)
        self._outside = int(((self._points.value < low) | (self._points.value > high)).sum())
        pad = 0.12 * (high - low) or 0.1 * abs(high) or 1.0
        start, end = (high + pad, low - pad) if self._magnitudes else (low - pad, high + pad)
        self.figure.y_range.update(start=start, end=end, reset_start=start, reset_end=end)

    def _told(self) -> str:
        counts = np.bincount(self._points.band.clip(0), minlength=len(self._bands))
        parts = [f"{count} in {escape(band)}" for band, count in zip(self._bands, counts, strict=False) if count]
        told = f"{len(self._points.value)} measurements: {', '.join(parts) or 'none'}."
        if self._outside:
            verb = "lie" if self._outside > 1 else "lies"
            told += f" {self._outside} far from the others {verb} outside of the axis."
        if not math.isfinite(self._period.days):
            return f"{told} No period is known, so it is not folded."
        return f"{told} The period is from {escape(self._period.source)}."


def _ends(values: Array) -> tuple[float, float]:
    """Least and greatest value that are shown: all, but not a few that lie far from the others."""
    low, high = (float(end) for end in np.percentile(values, [0.5, 99.5]))
    reach = WILD * (high - low)
    near = values[(values >= low - reach) & (values <= high + reach)]
    return float(near.min()), float(near.max())
