"""How the vector of a spectrum is simulated from an image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from .learning import Optimizer, Schedule, Training

__all__ = ["ADVERSARIAL", "SpectralGAN"]

ADVERSARIAL = Training(
    200,
    256,
    optimizer=Optimizer("adam", 2e-4, 0.0, clip_norm=0.0, betas=[0.5, 0.9]),
    schedule=Schedule("constant"),
)


@dataclass(frozen=True)
class SpectralGAN:
    """A generator of spectral vectors and the critic that it learns from.

    Args:
        source: Where vectors come from: "gan" (this generator) or "retrieved" (the spectra nearest to the image in a
            space that images and spectra are aligned in; of the settings below only `neighbours`, `folds`, `image`,
            `spectrum`, `augmentation` and the encoder of `generator` count).
        neighbours: Retrieved: how many spectra the mean is of.
        loss: "hinge", "wgan_gp" (Wasserstein with a gradient penalty) or "regression" (no critic: what a plain
            regression from the image reaches).
        noise: Numbers that are drawn for each simulated vector; 0 for one vector per image.
        draws: Simulated vectors that the generator gives the mean of.
        l1: Weight of the mean absolute difference to the real vector, both standardised.
        classes: Weight of the cross-entropy of the classes that the spectrum's own classifier, frozen, reads in the
            simulated vector; 0 for none, then no label is read.
        gradient_penalty: Its weight in "wgan_gp".
        critic_steps: Steps of the critic for each of the generator; 0 for 5 in "wgan_gp", else 1.
        projection: Whether the critic joins image and vector as f(v) + <W v, h>, not in its first layer.
        critic_rate: What the learning rate is multiplied with for the critic.
        ema: Share of the kept generator that stays at each step, which follows the trained one.
        folds: Parts of the training objects, each simulated by a generator that was trained on the others.
        image: Modality that is simulated from.
        spectrum: Modality whose vectors are simulated.
        label: Which property names the class.
        generator: Arguments of `encoders.SpectralGenerator` (``encoder``, ``hidden_features``, ...).
        critic_features: Widths of the critic's layers.
        augmentation: Of the images that are trained on (``class_path``, ``init_args``, or the object).

    References:
        Wang et al. 2023, PASP, doi 10.1088/1538-3873/acfbb9; Miyato & Koyama 2018, arXiv:1802.05637; Gulrajani et al.
        2017, arXiv:1704.00028; Heusel et al. 2017, arXiv:1706.08500.
    """

    source: Literal["gan", "retrieved"] = "gan"
    neighbours: int = 16
    loss: Literal["hinge", "wgan_gp", "regression"] = "hinge"
    noise: int = 32
    draws: int = 8
    l1: float = 10.0
    classes: float = 1.0
    gradient_penalty: float = 10.0
    critic_steps: int = 0
    projection: bool = False
    critic_rate: float = 1.0
    ema: float = 0.999
    folds: int = 5
    image: str = "image"
    spectrum: str = "spectrum"
    label: str = "class"
    generator: dict[str, Any] = field(default_factory=dict)
    critic_features: list[int] = field(default_factory=lambda: [512, 256])
    augmentation: dict[str, Any] = field(default_factory=dict)
