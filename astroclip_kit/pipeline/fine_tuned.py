"""A fine-tuned classifier of objects that may lack modalities: each modality alone beside it, and every subset."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..settings import Classification
from .training_notes import label_notes

if TYPE_CHECKING:
    from ..types import Result
    from .classifier_steps import Learner

__all__ = [
    "fit_alone",
    "is_fine_tuned",
    "labelled_rows",
    "lacking",
    "said_of_views",
    "subset_results",
    "with_all",
]

Rows = npt.NDArray[np.int64]


def is_fine_tuned(settings: Classification) -> bool:
    """Whether objects may lack modalities, and the head is that of fine-tuning."""
    return settings.stages == "fine_tuned"


def labelled_rows(learner: Learner, side: str) -> Rows:
    """The objects of a side of the split whose class is known."""
    _, codes, sides = learner.divided
    return np.flatnonzero((sides == side) & (codes >= 0))


def fit_alone(learner: Learner, name: str) -> None:
    """Trains the same classifier of one modality."""
    from ..classifiers import fit_classifier

    tuning, settings = learner.settings.fine_tuning, replace(learner.settings, baselines=[])
    if not isinstance(tuning.trainable, str):
        settings = replace(settings, fine_tuning=replace(tuning, trainable=tuning.trainable_of(name)))
    fit_classifier(learner.dataset, learner.built([name]), settings, learner.place("baselines", name))


def said_of_views(learner: Learner, classifier: Any, rows: Rows) -> npt.NDArray[np.float64]:
    """Logits [n, C] before the temperature of some objects, from their raw views."""
    from ..classifiers import view_logits

    divided = view_logits(classifier, learner.dataset, rows, hardware=learner.settings.training.hardware)
    return np.asarray(divided * classifier.temperature, dtype=np.float64)


def with_all(dataset: Any, modalities: Sequence[str], rows: Rows) -> Rows:
    """Those of some rows that have all of some modalities."""
    here = np.all([np.asarray(dataset.present(name))[rows] for name in modalities], axis=0)
    return rows[here]


def subset_results(learner: Learner) -> list[Result]:
    """What the classifier is worth when it is shown some of the modalities alone; nothing where it has one."""
    from ..classifiers import subset_table
    from ..models import load_model

    if not is_fine_tuned(learner.settings) or len(learner.modalities) < 2:
        return []
    test, codes = with_all(learner.dataset, learner.modalities, labelled_rows(learner, "test")), learner.divided[1]
    if not len(test):
        return []
    classifier: Any = load_model(learner.place("model"), trusted=True)
    how: dict[str, Any] = {"hardware": learner.settings.training.hardware, "seed": learner.settings.split.seed}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes that the test side lacks were told of already
        found: list[Result] = subset_table(classifier, learner.dataset, test, codes[test], **how)
    return found


def lacking(learner: Learner) -> Iterator[str]:
    """What is to be said of objects without some modality, and of labels that were kept back."""
    from ..storage import open_folder

    about = open_folder(learner.place("model"), "model")
    without = {name.removeprefix("no "): count for name, count in about.get("lacking", {}).items() if count}
    if without:
        told = ", ".join(f"{count:,} without {name}" for name, count in without.items())
        yield f"of the objects that are learned from, {told}: they are told by what they have"
    if is_fine_tuned(learner.settings) and len(names := learner.modalities) > 1:
        test = labelled_rows(learner, "test")
        if few := len(test) - len(with_all(learner.dataset, names, test)):
            yield f"of {len(test):,} held-out objects, {few:,} lack a modality; subsets are judged on the others"
    yield from label_notes(learner)
