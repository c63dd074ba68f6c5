"""Ingest: survey files to a dataset on disk, against the loop over `astropy.io.fits` that a script would write.

Both extract the same from every file: flux and inverse variance on one wavelength grid with the bad pixels masked,
redshift, class and position; or the image cube and its position. The plain loop keeps what it read in memory and
writes nothing, takes one process, and interpolates (`numpy.interp`), where the kit conserves flux. What the two read is
compared. Then the memory that `ingest` takes at two numbers of files, in processes of their own; the files are links
to a thousand.

    python benchmarks/ingest.py [--files 1000] [--repeats 3] [--memory 1000 20000] [--survey FOLDER]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from astroclip_kit.data import ingest
from astroclip_kit.settings import Matching
from astroclip_kit.surveys import (
    LegacySurveyCutouts,
    SDSSSpectra,
    spectrum_file_name,
    write_legacysurvey_cutout,
    write_sdss_spectrum,
)
from astroclip_kit.transforms.resampling import wavelength_grid

BRIGHT_SKY = 1 << 23
EVERY = Matching(rows="view")  # repeated observations of an object are rows of their own
Loop = Callable[[list[Path]], list[tuple[Any, ...]]]


def write_spectra(folder: Path, count: int) -> None:
    rng, pixels = np.random.default_rng(0), 4600
    wavelength = 10 ** (3.55 + 1e-4 * np.arange(pixels))
    for number in range(count):
        flux = rng.normal(10, 1, pixels) * (wavelength / 6000) ** rng.normal()
        mask = np.where(rng.random(pixels) < 0.02, BRIGHT_SKY, 0)
        row: dict[str, float | str] = {"ra": 0.1 * number % 360, "dec": 0.05, "class": "GALAXY", "zwarning": 0}
        row |= {"plate": 266 + number // 1000, "mjd": 51602, "fiber": number % 1000 + 1, "z": rng.uniform(0, 0.5)}
        name = spectrum_file_name(266 + number // 1000, 51602, number % 1000 + 1)
        write_sdss_spectrum(folder / name, wavelength, flux, np.full(pixels, 2.0), row, mask=mask)


def write_cutouts(folder: Path, count: int) -> None:
    rng = np.random.default_rng(0)
    for number in range(count):
        image = rng.normal(size=(3, 152, 152)).astype(np.float32)
        write_legacysurvey_cutout(folder / f"{number:06d}.fits", image, 0.1 * number % 360, 5.0, object_id=f"o{number}")


def astropy_spectra(paths: list[Path]) -> list[tuple[Any, ...]]:
    grid, found = wavelength_grid("boss"), []
    for path in paths:
        with fits.open(path) as hdus:
            coadd, row = hdus[1].data, hdus[2].data
            ivar = np.where(coadd["and_mask"] & BRIGHT_SKY, 0, coadd["ivar"])
            wavelength = 10 ** coadd["loglam"].astype(np.float64)
            view = np.empty((2, len(grid)), dtype=np.float32)
            view[0] = np.interp(grid, wavelength, coadd["flux"])
            view[1] = np.interp(grid, wavelength, ivar, left=0, right=0)
            names = row.columns.names
            place = ("RA", "DEC") if "RA" in names else ("PLUG_RA", "PLUG_DEC")
            found.append((view, float(row["Z"][0]), str(row["CLASS"][0]), *(float(row[name][0]) for name in place)))
    return found


def astropy_cutouts(paths: list[Path]) -> list[tuple[Any, ...]]:
    found = []
    for path in paths:
        with fits.open(path) as hdus:
            header = hdus[0].header
            found.append((hdus[0].data.astype(np.float32), np.nan, "", header["CRVAL1"], header["CRVAL2"]))
    return found


def seconds(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    answer = function()
    return time.perf_counter() - start, answer


def compare(what: str, reader: Any, loop: Loop, out: Path, repeats: int) -> None:
    """One block of the table: objects per second and core, the best of some repeats in turn."""
    paths, cores = list(reader.files()), os.cpu_count() or 1

    def run(workers: int) -> Any:
        shutil.rmtree(out, ignore_errors=True)
        return ingest({"view": reader}, out, matching=EVERY, workers=workers, quiet=True)

    ways: dict[str, tuple[int, Callable[[], Any]]] = {
        "ingest, files to dataset": (1, lambda: run(1)),
        f"ingest, {cores} processes": (cores, lambda: run(cores)),
        "reader alone": (1, lambda: [sample for path in paths for sample in reader.read(path)]),
        "astropy.io.fits loop": (1, lambda: loop(paths)),
    }
    best: dict[str, float] = {}
    answers: dict[str, Any] = {}
    for _ in range(repeats):
        for way, (_, function) in ways.items():
            taken, answers[way] = seconds(function)
            best[way] = min(taken, best.get(way, np.inf))
    check(answers["ingest, files to dataset"], answers["astropy.io.fits loop"])
    print(f"\n{len(paths)} {what}, load {os.getloadavg()[0]:.1f}")
    print(f"{'':28}{'seconds':>9}{'objects/s':>11}{'per core':>10}{'of the loop':>13}")
    for way, (processes, _) in ways.items():
        rate = len(paths) / best[way]
        ratio = best["astropy.io.fits loop"] / best[way] / processes
        print(f"{way:28}{best[way]:9.2f}{rate:11.0f}{rate / processes:10.0f}{ratio:11.1f} x")


def check(dataset: Any, plain: list[tuple[Any, ...]]) -> None:
    """Both ways must have read the same."""
    views, z, _, ra, dec = (np.array(column) for column in zip(*plain, strict=True))
    np.testing.assert_allclose(dataset.ra, ra, rtol=1e-9)
    np.testing.assert_allclose(dataset.dec, dec, rtol=1e-9)
    if "z" in dataset.labels:
        np.testing.assert_allclose(dataset.labels["z"], z, rtol=1e-6)
    mine = dataset.views("view")
    good = (mine > 0) & (views > 0) if mine.ndim == 4 else (mine[:, 1:] > 0) & (views[:, 1:] > 0)
    ratio = np.broadcast_to(mine / np.where(views == 0, 1, views), mine.shape)[np.broadcast_to(good, mine.shape)]
    assert abs(np.median(ratio) - 1) < 1e-3, "the kit and the loop read different values"


def measure(folder: Path, count: int) -> None:
    """The memory that `ingest` takes for many files, measured in a process of its own."""
    links = folder / f"links-{count}"
    links.mkdir()
    originals = sorted((folder / "spectra").iterdir())
    for number in range(count):
        (links / f"spec-{number:07d}.fits").symlink_to(originals[number % len(originals)])
    command = [sys.executable, __file__, "--memory-of", str(links), str(folder / "memory")]
    print(f"{count:10}", subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="")
    shutil.rmtree(folder / "memory")


def memory_of(files: str, out: str) -> None:
    """What `measure` runs: prints peak memory of this process and of the largest of its workers."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    taken, dataset = seconds(
        lambda: ingest(
            {"view": SDSSSpectra(files)}, out, matching=EVERY, workers=max(2, os.cpu_count() or 2), quiet=True
        )
    )
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    size = sum(path.stat().st_size for path in Path(out).iterdir())
    megabytes = "".join(f"{peak / 1024:14.0f}" for peak in (before, *peaks))
    print(f"{megabytes}{size / 2**20:14.0f}{len(dataset) / taken:12.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", type=int, nargs="*", default=[1000, 20000])
    parser.add_argument("--survey", type=Path, default=Path("../shared/data/sdss-spectra"))
    parser.add_argument("--memory-of", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        memory_of(*options.memory_of)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "spectra").mkdir()
        write_spectra(folder / "spectra", options.files)
        (folder / "cutouts").mkdir()
        write_cutouts(folder / "cutouts", options.files)
        cutouts = LegacySurveyCutouts(folder / "cutouts")
        compare(
            "SDSS lite spectra (mock)",
            SDSSSpectra(folder / "spectra"),
            astropy_spectra,
            folder / "data",
            options.repeats,
        )
        if options.survey.is_dir():
            real = SDSSSpectra(options.survey)
            compare("SDSS spectra (real)", real, astropy_spectra, folder / "data", options.repeats)
        compare("cutouts of 3 x 152 x 152 (mock)", cutouts, astropy_cutouts, folder / "data", options.repeats)
        print("\npeak memory in MB, SDSS lite spectra")
        print(f"{'files':>10}{'before':>14}{'parent':>14}{'a worker':>14}{'dataset':>14}{'spectra/s':>12}")
        for count in options.memory:
            measure(folder, count)


if __name__ == "__main__":
    main()
