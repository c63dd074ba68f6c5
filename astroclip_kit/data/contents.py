"""What is in a dataset, in numbers and as text: what ``astroclip-kit info`` prints."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..storage import read_journal
from ..types import Modality
from . import crossmatch
from .dataset import Dataset
from .labels import differing_classes

__all__ = ["describe", "notes", "render"]

MOST_CLASSES = 12
MOST_REASONS = 10
LOOKED_AT = 100  # objects of which the covariates are read


def describe(dataset: Dataset | str | os.PathLike[str]) -> dict[str, Any]:
    """Counts modalities, labels and what was left out.

    Args:
        dataset: A dataset or its folder.

    Returns:
        Plain values: name, origin, rows, groups, modalities (kind, shape, channels, bands, wavelength range,
        present, missing fraction), together (which modalities occur on one row, and how often), labels, notes
        (what to look into, as sentences), and dropped, drops, ambiguous, unmatched and moved of the ingest.

    Raises:
        FolderError: If the folder is no dataset.
    """
    dataset = dataset if isinstance(dataset, Dataset) else Dataset(dataset)
    present = {name: dataset.present(name) for name in dataset.modalities}
    kept = ("name", "origin", "sources", "dropped", "drops", "ambiguous", "unmatched")
    return {
        **{key: dataset.manifest[key] for key in kept},
        "moved": dataset.manifest.get("moved", {}),
        "rows": len(dataset),
        "groups": len(np.unique(dataset.groups)),
        "coordinates": int(np.isfinite(dataset.ra).sum()),
        "modalities": {name: _modality(one, present[name]) for name, one in dataset.modalities.items()},
        "together": _together(present),
        "labels": {name: _label(values) for name, values in dataset.labels.items()},
        "notes": notes(dataset),
    }


def _together(present: Mapping[str, npt.NDArray[np.bool_]]) -> dict[str, int]:
    """Modalities that occur on one row, and on how many; the most frequent first."""
    combined = np.stack(list(present.values()), axis=1)
    kinds, counts = np.unique(np.packbits(combined, axis=1), axis=0, return_counts=True)
    rows = np.unpackbits(kinds, axis=1, count=len(present)).astype(bool)
    order = np.argsort(-counts, kind="stable")
    return {" + ".join(np.array(list(present))[rows[kind]]): int(counts[kind]) for kind in order}


def notes(dataset: Dataset) -> list[str]:
    """What reading and matching may have got wrong, each with the way out; nothing if all seems well."""
    found = (
        *_unread(dataset),
        *_uncovered(dataset),
        *_unmatched(dataset),
        _nothing_together(dataset),
        _parted(dataset),
        _begun(dataset),
        *_differing(dataset),
    )
    return [note for note in found if note]


def _unread(dataset: Dataset) -> Iterator[str]:
    """The sources of which more could not be read than could: a wrong reader, or several surveys in one folder."""
    for name, counts in dataset.manifest["sources"].items():
        unread = counts.get("unread", 0)
        if unread > counts["observations"]:
            reason = next((one["reason"] for one in dataset.manifest["drops"] if one["source"] == name), "")
            yield (
                f"{unread} of {unread + counts['observations']} files or rows of {name} could not be used; check that "
                f"the reader fits the folder; drops.csv lists them all, often: {reason.rstrip('.')}"
            )


def _uncovered(dataset: Dataset) -> Iterator[str]:
    """The modalities whose objects lack the numbers beside them."""
    for name, modality in dataset.modalities.items():
        counts = dataset.manifest["sources"].get(name, {})
        if without := counts.get("without_row", 0):
            share = without / counts["observations"]
            yield (
                f"{without} of {counts['observations']} observations of {name} ({share:.1%}) have no row in the table "
                f"of {', '.join(modality.covariates)}: these are missing there"
            )
        rows = np.flatnonzero(dataset.present(name))[:LOOKED_AT]
        if modality.covariates and len(rows):
            views = dataset.views(name, rows)
            numbers = views[:, 0, 4:] if modality.kind == "lightcurve" else views[:, 2:, 0]
            absent = [one for one, its in zip(modality.covariates, numbers.T, strict=True) if np.isnan(its).all()]
            if absent:
                yield f"{name} has no {', no '.join(absent)} in any of the first {len(rows)} objects: see its source"


def _differing(dataset: Dataset) -> Iterator[str]:
    """The classes that sources do not agree on."""
    catalogues = [name for name in dataset.manifest["sources"] if name not in dataset.modalities]
    yield from differing_classes(dataset.labels, catalogues, list(dataset.modalities))


def _unmatched(dataset: Dataset) -> Iterator[str]:
    """The catalogues of which no row belongs to an observation."""
    by_position = dataset.manifest["matching"]["by"] == "position"
    radius = dataset.manifest["matching"]["radius_arcsec"]
    how = f"within {radius:g} arcsec; check its coordinates" if by_position else "by id"
    way_out = "" if by_position else "; if it has other ids, match by position with --matching.by position"
    for name, count in dataset.manifest["unmatched"].items():
        if count and not dataset.manifest["sources"][name].get("joined", 1):
            yield f"none of {count} rows of {name} belongs to an observation {how}{way_out}"


def _begun(dataset: Dataset) -> str:
    """Whether another dataset is being written into the same folder."""
    journal = read_journal(dataset.root)
    if not journal or journal[0].get("inputs") == dataset.manifest["inputs"]:
        return ""
    return "an ingest of other files or settings into this folder was begun; the same command goes on with it"


def _nothing_together(dataset: Dataset) -> str:
    """Whether there are several modalities, and no row has two of them."""
    present = [dataset.present(name) for name in dataset.modalities]
    if len(present) < 2 or not all(here.any() for here in present) or (np.sum(present, axis=0) > 1).any():
        return ""
    names = " and ".join(dataset.modalities)
    what = f"both {names}" if len(present) == 2 else f"two of {names}"
    if dataset.manifest["matching"]["by"] == "position":
        radius = dataset.manifest["matching"]["radius_arcsec"]
        return f"no object has {what} within {radius:g} arcsec; check the coordinates, or --matching.radius_arcsec"
    ids = " and ".join(repr(str(dataset.object_ids[here][0])) for here in present)
    return f"no object has {what}; ids look like {ids}; match by position with --matching.by position"


def _parted(dataset: Dataset) -> str:
    """How many rows share a position with a row of another group."""
    radius = dataset.manifest["matching"]["radius_arcsec"]
    known = np.isfinite(dataset.ra) & np.isfinite(dataset.dec)
    place = crossmatch.groups(dataset.ra[known], dataset.dec[known], radius)
    shared = int((pd.Series(dataset.groups[known]).groupby(place).transform("nunique") > 1).sum())
    if not shared:
        return ""
    return (
        f"{shared} rows share a position (within {radius:g} arcsec) with a row of another group, which a split may "
        "put on the other side; keep them together with --matching.group position"
    )


def _modality(modality: Modality, present: npt.NDArray[np.bool_]) -> dict[str, Any]:
    wavelength = modality.wavelength_angstrom if modality.kind == "spectrum" else np.zeros(0)
    return {
        "kind": modality.kind,
        "shape": list(modality.shape),
        "channels": list(modality.channels),
        "bands": list(modality.bands or (modality.channels if modality.kind == "image" else ())),
        "unit": modality.unit,
        "wavelength_angstrom": [float(wavelength.min()), float(wavelength.max())] if len(wavelength) else [],
        "pixel_scale_arcsec": modality.pixel_scale_arcsec if modality.kind == "image" else None,
        "source_pixel_scale_arcsec": modality.source_pixel_scale_arcsec if modality.kind == "image" else None,
        "present": int(present.sum()),
        "missing": float(1 - present.mean()),
    }


def _label(values: npt.NDArray[Any]) -> dict[str, Any]:
    if values.dtype.kind == "U":
        names, counts = np.unique(values[values != ""], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return {"count": int(counts.sum()), "classes": {str(names[i]): int(counts[i]) for i in order}}
    known = values[np.isfinite(values)]
    if not len(known):
        return {"count": 0}
    return {"count": len(known), "min": known.min(), "median": float(np.median(known)), "max": known.max()}


def render(description: Mapping[str, Any]) -> str:
    """The text of what `describe` found."""
    return "\n".join(_lines(description))


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"dataset {found['name']} ({found['origin']} data)"
    yield f"{found['rows']} rows of {found['groups']} objects, {found['coordinates']} with coordinates"
    yield "modalities"
    for name, one in found["modalities"].items():
        yield f"  {name:<12} {one['present']:>8} ({one['missing']:.1%} missing)  {_view(one)}"
    yield "on one row"
    for names, count in found["together"].items():
        yield f"  {count:>8}  {names}"
    if found["labels"]:
        yield "labels"
    for name, label in found["labels"].items():
        yield f"  {name:<12} {label['count']:>8}  {_values(label)}"
    yield f"dropped {found['dropped']}, ambiguous matches {found['ambiguous']}"
    for drop in found["drops"][:MOST_REASONS]:
        yield f"  {drop['count']:>8}  {drop['source']}: {drop['reason']}"
    if len(found["drops"]) > MOST_REASONS:
        yield "  more reasons in drops.csv"
    for name, count in found["unmatched"].items():
        yield f"{count} rows of {name} belong to no observation"
    for name, count in found["moved"].items():
        yield f"{count} positions of {name} were moved by their proper motions before they were compared"
    for note in found["notes"]:
        yield f"note: {note}"


def _view(one: Mapping[str, Any]) -> str:
    shape = " x ".join("any" if axis == -1 else str(axis) for axis in one["shape"])
    parts = [f"{one['kind']} {shape}", ", ".join(one["bands"] or one["channels"])]
    if one["wavelength_angstrom"]:
        parts.append("{:.0f} to {:.0f} Angstrom".format(*one["wavelength_angstrom"]))
    if one["pixel_scale_arcsec"]:
        read = one["source_pixel_scale_arcsec"]
        resampled = f" (resampled from {read:g})" if read != one["pixel_scale_arcsec"] else ""
        parts.append(f"{one['pixel_scale_arcsec']} arcsec per pixel{resampled}")
    return "; ".join([*parts, one["unit"]] if one["unit"] else parts)


def _values(label: Mapping[str, Any]) -> str:
    if "classes" in label:
        classes = list(label["classes"].items())
        listed = ", ".join(f"{name} {count}" for name, count in classes[:MOST_CLASSES])
        return listed + (f", and {len(classes) - MOST_CLASSES} more" if len(classes) > MOST_CLASSES else "")
    return f"{label['min']:.6g} to {label['max']:.6g}, median {label['median']:.6g}" if label["count"] else "none"
