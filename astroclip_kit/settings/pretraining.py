"""How an encoder learns from one modality alone, without labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Autoencoder", "MaskedSpectra", "MoCo"]


@dataclass(frozen=True)
class MoCo:
    """Momentum contrast, version 2; the defaults are those of Stein et al. (2021).

    Args:
        queue: Keys of earlier batches that serve as negatives; at most as many as there are training objects.
        momentum: Share of the momentum encoder that is kept at each step; a short training needs less, e.g. 0.99.
        temperature: Cosine similarities are divided by it.
        out_features: Width of the space in which views are compared, after two linear layers that are thrown away
            at the end; 0 for an encoder that ends in such a head of its own, as ``MocoResNet50(head=True)``.
        norm_groups: Parts of a batch that batch normalisation sees apart, shuffled between queries and keys, so that
            its statistics do not give the answer away; encoders without batch normalisation are not divided.
        symmetric: Whether each view is also key to the other's query: twice the work per step.
        augmentation: What makes two views of one (``class_path``, ``init_args``, or the object); by default images
            are turned, mirrored, and given noise.
    """

    queue: int = 65536
    momentum: float = 0.996
    temperature: float = 0.2
    out_features: int = 128
    norm_groups: int = 8
    symmetric: bool = False
    augmentation: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Autoencoder:
    """An encoder of spectra and a decoder on the rest frame, as Spender."""


@dataclass(frozen=True)
class MaskedSpectra:
    """Parts of a spectrum are hidden and predicted from the rest, as SpecFormer."""
