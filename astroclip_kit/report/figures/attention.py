"""What a classifier looks at: the shares of bands and wavelengths, and the attention of one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context

from ...errors import InputError
from ...transforms.resampling import wavelength_grid
from ...types import Modality
from .canvas import COLOURS, COLUMN, PAGE, STYLE, KitFigure, column_or_page, plain_axes, point_style
from .checks import classes as checked_classes
from .checks import equal_lengths, numbers
from .views import draw_view

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["attention_map", "share_figure", "spectrum_seen"]

Float = npt.NDArray[np.float64]
WIDE = 0.36  # inches for a band or segment, and more for long names
MOST_NUMBERED = 64  # image tokens with a number in them


@rc_context(STYLE)
def share_figure(
    shares: npt.ArrayLike,
    names: Sequence[str],
    classes: npt.ArrayLike | None = None,
    *,
    published: Mapping[str, float] | None = None,
    what: str = "band",
    title: str = "",
) -> KitFigure:
    """Share of the weight of each band, or wavelength segment: mean over the objects of a class, and their scatter.

    Args:
        shares: Of each object [N, K]; rows add up to 1, as an encoder's ``shares`` gives them.
        names: Of the K bands or segments, as its ``share_names``.
        classes: Class of each object [N]; all together by default.
        published: Name to a share that was published, marked beside the measured ones.
        what: What the names are, for the axis.
        title: Which encoder and objects.

    Raises:
        InputError: If lengths differ, there is no object, rows are no shares, or a published name is not drawn.
    """
    share = numbers(shares, "shares", axes=2)
    if share.shape[1] != len(names):
        raise InputError(f"shares: expected a column for each of {len(names)} names, found shape {share.shape}.")
    if (share < -1e-6).any() or not np.allclose(share.sum(axis=1), 1, atol=1e-3):
        raise InputError("shares: expected numbers from 0 that add up to 1 for each object.")
    marked = dict(published or {})
    if unknown := sorted(set(marked) - set(names)):
        raise InputError(f"published: {unknown[0]!r} is none of {', '.join(names)}.")
    groups: dict[str, Any] = {"all": np.ones(len(share), dtype=bool)}
    if classes is not None:
        y = checked_classes(classes, "classes")
        equal_lengths(shares=share, classes=y)
        groups = {str(name): y == name for name in np.unique(y)}
    long = max(len(name) for name in names) > 5
    wide = column_or_page(0.8 + len(names) * WIDE * (1.3 if long else 1))
    figure = KitFigure(figsize=(wide, 2.6 + 0.16 * (len(groups) + 2)), task="attention")
    axes = plain_axes(figure.subplots())
    for number, (name, own) in enumerate(groups.items()):
        place = np.arange(len(names)) + (number - (len(groups) - 1) / 2) * min(0.18, 0.7 / len(groups))
        label = f"{name}: mean ± std. dev., n = {int(own.sum()):,}"
        style = point_style(number) | {"linestyle": "", "ms": 3.5, "elinewidth": 1}
        axes.errorbar(place, share[own].mean(0), share[own].std(0), label=label, **style)
    axes.axhline(1 / len(names), color="0.5", linewidth=0.8, label=f"equal shares: {1 / len(names):.3f}")
    if marked:
        middle = np.array([list(names).index(name) for name in marked])
        values = list(marked.values())
        axes.hlines(values, middle - 0.42, middle + 0.42, "black", "--", linewidth=1, label="published")
    turned: dict[str, Any] = {"rotation": 35, "ha": "right"} if long else {}
    axes.set_xticks(range(len(names)), names, **turned)
    axes.set(xlim=(-0.6, len(names) - 0.4), xlabel=what, ylabel="share of the weight", title=title)
    axes.set_ylim(0, 1.08 * max(axes.get_ylim()[1], 1.5 / len(names)))
    figure.legend(loc="outside lower left", ncols=1 + (wide > 1.3 * COLUMN), handlelength=1.6, columnspacing=1.2)
    return figure


@rc_context(STYLE)
def attention_map(
    attention: npt.ArrayLike,
    views: Mapping[str, npt.NDArray[Any]],
    modalities: Mapping[str, Modality],
    *,
    wavelength_angstrom: tuple[float, float] | None = None,
    segments: int = 1,
    title: str = "",
) -> KitFigure:
    """Where the image tokens of one object look in its spectrum.

    The image tokens lie as a numbered grid on the cutout, shaded by the largest weight that each gives to one token of
    the spectrum. Below the spectrum stand, on the same wavelengths, the mean weight of its tokens and, in the colours
    of the grid, the weights of every image token.

    Args:
        attention: Weights of image tokens by spectrum tokens [I, S], rows add up to 1.
        views: The object's raw image [C, H, W] and spectrum [C, L] by name, as `Dataset.view` gives them.
        modalities: What they are, by name: one image, one spectrum.
        wavelength_angstrom: First and last wavelength that the encoder sees; all of the spectrum by default.
        segments: In how many pieces of equal length the encoder cuts the spectrum before it makes tokens: each token
            then sees the same part of every piece (7 of `VGG1D`).
        title: Which object, and what it was taken for.

    Raises:
        InputError: If the weights are none, an image or spectrum is missing, or the wavelengths lie outside.
    """
    weights = numbers(attention, "attention", axes=2)
    if (weights < -1e-6).any() or not np.allclose(weights.sum(axis=1), 1, atol=1e-3):
        raise InputError("attention: expected weights from 0 that add up to 1 for each image token.")
    image, spectrum = (_one(modalities, views, kind) for kind in ("image", "spectrum"))
    grid = modalities[spectrum].wavelength_angstrom
    low, high = wavelength_angstrom or (float(grid[0]), float(grid[-1]))
    if not grid[0] <= low < high <= grid[-1]:
        raise InputError(
            f"wavelengths {low:g} to {high:g} lie outside those of {spectrum!r}, {grid[0]:g} to {grid[-1]:g}."
        )
    seen = grid[(grid >= low) & (grid <= high)]
    edges = np.interp(np.linspace(0, len(seen) - 1, segments * weights.shape[1] + 1), np.arange(len(seen)), seen)
    shown = np.tile(weights, (1, segments))
    figure = KitFigure(figsize=(PAGE, 3.8), task="attention")
    left, right = np.asarray(figure.subfigures(1, 2, width_ratios=(1, 1.9))).tolist()
    colours = {"cmap": "cividis", "vmin": float(weights.min()), "vmax": float(weights.max())}
    _grid(left.subplots(), views[image], modalities[image], weights.max(axis=1), colours)
    above, between, below = right.subplots(3, 1, sharex=True, height_ratios=(1.5, 0.7, 1.3))
    draw_view(above, views[spectrum], modalities[spectrum])
    between.stairs(shown.mean(axis=0), edges, baseline=None, color=COLOURS[0], linewidth=1)
    between.axhline(1 / weights.shape[1], color="0.5", linewidth=0.8)
    drawn = below.pcolormesh(edges, np.arange(len(weights) + 1) + 0.5, shown, rasterized=True, **colours)
    above.set(xlabel="", xlim=(edges[0], edges[-1]), title="spectrum", ylabel=above.get_ylabel().replace(" [", "\n["))
    between.set(ylim=(0, None), title="mean weight of each spectrum token (grey: all equal)", ylabel="weight")
    below.set(xlabel="wavelength [Å]", ylabel="image token", title="weights of each image token")
    below.invert_yaxis()
    for axes in (above, plain_axes(between), plain_axes(below)):
        axes.title.set_fontsize(7)
    figure.colorbar(drawn, ax=below, aspect=10, pad=0.01).set_label("weight")
    figure.suptitle(title)
    return figure


def spectrum_seen(encoder: object, modality: Modality) -> dict[str, Any]:
    """What an encoder sees of a spectrum, as `attention_map` takes it: `wavelength_angstrom` and `segments`.

    Args:
        encoder: With its own wavelengths where it has a ``grid``, and pieces side by side where it is ``stacked``.
        modality: The spectrum.
    """
    segments = getattr(encoder, "segments", 1) if getattr(encoder, "stacked", False) else 1
    if (grid := getattr(encoder, "grid", None)) is None:
        return {"segments": segments}
    own, given = wavelength_grid(grid), modality.wavelength_angstrom
    limits = max(float(own[0]), float(given[0])), min(float(own[-1]), float(given[-1]))
    return {"segments": segments, "wavelength_angstrom": limits}


def _one(modalities: Mapping[str, Modality], views: Mapping[str, Any], kind: str) -> str:
    """The name of the modality of a kind."""
    found = [name for name, one in modalities.items() if one.kind == kind and name in views]
    if len(found) != 1:
        raise InputError(f"attention_map: expected one {kind} among the views, found {', '.join(found) or 'none'}.")
    return found[0]


def _grid(axes: Axes, view: npt.NDArray[Any], modality: Modality, most: Float, colours: Mapping[str, Any]) -> None:
    """The cutout under its tokens, which count along rows from the first pixel."""
    draw_view(axes, view, modality)
    height, width = view.shape[1:]
    rows = min(_divisors(len(most)), key=lambda rows: abs(rows / (len(most) // rows) - height / width))
    columns = len(most) // rows
    x, y = np.linspace(0, width, columns + 1) - 0.5, np.linspace(0, height, rows + 1) - 0.5
    axes.pcolormesh(x, y, most.reshape(rows, columns), alpha=0.4, edgecolors="white", linewidth=0.4, **colours)
    for number in range(len(most)) if len(most) <= MOST_NUMBERED else ():
        row, column = divmod(number, columns)
        place = (x[column] + 0.03 * width, y[row + 1] - 0.03 * height)
        axes.text(*place, str(number + 1), color="white", va="top", fontsize=7)
    axes.set_title("image tokens, largest weight of each", fontsize=7)


def _divisors(count: int) -> list[int]:
    return [rows for rows in range(1, count + 1) if count % rows == 0]
