"""A mock survey of point sources: ugriz cutouts and spectra of stars of all types and of quasars."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..settings import Observing
from .atmospheres import REST_WAVELENGTH, flux_grid
from .catalogue import Rows, single
from .chunks import CHUNK, Plan, streams, write_survey
from .files import fitted_redshifts, identify, write_objects
from .instruments import LIGHT_KM_S, SDSS, Grid
from .intergalactic import transmission
from .observed_points import STREAMS, check_limit, observe_points
from .quasar_population import draw_quasars
from .redshifted_quasars import quasar_spectra
from .spectra import Array, redden
from .star_counts import draw_star_sample
from .star_population import SATURATION
from .star_spectra import blurred, star_fluxes, star_spectra
from .stellar_sequence import library, sequence_weights

__all__ = ["draw_point_sources", "point_spectra", "simulate_point_sources"]

QUASARS = 0.5  # share
STAR_LATENTS = ("teff", "logg", "feh", "alpha", "g_i")
QUASAR_LATENTS = ("mag_absolute", "slope", "ebv", "breadth", "iron", "balmer", "host", "wind")


def simulate_point_sources(
    out: str | Path,
    count: int = 4000,
    seed: int = 0,
    spectra: Grid = "sdss",
    templates: str | Path = "",
    observing: Observing = Observing(),
    workers: int = 2,
    quiet: bool = False,
) -> Path:
    """Writes a mock survey of stars (O to M, and white dwarfs) and quasars (z to 5), with known truth.

    Both classes have the same magnitudes, and the colours of the images are those of the spectra. The same seed gives
    the same bytes for any number of workers, and the first objects of a larger survey.

    Args:
        out: Folder to write: ``cutouts/*.fits`` (with inverse variance), ``spectra/spec-*.fits``, ``catalogue.fits``
            (the truth: class, latents of both kinds, magnitudes before the dust of our Galaxy, seeing, sn_median),
            ``labels.csv`` (object_id and class, "star" or "qso"), ``manifest.json``.
        count: Number of objects.
        seed: Another seed gives another survey.
        spectra: Grid, "sdss" or "desi", both in the file layout of SDSS.
        templates: Folder of published spectra: the templates of stars of PyHammer and the composite of quasars of
            Vanden Berk et al. (2001), see `read_star_templates` and `read_composite`; none by default.
        observing: Magnitude limits in i (points brighter than 14 saturate and are left out), size of the cutouts in
            pixels of 0.396 arcsec, and share of artifacts.
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
    check_limit(observing, "point sources")
    plan = Plan(Path(out), count, seed, spectra, str(templates), observing, workers)
    flux_grid(), library(plan.templates)  # once, and not once per thread
    return write_survey(plan, "point_sources", SDSS.bands, _simulate_chunk, quiet)


def draw_point_sources(count: int, rng: np.random.Generator, observing: Observing) -> Rows:
    """Draws stars and quasars of the same distribution of magnitudes.

    Args:
        count: Number of objects.
        rng: Source of all randomness.
        observing: Magnitude limits in i.

    Returns:
        Arrays [count]: class ("star" or "qso"), mag_i, ebv_galactic (mag), the latents of `draw_quasars` (with no
        meaning for stars but z, 0) and those of `draw_star_sample` (with no meaning for quasars but rv and vsini, 0).
    """
    quasar = rng.random(count) < QUASARS
    quasars = draw_quasars(count, rng, max(observing.bright_limit, SATURATION), observing.faint_limit)
    stars = draw_star_sample(quasars["mag_i"], rng)
    objects = quasars | stars
    for name in ("rv", "vsini"):
        objects[name] = np.where(quasar, 0.0, stars[name])
    objects |= {"z": np.where(quasar, quasars["z"], 0.0), "type": np.where(quasar, "QSO", stars["type"])}
    objects["kind"] = np.where(quasar, "qso", stars["kind"])
    return objects | {
        "class": np.where(quasar, "qso", "star"),
        "ebv_galactic": 0.03 * np.exp(0.5 * rng.standard_normal(count)),
    }


def point_spectra(objects: Rows, rng: np.random.Generator, templates: str = "") -> Array:
    """Spectra as they reach our Galaxy, of the magnitudes `mag_i`.

    Args:
        objects: Latents of B objects, see `draw_point_sources`.
        rng: Source of the randomness of the intergalactic gas.
        templates: Folder of published spectra, see `simulate_point_sources`; none by default.

    Returns:
        Float32 [B, L] in 1e-17 erg/s/cm2/A on `atmospheres.REST_WAVELENGTH`, stars at rest.
    """
    light = np.exp(sequence_weights(objects) @ library(templates))
    warm, quasar = objects["kind"] == "a", objects["class"] == "qso"
    if warm.any():
        stars = {name: values[warm] for name, values in objects.items()}
        light[warm] = star_spectra(stars | {"mag_g": np.zeros(warm.sum())})
    if quasar.any():
        quasars = {name: values[quasar] for name, values in objects.items()}
        light[quasar] = quasar_spectra(quasars, templates) * transmission(quasars["z"], rng)
    light *= (10 ** (-0.4 * (objects["mag_i"] - 22.5)) / star_fluxes(light)[:, 3]).astype(np.float32)[:, None]
    return np.asarray(light)


def _simulate_chunk(plan: Plan, chunk: int) -> dict[str, Rows]:
    draw = streams(plan, chunk, (*STREAMS, "gas"))
    objects = draw_point_sources(CHUNK, draw["stars"], plan.observing)
    light = point_spectra(objects, draw["gas"], plan.templates)
    magnitudes = 22.5 - 2.5 * np.log10(star_fluxes(light))
    light = redden(light, objects["ebv_galactic"], REST_WAVELENGTH)
    observation, seen = observe_points(plan, draw, light, blurred(light, objects))

    names = identify(chunk * CHUNK + np.arange(CHUNK), draw["places"])
    known = names | single(_meaningful(objects))
    known |= {f"mag_{band}": magnitudes[:, k].astype(np.float32) for k, band in enumerate(SDSS.bands)} | seen
    pipeline = _pipeline(objects, known["sn_median"], draw["calibration"])
    write_objects(plan.folder, known, pipeline, observation, plan.grid, plan.kept(chunk), SDSS)
    labels = {"object_id": names["object_id"], "class": objects["class"]}
    return {"catalogue.fits": known, "labels.csv": labels}


def _meaningful(objects: Rows) -> Rows:
    """Latents [B] in which those of the other class are NaN."""
    star = objects["class"] == "star"
    known = {name: values for name, values in objects.items() if values.ndim == 1}
    for of, names in ((star, STAR_LATENTS), (~star, QUASAR_LATENTS)):
        known |= {name: np.where(of, known[name], np.nan) for name in names}
    return known | {"population": np.where(star, known["population"], "")}


def _pipeline(objects: Rows, sn_median: Array, rng: np.random.Generator) -> Rows:
    """What the survey's pipeline would say about the spectra."""
    quasar = objects["class"] == "qso"
    error = np.where(quasar, 5e-4 * (1 + objects["z"]), 8e-6) + 1e-4 / np.maximum(sn_median, 1)
    z, subclass = objects["z"] + objects["rv"] / LIGHT_KM_S, np.where(quasar, "BROADLINE", objects["type"])
    return fitted_redshifts(z, error, rng, np.where(quasar, "QSO", "STAR"), subclass)
