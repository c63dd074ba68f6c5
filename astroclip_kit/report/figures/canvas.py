"""What all figures share: size, fonts and colours."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = [
    "COLOURS", "COLUMN", "LETTER", "NONE", "PAGE", "STYLE", "VEIL", "KitFigure", "column_or_page", "encoded",
    "line_style", "picture", "plain_axes", "point_style", "rows_axes",
]  # fmt: skip

LARGEST_SVG = 400_000  # bytes; a figure of more strokes than that is smaller as pixels
COLUMN, PAGE = 3.35, 6.95  # inches: one column, and the width of a two-column page
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe & Ito (2008)
LETTER = 0.062  # inches of a digit, and of a letter on average
DASHES = ("-", "--", ":", "-.")
MARKERS = "os^DvP"
NONE = "#b8b8b8"  # of what has no value, or no cluster
VEIL = {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 1.0}  # behind text that may lie on something
STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "figure.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.2,
    "pdf.fonttype": 42,  # text stays text
    "svg.fonttype": "none",
    "svg.hashsalt": "astroclip_kit",
    "savefig.dpi": 300,  # of what is rasterised
}


class KitFigure(Figure):
    """A figure in the size and the fonts of a journal, that shows itself in a notebook without pyplot.

    Args:
        task: Task of the results that it belongs to, which is its section of a report.
        settings: As of a matplotlib `Figure`.

    Example:
        >>> KitFigure(figsize=(2, 1))._repr_png_()[1:4]
        b'PNG'
    """

    def __init__(self, *args: Any, task: str = "", **settings: Any) -> None:
        self.task = task
        super().__init__(*args, **{"layout": "constrained", **settings})

    def savefig(self, *args: Any, **settings: Any) -> None:
        """Writes the figure, in PDF and SVG with text as text."""
        with rc_context(STYLE):
            super().savefig(*args, **settings)

    def _repr_png_(self) -> bytes:
        return encoded(self, "png", dpi=130)


def encoded(figure: Figure, kind: str, dpi: int = 200) -> bytes:
    """The bytes of a "png", "svg" or "pdf" file; the same figure gives the same bytes.

    Args:
        figure: Any figure.
        kind: The format.
        dpi: Pixels per inch, of what is made of pixels.
    """
    buffer = io.BytesIO()
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with rc_context(STYLE):
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=undated)
    return buffer.getvalue()


def picture(figure: Figure) -> tuple[str, bytes]:
    """A figure as it goes on a page and into a folder: "svg", or "png" where strokes would take more room.

    The figure is drawn once; ask only when it is finished.

    Returns:
        The ending and the bytes of the file.
    """
    kept: tuple[str, bytes] | None = getattr(figure, "_kit_picture", None)
    if kept is None:
        image = encoded(figure, "svg")
        kept = ("svg", image) if len(image) <= LARGEST_SVG else ("png", encoded(figure, "png"))
        figure._kit_picture = kept  # type: ignore[attr-defined]
    return kept


def column_or_page(inches: float) -> float:
    """The width of a figure that needs so much: one column where that is enough."""
    return COLUMN if inches <= COLUMN else PAGE


def line_style(number: int) -> dict[str, Any]:
    """Colour and dashes of one of several lines: no two of 28 are the same, nor of four that are printed in grey."""
    return {"color": COLOURS[number % len(COLOURS)], "linestyle": DASHES[number % len(DASHES)]}


def point_style(number: int) -> dict[str, Any]:
    """Colour and shape of one of several kinds of points: no two of 42 are the same, nor of six printed in grey."""
    return {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}


def rows_axes(axes: Axes, labels: Sequence[str], quantity: str) -> None:
    """A row for each label from top to bottom, at 0, 1, ..., and grey lines where the numbers are."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set(ylim=(len(labels) - 0.4, -0.6), xlabel=quantity)
    plain_axes(axes).grid(axis="x", color="0.9", linewidth=0.5)
    axes.set_axisbelow(True)


def plain_axes(axes: Axes) -> Axes:
    """Takes away the upper and the right frame line and makes the numbers small enough for a column."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=STYLE["xtick.labelsize"], width=0.6, length=2.5)
    return axes
