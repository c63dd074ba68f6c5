"""Classes as directions of a space: how alike their centroids are, and which labels do not fit."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context

from ...errors import InputError
from .canvas import COLOURS, COLUMN, NONE, PAGE, STYLE, VEIL, KitFigure, plain_axes

if TYPE_CHECKING:
    from astropy.table import Table

    from ...downstream.centroids import Centroids

__all__ = ["centroid_similarity", "mislabel_plane"]

ACROSS = 4  # panels
LETTER, HIGH = 0.0095, 0.032  # of the axes, that a letter is wide and a line high
FAR = (0.02, 0.05, 0.09, 0.14, 0.2, 0.28, 0.37, 0.47)  # of the axes, from a point to its name
WAYS = [(r * np.cos(a), r * np.sin(a)) for r in FAR for a in np.linspace(-3, 3, 12)]
EDGE = 0.015  # of the axes, below 0
FEW = 2000  # points that stay points in a vector file
KINDS = {
    "": (NONE, "o"),
    "far, nearer to another": (COLOURS[2], "^"),
    "in-class outlier": (COLOURS[0], "s"),
    "mislabelled": (COLOURS[1], "o"),
}
OTHERS = {"mislabelled": "suggested", "far, nearer to another": "nearest"}  # column of the class that it may be of


@rc_context(STYLE)
def centroid_similarity(centroids: Centroids) -> KitFigure:
    """Cosines of the centroids of all classes: within each modality, and of every two modalities.

    Between two modalities the diagonal tells whether a class lies at the same place in both.

    Args:
        centroids: What `downstream.class_centroids` gave.

    Raises:
        InputError: If there is no class or no modality.
    """
    names = list(centroids.directions)
    if not names or not len(centroids.classes):
        raise InputError("centroid_similarity: expected classes in at least one modality, found none.")
    alone = [name for name in names if name != "mean"]
    pairs = [*((name, name) for name in names), *combinations(alone, 2)]
    matrices = [centroids.similarity(*pair) for pair in pairs]
    columns = min(ACROSS, len(names) if len(names) > 1 else 1)
    rows = -(-len(pairs) // columns)
    width = COLUMN if columns == 1 else PAGE
    height = 0.1 + rows * (0.1 + min(2.7, width / columns))
    figure = KitFigure(figsize=(width, height), task="few_shot_centroid")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    low = min(float(np.nanmin(one)) for one in matrices)
    classes = [str(one) for one in centroids.classes]
    for axes, (one, other), matrix in zip(grid, pairs, matrices, strict=False):
        shown = axes.imshow(matrix, cmap="cividis", vmin=min(low, 0.0), vmax=1)
        axes.set_xticks(range(len(classes)), classes, rotation=90, fontsize=7)
        axes.set_yticks(range(len(classes)), classes, fontsize=7)
        axes.tick_params(length=1.5, width=0.5, pad=1.5)
        axes.set_title(one if one == other else f"{one} ↓ {other} →", fontsize=7.5)
    for axes in grid[len(pairs) :]:
        axes.set_axis_off()
    bar = figure.colorbar(shown, ax=grid.tolist(), shrink=0.6, aspect=30, pad=0.01)
    bar.set_label("cosine of the centroids")
    return figure


@rc_context(STYLE)
def mislabel_plane(table: Table, *, named: int = 5) -> KitFigure:
    """Distance of every object to the centroid of its own class and to the nearest other one, with all misfits.

    Below the line another class is nearer. A class of several parts lies below it in part without being wrong, which
    is why wrong labels follow the odds of `label_audit`.

    Args:
        table: What `downstream.label_audit` gave.
        named: How many of the first of each kind are named, with their class and the one that is likelier or nearer.

    Raises:
        InputError: If there is no object, or the table is another one.
    """
    wanted = ("object_id", "kind", "own_distance", "nearest_distance", "suggested")
    if missing := [name for name in wanted if name not in table.colnames]:
        raise InputError(f"mislabel_plane: the table has no column {missing[0]!r}. Give the one of label_audit.")
    x, y = (np.asarray(table[name], dtype=np.float64) for name in ("own_distance", "nearest_distance"))
    known, kind = np.isfinite(x) & np.isfinite(y), np.asarray(table["kind"]).astype(str)
    if not known.any():
        raise InputError("mislabel_plane: expected objects with distances to two classes, found none.")
    figure = KitFigure(figsize=(PAGE, 4.4), task="anomaly")
    axes = plain_axes(figure.subplots())
    for name, (colour, marker) in KINDS.items():
        own = known & (kind == name)
        if not own.any():
            continue
        style: dict[str, Any] = {"color": colour, "marker": marker, "linewidths": 0, "rasterized": own.sum() > FEW}
        label = f"{name or 'neither'}: {int(own.sum()):,}"
        axes.scatter(x[own], y[own], 9 if name else 4, alpha=0.8 if name else 0.45, label=label, **style)
    top = float(max(x[known].max(), y[known].max())) * 1.04
    axes.plot([0, top], [0, top], color="0.4", linewidth=0.7, zorder=0)
    about = table.meta.get("on", "")
    wide, high = float(x[known].max()) * 1.2, float(y[known].max()) * 1.08
    axes.set(xlim=(-EDGE * wide, wide), ylim=(-EDGE * high, high))  # what lies at 0 is whole
    rows = [row for name in list(KINDS)[1:] for row in np.flatnonzero(known & (kind == name))[:named].tolist()]
    _name(axes, table, rows, (np.stack([x / wide, y / high], axis=1) + EDGE) / (1 + EDGE))
    axes.set(xlabel="distance to the centroid of the own class (1 - cosine)")
    axes.set(ylabel="distance to the nearest other centroid")
    axes.set_title(f"{table.meta.get('label', 'label')} by {about}" if about else "")
    figure.legend(loc="outside lower left", ncols=len(KINDS), handletextpad=0.2, markerscale=1.6)
    return figure


def _name(axes: Any, table: Table, rows: list[int], places: Any) -> None:
    """Names of some objects, each where it covers the fewest others and no name before it; left out where none fits.

    Args:
        axes: Where to.
        table: All objects.
        rows: Who is named.
        places: Where all are, as shares of the axes [N, 2].
    """
    label, kinds = table.meta.get("label", ""), np.asarray(table["kind"]).astype(str)
    weight, taken = np.where(kinds == "", 1.0, 20.0), np.empty((0, 4))
    for row in rows:
        text = _named(table[row], label if label in table.colnames else "")
        half = LETTER * len(text) / 2
        found = []
        for dx, dy in WAYS:
            x, y = places[row, 0] + dx + np.copysign(half, dx), places[row, 1] + dy
            box = np.array([x - half, x + half, y - HIGH / 2, y + HIGH / 2])
            inside = (np.abs(places - [x, y]) < [half + 0.006, HIGH / 2 + 0.004]).all(axis=1)
            met = (
                (taken[:, 0] < box[1]) & (box[0] < taken[:, 1]) & (taken[:, 2] < box[3]) & (box[2] < taken[:, 3])
            ).sum()
            out = max(0.0, -box[0], box[1] - 1, -box[2], box[3] - 1)
            if not met and not out:
                found.append((weight[inside].sum() + 10 * np.hypot(dx, dy), x, y, box))
        if not found:
            continue
        _, x, y, box = min(found, key=lambda one: one[0])
        taken = np.vstack([taken, box])
        line = {"arrowstyle": "-", "linewidth": 0.4, "color": "0.4", "shrinkA": 0, "shrinkB": 1}
        where: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "axes fraction", "arrowprops": line}
        axes.annotate(text, places[row], (x, y), fontsize=7, va="center", ha="center", bbox=VEIL, **where)


def _named(one: Table.Row, label: str) -> str:
    """Name of an object, its class, and the one that it may be of."""
    other = OTHERS.get(str(one["kind"]), "")
    words = [str(one[label])] if label else []
    words += [f"→ {one[other]}"] if other in one.colnames else []
    return f"{one['object_id']}: {' '.join(words)}" if words else str(one["object_id"])
