"""What repetitions of an experiment look like: numbers beside published ones, curves, confusion, trainings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..storage import open_folder
from ..types import Result
from .judged import Judged
from .published import Published
from .repetition import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Captioned", "beside", "confusion", "curves", "seeds_of", "trainings"]

Captioned = Iterator[tuple[str, "Figure"]]
Models = Mapping[str, Row]


def seeds_of(judged: Sequence[Judged]) -> str:
    """How many there are, in words."""
    return f"{len(judged)} seed{'s' * (len(judged) > 1)}"


def beside(
    results: Sequence[Result], published: Mapping[str, Published], models: Models, metric: str = "macro_f1"
) -> Captioned:
    """A line for each model: its metric, beside what was published.

    Args:
        results: Of all repetitions together.
        published: Task to its published value.
        models: Those that are shown, by their task.
        metric: The metric, of all classes together.
    """
    from ..report.figures import Beside, measured_beside_published
    from ..report.wording import title

    numbers = []
    for one in results:
        if one.fold < 0 and one.metric == metric and one.task in models:
            other = published.get(one.task)
            known = (other.value, other.spread) if other else (math.nan, math.nan)
            numbers.append(Beside(models[one.task].name, one.value, one.std, *known))
    name = title(metric)
    about = f"{name[:1].upper()}{name[1:]} of all models, mean and standard deviation over the seeds"
    once = " Without a bar: of one seed, whose scatter is not known." * any(math.isnan(one.spread) for one in numbers)
    drawn = measured_beside_published(numbers, metric=f"{name} (share, 1 best)")
    yield f"{about}, beside the published values.{once}", drawn


def curves(judged: Sequence[Judged], shown: Iterable[str], models: Models, of_class: str) -> Captioned:
    """Mean ROC and precision-recall curves of some models, of one class against the rest.

    Args:
        judged: The repetitions.
        shown: Which, as far as they were run.
        models: By their task.
        of_class: The class; the first where there is none of that name.
    """
    from ..report.figures import mean_curves

    classes = judged[0].classes
    column = classes.index(of_class) if of_class in classes else 0
    run = [name for name in shown if name in judged[0].said]
    said = {
        models[name].name: [(one.said[name][:, column], one.codes == column) for one in judged if name in one.said]
        for name in run
    }
    of = f"{classes[column]} against the rest, mean over {seeds_of(judged)}"
    yield f"ROC curves, {of}; legend: area under the curve (AUC).", mean_curves(said, kind="roc")
    yield f"Precision by recall, {of}; legend: average precision.", mean_curves(said, kind="precision-recall")


def confusion(judged: Sequence[Judged], shown: Iterable[str], models: Models, objects: str = "objects") -> Captioned:
    """Which class some models take for which, of the objects of all seeds.

    Args:
        judged: The repetitions.
        shown: Which, as far as they were run.
        models: By their task.
        objects: What is classified.
    """
    from ..report.figures import confusion_matrix

    for name in shown:
        if own := [one for one in judged if name in one.said]:
            true, said = np.concatenate([one.true for one in own]), np.concatenate([one.predicted(name) for one in own])
            title = f"{models[name].name}, {objects} of {seeds_of(own)}"
            yield f"True by predicted class: {title}.", confusion_matrix(true, said, title=title)


def trainings(places: Mapping[str, Path]) -> Captioned:
    """How what was trained learned, epoch by epoch.

    Args:
        places: What it is, "the image encoder", to its folder of the first seed.
    """
    from ..report.figures import learning_curves

    for name, folder in places.items():
        if history := open_folder(folder, "model").get("history"):
            yield f"Training of {name}, first seed.", learning_curves(history)
