"""ASAS light curves as published for classification: a tar of CSVs and a table of classes.

A member ``ID.dat`` holds rows of HJD - 2450000, V magnitude and its error (Richards et al. 2012, ApJ 744, 192, from
the All Sky Automated Survey: Pojmanski 1997, Acta Astron. 47, 467). There are no coordinates.
"""

from __future__ import annotations

import lzma
import tarfile
import zlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np

from ..errors import FileError
from ..types import Drop, Modality, Sample
from .files.table_files import read_columns, text
from .measurements import light_curve_modality, light_curve_sample, too_short

__all__ = ["ASASLightCurves"]

HJD_TO_MJD = 2_450_000 - 2_400_000.5
NOT_MEASURED = 29.999  # as ASAS writes it


class ASASLightCurves:
    """Reads light curves from a tar archive, one object per member, without unpacking it.

    The view is [T, 4] as `LightCurveTable` gives it, in the one band V; its label ``time_zero_mjd`` is heliocentric.
    The object's id is the member's name, its class the label ``class``.

    Args:
        path: The archive, plain or compressed.
        classes: Table with the columns filename and class; "" for none. Further columns are left alone: meta1 to
            meta3 of the published table are no physical quantities.
        min_points: Objects with fewer measurements are dropped.
        name: Name of the modality.

    Example:
        >>> ASASLightCurves("asas_training_set.tar.gz").modality.bands
        ('V',)
    """

    def __init__(
        self, path: str | Path, classes: str | Path = "", min_points: int = 2, name: str = "lightcurve"
    ) -> None:
        self.path = str(path)
        self.classes = str(classes)
        self.min_points = min_points
        self.name = name

    def __repr__(self) -> str:
        return f"ASASLightCurves({self.path!r}, classes={self.classes!r})"

    @cached_property
    def modality(self) -> Modality:
        """A light curve in V magnitudes."""
        return light_curve_modality(self.name, ["V"], "mag", "drop")

    def files(self) -> list[Path]:
        """The one archive."""
        return [Path(self.path)]

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """One sample per member; what cannot be used, and what the classes list in vain, are drops.

        Raises:
            FileError: If the archive or the table of classes cannot be read, or no member can be used.
        """
        classes = self._classes()
        found: set[str] = set()
        usable = 0
        for object_id, content in _members(path):
            item = self._object(path, object_id, content)
            if object_id in found:
                item = Drop(f"{path}: {object_id}", "duplicated id")
            elif isinstance(item, Sample):
                usable += 1
                item.labels |= {"class": classes[object_id]} if classes.get(object_id) else {}
            found.add(object_id)
            yield item
        if not usable:
            raise FileError(path, f"none of its {len(found)} members is a light curve.")
        for object_id in (listed for listed in classes if listed not in found):
            yield Drop(f"{self.classes}: {object_id}", "no light curve in the archive")

    def _classes(self) -> dict[str, str]:
        if not self.classes:
            return {}
        table = read_columns(self.classes, ["filename", "class"], ["filename"])
        return dict(zip(text(table["filename"]), text(table["class"]), strict=True))

    def _object(self, path: Path, object_id: str, content: bytes) -> Sample | Drop:
        try:
            lines = content.decode("ascii").strip().splitlines()
            time, value, error = np.loadtxt(lines, delimiter=",", ndmin=2).T if lines else np.empty((3, 0))
        except ValueError:  # of NumPy, of the decoder, or for another number of columns
            return Drop(f"{path}: {object_id}", "expected rows of HJD - 2450000, magnitude and error")
        good = np.isfinite(time) & (np.abs(value) < NOT_MEASURED)
        error = np.where((error > 0) & (error < NOT_MEASURED), error, np.nan)
        view = np.stack([time + HJD_TO_MJD, value, error, np.zeros(len(time))], axis=1)[good]
        if len(view) < max(self.min_points, 1):
            return too_short(path, object_id, self.min_points)
        return light_curve_sample(self.name, object_id, view[np.argsort(view[:, 0], kind="stable")])


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name without folder and ending, and content, of each file in an archive."""
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = Path(member.name)
                file = archive.extractfile(member) if member.isfile() and not name.name.startswith(".") else None
                if file is not None:
                    yield name.stem, file.read()
    except FileNotFoundError as error:
        raise FileError(path, "no such file.") from error
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise FileError(path, f"no whole tar archive ({reason}). Download it again.") from error
