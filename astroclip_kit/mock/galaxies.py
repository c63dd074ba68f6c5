"""A mock survey of galaxies: cutouts, spectra and catalogues of the same objects, from the same latents."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..settings import Observing
from .artifacts import draw_artifacts
from .background import draw_background
from .camera import draw_exposures, effective_pixels, fibre_aperture, observe_images
from .catalogue import Rows, truth
from .chunks import CHUNK, Plan, streams, write_survey
from .components import compose, render_components
from .files import Observation, identify, write_objects
from .instruments import BANDS, Grid, band_fluxes
from .population import Galaxies, draw_galaxies
from .published import published
from .spectra import Array, galaxy_spectra, redden
from .spectrograph import observe_spectra, resample
from .templates import read_eigenspectra

__all__ = ["simulate_galaxies", "visible_galaxies"]

STREAMS = ("galaxies", "places", "sky", "artifacts", "images", "spectra", "measurements")


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
    plan = Plan(Path(out), count, seed, spectra, str(templates), observing, workers)
    if templates:
        read_eigenspectra(plan.templates)
    return write_survey(plan, "galaxies", BANDS, _simulate_chunk, quiet)


def _simulate_chunk(plan: Plan, chunk: int) -> dict[str, Rows]:
    draw = streams(plan, chunk, STREAMS)
    galaxies, bulge, disc = visible_galaxies(plan, draw["galaxies"])
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
    observation = Observation(image, image_ivar, spectrum, spectrum_ivar, mask, model)
    sn_median = observation.sn_median

    names = identify(chunk * CHUNK + np.arange(CHUNK), draw["places"])
    known = names | truth(galaxies, intrinsic, exposure) | {"artifact": artifacts, "sn_median": sn_median}
    measured = published(galaxies, photometry, exposure, sn_median, draw["measurements"])
    measured = {"object_id": names["object_id"], "RA": names["ra"], "DEC": names["dec"]} | measured
    write_objects(plan.folder, known, _pipeline(known, measured), observation, plan.grid, plan.kept(chunk))
    return {"catalogue.fits": known, "published.fits": measured}


def _pipeline(known: Rows, measured: Rows) -> Rows:
    """What the survey's pipeline would say about the spectra: subclasses by line ratios and star-formation rate."""
    forming = np.where(known["ssfr"] > -9.3, "STARBURST", np.where(known["ssfr"] > -10.8, "STARFORMING", ""))
    nucleus = (known["line_class"] == "agn") & (known["log_oiii_hb"] > 0.3)
    return {
        "z": measured["Z"],
        "z_err": measured["ZERR"],
        "zwarning": measured["ZWARN"],
        "class": np.full(len(nucleus), "GALAXY"),
        "subclass": np.where(nucleus, "AGN", forming),
    }


def visible_galaxies(plan: Plan, rng: np.random.Generator, count: int = CHUNK) -> tuple[Galaxies, Array, Array]:
    """Latents and bulge and disc spectra of `count` galaxies within the magnitude limits."""
    bright, faint = plan.observing.bright_limit, plan.observing.faint_limit
    parts: list[tuple[Galaxies, Array, Array]] = []
    while sum(len(part[1]) for part in parts) < count:
        galaxies = draw_galaxies(2 * count, rng, faint)
        bulge, disc = galaxy_spectra(galaxies, plan.templates)
        magnitude = 22.5 - 2.5 * np.log10(band_fluxes(bulge + disc)[:, 1])
        seen = (magnitude > bright) & (magnitude < faint)
        parts.append(({name: values[seen] for name, values in galaxies.items()}, bulge[seen], disc[seen]))
    names = parts[0][0]
    galaxies = {name: np.concatenate([part[0][name] for part in parts])[:count] for name in names}
    bulge, disc = (np.concatenate([part[k] for part in parts])[:count] for k in (1, 2))
    return galaxies, bulge, disc
