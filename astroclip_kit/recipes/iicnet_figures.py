"""What IICnet's experiment looks like: accuracy, curves and confusion by class, and what is wrong or not sure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import Result
from .iicnet_models import MODELS
from .judged import Judged
from .published_wise import CLASSES, IICNET, LABEL, MATRIX
from .repetition_figures import Captioned, beside, confusion, curves, seeds_of, trainings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .iicnet_stages import IICNetSeed

__all__ = ["draw"]

COMPARED = ("iicnet", "colours", "spectrum", "fused", "joint")
GROUPS = 4
WRIGHT = "Wright et al. (2010)"
REGIONS = {"stars": (0.3, 0.15), "galaxies": (2.8, 0.2), "quasars": (3.0, 1.2)}  # W2-W3 and W1-W2


def draw(several: Sequence[IICNetSeed], judged: Sequence[Judged], results: Sequence[Result]) -> dict[str, Figure]:
    """Caption to figure.

    Args:
        several: The repetitions.
        judged: What they said of their held-out objects.
        results: What they gave, put together.
    """
    told = {one.task: one for one in IICNET if (one.property, one.metric) == (LABEL, "accuracy")}
    return {
        **dict(beside(results, told, MODELS, "accuracy")),
        **dict(_by_class(judged)),
        **dict(curves(judged, COMPARED, MODELS, CLASSES[1])),
        **dict(confusion(judged, ("iicnet", "fused"), MODELS)),
        **dict(_published_confusion()),
        **dict(_errors(several[0], judged[0])),
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


def _errors(first: IICNetSeed, judged: Judged) -> Captioned:
    """What is misclassified, what is not sure, what the layers make of an object, and where all lie in colour.

    The objects are those of the first seed: those of all would come several times.
    """
    from ..models import load_model
    from ..report.classifier_figures import Said
    from ..report.error_figures import error_figures

    dataset, ids = first.dataset, first.dataset.object_ids[judged.rows]
    said = Said("iicnet", "image", ids, ids, judged.true, judged.classes, judged.said["iicnet"])
    encoder: Any = load_model(first.place("encoders", "image", "encoder"))
    given: dict[str, Any] = {"modality": "image", "regions": REGIONS, "seed": first.run.seed}
    for caption, figure in error_figures(said, dataset, encoder=encoder, **given):
        about = f" Names: where {WRIGHT} find them." if caption.startswith("Colours") else ""
        yield f"IICnet, first seed. {caption}{about}", figure


def _trained(first: IICNetSeed) -> dict[str, Path]:
    """What was trained of the first seed, beside the sweeps."""
    names = {"image": "IICnet", "colours": "the network of colours", "spectrum": "the network of spectra"}
    places = {told: first.place("encoders", name) for name, told in names.items()}
    places["images + colours on cached features"] = first.place("fused", "fusion")
    return {told: folder for told, folder in places.items() if folder.is_dir()}
