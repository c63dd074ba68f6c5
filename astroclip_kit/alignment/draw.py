"""Which rows make up an epoch, and which of their views: a function of (seed, epoch, object) and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ..settings import Sampling
from ..storage import hash_ids
from ..transforms.randomness import fork, object_seeds, uniform

__all__ = ["Draw", "common_rows", "presence"]

VIEW, NOISE, DROPOUT, MODALITIES, AUGMENTATION = range(5)  # what a row's seed is forked for


def presence(data: Any, names: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which rows have which modality, bool [N, M]."""
    return np.stack([np.asarray(data.present(name), dtype=bool) for name in names], axis=1)


def common_rows(
    present: npt.NDArray[np.bool_], names: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> npt.NDArray[np.bool_]:
    """Which rows have both modalities of each pair, bool [N, P]."""
    column = {name: i for i, name in enumerate(names)}
    return np.stack([present[:, column[a]] & present[:, column[b]] for a, b in pairs], axis=1)


class Draw:
    """The training rows, numbered 0 .. n - 1, and what is drawn for them.

    Args:
        data: A `FeatureSet` or `Dataset`.
        names: M modalities.
        rows: Row of `data` of each of the n training rows.
        sampling: What to draw.
        seed: Of the run.
    """

    def __init__(
        self, data: Any, names: Sequence[str], rows: npt.NDArray[np.int64], sampling: Sampling, seed: int
    ) -> None:
        self.rows, self.sampling, self.seed = rows, sampling, seed
        self.present = presence(data, names)[rows]
        self.whole = bool(self.present.all()) and not sampling.modality_dropout
        self.hashes = hash_ids(np.asarray(data.object_ids)[rows])
        self.groups = np.unique(np.asarray(data.groups)[rows], return_inverse=True)[1].astype(np.int64)

    def __len__(self) -> int:
        return int(self.groups.max()) + 1 if self.sampling.one_per_group else len(self.rows)

    def order(self, epoch: int) -> npt.NDArray[np.int64]:
        """The training rows of an epoch in order; one of each group where ``one_per_group`` is set."""
        shuffled = np.random.default_rng([self.seed, epoch]).permutation(len(self.rows))
        if not self.sampling.one_per_group:
            return shuffled
        first = np.unique(self.groups[shuffled], return_index=True)[1]  # each group's first row in a random order
        return shuffled[np.sort(first)]

    def seeds(self, rows: npt.NDArray[np.int64], epoch: int) -> Tensor:
        """One seed per row and epoch, int64 [B]."""
        return object_seeds(self.seed, epoch, self.hashes[rows])

    def keep(self, rows: npt.NDArray[np.int64], seeds: Tensor) -> npt.NDArray[np.bool_]:
        """Which views of the rows are used, bool [B, M]: those present, less those dropped, never under two."""
        present = self.present[rows]
        if not self.sampling.modality_dropout:
            return present
        drawn = uniform(fork(seeds, MODALITIES), (present.shape[1],)).numpy()
        kept = present & (drawn >= self.sampling.modality_dropout)
        return np.where(kept.sum(axis=1, keepdims=True) < 2, present, kept)
