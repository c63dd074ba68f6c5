"""What AstroM3's experiment looks like: accuracy by share of the labels, confusion, and the space of the first seed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..types import Result
from .astrom3_judging import kept_model
from .astrom3_models import MODELS, TITLES
from .judged import Judged
from .published import Published
from .published_variables import SUBSETS, task_of
from .repetition_figures import Captioned, confusion, trainings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..report.figures import AtShare
    from .astrom3_stages import AstroM3Seed

__all__ = ["draw"]

SHOWN = {"photometry": min(SUBSETS), "all": max(SUBSETS)}  # rows whose trainings are shown


def draw(
    several: Sequence[AstroM3Seed],
    judged: Sequence[Judged],
    results: Sequence[Result],
    published: Mapping[str, Published],
) -> dict[str, Figure]:
    """Caption to figure.

    Args:
        several: The repetitions.
        judged: What they said of their held-out objects.
        results: What they gave, put together.
        published: Task to its published accuracy on a capped test side.
    """
    wanted = (kept_model(several[0]), *(task_of("photometry", how, min(SUBSETS)) for how in (False, True)))
    shown = [task for task in wanted if task in several[0].models]
    return {
        **dict(_by_share(results, published)),
        **dict(confusion(judged, shown, MODELS)),
        **dict(_pretraining(several[0])),
        **dict(trainings(_trained(several[0]))),
    }


def _by_share(results: Sequence[Result], published: Mapping[str, Published]) -> Captioned:
    from ..report.figures import scores_by_label_share

    known = {one.task: one for one in results if one.fold < 0 and one.metric == "accuracy" and one.task in MODELS}
    lines = {"random weights": False, "pretrained": True}
    panels = {
        title: {name: list(_points(known, published, mode, how)) for name, how in lines.items()}
        for mode, title in TITLES.items()
    }
    panels = {title: kinds for title, kinds in panels.items() if any(kinds.values())}
    yield (
        "Accuracy on all test objects by share of the labels, mean and standard deviation over the seeds; open: "
        "published, on capped test sides.",
        scores_by_label_share(panels, metric="accuracy"),
    )


def _points(
    known: Mapping[str, Result], published: Mapping[str, Published], mode: str, pretrained: bool
) -> Iterator[AtShare]:
    from ..report.figures import AtShare

    for percent in sorted(SUBSETS):
        task = task_of(mode, pretrained, percent)
        if task in known:
            told = published[task].value if task in published else math.nan
            yield AtShare(percent, known[task].value, known[task].std, told)


def _pretraining(first: AstroM3Seed) -> Captioned:
    """How the space learned."""
    from ..report.figures import learning_curves
    from ..storage import open_folder

    if first.pretrains:
        [history] = open_folder(first.place("clip"), "model")["history"]
        yield "Contrastive pretraining, first seed.", learning_curves(history)


def _trained(first: AstroM3Seed) -> dict[str, Path]:
    """The rows of light curves with the fewest labels, and of all modalities with all, as far as they were run."""
    rows = [task_of(mode, how, percent) for mode, percent in SHOWN.items() for how in (False, True)]
    return {first.models[task].name: first.place("tuned", task, "fine_tuned") for task in rows if task in first.models}
