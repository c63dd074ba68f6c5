"""How good IICnet and what it is compared with are on one seed, and how sure it is of what it gets right."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..results import combine
from ..types import Result
from .iicnet_models import Model
from .judged import Judged, judge_models

if TYPE_CHECKING:
    from .iicnet_stages import IICNetSeed

__all__ = ["UNSURE", "judge_seed", "sureness"]

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
BATCH = 64  # images at a time: maps of 128 x 128 pixels are large
UNSURE = 0.6  # probability, below which what is right counts as unsure


def judge_seed(repetition: IICNetSeed, out: Path) -> None:
    """Judges all models by the same objects; the folder is that of `judged.judge_models`.

    Args:
        repetition: The seed.
        out: The results folder.
    """
    judge_models(repetition, {task: partial(_logits, repetition, task) for task in repetition.models}, out)


def _logits(repetition: IICNetSeed, task: str, rows: Rows) -> Floats:
    """What a model says of some objects [n, C]."""
    from ..classifiers import encoder_logits, token_logits, view_logits
    from ..features import FeatureSet
    from ..models import load_model

    told: dict[str, Any] = {"hardware": repetition.settings.encoder_training.hardware}
    model: Model = repetition.models[task]
    trained: Any = load_model(repetition.model_place(task))
    if model.kind == "fusion":
        return np.asarray(token_logits(trained, FeatureSet(repetition.place("fused", "tokens")), rows, **told))
    if model.kind == "joint":
        return np.asarray(view_logits(trained, repetition.dataset, rows, **told))
    return np.asarray(encoder_logits(trained, *model.sees, repetition.dataset, rows, **told, batch_size=BATCH))


def sureness(judged: Sequence[Judged], like: Result, share: float) -> list[Result]:
    """How much of what IICnet says is wrong, how much is right and not sure, and how sure it is of each class.

    Args:
        judged: The repetitions.
        like: Any result of them: for its property, data set, origin and seed.
        share: Of the judged objects among those that train or are judged.

    Returns:
        As `results.combine` gives them; of one repetition its own.
    """
    each = [list(_sureness(one, like)) for one in judged]
    return combine(each, share) if len(each) > 1 else each[0]


def _sureness(judged: Judged, like: Result) -> Iterator[Result]:
    p = judged.said["iicnet"]
    right, sure = p.argmax(axis=1) == judged.codes, p.max(axis=1)
    told: dict[str, Any] = {name: getattr(like, name) for name in ("dataset", "origin", "space")}
    told["seed"] = judged.about["seed"]
    for metric, share in (("share_wrong", ~right), ("share_right_but_unsure", right & (sure < UNSURE))):
        about = "iicnet", "image", "image", like.property, metric
        yield Result(*about, float(share.mean()), math.nan, math.nan, len(right), **told)
    for code, name in enumerate(judged.classes):
        if len(own := sure[right & (judged.codes == code)]):
            about = "samples", "image", "image", f"{like.property}:{name}", "probability"
            yield Result(*about, float(np.median(own)), math.nan, math.nan, len(own), **told)
