"""What the repetitions of BATMM's experiment look like: curves, weights, confusion, numbers beside published ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
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
PARTS = {"image": "band", "spectrum": "wavelength [Å]"}
WEIGHTS = {"image": "weight of each band in squeeze and excitation", "spectrum": "attention to each wavelength range"}
Captioned = Iterator[tuple[str, "Figure"]]
Floats = npt.NDArray[np.float64]


class _Judged:
    """What one repetition's results folder holds."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.about = folder, open_folder(folder, "results")
        self.classes: list[str] = self.about["classes"]
        self.codes, self.rows = (read_array(folder / f"{name}.npy") for name in ("codes", "rows"))

    @cached_property
    def said(self) -> dict[str, Floats]:
        """Model to what it says of each star [n, C]."""
        return dict(zip(self.about["models"], read_array(self.folder / "probabilities.npy"), strict=True))

    @property
    def true(self) -> npt.NDArray[np.str_]:
        """Class of each star [n]."""
        true: npt.NDArray[np.str_] = np.asarray(self.classes)[self.codes]
        return true


def draw(several: Sequence[Repetition], results: Sequence[Result], published: Sequence[Published]) -> dict[str, Figure]:
    """Caption to figure.

    Args:
        several: The repetitions.
        results: What they gave, put together.
        published: The numbers to compare with.
    """
    judged = [_Judged(one.place("results")) for one in several]
    return {
        **dict(_beside(results, published)),
        **dict(_curves(judged)),
        **dict(_shares(judged, published)),
        **dict(_confusion(judged)),
        **dict(_attention(several[0], judged[0])),
        **dict(_trainings(several[0])),
    }


def _seeds(judged: Sequence[_Judged]) -> str:
    return f"{len(judged)} seed{'s' * (len(judged) > 1)}"


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
    of = f"{classes[column]} against the rest, mean over {_seeds(judged)}"
    yield f"ROC curves, {of}; legend: area under the curve (AUC).", mean_curves(models, kind="roc")
    yield (
        f"Precision by recall, {of}; legend: average precision.",
        mean_curves(models, kind="precision-recall"),
    )


def _shares(judged: Sequence[_Judged], published: Sequence[Published]) -> Captioned:
    from ..report.figures import share_figure

    told = {one.metric.removeprefix("share of "): one.value for one in published if one.task == "shares"}
    true = np.concatenate([one.true for one in judged])
    for modality, names in judged[0].about["shares"].items():
        shares = np.concatenate([read_array(one.folder / f"shares-{modality}.npy") for one in judged])
        about = {"what": PARTS[modality], "title": f"{modality} encoder, stars of {_seeds(judged)}"}
        marked = {name: value for name, value in told.items() if name in names}
        yield (
            f"What the {modality} encoder looks at: {WEIGHTS[modality]}, by true class (the paper's Figure 9).",
            share_figure(shares, names, true, published=marked, **about),
        )


def _confusion(judged: Sequence[_Judged]) -> Captioned:
    from ..report.figures import confusion_matrix

    true = np.concatenate([one.true for one in judged])
    for name in ("batmm", "resnet_se"):
        if name in judged[0].said:
            said = [np.asarray(one.classes)[one.said[name].argmax(axis=1)] for one in judged]
            title = f"{MODELS[name].name}, stars of {_seeds(judged)}"
            yield f"True by predicted class: {title}.", confusion_matrix(true, np.concatenate(said), title=title)


def _attention(first: Repetition, judged: _Judged) -> Captioned:
    """What the image tokens of one star take from its spectrum."""
    import torch

    from ..models import load_model
    from ..report.figures import attention_map, spectrum_seen

    classifier: Any = load_model(first.place("own", "model"))
    if "batmm" not in judged.said or not getattr(classifier.fusion, "crosses", False):
        return
    code = judged.classes.index(BHB) if BHB in judged.classes else 0
    surest = int(np.where(judged.codes == code, judged.said["batmm"][:, code], -1).argmax())
    row, dataset = int(judged.rows[surest]), first.dataset
    views = {name: dataset.views(name, [row]) for name in classifier.modalities}
    weights = classifier.attention({name: torch.from_numpy(view) for name, view in views.items()})[0].numpy()
    title = f"{dataset.object_ids[row]}: {judged.classes[code]}, p = {judged.said['batmm'][surest, code]:.3f}"
    yield (
        "Cross-attention of BATMM's last block, mean over its heads, of the surest star of the class (first seed).",
        attention_map(
            weights,
            {name: view[0] for name, view in views.items()},
            dataset.modalities,
            **spectrum_seen(classifier.encoders["spectrum"], dataset.modalities["spectrum"]),
            title=title,
        ),
    )


def _trainings(first: Repetition) -> Captioned:
    from ..report.figures import learning_curves

    places = {f"the {name} encoder": first.place("own", "encoders", name) for name in first.encoders}
    for name, folder in {**places, "BATMM on cached tokens": first.place("own", "fusion")}.items():
        if history := open_folder(folder, "model").get("history"):
            yield f"Training of {name}, first seed.", learning_curves(history)
