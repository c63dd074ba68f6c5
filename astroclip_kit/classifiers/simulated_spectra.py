"""A generator learns to simulate, from the image, the vector that a classifier has of an object's spectrum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast, get_args, get_type_hints

import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..contracts import check_augmentation, check_encoder
from ..encoders import SpectralGenerator
from ..errors import UsageError
from ..models import build, build_for
from ..pretraining import Pretraining, RawViews
from ..settings import ADVERSARIAL, SpectralGAN, Split, Training
from ..training import autocast, resolve_hardware
from ..transforms.compose import Augmentation
from ..transforms.randomness import fork, normal
from .adversarial import Adversaries
from .encoder_training import EncoderClassifier
from .real_vectors import Head, Material, Target, teacher_of, with_both
from .tokens import prepared

__all__ = ["check_generator", "train_generator"]


def train_generator(
    dataset: Any,
    out: str | Path,
    *,
    target: Target,
    settings: SpectralGAN = SpectralGAN(),
    training: Training = ADVERSARIAL,
    split: Split = Split(),
    rows: npt.ArrayLike | None = None,
    quiet: bool = False,
) -> SpectralGenerator:
    """Trains a generator of spectral vectors, and writes its folder: an encoder of images for `extract` and `align`.

    Critic and generator take their steps at once, each from the gradient of its own loss alone, with one optimizer;
    `training.optimizer.clip_norm`, if any, is of both together. The epoch is kept whose mean vectors differ least from
    the real ones of the validation side, in absolute value and in direction; without such objects, the last.

    Args:
        dataset: A `Dataset`.
        out: Model folder; run again, an interrupted training goes on.
        target: What `train_encoder` gave of the spectra, or its folder; a bare encoder where `settings.classes` is 0.
        settings: See `SpectralGAN`.
        training: Epochs, batch size, optimizer, hardware, seed.
        split: Who trains; objects without an image or a spectrum are left out.
        rows: Those of the training side alone that are trained on, as for vectors of the others; None for all.
        quiet: Shows no progress.

    Returns:
        The generator whose weights are the moving mean of those trained, on the CPU and in eval mode.

    Raises:
        UsageError: If a setting is out of range, the target is no classifier, or rows are not of the training side.
        InputError: If encoder or augmentation do not fit the modality, or a spectral vector is not finite.
        FolderError: If `out` is something else, or holds an interrupted run with other settings.
        TrainingError: If nobody has both image and spectrum, or the loss is not finite.
    """
    check_generator(settings)
    if settings.loss != "regression":
        factors = {**training.optimizer.factors, "critic": settings.critic_rate}
        training = replace(training, optimizer=replace(training.optimizer, factors=factors))
    course = Pretraining.of("spectral_gan", dataset, out, settings.image, settings, training, split)
    train, valid = with_both(dataset, settings, split, rows)
    course = replace(course, train=train, valid=valid)
    teacher = teacher_of(target, course)
    material = Material.of(course, teacher)
    about = {"name": settings.label if settings.classes else "", "hash": material.digest, "missing": material.missing}
    course = replace(course, label=about)
    module = _adversaries(course, material, teacher)
    loss = _AdversarialLoss(module, material, course)
    validate = course.validator(loss.terms)
    course.fit(module, module.kept, loss, validate=validate, after_step=lambda _: module.follow(), quiet=quiet)
    return module.kept


def _adversaries(course: Pretraining, material: Material, teacher: nn.Module) -> Adversaries:
    """Generator and critic with random weights; what the generator is calibrated on are the training objects."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(course.training.seed)
        generator = cast(SpectralGenerator, course.own(_new_generator(course, material.vectors.shape[1])))
        generator.calibrate(material.vectors[: len(course.train)])
        reads = isinstance(teacher, EncoderClassifier) and course.settings.classes
        module = Adversaries(generator, course.settings, Head(teacher) if reads else None)  # type: ignore[arg-type]
    return module.to(memory_format=torch.channels_last)


class _AdversarialLoss:
    """The losses of generator and critic over a batch of images."""

    def __init__(self, module: Adversaries, material: Material, course: Pretraining) -> None:
        self.module, self.place, self.codes = module, material.place, material.codes
        self.vectors = module.generator.standardise(material.vectors)
        self.device, self.precision = resolve_hardware(course.training.hardware)
        self.augment = cast(Augmentation | None, build(course.settings.augmentation, trusted=True) or None)
        if self.augment is not None:
            check_encoder(module.generator, check_augmentation(self.augment, course.modality))

    def __call__(self, model: nn.Module, batch: RawViews) -> Tensor:
        module, seeds = self.module, batch.seeds
        real, codes = self._real(batch)
        x = batch.x if self.augment is None else self.augment(batch.x, fork(seeds, 0))
        learns = module.generator_learns
        with torch.set_grad_enabled(learns):
            features = model(prepared(module.generator, x))
            fake = module.generator.simulate(features, normal(fork(seeds, 1), (module.generator.noise,)))
        losses = [module.of_generator(real, fake, features, codes)] if learns else []
        if module.critic is not None:
            losses.append(module.of_critic(real, fake, features, fork(seeds, 2)))
        return torch.stack(losses).sum()

    def terms(self, model: nn.Module, batch: RawViews) -> dict[str, Tensor]:
        """As it is validated: the mean vectors of the kept generator against the real ones."""
        kept = self.module.kept
        with autocast(self.device, self.precision):
            simulated = kept(prepared(kept, batch.x)).float()
        real, _ = self._real(batch)
        cosine = functional.cosine_similarity(simulated, real).mean()
        return {"l1": (simulated - real).abs().mean(), "cosine_distance": 1 - cosine}

    def _real(self, batch: RawViews) -> tuple[Tensor, Tensor]:
        """Standardised vectors [B, D] and classes [B] of a batch."""
        place, device = self.place[batch.rows.cpu()], batch.x.device
        return self.vectors[place].to(device), self.codes[place].to(device)


def _new_generator(course: Pretraining, length: int) -> nn.Module:
    """A generator with random weights, sized for the images."""
    settings = course.settings
    arguments = {"out_features": length, "noise": settings.noise, "draws": settings.draws, **settings.generator}
    if isinstance(arguments.get("encoder"), Mapping):
        arguments["encoder"] = build_for(arguments["encoder"], course.modality)
    path = f"{SpectralGenerator.__module__}.{SpectralGenerator.__qualname__}"
    generator: nn.Module = build_for({"class_path": path, "init_args": arguments}, course.modality)
    return generator


def check_generator(settings: SpectralGAN, name: str = "spectral_gan") -> None:
    """Refuses settings of a generator and its critic that make no sense.

    Args:
        settings: As they were given.
        name: What they are called where they were.

    Raises:
        UsageError: If one is out of range.
    """
    losses = get_args(get_type_hints(SpectralGAN)["loss"])
    for one, fits, expected in (
        ("loss", settings.loss in losses, f"one of {', '.join(losses)}"),
        ("noise", settings.noise >= 0, "a number of random numbers, or 0 for none"),
        ("draws", settings.draws >= 1, "at least 1"),
        ("l1", settings.l1 >= 0, "0 or more"),
        ("classes", settings.classes >= 0, "0 or more"),
        ("gradient_penalty", settings.gradient_penalty >= 0, "0 or more"),
        ("critic_steps", settings.critic_steps >= 0, "0 or more"),
        ("critic_rate", settings.critic_rate > 0, "above 0"),
        ("ema", 0 <= settings.ema < 1, "0 to below 1"),
        ("critic_features", min(settings.critic_features, default=1) >= 1, "widths of 1 or more"),
    ):
        if not fits:
            raise UsageError(f"{name}.{one} is {getattr(settings, one)!r}, expected {expected}.")
    if settings.loss == "regression" and not (settings.l1 or settings.classes):
        raise UsageError(f"{name}: a regression without l1 and classes learns nothing. Set one of them.")
