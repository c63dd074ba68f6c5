"""How a training went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...errors import InputError
from .canvas import COLOURS, KitFigure, plain_axes

__all__ = ["loss_curves"]


def loss_curves(
    history: Sequence[Mapping[str, float]], members: Sequence[Sequence[Mapping[str, float]]] = ()
) -> KitFigure:
    """Training and validation loss by epoch, and beside them whatever else was validated.

    Args:
        history: One row per epoch: ``epoch``, ``loss``, ``val_loss``, ``val_...``.
        members: Histories of further members of an ensemble, drawn thin.

    Raises:
        InputError: If there is no epoch.
    """
    if not history:
        raise InputError("loss_curves: expected at least one epoch, found an empty history.")
    others = [name for name in history[-1] if name.startswith("val_") and name != "val_loss"]
    panels = [["loss", "val_loss"], *([others] if others else [])]
    figure = KitFigure(figsize=(4.2 * len(panels), 3))
    for axes, names in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
        for rows, width in [(history, 1.6), *((rows, 0.5) for rows in members)]:
            for colour, name in zip(COLOURS, names, strict=False):
                x = [row["epoch"] for row in rows if name in row]
                label = _title(name) if width > 1 and x else None
                axes.plot(x, [row[name] for row in rows if name in row], color=colour, linewidth=width, label=label)
        plain_axes(axes).set_xlabel("epoch")
        axes.set_ylabel("loss" if "loss" in names else "validation objects")
        axes.legend(frameon=False, fontsize=8)
    return figure


def _title(name: str) -> str:
    return {"loss": "training", "val_loss": "validation"}.get(name, name.removeprefix("val_").replace("_", " "))
