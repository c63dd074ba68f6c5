"""How weights follow gradients, and how the learning rate changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ..errors import TrainingError, UsageError
from ..settings import Optimizer, Schedule, Training

__all__ = ["Plateau", "clip_gradients", "learning_rate", "make_optimizer"]


def make_optimizer(module: torch.nn.Module, settings: Optimizer, fused: bool = False) -> torch.optim.Optimizer:
    """AdamW, Adam or SGD (with a momentum of 0.9) over the weights that require a gradient.

    Weight decay acts on matrices and kernels only: biases, normalisations and temperatures are left alone. Each group
    of weights keeps in "factor" what its learning rate is multiplied with.

    Args:
        module: What is trained.
        settings: The algorithm and its numbers.
        fused: Whether Adam goes through all weights once instead of a dozen times; the numbers are the same up to
            rounding. On a processor that is three times as fast.

    Raises:
        TrainingError: If the module has nothing to train.
        UsageError: If a factor is for a part that has no weight.
    """
    if not any(weight.requires_grad for weight in module.parameters()):
        raise TrainingError(f"{type(module).__name__} has no weight that requires a gradient. Unfreeze a part of it.")
    groups: list[dict[str, Any]] = []
    for factor, weights in _by_factor(module, settings.factors).items():
        decayed, spared = ([weight for weight in weights if (weight.ndim > 1) is matrix] for matrix in (True, False))
        groups.append({"params": decayed, "weight_decay": settings.weight_decay, "factor": factor})
        groups.append({"params": spared, "weight_decay": 0.0, "factor": factor})
    groups = [group for group in groups if group["params"]]
    if settings.name == "sgd":
        return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=0.9)
    kind = torch.optim.AdamW if settings.name == "adamw" else torch.optim.Adam
    first, second = settings.betas
    return kind(groups, lr=settings.learning_rate, betas=(first, second), fused=fused or None)


def _by_factor(module: torch.nn.Module, factors: Mapping[str, float]) -> dict[float, list[torch.nn.Parameter]]:
    """The weights that are trained, by the factor of their learning rate, those of 1 first."""
    found: dict[float, list[torch.nn.Parameter]] = {1.0: []}
    unused = set(factors)
    for name, weight in module.named_parameters():
        part = max((part for part in factors if f"{name}.".startswith(f"{part}.")), key=len, default=None)
        if part is not None:
            unused.discard(part)
        if weight.requires_grad:
            found.setdefault(1.0 if part is None else float(factors[part]), []).append(weight)
    if unused:
        known = ", ".join(name for name, _ in module.named_children())
        raise UsageError(f"optimizer.factors: no weight belongs to {min(unused)!r}. There are: {known}.")
    return found


def clip_gradients(optimizer: torch.optim.Optimizer, largest: float) -> torch.Tensor:
    """Scales the gradients of all weights down to a norm of `largest`; 0 leaves them as they are.

    Gradients that are short enough are read, but not written.

    Returns:
        Their norm, a scalar, before.
    """
    weights = [weight for group in optimizer.param_groups for weight in group["params"] if weight.grad is not None]
    norm = torch.nn.utils.get_total_norm([weight.grad for weight in weights])
    if largest and norm > largest:
        torch.nn.utils.clip_grads_with_norm_(weights, largest, norm)
    return norm


def learning_rate(settings: Training, step: int, steps: int, scale: float = 1.0) -> float:
    """The learning rate of one optimizer step.

    Args:
        settings: Peak rate and schedule.
        step: Which step, from 0.
        steps: Steps of the whole training.
        scale: What the plateau schedule has come down to (`Plateau.scale`).

    Example:
        >>> settings = Training(schedule=Schedule("cosine", warmup_steps=2))
        >>> [round(learning_rate(settings, step, 6) * 1e3, 3) for step in range(7)]
        [0.5, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0]
    """
    peak = settings.optimizer.learning_rate * scale
    warmup = max(settings.schedule.warmup_steps, round(settings.schedule.warmup_epochs * steps / settings.epochs))
    if step < warmup:
        return peak * (step + 1) / warmup
    if settings.schedule.name == "step":
        fallen = sum(step * settings.epochs >= epoch * steps for epoch in settings.schedule.step_epochs)
        return float(peak * settings.schedule.factor**fallen)
    if settings.schedule.name != "cosine":
        return peak
    done = min(1.0, (step - warmup) / max(1, steps - warmup))
    floor = settings.schedule.floor
    return peak * (floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * done)))


@dataclass
class Plateau:
    """Lowers the learning rate when the validation value stops falling, as torch's `ReduceLROnPlateau` does.

    It is kept apart from the optimizer so that a warm-up can be multiplied with it.

    Args:
        scale: What the learning rate is multiplied with by now.
        best: Lowest value so far.
        waited: Epochs since then.

    Example:
        >>> plateau = Plateau()
        >>> for value in (1.0, 2.0, 2.0):
        ...     plateau.update(value, Schedule("plateau", patience=1))
        >>> plateau.scale
        0.5
    """

    scale: float = 1.0
    best: float = math.inf
    waited: int = 0

    def update(self, value: float, schedule: Schedule) -> None:
        """Takes in the validation value of one epoch."""
        improved = value < (self.best - 1e-4 * abs(self.best) if math.isfinite(self.best) else self.best)
        self.best = value if improved else self.best
        self.waited = 0 if improved else self.waited + 1
        if self.waited > schedule.patience:
            self.scale *= schedule.factor
            self.waited = 0
