"""The joint file of AstroCLIP: images and spectra of the same galaxies in one HDF5 file of about 60 GB.

Groups "0" to "9" each hold images (n, 152, 152, 3) of the Legacy Survey in g, r, z (nanomaggies, 0.262 arcsec per
pixel), spectra (n, 7781, 1) of DESI, redshifts (n,) and targetids (n,), in an order that is shuffled already: Parker
et al. 2024, MNRAS 531, 4990. There are no inverse variances, masks, coordinates or extinctions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import FileError, UsageError
from ..transforms.resampling import GRIDS, resample
from ..types import Drop, Modality, Sample
from .files.fits_files import find_files
from .sdss import SPECTRUM_UNIT

__all__ = ["AstroCLIPFile"]

Kind = Literal["image", "spectrum"]
Views = npt.NDArray[np.float32]
BANDS = ("g", "r", "z")
IMAGE_PIXELS, PIXEL_SCALE = 152, 0.262
SHAPES = {"image": (IMAGE_PIXELS, IMAGE_PIXELS, len(BANDS)), "spectrum": (len(GRIDS["desi"]), 1)}
DATASETS = {"image": "images", "spectrum": "spectra"}
TRAIN_PERCENT = 80  # of each group; the rest is AstroCLIP's test set
ROWS = 64  # read at once: 18 MB of images


class AstroCLIPFile:
    """Reads one modality of AstroCLIP's file in slices, one object per row.

    The object's id is its TARGETID. Labels: the redshift ``z``, and ``astroclip_split``, "train" for the first 80 % of
    each group and "test" for the rest, as published. The file has no inverse variance: it is 1 where the flux is
    finite and not zero, so it marks missing pixels and says nothing about noise. Non-finite pixels of an image are 0.

    Args:
        root: The file, or the folder of it; several files (one per group, say) are read in parallel.
        pattern: Which files under a folder.
        kind: "image" [3, 152, 152], or "spectrum" [2, 7781].
        size: Side of the image's central cut in pixels. None: all 152.
        z_range: Lowest and highest redshift to keep; others are dropped. (0, 0.8) are those that AstroCLIP's
            evaluation can use. (): all.
        name: Name of the modality; the kind by default.

    Raises:
        UsageError: If the kind is unknown, the size does not fit, or z_range is no pair.

    Example:
        >>> AstroCLIPFile("astroclip_desi.1.1.5.h5", kind="spectrum").modality.shape
        (2, 7781)
    """

    def __init__(
        self,
        root: str | Path,
        pattern: str = "**/*.h*5",
        kind: Kind = "image",
        size: int | None = None,
        z_range: Sequence[float] = (),
        name: str = "",
    ) -> None:
        if kind not in DATASETS or not 0 < (size or IMAGE_PIXELS) <= IMAGE_PIXELS or len(z_range) not in (0, 2):
            raise UsageError(
                f"kind {kind!r}, size {size!r}, z_range {z_range!r}: expected image or spectrum, a size of 1 to "
                f"{IMAGE_PIXELS} pixels, and a lowest and a highest redshift or ()."
            )
        self.root, self.pattern = str(root), pattern
        self.kind: Kind = kind
        self.size = size
        self.z_range = tuple(z_range)
        self.name = name or kind

    def __repr__(self) -> str:
        return f"AstroCLIPFile({self.root!r}, {self.pattern!r}, kind={self.kind!r})"

    @cached_property
    def modality(self) -> Modality:
        """An image in g, r, z, or a spectrum on DESI's grid."""
        if self.kind == "image":
            side = self.size or IMAGE_PIXELS
            return Modality(self.name, "image", BANDS, (3, side, side), "nmgy", (PIXEL_SCALE,))
        return Modality.spectrum(self.name, GRIDS["desi"], SPECTRUM_UNIT)

    def files(self) -> Sequence[Path]:
        """The files that match, sorted.

        Raises:
            FileError: If there is neither a folder nor a file at `root`.
        """
        return find_files(self.root, self.pattern)

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """One sample per row; empty rows, repeated ids and redshifts out of `z_range` are drops.

        Raises:
            FileError: If the file cannot be read or is of another layout.
        """
        import h5py

        found: set[str] = set()
        with _readable(path), h5py.File(path) as file:
            if not len(file):
                raise FileError(path, "holds no groups, expected AstroCLIP's '0' to '9'.")
            for group in sorted(file, key=lambda name: (len(name), name)):
                arrays = _arrays(path, file, group, self.kind)
                count = len(arrays["targetids"])
                for start in range(0, count, ROWS):
                    rows = slice(start, min(start + ROWS, count))
                    z, ids = (arrays[name][rows].reshape(-1) for name in ("redshifts", "targetids"))
                    views, empty = self._views(arrays[DATASETS[self.kind]], rows)
                    for index, object_id in enumerate(str(int(number)) for number in ids):
                        reason = self._problem(bool(empty[index]), float(z[index]), object_id in found)
                        if reason:
                            yield Drop(f"{path}: {object_id}", reason)
                            continue
                        found.add(object_id)
                        train = start + index < TRAIN_PERCENT * count // 100
                        labels: dict[str, float | str] = {"astroclip_split": "train" if train else "test"}
                        labels |= {"z": float(z[index])} if np.isfinite(z[index]) else {}
                        yield Sample(object_id, {self.name: views[index]}, labels=labels)

    def _views(self, values: Any, rows: slice) -> tuple[Views, npt.NDArray[np.bool_]]:
        """Views of some rows, and which of them hold nothing."""
        if self.kind == "image":
            side = self.size or IMAGE_PIXELS
            cut = slice((IMAGE_PIXELS - side) // 2, (IMAGE_PIXELS - side) // 2 + side)
            images = np.ascontiguousarray(values[rows, cut, cut].transpose(0, 3, 1, 2), dtype=np.float32)
            if not np.isfinite(images.sum()):
                images = np.nan_to_num(images, nan=0.0, posinf=0.0, neginf=0.0)
            return images, np.array([not image.any() for image in images])
        flux = values[rows].astype(np.float32)[..., 0]
        good = np.isfinite(flux) & (flux != 0)
        if good.all():  # nothing to fill: most rows
            return np.stack([flux, np.ones_like(flux)], axis=1), ~good.any(axis=1)
        filled, ivar = resample(flux, good, GRIDS["desi"], GRIDS["desi"])
        return np.stack([filled, ivar], axis=1).astype(np.float32), ~good.any(axis=1)

    def _problem(self, empty: bool, z: float, repeated: bool) -> str:
        if empty:
            return f"the {self.kind} is zero everywhere"
        if repeated:
            return "duplicated id"
        if self.z_range and not self.z_range[0] <= z <= self.z_range[1]:
            return f"redshift {z:g} is not within {self.z_range[0]:g} to {self.z_range[1]:g}"
        return ""


def _arrays(path: Path, file: Any, group: str, kind: str) -> dict[str, Any]:
    """The arrays of a group, not read yet."""
    needed = (DATASETS[kind], "redshifts", "targetids")
    there = list(file[group]) if hasattr(file[group], "keys") else []
    missing = [name for name in needed if name not in there]
    if missing:
        raise FileError(path, f"group {group!r} has no {missing[0]!r} (found {', '.join(there)[:100] or 'nothing'}).")
    arrays = {name: file[group][name] for name in needed}
    lengths = {name: len(array) for name, array in arrays.items()}
    if arrays[DATASETS[kind]].shape[1:] != SHAPES[kind] or len(set(lengths.values())) > 1:
        raise FileError(
            path,
            f"group {group!r}: {DATASETS[kind]} of {arrays[DATASETS[kind]].shape}, {lengths['redshifts']} redshifts "
            f"and {lengths['targetids']} targetids, expected (n, {', '.join(map(str, SHAPES[kind]))}), n and n.",
        )
    return arrays


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turns what h5py raises into one clear error."""
    try:
        yield
    except (OSError, KeyError, RuntimeError) as error:
        reason = "no such file" if not path.is_file() else (str(error) or type(error).__name__).splitlines()[0][:120]
        raise FileError(path, f"no whole HDF5 file ({reason}). Download it again.") from error
