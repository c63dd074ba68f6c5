"""Stage 1: one encoder with a linear head of its own learns the classes from raw views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from ..contracts import check_augmentation, check_encoder
from ..encoders.layers import ACTIVATIONS
from ..models import build
from ..pretraining import Pretraining, RawViews
from ..settings import Classification, Training
from ..storage import hash_text
from ..training import autocast, resolve_hardware
from ..transforms.compose import Augmentation
from ..types import Modality
from .classes import Codes, check_classes, class_loss, class_weighting, shown_codes
from .tokens import prepared

__all__ = ["EncoderClassifier", "train_encoder"]


class EncoderClassifier(nn.Module):
    """An encoder and a linear layer on its features; it takes raw views, so it is an encoder of logits as well.

    Where the encoder has a `head_activation` ("relu"), it comes between the two.

    Args:
        encoder: Any encoder.
        classes: Names of the classes, at least two.

    Example:
        >>> from astroclip_kit.encoders import SEResNet
        >>> classifier = EncoderClassifier(SEResNet(name="resnet18", width=16), ("bhb", "other"))
        >>> classifier(torch.rand(3, 5, 32, 32)).shape
        torch.Size([3, 2])
    """

    def __init__(self, encoder: nn.Module, classes: Sequence[str]) -> None:
        super().__init__()
        self.encoder, self.classes = encoder, tuple(classes)
        self.out_features = len(self.classes)
        between = getattr(encoder, "head_activation", "")
        self.activation = ACTIVATIONS[str(between)]() if between else nn.Identity()
        self.head = nn.Linear(int(encoder.out_features), self.out_features)  # type: ignore[arg-type]

    def check_modality(self, modality: Modality) -> None:
        """Leaves it to the encoder to refuse a modality."""
        check_encoder(self.encoder, modality)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [B, C] of raw views [B, ...]."""
        return self.classify(self.encoder(prepared(self.encoder, x)))

    def classify(self, features: Tensor) -> Tensor:
        """Logits [B, C] of the encoder's features [B, F]."""
        logits: Tensor = self.head(self.activation(features))
        return logits


@dataclass(frozen=True)
class _Supervision:
    """What a stage 1 is told besides its training."""

    label: str
    class_weights: str
    augmentation: Any


def train_encoder(
    dataset: Any,
    out: str | Path,
    *,
    modality: str,
    encoder: nn.Module,
    settings: Classification,
    quiet: bool = False,
) -> EncoderClassifier:
    """Trains an encoder with a linear head to name the class, and writes the folder of both.

    The epoch with the lowest cross-entropy on the validation side is kept. The bare encoder is a model folder inside,
    ``encoder/``, which `extract`, `align` and all that takes encoders reads.

    Args:
        dataset: A `Dataset`.
        out: Model folder; run again, an interrupted training goes on.
        modality: What is encoded.
        encoder: Any encoder, left as it is; where it has ``measured_on``, the copy that is trained is measured on
            training objects.
        settings: Label (objects without it are left out and counted in the manifest), ``encoder_training``, split (its
            training side alone trains), weights of the classes, augmentation of the modality.
        quiet: Shows no progress.

    Returns:
        The classifier, on the CPU and in eval mode.

    Raises:
        UsageError: If a setting is out of range, or the label unknown.
        InputError: If encoder or augmentation do not fit the modality, or the classes cannot be learned.
        FolderError: If `out` is something else, or holds an interrupted run with other settings.
        TrainingError: If no training object has the modality.
    """
    training, augmentation = settings.encoder_training, settings.augmentations.get(modality)
    supervision = _Supervision(settings.label, settings.class_weights, augmentation)
    course = Pretraining.of("supervised", dataset, out, modality, supervision, training, settings.split)
    check_encoder(encoder, course.modality)
    names, codes = shown_codes(dataset, settings)
    course = _with_classes(course, names, codes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        classifier = EncoderClassifier(course.own(encoder), names)
    augment = cast(Augmentation | None, build(augmentation, trusted=True))
    if augment is not None:
        check_encoder(classifier, check_augmentation(augment, course.modality))
    if course.modality.kind == "image":
        classifier.to(memory_format=torch.channels_last)
    weights = class_weighting(codes[course.train], len(names), settings.class_weights)
    loss = _ClassLoss(codes, weights, augment, training)
    validate, parts = course.validator(loss.terms), {"encoder": classifier.encoder}
    course.fit(classifier, classifier, loss, validate=validate, parts=parts, quiet=quiet)
    return classifier


def _with_classes(course: Pretraining, names: Sequence[str], codes: Codes) -> Pretraining:
    """The same with the objects whose class is known.

    Raises:
        InputError: If the classes cannot be learned.
    """
    sides = np.full(len(codes), "test", dtype="U5")
    sides[course.valid], sides[course.train] = "valid", "train"
    check_classes(tuple(names), codes, sides, course.settings.class_weights)
    train, valid = (rows[codes[rows] >= 0] for rows in (course.train, course.valid))
    missing = len(course.train) + len(course.valid) - len(train) - len(valid)
    digest = hash_text(*names, codes[train].tobytes(), codes[valid].tobytes())
    about = {"name": course.settings.label, "classes": list(names), "missing": missing, "hash": digest}
    return replace(course, train=train, valid=valid, label=about)


class _ClassLoss:
    """Cross-entropy of the classes of raw views."""

    def __init__(self, codes: Codes, weights: Tensor | None, augment: Augmentation | None, training: Training) -> None:
        self.codes, self.weights, self.augment = torch.from_numpy(codes), weights, augment
        self.device, self.precision = resolve_hardware(training.hardware)

    def __call__(self, model: nn.Module, batch: RawViews) -> Tensor:
        x = batch.x if self.augment is None else self.augment(batch.x, batch.seeds)
        return self._mean(model(x), batch.rows)

    def terms(self, model: nn.Module, batch: RawViews) -> dict[str, Tensor]:
        """As it is validated: without augmentation."""
        with autocast(self.device, self.precision):
            logits = model(batch.x)
        return {"loss": self._mean(logits.float(), batch.rows)}

    def _mean(self, logits: Tensor, rows: Tensor) -> Tensor:
        return class_loss(logits, self.codes.to(rows.device)[rows], self.weights)
