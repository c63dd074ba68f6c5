"""Single DESI spectra, from SPARCL: public DESI files hold thousands of targets each."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...download import Client, NotThere, Outcome, RequestFailed, Task, hash_file
from ...errors import FileError, UsageError
from ...storage import writing
from ...types import Sample
from ..desi import DESISpectra
from ..desi_files.coaddition import Arm
from ..desi_files.desi_writer import write_desi_coadd
from .service import asked_of, without
from .sparcl import Record, Sparcl
from .targets import Target, separation_arcsec

__all__ = ["DESIService"]

BATCH = 10  # spectra in one answer: about 3 MB of text
IDS = 200  # ids in one question
ARRAYS = ("wavelength", "flux", "ivar")
LABELS = {"redshift": "z", "redshift_err": "z_err", "redshift_warning": "zwarning", "spectype": "class"}


class DESIService:
    """Fetches DESI spectra: one coadd file per TARGETID, with its redshift in a redrock file beside it.

    Args:
        radius_arcsec: How far from a position its spectrum may be.
        release: The data set of SPARCL, "DESI-DR1" or "DESI-EDR".
        url: Address of SPARCL.

    Raises:
        UsageError: If the radius is none.
    """

    name: ClassVar[str] = "spectrum"
    folder: ClassVar[str] = "spectra"
    needs: ClassVar[str] = "a TARGETID, or a position on the sky"

    def __init__(
        self,
        radius_arcsec: float = 1.0,
        release: str = "DESI-DR1",
        url: str = "https://astrosparcl.datalab.noirlab.edu",
    ) -> None:
        self.radius_arcsec = radius_arcsec
        self.release = release
        self.url = url.rstrip("/")
        if not 0 < radius_arcsec <= 180:
            raise UsageError(f"radius_arcsec is {radius_arcsec}, expected more than 0 and at most 180.")

    @property
    def request(self) -> dict[str, Any]:
        """The release."""
        return {"survey": "desi", "release": self.release}

    def can_ask(self, target: Target) -> bool:
        """Spectra are known by TARGETID, or by position."""
        return target.targetid is not None or target.is_placed

    def tasks(self, targets: Iterable[Target], client: Client, root: Path) -> Iterator[Task]:
        """A few spectra each; TARGETIDs are looked up many at a time.

        Raises:
            UsageError: If SPARCL has no such release.
        """
        stream, sparcl = iter(targets), None
        while batch := list(islice(stream, IDS)):
            ids = [target.targetid for target in batch if target.targetid is not None]
            try:
                sparcl = sparcl or Sparcl(client, self.url, self.release)
                found = sparcl.find(["specid", *ids]) if ids else []
            except RequestFailed as error:
                yield from (without(self, target, str(error)) for target in batch)
                continue
            by_id: dict[int, list[Record]] = {}
            for record in found:
                by_id.setdefault(record["specid"], []).append(record)
            for start in range(0, len(batch), BATCH):
                yield partial(self._fetch, batch[start : start + BATCH], by_id, sparcl, root)

    def _fetch(
        self, targets: Sequence[Target], by_id: Mapping[int, list[Record]], sparcl: Sparcl, root: Path
    ) -> list[Outcome]:
        """Retrieves and writes a few spectra."""
        outcomes: list[Outcome] = []
        wanted: list[tuple[Target, Record]] = []
        for target in targets:
            try:
                wanted.append((target, self._choose(target, by_id, sparcl)))
            except RequestFailed as error:
                outcomes += without(self, target, str(error), absent=isinstance(error, NotThere))()
        paths = {record["sparcl_id"]: root / self.folder / f"coadd-{record['specid']}.fits" for _, record in wanted}
        missing = [key for key, path in paths.items() if not _is_whole(path)]
        try:
            spectra = sparcl.retrieve(missing, ARRAYS, ("mask", *LABELS)) if missing else {}
        except RequestFailed as error:
            return outcomes + [one for target, _ in wanted for one in without(self, target, str(error))()]
        for target, record in wanted:
            path = paths[record["sparcl_id"]]
            try:
                with sparcl.client.turn(path):
                    if record["sparcl_id"] in missing:
                        _write(path, spectra.get(record["sparcl_id"], {}), record)
                    stored = hash_file(path)
            except FileError as error:
                outcomes += without(self, target, f"{self.url}: {error.problem}")()
                continue
            name = path.relative_to(root).as_posix()
            outcomes.append(Outcome(asked_of(self, target), "done", name, stored.sha256, stored.size))
        return outcomes

    def _choose(self, target: Target, by_id: Mapping[int, list[Record]], sparcl: Sparcl) -> Record:
        """The record of a target's spectrum: the primary one, then the nearest.

        Raises:
            NotThere: If there is none.
            RequestFailed: If the archive does not say.
        """
        if target.targetid is not None:
            records, problem = by_id.get(target.targetid, []), f"no spectrum of TARGETID {target.targetid}"
        else:
            records = [one for box in _boxes(target, self.radius_arcsec) for one in sparcl.find(*box)]
            records = [one for one in records if _distance(target, one) <= self.radius_arcsec]
            problem = f"no spectrum within {self.radius_arcsec} arcsec"
        if not records:
            raise NotThere(f"{self.release} has {problem}.")
        return min(records, key=lambda one: (not one.get("specprimary"), np.nan_to_num(_distance(target, one))))


def _distance(target: Target, record: Record) -> float:
    return float(separation_arcsec(target.ra, target.dec, record["ra"], record["dec"]))


def _boxes(target: Target, radius_arcsec: float) -> list[list[list[Any]]]:
    """Ranges of coordinates around a position, two where they meet at 0 degrees of right ascension.

    Example:
        >>> [[round(low, 3), round(high, 3)] for (_, low, high), _ in _boxes(Target("x", 0.5, 0.0), 3600.0)]
        [[0.0, 1.5], [359.5, 360.0]]
    """
    height = radius_arcsec / 3600
    edge = abs(target.dec) + height
    width = height / math.cos(math.radians(edge)) if edge < 89.9 else 180.0
    low, high = target.ra - width, target.ra + width
    if width >= 180:
        ranges = [(0.0, 360.0)]
    elif low < 0:
        ranges = [(0.0, high), (low + 360, 360.0)]
    else:
        ranges = [(low, 360.0), (0.0, high - 360)] if high > 360 else [(low, high)]
    return [[["ra", *pair], ["dec", target.dec - height, target.dec + height]] for pair in ranges]


def _is_whole(path: Path) -> bool:
    """Whether a file with a good spectrum is there."""
    try:
        return path.exists() and any(isinstance(one, Sample) for one in DESISpectra(path, redrock="").read(path))
    except FileError:
        return False


def _write(path: Path, spectrum: Record, found: Record) -> None:
    """Writes what came for a target, the redshift first, so that the spectrum is never there without it.

    Raises:
        FileError: If no spectrum came, or it is of another target or no spectrum.
    """
    if spectrum.get("specid") != found["specid"]:
        what = f"one of {spectrum['specid']}" if spectrum else "none"
        raise FileError(path, f"was asked for the spectrum of TARGETID {found['specid']} and sent {what}.")
    arrays = _arrays(path, spectrum)
    target = {name: [found[key]] for name, key in (("targetid", "specid"), ("ra", "ra"), ("dec", "dec"))}
    labels = {label: [spectrum[name]] for name, label in LABELS.items() if spectrum.get(name) is not None}
    arm = Arm(arrays["wavelength"], *(arrays[name][None] for name in ("flux", "ivar", "mask")))
    temporary = path.with_name(f".{path.stem}.part")
    with writing(path):
        temporary.mkdir(parents=True, exist_ok=True)
        try:
            write_desi_coadd(temporary / path.name, {"brz": arm}, {**target, **labels})
            for part in sorted(temporary.iterdir(), reverse=True):  # redrock-, coadd-
                part.replace(path.with_name(part.name))
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _arrays(path: Path, spectrum: Record) -> dict[str, npt.NDArray[Any]]:
    """Wavelength, flux, inverse variance and mask of one spectrum; a pixel without a number has ivar 0.

    Raises:
        FileError: If they are none, or have no good pixel.
    """
    try:
        given = {**spectrum, "mask": spectrum.get("mask") or [0] * len(spectrum["flux"])}
        wavelength, flux, ivar, mask = (np.array(given[name], dtype=np.float64) for name in (*ARRAYS, "mask"))
    except (TypeError, ValueError) as error:
        raise FileError(path, "sent arrays that are no numbers.") from error
    shapes = [array.shape for array in (wavelength, flux, ivar, mask)]
    if len(set(shapes)) > 1 or wavelength.ndim != 1 or len(wavelength) < 2:
        raise FileError(path, f"sent wavelength, flux, ivar and mask of shapes {shapes}.")
    if not np.all(np.diff(wavelength) > 0):
        raise FileError(path, "sent wavelengths that do not ascend.")
    good = np.isfinite(flux) & np.isfinite(ivar)
    flux, ivar = (np.where(good, values, 0) for values in (flux, ivar))
    mask = np.nan_to_num(mask, nan=1).astype(np.int64)
    if not np.any((ivar > 0) & (mask == 0)):
        raise FileError(path, "sent a spectrum without a good pixel.")
    return {"wavelength": wavelength, "flux": flux, "ivar": ivar, "mask": mask}
