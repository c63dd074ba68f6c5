"""DESI coadds: files of many targets, with the flux, inverse variance and mask per arm (B, R, Z, or BRZ).

``coadd-*.fits`` has a FIBERMAP (one row per spectrum) and the images <ARM>_WAVELENGTH, <ARM>_FLUX, <ARM>_IVAR and
<ARM>_MASK; ``redrock-*.fits`` beside it has the redshifts. Wavelengths are in vacuum, flux is in
1e-17 erg/s/cm2/Angstrom (desidatamodel.readthedocs.io).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import FileError, InputError, UsageError
from ..transforms.resampling import Grid, plain_grid, resample, wavelength_grid
from ..types import Drop, Modality, Sample
from .desi_files.coaddition import Arm, coadd
from .desi_files.fibermap import read_targets
from .desi_files.redrock import redrock_path
from .files.file_lists import find_files
from .files.fits_files import Hdu
from .files.fits_maps import map_hdus, release
from .files.notes import note
from .files.stated_units import unit_factor
from .sdss import SPECTRUM_UNIT

__all__ = ["DESISpectra"]

HDUS = r"FIBERMAP|[A-Z0-9]+_(WAVELENGTH|FLUX|IVAR|MASK)"
ROWS = 32  # spectra that are joined at a time: they fit the cache, and a file of 5,000 targets has 2 GB


class DESISpectra:
    """Reads the targets of DESI coadds, and their redshifts from the redrock files beside them.

    The object's id is the TARGETID; where a file has it more than once, "TARGETID#0", "TARGETID#1", ... of the group
    TARGETID. Fibres without a target (negative TARGETID, OBJTYPE SKY or BAD) are drops. The arms are joined with
    inverse-variance weights where they overlap. A pixel with any mask bit has inverse variance 0 and a
    flux that is interpolated between good neighbours. Labels: survey,
    program, ebv, flux_g, flux_r, flux_z, flux_w1, flux_w2 (nanomaggies), target_bgs, target_lrg, target_elg,
    target_qso and target_mws (1 or 0) from the coadd; z, z_err, zwarning, class, subclass and deltachi2 from redrock.

    Args:
        root: Folder of the files, or one file.
        pattern: Which files under it.
        redrock: What the name of the file of redshifts has in the place of "coadd"; "" to read none. A missing file
            is noted (once, on stderr), and its spectra have no labels of redrock.
        grid: Wavelengths of the samples: see `wavelength_grid`. "desi" keeps DESI pixels as they are.
        name: Name of the modality.
        ids: "targetid", or "row" for files without TARGETIDs: "FILE#0", "FILE#1", ... with the path below `root`.
        fiberstatus: Bits of COADD_FIBERSTATUS that are allowed. By default none, as in the AstroCLIP and spender
            samples; 8 (restricted reach) are the additional spectra of DESI's own catalogues.

    Raises:
        UsageError: If the grid cannot be read, or `ids` is neither of the two.

    Example:
        >>> DESISpectra("healpix").modality.shape
        (2, 7781)
    """

    def __init__(
        self,
        root: str | Path,
        pattern: str = "**/coadd-*.fits*",
        redrock: str = "redrock",
        grid: Grid = "desi",
        name: str = "spectrum",
        ids: Literal["targetid", "row"] = "targetid",
        fiberstatus: int = 0,
    ) -> None:
        if ids not in ("targetid", "row"):
            raise UsageError(f"ids is {ids!r}, expected 'targetid' or 'row'.")
        self.root = str(root)
        self.pattern = pattern
        self.redrock = redrock
        self.grid = plain_grid(grid)
        self.name = name
        self.ids = ids
        self.fiberstatus = fiberstatus
        self._wavelength = wavelength_grid(grid)

    def __repr__(self) -> str:
        return f"DESISpectra({self.root!r}, {self.pattern!r}, {len(self._wavelength)} pixels)"

    @cached_property
    def modality(self) -> Modality:
        """A spectrum of flux and inverse variance."""
        return Modality.spectrum(self.name, self._wavelength, SPECTRUM_UNIT)

    def files(self) -> Sequence[Path]:
        """The files that match, sorted; says how many of them have no redshifts.

        Raises:
            FileError: If the folder does not exist.
        """
        files = find_files(self.root, self.pattern)
        if self.redrock:
            alone = sum(redrock_path(path, self.redrock) is None for path in files)
            if alone:
                what = f"{alone} of {len(files)} DESI files have no {self.redrock} file beside them"
                note(f"{self.root}: {what}: their spectra have no redshift.")
        return files

    def also_reads(self) -> list[Path]:
        """The redrock files: if one changes, a dataset is made anew."""
        found = (redrock_path(path, self.redrock) for path in find_files(self.root, self.pattern) if self.redrock)
        return [path for path in found if path]

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """The targets of a file; a fibre that cannot be used is a drop.

        Raises:
            FileError: If the file is no whole coadd, has no FIBERMAP (unless `ids` is "row"), its arms cannot be
                joined, or the redrock file beside it is damaged.
        """
        path = Path(path)
        hdus = map_hdus(path, HDUS)
        arms = _arms(path, hdus)
        if self.ids == "targetid" and "FIBERMAP" not in hdus:
            raise FileError(path, 'has no FIBERMAP, so its spectra have no TARGETID. Read it with ids="row".')
        size = len(arms[0].flux.pixels)
        items = read_targets(path, hdus, size, self.redrock, self.fiberstatus)
        for start in range(0, size, ROWS):
            rows = range(start, min(start + ROWS, size))
            views = self._spectra(path, arms, [row for row in rows if isinstance(items[row], Sample)])
            for row in rows:
                item = items[row]
                yield self._named(path, row, item, next(views)) if isinstance(item, Sample) else item
            release(hdus["PRIMARY"])

    def _spectra(
        self, path: Path, arms: Sequence[_StoredArm], rows: Sequence[int]
    ) -> Iterator[npt.NDArray[np.float32] | str]:
        """The views of some rows of a file, or why there is none."""
        try:
            joined = coadd([arm.read(rows) for arm in arms])
        except InputError as error:
            raise FileError(path, str(error)) from error
        views = np.stack(resample(joined.flux, joined.ivar, joined.wavelength, self._wavelength), axis=1)
        for view, ivar in zip(views.astype(np.float32), joined.ivar, strict=True):
            if view[1].any():
                yield view
            elif ivar.any():
                low, high = joined.wavelength[[0, -1]]
                yield f"no good pixel on the grid: the file covers {low:.0f}-{high:.0f} Angstrom."
            else:
                yield "no good pixel: flux is NaN, inverse variance 0 or the mask set everywhere."

    def _named(self, path: Path, row: int, sample: Sample, view: npt.NDArray[np.float32] | str) -> Sample | Drop:
        object_id = sample.object_id
        if self.ids == "row":
            below = path.relative_to(self.root) if path.is_relative_to(self.root) else path
            object_id = f"{below.as_posix() if below.name else path.name}#{row}"
        if isinstance(view, str):
            return Drop(f"{path}: {object_id}", view)
        return Sample(object_id, {self.name: view}, sample.ra, sample.dec, sample.labels, sample.group)


class _Image(NamedTuple):
    """An image of a file, which stays there until some of its rows are read."""

    pixels: npt.NDArray[Any]
    scale: float = 1
    zero: float = 0

    def read(self, rows: Sequence[int]) -> npt.NDArray[Any]:
        values = self.pixels[rows]
        native = values.astype(values.dtype.newbyteorder("="))
        return native if (self.scale, self.zero) == (1, 0) else native * float(self.scale) + float(self.zero)


class _StoredArm(NamedTuple):
    wavelength: npt.NDArray[np.float64]
    flux: _Image
    ivar: _Image
    mask: _Image | None

    def read(self, rows: Sequence[int]) -> Arm:
        mask = self.mask.read(rows) if self.mask else None
        return Arm(self.wavelength, self.flux.read(rows), self.ivar.read(rows), mask)


def _arms(path: Path, hdus: Mapping[str, Hdu]) -> list[_StoredArm]:
    names = [name.removesuffix("_WAVELENGTH") for name in hdus if name.endswith("_WAVELENGTH")]
    if not names:
        raise FileError(path, "has no arm (<ARM>_WAVELENGTH, <ARM>_FLUX, <ARM>_IVAR). It is no DESI coadd.")
    arms = [_arm(path, hdus, name) for name in names]
    shapes = [(name, image.pixels.shape) for name, arm in zip(names, arms, strict=True) for image in arm[1:] if image]
    size = shapes[0][1][0]
    for name, shape in shapes:
        expected = (size, len(arms[names.index(name)].wavelength))
        if shape != expected:
            raise FileError(path, f"arm {name} has an image of shape {shape}, expected {expected}. It is damaged.")
    return arms


def _arm(path: Path, hdus: Mapping[str, Hdu], name: str) -> _StoredArm:
    for what in ("FLUX", "IVAR"):
        if f"{name}_{what}" not in hdus:
            raise FileError(path, f"has no {name}_{what} beside {name}_WAVELENGTH. It is no whole DESI coadd.")
    wavelength, flux, ivar = (hdus[f"{name}_{what}"] for what in ("WAVELENGTH", "FLUX", "IVAR"))
    factor = unit_factor(path, f"{name}_FLUX", str(flux.header.get("BUNIT", "")), SPECTRUM_UNIT)
    mask = hdus.get(f"{name}_MASK")
    return _StoredArm(
        wavelength.pixels().astype(np.float64).ravel(),
        _image(flux, factor),
        _image(ivar, factor**-2),
        _image(mask) if mask else None,
    )


def _image(hdu: Hdu, factor: float = 1.0) -> _Image:
    if "ZIMAGE" in hdu.header:  # the masks of the early releases are tile-compressed
        from astropy.io import fits

        with fits.open(hdu.path) as file:
            return _Image(np.asarray(file[hdu.number].data), factor)
    return _Image(hdu.pixels(), hdu.header.get("BSCALE", 1) * factor, hdu.header.get("BZERO", 0) * factor)
