"""What is predicted, on the scale it is predicted on: numbers, logarithms, angles and classes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError

__all__ = ["MOST_SHARE", "Property", "classes_of", "those_with_classes"]

Array = npt.NDArray[Any]
LARGEST = float(np.sqrt(np.finfo(np.float64).max))  # a number whose square is none stands for a missing value
MOST_SHARE = 0.5  # of the objects: a text label with more values than this is a name, not a class


@dataclass(frozen=True)
class Property:
    """A label and its scale.

    Args:
        name: As the user wrote it: "z", "log10(z)", "circular(position_angle_deg, 180)".
        label: The label itself.
        logarithm: Whether log10 of the label is predicted.
        period: After how much an angle is the same again, in the unit of the label; 0 for what is no angle.

    Example:
        >>> angle = Property.parse("circular(position_angle_deg, 180)")
        >>> angle.label, angle.period, angle.column, float(angle.difference(175.0, 5.0))
        ('position_angle_deg', 180.0, 'position_angle_deg', -10.0)
    """

    name: str
    label: str
    logarithm: bool = False
    period: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Property:
        """The property that a text stands for.

        Raises:
            UsageError: If an angle is given without a positive period.
        """
        if found := re.fullmatch(r"log10\((.+)\)", text.strip()):
            return cls(text.strip(), found[1].strip(), logarithm=True)
        if not text.strip().startswith("circular("):
            return cls(text.strip(), text.strip())
        found = re.fullmatch(r"circular\((.+),\s*(\d+\.?\d*|\.\d+)\s*\)", text.strip())
        if not found or float(found[2]) == 0:
            raise UsageError(f"{text}: expected the name of an angle and its period, e.g. circular(angle_deg, 180).")
        return cls(text.strip(), found[1].strip(), period=float(found[2]))

    @property
    def column(self) -> str:
        """Name of the column of predictions."""
        return self.label if self.period else self.name

    def values(self, labels: Mapping[str, Array]) -> Array:
        """Values [N] on the scale of the prediction: text with "", or float64 with NaN, where missing.

        A number beyond 1e154 counts as missing: in catalogues the largest number there is stands for that.

        Raises:
            UsageError: If there is no such label, or it is text and can be no logarithm or angle.
        """
        if self.label not in labels:
            raise UsageError(f"no property {self.label!r} among the labels: {', '.join(labels) or 'there are none'}.")
        column = labels[self.label]
        if column.dtype.kind in "OSU":
            if self.logarithm or self.period:
                what = "logarithm" if self.logarithm else "period"
                raise UsageError(f"{self.name}: {self.label!r} is text and has no {what}.")
            return column.astype(str)
        numbers = column.astype(np.float64)
        numbers = np.where(np.abs(numbers) < LARGEST, numbers, np.nan)
        if self.period:
            return np.asarray(numbers % self.period)
        return np.log10(np.where(numbers > 0, numbers, np.nan)) if self.logarithm else numbers

    def difference(self, one: npt.ArrayLike, two: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """One minus two, the short way round for angles."""
        d = np.subtract(one, two, dtype=np.float64)
        return np.asarray((d + self.period / 2) % self.period - self.period / 2 if self.period else d)


def known(y: Array) -> npt.NDArray[np.bool_]:
    """Which values are not missing [N]."""
    return np.asarray(y != "" if y.dtype.kind == "U" else np.isfinite(y))


def those_with_classes(labels: Mapping[str, Array], names: Iterable[str]) -> list[str]:
    """Those of some properties that are labels with classes.

    Args:
        labels: Label to values [N].
        names: The properties.

    Example:
        >>> those_with_classes({"class": np.array(["EW", "SR"]), "z": np.array([0.1, 0.2])}, ["log10(z)", "class"])
        ['class']
    """
    return [name for name in names if name in labels and labels[name].dtype.kind in "OSU"]


def classes_of(labels: Mapping[str, Array], label: str, rows: npt.NDArray[np.int64]) -> Array:
    """Class of some objects [n], "" where it is unknown.

    Args:
        labels: Label to values [N].
        label: Which.
        rows: The objects [n].

    Raises:
        InputError: If it is known for none of them, or names every object.
        UsageError: If there is no such label, or it is a number.

    Example:
        >>> classes_of({"class": np.array(["EW", "SR", "", "EW"])}, "class", np.array([1, 0, 3])).tolist()
        ['SR', 'EW', 'EW']
    """
    if label not in labels:
        raise UsageError(f"no label {label!r}; there is {', '.join(labels) or 'none'}.")
    if labels[label].dtype.kind not in "OSU":
        raise UsageError(f"label {label!r} is a number; expected the name of a class for each object.")
    classes: Array = labels[label][rows].astype(str)
    count, told = len(np.unique(classes[classes != ""])), int((classes != "").sum())
    if not told:
        raise InputError(f"label {label!r} is known for none of {len(rows)} objects.")
    if count > max(2, MOST_SHARE * told):
        raise InputError(f"label {label!r} has {count} values for {told} objects; expected classes of several objects.")
    return classes
