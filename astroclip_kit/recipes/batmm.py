"""BATMM: blue horizontal branch stars told from other A-type stars by images and spectra, fused by attention.

Each seed divides the stars anew, trains encoders that see its training side alone, and all models on their tokens:
the rows of one seed share its encoders, and its test side was seen by none of them.

Source: Wei, Jiang & Zhang 2023, "Identification of Blue Horizontal Branch Stars with Multimodal Fusion".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from ..types import Result
from .batmm_figures import draw
from .batmm_models import BATMM_TABLES, CLAIMS, MODELS
from .batmm_stages import repetitions, stages
from .paired import Paired
from .published_stars import BATMM, LABEL
from .recipe import Measured, Recipe, Run
from .repetition import Repetition, not_as_published, tested_share, together

__all__ = ["RECIPE", "measure"]

METRIC = "macro_f1"
PUBLISHED = {one.task: one for one in BATMM if (one.property, one.metric) == (LABEL, METRIC)}


def measure(run: Run) -> Measured:
    """Puts the repetitions together: mean and standard deviation of all numbers, paired differences, figures.

    Args:
        run: With the stages of all repetitions done.
    """
    several = repetitions(run)
    results = together(several)
    parts = _paired(several, results) if len(several) > 1 else {}
    notes = list(not_as_published(several[0], MODELS))
    return Measured(results, draw(several, results, BATMM), notes=notes, parts=parts)


def _paired(several: Sequence[Repetition], results: list[Result]) -> dict[str, str]:
    """Heading to HTML of what holds; the differences are added to the results."""
    names = {name: model.name for name, model in MODELS.items()}
    paired = Paired(results, several[0].settings.label, tested_share(several[0]), names, objects="stars")
    parts = {"Which of the published orderings hold": _basic(paired) + paired.orderings(CLAIMS, PUBLISHED)}
    if "batmm" in paired.values and len(paired.values) > 1:
        parts["BATMM against each other model"], differences = paired.against("batmm")
        results += differences
    if paired.compares("aligned", "batmm"):
        parts["Whether aligned encoders help"] = _aligned(paired.difference("aligned", "batmm"))
    return parts


def _basic(paired: Paired) -> str:
    """In words: whether the spectrum beats the image, and every fusion the image, in each seed."""
    sentences = []
    fusions = [name for name, model in MODELS.items() if len(model.sees) > 1 and name in paired.values]
    for what, names in (("the spectrum (VGG1D with self-attention)", ["vgg1d_sa"]), ("every fusion", fusions)):
        if names and paired.compares("resnet_se", *names):
            images, *others = paired.shared("resnet_se", *names)
            lowest = [min(each) for each in zip(*others, strict=True)]
            won = sum(low > image for low, image in zip(lowest, images, strict=True))
            sentences.append(f"By macro F1 {what} beats the image alone in {won} of {len(lowest)} seeds.")
    return f"<p>{escape(' '.join(sentences))}</p>" if sentences else ""


def _aligned(found: tuple[float, float, float, float]) -> str:
    """In words: what it changes that the encoders were first aligned with each other."""
    mean, low, high, p = found
    scatter = f"{low:+.4f} to {high:+.4f}, p = {p:.2g}" if math.isfinite(p) else "the same in every seed"
    verdict = "It helps" if low > 0 else "It harms" if high < 0 else "No difference can be told"
    text = (
        f"{verdict}: BATMM on encoders that were first aligned with InfoNCE, without labels, which the paper names as "
        f"future work, has a macro F1 that is {mean:+.4f} ({scatter}) from that on "
        f"encoders that were not."
    )
    return f"<p>{escape(text)}</p>"


RECIPE = Recipe(
    name="batmm",
    title="BATMM: blue horizontal branch stars from images and spectra",
    configurations={"full": "batmm_full.yaml"},
    mock="batmm_mock.yaml",
    small="batmm_small.yaml",
    measure=measure,
    published=BATMM,
    sections=("classify",),
    stages=stages,
    experiment={"seeds": 5, "side": "test", "leave_out": ["joint"], "methods": {}, "n_boot": 200},
    encoders=(),
    space="supervised",
    tables=BATMM_TABLES,
    then="astroclip-kit classify --model {root}/seed-0/own/model --input NEW",
    about="All values are shares from 0 to 1, mean and standard deviation over the seeds; intervals are widened "
    "for the stars that the seeds share (Nadeau & Bengio 2003). Precision, recall and F1 are "
    "means over both classes, or of the one that is named. The tables stand for Tables 5 to 8 of the paper; the curves "
    "and the weights for its Figures 8 to 10. Which of them has which number there could not be looked up in an open "
    "source, so they are named by what they show.",
    differences=(
        "stars are divided by a hash of their name: 70, 20 and 10 % on average, not exactly and not by class",
        "what the paper leaves open (image size, schedule, norms, epochs) is as in the configuration",
    ),
    citations=(
        "Wei, Jiang & Zhang 2023, PASP 135, 084501 (BATMM)",
        "Xue et al. 2008, ApJ 684, 1143; 2011, ApJ 738, 79 (stars with classes)",
    ),
)
