"""Light curves as one looks at them: measurements by band, folded where a period is known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...types import Modality
from ..space import Space
from .measured import LIMIT, measured
from .periods import Period, period_of
from .plots import NOTE, axis_title, plot

if TYPE_CHECKING:
    from bokeh.models import UIElement

__all__ = ["LightCurveView"]

WAYS = ("in time", "folded", "folded at 2 P")  # of a binary with two alike eclipses the period found is half its own
MARKERS = ("circle", "square", "triangle", "diamond", "star", "hex", "plus")
WILD = 1.0  # how far from 99 % of the values, in units of their span, one is not shown at first
LEGEND_COLUMNS = 5
TIME_ZERO = "time_zero_mjd"  # label of when the times of a light curve begin
Array = npt.NDArray[np.float64]
View = npt.NDArray[np.float32]


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
        self._outside, self._zero = 0, math.nan
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
            shape = MARKERS[(place + place // len(COLOURS)) % len(MARKERS)]  # another where colours repeat
            marker = "inverted_triangle" if limit else shape
            label = f"{of}, upper limit" if limit else band
            style = {"line_color": colour, "fill_color": None if limit else colour, "legend_label": label}
            self.figure.segment("x", "low", "x", "high", source=errors, line_color=colour, line_alpha=0.5)
            points.name = f"lightcurve-{name}-{band}"
            self.figure.scatter("x", "y", source=points, marker=marker, size=5, **style)
        small = {"label_text_font_size": "11px", "padding": 2, "spacing": 6, "border_line_color": None, "margin": 2}
        self.figure.legend.update(orientation="horizontal", ncols=LEGEND_COLUMNS, **small)
        self.figure.add_layout(self.figure.legend[0], "above")

    def show(self, row: int, view: View) -> None:
        """Draws the light curve [T, C] of an object, folded where a period is known."""
        self._points = measured(view)
        self._period = period_of(self._space, row, self._modality, view, measure=True)
        self._way.visible = math.isfinite(self._period.days)
        self._way.active = int(self._way.visible)
        self._zero = self._time_zero(row)
        here = set(np.unique(self._points.band).tolist())
        for number, item in enumerate(self.figure.legend[0].items):
            item.visible = number in here
        self.figure.legend.visible = len(here) > 1 or (len(here) == 1 and len(self._bands) > 1)
        self._draw()

    def _time_zero(self, row: int) -> float:
        """When the times of an object begin, as MJD; NaN where that is not known."""
        known = self._space.columns
        name = next((one for one in (f"{self._modality.name}_{TIME_ZERO}", TIME_ZERO) if one in known), "")
        return float(known[name].at([row])[0]) if name and not known[name].is_class else math.nan

    def _draw(self) -> None:
        points, folded = self._points, self._way.active > 0
        period = self._period.days * (self._way.active or 1)
        along = points.phase(period) if folded else points.time
        for number, (source, errors) in enumerate(self._sources):
            of_band = points.band == number
            x, y, error = along[of_band], points.value[of_band], points.error[of_band]
            if folded:  # two periods, so that no phase is at an edge
                x, y, error = np.append(x, x + 1), np.tile(y, 2), np.tile(error, 2)
            source.data = {"x": x, "y": y}
            given = np.isfinite(error) & (error > 0)
            errors.data = {"x": x[given], "low": (y - error)[given], "high": (y + error)[given]}
        first = self._zero + points.first
        since = f"MJD {first:.2f}" if math.isfinite(first) else "the first"
        self.figure.xaxis.axis_label = f"phase (P = {period:.5g} d)" if folded else f"time [d] since {since}"
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
        detected, limits = ([*self._counts(limit)] for limit in (False, True))
        total = sum(count for count, _ in detected)
        told = f"{total} measurements: {', '.join(f'{count} in {band}' for count, band in detected) or 'none'}."
        if limits:
            told += f" Upper limits: {', '.join(f'{count} in {band}' for count, band in limits)}."
        if self._outside:
            verb = "lie" if self._outside > 1 else "lies"
            told += f" {self._outside} far from the others {verb} outside of the axis."
        if not math.isfinite(self._period.days):
            return f"{told} No period is known, so it is not folded."
        if self._period.is_measured:
            return (
                f"{told} The period is measured on {escape(self._period.source)}; it may be half or twice the true one."
            )
        return f"{told} The period is from {escape(self._period.source)}."

    def _counts(self, limits: bool) -> Iterator[tuple[int, str]]:
        """How many measurements, or upper limits, each band has, of those that have some."""
        counts = np.bincount(self._points.band.clip(0), minlength=len(self._bands))
        for band, count in zip(self._bands, counts.tolist(), strict=False):
            if count and band.endswith(LIMIT) == limits:
                yield count, escape(band.removesuffix(LIMIT))


def _ends(values: Array) -> tuple[float, float]:
    """Least and greatest value that are shown: all, but not a few that lie far from the others."""
    low, high = (float(end) for end in np.percentile(values, [0.5, 99.5]))
    reach = WILD * (high - low)
    near = values[(values >= low - reach) & (values <= high + reach)]
    return float(near.min()), float(near.max())
