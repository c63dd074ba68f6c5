"""Batches for alignment, from cached features or from raw samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..transforms.randomness import fork, integers, normal, uniform
from ..types import Batch
from .draw import AUGMENTATION, DROPOUT, NOISE, VIEW, Draw

__all__ = ["AlignmentBatch", "FeatureBatches", "SampleBatches", "plain_batch"]

Rows = npt.NDArray[np.int64]
CHUNK = 8192


@dataclass
class AlignmentBatch(Batch):
    """A batch that numbers its groups, so that a loss compares integers; the ids themselves are left out.

    Args:
        group_numbers: int64 [B].
        standardised: Modalities whose views are features that were centred and scaled already.
    """

    group_numbers: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))
    standardised: Set[str] = frozenset()

    def __len__(self) -> int:
        return len(self.group_numbers)

    def to(self, device: torch.device | str) -> AlignmentBatch:
        """The same batch with its tensors on another device."""
        views = {name: view.to(device, non_blocking=True) for name, view in self.views.items()}
        rows = {name: row.to(device, non_blocking=True) for name, row in self.rows.items()}
        groups = self.group_numbers.to(device, non_blocking=True)
        return AlignmentBatch([], [], views, rows, group_numbers=groups, standardised=self.standardised)


def plain_batch(data: Any, names: Sequence[str], rows: Rows) -> Batch:
    """Rows of a `FeatureSet` or a `Dataset` as they are: what is validated and embedded.

    Args:
        data: Where from.
        names: Modalities.
        rows: B rows of `data`.
    """
    if not hasattr(data, "matrix"):
        raw: Batch = data.batch(rows)
        return raw
    ids, groups = np.asarray(data.object_ids)[rows], np.asarray(data.groups)[rows]
    present = {name: np.flatnonzero(np.asarray(data.present(name))[rows]) for name in names}
    views = {name: torch.from_numpy(np.array(data.matrix(name)[rows[present[name]]])) for name in names}
    return Batch(ids.tolist(), groups.tolist(), views, {name: torch.from_numpy(present[name]) for name in names})


class FeatureBatches:
    """Training batches of cached features.

    Args:
        features: A `FeatureSet`.
        moments: Modality to mean and standard deviation of its features, for noise and dropout.
        draw: The training rows.
        device: Where features that fit in memory are held; None to read every batch from disk.
        identity: Changes with whatever must not change when an interrupted training goes on.
        scalers: Modality to what standardises its features, for those that are multiplied in bfloat16 next: they are
            held like that. Without noise and dropout alone, which come first.
    """

    def __init__(
        self,
        features: Any,
        moments: Mapping[str, tuple[Tensor, Tensor]],
        draw: Draw,
        device: torch.device | None = None,
        identity: str = "",
        scalers: Mapping[str, Callable[[Tensor], Tensor]] | None = None,
    ) -> None:
        self.identity = identity
        disturbed = bool(draw.sampling.feature_noise or draw.sampling.feature_dropout)
        several = any(features.views(name) > 1 for name in moments)
        self._random = disturbed or several or bool(draw.sampling.modality_dropout)
        self.scalers = {} if disturbed or device is None else dict(scalers or {})
        self.features, self.draw, self.device = features, draw, device or torch.device("cpu")
        self.moments = {name: (mean.to(self.device), std.to(self.device)) for name, (mean, std) in moments.items()}
        self._held = {} if device is None else {name: self._hold(name) for name in moments}

    def _hold(self, name: str) -> Tensor:
        """All views [K, n, D] of the training rows on the device."""
        rows, scaler = self.draw.rows, self.scalers.get(name)
        matrices = [self.features.matrix(name, view=view) for view in range(self.features.views(name))]
        dtype = torch.bfloat16 if scaler else torch.from_numpy(np.array(matrices[0][:1])).dtype
        held = torch.empty(len(matrices), len(rows), matrices[0].shape[1], dtype=dtype, device=self.device)
        for view, matrix in enumerate(matrices):
            for start in range(0, len(rows), CHUNK):  # never a second copy of all of them
                h = torch.from_numpy(matrix[rows[start : start + CHUNK]]).to(self.device)
                held[view, start : start + CHUNK] = scaler(h) if scaler else h
        return held

    def __len__(self) -> int:
        return len(self.draw)

    def order(self, epoch: int) -> Rows:
        """The rows of an epoch in order."""
        return self.draw.order(epoch)

    def batch(self, rows: Rows, epoch: int) -> AlignmentBatch:
        """The batch of these training rows, drawn for this epoch."""
        seeds = self.draw.seeds(rows, epoch) if self._random else torch.zeros(len(rows), dtype=torch.int64)
        keep = None if self.draw.whole else self.draw.keep(rows, seeds)
        views, present = {}, {}
        for column, name in enumerate(self.moments):
            here = np.arange(len(rows)) if keep is None else np.flatnonzero(keep[:, column])
            present[name] = torch.from_numpy(here).to(self.device)
            own = fork(seeds[here], column) if self._random else seeds[here]
            views[name] = self._disturb(name, self._features(name, rows[here], own), own.to(self.device))
        groups = torch.from_numpy(self.draw.groups[rows])
        return AlignmentBatch([], [], views, present, group_numbers=groups, standardised=frozenset(self.scalers))

    def _features(self, name: str, rows: Rows, seeds: Tensor) -> Tensor:
        count = self.features.views(name)
        view = integers(fork(seeds, VIEW), count) if count > 1 else torch.zeros(len(rows), dtype=torch.int64)
        if name in self._held and count == 1:
            return self._held[name][0].index_select(0, torch.from_numpy(rows).to(self.device))
        if name in self._held:
            return self._held[name][view.to(self.device), torch.from_numpy(rows).to(self.device)]
        source, drawn = self.draw.rows[rows], view.numpy()
        first = self.features.matrix(name)
        h = np.empty((len(rows), first.shape[1]), dtype=first.dtype)
        for number in np.unique(drawn):
            h[drawn == number] = self.features.matrix(name, view=int(number))[source[drawn == number]]
        return torch.from_numpy(h)

    def _disturb(self, name: str, h: Tensor, seeds: Tensor) -> Tensor:
        noise, dropout = self.draw.sampling.feature_noise, self.draw.sampling.feature_dropout
        mean, std = self.moments[name]
        if noise:
            h = h.float() + noise * std * normal(fork(seeds, NOISE), h.shape[1:])
        if dropout:
            h = torch.where(uniform(fork(seeds, DROPOUT), h.shape[1:]) < dropout, mean, h.float())
        return h


class SampleBatches:
    """Training batches of raw views, augmented.

    Args:
        dataset: A `Dataset`.
        names: Modalities.
        draw: The training rows.
        augmentations: Modality to ``(x [n, ...], seeds [n]) -> [n, ...]``.
        identity: Changes with whatever must not change when an interrupted training goes on.
    """

    def __init__(
        self,
        dataset: Any,
        names: Sequence[str],
        draw: Draw,
        augmentations: Mapping[str, Callable[[Tensor, Tensor], Tensor]],
        identity: str = "",
    ) -> None:
        self.identity = identity
        self.dataset, self.names, self.draw, self.augmentations = dataset, list(names), draw, dict(augmentations)

    def __len__(self) -> int:
        return len(self.draw)

    def order(self, epoch: int) -> Rows:
        """The rows of an epoch in order."""
        return self.draw.order(epoch)

    def batch(self, rows: Rows, epoch: int) -> AlignmentBatch:
        """The batch of these training rows, drawn for this epoch."""
        seeds = self.draw.seeds(rows, epoch)
        keep = torch.from_numpy(self.draw.keep(rows, seeds))
        raw: Batch = self.dataset.batch(self.draw.rows[rows])
        views, present = {}, {}
        for column, name in enumerate(self.names):
            if name not in raw.views:
                continue
            kept = keep[raw.rows[name], column]
            x, present[name] = raw.views[name][kept], raw.rows[name][kept]
            augment = self.augmentations.get(name)
            own = fork(fork(seeds[present[name]], column), AUGMENTATION)
            views[name] = augment(x, own) if augment is not None and len(x) else x
        return AlignmentBatch([], [], views, present, group_numbers=torch.from_numpy(self.draw.groups[rows]))
