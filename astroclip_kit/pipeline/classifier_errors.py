"""What the page of `classify` shows of a classifier's errors, and what it says where there are none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .classifier_steps import Learner

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..data import Dataset
    from ..report.classifier_figures import Said

__all__ = ["error_notes", "errors_shown"]

VIEWED = ("image", "spectrum")  # what objects are compared and shown by, the first that there is


def errors_shown(learner: Learner, said: Said, seed: int = 0) -> Iterator[tuple[str, Figure]]:
    """Caption and figure of each that can be made.

    Args:
        learner: The classifier, or the first of several folds.
        said: What it said, or all folds together.
        seed: Of k-means.
    """
    from ..models import load_model
    from ..report.error_figures import error_figures

    modalities = learner.dataset.modalities
    seen = {modalities[name].kind: name for name in reversed([*modalities]) if name in learner.encoders}
    name = next((seen[kind] for kind in VIEWED if kind in seen), "")
    said = _seen(learner.dataset, name, said) if name else said
    classifier: Any = load_model(learner.place("model"), trusted=True)
    encoder = classifier.encoders[name] if name in classifier.encoders else None
    yield from error_figures(said, learner.dataset, modality=name, encoder=encoder, seed=seed)


def _seen(dataset: Dataset, name: str, said: Said) -> Said:
    """What was said of the objects that have a modality."""
    here = np.isin(said.object_ids, dataset.object_ids[dataset.present(name)])
    if here.all():
        return said
    own = {key: getattr(said, key)[here] for key in ("object_ids", "groups", "true", "probabilities")}
    return replace(said, **own, uncalibrated=None if said.uncalibrated is None else said.uncalibrated[here])


def error_notes(said: Said) -> list[str]:
    """What is said instead of a figure."""
    if (np.asarray(said.classes)[said.probabilities.argmax(axis=1)] != said.true).any():
        return []
    return [f"none of {len(said.true):,} held-out objects was misclassified, so there are no errors to show"]
