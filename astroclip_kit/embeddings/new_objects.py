"""New objects with every modality that a model needs: from a dataset, or from survey files matched to each other."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.crossmatch import match, separation_arcsec, unit_vectors
from ..data.dataset import Dataset
from ..errors import FileError, InputError, UsageError
from ..storage import own_manifest
from ..surveys.recognition import recognise
from ..types import Drop, Modality, Sample
from .measured_tables import measured, tables_with, with_covariates
from .observations import adapted, read_observations

__all__ = ["new_objects"]

Given = str | os.PathLike[str] | Mapping[str, Any] | Dataset


def new_objects(
    given: Given, modalities: Mapping[str, Modality], radius_arcsec: float = 1.0, *, partial: bool = False
) -> Iterator[Sample | Drop]:
    """Objects as a model takes them; one that lacks a modality, or cannot be used, is a drop with its reason.

    Args:
        given: A dataset or its folder; or a folder or file of survey files that the kit recognises; or modality to such
            a path, or to ``{"file": path, "reader": name or class_path and init_args}``. Covariates of light curves
            and spectra are those of the one table that has them, in the folder of the files or the one above.
        modalities: What the model was trained on; each object is to have all of them, or any where it is partial.
        radius_arcsec: Observations that share no id are one object if they are each other's nearest within that; those
            that share one are left out if they are farther apart.
        partial: Whether an object may lack modalities, as long as it has one; a modality of which nothing can be used
            is a drop then.

    Yields:
        Samples with their modalities, in the bands, pixels, wavelengths and unit of the model.

    Raises:
        FileError: If there is nothing there.
        InputError: If a modality is nowhere, or nothing of it can be used.
        UsageError: If it cannot be told which files hold what.
    """
    if isinstance(given, (str, os.PathLike)) and own_manifest(Path(given)).get("kind") == "dataset":
        given = Dataset(given)
    if isinstance(given, Dataset):
        yield from _of_dataset(given, modalities, partial)
        return
    files: dict[str, Any] = dict(given) if isinstance(given, Mapping) else {**_files(Path(given), modalities)}
    if unknown := [name for name in files if name not in modalities]:
        raise UsageError(f"input: the model has no modality {unknown[0]!r}; it takes {', '.join(modalities)}.")
    missing = [name for name in modalities if name not in files]
    if missing and (not partial or len(missing) == len(modalities)):
        raise InputError(
            f"input: there is no {_described(missing[0], modalities[missing[0]])}, and the model needs "
            f"{_wanted(modalities, partial)}. Give each as "
            f"{','.join(f'{name}={_path(one)}' for name, one in modalities.items())}."
        )
    found: dict[str, list[Sample]] = {}
    problems: list[FileError | InputError] = []
    for name, modality in modalities.items():
        if name not in files:
            continue
        told = files[name] if isinstance(files[name], Mapping) else {"file": files[name]}
        try:
            found[name], skipped = _read(told.get("file", ""), told.get("reader"), modality)
        except (FileError, InputError) as error:
            if not partial or not (told.get("reader") or Path(told.get("file", "")).exists()):
                raise
            problems.append(error)
            skipped = [f"{told.get('file') or name}: {name} is not used, {error}"]
        yield from (Drop(*_parted(reason)) for reason in skipped)
    if not found:
        raise problems[0]
    yield from _matched(found, radius_arcsec, partial)


def _read(file: str | Path, reader: Any, modality: Modality) -> tuple[list[Sample], list[str]]:
    """The observations of one modality, and why others were left out.

    Raises:
        FileError: If the only file cannot be used, or no object is in the table of its covariates.
        InputError: If nothing can be used.
        UsageError: If the kit cannot tell how to read it.
    """
    if not reader and Path(file).exists():
        if modality.kind == "table":
            reader = measured(file, modality.channels, modality.name)
        elif modality.covariates:
            reader = with_covariates(file, modality)
    samples, skipped = read_observations([file], reader, modality)
    if check := getattr(reader, "check_objects", None):
        check([one.object_id for one in samples])
    return samples, skipped


def _path(modality: Modality) -> str:
    return "TABLE" if modality.kind == "table" else "FOLDER"


def _described(name: str, modality: Modality) -> str:
    """A modality as users find it: of a table with its columns."""
    return f"{name} (a table with the columns {', '.join(modality.channels)})" if modality.kind == "table" else name


def _parted(reason: str) -> tuple[str, str]:
    """Who was skipped, and why."""
    who, _, why = reason.partition(": ")
    return who, why or who


def _of_dataset(dataset: Dataset, modalities: Mapping[str, Modality], partial: bool) -> Iterator[Sample | Drop]:
    missing = [name for name in modalities if name not in dataset.modalities]
    if missing and (not partial or len(missing) == len(modalities)):
        raise InputError(f"{dataset.root} has no {missing[0]}, and the model needs {_wanted(modalities, partial)}.")
    for sample in dataset:
        lacking = [name for name in modalities if name not in sample.views]
        if lacking and (not partial or len(lacking) == len(modalities)):
            yield Drop(sample.object_id, f"has no {' and no '.join(lacking)}.")
            continue
        try:
            views = {
                name: adapted(sample.views[name], dataset.modalities[name], modality)
                for name, modality in modalities.items()
                if name in sample.views
            }
        except InputError as error:
            yield Drop(sample.object_id, str(error))
        else:
            yield replace(sample, views=views)


def _wanted(modalities: Mapping[str, Modality], partial: bool) -> str:
    return (" or " if partial else " and ").join(modalities)


def _files(given: Path, modalities: Mapping[str, Modality]) -> dict[str, Path]:
    """Which survey files belong to which modality, by their kind; tables by their columns.

    Raises:
        FileError: If there is nothing at the path.
        UsageError: If several could be meant.
    """
    if not given.exists():
        raise FileError(given, "no such file or folder.")
    known = [one for one in recognise(given) if one.survey and one.survey.reader]
    kinds: dict[str, list[str]] = {}
    for name, modality in modalities.items():
        kinds.setdefault(modality.kind, []).append(name)
    tables = kinds.pop("table", []) if given.is_dir() else []
    found = {name: given for name in tables if tables_with(given, modalities[name].channels)}
    for kind, names in kinds.items():
        fitting = [one for one in known if one.survey and one.survey.kind.replace("catalogue", "table") == kind]
        if len(fitting) > 1 or (fitting and len(names) > 1):
            raise UsageError(
                f"{given}: found {'; '.join(one.counted for one in fitting)} for {' and '.join(names)} of the model. "
                f"Say which is which: {','.join(f'{name}=PATH' for name in modalities)}."
            )
        if fitting:
            found[names[0]] = fitting[0].folder if fitting[0].files > 1 else fitting[0].example
    if not found:
        told = ", ".join(one.counted for one in known) or "nothing that the kit knows"
        raise UsageError(f"{given}: found {told}, the model takes {' and '.join(modalities)}. Give such files.")
    return found


def _matched(
    found: Mapping[str, Sequence[Sample]], radius_arcsec: float, partial: bool = False
) -> Iterator[Sample | Drop]:
    """Objects of the first modality with what belongs to them of the others: by id, else by position.

    Where objects may lack modalities, what belongs to none of them is an object of its own.
    """
    (first, given), *others = found.items()
    base: list[Sample | Drop] = [*given]
    for name, samples in others:
        seen = [one for one in base if isinstance(one, Sample)] if partial else given
        places = [at for at, one in enumerate(base) if isinstance(one, Sample)] if partial else range(len(given))
        used, pairs = set(), _pairs(seen, samples, radius_arcsec)
        if not (pairs or partial):
            raise InputError(
                f"no {name} belongs to any {first}: no id is the same (the first are {samples[0].object_id} and "
                f"{given[0].object_id}), and none are within {radius_arcsec:g} arcsec of each other. Call the objects "
                f"alike in both, in a column object_id or by their coordinates."
            )
        for at, other in pairs:
            base[places[at]] = _joined(base[places[at]], samples[other], first, name, radius_arcsec)
            used.add(other)
        lone = [one for at, one in enumerate(samples) if at not in used]
        if partial:
            base += lone
        else:
            yield from (Drop(one.object_id, f"has no {first}.") for one in lone)
    needed = () if partial else tuple(found)
    for one in base:
        if isinstance(one, Sample) and (lacking := [name for name in needed if name not in one.views]):
            yield Drop(one.object_id, f"has no {' and no '.join(lacking)}.")
        else:
            yield one


def _joined(one: Sample | Drop, other: Sample, first: str, name: str, radius_arcsec: float) -> Sample | Drop:
    """An object with what is of it in another modality; a drop if that is elsewhere on the sky."""
    if isinstance(one, Drop):
        return one
    if math.isnan(one.ra) or math.isnan(other.ra):
        place = (other.ra, other.dec) if math.isnan(one.ra) else (one.ra, one.dec)
        return replace(one, views={**one.views, **other.views}, ra=place[0], dec=place[1])
    here, there = unit_vectors([one.ra, other.ra], [one.dec, other.dec])
    apart = float(separation_arcsec(np.array([np.linalg.norm(here - there)]))[0])
    if apart > radius_arcsec * (1 + 1e-6):  # neighbours were found by another sum
        return Drop(
            one.object_id,
            f"its {first} is at ({one.ra:.5f}, {one.dec:.5f}) deg and the {name} of the same id at ({other.ra:.5f}, "
            f"{other.dec:.5f}), {apart:,.1f} arcsec apart, more than radius_arcsec ({radius_arcsec:g}).",
        )
    return replace(one, views={**one.views, **other.views})


def _pairs(base: Sequence[Sample], others: Sequence[Sample], radius_arcsec: float) -> list[tuple[int, int]]:
    """Places of observations of one object in both lists, by id wherever these are."""
    number = {one.object_id: at for at, one in reversed(list(enumerate(others)))}
    pairs = [(at, number[one.object_id]) for at, one in enumerate(base) if one.object_id in number]
    rest, left = _unmatched(base, {one for one, _ in pairs}), _unmatched(others, {other for _, other in pairs})
    (ra1, dec1), (ra2, dec2) = _places(base, rest), _places(others, left)
    nearest = match(ra1, dec1, ra2, dec2, radius_arcsec)
    return pairs + [(rest[one], left[other]) for one, other in zip(nearest.first, nearest.second, strict=True)]


def _unmatched(samples: Sequence[Sample], taken: set[int]) -> list[int]:
    return [at for at, one in enumerate(samples) if at not in taken and not math.isnan(one.ra)]


def _places(samples: Sequence[Sample], rows: Sequence[int]) -> npt.NDArray[np.float64]:
    """Right ascensions and declinations [2, n]."""
    return np.array([[samples[at].ra, samples[at].dec] for at in rows], dtype=np.float64).reshape(-1, 2).T
