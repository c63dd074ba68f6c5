"""What is wrong with a figure that is to stand in a paper of two columns: every fault in words."""

import math
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis, Tick
from matplotlib.figure import Figure, SubFigure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from astroclip_kit.report.figures.canvas import COLUMN, PAGE

SMALLEST = 6  # points
TALLEST = 9.4  # inches; what a page holds above a caption
TOUCH = 0.6  # points that two boxes may share: the room that a font keeps around its letters


def faults(figure: Figure, folder: Path) -> list[str]:
    """Of the files it gives, and of what lies where in it."""
    size = figure.get_size_inches()
    found = [f"{size[0]:.2f} inches wide"] if min(abs(size[0] - width) for width in (COLUMN, PAGE)) > 1e-6 else []
    found += [f"{size[1]:.2f} inches tall"] if size[1] > TALLEST else []
    figure.set_dpi(72)  # a pixel is a point
    figure.savefig(folder / "a.pdf")
    figure.savefig(folder / "a.svg")
    figure.draw_without_rendering()
    texts = list(_written(figure))
    found += _files((folder / "a.pdf").read_bytes(), (folder / "a.svg").read_text(), texts)
    found += [f"{one.get_text()!r}: {one.get_fontsize()} pt" for one in texts if one.get_fontsize() < SMALLEST]
    panels = [axes for axes in figure.findobj(Axes) if axes.get_visible() and (axes.axison or axes.texts)]
    return [
        *found,
        *_beyond(figure, texts),
        *_overlaps(texts),
        *_panels(panels, texts),
        *_hidden(panels),
        *_unnamed(figure),
    ]


def labels(figure: Figure) -> list[str]:
    """What stands at the axes, and at those that several panels share."""
    own = [text for axes in figure.findobj(Axes) for text in (axes.get_xlabel(), axes.get_ylabel())]
    return [*own, *(text for part in _parts(figure) for text in (part.get_supxlabel(), part.get_supylabel()))]


def _parts(figure: Figure) -> list[Figure | SubFigure]:
    return [figure, *figure.findobj(SubFigure)]


def _files(pdf: bytes, svg: str, texts: list[Text]) -> Iterator[str]:
    """Fonts are embedded as Type 42, which PDF calls a Type 0 font of TrueType outlines; letters are no shapes."""
    if b"/Type3" in pdf or b"/CIDFontType2" not in pdf or b"/FontFile2" not in pdf:
        yield "the PDF has fonts that are not embedded as Type 42"
    if svg.count("<text") < len(texts):
        yield f"the SVG has {svg.count('<text')} texts of {len(texts)}"


def _written(figure: Figure) -> Iterator[Text]:
    """Every text that is drawn, without the tick labels that matplotlib keeps beyond the ends of an axis."""
    every = figure.findobj(Axes)
    left_out = {text for axes in every if not (axes.get_visible() and axes.axison) for text in _ticks_of(axes)}
    for axes in every:
        for axis in (axes.xaxis, axes.yaxis):
            drawn = {label for tick in axis._update_ticks() for label in (tick.label1, tick.label2)}
            left_out |= {label for tick in _ticks(axis) for label in (tick.label1, tick.label2)} - drawn
    for text in figure.findobj(Text):
        if text.get_text().strip() and text.get_visible() and text not in left_out:
            yield text


def _ticks(axis: Axis) -> list[Tick]:
    return [*axis.get_major_ticks(), *axis.get_minor_ticks()]


def _ticks_of(axes: Axes) -> list[Text]:
    return [text for axis in (axes.xaxis, axes.yaxis) for text in axis.findobj(Text)]


def _box(text: Text) -> Bbox:
    box = Text.get_window_extent(text)  # an annotation's own would hold its arrow
    return Bbox.from_extents(box.x0 + TOUCH, box.y0 + TOUCH, box.x1 - TOUCH, box.y1 - TOUCH)


def _beyond(figure: Figure, texts: list[Text]) -> Iterator[str]:
    width, height = figure.bbox.width, figure.bbox.height
    for text in texts:
        box = _box(text)
        if min(box.x0, box.y0, width - box.x1, height - box.y1) < 0:
            yield f"{text.get_text()!r} reaches beyond the figure"


def _overlaps(texts: list[Text]) -> Iterator[str]:
    boxes = [_box(text) for text in texts]
    for (one, box), (other, beside) in combinations(zip(texts, boxes, strict=True), 2):
        if box.overlaps(beside) and not _apart(one, other):
            yield f"{one.get_text()!r} lies on {other.get_text()!r}"


def _apart(one: Text, other: Text) -> bool:
    """Whether two slanted lines of text pass each other, though the boxes around them do not."""
    angle = one.get_rotation()
    if angle % 90 == 0 or angle != other.get_rotation():
        return False
    (x, y), (u, v) = (text.get_transform().transform(text.get_position()) for text in (one, other))
    slant = math.radians(angle)
    return abs((u - x) * math.sin(slant) - (v - y) * math.cos(slant)) >= 0.95 * one.get_fontsize()


def _panels(panels: list[Axes], texts: list[Text]) -> Iterator[str]:
    """No panel lies on another, nor does what is written at one, or at none."""
    owners = {text: axes for axes in panels for text in axes.findobj(Text)}
    frames = [axes.get_window_extent().padded(-TOUCH) for axes in panels]
    for (one, frame), (other, beside) in combinations(zip(panels, frames, strict=True), 2):
        if frame.overlaps(beside):
            yield f"panel {_called(one)} lies on {_called(other)}"
    for axes, frame in zip(panels, frames, strict=True):
        for text in texts:
            if owners.get(text) is not axes and frame.overlaps(_box(text)):
                yield f"{text.get_text()!r} lies on panel {_called(axes)}"


def _called(axes: Axes) -> str:
    return repr(axes.get_title() or axes.get_ylabel() or axes.get_xlabel() or axes.get_position().bounds)


def _hidden(panels: list[Axes]) -> Iterator[str]:
    """What a legend covers."""
    for axes in panels:
        legend = axes.get_legend()
        box = legend.get_window_extent().padded(-TOUCH) if legend else None
        for drawn in [*axes.lines, *axes.collections] if box else ():
            points = _points(drawn)
            if (inside := sum(box.contains(*point) for point in points)) > 0:
                yield f"the legend of {_called(axes)} covers {inside} points"


def _points(drawn: object) -> np.ndarray:
    """Where a line runs, or points lie, in pixels [N, 2]."""
    if hasattr(drawn, "get_offsets") and len(drawn.get_offsets()) > 1:
        return drawn.get_offset_transform().transform(drawn.get_offsets())
    if not hasattr(drawn, "get_xydata") or not len(drawn.get_xydata()):
        return np.empty((0, 2))
    path = drawn.get_transform().transform(drawn.get_xydata())
    if len(path) < 2 or drawn.get_linestyle() == "None":
        return path
    steps = np.linspace(0, len(path) - 1, max(len(path), 200))
    return np.stack([np.interp(steps, np.arange(len(path)), one) for one in path.T], axis=1)


def _unnamed(figure: Figure) -> Iterator[str]:
    """Axes with numbers that no label stands at: their own, one of the same row or column, or one for all panels."""
    shared = {side: any(getattr(part, f"get_sup{side}label")() for part in _parts(figure)) for side in "xy"}
    every = [axes for axes in figure.findobj(Axes) if axes.get_visible() and axes.axison]
    for axes in every:
        for side in "xy":
            axis = getattr(axes, f"{side}axis")
            ticks = [text.get_text() for text in axis.get_ticklabels() if text.get_visible() and text.get_text()]
            if not any(map(_number, ticks)) or shared[side]:
                continue
            if not any(getattr(other, f"get_{side}label")() and _beside(axes, other) for other in every):
                yield f"panel {_called(axes)} has no {side} label"


def _beside(one: Axes, other: Axes) -> bool:
    """Whether two panels stand in one row or column."""
    (a, b), (c, d) = one.get_position().intervalx, one.get_position().intervaly
    (e, f), (g, h) = other.get_position().intervalx, other.get_position().intervaly
    return (abs(a - e) < 0.01 and abs(b - f) < 0.01) or (abs(c - g) < 0.01 and abs(d - h) < 0.01)


def _number(text: str) -> bool:
    return text.replace("\N{MINUS SIGN}", "-").replace("$", "").lstrip("-").replace(".", "").isdigit()
