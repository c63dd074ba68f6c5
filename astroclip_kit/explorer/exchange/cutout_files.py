"""The image of an object as a FITS file, with its place on the sky where that is known."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ...errors import InputError
from ...surveys.files.coordinates import in_range
from ..space import Space

__all__ = ["write_cutout"]


def write_cutout(space: Space, row: int, modality: str, path: Path) -> str:
    """Writes a cutout [bands, y, x], or [y, x] of one band.

    Args:
        space: Where the object is.
        row: Its row in the store.
        modality: Images.
        path: The file.

    Returns:
        Id of the object.

    Raises:
        InputError: If the object has no such image.
    """
    from astropy.io import fits

    object_id, view = space.ids_of([row])[0], space.view(row, modality)
    if view is None or space.dataset is None or space.dataset.modalities[modality].kind != "image":
        raise InputError(f"object {object_id!r} has no {modality} that could be sent. Look at one that has.")
    about = space.dataset.modalities[modality]
    image = view[: len(about.image_bands)]
    header = fits.Header(_place(space, row, modality))
    if object_id.isascii() and object_id.isprintable():
        header["OBJECT"] = object_id
    if about.unit:
        header["BUNIT"] = about.unit
    header["BANDS"] = (",".join(about.image_bands), "planes of the cube")
    fits.PrimaryHDU(image[0] if len(image) == 1 else image, header).writeto(path, overwrite=True)
    return object_id


def _place(space: Space, row: int, modality: str) -> dict[str, Any]:
    """World coordinates, of images of which it is known where north is, with east 90 degrees to the left of it."""
    north = math.radians(space.north(row, modality))
    if space.dataset is None or math.isnan(north):
        return {}
    about, known = space.dataset.modalities[modality], space.store.catalog.at([row], ["ra", "dec"])
    (_, high, wide), scale = about.shape, about.pixel_scale_arcsec / 3600
    ra, dec = float(known["ra"][0]), float(known["dec"][0])
    if not (in_range(ra, dec) and math.isfinite(scale)):
        return {}
    return {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRPIX1": (wide + 1) / 2,
        "CRPIX2": (high + 1) / 2,
        "CRVAL1": ra,
        "CRVAL2": dec,
        "CDELT1": -scale,
        "CDELT2": scale,
        "PC1_1": math.cos(north),
        "PC1_2": math.sin(north),
        "PC2_1": -math.sin(north),
        "PC2_2": math.cos(north),
        "CUNIT1": "deg",
        "CUNIT2": "deg",
        "RADESYS": "ICRS",
    }
