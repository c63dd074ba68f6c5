"""Spectra as one looks at them: flux with its error, observed or at rest, with the lines that one looks for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...transforms.spectral_lines import ABSORPTION, EMISSION, SKY
from ...types import Modality
from ..space import Space
from ..texts import plain
from .heights import heights, power_of_ten, without_rays
from .plots import NOTE, axis_title, plot
from .redshifts import LIGHT_KM_S, redshift_of

if TYPE_CHECKING:
    from bokeh.models import UIElement

__all__ = ["SpectrumView", "drawn_spectrum"]

PIXELS = 1200  # that are sent to the page; of what is zoomed into all
LETTERS = 13  # pixels that an upright name takes of the axis
WIDTH = 480  # pixels of the axis, about
ROWS, STEP = 2, 0.21  # of names, above each other, and their distance as a share of the height
FAINT = ("[N II]", "He I", "[O I]", "[S III]", "[Ne V]", "He II", "Si IV", "N V", "[Ne III]")
FRAMES = ("observed", "at rest")
KINDS = ("emission lines", "absorption lines")
NIGHT = "night sky"
GREY = "In grey its error, 1 σ."  # noqa: RUF001
STAR = 0.003  # redshift of the fastest star, about: there are no forbidden lines in one
SLOW = 0.01  # redshift below which a velocity is told, too
PAD = 0.01  # of the axis that stays free at its ends
Array = npt.NDArray[np.float64]
View = npt.NDArray[np.float32]


def drawn_spectrum(
    view: View, modality: Modality, low: float = -math.inf, high: float = math.inf
) -> tuple[Array, Array, Array]:
    """What is drawn of a part of a spectrum: means over neighbouring pixels where there are too many.

    Args:
        view: Flux, inverse variance and covariates [C, L].
        modality: What it is.
        low: Observed wavelength in Angstrom where the part begins.
        high: Where it ends.

    Returns:
        Observed wavelengths, fluxes and their standard deviations [P]; NaN where nothing was observed.
    """
    from ...report.figures.views import binned_spectrum, observed

    wavelength = modality.wavelength_angstrom
    start, stop = np.searchsorted(wavelength, [low, high])
    part = slice(max(int(start) - 1, 0), int(stop) + 1)
    flux, wavelength = observed(view)[part], wavelength[part]
    if not len(wavelength):
        return wavelength, flux, flux
    ivar = view[1, part].astype(np.float64) if "ivar" in modality.channels else np.zeros(len(flux))
    with np.errstate(divide="ignore"):
        variance = np.where(np.isfinite(flux) & (ivar > 0), 1 / ivar, np.nan)
    count = -(-len(wavelength) // PIXELS) * binned_spectrum(wavelength, np.isfinite(flux).astype(float), PIXELS)[1]
    short, means = binned_spectrum(wavelength, np.stack([flux, variance]), PIXELS)
    with np.errstate(divide="ignore", invalid="ignore"):
        return short, means[0], np.sqrt(means[1] / count)


def band_around(x: Array, middle: Array, half: Array) -> tuple[Array, Array]:
    """Outline of a band around a line as one list of corners, with NaN between its pieces."""
    known = np.isfinite(middle) & np.isfinite(half)
    pieces = np.split(np.arange(len(x)), np.flatnonzero(np.diff(known)) + 1)
    corners: list[Array] = []
    for piece in (piece for piece in pieces if len(piece) and known[piece[0]]):
        there, back = x[piece], x[piece][::-1]
        upper, lower = (middle + half)[piece], (middle - half)[piece][::-1]
        corners += [np.stack([np.append(there, back), np.append(upper, lower)]), np.full((2, 1), np.nan)]
    return tuple(np.concatenate(corners[:-1], axis=1)) if corners else (np.empty(0), np.empty(0))


def placed(kinds: Sequence[Iterable[tuple[str, float]]], low: float, high: float) -> list[dict[str, list[Any]]]:
    """The lines of each kind within a window, and the height from 0 to 1 at which there is room for a name.

    Names of strong lines come first; one that finds no room is left out until the window is narrower.
    """
    found: list[dict[str, list[Any]]] = [{"x": [], "name": [], "y": []} for _ in kinds]
    taken: list[list[float]] = [[] for _ in range(ROWS)]
    room = (high - low) * LETTERS / WIDTH
    lines = [
        (name in FAINT, x, name, kind) for kind, given in enumerate(kinds) for name, x in given if low <= x <= high
    ]
    for _, x, name, kind in sorted(lines):
        row = next((row for row, there in enumerate(taken) if all(abs(x - one) >= room for one in there)), -1)
        if row >= 0:
            taken[row].append(x)
        for key, value in (("x", x), ("name", name if row >= 0 else ""), ("y", 0.99 - STEP * max(row, 0))):
            found[kind][key].append(value)
    return found


class SpectrumView:
    """A spectrum with switches for the rest frame and for lines.

    Args:
        space: What is explored.
        modality: The spectra.
    """

    def __init__(self, space: Space, modality: Modality) -> None:
        from bokeh.layouts import column, row
        from bokeh.models import CheckboxButtonGroup, Div, RadioButtonGroup, Toggle

        self._space, self._modality = space, modality
        self._view, self._redshift, self._said = np.empty((1, 0), np.float32), math.nan, ""
        self._calm = self._view  # without cosmic rays, which do not say how high the axis is
        self._ends, self._power = (0.0, 1.0), 0  # wavelengths on the axis; of ten, that fluxes are divided by
        self._frame = RadioButtonGroup(labels=list(FRAMES), active=0, name=f"frame-{modality.name}")
        self._kinds = CheckboxButtonGroup(
            labels=[kind.split()[0] for kind in KINDS], active=[0, 1], name=f"lines-{modality.name}"
        )
        self._sky = Toggle(label="sky", name=f"sky-{modality.name}")
        self._note = Div(name=f"note-{modality.name}", styles=NOTE)
        self._figure()
        self._frame.on_change("active", lambda attribute, old, new: self._whole())
        for switch in (self._kinds, self._sky):
            switch.on_change("active", lambda attribute, old, new: self._lines())
        switches = row(self._frame, self._kinds, self._sky, sizing_mode="stretch_width", styles={"flex-wrap": "wrap"})
        self.layout: UIElement = column(self.figure, switches, self._note, sizing_mode="stretch_width")

    def _figure(self) -> None:
        from bokeh.events import RangesUpdate
        from bokeh.models import ColumnDataSource, Range1d

        from ...report.figures.canvas import COLOURS

        name = self._modality.name
        self.figure = plot(
            f"spectrum-figure-{name}",
            "xbox_zoom,xpan,xwheel_zoom,reset",
            height=250,
            sizing_mode="stretch_width",
            title=name,
            x_range=Range1d(0, 1),
            y_range=Range1d(0, 1),
            y_axis_label=axis_title("flux", self._modality.unit),
        )
        self.figure.extra_y_ranges = {"height": Range1d(0, 1)}
        self._line = ColumnDataSource({"x": [], "flux": []}, name=f"spectrum-{name}")
        self._band = ColumnDataSource({"x": [], "y": []}, name=f"error-{name}")
        self._marks = [
            ColumnDataSource({"x": [], "name": [], "y": []}, name=f"{kind}-{name}") for kind in (*KINDS, NIGHT)
        ]
        self.figure.patch("x", "y", source=self._band, fill_color="#888888", fill_alpha=0.6, line_color=None)
        self.figure.line("x", "flux", source=self._line, line_color=COLOURS[0], line_width=1)
        looks = zip(self._marks, (COLOURS[1], COLOURS[2], "#555555"), ("solid", "dashed", "dotted"), strict=True)
        for source, colour, dash in looks:
            self.figure.vspan("x", source=source, line_color=colour, line_dash=dash, line_alpha=0.4)
            style: dict[str, Any] = {
                "text_color": colour,
                "text_font_size": "11px",
                "text_align": "right",
                "text_baseline": "bottom",
            }
            style |= {"background_fill_color": "white", "background_fill_alpha": 0.7, "y_range_name": "height"}
            self.figure.text("x", "y", "name", source=source, angle=math.pi / 2, **style)
        self.figure.on_event(RangesUpdate, lambda event: self._zoomed(event.x0, event.x1))

    def show(self, row: int, view: View) -> None:
        """Draws the spectrum [C, L] of an object."""
        self.draw(view, *redshift_of(self._space, row))

    def draw(self, view: View, redshift: float, source: str) -> None:
        """Draws any spectrum.

        Args:
            view: Flux, inverse variance and covariates [C, L].
            redshift: NaN where none is known.
            source: Column or file that says so.
        """
        self._view, self._redshift, self._said = view, redshift, source
        self._calm = np.concatenate([without_rays(view[0])[None], view[1:]])
        known = math.isfinite(redshift)
        self._frame.visible = self._kinds.visible = known
        if not known:
            self._frame.active = 0
        self._power = power_of_ten(view[0].astype(np.float64))
        self.figure.yaxis.axis_label = plain(axis_title("flux", self._modality.unit, self._power))
        self._whole()

    @property
    def _stretch(self) -> float:
        """Wavelength on the axis over wavelength observed."""
        return 1 / (1 + self._redshift) if self._frame.active == 1 and math.isfinite(self._redshift) else 1.0

    def _whole(self) -> None:
        """Shows all of the spectrum that was observed."""
        from ...report.figures.views import observed

        wavelength, seen = self._modality.wavelength_angstrom, np.isfinite(observed(self._view))
        wavelength = wavelength[seen] if seen.any() else wavelength
        pad = PAD * float(wavelength[-1] - wavelength[0])
        low, high = (float(wavelength[0]) - pad) * self._stretch, (float(wavelength[-1]) + pad) * self._stretch
        frame = FRAMES[self._frame.active or 0]
        self.figure.xaxis.axis_label = f"wavelength {frame} [Å]"
        self.figure.x_range.update(start=low, end=high, reset_start=low, reset_end=high)
        self._window(low, high)

    def _zoomed(self, low: float, high: float) -> None:
        """Draws what the reader sees now; that the page set its own ranges is no news."""
        if (low, high) != self._ends:
            self._window(low, high)

    def _window(self, low: float, high: float) -> None:
        """Draws what lies between two wavelengths on the axis."""
        self._ends = low, high
        wavelength, flux, error = drawn_spectrum(self._view, self._modality, low / self._stretch, high / self._stretch)
        x, flux, error = wavelength * self._stretch, flux / 10.0**self._power, error / 10.0**self._power
        self._line.data = {"x": x, "flux": flux}
        outline = band_around(x, flux, error)
        self._band.data = {"x": outline[0], "y": outline[1]}
        calm = drawn_spectrum(self._calm, self._modality, low / self._stretch, high / self._stretch)[1]
        bottom, top = heights(flux, error, calm / 10.0**self._power)
        pad = (top - bottom) or abs(top) or 1.0
        start, end = bottom - 0.1 * pad, top + 0.3 * pad
        self.figure.y_range.update(start=start, end=end, reset_start=start, reset_end=end)
        self._lines()

    def _lines(self) -> None:
        """Marks the lines that are switched on."""
        low, high = self._ends
        shift = (1 + self._redshift) * self._stretch
        known = [one for one in self._kinds.active if math.isfinite(shift)]
        is_star = abs(self._redshift) < STAR
        emission = [(name, at) for name, at in EMISSION if not (is_star and "]" in name)]
        shifted = [
            [(name, at * shift) for name, at in lines] if kind in known else []
            for kind, lines in enumerate((emission, ABSORPTION))
        ]
        sky = [(name, at * self._stretch) for name, at in SKY] if self._sky.active else []
        for source, marks in zip(self._marks, placed([*shifted, sky], low, high), strict=True):
            source.data = marks
        told = [_note(self._redshift, self._said), GREY if len(self._band.data["x"]) else "", self._covariates()]
        self._note.text = " ".join(filter(None, told))

    def _covariates(self) -> str:
        """What else is known of this spectrum, such as its phase."""
        from html import escape

        names = self._modality.covariates
        if not names or not self._view.shape[1]:
            return ""
        values = self._view[-len(names) :, 0]
        told = [f"{escape(name)} {value:.4g}" for name, value in zip(names, values, strict=True) if np.isfinite(value)]
        return f"{', '.join(told)}." if told else ""


def _note(redshift: float, source: str) -> str:
    from html import escape

    if not math.isfinite(redshift):
        return "No redshift of this object is known, so no lines of it are marked."
    speed = f", {redshift * LIGHT_KM_S:.0f} km/s" if abs(redshift) < SLOW else ""
    return f"z = {redshift:.5g} ({escape(source)}{speed}); lines at vacuum wavelengths, of SDSS's table and NIST."
