"""What AstroM3 published, scaled for its networks, back in the form in which observations are: one object at a time.

The encoders' preprocessing (`LightCurveSteps`, `SpectrumChannels`, `CatalogueColumns`) makes the published numbers of
it again. What cannot be known any more, the mean brightness, is 0.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FileError, InputError
from ..transforms.astrom3_columns import MAGNITUDES, METADATA, PHOTOMETRY, SCALED, YEAR

__all__ = ["Statistics", "light_curve", "metadata", "spectrum"]

Floats = npt.NDArray[np.float64]
View = npt.NDArray[np.float32]
FEATURES = 9


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation by which columns were scaled, as AstroM3Dataset's ``info.json`` tells them.

    Args:
        mean: Of each column, by name.
        std: Its standard deviation.
    """

    mean: dict[str, float]
    std: dict[str, float]

    @classmethod
    def read(cls, path: str | Path) -> Statistics:
        """From a file.

        Raises:
            FileError: If it is no such file, or lacks a column.
        """
        path = Path(path)
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            known = [told[key] for key in ("mean", "std")]
            both = [one if isinstance(one, dict) else dict(zip(told["all_cols"], one, strict=True)) for one in known]
            mean, std = ({name: float(one[name]) for name in (*METADATA, *PHOTOMETRY)} for one in both)
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise FileError(path, f"is no info.json of AstroM3Dataset ({problem}): mean and std by column.") from error
        return cls(mean, std)

    def undone(self, names: Sequence[str], values: Floats) -> Floats:
        """Columns [..., C] as they were before they were scaled."""
        mean, std = (np.array([one[name] for name in names]) for one in (self.mean, self.std))
        return np.asarray(values * std + mean)


def scaled_names(names: Sequence[str], statistics: Statistics | None) -> tuple[str, ...]:
    """What columns are called: as they are, or as scaled ones where it is not known how."""
    return tuple(names) if statistics else tuple(SCALED + name for name in names)


def light_curve(steps: npt.NDArray[Any], statistics: Statistics | None) -> View:
    """A light curve [T, 8], in days since its first point and mJy less their mean, from steps [T, 9].

    Raises:
        InputError: If it has no step, a number is not finite, or the constants differ from step to step.
    """
    x = np.asarray(steps, dtype=np.float64)
    if not len(x):
        raise InputError("the light curve has no point")
    if not (np.isfinite(x[:, :2]).all() and np.isfinite(x[:, 3:]).all()):
        raise InputError("the light curve holds numbers that are not finite")
    constants = x[0, 3:]
    if (x[:, 3:] != constants).any():
        raise InputError("what is constant in a light curve differs from step to step")
    numbers, years = constants[:4].copy(), constants[5]
    if statistics is not None:
        numbers = statistics.undone(PHOTOMETRY, numbers)
        numbers[1] = 10 ** numbers[1]
    points = np.zeros((len(x), 4 + len(PHOTOMETRY)))
    points[:, 0] = x[:, 0] * years * YEAR
    points[:, 1:3] = x[:, 1:3] * 10 ** constants[4]
    points[:, 4:] = numbers
    if (np.diff(points[:, 0]) < 0).any():
        points = points[points[:, 0].argsort(kind="stable")]
    return _float32(points, "light curve")


def spectrum(channels: npt.NDArray[Any]) -> View:
    """A spectrum [2, L] of flux and inverse variance from three channels [3, L]; a negative inverse variance is 0.

    Raises:
        InputError: If a number is not finite, or no inverse variance is above 0.
    """
    x = np.asarray(channels, dtype=np.float64)
    if not np.isfinite(x).all():
        raise InputError("the spectrum holds numbers that are not finite")
    flux = x[0] - _zero(x[0])
    view = np.stack([flux, np.maximum(x[1], 0)]) * 10 ** x[2, 0]
    if not (view[1] > 0).any():
        raise InputError("the inverse variance of the spectrum is 0 everywhere")
    return _float32(view, "spectrum")


def _zero(flux: Floats) -> float:
    """Where the zero of a scaled flux [L] lies, if pixels without flux tell it; else 0, the mean.

    Pixels without flux all have one value, and were left out when the spread was measured that is 1 now.
    """
    values, counts = np.unique(flux, return_counts=True)
    often = float(values[counts.argmax()])
    others = flux[flux != often]
    if counts.max() > 1 and len(others) and abs(_spread(others) - 1) < abs(_spread(flux) - 1):
        return often
    return 0.0


def _spread(values: Floats) -> float:
    return float(np.median(np.abs(values - np.median(values))))


def metadata(columns: npt.NDArray[Any], statistics: Statistics | None) -> View:
    """The 34 columns of the catalogue, or as they are where it is not known how they were scaled.

    An angle comes back as one whose cosine or sine is the same.

    Raises:
        InputError: If no value is a number.
    """
    x = np.asarray(columns, dtype=np.float64)
    if not np.isfinite(x).any():
        raise InputError("no column of the metadata has a value")
    x = np.where(np.isfinite(x), x, np.nan)
    if statistics is not None:
        x = statistics.undone(METADATA, x)
        parallax = x[METADATA.index("parallax")]
        magnitudes = [METADATA.index(name) for name in MAGNITUDES]
        x[magnitudes] += 10 - 5 * np.log10(parallax if parallax > 0 else 1.0)
        for name, inverse in (("l", np.arccos), ("b", np.arcsin)):
            place = METADATA.index(name)
            x[place] = np.degrees(inverse(np.clip(x[place], -1, 1)))
    return x.astype(np.float32)


def _float32(view: Floats, what: str) -> View:
    with np.errstate(over="ignore"):
        narrow = view.astype(np.float32)
    if np.isinf(narrow).any():
        raise InputError(f"the {what} holds numbers that are too large")
    return narrow
