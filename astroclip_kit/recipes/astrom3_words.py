"""AstroM3's experiment in words and tables: what pretraining changes, what the objects are, what was aimed at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ..report.lists import bullets
from ..report.tables import table_html
from ..types import Result
from .astrom3_models import MODELS, NAMES
from .paired import Paired
from .published import Published
from .published_variables import COUNTS, MODES, SUBSETS, task_of
from .told import ONE_SEED, difference, mean_f1, of_all

if TYPE_CHECKING:
    from .astrom3_stages import AstroM3Seed

__all__ = ["aims", "counted", "objects_html", "paired_html", "reached"]

LEAST_GAIN, LEAST_FOUND = 0.05, 0.8
UNTOLD = "cannot tell from one seed"
PRIMARY = "accuracy"  # what the aims are of: over all test objects
BESIDES = ("balanced accuracy", "capped accuracy")
ABOUT = (
    "Accuracy of the first less that of the second on the same test objects, mean over the seeds; n counts them over "
    "all seeds. Capped: on test sides whose largest classes are cut, which is what the published differences are of. "
)
SCATTER = (
    "Splits of the same objects share training objects, so intervals and p are those of the corrected resampled t-test "
    "(Nadeau & Bengio 2003), not adjusted for how many there are."
)
HEADS = {
    "With pretraining against without": ("", "pretrained", "random weights"),
    "All modalities against one": ("", "all", "one"),
}


def paired_html(paired: Mapping[str, Paired], published: Mapping[str, Published]) -> dict[str, str]:
    """Heading to a table of differences: with and without pretraining, and all modalities against one.

    Args:
        paired: The models by several metrics, among them accuracy and capped accuracy.
        published: Task to its published accuracy.
    """
    pretrained = {
        (task, model.counterpart): f"{model.mode}, {model.percent} % of labels"
        for task, model in MODELS.items()
        if model.pretrained
    }
    together = {
        (task, task_of(mode, model.pretrained, model.percent)): f"{model.name}; {mode}"
        for task, model in MODELS.items()
        if model.mode == "all"
        for mode in MODES
        if mode != "all"
    }
    found = [list(_lines(paired, published, pairs)) for pairs in (pretrained, together)]
    scatters = any(len(values) > 1 for values in paired[PRIMARY].values.values())
    about = f"<p class='about'>{escape(ABOUT + (SCATTER if scatters else f'{ONE_SEED.capitalize()}.'))}</p>"
    how = " (95 %, p)" * scatters
    last = f"difference{how}", "n", f"capped{how}", "n, capped", "published, capped"
    tables = zip(HEADS.items(), found, strict=True)
    return {heading: about + table_html((*heads, *last), lines) for (heading, heads), lines in tables if lines}


def counted(paired: Paired, task: str) -> int:
    """How many test objects a model was judged on, in all seeds together."""
    about = task, paired.metric, paired.label
    return next(one.n for one in of_all(paired.results) if (one.task, one.metric, one.property) == about)


def _lines(
    paired: Mapping[str, Paired], published: Mapping[str, Published], pairs: Mapping[tuple[str, str], str]
) -> Iterator[str]:
    every, cut = paired[PRIMARY], paired["capped accuracy"]
    means = mean_f1(every)
    for (a, b), name in pairs.items():
        if (found := difference(every, a, b)) is not None:
            less = difference(cut, a, b)
            told = f"{published[a].value - published[b].value:+.3f}" if a in published and b in published else ""
            first = name, f"{means[a]:.3f}", f"{means[b]:.3f}", found.text, f"{counted(every, a):,}"
            last = (less.text, f"{counted(cut, a):,}") if less is not None else ("", "")
            yield "<tr>" + "".join(f"<td>{escape(one)}</td>" for one in (*first, *last, told)) + "</tr>"


def objects_html(several: Sequence[AstroM3Seed]) -> str:
    """How many objects of each class train, validate and test, here (first seed) and as published (seed 42)."""
    first = several[0]
    names, codes, rows = first.divided
    heads = ("class", *(f"{side}{told}" for side in rows for told in ("", ", published")))
    lines = []
    for number, name in enumerate(names):
        own = [int((codes[some] == number).sum()) for some in rows.values()]
        told = [f"{one:,}" for one in COUNTS[name]] if name in COUNTS else [""] * 3
        cells = name, *(cell for both in zip(map("{:,}".format, own), told, strict=True) for cell in both)
        lines.append("<tr>" + "".join(f"<td>{escape(one)}</td>" for one in cells) + "</tr>")
    return table_html(heads, lines) + bullets(_label_shares(first))


def _label_shares(first: AstroM3Seed) -> Iterator[str]:
    """How many objects train at each share of the labels."""
    from ..data import label_share
    from ..data.splits import divide

    sides, codes = divide(first.dataset, first.settings.split), first.divided[1]
    for percent in first.experiment["percents"]:
        kept = label_share(codes, sides, first.labelled(percent), first.seed, first.dataset.object_ids)
        train = codes[kept & (sides == "train")]
        yield (
            f"{percent} % of the labels: {len(train):,} train, at most {np.bincount(train).max():,} of a class; "
            f"published {SUBSETS[percent]:,} on the three sides, each of which is capped by itself."
        )
    if "valid" not in first.settings.labelled.sides:
        yield (
            f"The epoch of every row is chosen with all {len(first.divided[2]['valid']):,} labels of the validation "
            "side, also where few labels train."
        )


def aims(results: Sequence[Result], paired: Mapping[str, Paired]) -> str:
    """Whether a mock shows what it was made to show, as HTML; "" for real data.

    The verdict on pretraining is that of the accuracy over all test objects; other metrics follow without one.

    Args:
        results: All that was measured.
        paired: The models by several metrics, each by its name.
    """
    if not any(one.origin == "mock" for one in results):
        return ""
    return bullets([*_gained(paired), *_found(results)])


def _gained(paired: Mapping[str, Paired]) -> Iterator[str]:
    """What pretraining gains photometry with the fewest labels."""
    few, every = min(SUBSETS), paired[PRIMARY]
    a, b = task_of("photometry", True, few), task_of("photometry", False, few)
    if (found := difference(every, a, b)) is None:
        return
    seeds = len(every.shared(a, b)[0])
    verdict = reached(*every.difference(a, b)[:2], LEAST_GAIN) if seeds > 1 else UNTOLD
    yield (
        f"Pretraining shall raise the {PRIMARY} of photometry over all test objects, at {few} % of the labels, by "
        f"{LEAST_GAIN:g} or more: {found.text}, {_of(counted(every, a), seeds)}: {verdict}."
    )
    for name in BESIDES:
        if (beside := difference(paired[name], a, b)) is not None:
            yield f"Besides, without a verdict: by {name} {beside.text}, {_of(counted(paired[name], a), seeds)}."


def _of(count: int, seeds: int) -> str:
    return f"n = {count:,} test objects of {max(seeds, 1)} seed{'s' * (seeds > 1)}"


def _found(results: Sequence[Result]) -> Iterator[str]:
    """How many of the flipped labels the space of the first seed finds."""
    ranked = next((one.n for one in results if (one.task, one.metric) == ("mislabelled", "auc")), 0)
    flips = [one for one in results if (one.task, one.metric) == ("mislabelled", "share_of_flips_on_top")]
    for one in sorted(flips, key=lambda one: one.query != "mean"):
        told = f"{one.value:.0%} ({one.low:.0%} to {one.high:.0%}) of n = {one.n:,} flips"
        if one.query == "mean":
            yield (
                f"{LEAST_FOUND:.0%} of the flipped labels shall be among the 3 % of the {ranked:,} objects with the "
                f"highest mislabel score, of all modalities together, in the space of the first seed: {told}: "
                f"{reached(one.value, one.low, LEAST_FOUND)}."
            )
        else:
            yield f"Besides, without a verdict: {NAMES[one.query]} {told}."


def reached(value: float, low: float, least: float) -> str:
    """Whether a value reaches an aim, by where the 95 % interval begins.

    Example:
        >>> reached(0.06, 0.02, 0.05)
        'reached in the mean, the interval contains less'
    """
    if value < least:
        return "not reached"
    return "reached" if low >= least else "reached in the mean, the interval contains less"
