"""Objects side by side, each as it looks on the sky: the frame of all contact sheets."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.ticker import MaxNLocator

from ...errors import InputError
from .canvas import COLOURS, PAGE, STYLE, KitFigure
from .views import draw_view, table_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...types import Modality
    from .array_views import Shown

__all__ = ["ANSWERS", "ASKS", "PER_ROW", "Entry", "contact_sheet", "short_number"]

ASKS, ANSWERS = COLOURS[1], COLOURS[2]  # frames of who asks, and of what answers
LEFT, RIGHT, GAP = 0.62, 0.17, 0.34  # inches; a number of five characters fits between two panels
HEAD, LINE = 0.2, 0.125  # inches of a row's heading, and of a line of text
WITH_AXES = ("spectrum", "lightcurve")
FLAT = 0.7  # height of a panel with axes, relative to its width
PER_ROW = 6  # objects, where more would be too small
FEWEST = 4  # columns; fewer objects are drawn no larger
SAMPLE = 2000  # objects that tell what is usual
EDGE = 0.2  # of a panel, where a number would stick out
ALIKE = 3.0  # times the smallest range of a row that the largest may span for all to share one
NUMBER = 4  # characters that every number may have between two panels
LONGEST, WRAPPED = 20, 18  # characters of a line above a panel, and of each of several


@dataclass(frozen=True)
class Entry:
    """One object of a contact sheet.

    Args:
        object_id: Which, or which group.
        lines: What stands above it, below its id.
        framed: Modality that is framed; "" for none.
        colour: Of the frame.
    """

    object_id: str
    lines: tuple[str, ...] = ()
    framed: str = ""
    colour: str = ANSWERS


@rc_context(STYLE)
def contact_sheet(
    rows: Sequence[tuple[str, Sequence[Entry]]],
    dataset: Shown,
    *,
    names: Sequence[str] = (),
    task: str = "",
    compact: bool = False,
) -> KitFigure:
    """Rows of objects, each with its views from top to bottom.

    Args:
        rows: Heading ("" for none) and objects of each row, from left to right.
        dataset: Where the views are: a `Dataset`, or `ArrayViews`.
        names: Modalities to show; all of the dataset that one of the objects has by default.
        task: Section of a report that the figure belongs to.
        compact: Whether each object shows the framed modality alone.

    Raises:
        InputError: If there is no object, the dataset holds none of them, or it has no such modality.
    """
    entries = [entry for _, row in rows for entry in row]
    if not entries:
        raise InputError("a contact sheet needs at least one object, found none.")
    if unknown := [name for name in names if name not in dataset.modalities]:
        raise InputError(f"{dataset.root} has no modality {unknown[0]!r}; there is: {', '.join(dataset.modalities)}.")
    place = _places(dataset, {one.object_id for one in entries}, names or tuple(dataset.modalities))
    if not place:
        raise InputError(
            f"{dataset.root} holds no object {entries[0].object_id!r}. Give the dataset that was embedded."
        )
    shown = [name for name in names or dataset.modalities if any(name == key[1] for key in place)]
    usual = {name: _usual(dataset, name) for name in shown if dataset.modalities[name].kind == "table"}
    columns = max(FEWEST, *(len(row) for _, row in rows))
    left = LEFT if any(dataset.modalities[name].kind in WITH_AXES for name in shown) else RIGHT
    width = (PAGE - left - RIGHT - GAP * (columns - 1)) / columns
    lines = [_lines_of(row, shown, compact) for _, row in rows]
    heights = [[max(_height(dataset.modalities[one], width) for one in line) for line in each] for each in lines]
    below = [[max(_below(dataset.modalities[one]) for one in line) for line in each] for each in lines]
    tops = [HEAD * bool(head) + LINE * _lines(row) for head, row in rows]
    total = sum(tops) + sum(sum(high) + sum(low) + 0.04 for high, low in zip(heights, below, strict=True))
    figure = KitFigure(figsize=(PAGE, total), layout="none", task=task)
    top = total
    for (head, row), above, each, high, under in zip(rows, tops, lines, heights, below, strict=True):
        at = (top - 0.03) / total
        figure.text(0.02 / PAGE, at, head, va="top", weight="bold")
        top -= above
        for number, (line, height) in enumerate(zip(each, high, strict=True)):
            low = (top - height) / total
            boxes = [((left + i * (width + GAP)) / PAGE, low, width / PAGE, height / total) for i in range(columns)]
            panels = [figure.add_axes(box) for box, _ in zip(boxes, row, strict=False)]
            names_of = list(line) if compact else list(line) * len(row)
            _draw_row(panels, row, dataset, names_of, place, usual, at)
            if number == 0:
                for axes, entry in zip(panels, row, strict=True):
                    axes.set_title("\n".join([_short(entry.object_id), *map(_cut, entry.lines)]), fontsize=7, pad=3)
            top -= height + under[number]
        top -= 0.04
    return figure


def _lines_of(row: Sequence[Entry], shown: Sequence[str], compact: bool) -> list[tuple[str, ...]]:
    """Modalities of each line of panels of a row: one for all objects, or one for each."""
    if not compact:
        return [(name,) for name in shown]
    return [tuple(entry.framed if entry.framed in shown else shown[0] for entry in row)]


def _below(modality: Modality) -> float:
    """Room below a panel, in inches."""
    return 0.38 if modality.kind in WITH_AXES else 0.08


def _height(modality: Modality, width: float) -> float:
    """Of a panel, in inches."""
    if modality.kind == "table":
        return LINE * (0.5 + table_lines(modality, 72 * width))
    return width * (FLAT if modality.kind in WITH_AXES else 1.0)


def _lines(row: Sequence[Entry]) -> int:
    return 1 + max((len(entry.lines) for entry in row), default=0)


def _places(dataset: Shown, wanted: Iterable[str], names: Sequence[str]) -> dict[tuple[str, str], int]:
    """The first row of each object, or group, that has each modality."""
    ids = list(wanted)
    present = {name: dataset.present(name) for name in names}
    found: dict[tuple[str, str], int] = {}
    for row in np.flatnonzero(np.isin(dataset.object_ids, ids) | np.isin(dataset.groups, ids)):
        for key in (str(dataset.object_ids[row]), str(dataset.groups[row])):
            for name in names:
                if present[name][row]:
                    found.setdefault((key, name), int(row))
    return {key: row for key, row in found.items() if key[0] in set(ids)}


def _usual(dataset: Shown, name: str) -> npt.NDArray[np.float64]:
    """Median and spread of every column of a table [2, C], of objects throughout the dataset."""
    rows = np.flatnonzero(dataset.present(name))
    values = np.asarray(dataset.views(name, rows[:: -(-len(rows) // SAMPLE)].tolist()), dtype=np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column that nobody has
        low, median, high = np.nanpercentile(values, [16, 50, 84], axis=0)
    return np.stack([median, (high - low) / 2])


def _draw_row(
    panels: Sequence[Axes],
    row: Sequence[Entry],
    dataset: Shown,
    names: Sequence[str],
    place: Mapping[tuple[str, str], int],
    usual: Mapping[str, npt.NDArray[np.float64]],
    head: float,
) -> None:
    """One modality of each object; vertical axes are labelled once for each, at the left or the row's heading."""
    shown: dict[str, list[Axes]] = {}
    for axes, entry, name in zip(panels, row, names, strict=True):
        if (at := place.get((entry.object_id, name))) is None:
            axes.text(
                0.5, 0.5, f"no {name}", ha="center", va="center", fontsize=7, color="0.4", transform=axes.transAxes
            )
            axes.set(xticks=[], yticks=[])
        else:
            draw_view(axes, dataset.views(name, [at])[0], dataset.modalities[name], usual.get(name))
            shown.setdefault(name, []).append(axes)
        if entry.framed == name:
            for spine in axes.spines.values():
                spine.set(visible=True, color=entry.colour, linewidth=2)
    for name, drawn in shown.items():
        if dataset.modalities[name].kind == "spectrum":
            _share_range(drawn)
        for axes in drawn:
            _thin(axes, dataset.modalities[name].kind, axes is not drawn[0])
        if drawn[0] is not panels[0] and drawn[0].get_ylabel():
            _label_at(drawn[0], head)


def _share_range(panels: Sequence[Axes]) -> None:
    """One vertical range for spectra that are about as bright; others keep theirs, or the faint ones would be flat."""
    low, high = np.array([axes.get_ylim() for axes in panels]).T
    if (high - low).max() <= ALIKE * (high - low).min():
        for axes in panels:
            axes.set_ylim(low.min(), high.max())


def _thin(axes: Axes, kind: str, labelled: bool) -> None:
    """Two numbers an axis: more do not fit."""
    if kind in WITH_AXES:
        axes.tick_params(pad=1.5, length=1.5)
        low, high = sorted(axes.get_ylim())
        ticks = [one for one in MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(low, high) if low <= one <= high]
        axes.set_yticks(ticks, [short_number(one) for one in ticks])
        low, high = axes.get_xlim()
        ticks = [one for one in MaxNLocator(2, steps=[1, 2, 4, 5, 10]).tick_values(low, high) if low <= one <= high]
        axes.set_xticks(ticks, [f"{one:g}" for one in ticks])
        for one, text in zip(ticks, axes.get_xticklabels(), strict=True):
            place = (one - low) / (high - low)  # a number at an end stays between both ends
            text.set_horizontalalignment("left" if place < EDGE else "right" if place > 1 - EDGE else "center")
    if labelled:
        axes.set_ylabel("")
    elif kind in WITH_AXES:
        axes.set_ylabel(axes.get_ylabel().replace(" [", "\n["), fontsize=7, labelpad=1)


def _label_at(axes: Axes, height: float) -> None:
    """Writes the label of a vertical axis at the right of the row's heading: between two panels there is no room."""
    label = f"vertical: {axes.get_ylabel().replace(chr(10), ' ')}"
    axes.set_ylabel(label, rotation=0, ha="right", va="top", fontsize=7)
    figure = axes.get_figure()
    assert figure is not None
    axes.yaxis.set_label_coords(1 - RIGHT / PAGE, height, transform=figure.transFigure)


def short_number(value: float) -> str:
    """A number as short as it can be said to six digits.

    Example:
        >>> short_number(10000.0), short_number(14.35)
        ('1e4', '14.35')
    """
    text, (digits, power) = f"{value:g}", f"{value:e}".split("e")
    return text if len(text) <= NUMBER else min(text, f"{float(digits):g}e{int(power)}", key=len)


def _short(object_id: str) -> str:
    return object_id if len(object_id) <= LONGEST else object_id[:8] + "…" + object_id[-10:]


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def wrapped(text: str, lines: int = 4) -> tuple[str, ...]:
    """Text in lines that fit above a panel, cut off where there are too many."""
    import textwrap

    found = textwrap.wrap(text, WRAPPED, max_lines=lines, placeholder=" …")
    return tuple(found)


def as_text(value: Any) -> str:
    """A value of a table as it stands above a panel."""
    return f"{value:.3g}" if isinstance(value, (float, np.floating)) else str(value)
