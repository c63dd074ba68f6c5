"""Images of a few stars, for the tests of FITSImages."""

import numpy as np
from astropy.io import fits
from layout_images import (
    render,
    wcs_of,
)

from astroclip_kit.types import Drop, Sample

STAR = {"1": (150.0003, 1.9998)}


def items_of(reader):
    return [item for path in reader.files() for item in reader.read(path)]


def views_of(reader):
    return {item.object_id: item.views["image"] for item in items_of(reader) if isinstance(item, Sample)}


def drops_of(reader):
    return [item for item in items_of(reader) if isinstance(item, Drop)]


def write_image(path, scale=0.4, shape=(120, 120), stars=STAR, header=(), **place):
    wcs = wcs_of(shape, scale, **place)
    keywords = wcs.to_header()
    keywords.update({"BUNIT": "nanomaggy", **dict(header)})
    fits.writeto(path, render(shape, wcs, 3.0, stars), keywords)
    return path


def write_three(folder):
    """The same sky in three bands of other scales, rotations and parities."""
    write_image(folder / "g.fits", 0.4, (200, 200))
    write_image(folder / "r.fits", 0.3, (280, 280), rotation_deg=30)
    write_image(folder / "i.fits", 1.1, (90, 90), rotation_deg=200, mirrored=True)
    return {band: f"{folder}/{band}.fits" for band in "gri"}


def middle_of_light(plane):
    y, x = np.mgrid[: plane.shape[0], : plane.shape[1]]
    return np.array([(x * plane).sum(), (y * plane).sum()]) / plane.sum()
