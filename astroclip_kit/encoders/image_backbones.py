"""Any image classifier of torchvision as an encoder."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Self

import torch
from torch import nn

from ..errors import FileError, UsageError
from ..transforms.compose import Compose, Transform
from ..transforms.images import Asinh
from ..types import Modality
from .checkpoints import fill, read_checkpoint, under
from .layers import check_kind, select_bands

__all__ = ["ImageBackbone"]


def _remove_classifier(network: nn.Module) -> tuple[str, int]:
    """Replaces the last linear layer by nothing and gives its path and the number of its inputs."""
    linear = [(path, layer) for path, layer in network.named_modules() if isinstance(layer, nn.Linear)]
    last_block = list(network.children())[-1]
    if not linear or linear[-1][1] not in last_block.modules() or hasattr(network, "aux_logits"):
        raise UsageError(f"{type(network).__name__} does not end in one linear layer that could be removed.")
    path, layer = linear[-1]
    parent, _, name = path.rpartition(".")
    setattr(network.get_submodule(parent), name, nn.Identity())
    return path, layer.in_features


def _pretrained(name: str) -> nn.Module:
    """A network with torchvision's ImageNet weights, which are downloaded where they are not there yet.

    Raises:
        FileError: If they cannot be downloaded, or are damaged.
    """
    from torchvision import models

    try:
        network: nn.Module = models.get_model(name, weights="DEFAULT")
    except (OSError, RuntimeError) as error:  # no network or a full disk; a file that is not what its name says
        url = models.get_model_weights(name).DEFAULT.url
        raise FileError(
            Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2],
            f"the ImageNet weights of {name} could not be had ({error}). Put the file of {url} there (TORCH_HOME says "
            "where), or give the encoder `checkpoint: FILE` or `pretrained: false`.",
        ) from error
    network.weights_from = "torchvision, ImageNet"  # type: ignore[assignment]
    return network


def _set_in_channels(network: nn.Module, in_channels: int) -> None:
    """Replaces the first convolution; weights trained on three channels are averaged and repeated."""
    old = next(layer for layer in network.modules() if isinstance(layer, nn.Conv2d))
    if old.in_channels == in_channels:
        return
    mean = old.weight.detach().mean(dim=1, keepdim=True) * old.in_channels / in_channels
    old.weight = nn.Parameter(mean.repeat(1, in_channels, 1, 1))
    old.in_channels = in_channels


def _fill(network: nn.Module, name: str, classifier: str, path: str) -> None:
    """Reads weights for any number of classes and bands, under any prefix."""
    tensors = under(read_checkpoint(path), "encoder_q.")  # not the momentum encoder beside it
    first = next(iter(network.state_dict()))
    prefix = next((name.removesuffix(first) for name in tensors if f".{name}".endswith(f".{first}")), None)
    if prefix is not None:
        inside = {name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)}
        tensors = {name: one for name, one in inside.items() if not name.startswith(f"{classifier}.")}
        if tensors[first].ndim == 4:
            _set_in_channels(network, tensors[first].shape[1])
    fill(network, tensors, path, name)


class ImageBackbone(nn.Module):
    """A network of torchvision by name, without its classifier, for any number of bands.

    Args:
        name: As in `torchvision.models.list_models`, e.g. "resnet18", "convnext_tiny", "efficientnet_b0".
        in_channels: Number of bands.
        pretrained: Starts from torchvision's ImageNet weights, which are downloaded once. A saved copy of the
            encoder brings its own weights and does not download again, so the attribute is False afterwards.
        preprocess: What is done to images [B, in_channels, H, W] first; by default `Asinh`, which also fills missing
            pixels.
        checkpoint: A file of weights under torchvision's names, which for ResNets are timm's as well, of any number
            of classes and bands, read once; None afterwards.

    Raises:
        FileError: If the checkpoint cannot be read, or holds another network; if weights cannot be downloaded.
        UsageError: If torchvision has no such network, or it does not end in a linear layer.

    Example:
        >>> encoder = ImageBackbone("resnet18", in_channels=5)
        >>> encoder(torch.zeros(2, 5, 64, 64)).shape, encoder.out_features
        (torch.Size([2, 512]), 512)
    """

    def __init__(
        self,
        name: str,
        in_channels: int = 3,
        pretrained: bool = False,
        preprocess: Transform | None = None,
        checkpoint: str | None = None,
    ) -> None:
        super().__init__()
        from torchvision import models

        names = models.list_models(module=models)
        if name not in names:
            close = ", ".join(difflib.get_close_matches(name, names)) or "resnet18"
            raise UsageError(f"torchvision has no image network {name!r}. Did you mean: {close}?")
        self.name, self.in_channels, self.pretrained, self.checkpoint = name, in_channels, False, None
        self.preprocess = preprocess if preprocess is not None else Asinh()
        self.network = _pretrained(name) if pretrained else models.get_model(name, weights=None)
        classifier, self.out_features = _remove_classifier(self.network)
        if checkpoint is not None:
            _fill(self.network, name, classifier, checkpoint)
        _set_in_channels(self.network, in_channels)

    @classmethod
    def from_checkpoint(cls, name: str, path: str, **arguments: Any) -> Self:
        """With the weights of a file, for three bands if `in_channels` says nothing else.

        Args:
            name: Of the network, as torchvision calls it.
            path: The file.
            arguments: Of the constructor.

        Raises:
            FileError: If the file cannot be read, or holds another network.
        """
        return cls(name, checkpoint=str(path), **arguments)

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """Sized for the bands of an image modality; inverse variances are left out."""
        check_kind(modality, "image", cls)
        preprocess = Compose([*select_bands(modality), Asinh()])
        defaults = {"name": "resnet18", "in_channels": len(modality.image_bands), "preprocess": preprocess}
        return cls(**{**defaults, **arguments})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of images [B, in_channels, H, W]."""
        features: torch.Tensor = self.network(x)
        return features
