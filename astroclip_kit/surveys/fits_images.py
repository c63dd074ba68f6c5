"""Images of one band per file, cut around a list of positions: SDSS frames, unWISE tiles, Legacy Survey bricks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FileError, UsageError
from ..types import Drop, Modality, Sample
from .catalogues import catalogue
from .images.band_files import Band, Pixels, ivar_path, load, usable
from .images.cutting import cut, lattice_nodes, sky_nodes
from .images.footprints import best_tiles
from .images.image_files import Tile
from .images.image_headers import SCALE_TOLERANCE
from .images.image_units import checked_unit
from .tables import TableReader

__all__ = ["FITSImages"]

CHUNK = 256  # positions whose pixel coordinates are computed at once


@dataclass(frozen=True)
class _Plan:
    """Which image shows which position.

    Args:
        targets: The positions.
        tiles: The images, per band.
        broken: Images that cannot be used, per band.
        chosen: Per band and position the number of the image [bands, n]; -1 where there is none.
    """

    targets: list[Sample]
    tiles: list[list[Tile]]
    broken: list[list[FileError]]
    chosen: npt.NDArray[np.int32]


class FITSImages:
    """Cuts the same position out of the images of several bands, and stacks the bands.

    Every position of the table gives one sample, from the image of the first band that covers most of its cutout (of
    equal ones the widest margin), and so in every other band. The work is shared out by the images of the first band:
    these are the `files`, and the table, whose rows are dropped if a band does not cover them.

    Without `pixel_scale_arcsec` the pixels of the first band are cut out as they are, the position within half a
    pixel of the middle; so are bands on the same pixels (shifted by whole ones), and others are interpolated onto
    them. With it all bands are interpolated onto a tangent plane with the position exactly in the middle, north up
    and east left: `size` pixels of 50 arcsec / `size` are 50 arcsec of any survey, and the scale of the images is
    kept in the modality. Flux per pixel is multiplied by the ratio of the pixels' areas, so the flux of a source is
    kept.
    NaN, pixels outside of the image and pixels without inverse variance are 0, and so is their inverse variance.

    Args:
        positions: A table with columns called like ra, dec and id (without one, rows are numbered), or a
            `TableReader` that names them; its labels become labels of the samples.
        bands: Band to the path of its files, with wildcards, in the order of the channels. Or band to
            ``{"files": ..., "filter": ..., "hdu": ...}``: what the headers' FILTER or BAND say if that is not the
            band's name, and the number of the image's HDU if that is not the first image.
        size: Height and width of the cutouts in pixels.
        pixel_scale_arcsec: Size of their pixels; by default those of the first band.
        ivar: Whether the inverse variances follow the bands as ``ivar_BAND``: from the file beside the image
            (``-invvar-`` for ``-img-`` or ``-image-`` in its name, as unWISE and the Legacy Survey call it; the errors
            ``-unc-`` for ``-int-`` of AllWISE), or for SDSS frames from their calibration, sky and the gain of the
            camera. Or a pair: what stands in the images' names, and what in its place in those of the inverse
            variances.
        unit: What the pixels are converted to, from BUNIT or what SDSS and WISE document (Vega magnitudes become
            AB ones). "" takes the values as they are.
        min_coverage: Share of good pixels that a cutout needs in every band.
        name: Name of the modality.

    Raises:
        UsageError: If an argument makes no sense.

    Example:
        >>> bands = {band: f"frames/frame-{band}-*.fits.bz2" for band in "gri"}
        >>> FITSImages("positions.csv", bands, size=64, pixel_scale_arcsec=0.4).modality.shape
        (3, 64, 64)
    """

    def __init__(
        self,
        positions: str | Path | TableReader,
        bands: Mapping[str, str | Mapping[str, Any]],
        size: int,
        pixel_scale_arcsec: float | None = None,
        ivar: bool | Sequence[str] = False,
        unit: str = "nmgy",
        min_coverage: float = 0.9,
        name: str = "image",
    ) -> None:
        self.positions = positions if isinstance(positions, TableReader) else str(positions)
        self.bands = dict(bands)
        self.size, self.pixel_scale_arcsec = size, pixel_scale_arcsec
        self.north_up = pixel_scale_arcsec is not None  # on tangent planes, and not on the pixels as they are
        self.ivar = ivar if isinstance(ivar, bool) else tuple(ivar)
        self.unit, self.min_coverage, self.name = checked_unit(unit), min_coverage, name
        self._bands = [Band.of(band, given) for band, given in self.bands.items()]
        wrong = [
            (not self.bands, "bands: name at least one band and its files."),
            (size < 2, f"size: {size} pixels make no image, expected 2 or more."),
            (
                pixel_scale_arcsec is not None and not pixel_scale_arcsec > 0,
                "pixel_scale_arcsec: expected more than 0.",
            ),
            (not 0 < min_coverage <= 1, f"min_coverage: expected a share between 0 and 1, found {min_coverage}."),
            (not isinstance(self.ivar, bool) and len(self.ivar) != 2, "ivar: expected true, false or a pair of texts."),
        ]
        for is_wrong, problem in wrong:
            if is_wrong:
                raise UsageError(problem)

    def __repr__(self) -> str:
        return f"FITSImages({self.positions!r}, {self.bands}, size={self.size})"

    @cached_property
    def modality(self) -> Modality:
        """An image; without `pixel_scale_arcsec` the pixel scale is that of the first readable image.

        With it the scale of that image follows in the grid, if there is one that can be read.

        Raises:
            FileError: If that is needed and no image of the first band can be read.
        """
        channels = (*self.bands, *(f"ivar_{band}" for band in self.bands if self.ivar))
        try:
            source = round(self._first().pixel_scale_arcsec, 6)
        except FileError:
            if not self.pixel_scale_arcsec:
                raise
            source = self.pixel_scale_arcsec
        grid = tuple(dict.fromkeys((self.pixel_scale_arcsec or source, source)))
        return Modality(self.name, "image", channels, (len(channels), self.size, self.size), self.unit, grid)

    def files(self) -> list[Path]:
        """The images of the first band that show a position, those of any band that cannot be used, and the table.

        Raises:
            FileError: If the table cannot be read, or a band has no files.
        """
        plan = self._plan
        shown = np.unique(plan.chosen[0, (plan.chosen >= 0).all(axis=0)])
        broken = {error.path for errors in plan.broken for error in errors}
        return sorted({plan.tiles[0][number].path for number in shown} | broken | set(self._table.files()))

    def also_reads(self) -> list[Path]:
        """The images of the other bands and all inverse variances: if one changes, a dataset is made anew."""
        tiles = [(row, tile) for row, found in enumerate(self._plan.tiles) for tile in found]
        beside = [ivar_path(tile, self.ivar) for _, tile in tiles] if self.ivar else []
        return sorted({tile.path for row, tile in tiles if row} | {path for path in beside if path})

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """The cutouts of one image of the first band; for the table the positions that no image shows.

        A position is a drop if in some band its image is damaged, covers too little of the cutout or is blank.

        Raises:
            FileError: If the image or the table cannot be used, or is none of the `files`.
        """
        path, plan = Path(path), self._plan
        for error in (error for errors in plan.broken for error in errors if error.path == path):
            raise error
        if path in self._table.files():
            yield from self._left_out(path)
            return
        if path not in self._numbers:
            raise FileError(path, f"is neither an image of band {self._bands[0].name!r} nor the table of positions.")
        yield from self._cutouts(path, self._numbers[path])

    @cached_property
    def _table(self) -> TableReader:
        if isinstance(self.positions, TableReader):
            found = self.positions
        else:
            if not Path(self.positions).exists():
                raise FileError(
                    self.positions,
                    "no such file. It is the table of the positions to cut images at; files that are cutouts already "
                    "need none: LegacySurveyCutouts reads them, as in the configurations that end with _cutouts.",
                )
            known = catalogue(self.positions)
            found = TableReader(self.positions, (), known.id_column, known.ra_column, known.dec_column)
        if not (found.ra_column and found.dec_column):
            raise UsageError(f"{found.path}: no columns called like ra and dec. Pass a TableReader that names them.")
        return found

    def _first(self) -> Tile:
        """The first image of the first band that can be used."""
        errors = []
        for item in usable(self._bands[0], self.ivar, self.unit):
            if isinstance(item, Tile):
                return item
            errors.append(item)
        raise FileError(self._bands[0].files, f"no image can be read; the first problem: {errors[0]}")

    @cached_property
    def _plan(self) -> _Plan:
        items = (item for path in self._table.files() for item in self._table.read(path))
        targets = [item for item in items if isinstance(item, Sample) and np.isfinite([item.ra, item.dec]).all()]
        ra, dec = np.array([[target.ra, target.dec] for target in targets]).reshape(-1, 2).T
        plan = _Plan(targets, [], [], np.full((len(self.bands), len(targets)), -1, dtype=np.int32))
        for row, band in enumerate(self._bands):
            found = list(usable(band, self.ivar, self.unit))
            if not row:
                found = [self._same_scale(item) for item in found]
            plan.tiles.append([item for item in found if isinstance(item, Tile)])
            plan.broken.append([item for item in found if isinstance(item, FileError)])
            plan.chosen[row] = best_tiles(plan.tiles[row], ra, dec, self.size * self.modality.pixel_scale_arcsec)
        return plan

    @cached_property
    def _numbers(self) -> dict[Path, int]:
        return {tile.path: number for number, tile in enumerate(self._plan.tiles[0])}

    def _same_scale(self, item: Tile | FileError) -> Tile | FileError:
        """An image of the first band; an error where its own pixels cannot be the pixels of the samples."""
        expected = self.modality.pixel_scale_arcsec
        if isinstance(item, FileError) or self.pixel_scale_arcsec:
            return item
        if abs(item.pixel_scale_arcsec / expected - 1) <= SCALE_TOLERANCE:
            return item
        found = f"{item.pixel_scale_arcsec:.4f} arcsec per pixel, expected {expected:.4f} of the first image."
        return FileError(item.path, f"{found} Give `pixel_scale_arcsec` to bring all to one.")

    def _left_out(self, path: Path) -> Iterator[Drop]:
        """Rows of the table without coordinates, or without an image in some band."""
        plan, reasons = self._plan, {}
        for at in np.flatnonzero((plan.chosen < 0).any(axis=0)):
            lacking = [row for row in range(len(self._bands)) if plan.chosen[row, at] < 0]
            names = ", ".join(self._bands[row].name for row in lacking)
            broken = [error for row in lacking for error in plan.broken[row]]
            hint = f" ({len(broken)} of its files cannot be used; the first: {broken[0]})" if broken else ""
            reasons[plan.targets[at].object_id] = f"no image of band {names} shows it{hint}."
        for item in self._table.read(path):
            if isinstance(item, Drop):
                yield item
            elif not np.isfinite([item.ra, item.dec]).all():
                yield Drop(f"{path}: {item.object_id}", "no coordinates.")
            elif item.object_id in reasons:
                yield Drop(f"{path}: {item.object_id}", reasons[item.object_id])

    def _cutouts(self, path: Path, number: int) -> Iterator[Sample | Drop]:
        plan = self._plan

        @lru_cache(2 * len(self._bands))
        def image(band: int, at: int) -> Pixels:
            return load(plan.tiles[band][at], self.ivar, self.unit)

        image(0, number)  # a damaged one is the file's error, not the positions'
        rows = np.flatnonzero((plan.chosen[0] == number) & (plan.chosen >= 0).all(axis=0))
        ways, way_of = np.unique(plan.chosen[:, rows], axis=1, return_inverse=True)
        for way in range(ways.shape[1]):
            members = rows[way_of.ravel() == way]
            try:
                images = [image(band, int(at)) for band, at in enumerate(ways[:, way])]
            except FileError as error:
                yield from (Drop(f"{path}: {plan.targets[at].object_id}", str(error)) for at in members)
                continue
            for start in range(0, len(members), CHUNK):
                yield from self._stack(path, [plan.targets[at] for at in members[start : start + CHUNK]], images)

    def _stack(self, path: Path, targets: list[Sample], images: Sequence[Pixels]) -> Iterator[Sample | Drop]:
        nodes = self._nodes(targets, [image.tile for image in images])
        for at, target in enumerate(targets):
            planes, inverse = [], []
            for band, image, node in zip(self.bands, images, nodes, strict=True):
                flux, ivar, good = cut(image.flux, image.ivar, node[at], self.size)
                if good.mean() < self.min_coverage or not flux.any():
                    reason = f"covers {good.mean():.0%} of the cutout" if flux.any() else "is blank (0 everywhere)"
                    yield Drop(f"{path}: {target.object_id}", f"band {band!r} {reason} ({image.tile.path}).")
                    break
                planes.append(flux * np.float32(image.factor))
                inverse.append(ivar / np.float32(image.factor) ** 2)
            else:
                yield replace(target, views={self.name: np.stack([*planes, *(inverse if self.ivar else [])])})

    def _nodes(self, targets: list[Sample], tiles: Sequence[Tile]) -> list[npt.NDArray[np.float64]]:
        """Nodes of the cutouts in the pixels of each image, per band [n, 3, 3, 2]."""
        ra, dec = (np.array([getattr(target, axis) for target in targets]) for axis in ("ra", "dec"))
        own: list[npt.NDArray[np.float64]] = []
        if self.pixel_scale_arcsec:
            world = sky_nodes(ra, dec, self.size, self.pixel_scale_arcsec)
        else:
            x, y = tiles[0].wcs.all_world2pix(ra, dec, 0, quiet=True)
            own = [lattice_nodes(x, y, self.size)]
            world = tiles[0].wcs.all_pix2world(own[0].reshape(-1, 2), 0).reshape(own[0].shape)
        flat = world.reshape(-1, 2)
        rest = tiles[len(own) :]
        return own + [tile.wcs.all_world2pix(flat, 0, quiet=True).reshape(world.shape) for tile in rest]
