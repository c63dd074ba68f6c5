"""Results as tables: for a terminal or notebook (astropy), and for a page (HTML)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING

from ..types import Result

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["remark", "results_html", "results_table"]

LOWER_IS_BETTER = ("median_rank", "nmad", "outlier_fraction")
TITLES = {"r2": "R²", "nmad": "NMAD", "macro_f1": "macro F1"}
GUESSES = {"retrieval": "guessing", "classification": "the majority class", "regression": "the mean"}
SPACES = {"aligned": "aligned", "features": "unaligned features", "supervised": "supervised reference"}


def results_table(results: Iterable[Result]) -> Table:
    """Results as an astropy Table, one row each, with what `remark` says of them.

    Args:
        results: What to show.
    """
    from astropy.table import Table

    results = list(results)
    rows = [{**asdict(one), "remark": remark(one, results)} for one in results]
    table = Table(rows=rows) if rows else Table(names=[*Result.__dataclass_fields__, "remark"])
    for name in ("value", "low", "high", "chance", "published", "std"):
        table[name].format = ".3f"
    return table


def remark(result: Result, results: Sequence[Result]) -> str:
    """Says when a number is one that a guess, or the features before alignment, reach as well; else "".

    Args:
        result: The number.
        results: All numbers, among them those of the unaligned features.
    """
    sign = -1 if result.metric in LOWER_IS_BETTER else 1
    worst = min(sign * result.low, sign * result.high)
    if math.isfinite(result.chance) and math.isfinite(worst) and worst <= sign * result.chance:
        return f"no better than {GUESSES.get(result.task, 'guessing')}"
    if result.space != "aligned" or result.query != result.target:
        return ""
    for other in results:
        same = (other.task, other.query, other.target, other.property, other.metric, other.fold) == (
            (result.task, result.query, result.target, result.property, result.metric, result.fold)
        )
        if same and other.space == "features" and sign * other.value >= sign * result.value:
            return "unaligned features reach it"
    return ""


def results_html(results: Sequence[Result]) -> str:
    """One HTML table per task and property: a row per pair of modalities and space, a column per metric.

    Args:
        results: What to show; where folds were put together, the single folds are left out.
    """
    shown = [one for one in results if one.fold < 0]
    marks = {one: remark(one, results) for one in shown}
    parts = []
    for task, wanted in dict.fromkeys((one.task, one.property) for one in shown):
        own = [one for one in shown if (one.task, one.property) == (task, wanted)]
        title = f"{task.capitalize()} of {wanted}" if wanted else task.capitalize()
        parts.append(f"<h3>{escape(title)}</h3>{_table(own, marks)}")
    return "\n".join(parts)


def _table(results: Sequence[Result], marks: dict[Result, str]) -> str:
    names = list(dict.fromkeys(one.metric for one in results))
    pairs = dict.fromkeys((one.query, one.target) for one in results)
    rows = dict.fromkeys((one.space, *pair) for pair in pairs for one in results if (one.query, one.target) == pair)
    heads = ["query", "answers from", "space", *(TITLES.get(name, name.replace("_", " ")) for name in names), "n"]
    lines = [_line([one for one in results if (one.space, one.query, one.target) == row], names, marks) for row in rows]
    return f"<table><tr>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr>{''.join(lines)}</table>"


def _line(results: Sequence[Result], names: Sequence[str], marks: dict[Result, str]) -> str:
    by_name = {one.metric: one for one in results}
    first = results[0]
    about = "".join(f"<td>{escape(x)}</td>" for x in (first.query, first.target, SPACES.get(first.space, first.space)))
    cells = "".join(_cell(by_name[name], marks) if name in by_name else "<td></td>" for name in names)
    return f"<tr>{about}{cells}<td>{max(one.n for one in results):,}</td></tr>"


def _cell(one: Result, marks: dict[Result, str]) -> str:
    mark = {"": "", "unaligned features reach it": "‡"}.get(marks[one], "†")
    spread = f" ± {_number(one.std)}" if math.isfinite(one.std) else ""
    interval = f"{_number(one.low)} to {_number(one.high)}" if math.isfinite(one.low) else "no interval"
    extra = [f"chance {_number(one.chance)}"] if math.isfinite(one.chance) else []
    extra += [f"published {_number(one.published)}"] if math.isfinite(one.published) else []
    small = "".join(f"<br>{part}" for part in [interval, *extra])
    return f"<td title='{escape(marks[one])}'><b>{_number(one.value)}{mark}</b>{spread}<small>{small}</small></td>"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "—"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 3
    return f"{round(value, digits) + 0.0:.{digits}f}"
