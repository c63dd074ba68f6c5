"""Light curves of several surveys as one modality, so that one encoder learns from all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ..errors import UsageError
from ..types import Drop, Modality, Reader, Sample

__all__ = ["JoinedReaders"]


class JoinedReaders:
    """Reads the files of several readers of light curves, each with its own; the bands are those of all of them.

    Args:
        readers: At least one; of the same unit and the same covariates. A file belongs to the first that lists it.
        name: Name of the modality.

    Raises:
        UsageError: If one reads no light curves, or units or covariates differ.

    Example:
        >>> from astroclip_kit.surveys import ASASLightCurves, ASASSNLightCurves
        >>> JoinedReaders([ASASLightCurves("asas.tar.gz"), ASASSNLightCurves("asas_sn")]).modality.bands
        ('V', 'g')
    """

    def __init__(self, readers: Sequence[Reader], name: str = "lightcurve") -> None:
        self.readers, self.name = list(readers), name

    def __repr__(self) -> str:
        return f"JoinedReaders({self.readers!r})"

    @cached_property
    def modality(self) -> Modality:
        """That of the first reader, with the bands of all."""
        first, *others = [reader.modality for reader in self.readers] or [None]
        if first is None or any(one is None or one.kind != "lightcurve" for one in (first, *others)):
            raise UsageError(f"JoinedReaders takes readers of light curves; found {self.readers!r}.")
        kept = [(one.unit, one.channels) for one in (first, *others) if one is not None]
        if different := [found for found in kept if found != kept[0]]:
            raise UsageError(f"JoinedReaders: units and channels are {kept[0]} and {different[0]}, expected the same.")
        bands = dict.fromkeys(band for one in (first, *others) if one is not None for band in one.bands)
        return replace(first, name=self.name, bands=tuple(bands))

    def files(self) -> list[Path]:
        """Those of all readers, sorted."""
        return sorted(self._owner)

    @cached_property
    def _owner(self) -> dict[Path, int]:
        owner: dict[Path, int] = {}
        for number, reader in enumerate(self.readers):
            for path in reader.files():
                owner.setdefault(path, number)
        return owner

    def also_reads(self) -> list[Path]:
        """Those of all readers."""
        return [path for reader in self.readers for path in getattr(reader, "also_reads", list)()]

    def check_objects(self, object_ids: Sequence[str]) -> int:
        """How many of all objects at least lack numbers that the readers take from tables.

        0 where one of the readers takes none: which objects are its own is not known.

        Raises:
            FileError: If a table has a row for none of the objects.
        """
        reading = [reader for reader in self.readers if len(reader.files())]
        checks = [getattr(reader, "check_objects", None) for reader in reading]
        without = [int(check(object_ids)) for check in checks if check]
        found = sum(len(object_ids) - lacking for lacking in without)
        return max(0, len(object_ids) - found) if all(checks) else 0

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """The samples of a file as its reader gives them, with the numbers of the bands here.

        Raises:
            FileError: If the whole file cannot be used.
        """
        reader = self.readers[self._owner.get(path, 0)]
        bands = self.modality.bands
        inner = reader.modality
        assert inner is not None
        number = np.array([bands.index(band) for band in inner.bands], dtype=np.float32)
        for item in reader.read(path):
            if isinstance(item, Sample) and inner.name in item.views:
                view = item.views.pop(inner.name)
                view[:, 3] = number[view[:, 3].astype(np.int64)]
                item.views[self.name] = view
            yield item
