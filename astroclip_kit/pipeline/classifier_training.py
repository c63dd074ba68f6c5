"""From a dataset to a classifier in a folder of its own: a section of `run`, and what `classify` does with data."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..settings import Classification
from ..storage import open_folder
from .classifier_steps import Learner
from .fine_tuned import is_fine_tuned
from .parts import Encoders, Folder
from .step import run_steps

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["begun_with", "train_classifier", "usual_encoders"]

USUAL = {"image": "SEResNet", "spectrum": "VGG1D", "table": "TabularMLP", "lightcurve": "LightCurveTransformer"}


def train_classifier(
    data: Folder,
    out: Folder = "classifier",
    *,
    encoders: Encoders | None = None,
    labels: Folder = "",
    classification: Classification = Classification(),
) -> Table:
    """Trains a classifier of several modalities, calibrates it, and says what it is worth.

    Args:
        data: Dataset folder.
        out: Folder to write: ``encoders/``, ``tokens/``, ``model/`` (the classifier) and ``results/``; resumed where
            it was interrupted.
        encoders: Modality to encoder, which is trained; the folder of one is used as it is, and "" is that of
            ``fine_tuning.start``, the default where there is one. Under any other name, one that ``reads`` a modality.
        labels: Table of classes, with ids or coordinates; by default the dataset has the label.
        classification: Label, stages, fusion, trainings, split, baselines, see `Classification`.

    Returns:
        The results, with intervals.
    """
    from .classifier_results import results_of

    open_folder(Path(os.fspath(data)), "dataset")
    given = encoders or begun_with(classification) or usual_encoders(Path(os.fspath(data)))
    learner = Learner(Path(os.fspath(data)), Path(out), given, classification, str(labels))
    shown = {name: one if isinstance(one, (str, dict)) else type(one).__name__ for name, one in given.items()}
    told: dict[str, Any] = {"data": str(learner.data), "labels": str(labels), "encoders": shown}
    run_steps([*learner.steps()], learner.out, _yaml({"classify": {**told, "classification": asdict(classification)}}))
    return results_of(learner)


def usual_encoders(data: Path) -> Encoders:
    """An encoder for each modality of a dataset: those of BATMM for images and spectra."""
    from ..data import Dataset

    modalities = Dataset(data).modalities
    return {name: {"class_path": f"astroclip_kit.encoders.{USUAL[one.kind]}"} for name, one in modalities.items()}


def begun_with(classification: Classification) -> Encoders:
    """The encoders of the model that a fine-tuning begins with; none where it begins with none."""
    start = classification.fine_tuning.start if is_fine_tuned(classification) else ""
    return dict.fromkeys(open_folder(start, "model").get("modalities", {}), "") if start else {}


def _yaml(content: dict[str, Any]) -> str:
    """Settings as text; objects by their class alone."""
    import yaml

    plain = json.loads(json.dumps(content, default=lambda one: type(one).__name__))
    text: str = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    return text
