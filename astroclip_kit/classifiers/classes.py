"""Which class each object has, and whether that can be learned."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ..data import divide, label_share
from ..errors import InputError, UsageError
from ..settings import Classification

__all__ = ["absent_classes", "check_classes", "class_codes", "class_loss", "class_weighting", "shown_codes"]

Codes = npt.NDArray[np.int64]
MOST = 1000  # classes; more are rather names of objects
IMBALANCE = 100


def class_codes(objects: Any, label: str) -> tuple[tuple[str, ...], Codes]:
    """The classes that a label names, in alphabetical order, and which of them each object has.

    Args:
        objects: A `Dataset`, `FeatureSet` or `EmbeddingStore`.
        label: The label, a text or a whole number.

    Returns:
        Names [C], and the number of the class of each row, int64 [N]; -1 where it has none.

    Raises:
        UsageError: If there is no such label, or it is a measurement or an id.
    """
    if label not in objects.labels:
        known = ", ".join(objects.labels) or "none"
        raise UsageError(f"label: there is no {label!r} in the data; it has {known}.")
    values = np.asarray(objects.labels[label])
    if values.dtype.kind == "f":
        finite = np.isfinite(values)
        if (values[finite] % 1 != 0).any():
            raise UsageError(f"label: {label!r} is a measurement, not a class; expected texts or whole numbers.")
        values = np.where(finite, np.char.mod("%d", np.where(finite, values, 0)), "")
    names, codes = np.unique(values.astype(str), return_inverse=True)
    if len(names) > MOST:
        raise UsageError(f"label: {label!r} has {len(names):,} different values, expected at most {MOST:,} classes.")
    missing = int(names[0] == "") if len(names) else 0
    return tuple(names[missing:].tolist()), codes.reshape(-1).astype(np.int64) - missing


def shown_codes(objects: Any, settings: Classification) -> tuple[tuple[str, ...], Codes]:
    """The same of the labels that are shown: one that ``settings.labelled`` keeps back counts as unknown.

    Raises:
        UsageError: If there is no such label, or a setting is out of range, or the stages are "simulated".
        InputError: If the objects cannot be divided.
    """
    names, codes = class_codes(objects, settings.label)
    share, seed = settings.labelled, settings.split.seed
    if share.fraction == 1:
        return names, codes
    if settings.stages == "simulated":  # whose generators are told classes besides
        raise UsageError("labelled.fraction: stages 'simulated' learns from all labels. Leave it at 1.")
    shown = label_share(codes, divide(objects, settings.split), share, seed, objects.object_ids)
    return names, np.where(shown, codes, -1)


def check_classes(names: tuple[str, ...], codes: Codes, sides: npt.NDArray[np.str_], class_weights: str = "") -> str:
    """Says whether classes can be learned.

    Args:
        names: Of the classes [C].
        codes: Number of the class of each object [N]; -1 for unknown.
        sides: "train", "valid" or "test" [N].
        class_weights: "" or "balanced".

    Returns:
        A warning in words, which is also given as one; "" without.

    Raises:
        InputError: If no object has a class, all have one, or the training side lacks one.
    """
    if not (codes >= 0).any():
        raise InputError(
            f"none of the {len(codes):,} objects has a class. Check that the ids of the labels are those of the "
            f"objects, or match them by position."
        )
    if len(names) == 1:
        raise InputError(f"all labelled objects are of the class {names[0]!r}, expected two classes or more.")
    counts = np.bincount(codes[(codes >= 0) & (sides == "train")], minlength=len(names))
    if lacking := [name for name, count in zip(names, counts, strict=True) if not count]:
        raise InputError(
            f"no training object is of the class {lacking[0]!r}. Add objects, change split.seed, or leave it out."
        )
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] <= IMBALANCE * counts[least] or class_weights:
        return ""
    note = (
        f"there are {counts[most]:,} training objects of the class {names[most]!r} and {counts[least]:,} of "
        f"{names[least]!r}, which a model may learn to ignore: set class_weights to balanced"
    )
    warnings.warn(f"{note}.", stacklevel=2)
    return note


def absent_classes(names: tuple[str, ...], codes: Codes, sides: npt.NDArray[np.str_]) -> list[str]:
    """What is to be said of classes that the validation or the test side lacks, where it has objects at all.

    Args:
        names: Of the classes [C].
        codes: Number of the class of each object [N]; -1 for unknown.
        sides: "train", "valid" or "test" [N].
    """
    unknown = {
        "valid": "validation object is of the class {}: neither the best epoch nor the temperature heeds it",
        "test": "test object is of the class {}: macro numbers are of the other classes alone, and do not say whether "
        "it is ever found",
    }
    remedy = "Add objects, change split.seed, or judge in folds"
    return [
        f"no {told.format(repr(name))}. {remedy}"
        for side, told in unknown.items()
        for number, name in enumerate(names)
        if (sides == side).any() and not ((codes == number) & (sides == side)).any()
    ]


def class_weighting(codes: Codes, count: int, class_weights: str) -> Tensor | None:
    """What the loss of each class is multiplied with [C], 1 on average over the objects; None for no weights.

    Args:
        codes: Number of the class of each training object, without unknown ones.
        count: Number of classes C.
        class_weights: "" or "balanced".

    Raises:
        UsageError: If it is neither.

    Example:
        >>> class_weighting(np.array([0, 0, 0, 1]), 2, "balanced")
        tensor([0.6667, 2.0000])
    """
    if class_weights not in ("", "balanced"):
        raise UsageError(f"class_weights is {class_weights!r}, expected '' or 'balanced'.")
    if not class_weights:
        return None
    return torch.from_numpy(len(codes) / (count * np.bincount(codes, minlength=count))).float()


def class_loss(logits: Tensor, codes: Tensor, weights: Tensor | None = None) -> Tensor:
    """Cross-entropy, a scalar: the mean over the objects, each times the weight of its class.

    It is not divided by the weights, so that every process counts by its objects.

    Args:
        logits: [B, C].
        codes: Number of the class of each object, int64 [B].
        weights: Of each class [C].
    """
    losses = functional.cross_entropy(logits, codes, reduction="none")
    return losses.mean() if weights is None else (weights.to(codes.device)[codes] * losses).mean()
