"""The verb that brings observations from the surveys' own services."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..settings import Cutouts, Downloading, Services
from .parts import Folder

if TYPE_CHECKING:
    from ..surveys.services.fetched import Fetched
    from ..surveys.services.service import Service

__all__ = ["fetch"]


def fetch(
    table: Folder,
    out: Folder = "survey",
    *,
    images: str = "",
    spectra: str = "",
    cutouts: Cutouts = Cutouts(),
    radius_arcsec: float = 1.0,
    downloads: Downloading = Downloading(),
    services: Services = Services(),
) -> Fetched:
    """Downloads images and spectra of the objects of a table.

    The folder gets cutouts/ and spectra/, which ingest reads, fetched.csv with a row per object, and failed.csv that
    says what is missing and why. The same command goes on where it was interrupted, and tries again what failed; what
    a service does not have is not asked for again.

    Args:
        table: Table with an id column or coordinates, in any format that ingest reads. SDSS spectra are known by
            columns plate, mjd and fiber or ids like 266-51602-31, DESI spectra by a column targetid, and both by
            position. Cutouts have the ids of the table, spectra those of their survey: ingest them --by position.
        out: Folder to write; resumed where it was interrupted.
        images: "legacy-dr10" (or dr9, dr8) for cutouts of the Legacy Surveys.
        spectra: "sdss" or "desi".
        cutouts: Size and bands of the cutouts, see `Cutouts`.
        radius_arcsec: How far from a position its spectrum may be.
        downloads: How gently and how persistently, see `Downloading`.
        services: Addresses and data releases of the services, see `Services`.

    Returns:
        What the folder holds; it says how many observations could not be had.
    """
    from ..surveys.services.fetched import fetch_observations

    if not os.path.isfile(table):
        raise UsageError(f"{os.fspath(table)}: no such table. Give a file with ids or coordinates.")
    asked = _services(images, spectra, cutouts, radius_arcsec, services)
    return fetch_observations(Path(table), asked, Path(out), downloads)


def _services(images: str, spectra: str, cutouts: Cutouts, radius_arcsec: float, services: Services) -> list[Service]:
    from ..surveys import DESIService, LegacySurveyService, SDSSService

    asked: list[Service] = []
    if images:
        asked.append(LegacySurveyService(images, cutouts, services.legacysurvey))
    if spectra == "sdss":
        asked.append(SDSSService(radius_arcsec, services.sdss_release, services.sdss, services.skyserver))
    elif spectra == "desi":
        asked.append(DESIService(radius_arcsec, services.desi_release, services.sparcl))
    elif spectra:
        raise UsageError(f"spectra: {spectra!r} cannot be fetched; there is: sdss, desi.")
    if not asked:
        raise UsageError("nothing to fetch. Give --images legacy-dr10, --spectra sdss or --spectra desi.")
    return asked
