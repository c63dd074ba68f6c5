"""What is refused before and during a training, with the way out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

import torch

from ..errors import TrainingError, UsageError
from ..settings import Training

__all__ = ["check_gradient", "check_loss", "check_sizes", "check_training", "check_validation", "kept_value"]


def check_training(settings: Training, rows: int, validated: bool) -> None:
    """Says which setting cannot be used.

    Raises:
        UsageError: If a number is out of range, a name unknown, or a validation value needed and not given.
        TrainingError: If there is nothing to train on.
    """
    optimizer, schedule = settings.optimizer, settings.schedule
    for name, whole in (
        ("epochs", settings.epochs),
        ("batch_size", settings.batch_size),
        ("accumulate", settings.accumulate),
    ):
        _check(name, whole, whole >= 1, "at least 1")
    not_negative: dict[str, float] = {
        "early_stopping": settings.early_stopping,
        "seed": settings.seed,
        "optimizer.weight_decay": optimizer.weight_decay,
        "optimizer.clip_norm": optimizer.clip_norm,
        "schedule.warmup_steps": schedule.warmup_steps,
        "schedule.warmup_epochs": schedule.warmup_epochs,
        "schedule.patience": schedule.patience,
        "hardware.num_workers": settings.hardware.num_workers,
        "hardware.checkpoint_seconds": settings.hardware.checkpoint_seconds,
    }
    not_negative |= {f"optimizer.factors.{part}": factor for part, factor in optimizer.factors.items()}
    for name, value in not_negative.items():
        _check(name, value, 0 <= value < math.inf, "0 or more")
    rate = optimizer.learning_rate
    _check("optimizer.learning_rate", rate, 0 < rate < math.inf, "a positive number")
    is_pair = len(optimizer.betas) == 2 and all(0 <= beta < 1 for beta in optimizer.betas)
    _check("optimizer.betas", optimizer.betas, is_pair, "two numbers from 0 to below 1")
    _check("schedule.factor", schedule.factor, 0 < schedule.factor < 1, "between 0 and 1")
    _check("schedule.floor", schedule.floor, 0 <= schedule.floor <= 1, "from 0 to 1")
    falls = schedule.name != "step" or (schedule.step_epochs and min(schedule.step_epochs) > 0)
    _check("schedule.step_epochs", schedule.step_epochs, bool(falls), "one number of epochs above 0 or more")
    for section, part in (("optimizer", optimizer), ("schedule", schedule)):
        names = get_args(get_type_hints(type(part))["name"])
        _check(f"{section}.name", part.name, part.name in names, f"one of {', '.join(names)}")
    _check_data(settings, rows, validated)


def _check_data(settings: Training, rows: int, validated: bool) -> None:
    asking = {
        "early_stopping": settings.early_stopping,
        "schedule.name 'plateau'": settings.schedule.name == "plateau",
        f"keep {settings.keep!r}": settings.keep != "loss",
    }
    if not validated and (what := next((name for name, asked in asking.items() if asked), "")):
        raise UsageError(f"{what} needs a validation value: set aside validation objects, or turn it off.")
    if not rows:
        raise TrainingError("there are no training objects. Check the split, and that the modalities share objects.")


def check_sizes(sizes: list[int], processes: int, batch_size: int) -> None:
    """Says that a batch is too small to be shared.

    Raises:
        TrainingError: If a process would be left without an object.
    """
    if min(sizes) < processes:
        raise TrainingError(
            f"batches of {min(sizes)} objects cannot be shared by {processes} processes. "
            f"Raise batch_size (now {batch_size}) or start fewer."
        )


def _check(name: str, value: Any, fits: bool, expected: str) -> None:
    if not fits:
        raise UsageError(f"{name} is {value!r}, expected {expected}.")


def check_loss(value: Any, where: str) -> None:
    """Says what is wrong with the value of a loss.

    Raises:
        TrainingError: If it is no scalar tensor that depends on the weights, or is not finite.
    """
    if not isinstance(value, torch.Tensor) or value.ndim or not value.requires_grad:
        found = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else type(value).__name__
        raise TrainingError(f"the loss must be a scalar tensor that depends on the weights, found {found} {where}.")
    if not torch.isfinite(value):
        raise _not_finite("the loss", value.item(), where)


def check_gradient(norm: torch.Tensor | None, where: str) -> None:
    """Says that a training ran away before its weights are lost.

    Raises:
        TrainingError: If the norm of the gradient is not finite.
    """
    if norm is not None and not torch.isfinite(norm):
        raise _not_finite("the norm of the gradient", norm.item(), where)


def _not_finite(what: str, value: float, where: str) -> TrainingError:
    return TrainingError(
        f"{what} is {value} {where}. Look for values that are not finite in the training data; "
        f"else lower optimizer.learning_rate, set optimizer.clip_norm or use precision float32."
    )


def kept_value(values: Mapping[str, float], keep: str) -> float:
    """The number by which an epoch is kept.

    Raises:
        UsageError: If it is not among those that were validated.
    """
    if keep not in values:
        raise UsageError(f"training.keep is {keep!r}, expected one of {', '.join(values)}.")
    return values[keep]


def check_validation(values: Any, where: str) -> dict[str, float]:
    """What `validate` returned, as plain numbers.

    Raises:
        TrainingError: If it is empty, or not numbers by name, or one of them is not finite.
    """
    if not isinstance(values, Mapping) or not values:
        raise TrainingError(f"validate must return numbers by name, found {values!r} {where}. Are there any objects?")
    plain = {str(name): float(value) for name, value in values.items()}
    for name, value in plain.items():
        if not math.isfinite(value):
            raise TrainingError(
                f"validate gave {name} = {value} {where}. Check the validation objects, or lower the learning rate."
            )
    return plain
