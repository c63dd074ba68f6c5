"""Spectra of any reader with some of their labels as channels, for transforms and encoders that need them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ..errors import UsageError
from ..types import Drop, Modality, Reader, Sample
from .wrapping import Wrapping

__all__ = ["WithCovariates"]


class WithCovariates(Wrapping):
    """Reads spectra as another reader does and repeats labels over their pixels as further channels.

    The redshift is wanted by ``Normalise("rest_median")``: it is then part of what an encoder sees, so do not predict
    it from such features.

    Args:
        reader: Of spectra.
        labels: Labels of its samples that are numbers; NaN where one is missing.

    Raises:
        UsageError: If the reader reads no spectra, or a label is text.

    Example:
        >>> from astroclip_kit.surveys import AstroCLIPFile
        >>> WithCovariates(AstroCLIPFile("astroclip.h5", kind="spectrum")).modality.channels
        ('flux', 'ivar', 'z')
    """

    def __init__(self, reader: Reader, labels: Sequence[str] = ("z",)) -> None:
        super().__init__(reader)
        self.labels = tuple(labels)

    def __repr__(self) -> str:
        return f"WithCovariates({self.reader!r}, {self.labels})"

    @cached_property
    def modality(self) -> Modality:
        """That of the reader, with its labels as channels."""
        inner = self.reader.modality
        if inner is None or inner.kind != "spectrum":
            raise UsageError(f"WithCovariates: {self.reader!r} reads no spectra, which alone have covariates.")
        channels = (*inner.channels, *self.labels)
        return replace(inner, channels=channels, shape=(len(channels), *inner.shape[1:]))

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """The samples of the reader with further channels.

        Raises:
            FileError: If the whole file cannot be used.
            UsageError: If a label is text.
        """
        name = self.modality.name
        for item in self.reader.read(path):
            if isinstance(item, Sample) and name in item.views:
                view = item.views[name]
                values = np.array([self._number(item, label) for label in self.labels], dtype=np.float32)
                item.views[name] = np.concatenate([view, np.repeat(values[:, None], view.shape[1], axis=1)])
            yield item

    def _number(self, sample: Sample, label: str) -> float:
        value = sample.labels.get(label, np.nan)
        if isinstance(value, str):
            raise UsageError(f"WithCovariates: the label {label!r} of {sample.object_id!r} is text, not a number.")
        return value
