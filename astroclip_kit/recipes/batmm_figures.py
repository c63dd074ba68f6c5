"""What the repetitions of BATMM's experiment look like: curves, weights, confusion, numbers beside published ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import Result
from .batmm_models import MODELS
from .judged import Judged
from .published import Published
from .published_stars import BHB, LABEL
from .repetition_figures import Captioned, beside, confusion, curves, seeds_of, trainings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .batmm_stages import BATMMSeed

__all__ = ["draw"]

CURVES = ("batmm", "transformer_spectrum", "vgg1d_sa", "resnet_se", "early_concat", "svm", "xgboost")
PARTS = {"image": "band", "spectrum": "wavelength [Å]"}
WEIGHTS = {"image": "weight of each band in squeeze and excitation", "spectrum": "attention to each wavelength range"}


def draw(several: Sequence[BATMMSeed], results: Sequence[Result], published: Sequence[Published]) -> dict[str, Figure]:
    """Caption to figure.

    Args:
        several: The repetitions.
        results: What they gave, put together.
        published: The numbers to compare with.
    """
    judged = [Judged(one.place("results")) for one in several]
    told = {one.task: one for one in published if (one.property, one.metric) == (LABEL, "macro_f1")}
    return {
        **dict(beside(results, told, MODELS)),
        **dict(curves(judged, CURVES, MODELS, BHB)),
        **dict(_shares(judged, published)),
        **dict(confusion(judged, ("batmm", "resnet_se"), MODELS, "stars")),
        **dict(_attention(several[0], judged[0])),
        **dict(trainings(_trained(several[0]))),
    }


def _shares(judged: Sequence[Judged], published: Sequence[Published]) -> Captioned:
    from ..report.figures import share_figure

    told = {one.metric.removeprefix("share of "): one.value for one in published if one.task == "shares"}
    true = np.concatenate([one.true for one in judged])
    for modality, names in judged[0].about["shares"].items():
        shares = np.concatenate([one.array(f"shares-{modality}") for one in judged])
        about = {"what": PARTS[modality], "title": f"{modality} encoder, stars of {seeds_of(judged)}"}
        marked = {name: value for name, value in told.items() if name in names}
        yield (
            f"What the {modality} encoder looks at: {WEIGHTS[modality]}, by true class (the paper's Figure 9).",
            share_figure(shares, names, true, published=marked, **about),
        )


def _attention(first: BATMMSeed, judged: Judged) -> Captioned:
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


def _trained(first: BATMMSeed) -> dict[str, Path]:
    """What was trained for BATMM itself."""
    places = {f"the {name} encoder": first.place("own", "encoders", name) for name in first.encoders}
    return {**places, "BATMM on cached tokens": first.place("own", "fusion")}
