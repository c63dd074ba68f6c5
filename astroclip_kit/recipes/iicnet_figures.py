"""What IICnet's experiment looks like: accuracy, curves and confusion by class, and what is wrong or not sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..types import Result
from .iicnet_judging import UNSURE
from .iicnet_models import MODELS
from .judged import Judged
from .published_wise import CLASSES, IICNET, LABEL, MATRIX
from .repetition_figures import Captioned, beside, confusion, curves, seeds_of, trainings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..classifiers import ErrorGroup
    from .iicnet_stages import IICNetSeed

__all__ = ["Answers", "draw"]

Rows = npt.NDArray[np.int64]
COMPARED = ("iicnet", "colours", "spectrum", "fused", "joint")
GROUPS = 4
REGIONS = {"stars": (0.3, 0.15), "galaxies": (2.8, 0.2), "quasars": (3.0, 1.2)}  # Wright et al. 2010, W2-W3 and W1-W2


@dataclass(frozen=True)
class Answers:
    """What IICnet says of the objects of all seeds, one after the other.

    Args:
        rows: Of the dataset [n].
        true: Class of each [n].
        probabilities: Of each class [n, C].
        classes: Names of the classes [C].
    """

    rows: Rows
    true: npt.NDArray[np.str_]
    probabilities: npt.NDArray[np.float64]
    classes: Sequence[str]

    @classmethod
    def of(cls, judged: Sequence[Judged]) -> Answers:
        """Of the repetitions."""
        parts = [(one.rows, one.true, one.said["iicnet"]) for one in judged]
        rows, true, said = (np.concatenate(each) for each in zip(*parts, strict=True))
        return cls(rows, true, said, judged[0].classes)


def draw(several: Sequence[IICNetSeed], results: Sequence[Result]) -> dict[str, Figure]:
    """Caption to figure.

    Args:
        several: The repetitions.
        results: What they gave, put together.
    """
    judged = [Judged(one.place("results")) for one in several]
    told = {one.task: one for one in IICNET if (one.property, one.metric) == (LABEL, "accuracy")}
    return {
        **dict(beside(results, told, MODELS, "accuracy")),
        **dict(_by_class(judged)),
        **dict(curves(judged, COMPARED, MODELS, CLASSES[1])),
        **dict(confusion(judged, ("iicnet", "fused"), MODELS)),
        **dict(_published_confusion()),
        **dict(_errors(several[0], Answers.of(judged))),
        **dict(trainings(_trained(several[0]))),
    }


def _by_class(judged: Sequence[Judged]) -> Captioned:
    from ..report.figures import mean_curves

    classes = judged[0].classes
    said = {
        f"{name} against the rest": [(one.said["iicnet"][:, code], one.codes == code) for one in judged]
        for code, name in enumerate(classes)
    }
    yield f"ROC curves of IICnet, each class against the rest, mean over {seeds_of(judged)}.", mean_curves(said)


def _published_confusion() -> Captioned:
    from ..report.figures import confusion_matrix

    counts, names = np.array(MATRIX), np.array(CLASSES)
    true, said = np.repeat(np.indices(counts.shape).reshape(2, -1), counts.reshape(-1), axis=1)
    drawn = confusion_matrix(names[true], names[said], title="as published, Figure 18")
    yield "True by predicted class as published: the objects are those of the validation side.", drawn


def _errors(first: IICNetSeed, answers: Answers) -> Captioned:
    """What is misclassified, what is not sure, what the layers make of an object, and where all lie in colour."""
    from ..classifiers import misclassified_groups, unsure_but_right
    from ..report.figures import misclassified_sheet, unsure_sheet

    dataset, about = first.dataset, (answers.true, answers.probabilities)
    shown: dict[str, Any] = {"object_ids": dataset.object_ids[answers.rows], "names": ["image"]}
    alike: list[ErrorGroup] = misclassified_groups(
        lambda rows: _pixels(first, answers.rows[rows]), *about, answers.classes, groups=GROUPS, seed=first.run.seed
    )
    if alike:
        caption = "Misclassified by IICnet, in groups of images that are alike (k-means), nearest to each centre first."
        yield caption, misclassified_sheet(alike, *about, dataset, classes=answers.classes, **shown)
    if len(unsure := unsure_but_right(*about, answers.classes, below=UNSURE)):
        yield f"Right, with a probability below {UNSURE:g}.", unsure_sheet(unsure, dataset, **shown)
    yield from _maps(first, int(answers.rows[alike[0].rows[0] if alike else 0]))
    yield from _colours(first, answers)


def _pixels(first: IICNetSeed, rows: Rows) -> npt.NDArray[np.float32]:
    """Images without inverse variances."""
    bands = len(first.dataset.modalities["image"].image_bands)
    views: npt.NDArray[np.float32] = first.dataset.views("image", rows)[:, :bands]
    return views


def _maps(first: IICNetSeed, row: int) -> Captioned:
    from ..models import load_model
    from ..report.figures import feature_maps

    encoder: Any = load_model(first.place("encoders", "image", "encoder"))
    dataset = first.dataset
    figure = feature_maps(
        encoder,
        dataset.views("image", [row])[0],
        modality=dataset.modalities["image"],
        title=f"{dataset.object_ids[row]}: {dataset.labels[first.settings.label][row]}",
    )
    yield "What the layers of IICnet make of one object, and their most varied channels (first seed).", figure


def _colours(first: IICNetSeed, answers: Answers) -> Captioned:
    """The objects of the first seed by two colours."""
    from ..report.figures import colour_colour, usual_colours

    modality = first.dataset.modalities["colours"]
    if not (axes := usual_colours(modality.channels)):
        return
    rows, own = np.unique(answers.rows, return_index=True)
    columns = dict(zip(modality.channels, first.dataset.views("colours", rows).T, strict=True))
    true, said = answers.true[own], answers.probabilities[own]
    figure = colour_colour(columns, *axes, true, said, classes=answers.classes, regions=REGIONS)
    about = "names: where Wright et al. (2010) find them"
    yield f"Colours by true class; rings: misclassified by IICnet, in the colour of what was said; {about}.", figure


def _trained(first: IICNetSeed) -> dict[str, Path]:
    """What was trained of the first seed, beside the sweeps."""
    names = {"image": "IICnet", "colours": "the network of colours", "spectrum": "the network of spectra"}
    places = {told: first.place("encoders", name) for name, told in names.items()}
    places["images + colours on cached features"] = first.place("fused", "fusion")
    return {told: folder for told, folder in places.items() if folder.is_dir()}
