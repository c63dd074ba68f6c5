"""How good the classifiers of one seed are: on all held-out objects, on as few as was published, and by modality."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..results import combine
from ..types import Result
from .astrom3_models import MODELS
from .astrom3_words import counted
from .judged import Besides, Judged, judge_models
from .paired import Paired
from .published_variables import MODES, SUBSETS, task_of

if TYPE_CHECKING:
    from .astrom3_stages import AstroM3Seed

__all__ = ["SHOWN_AT", "capped", "gains", "judge_seed", "kept_model"]

SHOWN_AT = 50  # percent of the labels, of the published model that was shown some of its modalities
Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def judge_seed(repetition: AstroM3Seed, out: Any) -> None:
    """Judges all rows by the same objects; the folder is that of `judged.judge_models`.

    Args:
        repetition: The seed.
        out: The results folder.
    """
    says = {task: partial(_logits, repetition, task) for task in repetition.models}
    judge_models(repetition, says, out, partial(_kept, repetition))


def kept_model(repetition: AstroM3Seed) -> str:
    """The row that is shown some of the modalities: that of all, with the published share of the labels or the most.

    Pretrained before not; "" for none.
    """
    percents = dict.fromkeys((SHOWN_AT, *SUBSETS))
    tasks = (task_of("all", pretrained, percent) for percent in percents for pretrained in (True, False))
    return next((task for task in tasks if task in repetition.models), "")


def _logits(repetition: AstroM3Seed, task: str, rows: Rows) -> Floats:
    """What a classifier says of some objects [n, C]."""
    from ..classifiers import view_logits
    from ..models import load_model

    trained: Any = load_model(repetition.model_place(task), trusted=True)
    hardware = repetition.settings.training.hardware
    return np.asarray(view_logits(trained, repetition.dataset, rows, hardware=hardware), dtype=np.float64)


def _kept(repetition: AstroM3Seed, rows: Rows, source: Mapping[str, Any]) -> Besides:
    """How good the model of all modalities is when it is shown some of them."""
    from ..classifiers import subset_table
    from ..models import load_model

    if not (task := kept_model(repetition)):
        return Besides()
    classifier: Any = load_model(repetition.model_place(task), trusted=True)
    codes = repetition.divided[1]
    how = {"n_boot": repetition.experiment["n_boot"], "hardware": repetition.settings.training.hardware}
    found = subset_table(classifier, repetition.dataset, rows, codes[rows], seed=source["seed"], **how)
    return Besides(found, about={"kept": task})


def capped(several: Sequence[AstroM3Seed], judged: Sequence[Judged], like: Result, share: float) -> list[Result]:
    """Accuracy on test sides whose largest classes are cut as those of the training sides are, as was published.

    Args:
        several: The repetitions.
        judged: What they said of their test sides.
        like: Any result of them: for its property, data set, origin and space.
        share: Of the judged objects among those that train or are judged.

    Returns:
        As `results.combine` gives them; of one repetition its own.
    """
    each = [list(_capped(*one, like)) for one in zip(several, judged, strict=True)]
    return combine(each, share) if len(each) > 1 else each[0]


def _capped(one: AstroM3Seed, judged: Judged, like: Result) -> Iterator[Result]:
    from ..data import label_share
    from ..metrics import wilson

    ids, sides = one.dataset.object_ids[judged.rows], np.full(len(judged.rows), "test")
    told: dict[str, Any] = {name: getattr(like, name) for name in ("dataset", "origin", "space")}
    for task, p in judged.said.items():
        cut = replace(one.labelled(MODELS[task].percent), sides=["test"])
        some = label_share(judged.codes, sides, cut, one.seed, ids)
        right = (p.argmax(axis=1) == judged.codes)[some]
        sees, value = MODELS[task].query, float(right.mean())
        about = task, sees, sees, like.property, "capped_accuracy"
        yield Result(*about, value, *wilson(value, len(right)), len(right), one.seed, **told)


def gains(paired: Paired, like: Result) -> list[Result]:
    """What pretraining gains at most in each mode, at whichever share of the labels that is; n counts test objects.

    Without an interval: that of the largest would be as if it had been chosen beforehand.

    Args:
        paired: The models, by accuracy.
        like: Any result of them: for its property, data set, origin, space and seed.
    """
    told: dict[str, Any] = {name: getattr(like, name) for name in ("seed", "dataset", "origin", "space")}
    results = []
    for mode in MODES:
        pairs = [(task_of(mode, True, percent), task_of(mode, False, percent)) for percent in SUBSETS]
        found = [(paired.difference(*pair), pair) for pair in pairs if paired.compares(*pair)]
        if found:
            mean, (task, _) = max((mean, pair) for (mean, *_), pair in found)
            about = "paired", mode, mode, like.property, "largest_gain"
            results.append(Result(*about, mean, math.nan, math.nan, counted(paired, task), **told))
    return results
