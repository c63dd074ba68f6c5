"""The fusions by the names that settings give them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import torch
from torch import nn

from ..errors import UsageError
from ..models import build
from .fusion import CrossAttentionFusion

__all__ = ["METHODS", "make_fusion"]

METHODS = {
    "fusion": "fusion.CrossAttentionFusion",
    "early_add": "early_fusion.EarlyAdd",
    "early_concat": "early_fusion.EarlyConcat",
    "concat_linear": "early_fusion.EarlyConcat",
    "concat_mlp": "early_fusion.EarlyConcat",
    "vgg1d": "early_fusion.VGG1DFusion",
    "linear": "early_fusion.PooledLinear",
    "mean_embedding": "mean_embedding.MeanEmbedding",
}
USUAL: dict[str, dict[str, Any]] = {"concat_mlp": {"hidden_features": [128], "dropout": 0.3}}  # arguments of a name


def make_fusion(
    shapes: Mapping[str, tuple[int, int]],
    classes: int,
    method: str = "fusion",
    part: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> nn.Module:
    """A fusion with random weights, sized for tokens.

    Args:
        shapes: Modality to number of tokens T and their width D.
        classes: Number of classes.
        method: One of `METHODS`, or any name for the class that `part` gives.
        part: ``init_args``, and ``class_path`` of a class of your own, which is given ``in_features`` and ``classes``
            first. Of a cross-attention of two modalities, the spectrum is asked by the other where it is not said; its
            ``positions: true`` stands for the numbers of tokens.
        seed: Of the weights.

    Raises:
        UsageError: If the method is unknown, or does not take the arguments.

    Example:
        >>> fusion = make_fusion({"magnitudes": (1, 8), "spectrum": (15, 16)}, 5, "early_add")
        >>> fusion({"magnitudes": torch.zeros(2, 1, 8), "spectrum": torch.zeros(2, 15, 16)}).shape
        torch.Size([2, 5])
    """
    part = dict(part or {})
    if unknown := sorted(set(part) - {"class_path", "init_args"}):
        raise UsageError(f"fusion: expected init_args, and class_path for a class of your own, found {unknown[0]!r}.")
    if method not in METHODS and "class_path" not in part:
        raise UsageError(f"method is {method!r}, expected one of {', '.join(METHODS)}, or a class_path in fusion.")
    path = part.get("class_path") or f"{__package__}.{METHODS[method]}"
    arguments = dict(part.get("init_args") or {})
    if path.rpartition(".")[2] == CrossAttentionFusion.__name__:
        arguments = {**_asked(shapes), **arguments}
        if arguments.get("positions") is True:
            arguments["positions"] = {name: count for name, (count, _) in shapes.items()}
    if "class_path" not in part:
        arguments = {**USUAL.get(method, {}), **arguments}
    own = {"in_features": {name: width for name, (_, width) in shapes.items()}, "classes": classes}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if method in METHODS and "class_path" not in part:
            _check_arguments(method, arguments)
        fusion: nn.Module = build({"class_path": path, "init_args": {**own, **arguments}}, trusted=True)
    return fusion


def _check_arguments(method: str, arguments: Mapping[str, Any]) -> None:
    """Refuses arguments of another method, as are left when the method alone is changed."""
    module, name = METHODS[method].split(".")
    taken = list(inspect.signature(getattr(import_module(f".{module}", __package__), name)).parameters)[2:]
    if unknown := [one for one in arguments if one not in taken]:
        raise UsageError(
            f"fusion: the method {method!r} takes no {unknown[0]!r}; it takes {', '.join(taken) or 'no arguments'}. "
            f"Leave out classification.fusion, or give it arguments of this method."
        )


def _asked(shapes: Mapping[str, Any]) -> dict[str, str]:
    """Which of two modalities asks which."""
    if len(shapes) != 2:
        return {}
    first, second = shapes
    keys = first if first == "spectrum" else second
    return {"queries": second if keys == first else first, "keys": keys}
