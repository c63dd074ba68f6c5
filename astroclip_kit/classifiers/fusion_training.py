"""Stage 2: a fusion learns the classes from cached tokens, or together with its encoders from raw views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..contracts import check_augmentation
from ..errors import InputError
from ..features import FeatureSet, fingerprint
from ..models import build, describe
from ..settings import Classification, Hardware
from ..transforms.compose import Augmentation
from ..types import reads_of
from .classifier import Classifier
from .inference import BATCH, Rows, is_partial, logits_of, with_absent
from .learning import Learning
from .tokens import tokens_of

__all__ = ["encoder_logits", "token_logits", "train_fusion", "train_joint", "view_logits", "views_of"]


def train_fusion(
    features: FeatureSet,
    out: str | Path,
    *,
    fusion: nn.Module,
    settings: Classification,
    quiet: bool = False,
) -> nn.Module:
    """Trains a fusion on cached tokens, and writes its folder.

    The epoch with the lowest cross-entropy on the validation side is kept. Objects without the class, or without one
    of the modalities that the fusion reads, are left out and counted in the manifest; where it is ``partial``, only
    those without any.

    Args:
        features: What `extract_tokens` gave; the features of other encoders count as one token.
        out: Model folder; run again, an interrupted training goes on.
        fusion: A module that names what it reads in ``modalities`` and takes tokens by modality; left as it is.
        settings: Label, ``training``, split (its training side alone trains), weights of the classes.
        quiet: Shows no progress.

    Returns:
        The trained fusion, on the CPU and in eval mode.

    Raises:
        UsageError: If a setting is out of range, or a label or modality unknown.
        InputError: If the classes cannot be learned.
        FolderError: If `out` is something else, or holds an interrupted run with other settings.
        TrainingError: If no training object has all modalities.
    """
    names = _modalities(fusion)
    learning = Learning.of(features, names, settings, is_partial(fusion))
    fusion, about = deepcopy(fusion), {"begun_from": [fingerprint(fusion)]}
    learning.fit(fusion, partial(_tokens, features, names), settings.training, Path(out), about=about, quiet=quiet)
    return fusion


def train_joint(
    dataset: Any,
    out: str | Path,
    *,
    encoders: Mapping[str, nn.Module],
    fusion: nn.Module,
    settings: Classification,
    trainable: Mapping[str, str] | None = None,
    pooled: bool = False,
    quiet: bool = False,
) -> Classifier:
    """Trains encoders and fusion together on raw views, and writes the folder of both.

    Args:
        dataset: A `Dataset`.
        out: Model folder; run again, an interrupted training goes on.
        encoders: Modality, or the name of one that reads it, to encoder, as far as it is trained already; left as it
            is.
        fusion: As in `train_fusion`; left as it is.
        settings: As in `train_fusion`; and ``encoder_rate``, and augmentations of the modalities that the fusion reads.
        trainable: What an encoder is called to what is trained of it, see `Classifier.freeze`; by default all.
        pooled: Whether the fusion is given features, see `Classifier`.
        quiet: Shows no progress.

    Returns:
        The classifier, on the CPU and in eval mode.

    Raises:
        UsageError: If a setting is out of range, or a label or modality unknown.
        InputError: If the classes cannot be learned, or an augmentation does not fit.
        FolderError: If `out` is something else, or holds an interrupted run with other settings.
        TrainingError: If no training object has all modalities.
    """
    own = {name: deepcopy(encoders[name]) for name in _modalities(fusion)}
    names = tuple(dict.fromkeys(reads_of(name, one) for name, one in own.items()))
    learning = Learning.of(dataset, names, settings, is_partial(fusion))
    given = settings.augmentations_of(names)
    built = {name: cast(Augmentation, build(one, trusted=True)) for name, one in given.items()}
    for name, one in built.items():
        check_augmentation(one, dataset.modalities[name])
    begun_from = [fingerprint(one) for one in (*own.values(), fusion)]
    classifier = Classifier(own, deepcopy(fusion), learning.classes, settings.label, pooled=pooled)
    classifier.freeze(trainable or {})
    optimizer = settings.training.optimizer
    factors = {**optimizer.factors, "encoders": settings.encoder_rate}
    training = replace(settings.training, optimizer=replace(optimizer, factors=factors))
    about = {"augmentations": describe(built), "begun_from": begun_from, "trainable": dict(trainable or {})}
    read = partial(views_of, dataset, names)
    learning.fit(classifier, read, training, Path(out), augmentations=built, about=about, quiet=quiet)
    return classifier


def token_logits(
    fusion: nn.Module, features: FeatureSet, rows: Rows, *, hardware: Hardware = Hardware(), batch_size: int = BATCH
) -> npt.NDArray[np.float32]:
    """Logits float32 [n, C] of some objects from their cached tokens.

    Raises:
        InputError: If one lacks a modality that the fusion reads, or all, where it may lack some.
    """
    names = _modalities(fusion)
    _check_present(features, names, rows, is_partial(fusion))
    return logits_of(fusion, partial(_tokens, features, names), rows, hardware=hardware, batch_size=batch_size)


def view_logits(
    classifier: Classifier, dataset: Any, rows: Rows, *, hardware: Hardware = Hardware(), batch_size: int = BATCH
) -> npt.NDArray[np.float32]:
    """Logits float32 [n, C] of some objects from their raw views.

    Raises:
        InputError: If one lacks a modality that the classifier reads, or all, where it may lack some.
    """
    names = classifier.modalities
    _check_present(dataset, names, rows, classifier.partial)
    return logits_of(classifier, partial(views_of, dataset, names), rows, hardware=hardware, batch_size=batch_size)


def encoder_logits(
    trained: nn.Module,
    modality: str,
    dataset: Any,
    rows: Rows,
    *,
    hardware: Hardware = Hardware(),
    batch_size: int = BATCH,
) -> npt.NDArray[np.float32]:
    """Logits float32 [n, C] that an encoder with the head of its first stage gives some objects.

    Args:
        trained: What `train_encoder` gave.
        modality: What it encodes.
        dataset: A `Dataset`.
        rows: n row numbers.
        hardware: Where, and at which precision.
        batch_size: Objects per forward pass.

    Raises:
        InputError: If one lacks the modality.
    """
    _check_present(dataset, (modality,), rows)
    read = partial(views_of, dataset, (modality,))

    def ask(views: dict[str, Tensor]) -> Tensor:
        logits: Tensor = trained(views[modality])
        return logits

    return logits_of(trained, read, rows, hardware=hardware, batch_size=batch_size, ask=ask)


def _modalities(fusion: nn.Module) -> tuple[str, ...]:
    names: Any = getattr(fusion, "modalities", ())
    if not names:
        raise InputError(f"{type(fusion).__name__} is no fusion: its attribute `modalities` must name what it reads.")
    return tuple(names)


def _check_present(objects: Any, names: tuple[str, ...], rows: Rows, partial: bool = False) -> None:
    present = {name: np.asarray(objects.present(name))[rows] for name in names}
    wanted = {" and no ".join(map(repr, names)): np.any([*present.values()], axis=0)} if partial else present
    for name, here in wanted.items():
        if not here.all():
            lacking = rows[~here]
            told = name if partial else repr(name)
            raise InputError(f"{len(lacking)} of the objects have no {told} (first: row {lacking[0]}). Leave them out.")


def _tokens(features: FeatureSet, names: tuple[str, ...], rows: Rows) -> dict[str, Tensor]:
    return {name: _read(features, name, rows, partial(tokens_of, features, name)) for name in names}


def views_of(dataset: Any, names: Sequence[str], rows: Rows) -> dict[str, Tensor]:
    """Raw views [n, ...] by modality, NaN of objects that lack it."""
    return {name: _read(dataset, name, rows, partial(_view, dataset, name)) for name in names}


def _view(dataset: Any, name: str, rows: Rows) -> Tensor:
    return torch.from_numpy(dataset.views(name, rows))


def _read(objects: Any, name: str, rows: Rows, read: Callable[[Rows], Tensor]) -> Tensor:
    """What is read of the objects that have a modality, NaN of the others."""
    here = np.asarray(objects.present(name))[rows]
    return read(rows) if here.all() else with_absent(read(rows[here]), torch.from_numpy(here))
