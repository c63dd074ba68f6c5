"""What all readers share that change what another reader gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..types import Modality, Reader

__all__ = ["Wrapping"]


class Wrapping:
    """Reads the files of another reader.

    Args:
        reader: The other.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    @property
    def _images(self) -> Modality:
        """What the reader reads.

        Raises:
            UsageError: If these are no images.
        """
        modality = self.reader.modality
        if modality is None or modality.kind != "image":
            raise UsageError(f"{type(self).__name__}: {self.reader!r} reads no images.")
        return modality

    def files(self) -> Sequence[Path]:
        """Those of the reader."""
        return self.reader.files()

    def also_reads(self) -> Sequence[Path]:
        """Those of the reader."""
        further: Sequence[Path] = getattr(self.reader, "also_reads", list)()
        return further

    def check_objects(self, object_ids: Sequence[str]) -> int:
        """Of all objects that were read, how many lack numbers that the reader takes from a table."""
        check = getattr(self.reader, "check_objects", None)
        return int(check(object_ids)) if check else 0

    @property
    def image_quality(self) -> Mapping[str, Any]:
        """That of the reader."""
        asked: Mapping[str, Any] = getattr(self.reader, "image_quality", {})
        return asked

    @property
    def north_up(self) -> bool:
        """That of the reader."""
        return bool(getattr(self.reader, "north_up", False))

    def label_units(self) -> Mapping[str, str]:
        """Those of the reader."""
        units: Mapping[str, str] = getattr(self.reader, "label_units", dict)()
        return units
