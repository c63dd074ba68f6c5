"""AstroM3: classes of variable stars from light curves, spectra and metadata that were first brought into one space.

Each seed divides the objects anew, brings the three modalities of its training side into one space without labels,
and trains classifiers of each modality and of all, from random weights and from the encoders of that space, on all
labels and on few. The space of the first seed is then used as it is: classes by likeness, wrong labels, subclasses.

Settings of the experiment, as in ``--set experiment.seeds=1``:

- seeds: how often everything is repeated, each time with another division of the objects;
- side: "test", or "valid" to choose settings by;
- leave_out: rows that are not run, by task ("photometry_clip_10": with pretraining, 10 % of the labels);
- n_boot: resamples of intervals;
- percents: shares of the labels, some of 100, 50, 25 and 10;
- few_epochs: epochs of rows with fewer than all labels, 0 for as many as the others;
- tuned: whether each row trains as it was tuned for by the authors, which "rows" holds: task to learning_rate, beta1,
  weight_decay, factor, clip_norm and dropout;
- pretrained_rates: mode (photometry, spectra, metadata, all) to what the learning rate of its pretrained rows is
  multiplied with, where they are not tuned;
- last_rates: mode to what the learning rate of the last map of its rows is multiplied with, where they are not tuned;
- space: whether the space of the first seed is looked at;
- truth: the ``truth.fits`` of a mock that was simulated elsewhere.

Source: Rizhko & Bloom 2025, AJ, doi:10.3847/1538-3881/adcbad, arXiv:2411.08842; released code and settings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..types import Result
from .astrom3_figures import draw
from .astrom3_judging import SHOWN_AT, capped, gains, kept_model
from .astrom3_models import MODELS, TABLES
from .astrom3_space import show_space
from .astrom3_stages import repetitions, stages
from .astrom3_words import aims, objects_html, paired_html
from .judged import Judged
from .paired import Paired
from .published_variables import ASTROM3, MODES, SUBSETS
from .recipe import Measured, Recipe, Run
from .repetition import not_as_published, tested_share, together

if TYPE_CHECKING:
    from .astrom3_stages import AstroM3Seed

__all__ = ["RECIPE", "measure"]

BY = {"accuracy": "accuracy", "balanced accuracy": "balanced_accuracy", "capped accuracy": "capped_accuracy"}
PUBLISHED = {one.task: one for one in ASTROM3 if one.metric == "capped_accuracy"}


def measure(run: Run) -> Measured:
    """Puts the repetitions together: numbers, paired differences, the space of the first seed, figures.

    Args:
        run: With the stages of all repetitions done.
    """
    several = repetitions(run)
    first, judged = several[0], [Judged(one.place("results")) for one in several]
    share, results = tested_share(first), together(several)
    like = next(one for one in results if one.task in first.models)
    results += capped(several, judged, like, share)
    names = {task: model.name for task, model in MODELS.items()}
    by = {name: Paired(results, first.settings.label, share, names, metric, name) for name, metric in BY.items()}
    paired = by["accuracy"]
    results += [*gains(paired, like), *_sizes(first, like)]
    parts = paired_html(by, PUBLISHED)
    space = show_space(first) if first.shows_space else Measured([], {})
    results += space.results
    told = {
        "What the mock was to show": aims(results, by),
        **parts,
        **space.parts,
        "Objects": objects_html(several),
    }
    figures = {**draw(several, judged, results, PUBLISHED), **space.figures}
    asked = {task: model for task, model in MODELS.items() if model.percent in first.experiment["percents"]}
    notes = [*not_as_published(first, asked), *_training(first)]
    return Measured(results, figures, notes=notes, parts={name: html for name, html in told.items() if html})


def _sizes(first: AstroM3Seed, like: Result) -> Iterator[Result]:
    """How many parameters the parts of the space have, as it is configured."""
    from ..models import load_model

    if not first.pretrains:
        return
    model: Any = load_model(first.place("clip"), trusted=True)
    networks = ("informer", "galspecnet", "metadata_mlp")
    parts = {task: (name, model.encoders[name]) for task, name in zip(networks, MODES["all"], strict=True)}
    parts |= {f"{name}_projection": (name, model.heads[name]) for name in MODES["all"]}
    for task, (sees, part) in {**parts, "whole": ("+".join(MODES["all"]), model)}.items():
        count = sum(weight.numel() for weight in part.parameters() if weight.requires_grad)
        rest = math.nan, math.nan, 0, like.seed, "", like.origin
        yield Result(task, sees, sees, "", "parameters", count, *rest)


def _training(first: AstroM3Seed) -> Iterator[str]:
    """What is not as published in how the rows are trained, and in what is shown some of its modalities."""
    experiment, kept = first.experiment, kept_model(first)
    if not experiment["tuned"]:
        yield "rows are trained alike but for the rate; the published ones have rates, decays and dropouts of their own"
        if rates := experiment["pretrained_rates"]:
            told = ", ".join(f"{rate:g} ({mode})" for mode, rate in rates.items())
            yield (
                f"pretrained rows alone have a factor of their rate, {told}: in astrom3_small.yaml the ratios of the "
                "published rates with and without pretraining, of all labels"
            )
        for mode, rate in experiment["last_rates"].items():
            yield f"the last map of the rows of {mode} learns {rate:g} times as fast as the rest, pretrained or not"
    if "valid" not in first.settings.labelled.sides:
        yield "epochs are chosen by all labels of the validation side, also where few labels train"
    if kept and MODELS[kept].percent != SHOWN_AT:
        yield f"modalities at test time and recalls are of {MODELS[kept].name}; published: of {SHOWN_AT} % of labels"
    if left := [f"{percent} %" for percent in SUBSETS if percent not in first.experiment["percents"]]:
        yield f"not run: {' and '.join(left)} of the labels"


RECIPE = Recipe(
    name="astrom3",
    title="AstroM3: variable stars from light curves, spectra and metadata",
    configurations={"full": "astrom3_full.yaml"},
    mock="astrom3_mock.yaml",
    small="astrom3_small.yaml",
    measure=measure,
    published=ASTROM3,
    sections=("classify",),
    stages=stages,
    experiment={
        "seeds": 5,
        "side": "test",
        "leave_out": [],
        "n_boot": 200,
        "percents": list(SUBSETS),
        "few_epochs": 0,
        "tuned": True,
        "pretrained_rates": {},
        "last_rates": {},
        "rows": {},
        "space": True,
        "truth": "",
    },
    encoders=(),
    space="",
    tables=TABLES,
    then="astroclip-kit search {root}/seed-0/space/embeddings --query lightcurve --target spectrum OBJECT_ID",
    about="All values are shares from 0 to 1, mean and standard deviation over the seeds; intervals are widened for "
    "the objects that the seeds share (Nadeau & Bengio 2003). Capped accuracy is of a test side whose largest classes "
    "are cut as those of the training side are, as was published; accuracy and the rest are of all test objects, so "
    "that rows can be compared. What was published: of all labels the first version's abstract, of fewer the "
    "notebooks of the authors from the time of development (few runs); the paper's own tables could not be read in an "
    "open source.",
    differences=(
        "objects are divided by a hash of their name: 80, 10 and 10 % on average, not exactly; the published one "
        "(of one seed) is that of classify.classification.split.column=published_split, then the same for all seeds",
        "padding is masked in the attention of light curves, where the released code lets it take part",
        "the window of a light curve may be any, the last included; weights of norms and biases do not decay",
        "the epoch of the contrastive pretraining that is kept is that of the lowest loss, not of the highest "
        "accuracy; its scales are held at 100 after each step, and the rate rises from nearly 0, not from 1e-5",
        "the last batch of an epoch is used, however short; the released code drops it",
    ),
    citations=(
        "Rizhko & Bloom 2025, AJ, doi:10.3847/1538-3881/adcbad (AstroM3)",
        "Jayasinghe et al. 2018, MNRAS 477, 3145 (ASAS-SN catalogue of variable stars)",
        "Zhao et al. 2012, RAA 12, 723 (LAMOST)",
    ),
)
