"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..convolutions import sampled_convolutions
from ..progress import progress
from ..settings import Training
from .checkpoint import BEST, Checkpoints, read, read_last
from .checks import check_gradient, check_loss, check_sizes, check_training, check_validation
from .hardware import launch, processor_threads
from .history import History, Log
from .order import Order, TrainingData, batches, epoch_batches
from .processes import average_gradients, reduced, share_buffers
from .randomness import kept_random_states, seed_random_states
from .schedule import clip_gradients, learning_rate, make_optimizer
from .state import State, describe_run

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["fit"]

Loss = Callable[[nn.Module, Any], Tensor]
Validate = Callable[[nn.Module], Mapping[str, float]]


def fit(
    module: nn.Module,
    data: TrainingData,
    loss: Loss,
    settings: Training,
    out: str | Path,
    *,
    validate: Validate | None = None,
    after_step: Callable[[nn.Module], object] | None = None,
    quiet: bool = False,
) -> History:
    """Trains a module; run again with the same arguments, it goes on where it was interrupted.

    On the CPU a run that was killed at any moment ends with the very weights of one that was not, given the
    same number of threads and processes. Several processes are started by ``torchrun`` alone; each then gets
    its share of the rows of every batch, and its loss counts by its number of rows, so that a mean over rows
    has the gradient of the whole batch. `out` must be a folder that all of them see.

    Args:
        module: What is trained, in place; it ends in eval mode, on the device, with its best weights (its
            last, without `validate`), see ``settings.keep``.
        data: The training objects.
        loss: Takes the module and a batch, calls ``module(batch)``, returns a scalar. The call runs in the
            precision asked for and gives float32; what `loss` does with that is float32.
        settings: Epochs, batch size, optimizer, schedule, hardware, seed.
        out: Folder for ``checkpoint-last``, ``checkpoint-best`` and ``log.csv``.
        validate: Takes the module after each epoch (eval mode, no gradients, float32), returns numbers by
            name; "loss", or else the first, is what must fall. Several processes average theirs.
        after_step: Takes the module after each optimizer step, without gradients: to clamp a weight.
        quiet: Shows no progress bar.

    Returns:
        One row per epoch.

    Raises:
        UsageError: If a setting is out of range or asks for hardware that is not there.
        FolderError: If `out` holds a run with other settings, or a damaged checkpoint.
        TrainingError: If there is nothing to train on, or the loss is not finite.
    """
    out = Path(out)
    check_training(settings, len(data), validate is not None)
    run = describe_run(settings, module, data, validate is not None)
    last = read_last(out, run)
    if last is None or not last["state"]["finished"]:
        fabric = launch(settings.hardware)
        safe = sampled_convolutions(module) if fabric.device.type == "cpu" else nullcontext()
        with kept_random_states(fabric.device), processor_threads(settings.hardware.threads), safe:
            seed_random_states(settings.seed, fabric.global_rank)
            optimizer = make_optimizer(module, settings.optimizer, fused=fabric.device.type == "cpu")
            model, stepper = fabric.setup(module, optimizer)
            kept = Checkpoints(out, run, fabric, module, optimizer, settings.hardware.checkpoint_seconds)
            state = kept.restore(last)
            last = None  # its tensors are not needed twice
            job = _Job(fabric, module, model, stepper, loss, settings, validate, after_step)
            _train(job, data, state, kept, quiet)
        fabric.barrier()  # the others must not read before the first has written
        last = read_last(out, run) or {}
    module.load_state_dict(last["module"] if validate is None else read(out / BEST)["module"])
    module.eval()
    return History(last["state"]["rows"])


@dataclass
class _Job:
    """What does not change while a training runs."""

    fabric: Fabric
    module: nn.Module
    model: Any  # the module inside Fabric: precision and processes
    optimizer: Any
    loss: Loss
    settings: Training
    validate: Validate | None
    after_step: Callable[[nn.Module], object] | None


def _train(job: _Job, data: TrainingData, state: State, kept: Checkpoints, quiet: bool) -> None:
    settings, fabric = job.settings, job.fabric
    share = slice(fabric.global_rank, None, fabric.world_size)
    order = Order(data, settings, share, state.epoch, state.batch)
    steps = settings.epochs * math.ceil(len(epoch_batches(data, 0, settings)) / settings.accumulate)
    with (
        closing(batches(data, order, settings.hardware.num_workers)) as stream,
        closing(Log(kept.out, state.rows, fabric.is_global_zero)) as log,
        progress(total=steps, description="training", unit="step", quiet=quiet or not fabric.is_global_zero) as bar,
    ):
        bar.initial = bar.n = state.step  # the rate is that of this run
        clock = time.perf_counter()
        for epoch in range(state.epoch, settings.epochs):
            sizes = [len(rows) for rows in epoch_batches(data, epoch, settings)]
            check_sizes(sizes, fabric.world_size, settings.batch_size)
            job.model.train()
            while state.batch < len(sizes):
                group = sizes[state.batch : state.batch + settings.accumulate]
                lr = learning_rate(settings, state.step, steps, state.plateau.scale)
                state.running.loss_sum += _step(job, stream, group, lr, state.where)
                state.batch += len(group)
                state.step += 1
                clock = _count_time(state, clock)
                bar.update()
                if state.batch < len(sizes):
                    kept.save_if_due(state)
            values = _validate(job, state.where)
            clock = _count_time(state, clock)
            [loss] = reduced(fabric, [state.running.loss_sum], "sum")
            row = state.close_epoch(lr, loss / sum(sizes), values, settings)
            if state.best.epoch == state.epoch:
                kept.keep_best()
            log.add(row)
            bar.set_postfix({name: f"{row[name]:.4g}" for name in row if name.endswith("loss")})
            if settings.early_stopping and state.epoch - state.fallen.epoch >= settings.early_stopping:
                break
            kept.save_if_due(state)
    state.finished = True
    kept.save(state)


def _count_time(state: State, since: float) -> float:
    now = time.perf_counter()
    state.running.seconds += now - since
    return now


def _step(job: _Job, stream: Iterator[Any], group: list[int], lr: float, where: str) -> float:
    """One optimizer step over a group of batches of the given sizes; returns the sum of the losses of the rows."""
    fabric, world, total = job.fabric, job.fabric.world_size, 0.0
    job.optimizer.zero_grad()
    for size in group:
        own_rows = len(range(fabric.global_rank, size, world))
        batch = fabric.to_device(next(stream))
        with fabric.no_backward_sync(job.model):  # `average_gradients` does it
            loss = job.loss(job.model, batch)
            check_loss(loss, where)
            fabric.backward(loss * (own_rows * world / sum(group)))  # processes are averaged, batches are summed
        total += loss.item() * own_rows
    average_gradients(fabric, job.module)
    share_buffers(fabric, job.module)
    for part in job.optimizer.param_groups:
        part["lr"] = lr * part.get("factor", 1.0)
    fabric.strategy.precision.unscale_gradients(job.optimizer.optimizer)
    norm = clip_gradients(job.optimizer.optimizer, job.settings.optimizer.clip_norm)
    if not fabric.strategy.precision.state_dict():  # a gradient scaler skips steps that overflow float16
        check_gradient(norm, where)
    job.optimizer.step()
    if job.after_step is not None:
        with torch.no_grad():
            job.after_step(job.module)
    return total


def _validate(job: _Job, where: str) -> dict[str, float]:
    if job.validate is None:
        return {}
    job.model.eval()
    with torch.no_grad():
        values = check_validation(job.validate(job.module), where)
    return dict(zip(values, reduced(job.fabric, list(values.values()), "mean"), strict=True))
