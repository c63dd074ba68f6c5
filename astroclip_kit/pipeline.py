"""One function per verb: each reads folders, writes one folder and returns the object that stands for it.

The same functions are the command line and the notebook. An argument that names a folder also takes the
object that stands for it; a part (reader, encoder, head, augmentation) is an object, or in a configuration its
``class_path`` and ``init_args``. No science in here: only the order in which the rooms are used.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UsageError
from .settings import Alignment, Hardware, Matching, Split, Training

if TYPE_CHECKING:
    from astropy.table import Table

    from .alignment import ContrastiveModel
    from .data import Dataset
    from .embeddings import EmbeddingStore
    from .features import FeatureSet

__all__ = ["align", "embed", "evaluate", "extract", "info", "ingest", "predict", "quickstart", "run", "search", "simulate"]

VERBS = ("quickstart", "simulate", "ingest", "info", "extract", "align", "embed", "search", "predict", "evaluate", "run")
Folder = str | os.PathLike[str]


def quickstart(out: Folder = "demo", *, count: int = 3000, seed: int = 0) -> Table:
    """Simulates a small survey, aligns it, searches it and reports: five minutes, no data needed.

    Args:
        out: Folder for everything.
        count: Number of galaxies.
        seed: Another seed gives another survey and another training.

    Returns:
        The most telling results, with intervals.
    """
    from importlib.resources import as_file, files

    with as_file(files("astroclip_kit") / "quickstart.yaml") as path:
        changes = [f"data={Path(out) / 'survey'}", f"seed={seed}", f"simulate.count={count}"]
        return run(path, out, overrides=changes)


def simulate(
    kind: str = "galaxies", out: Folder = "survey", *, count: int = 3000, seed: int = 0, spectra: str = "sdss", workers: int = 2
) -> Path:
    """Writes a mock survey with known truth in real file formats.

    Args:
        kind: What is simulated: "galaxies" (cutouts, spectra and a catalogue).
        out: Folder to write: ``cutouts/``, ``spectra/``, ``catalogue.fits``.
        count: Number of objects.
        seed: The same seed gives the same bytes.
        spectra: Grid of the spectra: "sdss" or "desi".
        workers: Processes.

    Returns:
        The folder.
    """
    from .mock import simulate_galaxies

    if kind != "galaxies":
        raise UsageError(f"cannot simulate {kind!r}; there is: galaxies.")
    return simulate_galaxies(Path(out), count, seed, spectra=spectra, workers=workers)
