"""FITS images as surveys distribute them: plain, gzip, bzip2 or tile-compressed, with their place on the sky.

Only the header is read to know where an image lies; the pixels of a plain file are mapped, not loaded.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_area

from ...errors import FileError

__all__ = ["Tile", "first_image", "open_fits"]

KEYWORDS = "NAXIS1 NAXIS2 FILTER BAND BUNIT NMGY MAGZERO MAGZP UNW_VER RUN CAMCOL".split()


@contextmanager
def open_fits(path: str | Path) -> Iterator[Any]:
    """Opens a FITS file with astropy; whatever goes wrong with it is one clear error.

    Yields:
        The `astropy.io.fits.HDUList`.

    Raises:
        FileError: If the file is missing, empty, truncated, damaged or no FITS file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileError(path, "no such file.")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=AstropyUserWarning)  # of old or odd headers
            warnings.filterwarnings("error", message=".*may have been truncated.*")
            with fits.open(path) as hdus:
                yield hdus
    except FileError:
        raise
    except Exception as error:  # astropy and the packers raise a dozen kinds
        reason = str(error).splitlines()[0][:120] if str(error) else ""
        raise FileError(
            path, f"cannot be read as a FITS image, truncated or damaged ({type(error).__name__}: {reason})."
        ) from error


def first_image(hdus: Any, number: int | None = None) -> Any:
    """The HDU with this number, or the first that holds an image of two axes or more.

    Raises:
        FileError: If there is none.
    """
    path = hdus.filename()
    if number is not None and number >= len(hdus):
        raise FileError(path, f"has {len(hdus)} HDUs, HDU {number} was expected.")
    chosen = hdus if number is None else [hdus[number]]
    for hdu in chosen:
        if hdu.is_image and hdu.header["NAXIS"] >= 2:
            return hdu
    raise FileError(path, "no HDU holds an image." if number is None else f"HDU {number} holds no image.")


@dataclass(frozen=True)
class Tile:
    """One image of one band: where it lies, and what of its header is needed. Small: a survey has many.

    Args:
        path: The file.
        hdu: Number of the image's HDU.
        header: Size, band, unit and camera, as its header states them.
        wcs: Its celestial `astropy.wcs.WCS`.
    """

    path: Path
    hdu: int
    header: Mapping[str, Any]
    wcs: Any

    @classmethod
    def of(cls, path: Path, hdu: int | None = None) -> Tile:
        """Reads the header alone.

        Raises:
            FileError: If the file is no FITS image, or does not say where on the sky it lies.
        """
        with open_fits(path) as hdus:
            image = first_image(hdus, hdu)
            header, number = image.header, hdus.index_of(image)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # old keywords, which astropy mends and reports
                wcs = WCS(header, naxis=2)
            axis, system = wcs.wcs.lngtyp, str(wcs.wcs.radesys)
            if axis != "RA" or system not in ("", "ICRS", "FK5"):
                found = f"axis {axis!r}, system {system!r}"
                raise FileError(
                    path, f"no WCS in right ascension and declination (J2000) in the header; found {found}."
                )
            return cls(path, number, {name: header[name] for name in KEYWORDS if name in header}, wcs)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return int(self.header["NAXIS2"]), int(self.header["NAXIS1"])

    @cached_property
    def pixel_scale_arcsec(self) -> float:
        """Square root of the pixel's area at the reference point."""
        return float(3600 * np.sqrt(proj_plane_pixel_area(self.wcs)))

    def pixels(self) -> npt.NDArray[Any]:
        """The image [rows, columns], as stored; the pixels of a plain file are read when they are used.

        Raises:
            FileError: If the data is truncated or damaged, or has more than two axes.
        """
        with open_fits(self.path) as hdus:
            data = np.asarray(first_image(hdus, self.hdu).data)
            if data.shape != self.shape:
                raise FileError(self.path, f"HDU {self.hdu} has shape {data.shape}, expected {self.shape}.")
            return data
