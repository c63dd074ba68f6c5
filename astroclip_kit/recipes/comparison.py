"""Published beside measured: as a table, on a page and in LaTeX."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from ..report.lists import bullets
from ..report.wording import PROBES, title
from ..types import Result
from .published import Published

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["Comparison", "Line", "latex_table", "latex_text", "measured_on", "measured_text", "published_text"]

Key = tuple[str, str, str, str, str]
KEY = ("task", "query", "target", "property", "metric")
NOT_RUN = "not run"
TASKS = {"model": "head"}
SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
SPECIAL |= {one: "\\" + one for one in "&%$#_{}"}


@dataclass(frozen=True)
class Line:
    """One row: what was published about something, and what was measured.

    Args:
        key: Task, query, target, property, metric.
        published: Column to what stands there.
        measured: What came out; None for what was not run.
        remark: What a reader has to know of the measurement, "untrained encoders".
    """

    key: Key
    published: dict[str, Published]
    measured: Result | None
    remark: str = ""

    @property
    def state(self) -> str:
        """Where it was measured: "real" or "mock", "" for what depends on no data, or "not run"."""
        return measured_on(self.measured) if self.measured is not None else NOT_RUN

    @property
    def name(self) -> str:
        """What is compared, in words."""
        task, query, target, wanted, metric = self.key
        ways = query if query == target else f"{query} asks, {target} answers"
        how = f", {PROBES[task]}" if task in PROBES else ""
        return f"{wanted or TASKS.get(task, task)}, {ways}{how}: {title(metric)}"


@dataclass(frozen=True)
class Comparison:
    """The table of a paper with one more column.

    Args:
        title: What is compared.
        published: What was published, under the protocol that was measured.
        results: What was measured, of one run.
        remark: What holds for all that was measured.
        more: Keys of results that stand in the table although nobody published them: task and metric.
        space: Of the results that are compared; "" for any.

    Example:
        >>> published = [Published("thesis", "regression", "image", "image", "z", "r2", 0.65, "table 1")]
        >>> Comparison("AstroCLIP", published, []).table["data"].tolist()
        ['not run']
    """

    title: str
    published: Sequence[Published]
    results: Sequence[Result]
    remark: str = ""
    more: Sequence[tuple[str, str]] = ()
    space: str = "aligned"

    @cached_property
    def columns(self) -> list[str]:
        """Whose numbers stand beside the measured ones, in order."""
        return list(dict.fromkeys(one.by for one in self.published))

    @cached_property
    def measured(self) -> dict[Key, Result]:
        """What was measured, of all repetitions together: by task, query, target, property and metric."""
        return {_key(one): one for one in self.results if self.space in ("", one.space) and one.fold < 0}

    @cached_property
    def lines(self) -> list[Line]:
        """The rows: those that were published, then those that were only measured."""
        measured = self.measured
        extra = [key for key in measured if (key[0], key[4]) in self.more]
        keys = dict.fromkeys([*(one.key for one in self.published), *extra])
        return [
            Line(
                key,
                {one.by: one for one in self.published if one.key == key},
                measured.get(key),
                self._remark(key, measured),
            )
            for key in keys
        ]

    def _remark(self, key: Key, measured: Mapping[Key, Result]) -> str:
        """What holds for a number, or why there is none."""
        if key in measured:
            return self.remark if key[0] != "model" else ""
        there = {one[3] for one in measured}
        return f"no label {key[3]} in these data" if measured and key[3] not in there else ""

    @cached_property
    def table(self) -> Table:
        """One row per line: what, a column for each publication, value, interval, n, and whether it is real."""
        from astropy.table import Table

        rows = []
        for line in self.lines:
            one = line.measured
            about = zip(KEY, line.key, strict=True)
            last = {"n": one.n if one else 0, "data": line.state, "remark": line.remark}
            rows.append({**dict(about), **self._numbers(line), **last})
        table = Table(rows=rows)
        for name in table.colnames[len(KEY) : -3]:
            table[name].format = shown
        return table

    def _numbers(self, line: Line) -> dict[str, float]:
        """What was published and measured, with spreads where there are any."""
        numbers: dict[str, float] = {}
        for name in self.columns:
            told = line.published.get(name)
            numbers[name] = told.value if told else math.nan
            if any(math.isfinite(one.spread) for one in self.published if one.by == name):
                numbers[f"{name} ±"] = told.spread if told else math.nan
        one = line.measured
        numbers["measured"] = one.value if one else math.nan
        if any(math.isfinite(other.std) for other in self.measured.values()):
            numbers["±"] = one.std if one else math.nan
        return {**numbers, "low": one.low if one else math.nan, "high": one.high if one else math.nan}

    def csv(self) -> str:
        """The table as comma-separated values, with all digits."""
        text, table = StringIO(), self.table.copy()
        for name in table.colnames:
            table[name].format = None
        table.write(text, format="ascii.csv")
        return text.getvalue()

    def html(self) -> str:
        """The table for a page, and under it where each published number stands."""
        head = "".join(f"<th>{escape(one)}</th>" for one in ("", *self.columns, "measured", "95 % interval", "n", ""))
        body = "".join("<tr>" + "".join(map(_td, cells)) + "</tr>" for cells in self._cells())
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<section>{table}</section>{self.sources()}"

    def sources(self) -> str:
        """Where the published numbers stand, for a page."""
        listed = dict.fromkeys(f"{one.by}: {one.source}" for one in self.published)
        return f"<p class='note'>Published:</p>{bullets(listed)}"

    def latex(self) -> str:
        """The table for a paper; needs the package booktabs."""
        heads = [*map(latex_text, ("", *self.columns, "measured")), r"95\,\% interval", "$n$", "data"]
        return latex_table(self.title, "l" + "r" * (len(heads) - 2) + "l", [heads], self._cells())

    def _cells(self) -> Iterator[list[str]]:
        """What stands in each row, as text."""
        for line in self.lines:
            one = line.measured
            told = [published_text(line.published.get(name)) for name in self.columns]
            found = [measured_text(one), _interval(one), f"{one.n:,}"] if one is not None else ["", "", ""]
            yield [line.name, *told, *found, f"{line.state}, {line.remark}" if line.remark else line.state]


def _td(text: str) -> str:
    """A cell; an interval stays on its line."""
    return f"<td><small>{escape(text)}</small></td>" if " to " in text else f"<td>{escape(text)}</td>"


def _key(one: Result) -> Key:
    return one.task, one.query, one.target, one.property, one.metric


def published_text(one: Published | None) -> str:
    """What was published, with its spread; nothing where there is none."""
    return _with_spread(one.value, one.spread) if one is not None else ""


def measured_text(one: Result | None) -> str:
    """What was measured, with its standard deviation over the repetitions; nothing where it was not run."""
    return _with_spread(one.value, one.std) if one is not None else ""


def measured_on(one: Result) -> str:
    """Whether the data are "real" or "mock"; "" of what depends on none, as the number of weights does."""
    return one.origin if one.dataset else ""


def _with_spread(value: float, spread: float) -> str:
    return shown(value) + (f" ± {shown(spread)}" if math.isfinite(spread) else "")


def _interval(one: Result) -> str:
    return f"{shown(one.low)} to {shown(one.high)}" if math.isfinite(one.low) else ""


def shown(value: Any) -> str:
    """A share to three digits, a count as it is."""
    if np.ma.is_masked(value) or not math.isfinite(value):  # astropy asks what a masked one looks like
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"


def latex_table(caption: str, columns: str, heads: Iterable[Sequence[str]], rows: Iterable[Sequence[str]]) -> str:
    """A table for a paper.

    Args:
        caption: What it shows, without a full stop.
        columns: How each column is set: "lrr".
        heads: Lines above the rule, in LaTeX.
        rows: Lines below it, as plain text.
    """
    above = [" & ".join(cells) + r" \\" for cells in heads]
    below = [" & ".join(map(latex_text, cells)) + r" \\" for cells in rows]
    lines = [
        r"\begin{table}",
        rf"\caption{{{latex_text(caption)}: published and measured.}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        *above,
        r"\midrule",
        *below,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join([*lines, ""])


def latex_text(text: str) -> str:
    """Text for LaTeX, with what is special to it escaped."""
    return "".join(SPECIAL.get(one, one) for one in text).replace("±", r"$\pm$").replace("²", "$^2$")
