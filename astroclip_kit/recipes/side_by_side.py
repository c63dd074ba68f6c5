"""The tables of a paper as the paper lays them out: a row per model, each published number beside the measured one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ..report.tables import remark
from ..report.wording import title
from ..types import Result
from .comparison import NOT_RUN, Comparison, latex_table, latex_text, measured_on, measured_text, published_text
from .published import Published

__all__ = ["Layout", "SideBySide"]

GUESSED = "†"


@dataclass(frozen=True)
class Layout:
    """How one table is laid out.

    Args:
        title: What it shows.
        rows: Name of a row to the task and the property of its numbers; and to query and target, where several of them
            have the same task and property.
        metrics: Metric of each pair of columns.
        note: What is said above it.
        intervals: Whether what one seed alone measured stands with its interval, and what is no better than guessing
            with a mark.
        absent: What stands beside a row without a number where others were measured.
        counts: Whether every number stands with its interval, that of several seeds too, and with how many objects it
            is of; with marks as for `intervals`.
    """

    title: str
    rows: Mapping[str, tuple[str, ...]]
    metrics: Sequence[str] = ("precision", "recall", "f1", "auc")
    note: str = ""
    intervals: bool = False
    absent: str = NOT_RUN
    counts: bool = False


@dataclass(frozen=True)
class SideBySide(Comparison):
    """A comparison with several tables, a row per model; `table` and `csv` hold one line per number.

    Args:
        title: As of a `Comparison`.
        published: As of a `Comparison`.
        results: As of a `Comparison`.
        remark: As of a `Comparison`.
        more: As of a `Comparison`.
        space: As of a `Comparison`.
        layouts: The tables.

    Example:
        >>> from astroclip_kit.recipes import Published
        >>> f1 = Published("paper", "svm", "spectrum", "spectrum", "class", "f1", 0.82, "its table", spread=0.01)
        >>> layout = Layout("Baselines", {"SVM": ("svm", "class")}, ["f1"])
        >>> list(SideBySide("Stars", [f1], [], layouts=[layout]).cells(layout))
        [['SVM', '0.820 ± 0.010', '', 'not run']]
    """

    layouts: Sequence[Layout] = ()

    def cells(self, layout: Layout) -> Iterator[list[str]]:
        """What stands in each row: its name, for each metric the published and the measured value, and what data."""
        told = {place: one for one in self.published for place in _places(one)}
        found = {place: one for one in self.measured.values() for place in _places(one)}
        asked = {name: [(metric, *row) for metric in layout.metrics] for name, row in layout.rows.items()}
        absent = layout.absent if any(key in found for keys in asked.values() for key in keys) else NOT_RUN
        for name, keys in asked.items():
            measured = _counted if layout.counts else _with_interval if layout.intervals else measured_text
            pairs = [(published_text(told.get(key)), measured(found.get(key))) for key in keys]
            states = dict.fromkeys(measured_on(found[key]) for key in keys if key in found)
            state = ", ".join(states) if states else absent
            yield [name, *(text for both in pairs for text in both), state]

    def html(self) -> str:
        """The tables for a page, and under them where the published numbers stand."""
        tables = "\n".join(self._html(layout) for layout in self.layouts)
        mark = f"<p class='note'>{GUESSED} not told from guessing: its interval reaches what that does.</p>"
        return tables + (mark if GUESSED in tables else "") + self.sources()

    def _html(self, layout: Layout) -> str:
        heads = "".join(f"<th>{escape(title(one))}</th>" for one in layout.metrics)
        rows = "".join(f"<tr>{_row(row)}</tr>" for row in self.cells(layout))
        note = f"<p class='note'>{escape(layout.note)}</p>" if layout.note else ""
        return (
            f"<section><h3>{escape(layout.title)}</h3>{note}<table><thead><tr><th></th>{heads}<th></th></tr></thead>"
            f"<tbody>{rows}</tbody></table></section>"
        )

    def latex(self) -> str:
        """The tables for a paper; needs the package booktabs."""
        return "\n".join(self._latex(layout) for layout in self.layouts)

    def _latex(self, layout: Layout) -> str:
        heads = [rf"\multicolumn{{2}}{{c}}{{{latex_text(title(one))}}}" for one in layout.metrics]
        above = [["", *heads, "data"], ["", *["published", "measured"] * len(heads), ""]]
        columns = "l" + "rr" * len(heads) + "l"
        return latex_table(f"{self.title}. {layout.title}", columns, above, self.cells(layout))


def _with_interval(one: Result | None) -> str:
    """A measured value with its mark, and of one seed with its interval: "0.429† (0.314 to 0.543)"."""
    if one is None:
        return ""
    text = measured_text(one) + GUESSED * bool(remark(one, ()))
    return text if math.isfinite(one.std) or math.isnan(one.low) else f"{text} ({one.low:.3f} to {one.high:.3f})"


def _counted(one: Result | None) -> str:
    """A measured value with its interval and how many objects it is of: "0.885 ± 0.013 (0.861 to 0.909, n = 804)"."""
    if one is None:
        return ""
    told = [f"{one.low:.3f} to {one.high:.3f}"] * math.isfinite(one.low) + [f"n = {one.n:,}"] * bool(one.n)
    text = measured_text(one) + GUESSED * bool(remark(one, ()))
    return f"{text} ({', '.join(told)})" if told else text


def _row(row: Sequence[str]) -> str:
    """Cells of a row: each measured value above its interval and the published one."""
    name, *numbers, state = row
    cells = "".join(_pair(*both) for both in zip(numbers[::2], numbers[1::2], strict=True))
    return f"<td>{escape(name)}</td>{cells}<td>{escape(state)}</td>"


def _pair(told: str, found: str) -> str:
    value, _, interval = found.removesuffix(")").partition(" (")
    small = [*filter(None, (interval, told and f"published {told}"))]
    return f"<td><b>{value or '—'}</b><small>{''.join(f'<br>{one}' for one in small)}</small></td>"


def _places(one: Published | Result) -> Iterator[tuple[str, ...]]:
    """Column and row, however much of it is told: a mean over the classes stands under the metric that it is of."""
    place = one.metric.removeprefix("macro_"), one.task, one.property, one.query, one.target
    yield from (place[:length] for length in (3, 4, 5))
