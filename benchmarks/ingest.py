"""Ingest: survey files to a dataset on disk, against the loop over `astropy.io.fits` that a script would write.

Both extract the same from every file: flux and inverse variance on one wavelength grid with the bad pixels masked,
redshift, class and position; or the image cube and its position. The plain loop takes one process, keeps what it read
in memory and writes nothing (or one array at the end), and interpolates (`numpy.interp`), where the kit conserves flux.
What the two read is compared. Then the memory that `ingest` takes at some numbers of files, in processes of their own;
the files are links to a thousand, or (`--tiny`) empty ones, read by a reader that takes no time.

    python benchmarks/ingest.py [--files 1000] [--repeats 3] [--memory 1000 20000] [--tiny 1000000] [--survey FOLDER]
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
from collections.abc import Callable, Sequence
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
from astroclip_kit.surveys.files.file_lists import find_files
from astroclip_kit.transforms.resampling import wavelength_grid
from astroclip_kit.types import Modality, Sample

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
        "the loop, and np.save": (
            1,
            lambda: np.save(out.parent / "loop.npy", np.stack([one[0] for one in loop(paths)])),
        ),
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


class Tiny:
    """Makes a small view of a file's name: what is left is the work of `ingest` itself."""

    modality = Modality("view", "spectrum", ("flux", "ivar"), (2, 8), "", tuple(range(4000, 4008)))

    def __init__(self, root: str) -> None:
        self.root = root

    def files(self) -> Sequence[Path]:
        return find_files(self.root, "*/*.fits")

    def read(self, path: Path) -> list[Sample]:
        number = int(path.stem)
        labels: dict[str, float | str] = {"z": number / 1e6, "class": "GALAXY" if number % 3 else "QSO"}
        labels |= {"plate": 266.0, "mjd": 51602.0, "fiber": number % 1000.0}
        view = np.full((2, 8), number + 1, dtype=np.float32)
        return [Sample(str(number), {"view": view}, number * 0.618 % 360, number % 1700 / 10 - 85, labels)]


def write_links(folder: Path, count: int, originals: Sequence[Path]) -> None:
    for number in range(count):
        folder.joinpath(f"spec-{number:07d}.fits").symlink_to(originals[number % len(originals)])


def write_empty(folder: Path, count: int) -> None:
    for number in range(count):
        if not number % 1000:
            folder.joinpath(f"{number // 1000:04d}").mkdir()
        os.close(os.open(folder / f"{number // 1000:04d}" / f"{number:07d}.fits", os.O_CREAT | os.O_WRONLY))


def measure(kind: str, files: Path, out: Path) -> None:
    """Ingests a folder in a process of its own, and prints a line about its memory."""
    command = [sys.executable, __file__, "--memory-of", kind, str(files), str(out)]
    print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="")
    shutil.rmtree(out)


def memory_of(kind: str, files: str, out: str) -> None:
    """What `measure` runs: the peak memory of this process and of the largest of its workers."""
    reader = SDSSSpectra(files) if kind == "spectra" else Tiny(files)
    before, workers = peak(), max(2, os.cpu_count() or 2)
    taken, dataset = seconds(lambda: ingest({"view": reader}, out, matching=EVERY, workers=workers, quiet=True))
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    size = sum(path.stat().st_size for path in Path(out).iterdir()) / 2**20
    megabytes = "".join(f"{one:12.0f}" for one in (before, peak(), worker, size))
    print(f"{len(dataset):10}{megabytes}{taken:12.1f}{len(dataset) / taken:12.0f}")


def peak() -> float:
    """Peak memory of this process in MB; `ru_maxrss` would be that of the process that started it, if larger."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", type=int, nargs="*", default=[1000, 20000])
    parser.add_argument("--survey", type=Path, default=Path("../shared/data/sdss-spectra"))
    parser.add_argument("--tiny", type=int, nargs="*", default=[20000])
    parser.add_argument("--memory-of", nargs=3, help=argparse.SUPPRESS)
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
        originals = sorted((folder / "spectra").iterdir())
        print(f"\npeak memory in MB, {max(2, os.cpu_count() or 2)} processes that read, load {os.getloadavg()[0]:.1f}")
        heads = ("before", "parent", "a worker", "dataset", "seconds", "objects/s")
        print(f"{'files':>10}" + "".join(f"{head:>12}" for head in heads))
        for kind, counts in {"spectra": options.memory, "tiny": options.tiny}.items():
            for count in counts:
                files = folder / f"{kind}-{count}"
                files.mkdir()
                write_links(files, count, originals) if kind == "spectra" else write_empty(files, count)
                measure(kind, files, folder / "out")


if __name__ == "__main__":
    main()
