"""What is kept so that a training killed at any moment goes on as if nothing had happened.

``checkpoint-last`` holds everything at the end of one optimizer step: weights, optimizer, `State`, and for each
process its random states and its part of the running loss. ``checkpoint-best`` holds the weights with the lowest
validation value. Both are published atomically, the best first: whatever was done after the last one is done
again, with the same numbers.
"""

from __future__ import annotations

import io
import pickle
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..errors import FolderError
from ..storage import publish
from .randomness import random_states, set_random_states
from .state import State

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["BEST", "LAST", "Checkpoints", "read", "read_last", "training_folder"]

FORMAT_VERSION = 1
LAST = "checkpoint-last"
BEST = "checkpoint-best"


def training_folder(out: Path) -> Path:
    """Where the checkpoints of a training lie until the model folder `out` is whole."""
    return out.with_name(f".{out.name}.training")


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a checkpoint so that it is either absent or whole.

    Raises:
        OutputError: If the disk is full or the folder may not be written.
    """
    buffer = io.BytesIO()  # torch's own file writer does not say when the disk is full
    torch.save({"format_version": FORMAT_VERSION, **content}, buffer)
    publish(path, lambda temporary: temporary.write_bytes(buffer.getbuffer()))


def read(path: Path) -> dict[str, Any]:
    """Reads a checkpoint onto the CPU; nothing in it is executed.

    Raises:
        FolderError: If it is missing, damaged, foreign, or of a newer version.
    """
    if not path.exists():
        raise FolderError(f"{path} is missing. Delete the folder {path.parent} to train anew.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, pickle.UnpicklingError, EOFError, ValueError, LookupError) as error:
        raise FolderError(
            f"{path} is damaged or no checkpoint. Delete the folder {path.parent} to train anew."
        ) from error
    if not isinstance(content, dict) or "format_version" not in content:
        raise FolderError(f"{path} was not written by astroclip_kit. Choose another output folder.")
    if content["format_version"] > FORMAT_VERSION:
        raise FolderError(f"{path} was written by a newer astroclip_kit. Update: pip install -U astroclip_kit.")
    return content


def read_last(out: Path, run: Mapping[str, Any]) -> dict[str, Any] | None:
    """The last checkpoint of the same run; None where there is none yet.

    Raises:
        FolderError: If the folder holds another run; names what differs.
    """
    if not (out / LAST).exists():
        return None
    content = read(out / LAST)
    for name in sorted(content["run"].keys() | run.keys()):
        then, now = content["run"].get(name), run.get(name)
        if then != now:
            raise FolderError(
                f"{out} holds a training with another {name}: {then!r} there, {now!r} now. "
                f"Go on with the old one, delete that folder, or choose another output folder."
            )
    return content


class Checkpoints:
    """Writes the checkpoints of one run, and puts it back to where the last one was.

    Args:
        out: The folder.
        run: What `describe_run` gave; kept, so that another run is told apart.
        fabric: Device, processes and gradient scaler.
        module: Its weights.
        optimizer: Its state.
        seconds: Time between two checkpoints; 0 for one per step.
    """

    def __init__(
        self,
        out: Path,
        run: Mapping[str, Any],
        fabric: Fabric,
        module: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        seconds: float,
    ) -> None:
        self.out = out
        self.run = run
        self.fabric = fabric
        self.module = module
        self.optimizer = optimizer
        self.seconds = seconds
        self.best: dict[str, torch.Tensor] | None = None  # not written yet
        self.written = time.monotonic()

    def restore(self, last: Mapping[str, Any] | None) -> State:
        """Puts everything back to the last checkpoint; without one, writes the first."""
        if last is None:
            state = State()
            self.save(state)
            return state
        self.module.load_state_dict(last["module"])
        self.optimizer.load_state_dict(last["optimizer"])
        self.fabric.strategy.precision.load_state_dict(last["precision"])
        own = last["processes"][self.fabric.global_rank]
        set_random_states(own["random"], self.fabric.device)
        if self.fabric.is_global_zero:
            self._remove_leftovers()
        state = State.from_dict(last["state"])
        state.running.loss_sum = own["loss_sum"]
        return state

    def keep_best(self) -> None:
        """Remembers the weights as the best; they are written with the next checkpoint."""
        if self.fabric.is_global_zero:
            self.best = {name: tensor.detach().cpu().clone() for name, tensor in self.module.state_dict().items()}

    def save_if_due(self, state: State) -> None:
        """Writes a checkpoint if the last one is old enough; all processes follow the clock of the first."""
        due = time.monotonic() - self.written >= self.seconds
        if self.fabric.world_size > 1 and self.seconds:
            flag = torch.tensor(int(due), device=self.fabric.device)
            torch.distributed.broadcast(flag, src=0)
            due = bool(flag.item())
        if due:
            self.save(state)

    def save(self, state: State) -> None:
        """Writes a checkpoint, the best weights first."""
        own = {"random": random_states(self.fabric.device), "loss_sum": state.running.loss_sum}
        everyone = [own]
        if self.fabric.world_size > 1:
            everyone = [own] * self.fabric.world_size
            torch.distributed.all_gather_object(everyone, own)
        if self.fabric.is_global_zero:
            if self.best is not None:
                write(self.out / BEST, {"module": self.best, "epoch": state.best.epoch, "value": state.best.value})
            self.best = None
            content = {
                "run": self.run,
                "state": state.to_dict(),
                "module": self.module.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "precision": self.fabric.strategy.precision.state_dict(),
                "processes": everyone,
            }
            write(self.out / LAST, content)
        self.written = time.monotonic()

    def _remove_leftovers(self) -> None:
        for name in (LAST, BEST, "log.csv"):
            for leftover in self.out.glob(f".????????.{name}"):
                leftover.unlink(missing_ok=True)
