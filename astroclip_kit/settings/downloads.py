"""What is fetched from the surveys' services, and how gently."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Cutouts", "Downloading", "Services"]


@dataclass(frozen=True)
class Cutouts:
    """Which cutouts are fetched.

    Args:
        size: Height and width in pixels.
        pixel_scale_arcsec: Size of a pixel.
        bands: Which bands, "griz" or "g,r,z".
        ivar: Whether the inverse variances come along, in a second HDU.
    """

    size: int = 160
    pixel_scale_arcsec: float = 0.262
    bands: str = "griz"
    ivar: bool = False


@dataclass(frozen=True)
class Downloading:
    """How gently and how persistently files are downloaded.

    Args:
        connections: Downloads at the same time.
        interval_seconds: Pause between the beginnings of two requests to the same host.
        retries: Further attempts where one fails in a way that may pass.
        backoff_seconds: Pause before the first of them; each further one doubles, and varies by half.
        longest_wait_seconds: Longest pause; a server that asks for a longer one counts as failed.
        timeout_seconds: How long to wait for a connection, and for the next piece of an answer.
        largest_mb: Largest file that is accepted.
        give_up: Downloads that fail in a row before a host is left alone for the rest of the run.
        verify: Whether every file that is there is compared with its checksum; else only those that were touched
            since the last run are.
    """

    connections: int = 4
    interval_seconds: float = 0.2
    retries: int = 4
    backoff_seconds: float = 1.0
    longest_wait_seconds: float = 300.0
    timeout_seconds: float = 60.0
    largest_mb: float = 4000.0
    give_up: int = 20
    verify: bool = False


@dataclass(frozen=True)
class Services:
    """Where images and spectra are fetched; a mirror has another address.

    Args:
        legacysurvey: The viewer of the Legacy Surveys, with its cutout service.
        sdss: The Science Archive Server of SDSS: files.
        skyserver: The SkyServer of SDSS: which spectrum is where.
        sdss_release: Number of the data release.
        sparcl: The SPARCL server of NOIRLab: spectra of DESI.
        desi_release: Name of the data set there.
    """

    legacysurvey: str = "https://www.legacysurvey.org/viewer"
    sdss: str = "https://data.sdss.org/sas"
    skyserver: str = "https://skyserver.sdss.org"
    sdss_release: int = 17
    sparcl: str = "https://astrosparcl.datalab.noirlab.edu"
    desi_release: str = "DESI-DR1"
