"""How an encoder learns from one modality alone, without labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from .spectral_gan import SpectralGAN

__all__ = ["Autoencoder", "MaskedSpectra", "Methods", "MoCo"]


@dataclass(frozen=True)
class MoCo:
    """Momentum contrast, version 2; the defaults are those of Stein et al. (2021).

    Args:
        queue: Keys of earlier batches that serve as negatives; at most as many as there are training objects.
        momentum: Share of the momentum encoder that is kept at each step; a short training needs less, e.g. 0.99.
        temperature: Cosine similarities are divided by it.
        out_features: Width of the space in which views are compared, after two linear layers that are thrown away
            at the end; 0 for an encoder that ends in such a head of its own, as ``MocoResNet50(head=True)``.
        hidden_features: Width between the two; 0 for that of the encoder's features, which may be many.
        norm_groups: Parts of a batch that batch normalisation sees apart, shuffled between queries and keys, so that
            its statistics do not give the answer away; encoders without batch normalisation are not divided.
        symmetric: Whether each view is also key to the other's query: twice the work per step.
        augmentation: What makes two views of one (``class_path``, ``init_args``, or the object); by default images
            are turned, mirrored, and given as much noise again as they have. The published augmentations are
            ``astroclip_kit.transforms.stein_augmentations``.
    """

    queue: int = 65536
    momentum: float = 0.996
    temperature: float = 0.2
    out_features: int = 128
    hidden_features: int = 0
    norm_groups: int = 8
    symmetric: bool = False
    augmentation: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Autoencoder:
    """An encoder of spectra and a decoder on the rest frame, as spender's.

    Args:
        latent_features: Size of the latent vector.
        features: Of the default encoder: "attended" keeps the 256 features that the attention picks out, "latent" the
            latent vector.
        redshift: Label that holds the redshift.
        similarity: Weight of the loss that asks of similar spectra similar latents; 0 for none.
        consistency: Weight of the loss that asks of a spectrum the same latent at another redshift; 0 for none.
        shift: Largest change of the redshift for that.
        slope: How steeply the similarity loss rises.
        fit_amplitude: Whether the model is scaled to each spectrum before they are compared; else the preprocessing
            must have normalised the spectra in the rest frame.
    """

    latent_features: int = 10
    features: Literal["attended", "latent"] = "attended"
    redshift: str = "z"
    similarity: float = 1.0
    consistency: float = 1.0
    shift: float = 0.1
    slope: float = 1.0
    fit_amplitude: bool = True


@dataclass(frozen=True)
class MaskedSpectra:
    """Parts of a spectrum are hidden and predicted from the rest, as for SpecFormer.

    Args:
        chunks: The tokens are divided into so many equal segments, in each of which one chunk is hidden.
        width: Tokens of a chunk; 0 for the published share, 50 of 778 tokens.
        weights: What the squared errors of pixels are weighted with: "observed" counts those with an inverse variance
            above 0, "ivar" by their inverse variance, "plain" counts all, as published.
    """

    chunks: int = 6
    width: int = 0
    weights: Literal["observed", "ivar", "plain"] = "observed"


@dataclass(frozen=True)
class Methods:
    """The settings of each method of `pretrain`, of which one is used.

    Args:
        moco: See `MoCo`.
        autoencoder: See `Autoencoder`.
        masked: See `MaskedSpectra`.
        spectral_gan: See `SpectralGAN`.
        spectrum_encoder: For spectral_gan: the folder of a classifier of spectra, whose vectors are simulated
            (``encoders/spectrum`` of a run of `classify`, or what `classifiers.train_encoder` wrote).
        labels: For spectral_gan: table of classes, as that of `classify`; "" where the dataset has them.
    """

    moco: MoCo = MoCo()
    autoencoder: Autoencoder = Autoencoder()
    masked: MaskedSpectra = MaskedSpectra()
    spectral_gan: SpectralGAN = field(default_factory=SpectralGAN)
    spectrum_encoder: str = ""
    labels: str = ""
