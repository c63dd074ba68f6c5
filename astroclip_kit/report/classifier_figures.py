"""The figures of a classifier: how it was trained, which class is taken for which, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .figures.attention import share_figure
from .figures.calibration import reliability_diagram
from .figures.classification import confusion_matrix, precision_recall_curves, roc_curves
from .figures.training import learning_curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Said", "Shares", "classifier_figures"]

Floats = npt.NDArray[np.float64]


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
    said: Said,
    *,
    histories: Mapping[str, Sequence[Mapping[str, float]]] | None = None,
    shares: Sequence[Shares] = (),
    seed: int = 0,
) -> dict[str, Figure]:
    """Caption to figure of everything that can be drawn of a classifier.

    Args:
        said: What it said of held-out objects.
        histories: What was trained to its epochs.
        shares: What its encoders weigh.
        seed: Of the resampling of intervals.
    """
    drawn: dict[str, Any] = {}
    for what, history in (histories or {}).items():
        if history:
            drawn[f"Training of the {what}."] = learning_curves(history)
    title = f"{said.model.replace('_', ' ')}: {said.query.replace('+', ' + ')}"
    about = f"of {len(said.true):,} held-out objects"
    names, scores = np.asarray(said.classes), said.probabilities
    judged = {
        f"Which class is taken for which, {about}.": confusion_matrix(
            said.true, names[scores.argmax(axis=1)], title=title
        )
    }
    if len(np.unique(said.true)) > 1:
        curves: dict[str, Any] = {"groups": said.groups, "seed": seed, "title": title}
        judged[f"ROC curves {about}."] = roc_curves(said.true, scores, names, **curves)
        judged[f"Precision and recall {about}; marks at the right: guessing."] = precision_recall_curves(
            said.true, scores, names, **curves
        )
    if said.uncalibrated is not None:
        judged[f"Calibration {about}, before the temperature."] = reliability_diagram(
            said.true, said.uncalibrated, names, title="before"
        )
    judged[f"Calibration {about}{', with the temperature' if said.uncalibrated is not None else ''}."] = (
        reliability_diagram(said.true, scores, names, title="after" if said.uncalibrated is not None else title)
    )
    for figure in judged.values():
        figure.task = "classifiers"
    drawn |= judged
    for one in shares:
        what = "wavelength [Å]" if "-" in "".join(one.names) else "band"
        caption = f"What the encoder of the {one.encoder} weighs, {about}."
        drawn[caption] = share_figure(one.values, one.names, one.classes, what=what, title=one.encoder)
    return drawn
