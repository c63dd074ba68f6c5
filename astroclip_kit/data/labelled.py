"""Classes from a table of their own, and how many objects of each are left when some lack an image or a spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..surveys.tables import TableReader
from ..types import Drop, Sample
from . import crossmatch
from .dataset import Dataset

__all__ = ["Labelled", "Selection", "label_objects"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Selection:
    """How many objects of each class are left, stage by stage.

    Args:
        stages: What each stage asks for besides those before it.
        classes: Their names.
        counts: Objects [stages, classes].
    """

    stages: tuple[str, ...]
    classes: tuple[str, ...]
    counts: Rows


@dataclass(frozen=True)
class Labelled:
    """A dataset of which objects have a class.

    Args:
        dataset: With the label.
        label: Its name.
        classes: Of each labelled object, once: those of the table, or those of the rows that have one [M]; as text.
        entries: Of each row of the dataset, which of these it is; -1 for none [N].
    """

    dataset: Dataset
    label: str
    classes: npt.NDArray[np.str_]
    entries: Rows

    @classmethod
    def of(cls, dataset: Dataset, label: str) -> Labelled:
        """By a label that the dataset has."""
        values = np.asarray(dataset.labels.get(label, np.full(len(dataset), "")))
        known = values != "" if values.dtype.kind == "U" else np.isfinite(values)
        entries = np.where(known, np.cumsum(known) - 1, -1)
        return cls(dataset, label, values[known].astype(str), entries)

    def selection(self, modalities: Sequence[str], any_modality: bool = False) -> Selection:
        """How many are left when they need one modality after the other; and, where asked for, any of them."""
        names = np.unique(self.classes)
        left = self.entries >= 0
        stages, counts = ["labelled"], [[int((self.classes == name).sum()) for name in names]]
        for number, modality in enumerate(modalities):
            left = left & self.dataset.present(modality)
            kept = self.classes[np.unique(self.entries[left])]
            stages.append("with " + " and ".join(modalities[: number + 1]))
            counts.append([int((kept == name).sum()) for name in names])
        if any_modality and len(modalities) > 1:
            here = np.any([self.dataset.present(name) for name in modalities], axis=0)
            kept = self.classes[np.unique(self.entries[here & (self.entries >= 0)])]
            stages.append("with any of these")
            counts.append([int((kept == name).sum()) for name in names])
        return Selection(tuple(stages), tuple(names.tolist()), np.array(counts, dtype=np.int64))


def label_objects(dataset: Dataset, table: TableReader, label: str, radius_arcsec: float = 1.0) -> Labelled:
    """Gives the objects of a dataset the label of a table's row: by id (of the row, or the object), else by position.

    Args:
        dataset: N rows.
        table: Reads the label, and an id, or coordinates, or both.
        label: Its name.
        radius_arcsec: How far an object may be from the position in the table; each takes the nearest.

    Raises:
        FileError: If the table cannot be read.
        InputError: If no row of the table belongs to an object, or one id has two labels.
    """
    samples = [item for path in table.files() for item in table.read(path) if not isinstance(item, Drop)]
    samples = [one for one in samples if label in one.labels]
    if not samples:
        raise InputError(f"{table.path}: no row has a {label!r}.")
    entries = _by_id(dataset, samples, table.path, label) if table.id_column else np.full(len(dataset), -1)
    entries = _by_position(dataset, samples, entries, radius_arcsec)
    if (entries < 0).all():
        ids = f"ids look like {samples[0].group!r} and {str(dataset.object_ids[0])!r}" if table.id_column else "no ids"
        raise InputError(
            f"none of {len(samples)} rows of {table.path} belongs to an object of {dataset.root} ({ids}), nor lies "
            f"within {radius_arcsec:g} arcsec of one. Give the ids of the objects, or ra and dec."
        )
    values = np.array([one.labels[label] for one in samples])
    missing = "" if values.dtype.kind == "U" else np.nan
    return Labelled(
        dataset.with_labels({label: np.append(values, missing)[entries]}), label, values.astype(str), entries
    )


def _by_id(dataset: Dataset, samples: Sequence[Sample], path: str, label: str) -> Rows:
    """Of each row the sample with its id, or else with that of its group; -1 for none."""
    number: dict[str, int] = {}
    for at, one in enumerate(samples):
        first = samples[number.setdefault(one.group, at)]
        if first.labels[label] != one.labels[label]:
            raise InputError(
                f"{path}: {one.group!r} is there as {first.labels[label]!r} and as {one.labels[label]!r}. Keep one."
            )
    own, group = ([number.get(name, -1) for name in names.tolist()] for names in (dataset.object_ids, dataset.groups))
    return np.where(np.array(own) >= 0, own, group).astype(np.int64)


def _by_position(dataset: Dataset, samples: Sequence[Sample], entries: Rows, radius_arcsec: float) -> Rows:
    """The same, with the nearest sample where none had the id."""
    ra, dec = np.array([[one.ra, one.dec] for one in samples], dtype=np.float64).T
    placed = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    rows = np.flatnonzero((entries < 0) & np.isfinite(dataset.ra) & np.isfinite(dataset.dec))
    found = crossmatch.nearest(dataset.ra[rows], dataset.dec[rows], ra[placed], dec[placed], radius_arcsec)
    entries = entries.copy()
    entries[rows] = np.append(placed, -1)[found]
    return entries
