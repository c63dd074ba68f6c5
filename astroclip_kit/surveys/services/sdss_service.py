"""SDSS, BOSS and eBOSS spectra from the Science Archive Server, by plate, MJD and fibre.

Where a table has only positions, SkyServer is asked first which spectrum is there, many positions at a time, by
astroquery (its cross-identification). A file's address names the reduction that it is of (run2d): legacy plates are
in one of 26, 103 (SEGUE-1) and 104 (SEGUE-2), plates from 3510 on in that of BOSS
(https://www.sdss.org/dr17/spectro/pipeline).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote

import numpy as np

from ...download import Client, Job, RequestFailed, Task, TryAgain, file_task, judge
from ...errors import FileError, UsageError
from ..files.fits_files import read_hdus
from ..sdss import spectrum_file_name
from .service import asked_of, check_end, without
from .targets import Target, separation_arcsec

__all__ = ["SDSSService"]

LEGACY_RUNS = ("26", "103", "104")
BOSS_RUNS = {16: ("v5_13_0",), 17: ("v5_13_2",), 18: ("v5_13_2",)}
FIRST_BOSS_PLATE = 3510
BATCH = 100  # positions in one question
COLUMNS = ("ra", "dec", "plate", "mjd", "fiberID", "run2d", "sciencePrimary")


class SDSSService:
    """Fetches SDSS spectra, lite files.

    Args:
        radius_arcsec: How far from a position its spectrum may be.
        release: Number of the data release, 16 to 18.
        url: Address of the Science Archive Server.
        skyserver: Address of SkyServer.

    Raises:
        UsageError: If there is no such release, or the radius is none.
    """

    name: ClassVar[str] = "spectrum"
    folder: ClassVar[str] = "spectra"
    needs: ClassVar[str] = "plate, MJD and fibre, or a position on the sky"

    def __init__(
        self,
        radius_arcsec: float = 1.0,
        release: int = 17,
        url: str = "https://data.sdss.org/sas",
        skyserver: str = "https://skyserver.sdss.org",
    ) -> None:
        self.radius_arcsec = radius_arcsec
        self.release = release
        self.url = url.rstrip("/")
        self.skyserver = skyserver.rstrip("/")
        if release not in BOSS_RUNS:
            raise UsageError(f"services.sdss_release is {release}, expected {min(BOSS_RUNS)} to {max(BOSS_RUNS)}.")
        if not 0 < radius_arcsec <= 180:
            raise UsageError(f"radius_arcsec is {radius_arcsec}, expected more than 0 and at most 180.")

    @property
    def request(self) -> dict[str, Any]:
        """The release."""
        return {"survey": "sdss", "release": self.release}

    def can_ask(self, target: Target) -> bool:
        """Spectra are known by their numbers, or by position."""
        return bool(target.sdss) or target.is_placed

    def tasks(self, targets: Iterable[Target], client: Client, root: Path) -> Iterator[Task]:
        """One file each; positions are looked up a batch at a time."""
        stream = iter(targets)
        while batch := list(islice(stream, BATCH)):
            unknown = [target for target in batch if not target.sdss]
            try:
                found = self._look_up(unknown, client) if unknown else {}
                reason = f"no SDSS spectrum within {self.radius_arcsec} arcsec."
            except RequestFailed as error:
                found, reason = {}, str(error)
            for target in batch:
                known = found.get(target.object_id, target)
                if known.sdss:
                    yield file_task(client, self._job(known, root), root, asked_of(self, target))
                else:
                    yield without(self, target, reason, absent=reason.startswith("no SDSS"))

    def _job(self, target: Target, root: Path) -> Job:
        plate, mjd, fiber = target.sdss
        name = spectrum_file_name(plate, mjd, fiber)
        guesses = LEGACY_RUNS if plate < FIRST_BOSS_PLATE else BOSS_RUNS[self.release]
        runs = (target.run2d,) if target.run2d else guesses
        tree = "sdss/spectro/redux" if self.release <= 17 else "spectro/sdss/redux"
        top = f"{self.url}/dr{self.release}/{tree}"
        urls = [f"{top}/{quote(run, safe='')}/spectra/lite/{plate:04d}/{name}" for run in runs]
        return Job(root / self.folder / name, tuple(urls), partial(_check, expected=target.sdss))

    def _look_up(self, targets: list[Target], client: Client) -> dict[str, Target]:
        """Ids of the nearest spectra, the best of each object first, by object id."""
        rows = client.persist(self.skyserver, partial(self._ask, targets, client.settings.timeout_seconds))
        ra, dec = np.array([[row.ra, row.dec] for row in rows]).reshape(-1, 2).T
        found = {}
        for target in targets:
            distance = separation_arcsec(target.ra, target.dec, ra, dec)
            near = [(-rows[n].primary, distance[n], n) for n in np.flatnonzero(distance <= self.radius_arcsec)]
            if near:
                best = rows[min(near)[2]]
                found[target.object_id] = replace(target, sdss=best.key, run2d=best.run2d)
        return found

    def _ask(self, targets: list[Target], timeout: float) -> list[_Spectrum]:
        """One cross-identification.

        astroquery asks, but its parser is not used: it takes an answer of one line for the name of a file to read.
        """
        try:
            from astroquery import cache_conf
            from astroquery.sdss import SDSS, conf
        except ImportError as error:
            extra = "pip install 'astroclip_kit[fetch]'"
            raise UsageError(f"SDSS spectra by position need the extra 'fetch': {extra}.") from error
        from astropy import units
        from astropy.coordinates import SkyCoord

        places = SkyCoord([one.ra for one in targets], [one.dec for one in targets], unit="deg")
        options = {"radius": self.radius_arcsec * units.arcsec, "spectro": True, "specobj_fields": list(COLUMNS)}
        options |= {"data_release": self.release, "timeout": timeout, "cache": False}
        with conf.set_temp("skyserver_baseurl", self.skyserver), cache_conf.set_temp("cache_active", False):
            response = SDSS.query_crossid_async(places, **options)
        judge(response, self.skyserver)
        lines = (line for line in response.text.splitlines() if line and not line.startswith("#"))
        table = csv.DictReader(lines)
        if set(COLUMNS) - set(table.fieldnames or ()):
            raise TryAgain(f"the answer is no table of spectra, it begins with {response.text[:40]!r}")
        try:
            return [_Spectrum.of(row) for row in table]
        except (TypeError, ValueError):
            raise TryAgain("the answer has a value that is no number") from None


class _Spectrum(NamedTuple):
    """A row of SkyServer's answer."""

    ra: float
    dec: float
    key: tuple[int, ...]
    run2d: str
    primary: int

    @classmethod
    def of(cls, row: Mapping[str, str]) -> _Spectrum:
        key = tuple(int(row[name]) for name in ("plate", "mjd", "fiberID"))
        return cls(float(row["ra"]), float(row["dec"]), key, row["run2d"].strip(), int(row["sciencePrimary"]))


def _check(path: Path, expected: tuple[int, ...]) -> None:
    """Compares a spectrum with what was asked.

    Raises:
        FileError: If it is no whole SDSS spectrum, or another one.
    """
    coadd, catalogue, _ = read_hdus(path, (1, 2, 3))
    check_end(path)
    coadd.columns(("flux", "loglam", "ivar"))
    columns = catalogue.columns(("PLATE", "MJD", "FIBERID"))
    found = tuple(int(values[0]) if len(values) else 0 for values in columns.values())
    if found != expected:
        raise FileError(path, "is spectrum {}-{}-{}, expected {}-{}-{}.".format(*found, *expected))
