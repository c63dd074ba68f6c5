"""How good BATMM and the models that it is compared with are, and what its encoders weigh."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..types import Result
from .batmm_models import Model
from .judged import Besides, judge_models

if TYPE_CHECKING:
    from .batmm_stages import BATMMSeed

__all__ = ["judge_seed"]

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
LEAST = 1e-12  # probability, where its logarithm is taken


def judge_seed(repetition: BATMMSeed, out: Path) -> None:
    """Judges all models by the same stars, and keeps what a figure needs of them.

    The folder is that of `judged.judge_models`, with the weights of bands or wavelengths
    (``shares-<modality>.npy`` [n, S]), whose names are in the manifest.

    Args:
        repetition: The seed.
        out: The results folder.
    """
    says = {task: partial(_logits, repetition, task, model) for task, model in repetition.models.items()}
    judge_models(repetition, says, out, partial(_shares, repetition))


def _shares(repetition: BATMMSeed, rows: Rows, source: Mapping[str, Any]) -> Besides:
    """What the encoders weigh of the stars that are judged."""
    from ..classifiers import encoder_shares
    from ..models import load_model

    encoders = {name: load_model(repetition.place("own", "encoders", name, "encoder")) for name in repetition.encoders}
    weighed = {name: encoder_shares(repetition.dataset, name, one, rows) for name, one in encoders.items()}
    shares = {name: found for name, found in weighed.items() if found is not None}
    means = [one for name, (parts, weights) in shares.items() for one in _mean_shares(name, parts, weights, source)]
    arrays = {f"shares-{name}": weights for name, (_, weights) in shares.items()}
    return Besides(means, arrays, {"shares": {name: list(parts) for name, (parts, _) in shares.items()}})


def _logits(repetition: BATMMSeed, task: str, model: Model, rows: Rows) -> Floats:
    """What a model says of some stars [n, C]."""
    from ..classifiers import encoder_logits, token_logits, view_logits
    from ..features import FeatureSet
    from ..models import load_model
    from ..storage import read_array

    if not model.encoders:
        said = read_array(repetition.place("models", task) / "probabilities.npy")[rows]
        return np.asarray(np.log(np.maximum(said, LEAST)))
    told = {"hardware": repetition.settings.training.hardware}
    trained: Any = load_model(repetition.model_place(task))
    if model.method and task != "joint":
        features = FeatureSet(repetition.place(model.encoders, "tokens"))
        return np.asarray(token_logits(trained, features, rows, **told), dtype=np.float64)
    if task == "joint":
        return np.asarray(view_logits(trained, repetition.dataset, rows, **told), dtype=np.float64)
    return np.asarray(encoder_logits(trained, *model.sees, repetition.dataset, rows, **told), dtype=np.float64)


def _mean_shares(modality: str, names: tuple[str, ...], shares: Floats, source: Mapping[str, Any]) -> Iterator[Result]:
    """The mean weight of each part."""
    for name, value in zip(names, shares.mean(axis=0), strict=True):
        about = "shares", modality, modality, "", f"share of {name}"
        yield Result(*about, float(value), math.nan, math.nan, len(shares), **source, space="supervised")
