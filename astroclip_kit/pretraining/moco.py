"""Momentum contrast, version 2: two views of one object are alike, and unlike all others in a queue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..contracts import check_encoder
from ..encoders import ImageConvNet
from ..encoders.layers import check_kind, select_bands
from ..errors import UsageError
from ..losses import QueueInfoNCE
from ..settings import MoCo, Split, Training
from ..transforms import Asinh, Compose, Downsample
from ..transforms.compose import Augmentation
from ..transforms.randomness import fork
from .course import Pretraining, RawViews
from .momentum_contrast import MomentumContrast
from .two_views import augmentation_for, pixel_noise, preprocess_of

__all__ = ["pretrain_moco"]


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
        encoder: Any module with `out_features`, left as it is; by default an `ImageConvNet` for all bands of an image,
            in units of the pixel noise.
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
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        encoder = course.own(encoder) if encoder is not None else _default_encoder(course)
        check_encoder(encoder, course.modality)
        augment = augmentation_for(course, encoder)
        kept: Any = {"queue": min(settings.queue, len(course.train)), "augmentation": settings.augmentation or augment}
        course = replace(course, settings=replace(settings, **kept))
        module = MomentumContrast(encoder, course.settings)
    return course.fit(
        module, encoder, _ContrastLoss(module, augment), after_step=lambda _: module.follow(), quiet=quiet
    )


class _ContrastLoss:
    """Makes two views of a batch and compares them."""

    def __init__(self, module: MomentumContrast, augment: Augmentation) -> None:
        self.module, self.augment, self.infonce = module, augment, QueueInfoNCE()
        self.preprocess = preprocess_of(module.query[0])

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


def _check(settings: MoCo) -> None:
    for name, fits, expected in (
        ("queue", settings.queue >= 1, "at least 1"),
        ("momentum", 0 <= settings.momentum < 1, "0 to below 1"),
        ("temperature", settings.temperature > 0, "a positive number"),
        ("out_features", settings.out_features >= 0, "a number of features, or 0 for no head"),
        ("hidden_features", settings.hidden_features >= 0, "a number of features, or 0 for that of the encoder"),
        ("norm_groups", settings.norm_groups >= 1, "at least 1"),
    ):
        if not fits:
            raise UsageError(f"moco.{name} is {getattr(settings, name)}, expected {expected}.")


def _default_encoder(course: Pretraining) -> nn.Module:
    modality = course.modality
    check_kind(modality, "image", ImageConvNet)
    noise = dict(zip(modality.channels, pixel_noise(course.sample(), modality), strict=True))
    softening = [noise[band] or 1.0 for band in modality.image_bands]  # 0 where most pixels are empty
    preprocess = Compose([*select_bands(modality), Downsample(2), Asinh(softening)])
    encoder: nn.Module = ImageConvNet.for_modality(modality, preprocess=preprocess)
    return encoder
