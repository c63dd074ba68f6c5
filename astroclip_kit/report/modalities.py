"""One classifier with each subset of its modalities: a row for what it was shown, a column for each number."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..types import Result
from .tables import WIDEST, cell, remark, table_html
from .wording import title

__all__ = ["subsets_html"]


def subsets_html(results: Sequence[Result], among: Sequence[Result] = ()) -> str:
    """Tables of all classes together, and of how many of each class are found.

    Args:
        results: Of `classifiers.subset_table`; where folds were put together, the single folds are left out.
        among: All results, which those shown are compared with; they themselves by default.
    """
    shown = [one for one in results if one.fold < 0]
    marks = {one: remark(one, among or results) for one in shown}
    columns = dict.fromkeys((":" in one.property, one.property, one.metric) for one in shown)
    parts = []
    for of_class, head in ((False, "all classes"), (True, "found of each class")):
        own = [column for column in columns if column[0] is of_class]
        tables = [_lines(shown, own[start : start + WIDEST], marks) for start in range(0, len(own), WIDEST)]
        if tables:
            label = own[0][1].partition(":")[0]
            parts.append(f"<section><h3>{escape(f'{label}: {head}')}</h3>{''.join(tables)}</section>")
    return "\n".join(parts)


def _lines(results: Sequence[Result], columns: Sequence[tuple[bool, str, str]], marks: dict[Result, str]) -> str:
    lines = []
    for query in dict.fromkeys(one.query for one in results):
        own = {(one.property, one.metric): one for one in results if one.query == query}
        found = [own.get(column[1:]) for column in columns]
        cells = "".join("<td></td>" if one is None else cell(one, marks) for one in found)
        lines.append(f"<tr><td>{escape(query.replace('+', ' + '))}</td>{cells}</tr>")
    counts = {(one.property, one.metric): one.n for one in results}
    heads = [f"{name.partition(':')[2] or title(metric)} (n {counts[name, metric]:,})" for _, name, metric in columns]
    return table_html(["shown", *heads], lines)
