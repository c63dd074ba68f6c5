"""Counts of objects in pixels become a picture on white, in which a single object is seen beside a thousand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from bokeh.palettes import Viridis256

from .colours import MISSING, Colouring, rgb

__all__ = ["Picture", "faint", "grey", "over", "shade"]

COUNTS = ["#8fbbdc", "#4f93c8", "#1f6cae", "#08468c", "#041f4a"]  # few to many, the first still seen on white
HIDDEN = "#e9e9e9"  # of objects that a filter leaves out
FAINT = 0.28  # of what is not selected, while something is
SCALE = "eq_hist"  # by rank of the count
LEAST = 150  # of 255: opacity of a pixel with one object, where its colour tells a class or a number
PALE = "#000000"  # of which only the opacity is taken, by rank of the count
ALONE = 4  # drawn pixels among 5 x 5 up to which the one in the middle grows
Picture = npt.NDArray[np.uint32]
Counts = npt.NDArray[np.float64]


def shade(counts: Counts, colouring: Colouring) -> Picture:
    """The picture of counts [K, height, width] as `density` counts them; uint32 [height, width]."""
    import datashader.transfer_functions as tf

    if colouring.kind == "number":
        objects, known, total = counts
        mean = np.divide(total, known, out=np.full_like(total, np.nan), where=known > 0)
        image = tf.shade(_pixels(mean), cmap=list(Viridis256), how="linear", span=colouring.span)
        crowd = tf.shade(_pixels(np.where(known > 0, objects, np.nan)), cmap=PALE, how=SCALE, min_alpha=LEAST)
        lacking = (objects > 0) & (known == 0)
    elif colouring.kind == "class":
        image = _classes(counts[:-1], colouring)
        lacking = (counts[-1] > 0) & ~counts[:-1].any(axis=0)
    else:
        image, lacking = tf.shade(_pixels(np.where(counts[0] > 0, counts[0], np.nan)), cmap=COUNTS, how=SCALE), None
    picture: Picture = np.array(image.values, dtype=np.uint32)
    if colouring.kind == "number":
        picture = (picture & np.uint32(0xFFFFFF)) | (np.asarray(crowd.values) & np.uint32(0xFF000000))
    if lacking is not None:
        picture[lacking] = _packed(MISSING)
    return _grown(picture)


def _grown(picture: Picture) -> Picture:
    """The picture with pixels that stand alone three wide, so that they are seen."""
    from scipy.ndimage import uniform_filter

    drawn = picture >> 24 > 0
    crowd = uniform_filter(drawn.astype(np.float32), 5, mode="constant") * 25
    row, column = np.nonzero(drawn & (crowd < ALONE + 0.5))
    grown = np.pad(picture, 1)
    for down in range(3):
        for right in range(3):
            here = row + down, column + right
            grown[here] = np.where(grown[here] >> 24 > 0, grown[here], picture[row, column])
    return grown[1:-1, 1:-1]


def _classes(counts: Counts, colouring: Colouring) -> Any:
    import datashader.transfer_functions as tf
    import xarray as xr

    names = [str(number) for number in range(len(counts))]
    pixels = xr.DataArray(np.moveaxis(counts, 0, -1).astype(np.uint32), dims=("y", "x", "v"), coords={"v": names})
    return tf.shade(pixels, color_key=dict(zip(names, colouring.palette, strict=False)), how=SCALE, min_alpha=LEAST)


def _pixels(values: npt.NDArray[Any]) -> Any:
    import xarray as xr

    return xr.DataArray(values, dims=("y", "x"))


def _packed(colour: str) -> int:
    red, green, blue = rgb(colour)
    return red | green << 8 | blue << 16 | 255 << 24


def grey(counts: Counts) -> Picture:
    """Where there is an object at all, in the grey of what a filter leaves out."""
    return _grown(np.where(counts[0] > 0, np.uint32(_packed(HIDDEN)), np.uint32(0)))


def faint(picture: Picture) -> Picture:
    """The picture, paler."""
    opacity = ((picture >> 24) * FAINT).astype(np.uint32)
    paler: Picture = (picture & np.uint32(0xFFFFFF)) | opacity << np.uint32(24)
    return paler


def over(layers: Sequence[Picture]) -> Picture:
    """Pictures one over the other, the first below."""
    below = layers[0]
    for above in layers[1:]:
        low, high = (_channels(one) for one in (below, above))
        rest = low[..., 3:] * (1 - high[..., 3:])
        opacity = high[..., 3:] + rest
        colour = (high[..., :3] * high[..., 3:] + low[..., :3] * rest) / np.maximum(opacity, 1e-6)
        mixed = np.concatenate([colour, opacity], axis=-1) * 255
        below = mixed.round().astype(np.uint8).view("<u4")[..., 0]
    return below


def _channels(picture: Picture) -> npt.NDArray[np.float32]:
    channels = np.ascontiguousarray(picture, "<u4").view(np.uint8).reshape(*picture.shape, 4)
    return channels.astype(np.float32) / np.float32(255)
