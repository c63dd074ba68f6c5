"""Maps of a space, coloured by what is known of the objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context

from ...errors import InputError
from .canvas import COLOURS, COLUMN, NONE, STYLE, VEIL, KitFigure, plain_axes, point_style
from .checks import equal_lengths, numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["map_by_cluster", "map_by_property"]

Float = npt.NDArray[np.float64]
FEW = 2000  # points that stay strokes; more are pixels inside the vector file
NAMED = 18  # groups that fit the legend


@rc_context(STYLE)
def map_by_property(
    coordinates: npt.ArrayLike,
    values: npt.ArrayLike,
    name: str,
    *,
    unit: str = "",
    method: str = "UMAP",
    title: str = "",
    seed: int = 0,
) -> KitFigure:
    """A map coloured by a number; objects without it are grey, below.

    Colours run from 1 to 99 % of the values, so that a few outliers do not hide all others.

    Args:
        coordinates: Places on the map [N, 2]; NaN for objects that are not on it.
        values: The property [N]; NaN where it is not known.
        name: What it is, for the colour bar.
        unit: Its unit; "" for none.
        method: How the map was made, for the axes.
        title: What the map is of, "PCA of spectra"; the method alone by default.
        seed: Of the order in which points are drawn, so that none is always on top.

    Raises:
        InputError: If lengths differ, no object is on the map, or the property is known for none.
    """
    xy, placed = _places(coordinates)
    found = numbers(values, name, finite=False)
    equal_lengths(coordinates=xy, values=found)
    known = placed & np.isfinite(found)
    if not known.any():
        raise InputError(f"{name}: known for no object on the map. Choose another property.")
    figure, axes = _axes(method, title, 3.15)
    _points(axes, xy[placed & ~known], len(xy), color=NONE)
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(known))
    low, high = np.quantile(found[rows], [0.01, 0.99])
    shown = _points(axes, xy[rows], len(xy), c=found[rows], cmap="viridis", vmin=low, vmax=high)
    beyond = (bool((found[rows] < low).any()), bool((found[rows] > high).any()))
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get(beyond, "neither")
    bar = figure.colorbar(shown, ax=axes, extend=extend, aspect=30, pad=0.02)
    bar.solids.set(alpha=1, rasterized=True)  # type: ignore[union-attr]
    bar.set_label(f"{name} [{unit}]" if unit else name)
    missing = int((placed & ~known).sum())
    text = f"n = {len(rows):,}" + (f", grey: {missing:,} without {name}" if missing else "")
    axes.set_title(f"{axes.get_title()}\n{text}")
    return figure


@rc_context(STYLE)
def map_by_cluster(
    coordinates: npt.ArrayLike,
    clusters: npt.ArrayLike,
    *,
    method: str = "UMAP",
    title: str = "",
    name: str = "cluster",
    seed: int = 0,
) -> KitFigure:
    """A map coloured by cluster, or by class; what belongs to none is grey.

    Groups differ in colour and in the shape of their points.

    Args:
        coordinates: Places on the map [N, 2]; NaN for objects that are not on it.
        clusters: Number of each object's cluster [N], -1 for none; or its class as text, "" for none.
        method: How the map was made, for the axes.
        title: What the map is of, "PCA of spectra"; the method alone by default.
        name: What the groups are, for the legend.
        seed: Of the order in which points are drawn.

    Raises:
        InputError: If lengths differ, no object is on the map, or clusters are no whole numbers.
    """
    xy, placed = _places(coordinates)
    label, none = _groups(clusters)
    equal_lengths(coordinates=xy, clusters=label)
    figure, axes = _axes(method, title, 3.0)
    if (placed & none).any():
        lacking = "no " + name if label.dtype.kind == "U" else "in no group"
        _points(axes, xy[placed & none], len(xy), color=NONE, label=f"{lacking} ({int((placed & none).sum()):,})")
    names, counts = np.unique(label[placed & ~none], return_counts=True)
    names, counts = (array[np.argsort(-counts, kind="stable")] for array in (names, counts))
    for number, (one, count) in enumerate(zip(names, counts, strict=True)):
        rows = np.random.default_rng(seed).permutation(np.flatnonzero(placed & (label == one)))
        shown = f"{one} ({count:,})" if number < NAMED else f"… {len(names) - NAMED} more" if number == NAMED else None
        _points(axes, xy[rows], len(xy), label=shown, **point_style(number))
    if len(names) > len(COLOURS):
        _number(axes, {str(one): np.median(xy[placed & (label == one)], axis=0) for one in names[:NAMED]})
    legend = figure.legend(
        loc="outside lower center", title=name, ncols=3, handletextpad=0.2, columnspacing=0.8, title_fontsize=7
    )
    for handle in legend.legend_handles:
        handle.set(sizes=[14], alpha=1)  # type: ignore[union-attr]
    lines = -(-min(len(names) + 1, NAMED + 2) // 3)
    figure.set_figheight(3.2 + 0.16 * lines)
    return figure


def _number(axes: Axes, centres: Mapping[str, Float]) -> None:
    """Names at the centres of groups that colour alone does not tell apart; not where another name stands."""
    span = np.array([np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())])
    taken: list[Float] = []
    for name, centre in centres.items():
        if all((np.abs(centre - other) / span > (0.012 * (2 + len(name)), 0.045)).any() for other in taken):
            taken.append(centre)
            x, y = centre.tolist()
            axes.text(x, y, name, ha="center", va="center", fontsize=7, weight="bold", bbox=VEIL)


def _places(coordinates: npt.ArrayLike) -> tuple[Float, npt.NDArray[np.bool_]]:
    """The coordinates, and who is on the map."""
    xy = numbers(coordinates, "coordinates", axes=2, finite=False)
    if xy.shape[1] != 2:
        raise InputError(f"coordinates: expected shape [N, 2], found {xy.shape}.")
    placed = np.asarray(np.isfinite(xy).all(axis=1))
    if not placed.any():
        raise InputError("coordinates: no object is on the map: all are NaN.")
    return xy, placed


def _groups(clusters: npt.ArrayLike) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Numbers, or text, and who belongs to none."""
    given = np.asarray(clusters)
    if given.dtype.kind in "OSU":
        text = given.astype(str)
        return text, np.isin(text, ("", "None", "nan"))
    found = numbers(given, "clusters")
    if (found != np.round(found)).any():
        raise InputError("clusters: expected whole numbers, -1 for none. For a property take map_by_property.")
    return found.astype(np.int64), found < 0


def _axes(method: str, title: str, height: float) -> tuple[KitFigure, Axes]:
    figure = KitFigure(figsize=(COLUMN, height), task="clustering")
    axes = plain_axes(figure.subplots())
    unit = "" if method.upper() == "PCA" else " [arbitrary]"
    word = "PCA component" if method.upper() == "PCA" else method.upper()
    axes.set(xlabel=f"{word} 1{unit}", ylabel=f"{word} 2{unit}", title=title or method.upper())
    return figure, axes


def _points(axes: Axes, xy: Float, total: int, **style: Any) -> Any:
    """Points whose size and haze follow from how many there are on the whole map."""
    size = float(np.clip(6000 / total, 0.5, 9))
    style |= {"s": size, "alpha": 0.75, "linewidths": 0, "rasterized": total > FEW, "snap": False}
    return axes.scatter(xy[:, 0], xy[:, 1], **style)
