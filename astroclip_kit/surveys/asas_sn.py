"""ASAS-SN light curves, one file per object: what Sky Patrol exports, and the catalogue of variable stars.

Four layouts are read: Sky Patrol 1 (HJD, Camera, Limit, mag, mag_err, flux(mJy), flux_err, Filter; a non-detection
is a magnitude such as ">16.8" with the error 99.99), the catalogue of variable stars on the web (the same in lower
case), Sky Patrol 2 (a line of JSON about the object, then jd, flux, flux_err, mag, mag_err, limit, camera or cam, and
perhaps quality and phot_filter), all CSV; and the .dat files of that catalogue (see `asas_sn_variables`). Shappee et
al. 2014, ApJ 788, 48; Kochanek et al. 2017, PASP 129, 104502; Hart et al. 2023, arXiv:2304.03791.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from ..errors import FileError, UsageError
from ..types import Drop, Modality, Sample
from .asas_sn_variables import is_variable_star, read_variable_star
from .files.columns import Column
from .files.csv_files import csv_comments
from .files.fits_files import find_files
from .files.table_files import column_names, numbers, read_columns, text
from .measurements import (
    UpperLimits,
    light_curve_modality,
    light_curve_sample,
    light_curves,
    measurements,
    too_short,
)

__all__ = ["ASASSNLightCurves"]

NAMES = {  # in lower case
    "time": ("hjd", "jd"),
    "mag": ("mag",),
    "mag_err": ("mag_err",),
    "flux": ("flux(mjy)", "flux"),
    "flux_err": ("flux_err",),
    "camera": ("camera", "cam"),
    "band": ("filter", "phot_filter"),
    "limit": ("limit",),
    "quality": ("quality",),
    "id": ("asas_sn_id",),
}
NEEDED = {"mag": ("time", "mag", "mag_err", "camera"), "flux": ("time", "flux", "flux_err", "camera")}
JULIAN, TO_MODIFIED = 2_400_000, 2_400_000.5
NOT_DETECTED = (99.0, 99.99, 99.999, -9999.0)


class ASASSNLightCurves:
    """Reads Sky Patrol exports and the files of the catalogue of variable stars, one object per file.

    The view is [T, 4] as `LightCurveTable` gives it. The object's id is its ASAS-SN id where the file states one,
    else the file's name; labels are what Sky Patrol 2 says about the object. Magnitudes and fluxes agree (AB). Where
    no filter is stated the camera says it: ba to bh took V, the later ones and the same in capitals (bA to bH) g.
    The catalogue's .dat files are all of V, and their non-detections have no limit: "keep" keeps none of them.

    Args:
        root: Folder of the files, or one file.
        pattern: Which files under it; all .csv and .dat files by default.
        value: "mag", or "flux" in mJy: then a non-detection is a measurement like any other.
        bands: Bands to keep, in this order.
        upper_limits: "drop" magnitudes that are upper limits (counted), or "keep" them as bands ``<band>_limit``.
        quality: Where the file rates images, the ratings to keep.
        min_points: Objects with fewer detections are dropped.
        name: Name of the modality.

    Raises:
        UsageError: If `value` or `upper_limits` is unknown.

    Example:
        >>> ASASSNLightCurves("exports", upper_limits="keep").modality.bands
        ('V', 'g', 'V_limit', 'g_limit')
    """

    def __init__(
        self,
        root: str | Path,
        pattern: str = "**/*.[cd][sa][vt]*",
        value: Literal["mag", "flux"] = "mag",
        bands: Sequence[str] = ("V", "g"),
        upper_limits: UpperLimits = "drop",
        quality: Sequence[str] = ("G",),
        min_points: int = 2,
        name: str = "lightcurve",
    ) -> None:
        if value not in NEEDED:
            raise UsageError(f"value is {value!r}, expected 'mag' or 'flux'.")
        self.root, self.pattern = str(root), pattern
        self.value: Literal["mag", "flux"] = value
        self.bands = tuple(bands)
        self.upper_limits = upper_limits
        self.quality = tuple(quality)
        self.min_points = min_points
        self.name = name
        self.modality  # noqa: B018  (refuses wrong upper_limits here and not in the middle of a run)

    def __repr__(self) -> str:
        return f"ASASSNLightCurves({self.root!r}, {self.pattern!r}, value={self.value!r})"

    @cached_property
    def modality(self) -> Modality:
        """A light curve in magnitudes or mJy."""
        unit = "mag" if self.value == "mag" else "mJy"
        return light_curve_modality(self.name, self.bands, unit, self.upper_limits)

    def files(self) -> Sequence[Path]:
        """The files that match, sorted.

        Raises:
            FileError: If the folder does not exist.
        """
        return find_files(self.root, self.pattern)

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """The one sample of a file; its unusable rows are one drop per reason.

        Raises:
            FileError: If the file is of none of the layouts, or no row of it can be used.
        """
        if is_variable_star(path):
            yield from self._variable_star(path)
            return
        columns = _columns(path, self.value)
        table = read_columns(path, columns.values(), [columns["id"]] if "id" in columns else [])
        table = table.rename(columns={column: role for role, column in columns.items()})
        about = _about(path)
        rated = text(table["quality"]) if "quality" in table else np.full(len(table), "")
        unfit = np.array([bool(rating) and rating not in self.quality for rating in rated])
        given = self._roles(table) | {
            "id": pd.Series([_object_id(path, table, about)] * len(table)),
            "band": table["band"] if "band" in table else _filters(table["camera"]),
            **{role: pd.Series([about[key]] * len(table)) for role, key in _POSITION.items() if key in about},
        }
        described = {role: Column(role, missing=NOT_DETECTED) for role in given}
        rows = measurements(path, given, described, self.modality.unit, self.upper_limits)
        rows.loc[unfit, "reason"] = "quality"
        for item in light_curves(path, rows, self.modality, self.min_points):
            if isinstance(item, Sample):
                item.labels |= _labels(about)
            yield item

    def _variable_star(self, path: Path) -> Iterator[Sample | Drop]:
        """The same of a file of the catalogue of variable stars."""
        rows, object_id = read_variable_star(path), _stem(path)
        detected = ~np.isin(rows[:, 2], NOT_DETECTED)
        value, error = rows[:, 1:3].T if self.value == "mag" else rows[:, 3:].T
        measured = np.isfinite(rows[:, 0]) & np.isfinite(value) & ~np.isin(value, NOT_DETECTED)
        usable = measured & (detected if self.value == "mag" else ~np.isin(error, NOT_DETECTED))
        if not usable.any():
            raise FileError(path, f"none of its {len(rows)} rows can be used: no detection among them.")
        if left := int((~usable).sum()):
            reason = "upper limit" if self.value == "mag" else "no value"
            yield Drop(f"{path}: {object_id} ({left} rows)", reason)
        if "V" not in self.bands or usable.sum() < self.min_points:
            yield too_short(path, object_id, self.min_points)
            return
        time = rows[:, 0] - np.where(rows[:, 0] > JULIAN, TO_MODIFIED, 0)
        view = np.stack([time, value, np.where(error > 0, error, np.nan)], axis=1)[usable]
        view = np.insert(view[np.argsort(view[:, 0], kind="stable")], 3, self.bands.index("V"), axis=1)
        yield light_curve_sample(self.name, object_id, view)

    def _roles(self, table: pd.DataFrame) -> dict[str, pd.Series]:
        """What `measurements` asks for, of the magnitudes or of the fluxes."""
        if self.value == "flux":
            measured = ~np.isnan(numbers(table["flux_err"], NOT_DETECTED))
            return {"time": table["time"], "value": table["flux"].where(measured), "error": table["flux_err"]}
        flag = pd.Series(np.isin(numbers(table["mag_err"]), NOT_DETECTED))
        roles = {"time": table["time"], "value": table["mag"], "error": table["mag_err"], "upper_limit": flag}
        return roles | ({"limit": table["limit"]} if "limit" in table else {})


_POSITION = {"ra": "ra_deg", "dec": "dec_deg"}


def _columns(path: Path, value: str) -> dict[str, str]:
    """Role to the column's name as it is written in this file."""
    written = {name.strip().lower(): name for name in reversed(column_names(path))}
    columns = {role: written[name] for role, names in NAMES.items() for name in reversed(names) if name in written}
    missing = [role for role in NEEDED[value] if role not in columns]
    if missing:
        expected, found = " or ".join(NAMES[missing[0]]), ", ".join(list(written)[::-1])[:100]
        raise FileError(path, f"no export of Sky Patrol: no column {expected} (found {found}).")
    return columns


def _filters(cameras: pd.Series) -> pd.Series:
    first = cameras.astype("string").str.strip().str.fullmatch("b[a-h]").fillna(False)
    return pd.Series(np.where(first.to_numpy(dtype=bool), "V", "g"))


def _about(path: Path) -> dict[str, Any]:
    """What Sky Patrol 2 says about the object in its first line, with or without braces."""
    line = next(filter(None, csv_comments(path)), "").strip()
    try:
        about = json.loads(line if line.startswith("{") else f"{{{line}}}")
    except ValueError:
        return {}
    return {str(key): value for key, value in about.items() if value is not None}


def _object_id(path: Path, table: pd.DataFrame, about: dict[str, Any]) -> str:
    stated = about.get("asas_sn_id") or (text(table["id"])[0] if "id" in table else "")
    return str(stated) if stated else _stem(path)


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".csv").removesuffix(".dat")


def _labels(about: dict[str, Any]) -> dict[str, float | str]:
    """Numbers as they are; ids and text as text."""
    own = ("asas_sn_id", *_POSITION.values())
    return {
        key: float(value) if isinstance(value, (int, float)) and not key.endswith("_id") else str(value)
        for key, value in about.items()
        if key not in own and not isinstance(value, (dict, list)) and value == value
    }
