"""What all figures share: size, fonts and colours."""

from __future__ import annotations

import io
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["COLOURS", "KitFigure", "encoded", "picture", "plain_axes"]

LARGEST_SVG = 400_000  # bytes; a figure of more strokes than that is smaller as pixels
MOST_AXES = 4  # panels of cutouts and spectra are drawn faster as pixels
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe & Ito (2008)


class KitFigure(Figure):
    """A figure that shows itself in a notebook without pyplot.

    Example:
        >>> KitFigure(figsize=(2, 1))._repr_png_()[1:4]
        b'PNG'
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **{"layout": "constrained", **settings})

    def _repr_png_(self) -> bytes:
        return encoded(self, "png", dpi=100)


def encoded(figure: Figure, kind: str, dpi: int = 150) -> bytes:
    """The bytes of a "png" or "svg" file; the same figure gives the same bytes.

    Args:
        figure: Any figure.
        kind: "png" or "svg".
        dpi: Pixels per inch, of what is made of pixels.
    """
    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "astroclip_kit", "svg.fonttype": "path"}):
        figure.savefig(buffer, format=kind, dpi=dpi, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


def picture(figure: Figure) -> tuple[str, bytes]:
    """A figure as it goes on a page and into a folder: "svg", or "png" where strokes would take more room.

    The figure is drawn once; ask only when it is finished.

    Returns:
        The ending and the bytes of the file.
    """
    kept: tuple[str, bytes] | None = getattr(figure, "_kit_picture", None)
    if kept is None:
        image = encoded(figure, "svg") if len(figure.axes) <= MOST_AXES else b""
        kept = ("svg", image) if 0 < len(image) <= LARGEST_SVG else ("png", encoded(figure, "png"))
        figure._kit_picture = kept  # type: ignore[attr-defined]
    return kept


def plain_axes(axes: Axes) -> Axes:
    """Takes away the upper and the right frame line and makes the text small enough for a page."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=8)
    return axes
