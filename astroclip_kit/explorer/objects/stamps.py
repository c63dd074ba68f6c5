"""Stamps of one place that are no colours: what was seen now, what was there before, and the difference of the two."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...types import Modality
from ..space import Space
from ..texts import plain
from .compass import north_told
from .plots import NOTE, plot

if TYPE_CHECKING:
    from bokeh.models import UIElement

__all__ = ["StampsView", "are_stamps", "is_difference", "stamp"]

DIFFERENCES = ("difference", "diff", "subtraction", "sub")
SEEN = ("science", "sci", "new", "template", "tmpl", "reference", "ref", *DIFFERENCES)
SIDE = 104  # pixels: three lie beside each other, on a phone too
RANGE = 99.5  # percentile of what differs from nothing that is black or white
NOISE = 6.0  # times the scatter that is spanned at least
Image = npt.NDArray[np.float32]


def are_stamps(modality: Modality) -> bool:
    """Whether the bands of images are a template, a difference and the like, of which no colour can be made."""
    return any(band.lower() in SEEN for band in modality.image_bands)


def is_difference(band: str) -> bool:
    """Whether a band may be negative, as a difference of images is."""
    return band.lower() in DIFFERENCES


def stamp(image: npt.NDArray[Any], band: str) -> Image:
    """A band from 0 to 1 [H, W], NaN where it is missing: of a difference, nothing is grey and what faded is black."""
    from ...report.figures.views import stretched

    if not is_difference(band):
        return np.asarray(np.where(np.isfinite(image), stretched(image), np.nan), dtype=np.float32)
    known = image[np.isfinite(image)]
    if not known.size:
        return np.full(image.shape, np.nan, dtype=np.float32)
    away = np.abs(known - np.median(known))
    span = max(float(np.percentile(away, RANGE)), NOISE * float(np.median(away)), 1e-30)
    scaled = np.arcsinh(3 * np.clip((image - np.median(known)) / span, -1, 1)) / np.arcsinh(3)
    return np.asarray(0.5 + 0.5 * scaled, dtype=np.float32)


class StampsView:
    """Stamps beside each other, that are moved and zoomed together.

    Args:
        space: What is explored.
        modality: The images.
    """

    def __init__(self, space: Space, modality: Modality) -> None:
        from bokeh.models import Column, ColumnDataSource, Div, Range1d, Row

        self._modality = modality
        scale, (high, wide) = modality.pixel_scale_arcsec, modality.shape[1:]
        unit, step = ("″", scale) if math.isfinite(scale) else (" pixels", 1.0)
        x, y = wide * step / 2, high * step / 2
        ends = {"x_range": Range1d(-x, x), "y_range": Range1d(-y, y)}
        self._sources = [
            ColumnDataSource({"image": []}, name=f"cutout-{modality.name}-{band}") for band in modality.image_bands
        ]
        self.figures: list[Any] = []
        for band, source in zip(modality.image_bands, self._sources, strict=True):
            name = f"cutout-figure-{modality.name}{f'-{band}' if self.figures else ''}"
            figure = plot(name, "pan,wheel_zoom,reset", frame_width=SIDE, frame_height=round(SIDE * y / x), **ends)
            figure.image_rgba("image", x=-x, y=-y, dw=2 * x, dh=2 * y, source=source)
            figure.title.text = plain(band)
            figure.update(toolbar_location=None, min_border=2)
            figure.axis.visible = figure.grid.visible = False
            self.figures.append(figure)
        self._width = f"Each is {2 * x:.3g}{unit} wide."
        self._told = Div(name=f"orientation-{modality.name}", styles=NOTE)
        self.point(math.nan)
        beside = Row(*self.figures, styles={"flex-wrap": "wrap"})  # not stretched, which would distort them
        self.layout: UIElement = Column(beside, self._told, sizing_mode="stretch_width")

    @property
    def _has_difference(self) -> bool:
        return any(map(is_difference, self._modality.image_bands))

    def point(self, north: float) -> None:
        """Says where north is on the stamps that are shown next.

        Args:
            north: Degrees counter-clockwise from up, NaN where nobody knows.
        """
        grey = " In a difference, white is brighter and black fainter than before." if self._has_difference else ""
        self._told.text = f"{self._width} {north_told(north)}{grey} Without a value: blue."

    def show(self, row: int, view: Image) -> None:
        """Draws the stamps [C, H, W] of an object."""
        from .cutouts import cutout_rgba

        for source, band in zip(self._sources, self._modality.image_bands, strict=True):
            colours = cutout_rgba(view, self._modality, band)
            source.data = {"image": [colours.view(np.uint32)[..., 0]]}
