"""What is to be said of trainings of classes that cannot have gone well, or learned from other numbers than asked."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..settings import Classification

if TYPE_CHECKING:
    from ..report.classifier_figures import Said
    from .classifier_steps import Learner

__all__ = ["absent_once", "below_majority", "label_notes", "warm_up_notes"]

FACTOR = 1.5  # a share of labels that is off by more is not what was asked for


def absent_once(call: Callable[[], object]) -> None:
    """Calls without the warning of each temperature that a class is absent, which was given by the class before."""
    from ..classifiers.temperature import FOLLOWS

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=f".*{FOLLOWS}")
        call()


def warm_up_notes(settings: Classification) -> list[str]:
    """What is to be said of trainings that end before their learning rate has risen."""
    two_stage = settings.stages != "fine_tuned"
    trainings = {
        "training": settings.training,
        **({"encoder_training": settings.encoder_training} if two_stage else {}),
    }
    return [
        f"{name} has {one.epochs} epochs and the first {one.schedule.warmup_epochs:g} warm up: the learning rate that "
        f"was asked for is never held. Train longer, or set {name}.schedule.warmup_epochs lower"
        for name, one in trainings.items()
        if one.schedule.warmup_epochs and one.schedule.warmup_epochs >= one.epochs
    ]


def below_majority(said: Said) -> list[str]:
    """What is to be said of a classifier that is right less often than who always says the most frequent class."""
    right = float((np.asarray(said.classes)[said.probabilities.argmax(axis=1)] == said.true).mean())
    names, counts = np.unique(said.true, return_counts=True)
    share = counts.max() / len(said.true)
    if right >= share:
        return []
    return [
        f"the accuracy, {right:.3f}, is below the {share:.3f} of who always says {str(names[counts.argmax()])!r}: "
        f"train longer, or at a higher learning rate, or with more labels"
    ]


def label_notes(learner: Learner) -> Iterator[str]:
    """How many labels are really learned from where some are kept back."""
    from ..classifiers import class_codes

    share = learner.settings.labelled
    if share.fraction == 1:
        return
    given = class_codes(learner.dataset, learner.settings.label)[1] >= 0
    _, shown, sides = learner.divided
    for side in share.sides:
        here = given & (sides == side)
        count, whole = int((here & (shown >= 0)).sum()), int(here.sum())
        if not whole:
            continue
        really = count / whole
        off = not 1 / FACTOR <= really / share.fraction <= FACTOR
        why = "at least one of each class is kept" if really > share.fraction else "every class is cut"
        yield (
            f"{count:,} of {whole:,} labels ({100 * really:.2g} %) are learned from, side {side}; asked for "
            f"{100 * share.fraction:g} %, by {share.by}" + (f": not the share asked for, as {why}" if off else "")
        )
