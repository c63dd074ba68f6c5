"""How far a training has come, and what must not change before it goes on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from ..settings import Training
from ..storage import hash_json
from .checks import kept_value
from .hardware import processes, resolve_hardware
from .schedule import Plateau

__all__ = ["State", "describe_run"]


@dataclass
class Running:
    """The epoch that is going on: the sum of this process's losses over its rows, and the time spent so far."""

    loss_sum: float = 0.0
    seconds: float = 0.0


@dataclass
class Best:
    """The lowest value and its epoch, from 1; 0 for none yet."""

    value: float = math.inf
    epoch: int = 0


@dataclass
class State:
    """How far a training has come.

    Args:
        epoch: Epochs finished.
        batch: Batches of the running epoch that are finished.
        step: Optimizer steps finished.
        running: What the running epoch has come to.
        best: The epoch whose weights are kept.
        fallen: The epoch with the lowest validation value, by which a training is stopped.
        plateau: State of the plateau schedule.
        rows: One row of the log per finished epoch.
        finished: Whether there is nothing left to do.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    running: Running = field(default_factory=Running)
    best: Best = field(default_factory=Best)
    fallen: Best = field(default_factory=Best)
    plateau: Plateau = field(default_factory=Plateau)
    rows: list[dict[str, float]] = field(default_factory=list)
    finished: bool = False

    @property
    def where(self) -> str:
        """Where an error happened."""
        return f"at epoch {self.epoch + 1}, after {self.step} steps"

    def close_epoch(self, lr: float, loss: float, values: Mapping[str, float], settings: Training) -> dict[str, float]:
        """Takes in what an epoch came to and gives its row of the log."""
        self.epoch, self.batch = self.epoch + 1, 0
        if values:
            value = values.get("loss", next(iter(values.values())))
            kept = value if settings.keep == "loss" else -kept_value(values, settings.keep)
            self.best = min(self.best, Best(kept, self.epoch), key=lambda one: one.value)
            self.fallen = min(self.fallen, Best(value, self.epoch), key=lambda one: one.value)
            schedule = settings.schedule
            if self.epoch > schedule.warmup_epochs and self.step >= schedule.warmup_steps:
                self.plateau.update(value, schedule)
        row = {"epoch": self.epoch, "step": self.step, "lr": lr, "loss": loss}
        row |= {f"val_{name}": value for name, value in values.items()} | {"seconds": round(self.running.seconds, 3)}
        self.rows.append(row)
        self.running = Running()
        return row

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> State:
        """From what `to_dict` gave."""
        kinds = {"running": Running, "best": Best, "fallen": Best, "plateau": Plateau}
        return cls(**{**values, **{name: kind(**values[name]) for name, kind in kinds.items() if name in values}})


def describe_run(settings: Training, module: torch.nn.Module, data: Any, validated: bool) -> dict[str, Any]:
    """Everything that must be the same for a run to go on, by the names that a user knows.

    Device and number of workers are not among it.
    """
    plain = asdict(settings)
    plain.pop("hardware")
    flat = {key: value for key, value in plain.items() if not isinstance(value, dict)}
    for section in ("optimizer", "schedule"):
        flat |= {f"{section}.{key}": value for key, value in plain[section].items()}
    shapes = [(name, str(tensor.dtype), list(tensor.shape)) for name, tensor in module.state_dict().items()]
    trained = [name for name, weight in module.named_parameters() if weight.requires_grad]
    return {
        **flat,
        "precision": resolve_hardware(settings.hardware)[1],
        "number of processes": processes(),
        "number of training objects": len(data),
        "training data": str(getattr(data, "identity", "")),
        "use of a validation set": validated,
        "module (names, shapes and which weights are trained)": hash_json([shapes, trained]),
    }
