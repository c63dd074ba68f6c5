"""Image classifiers of torchvision and timm by their names."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from ..errors import FileError, UsageError

__all__ = ["named_network", "remove_classifier", "set_in_channels"]

AUXILIARY = ("googlenet", "inception_v3")  # have further classifiers halfway, for training on ImageNet alone


def named_network(name: str, pretrained: bool = False) -> nn.Module:
    """A network for 1000 classes of images of three channels.

    Args:
        name: As in `torchvision.models.list_models`, else as in `timm.list_models`.
        pretrained: With ImageNet weights, which are downloaded where they are not there yet.

    Raises:
        FileError: If the weights cannot be downloaded, or are damaged.
        UsageError: If neither knows the name.
    """
    from torchvision import models

    if name in (names := models.list_models(module=models)):
        return _of_torchvision(name, pretrained)
    import timm

    if not timm.is_model(name):
        close = ", ".join(difflib.get_close_matches(name, [*names, *timm.list_models()])) or "resnet18"
        raise UsageError(f"torchvision and timm have no image network {name!r}. Did you mean: {close}?")
    if not pretrained:
        return timm.create_model(name)
    way_out = f"Run timm.create_model({name!r}, pretrained=True) on a machine with a network and copy its HF_HOME"
    return _trained(name, "timm", lambda: timm.create_model(name, pretrained=True), Path("timm", name), way_out)


def _of_torchvision(name: str, pretrained: bool) -> nn.Module:
    from torchvision import models

    options = {"aux_logits": False, "init_weights": not pretrained} if name in AUXILIARY else {}
    if not pretrained:
        network: nn.Module = models.get_model(name, weights=None, **options)
        return network
    url = models.get_model_weights(name).DEFAULT.url
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    way_out = f"Put the file of {url} there (TORCH_HOME says where)"
    network = _trained(name, "torchvision", lambda: models.get_model(name, weights="DEFAULT", **options), path, way_out)
    if name in AUXILIARY:
        network.transform_input = False  # type: ignore[assignment]  # of three colours scaled as ImageNet's
    return network


def _trained(name: str, source: str, make: Callable[[], nn.Module], path: Path, way_out: str) -> nn.Module:
    """What `make` gives, with where its weights are from.

    Raises:
        FileError: If they cannot be downloaded, or are damaged.
    """
    try:
        network = make()
    except (OSError, RuntimeError) as error:  # no network or a full disk; a file that is not what its name says
        raise FileError(
            path,
            f"the ImageNet weights of {name} could not be had ({error}). {way_out}, or give the encoder "
            "`checkpoint: FILE` or `pretrained: false`.",
        ) from error
    network.weights_from = f"{source}, ImageNet"  # type: ignore[assignment]
    return network


def remove_classifier(network: nn.Module) -> tuple[str, int]:
    """Replaces the last linear layer by nothing and gives its path and the number of its inputs.

    Raises:
        UsageError: If the network does not end in one.
    """
    linear = [(path, layer) for path, layer in network.named_modules() if isinstance(layer, nn.Linear)]
    last_block = list(network.children())[-1]
    if not linear or linear[-1][1] not in last_block.modules():
        raise UsageError(f"{type(network).__name__} does not end in one linear layer that could be removed.")
    path, layer = linear[-1]
    parent, _, name = path.rpartition(".")
    setattr(network.get_submodule(parent), name, nn.Identity())
    return path, layer.in_features


def set_in_channels(network: nn.Module, in_channels: int) -> None:
    """Replaces the convolutions of the image itself; weights trained on three channels are averaged and repeated."""
    for old in _first_convolutions(network):
        if old.in_channels != in_channels:
            mean = old.weight.detach().mean(dim=1, keepdim=True) * old.in_channels / in_channels
            old.weight = nn.Parameter(mean.repeat(1, in_channels, 1, 1))
            old.in_channels = in_channels


def _first_convolutions(network: nn.Module) -> list[nn.Conv2d]:
    """Those that timm names, of which a network may have several side by side; else the first."""
    named = getattr(network, "pretrained_cfg", {}).get("first_conv") or ()
    layers = dict(network.named_modules())
    paths = (named,) if isinstance(named, str) else named
    convolutions = [layers[path] for path in paths] or list(layers.values())
    found = [layer for layer in convolutions if isinstance(layer, nn.Conv2d)]
    return found if paths else found[:1]
