"""Mean and standard deviation of features, over the training rows only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..errors import InputError
from .batches import plain_batch
from .model import ContrastiveModel

__all__ = ["Moments", "encoded_moments", "feature_moments"]

Moments = tuple[Tensor, Tensor]
CHUNK = 8192
CALIBRATION_ROWS = 1024


def feature_moments(features: Any, name: str, train: npt.NDArray[np.int64]) -> Moments:
    """Mean and standard deviation [D] of one modality's cached features; looks for NaN on the way.

    Args:
        features: A `FeatureSet`.
        name: The modality.
        train: Training rows.

    Raises:
        InputError: If features of objects that have the modality are not finite, in any view and on any side.
    """
    present = np.asarray(features.present(name), dtype=bool)
    bad = np.zeros(len(present), dtype=bool)
    for view in range(features.views(name)):
        for rows, h in _chunks(features.matrix(name, view=view), np.flatnonzero(present)):
            bad[rows] |= ~np.isfinite(h).all(axis=1)
    if bad.any():
        first = np.asarray(features.object_ids)[np.flatnonzero(bad)[0]]
        raise InputError(
            f"{bad.sum()} of {present.sum()} rows of the features {name!r} are not finite (first: {str(first)!r}). "
            f"Check that encoder and its input, and extract again."
        )
    return _moments(h for _, h in _chunks(features.matrix(name), train[present[train]]))


def encoded_moments(
    model: ContrastiveModel, dataset: Any, train: npt.NDArray[np.int64], batch_size: int
) -> dict[str, Moments]:
    """The same for what the frozen encoders make of up to 1,024 training objects, drawn evenly.

    Those of an encoder that is trained would soon be out of date.

    Args:
        model: With its encoders, on the device to compute on.
        dataset: A `Dataset`.
        train: Training rows.
        batch_size: Objects per batch.

    Raises:
        InputError: If an encoder gives values that are not finite.
    """
    chosen = train[np.linspace(0, len(train) - 1, min(len(train), CALIBRATION_ROWS)).astype(np.int64)]
    found: dict[str, list[npt.NDArray[np.float64]]] = {name: [] for name in model.frozen()}
    model.eval()
    with torch.no_grad():
        for start in range(0, len(chosen) if found else 0, batch_size):
            batch = plain_batch(dataset, model.names, chosen[start : start + batch_size]).to(model.log_scale.device)
            for name in found.keys() & batch.views.keys():
                if len(batch.views[name]):
                    found[name].append(model.encode(name, batch.views[name]).cpu().double().numpy())
    model.train()
    for name, parts in found.items():
        if bad := sum(int((~np.isfinite(part).all(axis=1)).sum()) for part in parts):
            raise InputError(f"the encoder of {name!r} gives values that are not finite for {bad} training objects.")
    return {name: _moments(iter(parts)) for name, parts in found.items() if parts}


def _chunks(
    matrix: npt.NDArray[Any], rows: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]:
    for start in range(0, len(rows), CHUNK):
        some = rows[start : start + CHUNK]
        yield some, np.asarray(matrix[some], dtype=np.float64)


def _moments(parts: Iterator[npt.NDArray[np.float64]]) -> Moments:
    """Merges counts, means and squared deviations part by part (Chan et al. 1983)."""
    count, mean, squares = 0, np.zeros(()), np.zeros(())
    for part in parts:
        own, shift = part.mean(axis=0), part.mean(axis=0) - mean
        total = count + len(part)
        squares = squares + ((part - own) ** 2).sum(axis=0) + shift**2 * count * len(part) / total
        mean, count = mean + shift * len(part) / total, total
    std = np.sqrt(squares / max(count, 1))
    return torch.from_numpy(np.asarray(mean)).float(), torch.from_numpy(np.asarray(std)).float()
