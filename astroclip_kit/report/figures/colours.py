"""Colour-colour diagrams of classes, with the misclassified marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context

from ...errors import InputError
from .canvas import COLOURS, COLUMN, STYLE, VEIL, KitFigure, plain_axes, point_style
from .checks import classes as checked_classes
from .checks import equal_lengths

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["colour_colour", "column_difference", "usual_colours"]

Float = npt.NDArray[np.float64]
FEW = 2000  # points that stay strokes; more are pixels inside the vector file
RING = 42  # square points
SHOWN = (0.3, 99.7)  # per cent of the objects that rule the axes
BANDS = "ugrizyjhk"
MAGNITUDE = re.compile(rf"(?:psf|model|cmodel|petro|kron|fiber)?_?(?:mag)?_?(w[1-4]|[{BANDS}])(?:mpro|psf)?_?(?:mag)?")
COLOUR = re.compile(rf"(w[1-4]|[{BANDS}])_?-?_?(w[1-4]|[{BANDS}])")


@rc_context(STYLE)
def colour_colour(
    columns: Mapping[str, npt.ArrayLike] | Any,
    wanted: tuple[str, str],
    true: npt.ArrayLike,
    said: npt.ArrayLike | None = None,
    *,
    classes: Sequence[str] | None = None,
    regions: Mapping[str, npt.ArrayLike] | None = None,
    unit: str = "mag",
    title: str = "",
) -> KitFigure:
    """Two colours of objects by class; around the misclassified is a ring in the colour of what was said.

    Args:
        columns: Name to values [N], or a table: magnitudes, or colours themselves; NaN where not known.
        wanted: What lies along each axis, as `usual_colours` finds it: a column, or the difference of two, "w2 - w3".
        true: Class of each object [N].
        said: Predicted classes [N], or probabilities [N, C]; none are marked by default.
        classes: Names of the columns of probabilities [C].
        regions: Name to a place (x, y) that it stands at, or to the corners [K, 2] of what it encloses.
        unit: Of both axes; "" for none.
        title: What is shown.

    Raises:
        InputError: If a column is missing, lengths differ, an object has no class, a region is none, or both colours
            are known for no object.
    """
    from ...classifiers.error_analysis import said_classes

    label = checked_classes(true, "true")
    given = label if said is None else checked_classes(said_classes(said, classes), "said")
    place = np.stack([column_difference(columns, one) for one in wanted], axis=1)
    equal_lengths(colours=place, true=label, said=given)
    known = np.isfinite(place).all(axis=1)
    if not known.any():
        raise InputError(f"{' and '.join(wanted)}: both are known for no object. Choose other columns.")
    figure = KitFigure(task="classifiers")
    axes = plain_axes(figure.subplots())
    names = np.unique(np.concatenate([label, given])).tolist()
    for number, name in enumerate(names):
        own = known & (label == name)
        _points(axes, place[own], int(known.sum()), number, f"{name}: {int(own.sum()):,}")
    for number, name in enumerate(names):
        wrong = place[known & (given == name) & (label != name)]
        style: dict[str, Any] = {"facecolors": "none", "edgecolors": COLOURS[number % len(COLOURS)], "linewidths": 1.1}
        if len(wrong):
            axes.scatter(wrong[:, 0], wrong[:, 1], RING, label=f"taken for {name}: {len(wrong):,}", **style)
    for name, corners in (regions or {}).items():
        _region(axes, name, np.asarray(corners, dtype=np.float64))
    outside = _limits(axes, place[known])
    text = [f"n = {int(known.sum()):,}"]
    text += [f"{int((~known).sum()):,} without colours"] if not known.all() else []
    text += [f"{outside:,} beyond the frame"] if outside else []
    units = f" [{unit}]" if unit else ""
    across, up = (one.replace(" - ", " \N{MINUS SIGN} ") + units for one in wanted)
    axes.set(xlabel=across, ylabel=up, title="\n".join([title, ", ".join(text)]).strip())
    lines = -(-len(axes.get_legend_handles_labels()[0]) // 2)
    figure.set_size_inches(COLUMN, 2.9 + 0.16 * lines)
    figure.legend(loc="outside lower left", ncols=2, handletextpad=0.2, columnspacing=1)
    return figure


def usual_colours(names: Iterable[str]) -> tuple[str, str] | None:
    """The two neighbouring colours that can be had of some columns, for `colour_colour`; None without.

    Args:
        names: Of columns; colours such as "g_r" or "w1-w2" go before magnitudes such as "psfmag_g" or "w1mpro".

    Example:
        >>> usual_colours(["z", "w1_w2", "w2_w3"]), usual_colours(["psfmag_u", "psfmag_g", "psfmag_r"])
        (('w2_w3', 'w1_w2'), ('psfmag_g - psfmag_r', 'psfmag_u - psfmag_g'))
        >>> usual_colours(["z", "mass"]) is None
        True
    """
    columns = list(names)
    pairs = {found.groups(): name for name in columns if (found := COLOUR.fullmatch(name.lower()))}
    for (_, middle), name in pairs.items():
        if after := [other for (start, _), other in pairs.items() if start == middle and other != name]:
            return after[0], name
    bands = {found[1]: name for name in columns if (found := MAGNITUDE.fullmatch(name.lower()))}
    order = [bands[one] for one in ("w1", "w2", "w3") if one in bands]
    order = order if len(order) == 3 else [bands[one] for one in BANDS if one in bands]
    if len(order) < 3:
        return None
    return f"{order[1]} - {order[2]}", f"{order[0]} - {order[1]}"


def column_difference(columns: Any, wanted: str) -> Float:
    """A column, or one less another one [N]; NaN where not known.

    Args:
        columns: Name to values [N], or a table.
        wanted: A column, or the difference of two: "w2 - w3".

    Raises:
        InputError: If a column is missing.

    Example:
        >>> column_difference({"g": [20.0, 21.0], "r": [19.5, 19.0]}, "g - r").tolist()
        [0.5, 2.0]
    """
    known = list(getattr(columns, "colnames", None) or columns.keys())
    cuts = [place for place, sign in enumerate(wanted) if sign == "-"]
    several = [[wanted], *([wanted[:cut].strip(), wanted[cut + 1 :].strip()] for cut in cuts)]
    for parts in several:
        if all(part in known for part in parts):
            found = [np.ma.filled(np.ma.asarray(columns[part], dtype=np.float64), np.nan) for part in parts]
            return np.asarray(found[0] if len(found) == 1 else found[0] - found[1])
    raise InputError(f"there is no column {wanted!r}, nor two whose difference it is; there is: {', '.join(known)}.")


def _points(axes: Axes, place: Float, count: int, number: int, label: str) -> None:
    """Objects of one class."""
    size, alpha = (9.0, 0.75) if count <= 300 else (5.0, 0.5)
    style: dict[str, Any] = point_style(number) | {"alpha": alpha, "linewidths": 0}
    axes.scatter(place[:, 0], place[:, 1], size, label=label, rasterized=count > FEW, **style)


def _region(axes: Axes, name: str, corners: Float) -> None:
    """A name at a place, or within an outline."""
    if corners.ndim > 2 or corners.shape[-1] != 2 or not np.isfinite(corners).all():
        raise InputError(f"regions: {name!r} has the shape {corners.shape}, expected a place (2) or corners (K, 2).")
    across, up = corners.reshape(-1, 2).mean(axis=0).tolist()
    if corners.ndim == 2:
        axes.fill(*corners.T, fill=False, edgecolor="0.35", linewidth=0.7, linestyle="--")
        up = float(corners[:, 1].max())
    axes.text(across, up, name, fontsize=7, ha="center", va="center", clip_on=True, bbox=VEIL)


def _limits(axes: Axes, place: Float) -> int:
    """Sets axes so that outliers do not rule, and counts what lies beyond."""
    low, high = np.percentile(place, SHOWN, axis=0)
    pad = 0.12 * np.where(high > low, high - low, 1)
    axes.set(xlim=(low[0] - pad[0], high[0] + pad[0]), ylim=(low[1] - pad[1], high[1] + pad[1]))
    return int(((place < low - pad) | (place > high + pad)).any(axis=1).sum())
