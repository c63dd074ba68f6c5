"""How the Multimodal Universe names its columns, in HDF5 files and in HATS catalogues, and what its values mean.

A mask of an image is True where the pixel is good, a mask of a spectrum True where it is bad: that is how the
survey scripts of the Multimodal Universe (github.com/MultimodalUniverse/MultimodalUniverse) write them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import FileError
from ..files.notes import EXACT, LOST_DIGITS, note

__all__ = [
    "FIXED_BANDS",
    "GROUP",
    "HDF5",
    "HEALPIX",
    "NESTED",
    "PARTITION",
    "RESERVED",
    "SINGLE",
    "UNITS",
    "clean_text",
    "first_found",
    "numeric",
    "pixel_of",
    "pixels",
    "resolve",
    "scalars",
    "unit_of",
]

Names = Mapping[str, tuple[str, ...]]
HEALPIX = "_healpix_29"  # NESTED pixel of order 29
GROUP = "object_group"  # a column of the kit's own, written where rows share an object
RESERVED = (HEALPIX, "object_id", "ra", "dec", "healpix", GROUP)
PARTITION = ("Norder", "Dir", "Npix")  # where a row lies in a HATS catalogue
SINGLE = "single"  # the band of missions that have one
# Role of a column to the names that it has, by kind of modality; the first is the one that is written.
NESTED: dict[str, Names] = {
    "image": {
        "flux": ("flux", "array"),
        "band": ("view", "band"),
        "ivar": ("ivar",),
        "mask": ("mask",),
        "scale": ("scale",),
    },
    "spectrum": {
        "flux": ("flux",),
        "ivar": ("ivar",),
        "noise": ("noise", "flux_error"),
        "lambda": ("lambda", "wave"),
        "mask": ("mask",),
    },
    "lightcurve": {
        "time": ("time",),
        "flux": ("flux", "mag"),
        "flux_err": ("flux_err", "mag_err"),
        "band": ("band",),
    },
}
HDF5: dict[str, Names] = {
    "image": {
        "flux": ("image_array", "image_flux", "image_triplet", "images", "image_rgb"),
        "band": ("image_band",),
        "ivar": ("image_ivar",),
        "mask": ("image_mask",),
        "scale": ("image_scale", "pxscale"),
    },
    "spectrum": {role: tuple(f"spectrum_{name}" for name in names) for role, names in NESTED["spectrum"].items()},
    "lightcurve": {
        "grouped": ("lightcurve",),
        "time": ("time",),
        "flux": ("flux", "kspsap_flux", "psf_flux", "mag"),
        "flux_err": ("flux_err", "kspsap_flux_err", "psf_flux_err", "mag_err"),
        "bands": ("bands",),
    },
}
FIXED_BANDS = {  # images with the channel last
    "image_triplet": ("science", "reference", "difference"),
    "images": ("red", "green", "blue"),
    "image_rgb": ("red", "green", "blue"),
}
SPECTRUM_UNIT = "1e-17 erg / (Angstrom s cm2)"
UNITS = {  # as the surveys document them: the files do not say
    "image": {"legacysurvey": "nmgy", "manga": "nmgy"},
    "spectrum": dict.fromkeys(("sdss", "segue1", "segue2", "boss", "eboss", "desi"), SPECTRUM_UNIT),
}
FILTERS = "UGRIZ"
BYTES_LITERAL = re.compile(r"""b(['"]).*\1""", re.DOTALL)


def first_found(names: Sequence[str], found: Iterable[str]) -> str:
    """The first of the names that is there; "" if none is."""
    found = set(found)
    return next((name for name in names if name in found), "")


def unit_of(kind: str, path: str | Path, stated: str = "") -> str:
    """The unit that a file states, else the one of the survey after which a folder is called, else "".

    Args:
        kind: Of the modality.
        path: A file.
        stated: What the file says.

    Example:
        >>> unit_of("image", "data/mmu_legacysurvey_dr10_south_21/x.parquet")
        'nmgy'
    """
    words = re.split(r"[/\\_]", str(path).lower())
    known = UNITS.get(kind, {})
    return stated or next((known[word] for word in reversed(words) if word in known), "")


def pixel_of(path: Path) -> int | None:
    """Number of the sky pixel whose folder ``healpix=NUMBER`` a file lies in; None if it lies in none.

    Example:
        >>> pixel_of(Path("sdss/healpix=0123/001-of-001.hdf5"))
        123
    """
    matches = (re.fullmatch(r"healpix=(\d+)", folder) for folder in reversed(path.absolute().parts[:-1]))
    return next((int(match[1]) for match in matches if match), None)


def pixels(ra: npt.ArrayLike, dec: npt.ArrayLike, order: int = 29) -> npt.NDArray[np.int64]:
    """HEALPix pixels [N] of positions, NESTED, nside = 2 ** order.

    Args:
        ra: Right ascension in degrees [N].
        dec: Declination in degrees [N].
        order: 4 for the folders of the Multimodal Universe, 29 for ``_healpix_29``.
    """
    from astropy_healpix.healpy import ang2pix

    return np.asarray(ang2pix(2**order, ra, dec, lonlat=True, nest=True), dtype=np.int64)


def clean_text(values: npt.ArrayLike) -> list[str]:
    """Ids or names as plain text [N]: bytes decoded, blanks stripped, whole numbers without ".0".

    A release whose loader wrote ``str(bytes)`` has ids such as ``b'   2575'``: they become ``2575``.

    Example:
        >>> clean_text(["b'   2575'", " x "]), clean_text([b"a "]), clean_text([7.0])
        (['2575', 'x'], ['a'], ['7'])
    """
    array = np.asarray(values)
    if array.dtype.kind == "f":
        if (np.abs(array) >= EXACT).any():
            note(LOST_DIGITS)
        whole = np.isfinite(array) & (array % 1 == 0) & (np.abs(array) < 2**63)
        texts = np.where(whole, np.where(whole, array, 0).astype(np.int64).astype(str), array.astype(str))
        return ["" if text == "nan" else text for text in texts.tolist()]
    return [_text(value) for value in array.tolist()]


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = "" if value is None else str(value).strip(" \0\t\r\n")
    while BYTES_LITERAL.fullmatch(text):
        try:
            text = ast.literal_eval(text).decode("utf-8", "replace").strip()
        except (ValueError, SyntaxError):
            break
    return text


def scalars(
    path: Path, names: Sequence[str], found: Sequence[str], take: Callable[[str], npt.NDArray[Any]]
) -> dict[str, npt.NDArray[Any]]:
    """Columns with one value per object; wide ones are split.

    A wide column ``SPECTROFLUX`` (N, 5) of SDSS is split into ``SPECTROFLUX_U`` ... ``SPECTROFLUX_Z``, any other
    into ``NAME_0``, ``NAME_1``, ...; each part can be asked for by its own name.

    Args:
        path: The file, for messages.
        names: Which columns.
        found: Columns of the file.
        take: Gives the values [N, ...] of a column.

    Returns:
        Name to values [N]: float64, or text (object) where the column holds text.

    Raises:
        FileError: If a column is missing or holds a table per object.
    """
    out: dict[str, npt.NDArray[Any]] = {}
    for name in names:
        column, part = resolve(path, name, found)
        values = np.asarray(take(column))
        if 0 in values.shape[1:]:
            raise FileError(path, f"column {column!r} holds no values.")
        if values.ndim > 2 or (part >= 0 and (values.ndim < 2 or part >= values.shape[1])):
            raise FileError(path, f"column {column!r} holds {values.shape[1:]} values per object, asked for {name!r}.")
        split = {name: values} if values.ndim == 1 else _split(column, values)
        out |= {name: split[_part(column, part, values.shape[1])]} if part >= 0 else split
    return {name: _plain(values) for name, values in out.items()}


def resolve(path: Path, name: str, found: Sequence[str]) -> tuple[str, int]:
    """The column that holds a name, and which part of it (-1 for all).

    Args:
        path: The file, for messages.
        name: Of a column, or of a part of a wide one.
        found: Columns of the file.

    Raises:
        FileError: If there is no such column.
    """
    if name in found:
        return name, -1
    stem, _, tail = name.rpartition("_")
    if stem in found and (tail.isdigit() or tail in tuple(FILTERS)):
        return stem, int(tail) if tail.isdigit() else FILTERS.index(tail)
    raise FileError(path, f"no column {name!r} (found {', '.join(list(found)[:20])}).")


def numeric(path: Path, columns: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.float64]:
    """Columns side by side [N, C].

    Raises:
        FileError: If one holds text.
    """
    texts = [name for name, values in columns.items() if values.dtype == object]
    if texts:
        raise FileError(path, f"column {texts[0]!r} holds text, expected numbers. Make it a label.")
    return np.stack(list(columns.values()), axis=1)


def _part(column: str, part: int, width: int) -> str:
    return f"{column}_{FILTERS[part]}" if column.startswith("SPECTRO") and width == len(FILTERS) else f"{column}_{part}"


def _split(column: str, values: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    width = values.shape[1]
    return {_part(column, part, width): values[:, part] for part in range(width)}


def _plain(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if values.dtype.kind in "biuf":
        return values.astype(np.float64)
    return np.array(clean_text(values), dtype=object)
