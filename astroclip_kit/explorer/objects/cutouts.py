"""Cutouts as one looks at them: the right stretch, one band or all, with a scale bar and where north is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...types import Modality
from ..space import Space
from ..texts import plain
from .compass import Compass, north_told
from .plots import NOTE, plot
from .stamps import are_stamps, stamp

if TYPE_CHECKING:
    from bokeh.models import UIElement

__all__ = ["CutoutView", "cutout_rgba", "rgba"]

COLOUR = "all"  # what the selector calls the composite
SIDE = 200  # pixels of the frame: beside the choice of bands it fits a phone
NEGATED = "return String(Number((0 - tick).toPrecision(6))).replace('-', '\\u2212')"
MISSING = (38, 50, 84)  # colour of a pixel without a value, which no stretch gives
View = npt.NDArray[np.float32]


def rgba(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """An image of numbers from 0 to 1, [H, W] grey or [H, W, 3] in colour, as bytes [H, W, 4]; NaN is dark blue."""
    colours = np.broadcast_to(image[..., None], (*image.shape, 3)) if image.ndim == 2 else image
    bytes_ = np.full((*colours.shape[:2], 4), 255, dtype=np.uint8)
    bytes_[..., :3] = np.rint(255 * np.clip(np.nan_to_num(colours), 0, 1))
    bytes_[np.isnan(colours).any(axis=2), :3] = MISSING
    return bytes_


def cutout_rgba(view: View, modality: Modality, band: str = "") -> npt.NDArray[np.uint8]:
    """A cutout as colours [H, W, 4], the lowest row first as Bokeh draws it.

    Args:
        view: What `Space.view` gives of an image [C, H, W].
        modality: What it is.
        band: One band to show in grey; all of them in colour by default, or the first of those that make no colour.
    """
    from ...report.figures.views import colour_image

    bands = modality.image_bands
    flux = _observed(view, modality)
    if band or are_stamps(modality):
        return rgba(stamp(flux[bands.index(band) if band else 0], band or bands[0]))
    colours = colour_image(flux, bands)
    missing = np.asarray(~np.isfinite(flux).any(axis=0))
    return rgba(np.where(missing[..., None] if colours.ndim == 3 else missing, np.nan, colours))


def _observed(view: View, modality: Modality) -> View:
    """Bands [B, H, W], NaN where nothing was observed: a reader fills up small images, with inverse variances of 0."""
    bands = modality.image_bands
    flux, rest = view[: len(bands)], view[len(bands) :]
    return np.where(rest > 0, flux, np.nan) if rest.shape == flux.shape else flux


class CutoutView:
    """A cutout, and a choice of its bands where there are several.

    Args:
        space: What is explored.
        modality: The images.
    """

    def __init__(self, space: Space, modality: Modality) -> None:
        from bokeh.layouts import column, row
        from bokeh.models import ColumnDataSource, Div, Select

        self._modality, self._view = modality, np.empty(0, np.float32)
        scale = modality.pixel_scale_arcsec
        self._step = scale if math.isfinite(scale) else 1.0
        self._high, self._wide = (side * self._step for side in modality.shape[1:])
        self._source = ColumnDataSource({"image": []}, name=f"cutout-{modality.name}")
        self._unit = "arcsec" if math.isfinite(scale) else "pixels"
        self.figure = self._figure()
        if math.isfinite(scale):
            self._scale_bar()
        self._compass = Compass(self.figure, self._wide, self._high)
        self._told = Div(name=f"orientation-{modality.name}", styles=NOTE)
        self.point(math.nan)
        self._bands = Select(
            title="bands",
            options=[COLOUR, *modality.image_bands],
            value=COLOUR,
            width=80,
            name=f"bands-{modality.name}",
            visible=len(modality.image_bands) > 1,
        )
        self._bands.on_change("value", lambda attribute, old, new: self._draw())
        self.layout: UIElement = column(row(self.figure, self._bands), self._told)

    def show(self, row: int, view: View) -> None:
        """Draws the cutout [C, H, W] of an object."""
        self._view = view
        self._draw()

    def _draw(self) -> None:
        band = "" if self._bands.value == COLOUR else self._bands.value
        colours = cutout_rgba(self._view, self._modality, band)
        self._source.data = {"image": [colours.view(np.uint32)[..., 0]]}
        bands = self._modality.image_bands
        self.figure.title.text = plain(f"{self._modality.name}: {band or ', '.join(bands)}")

    def _figure(self) -> Any:
        wide, high = self._wide / 2, self._high / 2
        longest = max(wide, high)
        drawn = plot(
            f"cutout-figure-{self._modality.name}",
            "pan,wheel_zoom,reset",
            frame_width=round(SIDE * wide / longest),
            frame_height=round(SIDE * high / longest),
            x_range=(-wide, wide),
            y_range=(-high, high),
            background_fill_color="black",
        )
        drawn.grid.visible = False
        drawn.image_rgba("image", x=-wide, y=-high, dw=2 * wide, dh=2 * high, source=self._source)
        return drawn

    def _scale_bar(self) -> None:
        """A bar of a round length in the lower left corner, white with a dark edge."""
        from ...report.figures.views import round_down

        length = round_down(0.3 * self._wide)
        left, low = -0.44 * self._wide, -0.43 * self._high
        for width, colour in ((5, "black"), (2.5, "white")):
            self.figure.line([left, left + length], [low, low], line_width=width, line_color=colour)
        self._note(left, low + 0.02 * self._high, f"{length:g}″", "left")

    def point(self, north: float) -> None:
        """Says where north is on the cutout that is shown next; where it is up, the axes are those of the sky.

        Args:
            north: Degrees counter-clockwise from up, NaN where nobody knows.
        """
        from bokeh.models import BasicTickFormatter, CustomJSTickFormatter

        is_up = north == 0
        self._compass.point(north)
        self._told.update(text=north_told(north), visible=not is_up)
        across, along = ("east", "north") if is_up else ("x", "y")
        ticks = CustomJSTickFormatter(code=NEGATED) if is_up else BasicTickFormatter()  # east is on the left
        self.figure.xaxis.update(axis_label=f"offset {across} [{self._unit}]", formatter=ticks)
        self.figure.yaxis.update(axis_label=f"offset {along} [{self._unit}]")

    def _note(self, x: float, y: float, text: str, align: str) -> None:
        """White letters on a shadow, to be read on sky and on stars."""
        for away, colour in ((1, "black"), (0, "white")):
            style = {"text_color": colour, "text_font_size": "12px", "text_align": align, "x_offset": away}
            self.figure.text([x], [y], [text], y_offset=away, **style)
