"""What was predicted, beside what is true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context

from ... import metrics
from .canvas import COLOURS, COLUMN, STYLE, VEIL, KitFigure, plain_axes
from .checks import equal_lengths, numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["predicted_against_true"]

Float = npt.NDArray[np.float64]
FEW = 1000  # objects that are drawn one by one; more are counted in cells
SHARES = (0.9, 0.5)  # of the objects that the contours hold
LEAST = 100  # objects that contours are drawn of
CELLS = 48
GRIDS = ((CELLS, round(CELLS / 1.73)), (CELLS, CELLS // 6))  # of the predictions, and of the residuals
SIDES = np.array([-1, 1])


@rc_context(STYLE)
def predicted_against_true(
    true: npt.ArrayLike, predicted: npt.ArrayLike, name: str, *, unit: str = "", redshift: bool = False, title: str = ""
) -> KitFigure:
    """Predicted against measured values with density, contours, R2, NMAD, the 1:1 line and the residuals below.

    Of more than 1,000 objects the outermost may lie outside; how many do is said.

    Args:
        true: Measured values [N].
        predicted: Predicted values [N].
        name: What they are, for the axes.
        unit: Their unit; "" for none.
        redshift: Whether residuals are (p - z) / (1 + z), and outliers are counted.
        title: What was predicted from what.

    Raises:
        InputError: If the lengths differ, there is no object, or a value is not finite.
    """
    y, p = numbers(true, "true"), numbers(predicted, "predicted")
    equal_lengths(true=y, predicted=p)
    low, high = _limits(y, p)
    residual = (p - y) / (1 + y) if redshift else p - y
    figure = KitFigure(figsize=(COLUMN, 4.75 if len(y) > FEW else 4.3), task="regression")
    main, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
    reach = 1.1 * max(float(np.quantile(np.abs(residual), 0.995)), 1e-12)
    _objects(figure, (main, below), y, (p, residual), (low, high, reach))
    main.plot([low, high], [low, high], color=COLOURS[1], linewidth=1, label="1 : 1")
    _contours(main, y, p)
    _running(below, y, residual)
    below.axhline(0, color=COLOURS[1], linewidth=1)
    suffix = f" [{unit}]" if unit else ""
    difference = f"Δ{name} / (1 + {name})" if redshift else f"Δ{name}{suffix}".replace(" [", "\n[")
    plain_axes(main).set(xlim=(low, high), ylim=(low, high), ylabel=f"predicted {name}{suffix}", box_aspect=1)
    plain_axes(below).set(ylim=(-reach, reach), xlabel=f"measured {name}{suffix}", ylabel=difference, box_aspect=0.3)
    if title:
        figure.suptitle(title)
    outside = int(((y < low) | (y > high) | (p < low) | (p > high)).sum())
    text = "\n".join(_numbers(y, p, redshift) + ([f"{outside:,} outside"] if outside else []))
    main.text(0.03, 0.97, text, transform=main.transAxes, va="top", fontsize=7, linespacing=1.3, bbox=VEIL)
    main.legend(loc="lower right", handlelength=1.4, frameon=True, framealpha=0.7, edgecolor="none")
    figure.align_ylabels()
    return figure


def _numbers(y: Float, p: Float, redshift: bool) -> list[str]:
    share = [f"outliers = {100 * metrics.outlier_fraction(y, p):.1f} %"] if redshift else []
    nmad = f"NMAD = {metrics.nmad(y, p, redshift=redshift):.3g}"
    return [f"$R^2$ = {metrics.r2(y, p):.3f}", nmad, *share, f"n = {len(y):,}"]


def _limits(y: Float, p: Float) -> tuple[float, float]:
    """Common to both axes; a few wild predictions do not rule the picture."""
    edge = 0.001 if len(y) > FEW else 0.0
    ends = np.concatenate([np.quantile(y, [edge, 1 - edge]), np.quantile(p, [5 * edge, 1 - 5 * edge])])
    pad = 0.04 * float(np.ptp(ends)) or 1.0
    return float(ends.min()) - pad, float(ends.max()) + pad


def _objects(
    figure: KitFigure, panels: tuple[Axes, Axes], x: Float, ys: tuple[Float, Float], limits: tuple[float, float, float]
) -> None:
    """Points, or counts in cells, of the predictions and of the residuals."""
    low, high, reach = limits
    if len(x) <= FEW:
        for axes, y in zip(panels, ys, strict=True):
            axes.scatter(x, y, s=7, alpha=0.45, color=COLOURS[0], linewidths=0)
        return
    extents = ((low, high, low, high), (low, high, -reach, reach))
    cells: Any = None
    for axes, y, extent, grid in zip(panels, ys, extents, GRIDS, strict=True):
        inside = (x >= extent[0]) & (x <= extent[1]) & (y >= extent[2]) & (y <= extent[3])
        norm = cells.norm if cells is not None else "log"
        drawn = axes.hexbin(
            x[inside], y[inside], gridsize=grid, cmap="cividis", mincnt=1, extent=extent, norm=norm, linewidths=0
        )
        drawn.set_rasterized(True)
        cells = cells or drawn
    bar = figure.colorbar(cells, ax=panels[0], location="top", shrink=0.8, aspect=30, pad=0.02)
    bar.set_label("objects per cell")


def _contours(axes: Axes, x: Float, y: Float) -> None:
    """Lines around half and nine tenths of the objects, of counts smoothed by a Gaussian of 1.2 cells."""
    from scipy.ndimage import gaussian_filter

    if len(x) < LEAST:
        return
    box = [
        np.quantile(values, [0.01, 0.99]) + 0.15 * np.ptp(np.quantile(values, [0.01, 0.99])) * SIDES
        for values in (x, y)
    ]
    counts, *edges = np.histogram2d(x, y, bins=CELLS // 2 if len(x) <= FEW else CELLS, range=box)
    smooth = gaussian_filter(counts, 1.2)
    order = np.sort(smooth.ravel())[::-1]
    inside = np.cumsum(order) / len(x)
    levels = [float(order[np.searchsorted(inside, share).clip(max=len(order) - 1)]) for share in SHARES]
    if not 0 < levels[0] < levels[1]:
        return
    middles = [(one[1:] + one[:-1]) / 2 for one in edges]
    axes.contour(*middles, smooth.T, levels=levels, colors="black", linewidths=(0.6, 1.1))
    for share, width in zip(SHARES[::-1], (1.1, 0.6), strict=True):
        axes.plot([], [], color="black", linewidth=width, label=f"{100 * share:.0f} % of objects")


def _running(axes: Axes, x: Float, residual: Float) -> None:
    """Median and 16 to 84 % of the residuals in bins of equally many objects."""
    bins = min(12, len(x) // 20)
    if bins < 2 or not np.ptp(x):
        return
    rows = np.array_split(np.argsort(x, kind="stable"), bins)
    middle, low, median, high = np.array([(np.median(x[r]), *_spread(residual[r])) for r in rows]).T
    axes.errorbar(middle, median, [median - low, high - median], fmt="o", color="black", ms=2.5, lw=0.8, zorder=3)


def _spread(values: Float) -> Iterator[float]:
    yield from np.quantile(values, [0.16, 0.5, 0.84])
