"""The figures of a classifier: how it was trained, which class is taken for which, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .figures.attention import share_figure
from .figures.calibration import reliability_diagram
from .figures.classification import confusion_matrix, precision_recall_curves, roc_curves
from .figures.training import learning_curves
from .wording import model_title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Said", "Shares", "classifier_figures"]

Floats = npt.NDArray[np.float64]
RESAMPLES = 1000  # of intervals, as `classifiers.judge` draws them: figures show those of the results
History = Sequence[Mapping[str, float]]  # a row per epoch


@dataclass(frozen=True)
class Said:
    """What one model said of objects that it has not seen.

    Args:
        model: Its name.
        query: What it sees: "image+spectrum".
        object_ids: The objects [N].
        groups: Astrophysical object of each [N].
        true: Class of each [N].
        classes: Names of the classes [C].
        probabilities: Of each class, calibrated [N, C].
        uncalibrated: Before the temperature [N, C]; None of a model without one.
    """

    model: str
    query: str
    object_ids: npt.NDArray[np.str_]
    groups: npt.NDArray[np.str_]
    true: npt.NDArray[np.str_]
    classes: Sequence[str]
    probabilities: Floats
    uncalibrated: Floats | None = None


@dataclass(frozen=True)
class Shares:
    """What an encoder weighs.

    Args:
        encoder: Of which modality, and what its names are: "band", "wavelength".
        names: Of the parts [K].
        values: Share of each part [N, K] of the objects judged.
        classes: Class of each of them [N].
    """

    encoder: str
    names: Sequence[str]
    values: Floats
    classes: npt.NDArray[np.str_]


def classifier_figures(
    said: Said, *, histories: Mapping[str, Sequence[History]] = {}, shares: Sequence[Shares] = (), seed: int = 0
) -> dict[str, Figure]:
    """Caption to figure of everything that can be drawn of a classifier.

    Args:
        said: What it said of held-out objects.
        histories: What was trained to the epochs of each repetition, the first of which is drawn bold.
        shares: What its encoders weigh.
        seed: Of the resampling of intervals.
    """
    about = f"{len(said.true):,} held-out objects"
    drawn: dict[str, Figure] = {
        f"Training of the {what}.": learning_curves(first, others) for what, (first, *others) in histories.items()
    }
    drawn |= dict(_judged(said, about, seed))
    for one in shares:
        what = "wavelength [Å]" if "-" in "".join(one.names) else "band"
        caption = f"What the encoder of the {one.encoder} weighs, of {about}."
        drawn[caption] = share_figure(one.values, one.names, one.classes, what=what, title=one.encoder)
    return drawn


def _judged(said: Said, about: str, seed: int) -> Iterator[tuple[str, Figure]]:
    """Confusion, curves, and calibration before and after the temperature."""
    title = f"{model_title(said.model)}: {said.query.replace('+', ' + ')}"
    true, p, raw, names = said.true, said.probabilities, said.uncalibrated, np.asarray(said.classes)
    curves: dict[str, Any] = {"groups": said.groups, "n_boot": RESAMPLES, "seed": seed, "title": title}
    drawn = {
        f"Which class is taken for which, of {about}.": confusion_matrix(true, names[p.argmax(axis=1)], title=title)
    }
    if len(np.unique(true)) > 1:
        drawn[f"ROC curves of {about}."] = roc_curves(true, p, names, **curves)
        caption = f"Precision and recall of {about}; marks at the right: guessing."
        drawn[caption] = precision_recall_curves(true, p, names, **curves)
    if raw is not None:
        caption = f"Calibration of {about}, before the temperature."
        drawn[caption] = reliability_diagram(true, raw, names, title="before the temperature")
    caption, when = (".", title) if raw is None else (", with the temperature.", "with the temperature")
    drawn[f"Calibration of {about}{caption}"] = reliability_diagram(true, p, names, title=when)
    for caption, figure in drawn.items():
        figure.task = "classifiers"
        yield caption, figure
