"""The vector of a spectrum, read off the spectra whose place in a shared space is nearest to that of an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import nn
from torch.nn import functional

from ..errors import InputError, UsageError
from ..types import Modality
from .layers import check_kind
from .stamp_resnet import image_encoder
from .standard_vectors import StandardVectors

__all__ = ["RetrievedSpectra"]


class RetrievedSpectra(StandardVectors):
    """The mean vector of the spectra nearest to an image, in a space that images and spectra were aligned in.

    Vectors are standardised: `restore` gives them as the encoder of spectra does. It is made by
    `classifiers.train_retriever`, which leaves out of the memory whoever is asked about in training.

    Args:
        encoder: Any encoder of images.
        head: From its features [B, F] to the shared space, with an integer ``out_features``; None where they lie in it.
        scaler: Standardises the features for the head; None where they are as it takes them.
        memory: Number of spectra that answer; they are random ones until `remember` is called.
        out_features: Length of the vector of a spectrum.
        neighbours: How many of them the mean is of.
        sharpness: What cosine similarities are multiplied with in the weights of the mean, their softmax.
        reads: Name of the modality that it encodes.

    Raises:
        UsageError: If a number is below 1.

    Example:
        >>> from astroclip_kit.encoders import StampResNet
        >>> encoder = StampResNet(5, width=4, stages=2, out_features=8)
        >>> retrieved = RetrievedSpectra(encoder, memory=2, out_features=3, neighbours=1)
        >>> retrieved.remember(torch.eye(8)[:2], torch.tensor([[1.0, 2.0, 3.0], [5.0, 6.0, 7.0]]))
        >>> retrieved.restore(retrieved.nearest(torch.tensor([[0.1, 0.9, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]])))
        tensor([[5., 6., 7.]])
    """

    keys: torch.Tensor
    vectors: torch.Tensor

    def __init__(
        self,
        encoder: nn.Module,
        head: nn.Module | None = None,
        scaler: nn.Module | None = None,
        memory: int = 1024,
        out_features: int = 128,
        neighbours: int = 16,
        sharpness: float = 15.5,
        reads: str = "image",
    ) -> None:
        super().__init__(encoder, reads)
        self.head, self.scaler = head, scaler
        self.memory, self.neighbours, self.sharpness = memory, neighbours, sharpness
        if min(memory, out_features, neighbours) < 1:
            raise UsageError(
                f"RetrievedSpectra needs a memory, a vector and neighbours of at least 1, found {memory}, "
                f"{out_features} and {neighbours}."
            )
        self.have(out_features)
        width: Any = (head or encoder).out_features
        self.register_buffer("keys", functional.normalize(torch.randn(memory, width), dim=1))
        self.register_buffer("vectors", torch.randn(memory, out_features))

    @classmethod
    def for_modality(
        cls, modality: Modality, encoder: nn.Module | Mapping[str, Any] | None = None, **arguments: Any
    ) -> Self:
        """For the images of a modality.

        Args:
            modality: Images of any bands and size.
            encoder: Any encoder, or its ``class_path`` and ``init_args``; by default a `StampResNet`.
            arguments: Of the constructor.

        Raises:
            InputError: If the modality is of another kind.
        """
        check_kind(modality, "image", cls)
        return cls(image_encoder(encoder, modality), **{"reads": modality.name, **arguments})

    def remember(self, keys: torch.Tensor, vectors: torch.Tensor) -> None:
        """Takes the spectra that answer, and standardises their vectors.

        Args:
            keys: Unit vectors of spectra in the shared space [memory, D].
            vectors: As the encoder of spectra gives them [memory, out_features].

        Raises:
            InputError: If they are of another shape, or not finite.
        """
        for what, given, kept in (("keys", keys, self.keys), ("vectors", vectors, self.vectors)):
            if given.shape != kept.shape:
                raise InputError(f"{what} have shape {tuple(given.shape)}, expected {tuple(kept.shape)}.")
        self.calibrate(vectors)
        self.keys.copy_(keys)
        self.vectors.copy_(self.standardise(vectors))

    def nearest(self, places: torch.Tensor) -> torch.Tensor:
        """Weighted mean vectors [B, out_features] of the spectra nearest to places [B, D] in the shared space."""
        similarity = functional.normalize(places, dim=1) @ self.keys.T
        near, rows = similarity.topk(min(self.neighbours, self.memory), dim=1)
        weights = (self.sharpness * near).softmax(dim=1)
        return (weights[..., None] * self.vectors[rows]).sum(dim=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The standardised vector [B, out_features] of preprocessed images [B, C, H, W]."""
        h = self.encoder(x)
        with torch.autocast(x.device.type, enabled=False):  # the order of neighbours has no room for rounding
            h = h.float()
            for part in (self.scaler, self.head):
                h = h if part is None else part(h)
            return self.nearest(h)
