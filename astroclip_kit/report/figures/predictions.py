"""What was predicted, beside what is true."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ... import metrics
from ...errors import InputError
from .canvas import COLOURS, KitFigure, plain_axes

__all__ = ["confusion_matrix", "predicted_against_true"]

FEW = 1000  # objects that are drawn one by one; more are counted in cells


def predicted_against_true(
    true: npt.ArrayLike, predicted: npt.ArrayLike, name: str, *, unit: str = "", redshift: bool = False, title: str = ""
) -> KitFigure:
    """Predicted against measured values, with the 1:1 line, R2, NMAD and n.

    Args:
        true: Measured values [N].
        predicted: Predicted values [N].
        name: What they are, for the axes.
        unit: Their unit; "" for none.
        redshift: Whether NMAD is that of (p - z) / (1 + z), and outliers are counted.
        title: What was predicted from what.

    Raises:
        InputError: If the lengths differ or a value is not finite.
    """
    y, p = np.asarray(true, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    lines = [f"$R^2$ = {metrics.r2(y, p):.3f}", f"NMAD = {metrics.nmad(y, p, redshift=redshift):.3g}"]
    lines += [f"outliers = {metrics.outlier_fraction(y, p):.3f}"] if redshift else []
    low, high = float(min(y.min(), p.min())), float(max(y.max(), p.max()))
    pad = 0.03 * (high - low) or 1.0
    figure = KitFigure(figsize=(4, 4))
    axes = plain_axes(figure.subplots())
    if len(y) <= FEW:
        axes.scatter(y, p, s=9, alpha=0.6, color=COLOURS[0], linewidths=0)
    else:
        extent = (low - pad, high + pad, low - pad, high + pad)
        cells = axes.hexbin(y, p, gridsize=50, bins="log", cmap="cividis", mincnt=1, extent=extent)
        figure.colorbar(cells, ax=axes, label="objects per cell", shrink=0.8)
    axes.plot([low, high], [low, high], color=COLOURS[1], linewidth=1, label="1 : 1")
    axes.set(xlim=(low - pad, high + pad), ylim=(low - pad, high + pad), aspect="equal")
    suffix = f" [{unit}]" if unit else ""
    axes.set(xlabel=f"measured {name}{suffix}", ylabel=f"predicted {name}{suffix}")
    axes.set_title(title, fontsize=9)
    text = "\n".join([*lines, f"n = {len(y)}"])
    axes.text(0.03, 0.97, text, transform=axes.transAxes, va="top", fontsize=8)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def confusion_matrix(true: npt.ArrayLike, predicted: npt.ArrayLike, *, title: str = "") -> KitFigure:
    """Counts of true by predicted class; the colour is the share of the true class.

    Args:
        true: Classes [N].
        predicted: Predicted classes [N].
        title: What was predicted from what.

    Raises:
        InputError: If the lengths differ or there is no object.
    """
    y, p = np.asarray(true).astype(str), np.asarray(predicted).astype(str)
    if y.ndim != 1 or y.shape != p.shape or not y.size:
        raise InputError(f"confusion_matrix: expected equal lengths above 0, found {y.shape} and {p.shape}.")
    names, codes = np.unique(np.concatenate([y, p]), return_inverse=True)
    size = len(names)
    counts = np.bincount(codes[: len(y)] * size + codes[len(y) :], minlength=size * size).reshape(size, size)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = KitFigure(figsize=(max(3.4, 1.2 + 0.55 * size), 1.6 + 0.55 * size))
    axes = figure.subplots()
    axes.imshow(share, cmap="cividis", vmin=0, vmax=1)
    for row, column in np.ndindex(size, size):
        colour = "black" if share[row, column] > 0.5 else "white"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(size), names, rotation=45 if size > 4 else 0, fontsize=8)
    axes.set_yticks(range(size), names, fontsize=8)
    axes.set(xlabel="predicted", ylabel="true")
    accuracy, balanced = metrics.accuracy(y, p), metrics.balanced_accuracy(y, p)
    axes.set_title(
        "\n".join([title, f"accuracy {accuracy:.3f}, balanced {balanced:.3f}, n = {len(y)}"]).strip(), fontsize=8
    )
    return figure
