"""What the layers of an encoder make of one view: maps that keep the pixels side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..errors import InputError
from .tokens import encode_views

__all__ = ["layer_maps", "map_layers"]

Map = npt.NDArray[np.float32]
ALONG = (nn.Conv1d, nn.BatchNorm1d, nn.MaxPool1d, nn.AvgPool1d, nn.AdaptiveAvgPool1d)  # work along a line [B, C, L]
USUAL = 5  # layers that are shown where none is named
NAMED = 12  # layers that a message names


def map_layers(encoder: nn.Module, view: npt.ArrayLike) -> dict[str, tuple[int, ...]]:
    """Layers whose output is a map, in the order in which they finish, with its shape.

    Args:
        encoder: Any encoder.
        view: One raw view, as `Dataset.view` gives it: [C, H, W] of an image, [C, L] of a spectrum.

    Returns:
        Name, as in ``encoder.named_modules()``, to channels and pixels: (64, 20, 20), or (64, 500) along a line.

    Raises:
        InputError: If the encoder cannot encode the view.

    Example:
        >>> encoder = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> map_layers(encoder, np.ones((3, 16, 16)))
        {'0': (8, 14, 14), '1': (8, 14, 14)}
    """
    return {name: tuple(found.shape) for name, found in _run(encoder, view)[0].items()}


def layer_maps(encoder: nn.Module, view: npt.ArrayLike, layers: Sequence[str] = ()) -> dict[str, Map]:
    """Maps of one view, by layer.

    Of a layer that is used several times it is the last output.

    Args:
        encoder: Any encoder.
        view: One raw view [C, H, W] or [C, L]; it is preprocessed as the encoder asks.
        layers: Names, see `map_layers`; by default the last layer of each size of maps, at most five.

    Returns:
        Layer to its map, float32 [channels, H, W] or [channels, L].

    Raises:
        InputError: If the encoder cannot encode the view, has no such layer, or the layer's output is no map.
    """
    maps, shapes = _run(encoder, view)
    if not maps:
        raise InputError(f"no layer of {type(encoder).__name__} gives a map of pixels: it has none to show.")
    for name in layers:
        if name not in maps:
            known = dict(encoder.named_modules())
            found = f"{name!r} of {type(encoder).__name__} gives {shapes.get(name, 'nothing here')}, which is no map"
            unknown = f"{type(encoder).__name__} has no layer {name!r}"
            raise InputError(f"layers: {found if name in known else unknown}. Maps are given by {_told([*maps])}.")
    return {name: maps[name] for name in layers or _usual(maps)}


def _usual(maps: dict[str, Map]) -> list[str]:
    """The last layer of each size of maps; of many sizes some from the first to the last."""
    last = {found.shape[1:]: name for name, found in maps.items()}
    names = sorted(last.values(), key=[*maps].index)
    chosen = np.unique(np.linspace(0, len(names) - 1, USUAL).round().astype(int))
    return [names[one] for one in chosen]


def _told(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more, see map_layers" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _run(encoder: nn.Module, view: npt.ArrayLike) -> tuple[dict[str, Map], dict[str, str]]:
    """Maps by layer, and in words the shape of what every layer gave."""
    x = torch.from_numpy(np.ascontiguousarray(view, dtype=np.float32))[None]
    place = next((one.device for one in encoder.parameters()), x.device)
    maps: dict[str, Map] = {}
    shapes: dict[str, str] = {}

    def keep(name: str, module: nn.Module, output: Any) -> None:
        for told in (maps, shapes):
            told.pop(name, None)
        shapes[name] = f"[{', '.join(map(str, output.shape))}]" if isinstance(output, Tensor) else type(output).__name__
        if isinstance(output, Tensor) and (found := _map(module, output)) is not None:
            maps[name] = found.float().cpu().numpy().copy()  # the next layer may work in place

    hooks = [
        module.register_forward_hook(lambda own, _, output, name=name: keep(name, own, output))
        for name, module in encoder.named_modules()
        if name
    ]
    was_training = encoder.training
    try:
        with torch.inference_mode():
            encode_views(encoder.eval(), x.to(place))
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise InputError(
            f"{type(encoder).__name__} cannot encode a view of shape {tuple(x.shape[1:])}: {error}"
        ) from error
    finally:
        encoder.train(was_training)
        for hook in hooks:
            hook.remove()
    return maps, shapes


def _map(module: nn.Module, output: Tensor) -> Tensor | None:
    """The map [C, H, W] or [C, L] that a layer gave; None of features, tokens and single pixels."""
    if output.ndim == 4 and output.shape[-1] > 1:
        found = output.flatten(0, 1)  # channels of bands or segments that go through the encoder one by one
        return found[:, 0] if found.shape[1] == 1 else found
    along = isinstance(module, ALONG) or any(isinstance(one, nn.Conv1d) for one in module.modules())
    return output.flatten(0, 1) if output.ndim == 3 and along and output.shape[-1] > 1 else None
