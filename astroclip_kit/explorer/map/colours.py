"""How a column becomes colours: numbers in viridis, classes in the colours of the figures, and what is missing grey."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from bokeh.palettes import Viridis256

from ...report.figures.canvas import COLOURS
from ..columns import LARGEST, Column
from .plane import blocks

__all__ = ["MISSING", "OTHERS", "PLAIN", "SIGNS", "Colouring", "rgb"]

PLAIN = "#0072B2"  # of an object where nothing colours it
MISSING, OTHERS = "#c8c8c8", "#7a7a7a"
SIGNS = {
    "circle": "●",
    "square": "■",
    "triangle": "▲",
    "diamond": "◆",
    "inverted_triangle": "▼",
    "plus": "✚",
    "star": "★",
    "hex": "⬢",
}
OTHER_SHAPE, *SHAPES = "hex", "circle", "square", "triangle", "diamond", "inverted_triangle", "plus", "star"
AGAIN = ((0, "triangle"), (1, "circle"), (2, "square"), (3, "plus"))  # colours of the first few, in other shapes
PAIRS = (*zip(COLOURS, SHAPES, strict=True), *((COLOURS[place], shape) for place, shape in AGAIN))
ROBUST = (1, 99)  # per cent of the values that the colours span
SAMPLE = 1_000_000  # values that tell the span well enough


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of "#rrggbb"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@dataclass(frozen=True)
class Colouring:
    """The colours of the map.

    Args:
        column: What colours it; None for one colour.
        most: How many classes are told from each other: of points colour and shape tell, of pixels colour alone.
    """

    column: Column | None = None
    most: int = len(PAIRS)

    @cached_property
    def of_pixels(self) -> Colouring:
        """The same where there is no shape."""
        return self if len(self.names) <= len(COLOURS) else Colouring(self.column, len(COLOURS))

    @property
    def kind(self) -> str:
        """What makes the colours: "plain", "number" or "class"."""
        return "plain" if self.column is None else "class" if self.column.is_class else "number"

    @property
    def name(self) -> str:
        """Name of the column, "" for none."""
        return self.column.name if self.column else ""

    def measure(self) -> None:
        """Goes through the column once, so that nothing of it is left to be done in the page's turn."""
        _ = self.missing, self.kind == "number" and self.beyond

    @cached_property
    def missing(self) -> int:
        """How many objects have no value."""
        if self.column is None:
            return 0
        if self.kind == "class":
            return int((self.column.codes < 0).sum())
        return sum(int(np.isnan(self.numbers(part)).sum()) for part in blocks(len(self.column.values)))

    @property
    def _sample(self) -> npt.NDArray[np.float64]:
        """Known values of objects all over the space."""
        assert self.column is not None
        values = self.numbers(slice(None, None, -(-len(self.column.values) // SAMPLE)))
        return values[np.isfinite(values)]

    @cached_property
    def beyond(self) -> tuple[bool, bool]:
        """Whether there are values below the first and above the last colour, which have these."""
        known = self._sample
        return bool((known < self.span[0]).any()), bool((known > self.span[1]).any())

    @cached_property
    def span(self) -> tuple[float, float]:
        """Values of the first and of the last colour: from 1 to 99 % of what is known."""
        known = self._sample
        low, high = np.percentile(known, ROBUST) if len(known) else (0.0, 1.0)
        return (float(low), float(high)) if high > low else (float(low) - 0.5, float(low) + 0.5)

    @cached_property
    def names(self) -> list[str]:
        """Classes that are told from each other: all, or the most frequent where there are more."""
        classes = self.column.classes if self.column and self.kind == "class" else []
        return classes if len(classes) <= self.most else classes[: self.most - 1]

    @property
    def palette(self) -> list[str]:
        """Colours of the classes, of all others, and of what has no class."""
        return [*(colour for colour, _ in PAIRS[: len(self.names)]), OTHERS, MISSING]

    @property
    def shapes(self) -> list[str]:
        """Markers of the classes, of all others, and of what has no class."""
        return [*(shape for _, shape in PAIRS[: len(self.names)]), OTHER_SHAPE, SHAPES[0]]

    def numbers(self, rows: slice | npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Values of a column of numbers; NaN where missing."""
        assert self.column is not None
        values = np.asarray(self.column.values[rows], dtype=np.float64)
        return np.where(np.abs(values) < LARGEST, values, np.nan)

    def codes(self, rows: slice | npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
        """Place in `palette` of the classes of rows."""
        assert self.column is not None
        codes, others = self.column.codes[rows], len(self.names)
        return np.where(codes < 0, others + 1, np.minimum(codes, others)).astype(np.int8)

    def of(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Colour of each row: red, green, blue [n, 3]."""
        if self.kind == "plain":
            return np.tile(np.array(rgb(PLAIN), np.uint8), (len(rows), 1))
        if self.kind == "class":
            return np.array([rgb(one) for one in self.palette], np.uint8)[self.codes(rows)]
        values, (low, high) = self.numbers(rows), self.span
        place = (255.999 * np.nan_to_num((values - low) / (high - low)).clip(0, 1)).astype(np.int64)
        table = np.array([rgb(one) for one in (*Viridis256, MISSING)], np.uint8)
        return table[np.where(np.isnan(values), 256, place)]

    def markers(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """Marker of each row: one for each class, so that colour does not decide alone."""
        if self.kind != "class":
            return [SHAPES[0]] * len(rows)
        return [self.shapes[code] for code in self.codes(rows).tolist()]

    def told(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """Value of each row as text, with its unit."""
        if self.column is None:
            return [""] * len(rows)
        if self.kind == "class":
            classes = [*self.column.classes, "unknown"]
            return [classes[code] for code in self.column.codes[rows].tolist()]
        values = self.numbers(rows).tolist()
        return [f"{one:.4g} {self.column.unit}".rstrip() if one == one else "unknown" for one in values]
