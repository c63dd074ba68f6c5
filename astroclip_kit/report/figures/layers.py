"""What the layers of an encoder make of one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context

from ...errors import InputError
from ...types import Modality
from .canvas import PAGE, STYLE, KitFigure
from .views import draw_view

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage
    from torch import nn

__all__ = ["feature_maps"]

Map = npt.NDArray[np.float32]
ROW = 1.0  # inches
TILE = 1.08  # widths of a map from one to the next
SEEN = "what is seen"
MOST_LINES = 16  # channels of a map along a line that are shown
ENDS = (1, 99)  # per cent of the values that the colours span


@rc_context(STYLE)
def feature_maps(
    encoder: nn.Module,
    view: npt.ArrayLike,
    layers: Sequence[str] = (),
    *,
    modality: Modality | None = None,
    channels: int = 6,
    title: str = "",
) -> KitFigure:
    """Maps of an encoder's layers, a row for each: of one image, or along one spectrum.

    Of each layer those channels are shown whose values differ most from pixel to pixel, in their order; the numbers of
    channels stand above them. A row has one scale of colours, from 1 to 99 % of its values. Along a spectrum a channel
    is a line, less its mean.

    Args:
        encoder: Any encoder.
        view: One raw view [C, H, W] or [C, L], as `Dataset.view` gives it.
        layers: Names, see `map_layers`; by default the last layer of each size of maps, at most five.
        modality: What the view is, to draw it beside the maps.
        channels: How many of each layer, of an image.
        title: Which object and encoder.

    Raises:
        InputError: If the encoder cannot encode the view, has no such layer, the layer's output is no map, or
            `channels` is below 1.
    """
    from ...classifiers import layer_maps

    if channels < 1:
        raise InputError(f"channels is {channels}, expected at least 1.")
    found, raw = layer_maps(encoder, view, layers), np.asarray(view, dtype=np.float32)
    draw = _lines if all(one.ndim == 2 for one in found.values()) else _images
    lines = max(2, len(found) + (draw is _lines and modality is not None))
    figure = KitFigure(figsize=(PAGE, 0.4 + ROW * lines), task="classifiers")
    for axes, (name, one) in zip(draw(figure, found, channels, raw, modality), found.items(), strict=True):
        size = " by ".join(map(str, one.shape))
        axes.set_ylabel(f"{_short(name)}\n{size}", fontsize=7, rotation=0, ha="right", va="center", labelpad=4)
    figure.suptitle(title)
    return figure


def _images(
    figure: KitFigure, found: Mapping[str, Map], channels: int, view: Map, modality: Modality | None
) -> list[Axes]:
    """What is seen at the left, channels side by side; the axes of each layer."""
    right: Any = figure
    if modality is not None:
        left, right = np.asarray(figure.subfigures(1, 2, width_ratios=(1, 3.6))).tolist()
        seen = left.subplots()
        draw_view(seen, view, modality)
        seen.set_title(SEEN, fontsize=7)
    panels: list[Axes] = right.subplots(len(found), 1, squeeze=False)[:, 0].tolist()
    for axes, one in zip(panels, found.values(), strict=True):
        maps = one if one.ndim == 3 else one[:, None]
        chosen, flat = _strongest(maps, channels), maps.shape[1] / maps.shape[2]
        scale = _scale(maps[chosen])
        for left, channel in zip(TILE * np.arange(channels), chosen, strict=False):
            shown = axes.imshow(maps[channel], origin="lower", extent=(left, left + 1, 0, flat), **scale)
            axes.text(left + 0.5, flat, str(channel), fontsize=7, ha="center", va="bottom")
        axes.set(xticks=[], yticks=[], xlim=(0, TILE * channels), ylim=(0, 1.15 * flat), frame_on=False)
        _bar(right, shown, [axes])
    return panels


def _lines(
    figure: KitFigure, found: Mapping[str, Map], channels: int, view: Map, modality: Modality | None
) -> list[Axes]:
    """What is seen above, channels one below the other; the axes of each layer."""
    panels: list[Axes] = figure.subplots(len(found) + (modality is not None), 1, squeeze=False)[:, 0].tolist()
    if modality is not None:
        draw_view(panels[0], view, modality)
        panels[0].set_title(SEEN, fontsize=7)
        panels[0].set_ylabel(panels[0].get_ylabel().replace(" [", "\n["))
        panels = panels[1:]
    for axes, one in zip(panels, found.values(), strict=True):
        off = one - one.mean(axis=1, keepdims=True)
        chosen = _strongest(off, MOST_LINES)
        shown = axes.imshow(off[chosen], aspect="auto", **_scale(off[chosen]))
        axes.set(yticks=[])
        axes.tick_params(labelsize=7)
        _bar(figure, shown, [axes])
    panels[-1].set_xlabel("pixel of the layer, along the spectrum; each channel less its mean", fontsize=7)
    return panels


def _bar(figure: Any, shown: AxesImage, panels: Sequence[Axes]) -> None:
    """The scale of the colours of a row."""
    bar = figure.colorbar(shown, ax=panels, aspect=12, pad=0.01, fraction=0.03)
    bar.set_label("output", fontsize=7)


def _strongest(one: Map, count: int) -> list[int]:
    """Channels whose values differ most, in their order."""
    scatter = one.reshape(len(one), -1).std(axis=1)
    return sorted(np.argsort(-scatter, kind="stable")[:count].tolist())


def _scale(one: Map) -> dict[str, Any]:
    low, high = np.percentile(one[np.isfinite(one)], ENDS) if np.isfinite(one).any() else (0.0, 1.0)
    return {"cmap": "cividis", "vmin": float(low), "vmax": float(max(high, low + 1e-12)), "interpolation": "nearest"}


def _short(name: str) -> str:
    return name if len(name) <= 18 else "…" + name[-17:]
