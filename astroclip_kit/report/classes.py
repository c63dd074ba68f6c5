"""Classifiers side by side: a row for each model and what it sees, a column for each metric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from ..types import Result
from .tables import WIDEST, cell, remark, table_html
from .wording import model_title, title

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["classes_html", "classes_table", "is_classifier", "selection_html"]

TOGETHER = ("macro_precision", "macro_recall", "macro_f1", "accuracy", "balanced_accuracy", "auc", "ece")
OTHERS = (
    "classification",
    "regression",
    "shares",
    "paired",
    "simulation",
    "leakage",
    "modalities",
)  # references beside neighbours, and what is no model


def is_classifier(one: Result) -> bool:
    """Whether a number is of a model that was trained on the class."""
    return one.space == "supervised" and one.task not in OTHERS


def classes_html(results: Sequence[Result], among: Sequence[Result] = ()) -> str:
    """A table of all classes together, and one for each class.

    Args:
        results: What to show; where folds were put together, the single folds are left out.
        among: All results, which those shown are compared with; they themselves by default.
    """
    shown = [one for one in results if one.fold < 0]
    marks = {one: remark(one, among or results) for one in shown}
    parts = []
    for wanted in dict.fromkeys(one.property for one in shown):
        own = [one for one in shown if one.property == wanted]
        label, _, name = wanted.partition(":")
        head = f"{label} {name} against the rest" if name else f"{label}: all classes"
        parts.append(f"<section><h3>{escape(head)}</h3>{_models(own, marks)}</section>")
    return "\n".join(parts)


def classes_table(results: Sequence[Result]) -> Table:
    """A row for each model and what it sees, with what it is worth for all classes together.

    Args:
        results: What was measured; where folds were put together, the single folds are left out.

    Returns:
        Columns model, sees, the metrics, ``low`` and ``high`` (95 % interval of the macro F1), ``majority`` (accuracy
        of whoever always says the most frequent class) and n.
    """
    from astropy.table import Table

    shown = [one for one in results if one.fold < 0 and ":" not in one.property and is_classifier(one)]
    rows = []
    for task, query in dict.fromkeys((one.task, one.query) for one in shown):
        own = {one.metric: one for one in shown if (one.task, one.query) == (task, query)}
        f1, accuracy = own["macro_f1"], own["accuracy"]
        values = {name: own[name].value if name in own else math.nan for name in TOGETHER}
        more = {"low": f1.low, "high": f1.high, "majority": accuracy.chance, "n": f1.n}
        rows.append({"model": model_title(task), "sees": query, **values, **more})
    table = Table(rows=rows)["model", "sees", *TOGETHER[:3], "low", "high", *TOGETHER[3:], "majority", "n"]
    for name in (*TOGETHER, "low", "high", "majority"):
        table[name].format = ".3f"
    return table


def _models(results: Sequence[Result], marks: dict[Result, str]) -> str:
    """As many tables as it takes for a page to be wide enough."""
    metrics = list(dict.fromkeys(one.metric for one in results))
    several = [metrics[start : start + WIDEST] for start in range(0, len(metrics), WIDEST)]
    return "\n".join(_lines([one for one in results if one.metric in some], some, marks) for some in several)


def _lines(results: Sequence[Result], metrics: Sequence[str], marks: dict[Result, str]) -> str:
    lines = []
    for task, query in dict.fromkeys((one.task, one.query) for one in results):
        own = {one.metric: one for one in results if (one.task, one.query) == (task, query)}
        told = "".join(cell(own[name], marks) if name in own else "<td></td>" for name in metrics)
        count = next(iter(own.values())).n
        about = f"<td>{escape(model_title(task))}</td><td>{escape(query.replace('+', ' + '))}</td>"
        lines.append(f"<tr>{about}{told}<td>{count:,}</td></tr>")
    return table_html(["model", "sees", *map(title, metrics), "n"], lines)


def selection_html(
    stages: Sequence[str],
    classes: Sequence[str],
    counts: Sequence[Sequence[int]],
    drops: Sequence[Mapping[str, object]],
) -> str:
    """How many objects of each class every stage of the selection leaves, and why observations were left out.

    Args:
        stages: What each asks for [S].
        classes: Names [C].
        counts: Objects [S, C].
        drops: Source, reason and count of what could not be used.
    """
    lines = []
    for stage, row in zip(stages, counts, strict=True):
        numbers = "".join(f"<td>{count:,}</td>" for count in (*row, sum(row)))
        lines.append(f"<tr><td>{escape(stage)}</td>{numbers}</tr>")
    table = table_html(["objects", *classes, "all"], lines)
    reasons = (
        f"<tr><td>{escape(str(one['source']))}</td><td>{escape(str(one['reason']))}</td><td>{one['count']:,}</td></tr>"
        for one in drops
    )
    return table + (f"\n{table_html(['source', 'left out because', 'count'], reasons)}" if drops else "")
