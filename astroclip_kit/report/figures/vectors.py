"""Vectors that were simulated, beside the real ones of the same objects."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context

from ...errors import InputError
from .canvas import PAGE, STYLE, KitFigure, plain_axes, point_style
from .checks import classes, equal_lengths, numbers

__all__ = ["vectors_side_by_side"]

Vectors = npt.NDArray[np.float64]


@rc_context(STYLE)
def vectors_side_by_side(
    vectors: Mapping[str, npt.ArrayLike], true: npt.ArrayLike, *, name: str = "class", title: str = ""
) -> KitFigure:
    """Vectors of the same objects from several sources, on the two principal axes of the first.

    All panels show the same range, so that vectors which say less are seen as the narrower cloud that they are.

    Args:
        vectors: What they are to the vectors [N, D]; the first are the real ones.
        true: Class of each object [N].
        name: What the classes are, for the legend.
        title: What the objects are.

    Raises:
        InputError: If there are no vectors, one is not finite, or lengths differ.
    """
    found, y = {key: numbers(one, key, axes=2) for key, one in vectors.items()}, classes(true, "true")
    if not found:
        raise InputError("vectors_side_by_side: expected the real vectors first, found none.")
    equal_lengths(true=y, **found)
    first = next(iter(found.values()))
    middle = first.mean(axis=0)
    _, strength, axes = np.linalg.svd(first - middle, full_matrices=False)
    share = strength**2 / np.square(strength).sum()
    figure = KitFigure(figsize=(PAGE, 0.9 + PAGE / max(3, len(found))), task="classifiers")
    panels = figure.subplots(1, len(found), sharex=True, sharey=True, squeeze=False)[0]
    for panel, (key, one) in zip(panels, found.items(), strict=True):
        places: Vectors = (one - middle) @ axes[:2].T
        for number, kind in enumerate(np.unique(y)):
            own = y == kind
            panel.plot(*places[own].T, linestyle="", ms=2, alpha=0.6, label=str(kind), **point_style(number))
        spread = np.square(places - places.mean(axis=0)).sum() / np.square((first - middle) @ axes[:2].T).sum()
        plain_axes(panel).set(title=f"{key}\nvariance {spread:.2f} of the real", xlabel=f"axis 1 ({share[0]:.0%})")
    panels[0].set_ylabel(f"axis 2 ({share[1]:.0%} of the variance)")
    figure.suptitle(title, fontsize=8)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, title=name, loc="outside lower left", ncols=len(labels), markerscale=2)
    return figure
