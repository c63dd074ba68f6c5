"""Any image classifier of torchvision or timm as an encoder."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import nn

from ..transforms.compose import Compose, Transform
from ..transforms.images import Asinh
from ..types import Modality
from .checkpoints import fill, read_checkpoint, under
from .layers import check_kind, select_bands
from .named_networks import named_network, remove_classifier, set_in_channels

__all__ = ["ImageBackbone"]


def _fill(network: nn.Module, name: str, classifier: str, path: str) -> None:
    """Reads weights for any number of classes and bands, under any prefix."""
    tensors = under(read_checkpoint(path), "encoder_q.")  # not the momentum encoder beside it
    first = next(iter(network.state_dict()))
    prefix = next((name.removesuffix(first) for name in tensors if f".{name}".endswith(f".{first}")), None)
    if prefix is not None:
        inside = {name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)}
        tensors = {name: one for name, one in inside.items() if not name.startswith(f"{classifier}.")}
        if tensors[first].ndim == 4:
            set_in_channels(network, tensors[first].shape[1])
    fill(network, tensors, path, name)


class ImageBackbone(nn.Module):
    """A network of torchvision or timm by name, without its classifier, for any number of bands.

    Args:
        name: As in `torchvision.models.list_models`, e.g. "resnet18", "convnext_tiny", "efficientnet_b0"; a name that
            torchvision does not have as in `timm.list_models`, e.g. "mobilenetv1_100", "repvgg_a2".
        in_channels: Number of bands.
        pretrained: Starts from their ImageNet weights, which are downloaded once. A saved copy of the
            encoder brings its own weights and does not download again, so the attribute is False afterwards.
        preprocess: What is done to images [B, in_channels, H, W] first; by default `Asinh`, which also fills missing
            pixels.
        checkpoint: A file of weights under the names of that library, which for ResNets are the same in both, of any
            number of classes and bands, read once; None afterwards.

    Raises:
        FileError: If the checkpoint cannot be read, or holds another network; if weights cannot be downloaded.
        UsageError: If there is no such network, or it does not end in a linear layer.

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
        self.name, self.in_channels, self.pretrained, self.checkpoint = name, in_channels, False, None
        self.preprocess = preprocess if preprocess is not None else Asinh()
        self.network = named_network(name, pretrained)
        classifier, self.out_features = remove_classifier(self.network)
        if checkpoint is not None:
            _fill(self.network, name, classifier, checkpoint)
        set_in_channels(self.network, in_channels)

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
