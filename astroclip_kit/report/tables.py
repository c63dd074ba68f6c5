"""Results as tables: for a terminal or notebook (astropy), and for a page (HTML)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING

from ..types import Result
from .wording import guess, space_name, task_title, title

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["cell", "chosen", "remark", "results_html", "results_table", "table_html"]

LOWER_IS_BETTER = ("median_rank", "nmad", "outlier_fraction", "brier", "ece", "difference@10")
WIDEST = 5  # metrics that fit side by side; more stand below each other
PLAIN = ("space", "coverage", "clustering", "selection")  # tasks without a notion of better than guessing


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
    """Says when a guess, or the features before alignment, reach a number as well, or coverage is not as wanted.

    Args:
        result: The number.
        results: All numbers, among them those of the unaligned features.
    """
    if result.metric.startswith("coverage@"):
        wanted = float(result.metric[len("coverage@") :].partition(" ")[0])
        return "less than wanted" if result.high < wanted else "more than wanted" if result.low > wanted else ""
    sign = -1 if result.metric in LOWER_IS_BETTER else 1
    worst = min(sign * result.low, sign * result.high)
    guessed = math.isfinite(result.chance) and result.task != "simulation"  # whoever knows the class does not guess
    if guessed and math.isfinite(worst) and worst <= sign * result.chance:
        return f"no better than {guess(result)}"
    if result.space != "aligned" or result.query != result.target or result.task in PLAIN:
        return ""
    for other in results:
        same = (other.task, other.query, other.target, other.property, other.metric, other.fold) == (
            (result.task, result.query, result.target, result.property, result.metric, result.fold)
        )
        if same and other.space == "features" and sign * other.value >= sign * result.value:
            return "unaligned features reach it"
    return ""


def results_html(results: Sequence[Result], among: Sequence[Result] = ()) -> str:
    """One HTML table per task and property: a row per pair of modalities and space, a column per metric.

    Many metrics, as coverage in many bins, stand below each other instead.

    Args:
        results: What to show; where folds were put together, the single folds are left out.
        among: All results, which those shown are compared with; they themselves by default.
    """
    shown = [one for one in results if one.fold < 0]
    marks = {one: remark(one, among or results) for one in shown}
    parts = []
    for task, wanted in dict.fromkeys((one.task, one.property) for one in shown):
        own = [one for one in shown if (one.task, one.property) == (task, wanted)]
        lay = _wide if len({one.metric for one in own}) <= WIDEST else _long
        lay = _silhouettes if all(one.metric.startswith("silhouette@") for one in own) else lay
        parts.append(f"<section><h3>{escape(task_title(task, wanted))}</h3>{lay(own, marks)}</section>")
    return "\n".join(parts)


def chosen(results: Sequence[Result]) -> list[Result]:
    """Silhouettes of the numbers of clusters that were taken: the largest of each modality, where there are several."""
    by_modality: dict[tuple[str, str], list[Result]] = {}
    for one in results:
        by_modality.setdefault((one.dataset, one.query), []).append(one)
    return [max(several, key=lambda one: one.value) for several in by_modality.values() if len(several) > 1]


def _silhouettes(results: Sequence[Result], marks: dict[Result, str]) -> str:
    """A row per number of clusters."""
    best = chosen(results)
    lines = (
        f"<tr><td>{escape(one.query)}</td><td>{one.metric.partition('@')[2]}{' (chosen)' if one in best else ''}</td>"
        f"{cell(one, marks)}<td>{one.n:,}</td></tr>"
        for one in results
    )
    return table_html(["modality", "clusters", "mean silhouette (1: apart, 0: touching)", "n"], lines)


def _rows(results: Sequence[Result]) -> list[tuple[str, str, str]]:
    """Space, query and target of each row, pairs of modalities together."""
    pairs = dict.fromkeys((one.query, one.target) for one in results)
    return list(
        dict.fromkeys((one.space, *pair) for pair in pairs for one in results if (one.query, one.target) == pair)
    )


def table_html(heads: Iterable[str], lines: Iterable[str]) -> str:
    """A table of rows that are HTML already."""
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _wide(results: Sequence[Result], marks: dict[Result, str]) -> str:
    names = list(dict.fromkeys(one.metric for one in results))
    rows = [[one for one in results if (one.space, one.query, one.target) == row] for row in _rows(results)]
    heads = ["query", "answers from", "space", *map(title, names), "n"]
    return table_html(heads, (_line(row, names, marks) for row in rows))


def _line(results: Sequence[Result], names: Sequence[str], marks: dict[Result, str]) -> str:
    by_name = {one.metric: one for one in results}
    counts = {one.n for one in results}
    cells = [by_name.get(name) for name in names]
    if len(counts) > 1:  # each cell tells its own
        return f"<tr>{_about(results[0])}{''.join(_counted(one, marks) for one in cells)}<td></td></tr>"
    told = "".join("<td></td>" if one is None else cell(one, marks) for one in cells)
    return f"<tr>{_about(results[0])}{told}<td>{counts.pop():,}</td></tr>"


def _long(results: Sequence[Result], marks: dict[Result, str]) -> str:
    """A row per metric, a column per pair of modalities and space."""
    by_place = {(one.metric, one.space, one.query, one.target): one for one in results}
    rows, metrics = _rows(results), dict.fromkeys(one.metric for one in results)
    cells = {metric: [by_place.get((metric, *row)) for row in rows] for metric in metrics}
    lines = (
        f"<tr><td>{escape(title(metric))}</td>{''.join(_counted(one, marks) for one in own)}</tr>"
        for metric, own in cells.items()
    )
    return table_html(
        ["metric", *(f"{query}, answers from {target}, {space_name(space)}" for space, query, target in rows)], lines
    )


def _counted(one: Result | None, marks: dict[Result, str]) -> str:
    """A cell that tells its own number of objects, as it may differ from one metric to the next."""
    return "<td></td>" if one is None else cell(one, marks).replace("</small>", f"<br>n {one.n:,}</small>")


def _about(one: Result) -> str:
    return "".join(f"<td>{escape(x)}</td>" for x in (one.query, one.target, space_name(one.space)))


def cell(one: Result, marks: dict[Result, str]) -> str:
    """A number above its interval and what guessing reaches, with the mark of what is remarked on it."""
    mark = {"": "", "unaligned features reach it": "‡", "less than wanted": "↓", "more than wanted": "↑"}.get(
        marks[one], "†"
    )
    spread = f" ± {_number(one.std)}" if math.isfinite(one.std) else ""
    exact = one.task == "selection"  # a count has no interval
    interval = f"{_number(one.low)} to {_number(one.high)}" if math.isfinite(one.low) else "no interval"
    against = "class mean" if one.task == "simulation" else "chance"
    extra = [f"{against} {_number(one.chance)}"] if math.isfinite(one.chance) else []
    extra += [f"published {_number(one.published)}"] if math.isfinite(one.published) else []
    small = "" if exact else "".join(f"<br>{part}" for part in [interval, *extra])
    value = f"{one.value:,.0f}" if exact else _number(one.value)
    return f"<td title='{escape(marks[one])}'><b>{value}{mark}</b>{spread}<small>{small}</small></td>"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "—"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 3
    return f"{round(value, digits) + 0.0:.{digits}f}"
