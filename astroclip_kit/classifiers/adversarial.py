"""What a generator of spectral vectors learns from: a critic, and the losses of both."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from ..encoders import SpectralGenerator
from ..settings import SpectralGAN
from ..transforms.randomness import uniform

__all__ = ["Adversaries", "Critic", "critic_loss", "gradient_penalty"]

SLOPE = 0.2  # of the leaky rectifiers
WARM_UP = 10  # steps: until then the kept generator follows faster


class Critic(nn.Module):
    """How real a spectral vector is, beside the features of the object's image.

    Args:
        vectors: Length of a vector.
        images: Number of image features.
        hidden_features: Widths of the layers.
        projection: Whether it is f(v) + <W v, h>; else a network of both.
        normalised: Whether weights are divided by their largest singular value.

    References:
        Miyato et al. 2018, arXiv:1802.05957; Miyato & Koyama 2018, arXiv:1802.05637.

    Example:
        >>> Critic(128, 256)(torch.zeros(3, 128), torch.zeros(3, 256)).shape
        torch.Size([3])
    """

    def __init__(
        self,
        vectors: int,
        images: int,
        hidden_features: Sequence[int] = (512, 256),
        projection: bool = False,
        normalised: bool = True,
    ) -> None:
        super().__init__()

        def linear(before: int, after: int, bias: bool = True) -> nn.Module:
            layer = nn.Linear(before, after, bias=bias)
            return spectral_norm(layer) if normalised else layer

        self.layers, before = nn.Sequential(), vectors if projection else vectors + images
        for width in hidden_features:
            self.layers.extend((linear(before, width), nn.LeakyReLU(SLOPE)))
            before = width
        self.layers.append(linear(before, 1))
        self.projection = linear(vectors, images, bias=False) if projection else None

    def forward(self, vectors: Tensor, features: Tensor) -> Tensor:
        """Scores [B] of vectors [B, D] and image features [B, F]; the higher, the more real."""
        if self.projection is None:
            joined: Tensor = self.layers(torch.cat([vectors, features], dim=1))[:, 0]
            return joined
        score: Tensor = self.layers(vectors)[:, 0] + (self.projection(vectors) * features).sum(dim=1)
        return score


def critic_loss(real: Tensor, fake: Tensor, wasserstein: bool = False) -> Tensor:
    """What the critic minimises, a scalar: the hinge loss, or the Wasserstein distance's negative.

    Args:
        real: Scores [B] of real vectors.
        fake: Scores [B] of simulated ones.
        wasserstein: Whether it is the latter.

    Example:
        >>> critic_loss(torch.tensor([2.0, 0.0]), torch.tensor([-2.0, 0.0]))
        tensor(1.)
    """
    if wasserstein:
        return fake.mean() - real.mean()
    return (1 - real).relu().mean() + (1 + fake).relu().mean()


def gradient_penalty(critic: nn.Module, real: Tensor, fake: Tensor, features: Tensor, seeds: Tensor) -> Tensor:
    """How far the slope of a critic is from 1 between real and simulated vectors, a scalar.

    Args:
        critic: Takes vectors [B, D] and image features [B, F], gives scores [B].
        real: Vectors [B, D].
        fake: Simulated vectors [B, D].
        features: Of the images [B, F].
        seeds: One per object [B], of the place between both.

    References:
        Gulrajani et al. 2017, arXiv:1704.00028.
    """
    between = fake.lerp(real, uniform(seeds, (1,)).to(real)).requires_grad_()
    [slope] = torch.autograd.grad(critic(between, features).sum(), between, create_graph=True)
    penalty: Tensor = (slope.norm(dim=1) - 1).square().mean()
    return penalty


class Adversaries(nn.Module):
    """All that is trained together: generator, critic, and the generator that is kept, which follows the first.

    Args:
        generator: Trained in place.
        settings: Loss, critic, how slowly the kept generator follows.
        head: Logits of vectors as the encoder of spectra gives them, frozen here; None for no term of the classes.
    """

    step: Tensor

    def __init__(self, generator: SpectralGenerator, settings: SpectralGAN, head: nn.Module | None = None) -> None:
        super().__init__()
        self.settings, self.generator = settings, generator
        self.kept = deepcopy(generator).requires_grad_(False)
        self.head = deepcopy(head).requires_grad_(False) if head is not None else None
        self.critic: Critic | None = None
        if settings.loss != "regression":
            sizes = (generator.out_features, int(generator.encoder.out_features))
            hinge = settings.loss == "hinge"
            self.critic = Critic(*sizes, settings.critic_features, settings.projection, normalised=hinge)
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    @property
    def generator_learns(self) -> bool:
        """Whether it is the generator's turn as well as the critic's."""
        every = self.settings.critic_steps or (5 if self.settings.loss == "wgan_gp" else 1)
        return self.critic is None or int(self.step) % every == 0

    def forward(self, x: Tensor) -> Tensor:
        """Features [B, F] of preprocessed images [B, C, H, W]."""
        features: Tensor = self.generator.encoder(x)
        return features

    def of_critic(self, real: Tensor, fake: Tensor, features: Tensor, seeds: Tensor) -> Tensor:
        """The critic's loss, a scalar; neither generator nor image encoder has a gradient of it."""
        assert self.critic is not None
        fake, features, wasserstein = fake.detach(), features.detach(), self.settings.loss == "wgan_gp"
        loss = critic_loss(self.critic(real, features), self.critic(fake, features), wasserstein)
        if wasserstein:
            penalty = gradient_penalty(self.critic, real, fake, features, seeds)
            loss = loss + self.settings.gradient_penalty * penalty
        return loss

    def of_generator(self, real: Tensor, fake: Tensor, features: Tensor, codes: Tensor) -> Tensor:
        """The generator's loss, a scalar; the critic has no gradient of it.

        The critic's condition, the image features, is not what it may change: only the vector is.

        Args:
            real: Standardised vectors [B, D].
            fake: Simulated ones [B, D].
            features: Of the images [B, F].
            codes: Number of the class of each object, int64 [B]; -1 where unknown.
        """
        loss = self.settings.l1 * (fake - real).abs().mean()
        if self.critic is not None:
            self.critic.requires_grad_(False)
            loss = loss - self.critic(fake, features.detach()).mean()
            self.critic.requires_grad_(True)
        if self.head is not None:
            logits = self.head(self.generator.restore(fake))
            wrong = functional.cross_entropy(logits, codes, ignore_index=-1, reduction="sum")
            loss = loss + self.settings.classes * wrong / (codes >= 0).sum().clamp(min=1)
        return loss

    def follow(self) -> None:
        """Counts a step, and moves the kept generator towards the trained one, faster at the beginning."""
        share = min(self.settings.ema, (1 + int(self.step)) / (WARM_UP + int(self.step)))
        if self.generator_learns:
            for kept, trained in zip(self.kept.parameters(), self.generator.parameters(), strict=True):
                kept.lerp_(trained, 1 - share)
        for kept, trained in zip(self.kept.buffers(), self.generator.buffers(), strict=True):
            kept.copy_(trained)
        self.step.add_(1)
