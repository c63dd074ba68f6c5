"""The cutout service of the Legacy Surveys viewer: one FITS cube per position.

``fits-cutout`` answers with a float32 cube [band, y, x] in nanomaggies, and with ``invvar`` a second one of inverse
variances. Outside of the survey all pixels are 0; what it does not understand (a layer, a band) it replaces or
answers in words with status 200, so every answer is compared with what was asked
(https://www.legacysurvey.org/viewer/urls; its source is github.com/legacysurvey/imagine).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import numpy as np

from ...download import Client, Job, NotThere, Task, file_task
from ...errors import FileError, UsageError
from ...settings import Cutouts
from ..files.fits_files import BLOCK, CARD, Hdu, damaged_header, read_hdus
from ..files.fits_headers import header_block
from .service import asked_of, check_end
from .targets import Target, safe_name, separation_arcsec

__all__ = ["LegacySurveyService"]

LAYERS = {f"legacy-dr{release}": f"ls-dr{release}" for release in (10, 9, 8)}
LARGEST = 3000  # pixels; the service cuts what is larger without a word
LONGEST_ID = 60  # characters that fit into a header card


class LegacySurveyService:
    """Fetches cutouts of the Legacy Surveys.

    Args:
        layer: "legacy-dr10", "legacy-dr9" or "legacy-dr8".
        cutouts: Size, bands, pixel scale.
        url: Address of the viewer.

    Raises:
        UsageError: If the service has no such cutouts.

    Example:
        >>> LegacySurveyService("legacy-dr10").request["layer"]
        'ls-dr10'
    """

    name: ClassVar[str] = "image"
    folder: ClassVar[str] = "cutouts"
    needs: ClassVar[str] = "a position on the sky"
    radius_arcsec = 0.0

    def __init__(
        self, layer: str, cutouts: Cutouts = Cutouts(), url: str = "https://www.legacysurvey.org/viewer"
    ) -> None:
        self.layer = layer
        self.cutouts = cutouts
        self.url = url.rstrip("/")
        self._bands = cutouts.bands.replace(",", "").replace(" ", "")
        if layer not in LAYERS:
            raise UsageError(f"images: {layer!r} cannot be fetched; there is: {', '.join(LAYERS)}.")
        if not 1 <= cutouts.size <= LARGEST:
            raise UsageError(f"cutouts.size is {cutouts.size}, expected 1 to {LARGEST} pixels.")
        if not cutouts.pixel_scale_arcsec > 0:
            raise UsageError(f"cutouts.pixel_scale_arcsec is {cutouts.pixel_scale_arcsec}, expected more than 0.")
        if len(self._bands) < 2 or len(set(self._bands)) < len(self._bands):
            raise UsageError(f"cutouts.bands is {cutouts.bands!r}, expected two or more different bands, e.g. 'griz'.")

    @property
    def request(self) -> dict[str, Any]:
        """The service's arguments but for the position."""
        asked = self.cutouts
        scale = f"{asked.pixel_scale_arcsec:g}"
        request = {"layer": LAYERS[self.layer], "pixscale": scale, "size": asked.size, "bands": self._bands}
        return {**request, "invvar": ""} if asked.ivar else request

    def can_ask(self, target: Target) -> bool:
        """Cutouts are known by position."""
        return target.is_placed

    def tasks(self, targets: Iterable[Target], client: Client, root: Path) -> Iterator[Task]:
        """One cutout each."""
        for target in targets:
            place = {"ra": f"{target.ra:.7f}", "dec": f"{target.dec:.7f}"}
            url = f"{self.url}/fits-cutout?{urlencode({**place, **self.request})}"
            path = root / self.folder / f"{safe_name(target.object_id)}.fits"
            job = Job(path, (url,), partial(self.check, target=target))
            yield file_task(client, job, root, asked_of(self, target))

    def check(self, path: Path, target: Target) -> None:
        """Compares a cutout with what was asked, and writes the target's id into it where its name does not say it.

        Raises:
            FileError: If it is no whole cutout, or another one.
            NotThere: If it is blank in all bands.
        """
        hdus = read_hdus(path, (0, 1) if self.cutouts.ivar else (0,))
        check_end(path)
        shape = (len(self._bands), self.cutouts.size, self.cutouts.size)
        for hdu in hdus:
            if (found := hdu.image().shape) != shape:
                raise FileError(path, f"HDU {hdu.number} has shape {found}, expected {shape}.")
        _compare(hdus[0], target, self._bands, self.cutouts.pixel_scale_arcsec)
        if not np.nan_to_num(hdus[0].image()).any():
            raise NotThere("the cutout is blank in all bands: outside of the survey.")
        if safe_name(target.object_id) != target.object_id and "OBJID" not in hdus[0].header:
            _write_id(path, target.object_id)


def _compare(hdu: Hdu, target: Target, bands: str, scale: float) -> None:
    with damaged_header(hdu.path):
        found = "".join(str(hdu.header[f"BAND{plane}"]) for plane in range(len(bands)))
        place = float(hdu.header["CRVAL1"]), float(hdu.header["CRVAL2"])
        pixel = 3600 * abs(float(hdu.header["CD2_2"]))
    distance = separation_arcsec(*place, target.ra, target.dec).item()
    if found != bands:
        raise FileError(hdu.path, f"has the bands {found!r}, expected {bands!r}.")
    if abs(pixel / scale - 1) > 1e-3:
        raise FileError(hdu.path, f"has {pixel:.4f} arcsec per pixel, expected {scale:.4f}.")
    if not distance < scale / 2:
        raise FileError(hdu.path, f"is of ra {place[0]}, dec {place[1]}, {distance:.1f} arcsec from what was asked.")


def _write_id(path: Path, object_id: str) -> None:
    """Puts OBJID before the END of the first header; an id that no header can hold is left to the position."""
    if not (object_id.isascii() and object_id.isprintable() and len(object_id) <= LONGEST_ID):
        return
    content = path.read_bytes()
    end = next(start for start in range(0, len(content), CARD) if content[start : start + CARD].rstrip() == b"END")
    header = content[:end] + header_block([("OBJID", object_id, "")])[:CARD] + b"END".ljust(CARD)
    rest = content[end - end % BLOCK + BLOCK :]
    path.write_bytes(header + b" " * (-len(header) % BLOCK) + rest)
