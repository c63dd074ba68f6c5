"""The Multimodal Universe in HDF5: ``ROOT/SUBSET/healpix=NUMBER/*.hdf5``, a dataset per column, a row per object.

Described in Angeloudi et al. 2024 (arXiv:2412.02527). The folders are pixels of the sky (NESTED, nside 16); each may
hold any number of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .files.file_lists import find_files
from .multimodal.multimodal_columns import GROUP, HDF5, clean_text, first_found, numeric, pixel_of, scalars
from .multimodal.multimodal_hdf5 import Columns, columns_of, image_fields, lightcurve_fields, spectrum_fields
from .multimodal.multimodal_rows import Rows, RowsReader

__all__ = ["MultimodalUniverse"]

COORDINATES = {"ra": ("ra", "RA"), "dec": ("dec", "DEC", "decl")}


class MultimodalUniverse(RowsReader):
    """Reads one kind of modality of a set of the Multimodal Universe (HDF5): all files of all its pixels.

    Read are images (``image_array``; ``image_triplet`` of BTSbot as bands science, reference, difference; the RGB
    ``images`` of Galaxy Zoo 10; MaNGA's reconstructed images, but not its spaxels and maps), spectra with wavelengths
    per object, light curves grouped by band, of supernovae (an object per file) and of one band (TESS, Kepler), and
    tables. Ids are plain text, padding is left out, and labels keep the meaning that the file gives them (``ZWARN``
    is 0 where nothing is wrong). A light curve counts days from its first point; the label ``time_zero_mjd`` says
    when that was (``time_zero`` where there is one band, counted as the mission does).

    The arguments are those of `RowsReader`; `root` may also be the folder of one pixel.

    Example:
        >>> MultimodalUniverse("sdss", kind="spectrum", grid="boss", labels=["Z", "ZWARNING"]).labels
        ('Z', 'ZWARNING')
    """

    def files(self) -> Sequence[Path]:
        """The files in folders ``healpix=NUMBER``, sorted.

        Raises:
            FileError: If the folder does not exist.
        """
        found = find_files(self.root, "**/*.h*5")
        return found if Path(self.root).is_file() else [path for path in found if pixel_of(path) is not None]

    def _rows(self, path: Path) -> Iterator[Rows]:
        with columns_of(path) as tables:
            for table in tables:
                coordinates = {role: first_found(names, table.names) for role, names in COORDINATES.items()}
                roles = {name for names in HDF5.get(self.kind, {}).values() for name in names}
                labels = self._label_names(table.single_valued(), roles | {*coordinates.values()})
                for block in table.blocks(self.kind):
                    yield self._block(table, block, coordinates, labels)

    def _block(self, table: Columns, block: slice, coordinates: dict[str, str], labels: Sequence[str]) -> Rows:
        def take(name: str) -> npt.NDArray[Any]:
            return table.take(name, block)

        ids = clean_text(take("object_id"))
        ra, dec = (
            take(name).astype(np.float64) if name else np.full(len(ids), np.nan) for name in coordinates.values()
        )
        rows = Rows(ids, ra, dec, {}, scalars(table.path, labels, table.names, take))
        rows.groups = clean_text(take(GROUP)) if GROUP in table.names else ()
        if self.kind == "table":
            columns = scalars(table.path, self.columns, table.names, take)
            rows.fields = {"channels": list(columns), "values": numeric(table.path, columns)}
        elif self.kind == "image":
            rows.fields, rows.unit = image_fields(table, block, self.bands, self.ivar)
        elif self.kind == "spectrum":
            rows.fields, rows.unit = spectrum_fields(table, block)
        else:
            rows.fields, rows.unit, rows.days = lightcurve_fields(table, block, self.bands)
        return rows
