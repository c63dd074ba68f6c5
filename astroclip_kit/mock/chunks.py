"""How a mock survey is made: in chunks that each draw from random streams of their own, and written as one folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import UsageError
from ..progress import progress
from ..settings import Observing
from ..storage import new_folder, write_manifest
from .catalogue import Rows, write_table
from .instruments import Grid

__all__ = ["CHUNK", "Plan", "streams", "write_survey"]

CHUNK = 100  # objects that share random streams; the bytes depend on it, so it is no setting


@dataclass(frozen=True)
class Plan:
    """What is asked of a survey; `templates` is a folder of published data, or "".

    Raises:
        UsageError: If something is out of range.
    """

    folder: Path
    count: int
    seed: int
    grid: Grid
    templates: str
    observing: Observing
    workers: int

    def __post_init__(self) -> None:
        """Refuses what cannot be simulated, before anything is read or computed."""
        if self.count < 1 or self.workers < 1:
            raise UsageError(f"count and workers must be at least 1, found {self.count} and {self.workers}.")
        if self.seed < 0:
            raise UsageError(f"seed must be 0 or more, found {self.seed}.")
        if self.grid not in ("sdss", "desi"):
            raise UsageError(f"spectra must be 'sdss' or 'desi', found {self.grid!r}.")
        _check_observing(self.observing)

    def kept(self, chunk: int) -> int:
        """How many objects of a chunk belong to the survey."""
        return min(CHUNK, self.count - chunk * CHUNK)


def streams(plan: Plan, chunk: int, names: tuple[str, ...]) -> dict[str, np.random.Generator]:
    """A source of randomness for every name, so that what one draws does not shift another."""
    return {name: np.random.default_rng([plan.seed, chunk, k]) for k, name in enumerate(names)}


def write_survey(
    plan: Plan,
    kind: str,
    bands: tuple[str, ...],
    simulate: Callable[[Plan, int], dict[str, Rows]],
    quiet: bool,
    folders: tuple[str, ...] = ("cutouts", "spectra"),
    observing: Mapping[str, object] | None = None,
) -> Path:
    """Writes the folder of a survey, see `simulate_galaxies`.

    Args:
        plan: Its folder is the one to write.
        kind: Name of the objects, in the plural.
        bands: Of the cutouts or light curves.
        simulate: Writes the objects of a chunk that the plan keeps and returns the tables of all by file name.
        quiet: Shows no progress bar.
        folders: Where the files of objects go.
        observing: What the manifest says of grid and limits; by default what the plan does.

    Returns:
        The folder.

    Raises:
        FolderError: If something that the kit did not write is in the way.
        OutputError: If the disk is full.
    """
    with new_folder(plan.folder, "survey") as folder:
        for name in folders:
            (folder / name).mkdir()
        bar = progress(total=plan.count, description="simulate", unit=kind, quiet=quiet)
        parts = []
        for chunk, tables in enumerate(_run(replace(plan, folder=folder), simulate)):
            parts.append(tables)
            bar.update(plan.kept(chunk))
        bar.close()
        for name, columns in parts[0].items():
            whole = {key: np.concatenate([part[name][key] for part in parts]) for key in columns}
            write_table(folder / name, {key: values[: plan.count] for key, values in whole.items()})
        seen = observing or {"spectra": plan.grid, "observing": asdict(plan.observing)}
        settings = {"count": plan.count, "seed": plan.seed, "templates": Path(plan.templates).name}
        write_manifest(folder, "survey", {"survey": kind, "origin": "mock", "bands": bands, **settings, **seen})
    return plan.folder


def _run(plan: Plan, simulate: Callable[[Plan, int], dict[str, Rows]]) -> Iterator[dict[str, Rows]]:
    """The tables of every chunk, in order."""
    chunks = range(-(-plan.count // CHUNK))
    if plan.workers == 1 or len(chunks) == 1:
        yield from (simulate(plan, chunk) for chunk in chunks)
        return
    with ThreadPoolExecutor(plan.workers) as pool:
        yield from pool.map(lambda chunk: simulate(plan, chunk), chunks)


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
