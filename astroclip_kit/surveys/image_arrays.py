"""Stacks of images in NumPy files, with ids in an array or a table beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import FileError, UsageError
from ..types import Drop, Modality, Sample
from .files.array_files import array_shapes, blocks, whole
from .files.file_lists import find_files, find_matching, first_readable
from .files.object_tables import read_object_table
from .files.table_files import text
from .images.image_units import checked_unit

__all__ = ["ImageArrays"]

Images = npt.NDArray[np.float32]


class ImageArrays:
    """Reads stacks of images [N, bands, H, W], [N, H, W, bands] or [N, H, W] from .npz and .npy files.

    A pixel that is NaN is 0, and so is its inverse variance. A row is dropped if a band has no finite pixel, its id is
    empty or was there before, or the table does not have it. Without ids they are the file's stem and the row's
    number. Memory is constant: rows are unpacked in turn.

    Args:
        root: Folder of the files, one file, or a path with wildcards.
        bands: Names of the bands, in the order of the array.
        arrays: Names of the arrays "image", "ids" and "ivar" (of the same shape as the image) in a .npz file; by
            default the image is the one of three or four axes, and the ids the only one of one axis and as many
            rows. Beside a .npy file, which is the image, the names of the files: ``{"ids": "{stem}_ids.npy"}``.
        table: A table of the objects: its ``path`` and the columns of "id", and where they exist "ra", "dec" and
            "group" (for rows that show the same object). Without ids its rows are those of the array.
        layout: "CHW", or "HWC" where the bands are the last axis.
        pixel_scale_arcsec: Size of a pixel, where it is known.
        unit: Physical unit of the pixels.
        name: Name of the modality.

    Raises:
        UsageError: If an argument makes no sense.

    Example:
        >>> ImageArrays("cutouts.npz", ["science", "template", "difference"], {"image": "cutouts", "ids": "candid"})
        ImageArrays('cutouts.npz', ('science', 'template', 'difference'))
    """

    def __init__(
        self,
        root: str | Path,
        bands: Sequence[str],
        arrays: Mapping[str, str] | None = None,
        table: Mapping[str, str] | None = None,
        layout: Literal["CHW", "HWC"] = "CHW",
        pixel_scale_arcsec: float | None = None,
        unit: str = "",
        name: str = "image",
    ) -> None:
        self.root, self.bands, self.arrays = str(root), tuple(bands), dict(arrays or {})
        self.table = dict(table) if table else None
        self.layout, self.pixel_scale_arcsec = layout, pixel_scale_arcsec
        self.unit, self.name = checked_unit(unit), name
        if not self.bands:
            raise UsageError("bands: name at least one band.")
        if layout not in ("CHW", "HWC"):
            raise UsageError(f"layout is {layout!r}, expected 'CHW' or 'HWC'.")
        if unknown := set(self.arrays) - {"image", "ids", "ivar"}:
            raise UsageError(f"arrays: {', '.join(sorted(unknown))} unknown. Name image, ids and ivar.")

    def __repr__(self) -> str:
        return f"ImageArrays({self.root!r}, {self.bands})"

    @cached_property
    def modality(self) -> Modality:
        """An image; its size is that of the first readable file.

        Raises:
            FileError: If no file can be read.
        """

        def size(path: Path) -> tuple[int, ...]:
            return self._shape(array_shapes(path)[self._image_name(path)], path)

        shape = first_readable(self.root, self.files(), size, "no .npy or .npz file is there.", "array")
        channels = (*self.bands, *(f"ivar_{band}" for band in self.bands if "ivar" in self.arrays))
        grid = (self.pixel_scale_arcsec,) if self.pixel_scale_arcsec else ()
        return Modality(self.name, "image", channels, (len(channels), *shape), self.unit, grid)

    def files(self) -> list[Path]:
        """The files of images, sorted.

        Raises:
            FileError: If the folder does not exist.
        """
        marked = any(mark in self.root for mark in "*?[")
        beside = [name.replace("{stem}", "*") for role, name in self.arrays.items() if role != "image"]
        return [
            path
            for path in (find_matching(self.root) if marked else find_files(self.root, "**/*.np[yz]"))
            if path.suffix == ".npz" or not any(fnmatch(path.name, pattern) for pattern in beside)
        ]

    def also_reads(self) -> list[Path]:
        """The files of ids and inverse variances beside ``.npy`` files: if one changes, a dataset is made anew."""
        plain = [path for path in self.files() if path.suffix == ".npy"]
        return [self._place(path, role)[0] for path in plain for role in ("ids", "ivar") if role in self.arrays]

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """The samples of a file.

        Raises:
            FileError: If the file is missing, damaged, or its arrays do not fit each other or the modality.
        """
        path = Path(path)
        rows, number = self._rows(path), 0
        if self._shape(array_shapes(path)[self._image_name(path)], path) != self.modality.shape[1:]:
            raise FileError(path, f"images of another size than {self.modality.shape[1:]} of the first file.")
        for block in self._views(path):
            good = np.asarray(np.isfinite(block[:, : len(self.bands)]).any(axis=(2, 3)))
            block = self._masked(block)
            for view, has in zip(block, good, strict=True):
                row = rows[number]
                lacking = "" if has.all() else f"band {self.bands[int(np.argmin(has))]!r} has no finite pixel."
                number += 1
                if problem := row["problem"] or lacking:
                    yield Drop(f"{path}: row {number} {row['id']}".rstrip(), problem)
                else:
                    yield Sample(row["id"], {self.name: view.copy()}, row["ra"], row["dec"], group=row["group"])

    def _views(self, path: Path) -> Iterator[Images]:
        """Images and, where they are asked for, inverse variances, a few at a time [n, channels, H, W]."""
        places = [(path, self._image_name(path)), *([self._place(path, "ivar")] if "ivar" in self.arrays else [])]
        shapes = [array_shapes(file).get(name) for file, name in places]
        if shapes[0] != shapes[-1]:
            raise FileError(path, f"inverse variance of shape {shapes[-1]} for images of {shapes[0]}.")
        for parts in zip(*(blocks(file, name) for file, name in places), strict=True):
            yield np.concatenate([self._ordered(part) for part in parts], axis=1)

    def _ordered(self, images: Images) -> Images:
        if images.ndim == 3:
            return images[:, None]
        return np.moveaxis(images, -1, 1) if self.layout == "HWC" else images

    def _masked(self, block: Images) -> Images:
        count = len(self.bands)
        if block.shape[1] == count:
            return np.nan_to_num(block, nan=0, posinf=0, neginf=0)
        ivar = block[:, count:]
        good = np.isfinite(block[:, :count]) & np.isfinite(ivar) & (ivar > 0)
        return np.where(np.concatenate([good, good], axis=1), block, np.float32(0))

    def _place(self, path: Path, role: str) -> tuple[Path, str]:
        """File and name of an array."""
        name = self.arrays[role]
        return (path, name) if path.suffix == ".npz" else (path.with_name(name.replace("{stem}", path.stem)), "")

    def _image_name(self, path: Path) -> str:
        shapes = array_shapes(path)
        fitting = [name for name, shape in shapes.items() if len(shape) in (3, 4)]
        if path.suffix == ".npz" and "image" in self.arrays:
            fitting = [name for name in shapes if name == self.arrays["image"]]
        if len(fitting) != 1:
            found = ", ".join(f"{name or 'one array'} {shape}" for name, shape in shapes.items())
            raise FileError(path, f"which array holds the images? Name it in `arrays`; found {found or 'none'}.")
        return fitting[0]

    def _shape(self, shape: tuple[int, ...], path: Path) -> tuple[int, ...]:
        """Height and width of the images of an array."""
        height, width, count = (*shape[1:3], 1) if len(shape) == 3 else shape[1:]
        if len(shape) == 4 and self.layout == "CHW":
            count, height, width = shape[1:]
        if len(shape) not in (3, 4) or count != len(self.bands):
            raise FileError(
                path,
                f"an array of shape {shape} has no {len(self.bands)} bands ({', '.join(self.bands)}) on the axis that "
                f"layout={self.layout!r} means. Check `bands` and `layout`.",
            )
        return height, width

    def _rows(self, path: Path) -> list[dict[str, Any]]:
        """Id, position, group and problem of every row of a file."""
        shapes = array_shapes(path)
        count = shapes[self._image_name(path)][0]
        ids = self._ids(path, shapes, count)
        if self.table is None:
            names = ids if ids is not None else [f"{path.stem}-{row + 1}" for row in range(count)]
            rows = pd.DataFrame({"id": names, "ra": np.nan, "dec": np.nan, "group": "", "problem": ""})
        elif ids is None:
            rows = self._objects
            if len(rows) != count:
                raise FileError(path, f"{count} images, and {len(rows)} rows in {self.table['path']}. Name the ids.")
        else:
            rows = self._objects.drop_duplicates("id").set_index("id").reindex(ids).reset_index()
            rows["problem"] = rows["problem"].fillna(f"not in the table {self.table['path']}.")
            rows["group"] = rows["group"].fillna("")
        rows = rows.copy()
        rows.loc[rows["id"].duplicated(), "problem"] = "duplicated id."
        rows.loc[rows["id"] == "", "problem"] = "no id."
        return list(rows.to_dict("records"))

    def _ids(self, path: Path, shapes: Mapping[str, tuple[int, ...]], count: int) -> Any:
        """The ids as text; None where there are none."""
        single = [name for name, shape in shapes.items() if shape == (count,)]
        if "ids" in self.arrays:
            values = whole(*self._place(path, "ids"))
        elif len(single) == 1 and path.suffix == ".npz":
            values = whole(path, single[0])
        else:
            return None
        if values.shape != (count,):
            raise FileError(path, f"{values.shape} ids for {count} images.")
        return text(pd.Series(np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values))

    @cached_property
    def _objects(self) -> pd.DataFrame:
        return read_object_table(self.table or {}, [], [])
