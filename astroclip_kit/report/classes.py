"""Classifiers side by side: a row for each model and what it sees, a column for each metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from ..types import Result
from .tables import cell, remark, table_html
from .wording import title

__all__ = ["classes_html", "is_classifier", "selection_html"]

REFERENCES = ("classification", "regression")  # what is fitted beside nearest neighbours


def is_classifier(one: Result) -> bool:
    """Whether a number is of a model that was trained on the class."""
    return one.space == "supervised" and one.task not in REFERENCES


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


def _models(results: Sequence[Result], marks: dict[Result, str]) -> str:
    metrics = list(dict.fromkeys(one.metric for one in results))
    rows = dict.fromkeys((one.task, one.query) for one in results)
    lines = []
    for task, query in rows:
        own = {one.metric: one for one in results if (one.task, one.query) == (task, query)}
        told = "".join(cell(own[name], marks) if name in own else "<td></td>" for name in metrics)
        count = next(iter(own.values())).n
        about = f"<td>{escape(task.replace('_', ' '))}</td><td>{escape(query.replace('+', ' + '))}</td>"
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
