"""What a figure can be drawn of: each check gives a clean array, or says what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError

__all__ = ["classes", "equal_lengths", "numbers", "probabilities"]

Float = npt.NDArray[np.float64]


def numbers(values: npt.ArrayLike, name: str, *, axes: int = 1, finite: bool = True) -> Float:
    """Numbers as float64.

    Args:
        values: What was given.
        name: What it is, for the message.
        axes: Number of axes that it must have.
        finite: Whether NaN and infinity are refused.

    Raises:
        InputError: If it is empty, of another shape, not numbers, or not finite.
    """
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: expected numbers, found {np.asarray(values).dtype} values.") from error
    if found.ndim != axes or not found.size:
        raise InputError(f"{name}: expected numbers in {axes} axes, not empty; found shape {found.shape}.")
    if finite and not np.isfinite(found).all():
        raise InputError(f"{name}: found NaN or infinity. Leave out what is missing first.")
    return found


def classes(values: npt.ArrayLike, name: str) -> npt.NDArray[np.str_]:
    """Classes as text.

    Args:
        values: What was given [N].
        name: What it is, for the message.

    Raises:
        InputError: If there is none, or one is missing ("", None or NaN).
    """
    found = np.asarray(values)
    if found.ndim != 1 or not found.size:
        raise InputError(f"{name}: expected at least one class in one axis, found shape {found.shape}.")
    text: npt.NDArray[np.str_] = found.astype(str)
    if np.isin(text, ("", "nan", "None")).any():
        raise InputError(f"{name}: found objects without a class. Leave them out first.")
    return text


def probabilities(
    true: npt.ArrayLike, given: npt.ArrayLike, names: npt.ArrayLike
) -> tuple[npt.NDArray[np.str_], Float, npt.NDArray[np.str_]]:
    """True classes [N], probabilities [N, C] and the names of their columns [C].

    Raises:
        InputError: If the shapes do not fit, a value is no probability, or a true class has no column.
    """
    y, p, columns = classes(true, "true"), numbers(given, "probabilities", axes=2), classes(names, "names")
    if p.shape != (len(y), len(columns)):
        raise InputError(f"probabilities: expected shape {(len(y), len(columns))}, found {p.shape}.")
    if (p < 0).any() or (p > 1 + 1e-6).any():
        raise InputError("probabilities: found values below 0 or above 1. Give probabilities, not scores.")
    if unknown := sorted(set(y) - set(columns)):
        raise InputError(f"probabilities: no column for class {str(unknown[0])!r}; there is: {', '.join(columns)}.")
    return y, p, columns


def equal_lengths(**arrays: Any) -> None:
    """Refuses arrays of different lengths.

    Raises:
        InputError: If the lengths differ.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"expected equal lengths, found {', '.join(f'{n} {k}' for k, n in lengths.items())}.")
