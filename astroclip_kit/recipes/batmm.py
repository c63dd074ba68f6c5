"""BATMM: blue horizontal branch stars told from other A-type stars by images and spectra, fused by attention.

Each seed divides the stars anew, trains encoders that see its training side alone, and all models on their tokens:
the rows of one seed share its encoders, and its test side was seen by none of them.

Source: Wei, Jiang & Zhang 2023, "Identification of Blue Horizontal Branch Stars with Multimodal Fusion".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from ..results import combine, read_results
from ..types import Result
from .batmm_figures import draw
from .batmm_models import BATMM_TABLES, CLAIMS, MODELS
from .batmm_stages import Repetition, repetitions, stages
from .orderings import orderings_html, verdicts
from .published_stars import BATMM, LABEL
from .recipe import Measured, Recipe, Run

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["RECIPE", "measure"]

METRIC = "macro_f1"
PUBLISHED = {one.task: one for one in BATMM if (one.property, one.metric) == (LABEL, METRIC)}
HEADS = {
    "model": "BATMM against",
    "mean": "its mean",
    "mean_of_first": "BATMM",
    "difference": "difference",
    "low": "95 % from",
    "high": "to",
    "p": "p",
    "p_adjusted": "p, adjusted",
    "seeds": "seeds",
}
PAIRED = (
    "Macro F1 of BATMM less that of each other model on the same test stars, mean over the seeds. Splits of the same "
    "stars share training objects, so intervals and p are those of the corrected resampled t-test (Nadeau & Bengio "
    "2003); adjusted: for the number of models (Holm 1979). A dash: all seeds give the same difference, which tells "
    "nothing of its scatter."
)


def measure(run: Run) -> Measured:
    """Puts the repetitions together: mean and standard deviation of all numbers, paired differences, figures.

    Args:
        run: With the stages of all repetitions done.
    """
    several = repetitions(run)
    each = [read_results(one.place("results")) for one in several]
    results = combine(each, _share(several[0])) if len(each) > 1 else each[0]
    parts = _paired(several, results) if len(several) > 1 else {}
    return Measured(results, draw(several, results, BATMM), notes=list(_notes(several)), parts=parts)


def _share(one: Repetition) -> float:
    """Share of the judged stars among those that train or are judged."""
    split = one.settings.split
    return split.tested_share if one.experiment["side"] == "test" else split.valid


def _paired(several: Sequence[Repetition], results: list[Result]) -> dict[str, str]:
    """Heading to HTML of what holds; the differences are added to the results."""
    from ..classifiers import corrected_difference, significance_table

    label, share = several[0].settings.label, _share(several[0])
    single = [one for one in results if one.fold >= 0 and one.metric == METRIC and one.property == label]
    values: dict[str, list[float]] = {}
    for one in sorted(single, key=lambda one: one.fold):
        values.setdefault(one.task, []).append(one.value)
    names = {name: model.name for name, model in MODELS.items()}
    found = list(verdicts(CLAIMS, PUBLISHED, values, lambda a, b: corrected_difference(a, b, share)))
    told = orderings_html(found, names, "macro F1") if found else ""
    parts = {"Which of the published orderings hold": _basic(values) + told}
    if "batmm" in values and len(values) > 1:
        table = significance_table(single, "batmm", metric=METRIC, test_share=share, names=names)
        parts["BATMM against each other model"] = _html(table)
        results += _differences(table, single[0], names)
    if {"aligned", "batmm"} <= values.keys():
        parts["Whether aligned encoders help"] = _aligned(
            corrected_difference(values["aligned"], values["batmm"], share)
        )
    return parts


def _basic(values: Mapping[str, Sequence[float]]) -> str:
    """In words: whether the spectrum beats the image, and every fusion the image, in each seed."""
    sentences = []
    fusions = [name for name, model in MODELS.items() if len(model.sees) > 1 and name in values]
    for what, names in (("the spectrum (VGG1D with self-attention)", ["vgg1d_sa"]), ("every fusion", fusions)):
        if names and {"resnet_se", *names} <= values.keys():
            lowest = [min(each) for each in zip(*(values[name] for name in names), strict=True)]
            won = sum(low > image for low, image in zip(lowest, values["resnet_se"], strict=True))
            sentences.append(f"By macro F1 {what} beats the image alone in {won} of {len(lowest)} seeds.")
    return f"<p>{escape(' '.join(sentences))}</p>" if sentences else ""


def _html(table: Table) -> str:
    head = "".join(f"<th>{escape(HEADS[name])}</th>" for name in table.colnames)
    rows = "".join("<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row) + "</tr>" for row in table)
    return f"<p class='about'>{escape(PAIRED)}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return escape(value)
    return f"{value:.4f}".rstrip("0").rstrip(".") if math.isfinite(value) else "-"


def _differences(table: Table, like: Result, names: Mapping[str, str]) -> Iterator[Result]:
    """The paired differences as results; what answers is the other model."""
    by_name = {name: task for task, name in names.items()}
    for row in table:
        about = "paired", "batmm", by_name[row["model"]], like.property
        source: dict[str, Any] = {
            "seed": like.seed,
            "dataset": like.dataset,
            "origin": like.origin,
            "space": like.space,
        }
        low, value, high = (float(row[name]) for name in ("low", "difference", "high"))
        yield Result(*about, f"{METRIC}_difference", value, low, high, int(row["seeds"]), **source)
        yield Result(*about, "p_adjusted", float(row["p_adjusted"]), math.nan, math.nan, int(row["seeds"]), **source)


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


def _notes(several: Sequence[Repetition]) -> Iterator[str]:
    """What is not as published in every run."""
    first = several[0]
    left = [name for name in MODELS if name not in first.models]
    if left:
        yield f"not run: {', '.join(MODELS[name].name for name in left)}"
    if first.experiment["side"] == "valid":
        yield "judged by the validation side, which chose the epochs: numbers to choose settings by, not to report"


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
