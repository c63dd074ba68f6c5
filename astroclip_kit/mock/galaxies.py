"""A mock survey of galaxies: cutouts, spectra and a catalogue of the same objects, from the same latents."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..progress import progress
from ..storage import new_folder, write_manifest, writing
from ..surveys.legacysurvey import write_legacysurvey_cutout
from ..surveys.sdss import spectrum_file_name, write_sdss_spectrum
from . import images, spectra
from .instruments import BANDS, PIXEL_SCALE_ARCSEC, Grid, band_fluxes, output_wavelength, sky_spectrum
from .population import Galaxies, draw_galaxies, morphology

__all__ = ["simulate_galaxies"]

CHUNK = 100  # galaxies that share one random stream; the bytes depend on it, so it is no setting
MAGNITUDE_LIMIT = 19.9
FIRST_PLATE, MJD, FIBRES = 9000, 57000, 1000
FOOTPRINT = (120.0, 250.0, -5.0, 32.0)  # ra and dec in degrees
TRUTH = ("z", "logmstar", "sfr", "age_gyr", "tau_gyr", "metallicity", "ebv", "av", "vdisp", "bulge_to_total",
         "bulge_radius", "disc_radius", "sersic_index", "inclination_deg", "axis_ratio",
         "position_angle_deg")  # fmt: skip
Rows = dict[str, npt.NDArray[Any]]


def simulate_galaxies(
    out: str | Path,
    count: int = 3000,
    seed: int = 0,
    spectra: Grid = "sdss",
    size: int = 64,
    workers: int = 2,
    quiet: bool = False,
) -> Path:
    """Writes a mock survey of galaxies in the formats of real surveys, with known truth.

    Redshift, mass, star-formation history, dust, size, inclination and morphology of a galaxy give its bulge and
    disc spectra; the fluxes of its image are those spectra through the g, r, z bands, and its spectrum is what a
    fibre of 2 arcsec takes of the same light. Depth, seeing and noise are those of the Legacy Surveys and of BOSS.
    The same seed gives the same bytes for any number of workers, and the first objects of a larger survey.

    Args:
        out: Folder to write: ``cutouts/*.fits``, ``spectra/spec-*.fits``, ``catalogue.fits``, ``manifest.json``.
        count: Number of galaxies.
        seed: Another seed gives another survey.
        spectra: "sdss" (the BOSS wavelength grid) or "desi" (3600 to 9824 A by 0.8 A), both in the file layout
            of SDSS.
        size: Pixels of 0.262 arcsec along the side of a cutout; even, at least 32.
        workers: Threads.
        quiet: Shows no progress bar.

    Returns:
        The folder.

    Raises:
        UsageError: If an argument is out of range.
        FolderError: If something that the kit did not write is in the way.
        OutputError: If the disk is full.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     survey = simulate_galaxies(f"{folder}/mock", count=2, workers=1)
        ...     print(len(list(survey.glob("cutouts/*.fits"))), len(list(survey.glob("spectra/spec-*.fits"))))
        2 2
    """
    _check(count, seed, spectra, size, workers)
    with new_folder(out, "survey") as folder:
        (folder / "cutouts").mkdir()
        (folder / "spectra").mkdir()
        chunks = [(str(folder), seed, chunk, count, spectra, size) for chunk in range(-(-count // CHUNK))]
        bar = progress(total=count, description="simulate", unit="galaxies", quiet=quiet)
        parts = []
        for rows in _run(chunks, workers):
            parts.append(rows)
            bar.update(len(rows["z"]))
        bar.close()
        rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        _write_catalogue(folder / "catalogue.fits", rows)
        settings = {"count": count, "seed": seed, "spectra": spectra, "size": size}
        write_manifest(folder, "survey", {"survey": "galaxies", "origin": "mock", "bands": BANDS, **settings})
    return Path(out)


def _check(count: int, seed: int, spectra: str, size: int, workers: int) -> None:
    if count < 1 or workers < 1:
        raise UsageError(f"count and workers must be at least 1, found {count} and {workers}.")
    if seed < 0:
        raise UsageError(f"seed must be 0 or more, found {seed}.")
    if spectra not in ("sdss", "desi"):
        raise UsageError(f"spectra must be 'sdss' or 'desi', found {spectra!r}.")
    if size < 32 or size % 2:
        raise UsageError(f"size must be even and at least 32 pixels, found {size}.")


def _run(chunks: list[tuple[Any, ...]], workers: int) -> Iterator[Rows]:
    """The catalogue rows of every chunk, in order."""
    if workers == 1 or len(chunks) == 1:
        yield from map(_simulate_chunk, chunks)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(_simulate_chunk, chunks)


def _simulate_chunk(arguments: tuple[str, int, int, int, Grid, int]) -> Rows:
    folder, seed, chunk, count, grid, size = arguments
    rng = np.random.default_rng([seed, chunk])
    galaxies, bulge, disc = _magnitude_limited(rng)
    bulge_flux, disc_flux = band_fluxes(bulge), band_fluxes(disc)
    components = images.render_components(galaxies, size)
    cutouts = images.observe_images(components, bulge_flux, disc_flux, rng)
    bulge_share, disc_share = images.fibre_shares(components)
    model = spectra.resample(bulge * bulge_share[:, None] + disc * disc_share[:, None], grid)
    flux, ivar, mask = spectra.observe_spectra(model, grid, rng)
    first = chunk * CHUNK
    rows = _catalogue(galaxies, bulge_flux + disc_flux, first, rng)
    rows["sn_median"] = np.median(flux * np.sqrt(ivar), axis=1).astype(np.float32)
    kept = min(CHUNK, count - first)
    for i in range(kept):
        _write_object(Path(folder), {name: values[i] for name, values in rows.items()}, cutouts[i],
                      (flux[i], ivar[i], mask[i], model[i]), grid)  # fmt: skip
    return {name: values[:kept] for name, values in rows.items()}


def _magnitude_limited(rng: np.random.Generator) -> tuple[Galaxies, spectra.Array, spectra.Array]:
    """Latents and bulge and disc spectra of `CHUNK` galaxies brighter than the limit."""
    parts: list[tuple[Galaxies, spectra.Array, spectra.Array]] = []
    while sum(len(part[1]) for part in parts) < CHUNK:
        galaxies = draw_galaxies(2 * CHUNK, rng, MAGNITUDE_LIMIT)
        bulge, disc = spectra.galaxy_spectra(galaxies)
        bright = band_fluxes(bulge + disc)[:, 1] > 10 ** (-0.4 * (MAGNITUDE_LIMIT - 22.5))
        parts.append(({name: values[bright] for name, values in galaxies.items()}, bulge[bright], disc[bright]))
    names = parts[0][0]
    galaxies = {name: np.concatenate([part[0][name] for part in parts])[:CHUNK] for name in names}
    bulge, disc = (np.concatenate([part[k] for part in parts])[:CHUNK] for k in (1, 2))
    return galaxies, bulge, disc


def _catalogue(galaxies: Galaxies, flux: spectra.Array, first: int, rng: np.random.Generator) -> Rows:
    """The columns of the catalogue for one chunk."""
    number = first + np.arange(CHUNK)
    west, east, south, north = FOOTPRINT
    sine = rng.uniform(np.sin(np.radians(south)), np.sin(np.radians(north)), CHUNK)
    plate, fibre = FIRST_PLATE + number // FIBRES, 1 + number % FIBRES
    names = [spectrum_file_name(int(p), MJD, int(f)) for p, f in zip(plate, fibre, strict=True)]
    rows: Rows = {
        "object_id": np.array([f"{p}-{MJD}-{f}" for p, f in zip(plate, fibre, strict=True)]),  # as the spectra's reader
        "ra": rng.uniform(west, east, CHUNK),
        "dec": np.degrees(np.arcsin(sine)),
    }
    rows |= {name: galaxies[name].astype(np.float32) for name in TRUTH}
    rows["ssfr"] = (galaxies["sfr"] - galaxies["logmstar"]).astype(np.float32)
    share = galaxies["bulge_to_total"]
    rows["size"] = (share * galaxies["bulge_radius"] + (1 - share) * galaxies["disc_radius"]).astype(np.float32)
    rows["morphology"] = morphology(galaxies)
    magnitudes = 22.5 - 2.5 * np.log10(flux)
    rows |= {f"mag_{band}": magnitudes[:, k].astype(np.float32) for k, band in enumerate(BANDS)}
    rows |= {"plate": plate, "mjd": np.full(CHUNK, MJD), "fiber": fibre}
    rows["cutout_file"] = np.array([f"cutouts/{object_id}.fits" for object_id in rows["object_id"]])
    rows["spectrum_file"] = np.array([f"spectra/{name}" for name in names])
    return rows


def _write_object(
    folder: Path, row: dict[str, Any], cutout: images.Array, spectrum: tuple[npt.NDArray[Any], ...], grid: Grid
) -> None:
    flux, ivar, mask, model = spectrum
    write_legacysurvey_cutout(
        folder / row["cutout_file"],
        cutout,
        row["ra"],
        row["dec"],
        object_id=str(row["object_id"]),
        pixel_scale_arcsec=PIXEL_SCALE_ARCSEC,
    )
    catalogue = {name: row[name] for name in ("plate", "mjd", "fiber", "ra", "dec", "z", "sn_median")}
    catalogue |= {"z_err": 3e-5 * (1 + row["z"]), "class": "GALAXY", "subclass": _subclass(row)}
    write_sdss_spectrum(
        folder / row["spectrum_file"],
        output_wavelength(grid),
        flux,
        ivar,
        catalogue,
        mask=mask,
        model=model,
        sky=sky_spectrum(grid),
    )


def _subclass(row: dict[str, Any]) -> str:
    """SDSS subclasses of emission-line galaxies, by specific star-formation rate."""
    return "STARBURST" if row["ssfr"] > -9.3 else "STARFORMING" if row["ssfr"] > -10.8 else ""


def _write_catalogue(path: Path, rows: Rows) -> None:
    from astropy.table import Table

    units = {"ra": "deg", "dec": "deg", "age_gyr": "Gyr", "tau_gyr": "Gyr", "ebv": "mag", "av": "mag", "vdisp": "km/s",
             "size": "arcsec", "bulge_radius": "arcsec", "disc_radius": "arcsec", "inclination_deg": "deg",
             "position_angle_deg": "deg", "mag_g": "mag", "mag_r": "mag", "mag_z": "mag"}  # fmt: skip
    table = Table(rows)
    for name, unit in units.items():
        table[name].unit = unit
    with writing(path):
        table.write(path)
