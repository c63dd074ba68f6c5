"""Where north and east are on an image, drawn and in words."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["Compass", "north_told"]

UP = "North is up, east to the left."
UNKNOWN = "The orientation of this cutout is not recorded."
LETTER = 1.4  # how far the letters are, in arms


def north_told(north: float) -> str:
    """Where north is, in a sentence.

    Args:
        north: Degrees counter-clockwise from up, NaN where nobody knows.

    Example:
        >>> north_told(-30.0)
        'North is 30° to the right of up, and east 90° to the left of north.'
    """
    if math.isnan(north):
        return UNKNOWN
    side = "left" if north > 0 else "right"
    return f"North is {abs(north):.3g}° to the {side} of up, and east 90° to the left of north." if north else UP


class Compass:
    """Arrows to the north and the east in the upper right corner of an image, white with a dark edge.

    Args:
        figure: The drawing, with the middle of the image at 0, 0.
        wide: Width of the image.
        high: Its height.
    """

    def __init__(self, figure: Any, wide: float, high: float) -> None:
        from bokeh.models import Arrow, VeeHead

        self._right, self._top, self._arm = 0.43 * wide, 0.4 * high, 0.14 * min(wide, high)
        self._arrows, self._letters = [], []
        for name in ("N", "E"):
            head = VeeHead(size=8, fill_color="white", line_color="white")
            arrow = Arrow(name=name, end=head, line_color="white", line_width=2, visible=False)
            figure.add_layout(arrow)
            self._arrows.append(arrow)
            style = {"text_font_size": "12px", "text_align": "center", "text_baseline": "middle", "visible": False}
            self._letters.append(
                [
                    figure.text([0], [0], [name], text_color=colour, x_offset=away, y_offset=away, **style)
                    for away, colour in ((1, "black"), (0, "white"))  # on a shadow, to be read on sky and on stars
                ]
            )

    def point(self, north: float) -> None:
        """Turns it, or takes it away.

        Args:
            north: Degrees counter-clockwise from up, NaN where nobody knows.
        """
        known = math.isfinite(north)
        angles = [math.radians(north + more) for more in (0, 90)] if known else [0.0, 0.0]
        ends = [(-self._arm * math.sin(angle), self._arm * math.cos(angle)) for angle in angles]
        x = self._right - max(0.0, *(across for across, _ in ends))
        y = self._top - max(0.0, *(up for _, up in ends))
        for (across, up), arrow, letters in zip(ends, self._arrows, self._letters, strict=True):
            arrow.update(visible=known, x_start=x, y_start=y, x_end=x + across, y_end=y + up)
            for letter in letters:
                letter.visible = known
                letter.data_source.data.update(x=[x + LETTER * across], y=[y + LETTER * up])
