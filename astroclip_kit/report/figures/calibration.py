"""Whether probabilities and intervals are what they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context

from ...downstream.calibration import BINS, calibration_error
from ...errors import InputError
from ...metrics import wilson
from .canvas import COLOURS, COLUMN, STYLE, KitFigure, plain_axes
from .checks import equal_lengths, numbers, probabilities

__all__ = ["coverage_by_bin", "coverage_curve", "reliability_diagram"]

Float = npt.NDArray[np.float64]


@rc_context(STYLE)
def reliability_diagram(
    true: npt.ArrayLike, scores: npt.ArrayLike, names: npt.ArrayLike, *, title: str = ""
) -> KitFigure:
    """How often the most probable class is the true one, by the probability it was given, and how often that occurs.

    Args:
        true: Classes [N].
        scores: Probability of every class [N, C].
        names: The classes of the columns [C].
        title: What was predicted from what.

    Raises:
        InputError: If shapes do not fit, or a value is no probability.
    """
    y, p, columns = probabilities(true, scores, names)
    confidence, right = p.max(axis=1).clip(max=1), columns[p.argmax(axis=1)] == y
    place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    counts, said, held = (np.bincount(place, weights, BINS).astype(float) for weights in (None, confidence, right))
    full = counts > 0
    said, share = said[full] / counts[full], held[full] / counts[full]
    low, high = np.array([wilson(*one) for one in zip(share, counts[full], strict=True)]).T
    figure = KitFigure(figsize=(COLUMN, 4.1), task="classification")
    main, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.5, 1))
    main.plot([0, 1], [0, 1], color="0.5", linewidth=0.8, label="calibrated")
    error = np.clip([share - low, high - share], 0, None)
    main.errorbar(said, share, error, fmt="o-", color=COLOURS[0], ms=3.5, lw=1, label="measured, 95 %")
    off = calibration_error(confidence, right)
    text = f"ECE = {off:.3f}\naccuracy = {right.mean():.3f}\nconfidence = {confidence.mean():.3f}\nn = {len(y):,}"
    main.text(0.03, 0.97, text, transform=main.transAxes, va="top", fontsize=7, linespacing=1.3)
    main.legend(loc="lower right")
    below.bar((np.arange(BINS) + 0.5) / BINS, counts, width=0.92 / BINS, color=COLOURS[5])
    plain_axes(main).set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share that is right", title=title)
    plain_axes(below).set(xlabel="probability of the predicted class", ylabel="objects")
    figure.align_ylabels()
    return figure


@rc_context(STYLE)
def coverage_curve(
    wanted: npt.ArrayLike, measured: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, *, title: str = ""
) -> KitFigure:
    """Coverage that was measured, by that which was wanted.

    Args:
        wanted: Coverages asked for [K], from 0 to 1.
        measured: Share of the held-out objects whose interval, or set of classes, holds the truth [K].
        low: Lower end of its 95 % interval [K].
        high: Upper end [K].
        title: What was predicted from what.

    Raises:
        InputError: If lengths differ, there is no value, or one is not finite or no share.
    """
    asked, found, below, above = _shares(wanted=wanted, measured=measured, low=low, high=high)
    order = np.argsort(asked)
    figure = KitFigure(figsize=(COLUMN, 3.2), task="coverage")
    axes = plain_axes(figure.subplots())
    axes.plot([0, 1], [0, 1], color="0.5", linewidth=0.8, label="as wanted")
    error = np.clip([found - below, above - found], 0, None)[:, order]
    axes.errorbar(asked[order], found[order], error, fmt="o-", ms=3.5, color=COLOURS[0], lw=1, label="measured, 95 %")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), box_aspect=0.9, title=title)
    axes.set(xlabel="coverage wanted (share of objects)", ylabel="coverage measured (share of objects)")
    axes.legend(loc="lower right")
    return figure


@rc_context(STYLE)
def coverage_by_bin(
    bins: Sequence[str],
    measured: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    *,
    wanted: float,
    name: str = "",
    title: str = "",
) -> KitFigure:
    """Coverage within each bin of a property, or each class, beside what was wanted.

    Args:
        bins: What each bin is called [K].
        measured: Share of its objects whose interval, or set of classes, holds the truth [K].
        low: Lower end of its 95 % interval [K].
        high: Upper end [K].
        wanted: Coverage asked for.
        name: Property that is binned.
        title: What was predicted from what.

    Raises:
        InputError: If lengths differ, there is no bin, or a value is not finite or no share.
    """
    found, below, above, asked = _shares(measured=measured, low=low, high=high, wanted=np.full(len(bins), wanted))
    figure = KitFigure(figsize=(COLUMN, 0.95 + 0.22 * len(bins)), task="coverage")
    axes = plain_axes(figure.subplots())
    place = np.arange(len(bins))[::-1]
    error = np.clip([found - below, above - found], 0, None)
    axes.errorbar(found, place, xerr=error, fmt="o", color=COLOURS[0], ms=4, lw=1.1, label="measured, 95 %")
    axes.axvline(asked[0], color=COLOURS[1], linewidth=1, linestyle="--", label=f"wanted: {wanted:g}")
    axes.set_yticks(place, bins)
    left = min(float(below.min()), wanted) - 0.03
    axes.set(
        xlabel="coverage (share of objects)",
        ylabel=name.replace(" [", "\n["),
        xlim=(max(left, -0.01), 1.01),
        ylim=(-0.7, len(bins) - 0.3),
    )
    axes.set_title(title)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _shares(**given: npt.ArrayLike) -> tuple[Float, ...]:
    found = {name: numbers(values, name) for name, values in given.items()}
    equal_lengths(**found)
    for name, values in found.items():
        if (values < -1e-9).any() or (values > 1 + 1e-9).any():
            raise InputError(f"{name}: expected shares from 0 to 1, found {values.min():g} to {values.max():g}.")
    return tuple(found.values())
