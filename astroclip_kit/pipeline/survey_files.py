"""What survey files hold and what would become of them, in words, before anything is written."""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from textwrap import shorten
from typing import Any

from ..errors import FileError, KitError, UsageError
from ..settings import Matching
from ..types import Drop, Modality, Sample

__all__ = ["dry_run", "raw_folder"]

LOOKED_AT = 20  # files of each source that a dry run reads
ROWS = 1000  # observations of each file
FLAGS = {"image": "--images", "spectrum": "--spectra", "catalogue": "--catalogue"}


def raw_folder(root: Path) -> str:
    """What a folder of survey files holds: the survey, how many files, what one of them gives, and what to type.

    Args:
        root: The folder, or one file.

    Raises:
        FileError: If there is nothing at `root`.
    """
    from ..surveys.recognition import recognise

    lines = [f"{root}: survey files"]
    for found in recognise(root):
        name = found.survey.name if found.survey else "not recognised"
        lines.append(f"  {name}: {found.files:,} file{'s' * (found.files != 1)}, such as {found.example}")
        if found.survey:
            lines += [f"    {line}" for line in _one(found.example, found.survey)]
    return "\n".join(lines if len(lines) > 1 else [f"{root}: no files"])


def _one(path: Path, survey: Any) -> Iterator[str]:
    """What one file gives, and how to ingest all of them."""
    from .. import surveys

    flag = FLAGS.get(survey.kind)
    if not survey.reader:
        yield "read together with the files that they belong to"
    elif survey.needs or not flag:
        yield f"start from configs/{survey.config}.yaml"
    else:
        try:
            reader = getattr(surveys, survey.reader)(path)
            yield from _content(reader, next(iter(reader.read(path)), None))
        except KitError as error:
            yield f"this one cannot be read: {error}"
        yield f"astroclip-kit ingest data {flag} {path if survey.kind == 'catalogue' else path.parent}"


def _content(reader: Any, item: Sample | Drop | None) -> Iterator[str]:
    if reader.modality:
        yield _modality(reader.modality)
    if isinstance(item, Sample):
        place = "no coordinates" if math.isnan(item.ra) else f"ra {item.ra:.5f}, dec {item.dec:.5f}"
        yield f"object {item.object_id!r}, {place}; labels: {_some(list(item.labels)) or 'none'}"


def _some(names: list[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _modality(modality: Modality) -> str:
    """One line, e.g. ``image: g, r, z; 64 x 64 px of 0.262 arcsec; nmgy``."""
    parts = [_some(list(modality.bands or modality.channels))]
    if modality.kind == "image":
        parts.append(f"{' x '.join(map(str, modality.shape[1:]))} px of {modality.pixel_scale_arcsec:.4g} arcsec")
    if modality.kind == "spectrum":
        parts.append(f"{modality.grid[0]:.0f}-{modality.grid[-1]:.0f} Angstrom, {len(modality.grid):,} px")
    return f"{modality.kind}: {'; '.join([*parts, modality.unit or 'no unit'])}"


def dry_run(readers: Mapping[str, Any], matching: Matching, workers: int) -> str:
    """What `ingest` found and would do, from a few files of every source; writes nothing.

    Args:
        readers: Name of a modality, or of a catalogue, to its reader.
        matching: How observations would become rows.
        workers: Processes that would read; 0 for one per core.

    Raises:
        UsageError: If a reader finds no files.
    """
    lines, size, seconds, ids = ["dry run: nothing was written"], 0.0, 0.0, {}
    for name, reader in readers.items():
        files = reader.files()
        if not len(files):
            raise UsageError(f"source {name!r}: {reader!r} finds no files. Check its path and pattern.")
        chosen = [files[row] for row in sorted({len(files) * step // LOOKED_AT for step in range(LOOKED_AT)})]
        start = time.perf_counter()
        samples, reasons = _try(reader, chosen)
        share = len(files) / len(chosen)
        seconds += (time.perf_counter() - start) * share
        size += share * sum(view.nbytes for sample in samples for view in sample.views.values())
        lines.append(f"  {name}: {len(files):,} files by {shorten(repr(reader), 120)}")
        lines.append(f"    {len(chosen)} tried: {len(samples):,} observations, {sum(reasons.values()):,} left out")
        lines += [f"    left out {count} x {reason[:200]}" for reason, count in reasons.most_common(3)]
        lines += [f"    {line}" for line in _content(reader, samples[0] if samples else None)]
        ids[name] = [sample.object_id for sample in samples[:3]]
    lines.append(f"  matched by {_how(matching, ids)}")
    wait = seconds / (workers or os.cpu_count() or 1)
    lines.append(f"  about {size / 1e6:,.1f} MB to write, about {wait:,.0f} s to read on this machine")
    return "\n".join(lines)


def _try(reader: Any, files: list[Path]) -> tuple[list[Sample], Counter[str]]:
    """The observations of some files, and why others were left out."""
    samples, reasons = [], Counter[str]()
    for path in files:
        try:
            for item in islice(reader.read(path), ROWS):
                if isinstance(item, Drop):
                    reasons[item.reason] += 1
                else:
                    samples.append(item)
        except FileError as error:
            reasons[error.problem] += 1
    return samples, reasons


def _how(matching: Matching, ids: Mapping[str, list[str]]) -> str:
    if matching.by == "position":
        return f"position, within {matching.radius_arcsec:g} arcsec"
    listed = "; ".join(f"{name} {', '.join(found)}" for name, found in ids.items())
    return f"id ({listed}). If these are not ids of one kind, use --by position"
