"""A mock survey of galaxies: cutouts, spectra and catalogues of the same objects, from the same latents."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..errors import UsageError
from ..progress import progress
from ..settings import Observing
from ..storage import new_folder, write_manifest
from .artifacts import draw_artifacts
from .background import draw_background
from .camera import draw_exposures, effective_pixels, fibre_aperture, observe_images
from .catalogue import Rows, truth, write_table
from .components import compose, render_components
from .files import Observation, identify, write_objects
from .instruments import BANDS, Grid, band_fluxes
from .population import Galaxies, draw_galaxies
from .published import published
from .spectra import Array, galaxy_spectra, redden
from .spectrograph import observe_spectra, resample
from .templates import read_eigenspectra

__all__ = ["simulate_galaxies"]

CHUNK = 100  # galaxies that share random streams; the bytes depend on it, so it is no setting
STREAMS = ("galaxies", "places", "sky", "artifacts", "images", "spectra", "measurements")  # one does not shift another


@dataclass(frozen=True)
class Plan:
    """What every chunk of a survey needs to know."""

    folder: Path
    count: int
    seed: int
    grid: Grid
    templates: str
    observing: Observing


def simulate_galaxies(
    out: str | Path,
    count: int = 3000,
    seed: int = 0,
    spectra: Grid = "sdss",
    templates: str | Path = "",
    observing: Observing = Observing(),
    workers: int = 2,
    quiet: bool = False,
) -> Path:
    """Writes a mock survey of galaxies in the formats of real surveys, with known truth.

    Redshift, mass, star-formation history, gas, dust, size, inclination and morphology of a galaxy give its bulge and
    disc spectra; the fluxes of its image are those spectra through the g, r, z bands, and its spectrum is what a
    fibre of 2 arcsec takes of the same light. Depth, seeing and noise are those of the Legacy Surveys and of BOSS.
    The same seed gives the same bytes for any number of workers, and the first objects of a larger survey.

    Args:
        out: Folder to write: ``cutouts/*.fits`` (with inverse variance), ``spectra/spec-*.fits``, ``catalogue.fits``
            (the truth, see `truth`, with the column ``artifact``: "none", or a name of `ARTIFACTS`), ``published.fits``
            (measured values under the names of DESI and PROVABGS, see `published`), ``manifest.json``.
        count: Number of galaxies.
        seed: Another seed gives another survey.
        spectra: "sdss" (the BOSS wavelength grid) or "desi" (3600 to 9824 A by 0.8 A), both in the file layout
            of SDSS.
        templates: Folder of published eigenspectra, for the spectral shapes of real galaxies, see `read_eigenspectra`.
        observing: Magnitude limits, size of the cutouts and share of artifacts.
        workers: Threads.
        quiet: Shows no progress bar.

    Returns:
        The folder.

    Raises:
        UsageError: If an argument is out of range.
        FileError: If the templates cannot be read.
        FolderError: If something that the kit did not write is in the way.
        OutputError: If the disk is full.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     survey = simulate_galaxies(f"{folder}/mock", count=2, workers=1)
        ...     print(len(list(survey.glob("cutouts/*.fits"))), len(list(survey.glob("spectra/spec-*.fits"))))
        2 2
    """
    _check(count, seed, spectra, workers)
    _check_observing(observing)
    if templates:
        read_eigenspectra(str(templates))
    with new_folder(out, "survey") as folder:
        (folder / "cutouts").mkdir()
        (folder / "spectra").mkdir()
        plan = Plan(folder, count, seed, spectra, str(templates), observing)
        bar = progress(total=count, description="simulate", unit="galaxies", quiet=quiet)
        parts = []
        for tables in _run(plan, workers):
            parts.append(tables)
            bar.update(len(tables[0]["z"]))
        bar.close()
        for name, rows in zip(("catalogue", "published"), zip(*parts, strict=True), strict=True):
            write_table(folder / f"{name}.fits", {key: np.concatenate([part[key] for part in rows]) for key in rows[0]})
        settings = {"count": count, "seed": seed, "spectra": spectra, "templates": Path(templates).name}
        values = {"survey": "galaxies", "origin": "mock", "bands": BANDS, **settings, "observing": asdict(observing)}
        write_manifest(folder, "survey", values)
    return Path(out)


def _check(count: int, seed: int, spectra: str, workers: int) -> None:
    if count < 1 or workers < 1:
        raise UsageError(f"count and workers must be at least 1, found {count} and {workers}.")
    if seed < 0:
        raise UsageError(f"seed must be 0 or more, found {seed}.")
    if spectra not in ("sdss", "desi"):
        raise UsageError(f"spectra must be 'sdss' or 'desi', found {spectra!r}.")


def _check_observing(observing: Observing) -> None:
    bright, faint = observing.bright_limit, observing.faint_limit
    if not 14 <= faint <= 21:
        raise UsageError(f"faint_limit must be 14 to 21 mag, found {faint:g}.")
    if not bright <= faint - 0.5:
        raise UsageError(f"bright_limit must be 0.5 mag or more below the faint_limit of {faint:g}, found {bright:g}.")
    if observing.size < 32 or observing.size % 2:
        raise UsageError(f"size must be even and at least 32 pixels, found {observing.size}.")
    if not 0 <= observing.artifacts <= 1:
        raise UsageError(f"artifacts must be a share from 0 to 1, found {observing.artifacts:g}.")


def _run(plan: Plan, workers: int) -> Iterator[tuple[Rows, Rows]]:
    """The rows of both catalogues of every chunk, in order."""
    chunks = range(-(-plan.count // CHUNK))
    if workers == 1 or len(chunks) == 1:
        yield from (_simulate_chunk(plan, chunk) for chunk in chunks)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda chunk: _simulate_chunk(plan, chunk), chunks)


def _simulate_chunk(plan: Plan, chunk: int) -> tuple[Rows, Rows]:
    draw = {name: np.random.default_rng([plan.seed, chunk, k]) for k, name in enumerate(STREAMS)}
    galaxies, bulge, disc = _selected(plan, draw["galaxies"])
    intrinsic = band_fluxes(bulge + disc)
    bulge, disc = (redden(part, galaxies["ebv_galactic"]) for part in (bulge, disc))

    exposure = draw_exposures(CHUNK, draw["sky"])
    components = render_components(galaxies, plan.observing.size)
    scene = compose(components, band_fluxes(bulge), band_fluxes(disc))
    flux, pixels = band_fluxes(bulge + disc), effective_pixels(scene, exposure)
    aperture = fibre_aperture(scene.shape[-1])
    fibre = np.tensordot(scene, aperture, axes=2)
    scene += draw_background(CHUNK, scene.shape[-1], draw["sky"])
    artifacts = draw_artifacts(CHUNK, plan.observing.artifacts, draw["artifacts"])
    image, image_ivar = observe_images(scene, exposure, artifacts, draw["images"])
    photometry = {"flux": flux, "pixels": pixels, "fibre": fibre, "fibre_total": np.tensordot(scene, aperture, axes=2)}

    bulge_share, disc_share = (np.tensordot(part, aperture, axes=2)[:, None] for part in components)
    model = resample(bulge * bulge_share + disc * disc_share, plan.grid)
    spectrum, spectrum_ivar, mask = observe_spectra(model, plan.grid, draw["spectra"])
    sn_median = np.median(spectrum * np.sqrt(spectrum_ivar), axis=1).astype(np.float32)

    names = identify(chunk * CHUNK + np.arange(CHUNK), draw["places"])
    known = names | truth(galaxies, intrinsic, exposure) | {"artifact": artifacts, "sn_median": sn_median}
    measured = published(galaxies, photometry, exposure, sn_median, draw["measurements"])
    measured = {"object_id": names["object_id"], "RA": names["ra"], "DEC": names["dec"]} | measured
    kept = min(CHUNK, plan.count - chunk * CHUNK)
    observation = Observation(image, image_ivar, spectrum, spectrum_ivar, mask, model)
    write_objects(plan.folder, known, measured, observation, plan.grid, kept)
    return {name: values[:kept] for name, values in known.items()}, {k: v[:kept] for k, v in measured.items()}


def _selected(plan: Plan, rng: np.random.Generator) -> tuple[Galaxies, Array, Array]:
    """Latents and bulge and disc spectra of `CHUNK` galaxies within the magnitude limits."""
    bright, faint = plan.observing.bright_limit, plan.observing.faint_limit
    parts: list[tuple[Galaxies, Array, Array]] = []
    while sum(len(part[1]) for part in parts) < CHUNK:
        galaxies = draw_galaxies(2 * CHUNK, rng, faint)
        bulge, disc = galaxy_spectra(galaxies, plan.templates)
        magnitude = 22.5 - 2.5 * np.log10(band_fluxes(bulge + disc)[:, 1])
        seen = (magnitude > bright) & (magnitude < faint)
        parts.append(({name: values[seen] for name, values in galaxies.items()}, bulge[seen], disc[seen]))
    names = parts[0][0]
    galaxies = {name: np.concatenate([part[0][name] for part in parts])[:CHUNK] for name in names}
    bulge, disc = (np.concatenate([part[k] for part in parts])[:CHUNK] for k in (1, 2))
    return galaxies, bulge, disc
