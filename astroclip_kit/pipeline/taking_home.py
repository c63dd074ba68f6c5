"""Verbs that carry what the kit holds to other tools."""

from __future__ import annotations

from pathlib import Path

from ..errors import UsageError
from .parts import Folder, open_data, words

__all__ = ["export"]

LAYOUTS = {"hats": "write_hats", "multimodal_universe": "write_multimodal_universe"}


def export(data: Folder = "data", out: Folder = "exported", *, to: str = "hats", labels: str | list[str] = "") -> str:
    """Writes a dataset in a layout that other tools read.

    Args:
        data: Dataset folder.
        out: Folder to write; an older export there is replaced.
        to: "hats" (a HATS catalogue, for LSDB) or "multimodal_universe" (HDF5 files by sky pixel).
        labels: Labels to keep, "z,logmstar"; all by default.

    Returns:
        What was written, and what was left out.
    """
    from .. import surveys
    from ..data import Dataset

    if to not in LAYOUTS:
        raise UsageError(f"cannot export to {to!r}; there is: {', '.join(LAYOUTS)}.")
    dataset = open_data(data)
    if not isinstance(dataset, Dataset):
        raise UsageError(f"{data}: expected a dataset; features are columns already.")
    chosen = words(labels) or None
    unknown = [label for label in chosen or () if label not in dataset.labels]
    if unknown:
        raise UsageError(f"no label {unknown[0]!r} in the dataset; it has {', '.join(dataset.labels) or 'none'}.")
    write, origin = getattr(surveys, LAYOUTS[to]), dataset.manifest["origin"]
    drops = write(out, dataset, dataset.modalities, labels=chosen, origin=origin)
    left = f"; {len(drops):,} left out, see {Path(out) / 'skipped.csv'}" if drops else ""
    return f"{out}: {len(dataset) - len(drops):,} objects of {dataset.root} as {to}{left}"
