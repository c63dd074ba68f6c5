"""How well classes are told apart, from counts of true by predicted class: of one set of objects or of many at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = ["OF_ONE", "accuracy", "balanced_accuracy", "class_scores", "macro_f1", "per_class"]

OF_ONE = ("precision", "recall", "specificity", "f1", "one_vs_rest_accuracy")  # what is said of a single class

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]


def class_scores(counts: npt.ArrayLike) -> dict[str, Float]:
    """All numbers that follow from confusion counts, for as many matrices at once as there are.

    Args:
        counts: True class by predicted class [..., C, C].

    Returns:
        "precision", "recall", "specificity" (the recall of all other classes together), "f1" and
        "one_vs_rest_accuracy" of each class [..., C], where 0 / 0 is 0; "macro_precision", "macro_recall" and
        "macro_f1" [...], means over the classes that occur as true or predicted; "accuracy" [...]; and
        "balanced_accuracy" [...], the mean recall of the classes that occur as true.

    Raises:
        InputError: If the last two axes differ in length, or a matrix has no object.

    Example:
        >>> found = class_scores([[8, 2], [1, 9]])
        >>> float(found["accuracy"]), found["recall"].tolist()
        (0.85, [0.8, 0.9])
    """
    n = np.asarray(counts, dtype=np.float64)
    if n.ndim < 2 or n.shape[-1] != n.shape[-2] or not (n.sum(axis=(-1, -2)) > 0).all():
        raise InputError(f"counts: expected true by predicted class, not empty; found shape {n.shape}.")
    right, said, real = np.diagonal(n, axis1=-2, axis2=-1), n.sum(axis=-2), n.sum(axis=-1)
    total = real.sum(axis=-1, keepdims=True)
    kept_out = total - said - real + right  # others that were called others
    own = {
        "precision": right / np.maximum(said, 1),
        "recall": right / np.maximum(real, 1),
        "f1": 2 * right / np.maximum(said + real, 1),
    }
    against = {
        "specificity": kept_out / np.maximum(total - real, 1),
        "one_vs_rest_accuracy": (right + kept_out) / total,
    }
    occurs, true = said + real > 0, real > 0
    macro = {f"macro_{name}": values.sum(axis=-1) / occurs.sum(axis=-1) for name, values in own.items()}
    balanced = own["recall"].sum(axis=-1) / true.sum(axis=-1)
    together = {"accuracy": right.sum(axis=-1) / total[..., 0], "balanced_accuracy": balanced}
    return {**own, **against, **macro, **together}


def _classes(true: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Array, npt.NDArray[np.int64]]:
    """Names [C] and confusion counts [C, C], true class by predicted class."""
    y, p = np.asarray(true), np.asarray(predicted)
    if y.ndim != 1 or y.shape != p.shape or not y.size:
        raise InputError(f"true and predicted: expected equal lengths above 0, found shapes {y.shape} and {p.shape}.")
    names, codes = np.unique(np.concatenate([y, p]), return_inverse=True)
    size = len(names)
    pairs = codes[: len(y)] * size + codes[len(y) :]
    return names, np.bincount(pairs, minlength=size * size).reshape(size, size)


def accuracy(true: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Share of the objects whose class is right.

    Args:
        true: Classes [N].
        predicted: Predicted classes [N].

    Raises:
        InputError: If the lengths differ or there is no object.
    """
    return float(class_scores(_classes(true, predicted)[1])["accuracy"])


def balanced_accuracy(true: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Mean recall of the classes that occur in `true` [N]; 1 / C for whoever always says the same."""
    return float(class_scores(_classes(true, predicted)[1])["balanced_accuracy"])


def macro_f1(true: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Mean F1 of the classes that occur in `true` or `predicted` [N]; a class never found counts 0."""
    return float(class_scores(_classes(true, predicted)[1])["macro_f1"])


def per_class(true: npt.ArrayLike, predicted: npt.ArrayLike) -> dict[str, dict[str, float]]:
    """Precision, recall, specificity, F1, one-vs-rest accuracy and count of every class.

    The accuracy of one class against the rest is not that of all C classes together: its mean over them is
    ``1 - 2 (1 - accuracy) / C``.

    Args:
        true: Classes [N].
        predicted: Predicted classes [N].

    Returns:
        Class to its numbers; what is 0 / 0 is 0.
    """
    names, counts = _classes(true, predicted)
    columns = {key: values for key, values in class_scores(counts).items() if key in OF_ONE}
    columns["n"] = counts.sum(axis=1)
    return {str(name): {key: float(column[i]) for key, column in columns.items()} for i, name in enumerate(names)}
