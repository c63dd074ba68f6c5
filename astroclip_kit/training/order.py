"""Which rows are trained on, when and in which process.

The order of an epoch depends on (seed, epoch) alone, so a resumed run skips what is done without reading it,
and the number of workers changes nothing.
"""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Generator, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from ..errors import TrainingError
from ..settings import Training

__all__ = ["Order", "TrainingData", "batches", "epoch_batches"]

Rows = npt.NDArray[np.int64]


class TrainingData(Protocol):
    """Anything that hands out batches of training objects.

    Two more members are used where they exist: ``order(epoch) -> rows``, the row numbers of an epoch in their
    order, a function of (seed, epoch) alone (without it: a permutation of all rows), and ``identity``, a text
    that differs when the data differ, by which `fit` refuses to resume on other data.
    """

    def __len__(self) -> int:
        """Number of training rows."""

    def batch(self, rows: Rows, epoch: int) -> Any:
        """The objects of some rows: a tensor, a tree of them, or an object with ``to(device)``.

        Any augmentation must be a function of (seed, epoch, object). With workers this runs in other
        processes, so the data and what it returns must be picklable.
        """


def epoch_batches(data: TrainingData, epoch: int, settings: Training) -> list[Rows]:
    """The batches of one epoch, over all processes.

    The rows are shared out evenly, so that no short batch is left at the end: with 257 rows and a
    ``batch_size`` of 256 there are batches of 129 and 128.

    Args:
        data: The training objects.
        epoch: Which epoch, from 0.
        settings: Their seed and batch size.

    Returns:
        Row numbers of each batch, int64.

    Raises:
        TrainingError: If the epoch has no rows.

    Example:
        >>> [len(rows) for rows in epoch_batches(range(10), 0, Training(batch_size=4))]
        [4, 3, 3]
    """
    own_order = getattr(data, "order", None)
    if own_order is not None:
        rows = np.asarray(own_order(epoch), dtype=np.int64)
    else:
        rows = np.random.default_rng([settings.seed, epoch]).permutation(len(data))
    if not len(rows):
        raise TrainingError(f"epoch {epoch + 1} has no training objects. Check the split and the selection.")
    return np.array_split(rows, -(-len(rows) // settings.batch_size))


class Order:
    """The sampler: for each batch still to come, the epoch and this process's share of the rows."""

    def __init__(self, data: TrainingData, settings: Training, share: slice, epoch: int, batch: int) -> None:
        self.data = data
        self.settings = settings
        self.share = share
        self.epoch = epoch
        self.batch = batch

    def __iter__(self) -> Iterator[tuple[int, Rows]]:
        for epoch in range(self.epoch, self.settings.epochs):
            done = self.batch if epoch == self.epoch else 0
            for rows in epoch_batches(self.data, epoch, self.settings)[done:]:
                yield epoch, rows[self.share]


class _Batches(torch.utils.data.Dataset[Any]):
    def __init__(self, data: TrainingData) -> None:
        self.data = data

    def __getitem__(self, index: tuple[int, Rows]) -> Any:
        epoch, rows = index
        return self.data.batch(rows, epoch)


def _unchanged(batch: Any) -> Any:
    return batch


def batches(data: TrainingData, order: Order, num_workers: int) -> Generator[Any, None, None]:
    """The batches of all epochs still to come, loaded ahead by `num_workers` processes.

    Raises:
        TrainingError: If the data cannot be sent to the workers, or a worker dies.
    """
    context = multiprocessing.get_context("forkserver") if num_workers else None
    if context is not None:
        context.set_forkserver_preload(["__main__", "torch"])  # once, not once per worker
    loader: torch.utils.data.DataLoader[Any] = torch.utils.data.DataLoader(
        _Batches(data),
        batch_size=None,
        sampler=order,
        num_workers=num_workers,
        collate_fn=_unchanged,
        multiprocessing_context=context,
        generator=torch.Generator(),  # else making the iterator would draw from the stream that dropout uses
    )
    try:
        yield from loader
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        if not num_workers or "pickle" not in str(error).lower():
            raise
        raise TrainingError(
            f"the data cannot be sent to {num_workers} workers ({error}). Set num_workers=0."
        ) from error
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise TrainingError(
            f"a worker that loads data died ({error}). It may lack memory, or the data may be defined in a notebook: "
            f"set num_workers=0, or move its class to a file."
        ) from error
