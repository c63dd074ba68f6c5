"""How alike the two views of an object are, and those of different objects."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.ticker import MaxNLocator

from ...errors import InputError
from .canvas import COLUMN, STYLE, KitFigure, line_style, plain_axes
from .checks import numbers

__all__ = ["similarity_histogram"]


@rc_context(STYLE)
def similarity_histogram(same: npt.ArrayLike, different: npt.ArrayLike, *, title: str = "") -> KitFigure:
    """Cosine similarities of two views of one object, and of views of different objects.

    Args:
        same: Cosines of matched pairs [N].
        different: Cosines of unmatched pairs [M].
        title: Which modalities.

    Raises:
        InputError: If there is no pair, or a value is no cosine.
    """
    matched, others = numbers(same, "same"), numbers(different, "different")
    low, high = (float(limit) for limit in (min(matched.min(), others.min()), max(matched.max(), others.max())))
    if low < -1.001 or high > 1.001:
        raise InputError(f"expected cosines from -1 to 1, found {low:.3g} to {high:.3g}.")
    figure = KitFigure(figsize=(COLUMN, 2.5), task="space")
    axes = plain_axes(figure.subplots())
    edges = np.linspace(low, high + 1e-6, 50)
    said = (f"same object, median {np.median(matched):.2f}", f"different objects, median {np.median(others):.2f}")
    for number, (values, label) in enumerate(zip((matched, others), said, strict=True)):
        share = np.histogram(values, edges)[0] / len(values)
        axes.stairs(share, edges, color=line_style(number)["color"], fill=True, alpha=0.35)
        axes.stairs(share, edges, label=label, **line_style(number))
    axes.set(xlabel="cosine similarity", ylabel="share of the pairs", title=title)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_ylim(0, 1.3 * axes.get_ylim()[1])
    axes.legend(loc="upper left")
    return figure
