"""How a training went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib import rc_context
from matplotlib.ticker import FixedLocator, MaxNLocator
from matplotlib.transforms import ScaledTranslation

from ...errors import InputError
from .canvas import COLUMN, PAGE, STYLE, KitFigure, line_style, plain_axes

__all__ = ["learning_curves"]

BELOW = 0.4  # inches from an axis to its legend, with numbers and a label between
SHORT = 20  # characters of a name that leave room for another one beside it


@rc_context(STYLE)
def learning_curves(
    history: Sequence[Mapping[str, float]], members: Sequence[Sequence[Mapping[str, float]]] = ()
) -> KitFigure:
    """Training and validation loss by epoch, and beside them whatever else was validated, as retrieval.

    Args:
        history: One row per epoch: ``epoch``, ``loss``, ``val_loss``, ``val_...``.
        members: Histories of further members of an ensemble, drawn thin.

    Raises:
        InputError: If there is no epoch, or a row does not say which it is.
    """
    if not history:
        raise InputError("learning_curves: expected at least one epoch, found an empty history.")
    if any("epoch" not in row for rows in (history, *members) for row in rows):
        raise InputError("learning_curves: expected 'epoch' in every row of the history.")
    others = [name for name in history[-1] if name.startswith("val_") and name != "val_loss"]
    panels = [["loss", "val_loss"], *([others] if others else [])]
    ways = [2 if max(len(_title(name)) for name in names) <= SHORT else 1 for names in panels]
    lines = max(-(-len(names) // columns) for names, columns in zip(panels, ways, strict=True))
    figure = KitFigure(figsize=(PAGE if others else COLUMN, 2.3 + 0.16 * lines), task="training")
    for axes, names, columns in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, ways, strict=True):
        for rows, width in [*((rows, 0.5) for rows in members), (history, 1.5)]:
            for number, name in enumerate(names):
                points = [(row["epoch"], row[name]) for row in rows if name in row]
                if points:
                    label = _title(name) if rows is history else None
                    style = line_style(number) | {"linewidth": width, "marker": "." if len(points) == 1 else ""}
                    axes.plot(*zip(*points, strict=True), label=label, **style)
        ylabel = "loss (nats per object)" if "loss" in names else _what(names)
        plain_axes(axes).set(xlabel="epoch", ylabel=ylabel)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True) if history[1:] else FixedLocator([history[0]["epoch"]]))
        below = axes.transAxes + ScaledTranslation(0, -BELOW, figure.dpi_scale_trans)
        axes.legend(loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=below, ncols=columns, borderpad=0)
    return figure


def _title(name: str) -> str:
    short = {"loss": "training", "val_loss": "validation"}
    return short.get(name, name.removeprefix("val_").replace("_", " ").replace("->", " → "))


def _what(names: Sequence[str]) -> str:
    recall = all(name.startswith("val_recall") for name in names)
    return "share of validation objects" if recall else "measured on validation objects"
