"""The noise of SDSS frames, which is not stored but follows from what is: calibration, sky, gain and dark variance.

Source: the SDSS data model of ``frame-FILTER-RUN6-CAMCOL-FIELD4.fits.bz2``, section on calculating errors,
https://data.sdss.org/datamodel/files/BOSS_PHOTOOBJ/frames/RERUN/RUN/CAMCOL/frame.html
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import FileError
from ..files.fits_files import damaged_header

__all__ = ["frame_ivar", "is_frame"]

# Per filter, for camera columns 1 to 6: electrons per count, and variance of read-out and dark current in counts^2.
GAIN = {
    "u": (1.62, 1.825, 1.59, 1.6, 1.47, 2.17),
    "g": (3.32, 3.855, 3.845, 3.995, 4.05, 4.035),
    "r": (4.71, 4.6, 4.72, 4.76, 4.725, 4.895),
    "i": (5.165, 6.565, 4.86, 4.885, 4.64, 4.76),
    "z": (4.745, 5.155, 4.885, 4.775, 3.48, 4.69),
}
DARK_VARIANCE = {
    "u": (9.61, 12.6025, 8.7025, 12.6025, 9.3025, 7.0225),
    "g": (15.6025, 1.44, 1.3225, 1.96, 1.1025, 1.8225),
    "r": (1.8225, 1.0, 1.3225, 1.3225, 0.81, 0.9025),
    "i": (7.84, 6.25, 4.6225, 7.5625, 7.84, 5.0625),
    "z": (0.81, 1.0, 1.0, 12.6025, 2.1025, 1.21),
}
# Before a rebuilding of the camera: (filter, column) to (first run after it, earlier value).
EARLY_GAIN = {("u", 2): (1100, 1.595)}
EARLY_DARK_VARIANCE = {("i", 2): (1500, 5.76), ("i", 4): (1500, 6.25), ("z", 4): (1500, 9.61), ("z", 5): (1500, 1.8225)}


def is_frame(header: Any) -> bool:
    """Whether an image's header is that of an SDSS frame."""
    return all(name in header for name in ("RUN", "CAMCOL", "FILTER", "NMGY"))


def frame_ivar(hdus: Any) -> npt.NDArray[np.float32]:
    """Inverse variance of a frame in nanomaggies^-2 [rows, columns]: photons of source and sky, read-out and dark.

    Saturated pixels and bad columns are not known to the frame (they are in the fpM files) and count as good.

    Args:
        hdus: The open frame: image, calibration vector, table of the sky.

    Raises:
        FileError: If calibration or sky are missing, or the header names no known CCD.
    """
    path, header = hdus.filename(), hdus[0].header
    with damaged_header(path):
        ccd = str(header["FILTER"]).strip(), int(header["CAMCOL"]) - 1
        gain = _of_run(GAIN, EARLY_GAIN, *ccd, int(header["RUN"]))
        dark = _of_run(DARK_VARIANCE, EARLY_DARK_VARIANCE, *ccd, int(header["RUN"]))
    image = np.asarray(hdus[0].data, dtype=np.float32)
    rows, columns = image.shape
    if (
        len(hdus) < 3
        or hdus[1].data is None
        or hdus[1].data.shape != (columns,)
        or "ALLSKY" not in hdus[2].columns.names
    ):
        raise FileError(path, "an SDSS frame with calibration (HDU 1) and sky (HDU 2) was expected, for its noise.")
    calibration, sky = np.asarray(hdus[1].data, dtype=np.float32), hdus[2].data[0]
    binned = np.asarray(sky["ALLSKY"], dtype=np.float32)
    counts = _linear(_linear(binned, sky["YINTERP"][:rows]).T, sky["XINTERP"][:columns]).T + image / calibration
    variance = (np.clip(counts, 0, None) / gain + dark) * calibration**2
    return np.asarray(1 / variance, dtype=np.float32)


def _of_run(table: Any, early: Any, band: str, column: int, run: int) -> float:
    first, before = early.get((band, column + 1), (0, 0.0))
    return float(before if run < first else table[band][column])


def _linear(values: npt.NDArray[np.float32], at: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Interpolates along the first axis, constant beyond its ends."""
    at = np.clip(at, 0, len(values) - 1)
    low = np.clip(at.astype(int), 0, len(values) - 2)
    share = (at - low).astype(np.float32)[:, None]
    return np.asarray(values[low] * (1 - share) + values[low + 1] * share)
