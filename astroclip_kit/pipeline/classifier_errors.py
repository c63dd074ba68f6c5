"""What the page of a classifier shows of its errors: which objects, how they look, and where they lie in colour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .classifier_steps import Learner

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..data import Dataset
    from ..report.classifier_figures import Said

__all__ = ["error_figures", "error_notes"]

Rows = npt.NDArray[np.int64]
UNSURE = 0.6  # probability, below which what is right counts as unsure
VIEWED = ("image", "spectrum")  # what objects are compared and shown by, the first that there is


def error_figures(learner: Learner, said: Said, seed: int = 0) -> Iterator[tuple[str, Figure]]:
    """Caption and figure of each that can be made.

    Args:
        learner: The classifier, or the first of several folds.
        said: What it said, or all folds together.
        seed: Of k-means.
    """
    from ..classifiers import misclassified_groups, unsure_but_right
    from ..report.figures import misclassified_sheet, unsure_sheet

    dataset, rows = learner.dataset, _rows(learner.dataset, said)
    about: tuple[Any, ...] = (said.true, said.probabilities)
    if name := _viewed(learner):
        given: dict[str, Any] = {"object_ids": said.object_ids, "names": [name]}
        alike = misclassified_groups(lambda own: _pixels(dataset, name, rows[own]), *about, said.classes, seed=seed)
        if alike:
            caption = f"Misclassified objects that are alike in the {name} (k-means), nearest to each centre first."
            yield caption, misclassified_sheet(alike, *about, dataset, classes=said.classes, **given)
        if len(unsure := unsure_but_right(*about, said.classes, below=UNSURE)):
            yield f"Right, with a probability below {UNSURE:g}.", unsure_sheet(unsure, dataset, **given)
        yield from _maps(learner, name, int(rows[alike[0].rows[0] if alike else 0]))
    yield from _colours(dataset, rows, said)


def error_notes(said: Said) -> list[str]:
    """What is said instead of a figure."""
    if (np.asarray(said.classes)[said.probabilities.argmax(axis=1)] != said.true).any():
        return []
    return [f"none of {len(said.true):,} held-out objects was misclassified, so there are no errors to show"]


def _rows(dataset: Dataset, said: Said) -> Rows:
    """Where the objects judged are in the dataset."""
    number = {object_id: row for row, object_id in enumerate(dataset.object_ids.tolist())}
    return np.array([number[one] for one in said.object_ids.tolist()], dtype=np.int64)


def _viewed(learner: Learner) -> str:
    """The modality that objects are shown by; "" where the classifier sees none that can be."""
    modalities = learner.dataset.modalities
    seen = {modalities[name].kind: name for name in reversed([*modalities]) if name in learner.encoders}
    return next((seen[kind] for kind in VIEWED if kind in seen), "")


def _pixels(dataset: Dataset, name: str, rows: Rows) -> npt.NDArray[np.float32]:
    """Images without their inverse variances, or fluxes in units of their median."""
    modality, views = dataset.modalities[name], dataset.views(name, rows)
    if modality.kind == "image":
        return np.asarray(views[:, : len(modality.image_bands)])
    flux = views[:, :1]
    level = np.abs(np.median(np.nan_to_num(flux), axis=2, keepdims=True))
    return np.asarray(flux / np.where(level > 0, level, 1))


def _maps(learner: Learner, name: str, row: int) -> Iterator[tuple[str, Figure]]:
    """What the layers of the encoder make of one object, where they have maps."""
    from ..classifiers import map_layers
    from ..models import load_model
    from ..report.figures import feature_maps

    classifier: Any = load_model(learner.place("model"), trusted=True)
    dataset, encoder = learner.dataset, classifier.encoders[name] if name in classifier.encoders else None
    view = dataset.views(name, [row])[0]
    if encoder is not None and map_layers(encoder, view):
        title = str(dataset.object_ids[row])
        caption = f"What layers of the encoder of the {name} make of one object, and their most varied channels."
        yield caption, feature_maps(encoder, view, modality=dataset.modalities[name], title=title)


def _colours(dataset: Dataset, rows: Rows, said: Said) -> Iterator[tuple[str, Figure]]:
    """Two colours of the objects, where labels or a table have them."""
    from ..report.figures import colour_colour, usual_colours
    from ..report.figures.colours import column_difference

    columns = {name: values[rows] for name, values in dataset.labels.items() if values.dtype.kind == "f"}
    for name, modality in dataset.modalities.items():
        if modality.kind == "table" and usual_colours(modality.channels):
            there = dataset.present(name)[rows]
            values = np.full((len(rows), len(modality.channels)), np.nan, dtype=np.float32)
            values[there] = dataset.views(name, rows[there])
            columns |= dict(zip(modality.channels, values.T, strict=True))
    axes = usual_colours(columns)
    if axes and np.isfinite(sum(column_difference(columns, one) for one in axes)).any():
        caption = "Colours by true class; rings: misclassified, in the colour of what was said."
        yield caption, colour_colour(columns, *axes, said.true, said.probabilities, classes=said.classes)
