"""Momentum contrast, version 2: two views of one object are alike, and unlike all others in a queue."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..contracts import check_augmentation
from ..encoders import ImageBackbone
from ..encoders.layers import check_kind, feed_forward, select_bands
from ..errors import UsageError
from ..losses import QueueInfoNCE, gather_rows
from ..models import build
from ..settings import MoCo, Split, Training
from ..transforms import Asinh, Compose, ComposeAugmentations, GaussianNoise, RandomFlipRotate
from ..transforms.randomness import fork
from ..types import Modality
from .course import Pretraining, RawViews

__all__ = ["MomentumContrast", "pixel_noise", "pretrain_moco"]


def pretrain_moco(
    dataset: Any,
    out: str | Path,
    *,
    modality: str = "image",
    encoder: nn.Module | None = None,
    settings: MoCo = MoCo(),
    training: Training = Training(),
    split: Split = Split(),
    quiet: bool = False,
) -> nn.Module:
    """Trains an encoder to tell objects apart whatever their orientation and noise, and writes its folder.

    He et al. 2020 (arXiv:1911.05722), Chen et al. 2020 (arXiv:2003.04297); for galaxies Stein et al. 2021
    (arXiv:2110.13151), who train with SGD, a learning rate of 0.24 that falls as a cosine, a weight decay of 1e-4 and
    batches of 256. Several processes hold the same queue: each adds the keys of all of them, in the same order.

    Args:
        dataset: A `Dataset`.
        out: Encoder folder; run again, an interrupted training goes on.
        modality: What is encoded.
        encoder: Any module with `out_features`, left as it is; by default a ResNet-18 for all bands of an image, in
            units of the pixel noise.
        settings: Queue, momentum, temperature, head, augmentation.
        training: Epochs, batch size, optimizer, hardware, seed.
        split: Who trains: its training side alone.
        quiet: Shows no progress.

    Returns:
        The encoder, without the head that the views are compared in, on the CPU and in eval mode.

    Raises:
        UsageError: If a setting is out of range, or data other than images come without an augmentation.
        InputError: If encoder or augmentation do not fit the modality.
        FolderError: If `out` is something else, or holds an interrupted run with other settings.
        TrainingError: If no training object has the modality.
    """
    _check(settings)
    course = Pretraining.of("moco", dataset, out, modality, settings, training, split)
    augment = _augmentation(course)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        encoder = deepcopy(encoder) if encoder is not None else _default_encoder(course)
        module = MomentumContrast(encoder, settings, min(settings.queue, len(course.train)))
    return course.fit(
        module, encoder, _ContrastLoss(module, augment), after_step=lambda _: module.follow(), quiet=quiet
    )


class MomentumContrast(nn.Module):
    """A query encoder, the key encoder that follows it, and the queue of past keys.

    Args:
        encoder: Trained in place.
        settings: Momentum, head, groups of the normalisation.
        length: Keys in the queue.
    """

    queue: Tensor
    groups: Tensor
    position: Tensor

    def __init__(self, encoder: nn.Module, settings: MoCo, length: int) -> None:
        super().__init__()
        width = int(encoder.out_features)  # type: ignore[arg-type]
        out_features = settings.out_features or width
        head = feed_forward((width, width, out_features), "relu") if settings.out_features else nn.Identity()
        self.settings = settings
        self.query = nn.Sequential(encoder, head).to(memory_format=torch.channels_last)
        self.key = deepcopy(self.query).requires_grad_(False)
        normalises = any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in encoder.modules())
        self.norm_groups = settings.norm_groups if normalises else 1
        self.register_buffer("queue", nn.functional.normalize(torch.randn(length, out_features), dim=1))
        self.register_buffer("groups", torch.full((length,), -1))  # of no object yet
        self.register_buffer("position", torch.zeros((), dtype=torch.int64))

    def forward(self, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """Queries [B, D] of one view and keys [B, D] of the other."""
        with torch.no_grad():
            order = torch.randperm(len(other), device=other.device)
            keys = self._in_groups(self.key, other[order])[order.argsort()]
        return self._in_groups(self.query, one), keys

    def _in_groups(self, branch: nn.Module, x: Tensor) -> Tensor:
        """Vectors of each part of a batch, normalised by the statistics of that part."""
        parts = x.chunk(max(1, min(self.norm_groups, len(x) // 2)))
        return torch.cat([branch(_channels_last(part)) for part in parts])

    @torch.no_grad()
    def remember(self, keys: Tensor, groups: Tensor) -> None:
        """Puts the keys [B, D] of all processes in the places of the oldest."""
        z, present, groups = gather_rows(keys[:, None], torch.ones_like(groups, dtype=torch.bool)[:, None], groups)
        z, groups = z[present[:, 0], 0][-len(self.queue) :], groups[present[:, 0]][-len(self.queue) :]
        places = (self.position + torch.arange(len(z), device=z.device)) % len(self.queue)
        self.queue[places] = nn.functional.normalize(z.float(), dim=1)
        self.groups[places] = groups
        self.position.add_(len(z)).remainder_(len(self.queue))

    def follow(self) -> None:
        """Moves the key encoder a step towards the query encoder."""
        for key, query in zip(self.key.parameters(), self.query.parameters(), strict=True):
            key.lerp_(query, 1 - self.settings.momentum)


class _ContrastLoss:
    """Makes two views of a batch and compares them."""

    def __init__(self, module: MomentumContrast, augment: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.module, self.augment, self.infonce = module, augment, QueueInfoNCE()
        self.preprocess = getattr(module.query[0], "preprocess", lambda x: x)

    def __call__(self, model: nn.Module, batch: RawViews) -> Tensor:
        one, other = (self.preprocess(self.augment(batch.x, fork(batch.seeds, number))) for number in (0, 1))
        if not self.module.settings.symmetric:
            return self._term(model, one, other, batch.groups)
        return (self._term(model, one, other, batch.groups) + self._term(model, other, one, batch.groups)) / 2

    def _term(self, model: nn.Module, one: Tensor, other: Tensor, groups: Tensor) -> Tensor:
        queries, keys = model(one, other)
        module = self.module
        same = groups[:, None] == module.groups
        loss: Tensor = self.infonce(queries, keys, module.queue.clone(), 1 / module.settings.temperature, same)
        module.remember(keys, groups)
        return loss


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x


def _check(settings: MoCo) -> None:
    for name, fits, expected in (
        ("queue", settings.queue >= 1, "at least 1"),
        ("momentum", 0 <= settings.momentum < 1, "0 to below 1"),
        ("temperature", settings.temperature > 0, "a positive number"),
        ("out_features", settings.out_features >= 0, "a number of features, or 0 for no head"),
        ("norm_groups", settings.norm_groups >= 1, "at least 1"),
    ):
        if not fits:
            raise UsageError(f"moco.{name} is {getattr(settings, name)}, expected {expected}.")


def _augmentation(course: Pretraining) -> Callable[[Tensor, Tensor], Tensor]:
    given, modality = course.settings.augmentation, course.modality
    if not given and modality.kind != "image":
        raise UsageError(
            f"moco.augmentation: {modality.name!r} is of kind {modality.kind!r}, and only images have a default. "
            f"Say what may change in it without its being another object."
        )
    if not given:
        return ComposeAugmentations([RandomFlipRotate(), GaussianNoise(pixel_noise(course.sample(), modality))])
    augment: Callable[[Tensor, Tensor], Tensor] = build(given, trusted=True)
    check_augmentation(augment, modality)
    return augment


def pixel_noise(x: Tensor, modality: Modality) -> list[float]:
    """The noise of each band, from the differences of neighbouring pixels; 0 for an inverse variance.

    Args:
        x: Images [B, C, H, W].
        modality: Says which channels are bands.

    Returns:
        Robust standard deviation [C], in the unit of the images.
    """
    difference = (x[..., 1:] - x[..., :-1]).transpose(0, 1).flatten(1)
    sigma = 1.4826 / 2**0.5 * difference.abs().nanmedian(dim=1).values
    pairs = zip(modality.channels, sigma.tolist(), strict=True)
    return [value if channel in modality.image_bands else 0.0 for channel, value in pairs]


def _default_encoder(course: Pretraining) -> nn.Module:
    modality = course.modality
    check_kind(modality, "image", ImageBackbone)
    noise = [value for value in pixel_noise(course.sample(), modality) if value]
    return ImageBackbone.for_modality(modality, preprocess=Compose([*select_bands(modality), Asinh(noise)]))
