"""Spectra or light curves of any reader with some numbers of each object as channels, for encoders that need them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import FileError, UsageError
from ..types import Drop, Modality, Reader, Sample
from .files.table_files import numbers, read_columns, text
from .wrapping import Wrapping

__all__ = ["WithCovariates"]

MISSING = (-9999.0,)


class WithCovariates(Wrapping):
    """Reads spectra or light curves as another reader does and repeats numbers of an object as further channels.

    The redshift is wanted by ``Normalise("rest_median")``: it is then part of what an encoder sees, so do not predict
    it from such features. Period and amplitude of a variable star are beside each point of its light curve.

    Args:
        reader: Of spectra, or of light curves.
        labels: Labels of its samples that are numbers, or columns of `table`; NaN where one is missing.
        table: Takes the numbers from a table instead: ``{"path": "metadata.csv", "id": "object_id"}``, where the id is
            that of the samples; NaN for an object that is not in it, which `ingest` counts, and for -9999.

    Raises:
        UsageError: If the reader reads neither, a label is text, or the table is not described as above.

    Example:
        >>> from astroclip_kit.surveys import AstroCLIPFile
        >>> WithCovariates(AstroCLIPFile("astroclip.h5", kind="spectrum")).modality.channels
        ('flux', 'ivar', 'z')
    """

    def __init__(self, reader: Reader, labels: Sequence[str] = ("z",), table: Mapping[str, str] | None = None) -> None:
        super().__init__(reader)
        self.labels, self.table = tuple(labels), None if table is None else dict(table)
        if self.table is not None and set(self.table) != {"path", "id"}:
            raise UsageError(f"WithCovariates: table is {{path: ..., id: ...}}, the column of the id; found {table}.")

    def __repr__(self) -> str:
        return f"WithCovariates({self.reader!r}, {self.labels})"

    @cached_property
    def modality(self) -> Modality:
        """That of the reader, with the numbers as channels."""
        inner = self.reader.modality
        if inner is None or inner.kind not in ("spectrum", "lightcurve"):
            raise UsageError(
                f"WithCovariates: {self.reader!r} reads no spectra or light curves, which alone have covariates."
            )
        channels = (*inner.channels, *self.labels)
        shape = (-1, len(channels)) if inner.kind == "lightcurve" else (len(channels), *inner.shape[1:])
        return replace(inner, channels=channels, shape=shape)

    def also_reads(self) -> Sequence[Path]:
        """Those of the reader, and the table."""
        return [*super().also_reads(), *([Path(self.table["path"])] if self.table else [])]

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """The samples of the reader with further channels.

        Raises:
            FileError: If the whole file cannot be used, or the table cannot, or names an object twice.
            UsageError: If a label is text.
        """
        name, axis = self.modality.name, 1 if self.modality.kind == "lightcurve" else 0
        for item in self.reader.read(path):
            if isinstance(item, Sample) and name in item.views:
                view, values = item.views[name], self._values(item)
                constant = np.tile(values, (len(view), 1)) if axis else np.tile(values[:, None], view.shape[1])
                item.views[name] = np.concatenate([view, constant], axis=axis)
            yield item

    def check_objects(self, object_ids: Sequence[str]) -> int:
        """How many of the objects that were read have no row in the table.

        Raises:
            FileError: If none has one, so that the ids are of two kinds.
        """
        further = super().check_objects(object_ids)
        if self.table is None or not len(object_ids):
            return further
        without = sum(one not in self._numbers for one in object_ids)
        if without == len(object_ids):
            path, column = self.table["path"], self.table["id"]
            row = next(iter(self._numbers), "")
            raise FileError(
                path,
                f"WithCovariates: none of {without:,} objects has a row, as their ids look like {object_ids[0]!r} and "
                f"those in {column!r} like {row!r}. Name the column with the same ids in table.id.",
            )
        return max(further, without)

    def _values(self, sample: Sample) -> npt.NDArray[np.float32]:
        if self.table is not None:
            numbers, unknown = self._numbers, np.full(len(self.labels), np.nan, dtype=np.float32)
            return numbers.get(sample.object_id, unknown)
        values = [sample.labels.get(label, np.nan) for label in self.labels]
        for label, value in zip(self.labels, values, strict=True):
            if isinstance(value, str):
                raise UsageError(f"WithCovariates: the label {label!r} of {sample.object_id!r} is text, not a number.")
        return np.array(values, dtype=np.float32)

    @cached_property
    def _numbers(self) -> dict[str, npt.NDArray[np.float32]]:
        """Id to the numbers of the table."""
        assert self.table is not None
        path, id_column = Path(self.table["path"]), self.table["id"]
        frame = read_columns(path, [id_column, *self.labels], texts=[id_column])
        ids = text(frame[id_column])
        if len(repeated := ids[pd.Index(ids).duplicated()]):
            raise FileError(path, f"the object {repeated[0]!r} is in several rows, expected one row for each object.")
        values = np.stack([numbers(frame[label], MISSING) for label in self.labels], axis=1).astype(np.float32)
        return dict(zip(ids.tolist(), values, strict=True))
