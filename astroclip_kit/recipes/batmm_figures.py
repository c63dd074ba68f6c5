"""What the repetitions of BATMM's experiment look like: curves, weights, confusion, numbers beside published ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..storage import open_folder, read_array
from ..types import Result
from .batmm_models import MODELS
from .published import Published
from .published_stars import BHB, LABEL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .batmm_stages import Repetition

__all__ = ["draw"]

CURVES = ("batmm", "transformer_spectrum", "vgg1d_sa", "resnet_se", "early_concat", "svm", "xgboost")
PARTS = {"image": "band", "spectrum": "wavelength (Angstrom)"}
Captioned = Iterator[tuple[str, "Figure"]]
Floats = npt.NDArray[np.float64]


class _Judged:
    """What one repetition's results folder holds."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.about = folder, open_folder(folder, "results")
        self.classes: list[str] = self.about["classes"]
        self.codes = read_array(folder / "codes.npy")

    @cached_property
    def said(self) -> dict[str, Floats]:
        """Model to what it says of each star [n, C]."""
        return dict(zip(self.about["models"], read_array(self.folder / "probabilities.npy"), strict=True))

    def shares(self, modality: str) -> dict[str, Floats]:
        """Mean weights [S] of all stars, and of those of each class."""
        shares = read_array(self.folder / f"shares-{modality}.npy")
        by_class = {name: shares[self.codes == code].mean(axis=0) for code, name in enumerate(self.classes)}
        return {"all": shares.mean(axis=0), **by_class}


def draw(
    several: Sequence[Repetition], results: Sequence[Result], published: Sequence[Published]
) -> tuple[dict[str, Figure], list[Result]]:
    """Caption to figure, and the mean weights as results.

    Args:
        several: The repetitions.
        results: What they gave, put together.
        published: The numbers to compare with.
    """
    from ..report.figures import learning_curves

    judged = [_Judged(one.place("results")) for one in several]
    origin: dict[str, Any] = {name: getattr(results[0], name) for name in ("seed", "dataset", "origin", "space")}
    shares = list(_weights(judged, origin)) if len(judged[0].about["shares"]) else []
    figures = {
        **dict(_beside(results, published)),
        **dict(_curves(judged)),
        **dict(_shares(judged, published)),
        **dict(_confusion(judged)),
    }
    for name, folder in (("image encoder", ("own", "image")), ("spectrum encoder", ("own", "spectrum"))):
        history = open_folder(several[0].place(*folder), "model").get("history")
        figures |= {f"Training of the {name}, first seed.": learning_curves(history)} if history else {}
    if "batmm" in several[0].models and (history := _history(several[0])):
        figures["Training of BATMM on cached tokens, first seed."] = learning_curves(history)
    return figures, shares


def _history(first: Repetition) -> Sequence[Mapping[str, float]]:
    history: Sequence[Mapping[str, float]] = open_folder(first.place("models", "batmm"), "model").get("history", ())
    return history


def _beside(results: Sequence[Result], published: Sequence[Published]) -> Captioned:
    from ..report.figures import Beside, measured_beside_published

    told = {one.task: one for one in published if (one.property, one.metric) == (LABEL, "macro_f1")}
    numbers = []
    for one in results:
        if one.fold < 0 and one.metric == "macro_f1" and one.task in MODELS:
            other = told.get(one.task)
            known = (other.value, other.spread) if other else (math.nan, math.nan)
            numbers.append(Beside(MODELS[one.task].name, one.value, one.std, *known))
    caption = "Macro F1 of all models, mean and standard deviation over the seeds, beside the published values."
    yield caption, measured_beside_published(numbers, metric="macro F1 (share, 1 best)")


def _curves(judged: Sequence[_Judged]) -> Captioned:
    """The class of interest against the other."""
    from ..report.figures import mean_curves

    classes = judged[0].classes
    column = classes.index(BHB) if BHB in classes else 0
    shown = [name for name in CURVES if name in judged[0].said]
    models = {MODELS[name].name: [(one.said[name][:, column], one.codes == column) for one in judged] for name in shown}
    of = f"{classes[column]} against the rest, mean over {len(judged)} seeds"
    yield f"ROC curves, {of}; legend: area under the curve (AUC).", mean_curves(models, kind="roc")
    yield (
        f"Precision by recall, {of}; legend: average precision.",
        mean_curves(models, kind="precision-recall"),
    )


def _shares(judged: Sequence[_Judged], published: Sequence[Published]) -> Captioned:
    from ..report.figures import mean_shares

    panels = {}
    for modality, names in judged[0].about["shares"].items():
        each = [one.shares(modality) for one in judged]
        panels[PARTS[modality]] = (
            names,
            {key: np.stack([one[key] for one in each]) for key in each[0] if key != "all"},
        )
    told = {one.property: one.value for one in published if one.metric == "share"}
    if panels:
        yield (
            "Weight of each band in squeeze and excitation, and of each range of wavelengths in self-attention, by "
            "true class (the paper's Figure 9).",
            mean_shares(panels, published=told),
        )


def _weights(judged: Sequence[_Judged], origin: Mapping[str, Any]) -> Iterator[Result]:
    """Mean weight of each part over all stars and seeds."""
    from ..results import combine

    folds = []
    for one in judged:
        about = {**origin, "seed": one.about["seed"]}
        folds.append(
            [
                Result(
                    "shares",
                    modality,
                    modality,
                    name,
                    "share",
                    float(value),
                    math.nan,
                    math.nan,
                    len(one.codes),
                    **about,
                )
                for modality, names in one.about["shares"].items()
                for name, value in zip(names, one.shares(modality)["all"], strict=True)
            ]
        )
    yield from combine(folds)


def _confusion(judged: Sequence[_Judged]) -> Captioned:
    from ..report.figures import confusion_matrix

    for name in ("batmm", "resnet_se"):
        if name in judged[0].said:
            true, said = ([], [])
            for one in judged:
                classes = np.asarray(one.classes)
                true.append(classes[one.codes])
                said.append(classes[one.said[name].argmax(axis=1)])
            title = f"{MODELS[name].name}, test stars of {len(judged)} seeds"
            yield (
                f"True by predicted class, {title}.",
                confusion_matrix(*map(np.concatenate, (true, said)), title=title),
            )
