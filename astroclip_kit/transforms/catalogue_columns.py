"""Columns of a catalogue of stars as AstroM3's encoder reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from ..errors import InputError
from ..types import Modality
from .astrom3_columns import MAGNITUDES, METADATA
from .tables import given_statistics, standardised, statistics

__all__ = ["CatalogueColumns"]


@dataclass(frozen=True)
class CatalogueColumns:
    """Makes magnitudes absolute and angles continuous, then brings each column to mean 0 and spread 1.

    As AstroM3 was trained (Rizhko & Bloom 2025, arXiv:2411.08842): M = m - 10 + 5 log10(parallax in mas), where a
    parallax that is not positive counts as 1 mas; cosine of the galactic longitude, sine of the latitude, log10 of a
    period.
    A missing value becomes the mean, which is 0; so does an absolute magnitude whose parallax is missing. Columns of
    other names are standardised alone.

    Args:
        columns: Names of the columns, in the order of the table.
        absolute: Magnitudes, where there is a parallax; names that are not among `columns` are passed over, here and
            below.
        cosine: Angles in degrees.
        sine: Angles in degrees.
        log: Numbers whose log10 is taken; one that is not positive is missing.
        parallax: The column of the parallax in mas.
        mean: Of each column (after all that), over training objects; () until it is `measured_on` them, and nothing
            is subtracted.
        std: Its standard deviation; () as well.

    Raises:
        UsageError: If mean and std are not one number for each column.

    Example:
        >>> CatalogueColumns(["phot_g_mean_mag", "parallax", "b"])(torch.tensor([[15.0, 10.0, -30.0]]))
        tensor([[10.0000, 10.0000, -0.5000]])
    """

    columns: Sequence[str] = METADATA
    absolute: Sequence[str] = MAGNITUDES
    cosine: Sequence[str] = ("l",)
    sine: Sequence[str] = ("b",)
    log: Sequence[str] = ("period",)
    parallax: str = "parallax"
    mean: Sequence[float] = ()
    std: Sequence[float] = ()

    def __post_init__(self) -> None:
        """Refuses statistics that do not fit."""
        given_statistics(type(self).__name__, self.columns, self.mean, self.std)

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> CatalogueColumns:
        """For the columns of a table.

        Raises:
            InputError: If it is no table.
        """
        if modality.kind != "table":
            raise InputError(f"CatalogueColumns takes tables, and {modality.name!r} is of kind {modality.kind!r}.")
        return cls(modality.channels, **arguments)

    def measured_on(self, x: torch.Tensor) -> CatalogueColumns:
        """The same with mean and std of tables [n, C]; give it training objects only.

        Columns called ``scaled_...`` came scaled by the statistics of others and stay as they are.
        """
        if self.mean:
            return self
        mean, std = statistics(self._changed(x), self.columns)
        return replace(self, mean=mean, std=std)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Tables float32 [B, C], finite."""
        return standardised(self._changed(x), self.mean, self.std).float()

    def _changed(self, x: torch.Tensor) -> torch.Tensor:
        """Columns float64 [B, C] before they are standardised; NaN where one is missing."""
        if x.ndim != 2 or x.shape[1] != len(self.columns):
            raise InputError(f"CatalogueColumns takes [B, {len(self.columns)}], found {tuple(x.shape)}.")
        values = x.double()
        changed = values.clone()
        for names, change in ((self.cosine, torch.cos), (self.sine, torch.sin)):
            places = self._places(names)
            changed[:, places] = change(values[:, places].deg2rad())
        places = self._places(self.log)
        changed[:, places] = values[:, places].where(values[:, places] > 0, torch.nan).log10()
        if self.parallax in self.columns:
            parallax = values[:, self._places([self.parallax])]
            changed[:, self._places(self.absolute)] += 5 * parallax.where(~(parallax <= 0), 1.0).log10() - 10
        return changed

    def _places(self, names: Sequence[str]) -> list[int]:
        return [self.columns.index(name) for name in names if name in self.columns]
