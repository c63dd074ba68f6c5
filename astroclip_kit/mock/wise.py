"""A mock survey of WISE: infrared cutouts, optical spectra and colours of the same galaxies, quasars and stars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..settings import Observing
from .artifacts import draw_artifacts
from .atmospheres import flux_grid
from .camera import draw_exposures, observe_images
from .catalogue import Rows, single
from .chunks import CHUNK, Plan, streams, write_survey
from .confusion import draw_neighbours
from .files import Observation, fitted_redshifts, identify, write_objects
from .instruments import LEGACY_COUNTS, Grid
from .mid_infrared import AB_OFFSETS, WISE
from .spectra import redden
from .spectrograph import observe_spectra, resample
from .stellar_sequence import library
from .templates import read_eigenspectra
from .wise_artifacts import WISE_ARTIFACTS, WISE_SHARES
from .wise_images import MARGIN, measured, transfers
from .wise_population import Objects, draw_objects

__all__ = ["simulate_wise"]

STREAMS = ("objects", "places", "sky", "artifacts", "images", "spectra", "pipeline")
KNOWN_W1 = 16.5  # down to which neighbours are found, and fitted together with the object
PIPELINE = {"galaxy": "GALAXY", "qso": "QSO", "star": "STAR"}


def simulate_wise(
    out: str | Path,
    count: int = 4000,
    seed: int = 0,
    spectra: Grid = "sdss",
    templates: str | Path = "",
    observing: Observing = Observing(),
    workers: int = 2,
    quiet: bool = False,
) -> Path:
    """Writes a mock survey of infrared images of galaxies, quasars and stars, with known truth.

    Depth and pixels are those of AllWISE, the colours those of Wright et al. (2010), and the objects those that an
    optical survey has spectra of (Zhao et al. 2023): galaxies and stars down to W1 = 14.5 and quasars to 15.8, about as
    far as such surveys reach in W1. These limits set how hard the classes are to tell apart. Images are in nanomaggies
    (AB), magnitudes in the Vega system. The beam is that of single exposures and of unWISE, and the noise of
    neighbouring pixels is independent; neither holds in the Atlas Images of AllWISE, which are convolved with the beam
    once more, and smoother (Lang 2014). The same seed gives the same bytes for any number of workers, and the first
    objects of a larger survey.

    Args:
        out: Folder to write: ``cutouts/*.fits`` (W1 to W4 with inverse variance), ``spectra/spec-*.fits`` (optical),
            ``catalogue.fits`` (the truth: class, kind, z, teff, w1 to w4; and what was measured, see
            `wise_images.measured`), ``colours.csv`` (object_id and the measured w1_w2 and w2_w3 with errors, NaN where
            a band is not detected), ``labels.csv`` (object_id and class: "galaxy", "qso" or "star"),
            ``manifest.json``.
        count: Number of objects.
        seed: Another seed gives another survey.
        spectra: Grid, "sdss" or "desi", both in the file layout of SDSS.
        templates: Folder of published eigenspectra, for the spectra of galaxies, see `read_eigenspectra`.
        observing: Magnitude limits in r, size of the cutouts in pixels of 1.375 arcsec (50 arcsec are 37 of them), and
            share of artifacts of bright stars.
        workers: Threads.
        quiet: Shows no progress bar.

    Returns:
        The folder.

    Raises:
        UsageError: If an argument is out of range.
        FileError: If the templates cannot be read.
        FolderError: If something that the kit did not write is in the way.
        OutputError: If the disk is full.
    """
    if observing.faint_limit < 16:
        raise UsageError(f"faint_limit of WISE objects must be 16 or more in r, found {observing.faint_limit:g}: there "
                         f"are no quasars brighter than 15.5.")  # fmt: skip
    plan = Plan(Path(out), count, seed, spectra, str(templates), observing, workers)
    if templates:
        read_eigenspectra(plan.templates)
    flux_grid(), library()  # once, and not once per thread
    return write_survey(plan, "wise", WISE.bands, _simulate_chunk, quiet)


def _simulate_chunk(plan: Plan, chunk: int) -> dict[str, Rows]:
    draw = streams(plan, chunk, STREAMS)
    objects = draw_objects(plan, CHUNK, draw["objects"])
    size = plan.observing.size + 2 * MARGIN
    exposure = draw_exposures(CHUNK, draw["sky"], WISE)
    wave = transfers(objects.shape, size, draw["images"])
    found, unseen = draw_neighbours(CHUNK, size, draw["sky"], KNOWN_W1)
    flux = 10 ** (-0.4 * (objects.magnitudes + AB_OFFSETS - 22.5)).astype(np.float32)
    own = np.fft.irfft2(wave[:, 0], (size, size))[:, None] * flux[:, :, None, None]
    artifacts = draw_artifacts(CHUNK, plan.observing.artifacts, draw["artifacts"], WISE_SHARES)
    scene, scale = own + found + unseen, WISE.pixel_scale_arcsec
    image, image_ivar = observe_images(scene, exposure, artifacts, draw["images"], scale, WISE_ARTIFACTS, MARGIN)
    photometry = measured(image, image_ivar, found, wave[:, 1], exposure)

    dust = 0.03 * np.exp(0.5 * draw["pipeline"].standard_normal(CHUNK))  # of our Galaxy, which infrared light passes
    model = resample(redden(objects.light, dust), plan.grid)
    spectrum, spectrum_ivar, mask = observe_spectra(model, plan.grid, draw["spectra"], LEGACY_COUNTS)
    observation = Observation(image, image_ivar, spectrum, spectrum_ivar, mask, model)
    sn_median = observation.sn_median

    names = identify(chunk * CHUNK + np.arange(CHUNK), draw["places"])
    true = {band: objects.magnitudes[:, k] for k, band in enumerate(WISE.bands)}
    known = names | single(objects.known | true) | photometry
    known |= single({"ebv_galactic": dust}) | {"artifact": artifacts, "sn_median": sn_median}
    pipeline = _pipeline(objects, sn_median, draw["pipeline"])
    write_objects(plan.folder, known, pipeline, observation, plan.grid, plan.kept(chunk), WISE)
    colours = ("object_id", "w1_w2", "e_w1_w2", "w2_w3", "e_w2_w3")
    return {
        "catalogue.fits": known,
        "colours.csv": {name: known[name] for name in colours},
        "labels.csv": {name: known[name] for name in ("object_id", "class")},
    }


def _pipeline(objects: Objects, sn_median: npt.NDArray[np.float32], rng: np.random.Generator) -> Rows:
    """What the optical survey's pipeline would say about the spectra."""
    error = (1 + objects.known["z"]) * (2e-5 + 2e-4 / np.maximum(sn_median, 1))
    classes = np.array([PIPELINE[name] for name in objects.known["class"]])
    return fitted_redshifts(objects.known["z"], error, rng, classes, np.full(len(error), ""))
