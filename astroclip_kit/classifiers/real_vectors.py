"""The vectors that a classifier has of spectra: what simulated ones are trained on, and compared with."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..contracts import check_encoder
from ..data import splits
from ..encoders.standard_vectors import StandardVectors
from ..errors import InputError, TrainingError, UsageError
from ..features import fingerprint
from ..models import load_model
from ..pretraining import Pretraining
from ..settings import Hardware, SpectralGAN, Split
from ..storage import hash_text
from .classes import class_codes
from .encoder_training import EncoderClassifier
from .inference import BATCH, Rows, logits_of
from .seen import check_unseen
from .tokens import prepared

__all__ = ["Head", "Material", "Target", "spectral_vectors", "standardised", "teacher_of", "with_both"]

Target = nn.Module | str | Path


def spectral_vectors(
    encoder: nn.Module,
    dataset: Any,
    rows: Rows,
    spectrum: str = "spectrum",
    *,
    hardware: Hardware = Hardware(),
    batch_size: int = BATCH,
) -> npt.NDArray[np.float32]:
    """The vectors float32 [n, D] that an encoder gives of the spectra of some objects, not standardised.

    Args:
        encoder: Any encoder, or an `EncoderClassifier`, whose encoder is taken.
        dataset: A `Dataset`.
        rows: n row numbers of objects that have a spectrum.
        spectrum: Its modality.
        hardware: Where; the precision is float32 in any case.
        batch_size: Objects per forward pass.

    Raises:
        InputError: If an object has no spectrum.
    """
    if not (has := np.asarray(dataset.present(spectrum))[rows]).all():
        raise InputError(f"{(~has).sum()} of {len(rows)} objects have no {spectrum!r}: leave them out.")
    bare = encoder.encoder if isinstance(encoder, EncoderClassifier) else encoder

    def read(some: Rows) -> dict[str, Tensor]:
        return {spectrum: torch.from_numpy(dataset.views(spectrum, some))}

    return logits_of(
        _Prepared(bare), read, rows, hardware=replace(hardware, precision="float32"), batch_size=batch_size
    )


def standardised(
    encoder: nn.Module, dataset: Any, rows: Rows, spectrum: str = "spectrum", *, hardware: Hardware = Hardware()
) -> StandardVectors:
    """An encoder of spectra whose vectors have mean 0 and standard deviation 1, as simulated ones have.

    Args:
        encoder: Any encoder, or an `EncoderClassifier`, whose encoder is taken.
        dataset: A `Dataset`.
        rows: Training objects that mean and standard deviation are of.
        spectrum: Its modality.
        hardware: Where.

    Raises:
        InputError: If an object has no spectrum, or a vector is not finite.
    """
    bare = encoder.encoder if isinstance(encoder, EncoderClassifier) else encoder
    found = StandardVectors(bare, spectrum)
    found.calibrate(torch.from_numpy(spectral_vectors(bare, dataset, rows, spectrum, hardware=hardware)))
    return found.eval()


class _Prepared(nn.Module):
    """An encoder that takes the raw views of a modality by its name."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        [x] = views.values()
        features: Tensor = self.encoder(prepared(self.encoder, x))
        return features


class Head(nn.Module):
    """What follows the encoder in a classifier."""

    def __init__(self, classifier: EncoderClassifier) -> None:
        super().__init__()
        self.activation, self.head = classifier.activation, classifier.head

    def forward(self, vectors: Tensor) -> Tensor:
        """Logits [B, C] of vectors [B, D]."""
        logits: Tensor = self.head(self.activation(vectors))
        return logits


@dataclass(frozen=True)
class Material:
    """What the objects of both sides have of their spectra.

    Args:
        vectors: As the encoder gives them [n, D], those of training objects first.
        codes: Number of the class of each in the head, int64 [n]; -1 where unknown or not asked for.
        place: Of each row of the dataset among the vectors, int64 [N].
        missing: Objects without a class that the head knows.
        digest: A hash of all that the vectors depend on besides the data.
    """

    vectors: Tensor
    codes: Tensor
    place: Tensor
    missing: int
    digest: str

    @classmethod
    def of(cls, course: Pretraining, teacher: nn.Module) -> Material:
        """Encodes the spectra of both sides.

        Raises:
            InputError: If the target knows the class of no training object.
        """
        settings, both = course.settings, np.concatenate([course.train, course.valid])
        hardware = course.training.hardware
        vectors = torch.from_numpy(
            spectral_vectors(teacher, course.dataset, both, settings.spectrum, hardware=hardware)
        )
        codes = np.full(len(both), -1)
        if settings.classes:
            known = list(cast(EncoderClassifier, teacher).classes)
            names, numbers = class_codes(course.dataset, settings.label)
            translated = np.array([*(known.index(name) if name in known else -1 for name in names), -1])
            codes = translated[numbers[both]]
            if not (codes[: len(course.train)] >= 0).any():
                raise InputError(
                    f"no training object has a class that the target knows ({', '.join(known)}); {settings.label!r} "
                    f"has {', '.join(names) or 'none'}. Give the table that it learned from (--labels of pretrain), or "
                    f"read no classes (--spectral_gan.classes 0)."
                )
        place = torch.zeros(len(course.dataset), dtype=torch.int64)
        place[torch.from_numpy(both)] = torch.arange(len(both))
        missing = int((codes < 0).sum()) if settings.classes else 0
        spectra = course.dataset.data_hash(settings.spectrum)
        digest = hash_text(fingerprint(teacher), spectra, codes.astype(np.int64).tobytes())
        return cls(vectors, torch.from_numpy(codes.astype(np.int64)), place, missing, digest)


def with_both(dataset: Any, settings: SpectralGAN, split: Split, rows: npt.ArrayLike | None) -> tuple[Rows, Rows]:
    """The rows of the training and of the validation side that have an image and a spectrum.

    Args:
        dataset: A `Dataset`.
        settings: Which modalities these are.
        split: Who trains.
        rows: Those of the training side alone that are trained on; None for all.

    Raises:
        UsageError: If there is no such modality, or rows are not of the training side.
        TrainingError: If nobody has both.
    """
    known = dataset.modalities
    for what, name in (("image", settings.image), ("spectrum", settings.spectrum)):
        if name not in known:
            raise UsageError(f"{what}: there is no {name!r} in the data; it has {', '.join(known)}.")
    sides = splits.divide(dataset, split)
    asked = np.flatnonzero(sides == "train") if rows is None else np.unique(np.asarray(rows, dtype=np.int64))
    if outside := int((sides[asked] != "train").sum()):
        raise UsageError(f"rows: {outside} of {len(asked)} are not of the training side of the split. Leave them out.")
    both = np.asarray(dataset.present(settings.image)) & np.asarray(dataset.present(settings.spectrum))
    if not both[asked].any():
        raise TrainingError(
            f"no training object has {settings.image} and {settings.spectrum}. Check how they were matched."
        )
    return asked[both[asked]], np.flatnonzero(both & (sides == "valid"))


def teacher_of(target: Target, course: Pretraining) -> nn.Module:
    """What gives the vectors, a copy in eval mode.

    Raises:
        UsageError: If the classes are to be read in them and it has no head, or if it learned the labels of objects
            that are held out now.
        InputError: If it does not fit the spectra.
        FolderError: If its folder holds no model.
    """
    settings, dataset = course.settings, course.dataset
    check_unseen({settings.spectrum: target}, dataset, course.split)
    teacher = load_model(target) if isinstance(target, (str, Path)) else copy.deepcopy(target)
    if settings.classes and not isinstance(teacher, EncoderClassifier):
        raise UsageError(
            f"target is {type(teacher).__name__}, expected a classifier of spectra that train_encoder made, whose head "
            f"reads the classes. Give its folder, or set classes to 0."
        )
    check_encoder(teacher, dataset.modalities[settings.spectrum])
    return teacher.eval()
