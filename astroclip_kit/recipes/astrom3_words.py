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
from .told import difference, mean_f1

if TYPE_CHECKING:
    from .astrom3_stages import AstroM3Seed

__all__ = ["LEAST_FOUND", "LEAST_GAIN", "aims", "objects_html", "paired_html"]

LEAST_GAIN, LEAST_FOUND = 0.05, 0.8
ABOUT = (
    "Accuracy of the first less that of the second on the same test objects, mean over the seeds. Splits of the same "
    "objects share training objects, so intervals and p are those of the corrected resampled t-test (Nadeau & Bengio "
    "2003), not adjusted for how many there are. Published differences are of capped test sides."
)
HEADS = {
    "With pretraining against without": ("", "pretrained", "random weights"),
    "All modalities against one": ("", "all", "one"),
}
LAST = ("difference (95 %, p)", "published")


def paired_html(paired: Paired, published: Mapping[str, Published]) -> dict[str, str]:
    """Heading to a table of differences: with and without pretraining, and all modalities against one.

    Args:
        paired: The models, by accuracy.
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
    about = f"<p class='about'>{escape(ABOUT)}</p>"
    tables = zip(HEADS.items(), found, strict=True)
    return {heading: about + table_html((*heads, *LAST), lines) for (heading, heads), lines in tables if lines}


def _lines(paired: Paired, published: Mapping[str, Published], pairs: Mapping[tuple[str, str], str]) -> Iterator[str]:
    means = mean_f1(paired)
    for (a, b), name in pairs.items():
        if (found := difference(paired, a, b)) is not None:
            told = f"{published[a].value - published[b].value:+.3f}" if a in published and b in published else ""
            cells = name, f"{means[a]:.3f}", f"{means[b]:.3f}", found.text, told
            yield "<tr>" + "".join(f"<td>{escape(one)}</td>" for one in cells) + "</tr>"


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


def aims(results: Sequence[Result], paired: Mapping[str, Paired]) -> str:
    """Whether a mock shows what it was made to show, as HTML; "" for real data.

    Args:
        results: All that was measured.
        paired: The models by several metrics, each by its name.
    """
    if not any(one.origin == "mock" for one in results):
        return ""
    lines, few = [], min(SUBSETS)
    pair = task_of("photometry", True, few), task_of("photometry", False, few)
    for name, by in paired.items():
        if (found := difference(by, *pair)) is not None:
            means = mean_f1(by)
            count = next(one.n for one in results if (one.task, one.metric) == (pair[0], by.metric) and one.fold < 0)
            lines.append(
                f"Pretraining shall raise photometry at {few} % of the labels by {LEAST_GAIN:g} or more: by {name} "
                f"({count:,} test objects) {found.text}, {_reached(means[pair[0]] - means[pair[1]], LEAST_GAIN)}."
            )
    flips = [one for one in results if one.metric == "share_of_flips_on_top" and one.fold < 0]
    shares = {one.query: one.value for one in flips if one.task == "mislabelled"}
    if shares:
        listed = ", ".join(f"{NAMES[on]} {share:.0%}" for on, share in shares.items())
        lines.append(
            f"{LEAST_FOUND:.0%} of the flipped labels shall be among the 3 % with the highest mislabel score: "
            f"{listed}; of all modalities together {_reached(shares.get('mean', 0.0), LEAST_FOUND)}."
        )
    return bullets(lines)


def _reached(value: float, least: float) -> str:
    return "reached" if value >= least else "not reached"
