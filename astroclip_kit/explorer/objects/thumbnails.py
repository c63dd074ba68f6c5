"""Small pictures of objects, for lists of neighbours and contact sheets: drawn as arrays, a few hundred in a second.

`thumbnail` gives the bytes of an object of the space, `picture` of any view; ``..._url`` what an ``<img>`` takes.
"""

from __future__ import annotations

import base64
import io
import math

import numpy as np
import numpy.typing as npt

from ...types import Modality
from ..map.colours import rgb
from ..space import Space
from .cutouts import MISSING, cutout_rgba
from .measured import LIMIT, measured
from .periods import period_of

__all__ = ["picture", "picture_url", "thumbnail", "thumbnail_url"]

Picture = npt.NDArray[np.uint8]
Ink = npt.NDArray[np.int8]
View = npt.NDArray[np.float32]
FINE = 3  # points along the side of a pixel; their mean makes smooth lines
PAD = 0.06  # of the height that stays free above and below
DOT = 0.035  # of the side: the width of a point of a light curve
LEAST = 8  # pixels to each side that are always shown
FAINT = 0.4  # of the ink of a line that is drawn beneath
FEW = 30  # points, which are drawn twice as wide


def thumbnail(
    space: Space, row: int, name: str, size: int = 96, beneath: View | None = None, *, measure: bool = False
) -> Picture | None:
    """A picture of one modality of an object: the cutout, the line of the spectrum or the points of the light curve.

    Args:
        space: Where the object is.
        row: Its row in the store.
        name: The modality.
        size: Height and width in pixels.
        beneath: Another view of the modality, which is drawn faintly beneath where it is a spectrum.
        measure: Whether to look for the period of a light curve where none is known, for about 50 ms.

    Returns:
        Colours [size, size, 4], the top row first (turn it with ``[::-1]`` for Bokeh's ``image_rgba``); None where
        the object lacks the modality, or it is a table, which has no picture.
    """
    view = space.view(row, name)
    if view is None or space.dataset is None:
        return None
    modality = space.dataset.modalities[name]
    period = period_of(space, row, modality, view, measure=measure).days if modality.ragged else math.nan
    return picture(view, modality, size, period, beneath)


def picture(
    view: View, modality: Modality, size: int = 96, period: float = math.nan, beneath: View | None = None
) -> Picture | None:
    """A picture of a view, as `thumbnail` gives it; a light curve is folded where its period in days is known."""
    if modality.kind == "image":
        return _resized(_square(_without_frame(cutout_rgba(view, modality)[::-1])), size)
    if modality.kind == "spectrum":
        drawn = _painted(_line(view, modality, size * FINE))
        if beneath is None:
            return drawn
        below = 255 - FAINT * (
            255.0 - _painted(_line(beneath, modality, size * FINE))[..., :1]
        )  # red, which a line lacks
        free = (drawn == 255).all(axis=2)
        drawn[free, :3] = below[free].astype(np.uint8)
        return drawn
    return _painted(_points(view, modality, size * FINE, period)) if modality.kind == "lightcurve" else None


def thumbnail_url(
    space: Space, row: int, name: str, size: int = 96, beneath: View | None = None, *, measure: bool = False
) -> str:
    """A `thumbnail` as the address of a PNG that holds its data, for an ``<img>``; "" where there is none."""
    return picture_url(thumbnail(space, row, name, size, beneath, measure=measure))


def picture_url(picture: Picture | None) -> str:
    """A picture as the address of a PNG that holds its data; "" for none."""
    from PIL import Image

    if picture is None:
        return ""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="png", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _without_frame(colours: Picture) -> Picture:
    """The square around the middle that holds all that was observed: a small cutout is filled up around."""
    seen = np.argwhere((colours[..., :3] != MISSING).any(axis=2))
    if not len(seen):
        return colours
    middle = np.array(colours.shape[:2]) / 2
    half = int(np.ceil(max(np.abs(seen + 0.5 - middle).max(), LEAST)))
    ends = [(max(int(at) - half, 0), int(np.ceil(at)) + half) for at in middle]
    return colours[ends[0][0] : ends[0][1], ends[1][0] : ends[1][1]]


def _square(colours: Picture) -> Picture:
    """A picture with what is missing above and below, or at the sides, so that it is as wide as high."""
    side = max(colours.shape[:2])
    square = np.full((side, side, 4), [*MISSING, 255], dtype=np.uint8)
    top, left = ((side - one) // 2 for one in colours.shape[:2])
    square[top : top + colours.shape[0], left : left + colours.shape[1]] = colours
    return square


def _resized(picture: Picture, size: int) -> Picture:
    from PIL import Image

    way = Image.Resampling.NEAREST if len(picture) < size / 2 else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize((size, size), way))


def _painted(ink: Ink) -> Picture:
    """Fine points [F, F] with the number of a colour, -1 for none, on white in a pixel for FINE x FINE of them."""
    from ...report.figures.canvas import COLOURS

    side = len(ink) // FINE
    colours = np.full((side, side, 4), 255.0)
    for number in np.unique(ink[ink >= 0]):
        hit = (ink == number).astype(np.float64)
        share = sum(hit[down::FINE, right::FINE] for down in range(FINE) for right in range(FINE)) / FINE**2
        tint = np.subtract(rgb(COLOURS[number % len(COLOURS)]), 255)
        colours[..., :3] += np.multiply.outer(share, tint)
    return np.asarray(np.rint(colours), dtype=np.uint8)


def _rows(values: npt.NDArray[np.float64], low: float, high: float, side: int) -> npt.NDArray[np.float64]:
    """Row from the top of each value."""
    share = (values - low) / ((high - low) or 1.0)
    return (side - 1) * (1 - PAD - (1 - 2 * PAD) * np.clip(share, -PAD, 1 + PAD))


def _line(view: npt.NDArray[np.float32], modality: Modality, side: int) -> Ink:
    """The line through the binned spectrum [side, side]: 0 on it, -1 elsewhere."""
    from ...report.figures.views import binned_spectrum, observed

    wavelength, flux = binned_spectrum(modality.wavelength_angstrom, observed(view), side // FINE)
    known = np.isfinite(flux)
    if not known.any():
        return np.full((side, side), -1, np.int8)
    low, high = np.percentile(flux[known], [0.5, 99.7])
    at = np.interp(np.linspace(wavelength[0], wavelength[-1], side), wavelength, _rows(flux, low, high, side))
    beside = np.append(at[1:], at[-1])
    top, bottom = np.fmin(at, beside), np.fmax(at, beside)
    rows = np.arange(side)[:, None]
    return np.where(
        (rows >= top - FINE / 2) & (rows <= bottom + FINE / 2), np.int8(0), np.int8(-1)
    )  # NaN is on no line


def _points(view: npt.NDArray[np.float32], modality: Modality, side: int, period: float) -> Ink:
    """The measurements as points [side, side] with the number of their band, -1 elsewhere; limits are left out."""
    ink, points = np.full((side, side), -1, np.int8), measured(view)
    seen = np.array([not band.endswith(LIMIT) for band in modality.bands] or [True])
    kept = seen[np.clip(points.band, 0, len(seen) - 1)]
    if not kept.any():
        return ink
    along = points.phase(period) if math.isfinite(period) else points.time / (points.time.max() or 1.0)
    value = -points.value if modality.unit.startswith("mag") else points.value
    low, high = np.percentile(value[kept], [1, 99])
    half = max(1, round((DOT if kept.sum() > FEW else 2 * DOT) * side / 2))
    x = np.rint(half + along[kept] * (side - 1 - 2 * half)).astype(int)
    y = np.rint(_rows(value[kept], low, high, side)).astype(int)
    for down in range(-half, half + 1):
        for right in range(-half, half + 1):
            ink[np.clip(y + down, 0, side - 1), np.clip(x + right, 0, side - 1)] = (
                points.band[kept] % 100
            )  # colours repeat
    return ink
