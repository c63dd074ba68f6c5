"""What survey files hold and what would become of them, in words, before anything is written."""

from __future__ import annotations

import math
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from shlex import quote
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from ..errors import FileError, KitError, UsageError
from ..settings import Matching
from ..types import Drop, Modality, Sample

if TYPE_CHECKING:
    from ..surveys.recognition import Found, Survey

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
    from ..surveys.recognition import counted, recognise

    lines = [f"{root}: survey files"]
    usable: dict[str, _Use] = {}
    for found in recognise(root):
        name = found.survey.name if found.survey else _weights(found.example) or "not recognised"
        lines.append(f"  {name}: {counted(found.files, 'file')}, such as {found.example}")
        if found.survey:
            said, use = _one(found, found.survey)
            lines += [f"    {line}" for line in said]
            usable |= {found.survey.kind: use} if use and found.survey.kind not in usable else {}
    if usable:
        lines.append(_command(usable))
    return "\n".join(lines if len(lines) > 1 else [f"{root}: no files"])


def _weights(path: Path) -> str:
    """Whose weights a file of safetensors holds, and what reads them; "" of other files."""
    if path.suffix != ".safetensors":
        return ""
    from ..encoders.checkpoints import looks_like, read_checkpoint

    try:
        told = looks_like(read_checkpoint(path)).rstrip(".")
    except KitError as error:
        return f"weights that cannot be read ({str(error).rstrip('.')})"
    return f"weights; {told[:1].lower()}{told[1:].replace('FILE', quote(str(path)))}"


@dataclass(frozen=True)
class _Use:
    """What `ingest` takes for the files of one survey.

    Args:
        path: Folder or file.
        ids: What an id looks like, digits as "#"; "" where the objects have none.
        is_placed: Whether the objects have coordinates.
    """

    path: Path
    ids: str
    is_placed: bool


def _one(found: Found, survey: Survey) -> tuple[list[str], _Use | None]:
    """What one file gives, and what `ingest` takes to read all of them; None where more has to be said."""
    from .. import surveys

    notes = [survey.note] if survey.note and not survey.reader else []
    if not survey.reader:
        return notes, None
    if survey.needs or survey.kind not in FLAGS:
        needs = f": {survey.needs} must be said" if survey.needs else ""
        return [f"start from configs/{survey.config}.yaml{needs}"], None
    try:
        reader = getattr(surveys, survey.reader)(found.example)
        item = next(iter(reader.read(found.example)), None)
        lines = list(_content(reader, item))
        path = found.example if survey.kind == "catalogue" else _source(found, survey.kind)
    except KitError as error:
        return [f"this one cannot be read: {error}"], None
    if path is None:
        said = f"or name each as a source with its pattern, starting from configs/{survey.config}.yaml"
        return [*lines, f"files of several surveys lie there: move these into a folder of their own, {said}"], None
    if survey.note:
        setting = f"--set ingest.sources.{survey.kind}.init_args.root={quote(str(path))}"
        lines.append(f"{survey.note}: astroclip-kit run configs/{survey.config}.yaml {setting}")
    has_ids = survey.kind != "catalogue" or bool(reader.id_column)
    ids = re.sub(r"\d+", "#", item.object_id) if isinstance(item, Sample) and has_ids else ""
    return lines, _Use(path, ids, isinstance(item, Sample) and not math.isnan(item.ra))


def _source(found: Found, kind: str) -> Path | None:
    """The folder from which `ingest` reads the files, or the only file; None where others lie among them."""
    from ..surveys import reader_for

    for path in (found.folder, found.example) if found.files == 1 else (found.folder,):
        try:
            reader_for(path, kind)
        except UsageError:
            continue
        return path
    return None


def _command(usable: Mapping[str, _Use]) -> str:
    """One command that ingests all of it; a catalogue alone is nothing to ingest."""
    words = [f"{flag} {quote(str(usable[kind].path))}" for kind, flag in FLAGS.items() if kind in usable]
    if not usable.keys() - {"catalogue"}:
        return f"a catalogue labels other observations: add it to those that are ingested, {words[0]}"
    differing = len({use.ids for use in usable.values()}) > 1 or any(not use.ids for use in usable.values())
    if differing and all(use.is_placed for use in usable.values()):
        words.append("--by position")
    return " ".join(["astroclip-kit ingest data", *words])


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
    from ..surveys.recognition import counted

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
        lines.append(f"  {name}: {counted(len(files), 'file')} by {shorten(repr(reader), 120)}")
        lines.append(
            f"    {len(chosen)} tried: {counted(len(samples), 'observation')}, {sum(reasons.values()):,} left out"
        )
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
