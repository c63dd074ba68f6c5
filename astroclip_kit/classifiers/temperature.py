"""Temperature scaling: one number that makes a classifier as sure as it is right (Guo et al. 2017, ICML)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = ["Calibration", "calibrate", "fit_temperature", "probabilities"]

Float = npt.NDArray[np.float64]
FOLLOWS = "; how sure to be of it follows from the others"
WIDEST = 100.0  # times surer, or less sure, than the logits say


class Calibration(NamedTuple):
    """How sure a classifier is made.

    Args:
        temperature: What its logits are divided by.
        fitted: Whether objects said so; else they stay as they are.
        note: What is to be said of it, or why it could not be fitted; "" for nothing.
    """

    temperature: float
    fitted: bool
    note: str


def calibrate(
    logits: Callable[[], npt.ArrayLike], codes: npt.NDArray[np.int64], model: str, classes: Sequence[str] = ()
) -> Calibration:
    """The temperature of a classifier, wherever it can be fitted; a note is also given as a warning.

    Args:
        logits: Gives those of the validation side [N, C].
        codes: Number of the class of each object of the validation side [N].
        model: Its name in the warning.
        classes: Names of the classes [C], for the note.
    """
    if len(np.unique(codes)) > 1:
        found = _fitted(_finite(logits()), codes, classes)
    else:
        found = Calibration(1.0, False, f"all {len(codes)} validation objects are of one class")
        found = found if len(codes) else found._replace(note="no validation object has a class")
    if found.note:
        warnings.warn(f"{model}: {found.note if found.fitted else f'not calibrated: {found.note}'}.", stacklevel=2)
    return found


def probabilities(logits: npt.ArrayLike, temperature: float = 1.0) -> Float:
    """Softmax of logits / temperature.

    Args:
        logits: Of each class [N, C].
        temperature: Above 1 for probabilities that are less sure.

    Returns:
        Float64 [N, C]; the most probable class does not depend on the temperature.

    Raises:
        InputError: If the logits are not finite numbers [N, C], or the temperature is not above 0.

    Example:
        >>> probabilities([[2.0, 0.0]], 2.0).round(3).tolist()
        [[0.731, 0.269]]
    """
    from scipy.special import softmax

    if not (np.isfinite(temperature) and temperature > 0):
        raise InputError(f"temperature: expected a number above 0, found {temperature}.")
    return np.asarray(softmax(_finite(logits) / temperature, axis=1))


def fit_temperature(logits: npt.ArrayLike, codes: npt.ArrayLike) -> float:
    """The temperature at which logits of objects that were not trained on are most likely.

    Log likelihood is concave in the inverse of the temperature, so there is one answer. Where every object is
    right, surer is always likelier and nothing says how sure: logits then stay as they are, with a warning. Where they
    are worse than a guess, the answer is 100, which makes all classes equally probable, with a warning too.

    Args:
        logits: Of each class [N, C], of the validation side.
        codes: Number of the class of each object [N].

    Returns:
        The temperature, from 0.01 to 100.

    Raises:
        InputError: If logits or codes are not as above, a class is unknown (-1), or all objects are of one class.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> logits = rng.normal(size=(5000, 3))
        >>> codes = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)  # drawn from softmax(logits)
        >>> round(fit_temperature(4 * logits, codes), 1)
        4.0
    """
    z, y = _finite(logits), np.asarray(codes)
    if y.shape != z.shape[:1] or y.dtype.kind not in "iu":
        raise InputError(f"codes: expected {len(z)} whole numbers, one for each row of logits, found shape {y.shape}.")
    if (y < 0).any() or (y >= z.shape[1]).any():
        raise InputError(f"codes: expected numbers from 0 to {z.shape[1] - 1}. Leave out objects without a class.")
    if (y == y[0]).all():
        raise InputError(f"temperature: all {len(y)} validation objects are of one class. Validate on more objects.")
    found = _fitted(z, y)
    if found.note:
        warnings.warn(f"temperature: {found.note}.", stacklevel=2)
    return found.temperature


def _fitted(z: Float, y: npt.NDArray[Any], classes: Sequence[str] = ()) -> Calibration:
    """The temperature of logits [N, C] of objects of two classes or more."""
    from scipy.optimize import brentq

    if (z.argmax(axis=1) == y).all():
        return Calibration(
            1.0, False, f"all {len(y)} validation objects are classified rightly, which does not say how sure to be"
        )
    note = ""
    if lacking := sorted(set(range(z.shape[1])) - set(y.tolist())):
        told = ", ".join(repr(classes[one]) if classes else f"number {one}" for one in lacking)
        several = len(lacking) > 1
        note = f"no validation object is of the {'classes' if several else 'class'} {told}{FOLLOWS}"
    own = z[np.arange(len(z)), y]

    def slope(inverse: float) -> float:
        """Of the negative log likelihood by the inverse of the temperature: rises from the first to the last."""
        return float(((probabilities(z, 1 / inverse) * z).sum(axis=1) - own).mean())

    if slope(1 / WIDEST) >= 0:
        guess = "the logits tell no more of the validation objects than a guess; all classes become equally probable"
        return Calibration(WIDEST, True, guess)
    if slope(WIDEST) <= 0:
        return Calibration(1 / WIDEST, True, note)
    return Calibration(float(1 / brentq(slope, 1 / WIDEST, WIDEST, xtol=1e-10)), True, note)


def _finite(logits: npt.ArrayLike) -> Float:
    z = np.asarray(logits, dtype=np.float64)
    if z.ndim != 2 or not len(z) or z.shape[1] < 2 or not np.isfinite(z).all():
        raise InputError(f"logits: expected finite numbers [objects, classes] of two classes or more, found {z.shape}.")
    return z
