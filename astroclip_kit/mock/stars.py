"""A mock survey of A-type stars: ugriz cutouts, spectra and labels of the same stars, from the same latents."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..settings import Observing
from .atmospheres import REST_WAVELENGTH, flux_grid
from .catalogue import Rows, single
from .chunks import CHUNK, Plan, streams, write_survey
from .files import fitted_redshifts, identify, write_objects
from .instruments import LIGHT_KM_S, SDSS, Grid
from .observed_points import STREAMS, check_limit, observe_points
from .spectra import Array, redden
from .star_population import Stars, draw_stars, read_catalogues
from .star_spectra import blurred, star_fluxes, star_spectra

__all__ = ["simulate_stars"]


def simulate_stars(
    out: str | Path,
    count: int = 4000,
    seed: int = 0,
    spectra: Grid = "sdss",
    catalogues: str | Path = "",
    observing: Observing = Observing(),
    workers: int = 2,
    quiet: bool = False,
) -> Path:
    """Writes a mock survey of blue horizontal branch stars, blue stragglers and A stars, with known truth.

    The three have the same colours within their errors, in the proportions of Wei et al. (2023). Temperature, gravity
    and metals give a spectrum from model atmospheres; the ugriz images of SDSS are points of that light with
    neighbours, seeing and noise. The Balmer jump is in the images alone, as spectra are poor blueward of 3800 A.
    The same seed gives the same bytes for any number of workers, and the first objects of a larger survey.

    Args:
        out: Folder to write: ``cutouts/*.fits`` (with inverse variance), ``spectra/spec-*.fits``, ``catalogue.fits``
            (the truth: class, see `draw_stars`, magnitudes before the dust, seeing, sn_median), ``labels.csv``
            (object_id and class, "bhb" or "other"), ``manifest.json``.
        count: Number of stars.
        seed: Another seed gives another survey.
        spectra: Grid, "sdss" or "desi", both in the file layout of SDSS.
        catalogues: Folder of published catalogues, for the distributions of real stars, see `read_catalogues`.
        observing: Magnitude limits in g (stars brighter than 14 saturate and are left out), size of the cutouts in
            pixels of 0.396 arcsec, and share of artifacts.
        workers: Threads.
        quiet: Shows no progress bar.

    Returns:
        The folder.

    Raises:
        UsageError: If an argument is out of range.
        FileError: If the catalogues cannot be read.
        FolderError: If something that the kit did not write is in the way.
        OutputError: If the disk is full.
    """
    check_limit(observing, "stars")
    plan = Plan(Path(out), count, seed, spectra, str(catalogues), observing, workers)
    if catalogues:
        read_catalogues(plan.templates)
    flux_grid()  # once, and not once per thread
    return write_survey(plan, "stars", SDSS.bands, _simulate_chunk, quiet)


def _simulate_chunk(plan: Plan, chunk: int) -> dict[str, Rows]:
    draw = streams(plan, chunk, STREAMS)
    stars = draw_stars(CHUNK, draw["stars"], plan.observing, plan.templates)
    light = star_spectra(stars)
    magnitudes = 22.5 - 2.5 * np.log10(star_fluxes(light))
    light = redden(light, stars["ebv_galactic"], REST_WAVELENGTH)
    observation, seen = observe_points(plan, draw, light, blurred(light, stars))
    names = identify(chunk * CHUNK + np.arange(CHUNK), draw["places"])
    known = names | single(stars)
    known |= {f"mag_{band}": magnitudes[:, k].astype(np.float32) for k, band in enumerate(SDSS.bands)}
    known |= seen
    pipeline = _pipeline(stars, known["sn_median"], draw["calibration"])
    write_objects(plan.folder, known, pipeline, observation, plan.grid, plan.kept(chunk), SDSS)
    labels = {"object_id": names["object_id"], "class": np.where(stars["class"] == "bhb", "bhb", "other")}
    return {"catalogue.fits": known, "labels.csv": labels}


def _pipeline(stars: Stars, sn_median: Array, rng: np.random.Generator) -> Rows:
    """What the survey's pipeline would say about the spectra: redshifts, and subclasses by temperature alone."""
    error = (8e-6 + 1e-4 / np.maximum(sn_median, 1)).astype(float)
    subclass = np.where(stars["teff"] > 9900, "B9", np.where(stars["teff"] > 7600, "A0", "F0"))
    return fitted_redshifts(stars["rv"] / LIGHT_KM_S, error, rng, np.full(len(error), "STAR"), subclass)
