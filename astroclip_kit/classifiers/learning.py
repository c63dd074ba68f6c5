"""What trainings of classes from several modalities share: who trains, on what, and the model folder they end in."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..data import splits
from ..errors import TrainingError, UsageError
from ..models import describe, save_model
from ..settings import Classification, Split, Training
from ..storage import check_output, hash_ids, hash_json, hash_text
from ..training import autocast, fit, resolve_hardware, training_folder
from ..training.checks import check_training
from ..training.processes import on_first_process
from ..transforms.compose import Augmentation
from ..transforms.randomness import fork, object_seeds
from .classes import Codes, check_classes, class_codes, class_loss, class_weighting, shown_codes
from .inference import BATCH, Read, Rows, with_absent

__all__ = ["Given", "Learning"]


class Given(NamedTuple):
    """A batch: tokens or raw views by modality, and the numbers of the classes, int64 [B]."""

    views: dict[str, Tensor]
    codes: Tensor


@dataclass(frozen=True)
class Learning:
    """The objects that a class can be learned from: they have it, and all modalities (or any, where that will do).

    Args:
        objects: A `FeatureSet` or `Dataset`.
        modalities: What is read.
        label: Which property names the class.
        classes: Names of the classes [C].
        codes: Number of the class of each row [N], -1 where unknown.
        train: Rows of the training side.
        valid: Rows of the validation side; may be empty.
        left_out: Why objects of both sides are left out, to how many.
        lacking: Modality to how many of both sides learn without it, where that will do.
        weights: What the loss of each class is multiplied with [C], or None.
        split: Who trains.
        note: A warning in words, or "".
    """

    objects: Any
    modalities: tuple[str, ...]
    label: str
    classes: tuple[str, ...]
    codes: Codes
    train: Rows
    valid: Rows
    left_out: Mapping[str, int]
    lacking: Mapping[str, int]
    weights: Tensor | None
    split: Split
    note: str

    @classmethod
    def of(cls, objects: Any, modalities: Sequence[str], settings: Classification, partial: bool = False) -> Learning:
        """Divides the objects.

        Args:
            objects: A `FeatureSet` or `Dataset`.
            modalities: What is read.
            settings: Label and how many are shown, split, weights of the classes.
            partial: Whether any of the modalities will do.

        Raises:
            UsageError: If there is no such label or modality.
            InputError: If the classes cannot be learned.
            TrainingError: If no training object has all modalities, or any where that will do.
        """
        known = getattr(objects, "names", None) or list(objects.modalities)
        if unknown := [name for name in modalities if name not in known]:
            raise UsageError(f"there is no modality {unknown[0]!r} in the data; they have {', '.join(known)}.")
        split, weights = settings.split, settings.class_weights
        names, codes = shown_codes(objects, settings)
        sides = splits.divide(objects, split)
        present = {name: np.asarray(objects.present(name)) for name in modalities}
        whole = (np.any if partial else np.all)(list(present.values()), axis=0)
        if not (whole & (sides == "train")).any():
            wanted = (" or " if partial else " and ").join(modalities)
            raise TrainingError(f"no training object has {wanted}. Check how they were matched.")
        note = check_classes(names, np.where(whole, codes, -1), sides, weights)
        usable, here = whole & (codes >= 0), sides != "test"
        train, valid = (np.flatnonzero(usable & (sides == side)) for side in ("train", "valid"))
        left_out, labelled = {f"no {settings.label}": here & (codes < 0)}, here & (codes >= 0)
        if settings.labelled.fraction != 1:
            given = class_codes(objects, settings.label)[1] >= 0
            left_out = {f"no {settings.label}": here & ~given, "label kept back": here & given & ~labelled}
        absent = {f"no {name}": labelled & ~one for name, one in present.items()}
        left_out |= {"no modality": labelled & ~whole} if partial else absent
        lacking = {name: int((one & whole).sum()) for name, one in absent.items()} if partial else {}
        counts = {name: int(one.sum()) for name, one in left_out.items()}
        scale, label = class_weighting(codes[train], len(names), weights), settings.label
        sees = tuple(modalities)
        return cls(objects, sees, label, names, codes, train, valid, counts, lacking, scale, split, note)

    def fit(
        self,
        module: nn.Module,
        read: Read,
        training: Training,
        out: Path,
        *,
        augmentations: Mapping[str, Augmentation] | None = None,
        about: Mapping[str, Any] | None = None,
        quiet: bool = False,
    ) -> None:
        """Trains a module in place and writes its folder; an interrupted training goes on, a finished one is kept.

        Args:
            module: Takes what `read` gives, gives logits [B, C]; ends on the CPU, in eval mode, with the weights of
                the epoch with the lowest cross-entropy of the validation objects.
            read: Takes row numbers of the objects, gives tensors by modality.
            training: Epochs, batch size, optimizer, hardware, seed.
            out: The model folder.
            augmentations: Modality to what changes the views that are trained on.
            about: What else the manifest keeps.
            quiet: Shows no progress.

        Raises:
            UsageError: If a setting is out of range.
            FolderError: If `out` is something else, or holds an interrupted run with other settings.
        """
        check_output(out, "model")
        check_training(training, len(self.train), len(self.valid) > 0)
        values = {**self.about(), "training": asdict(training), **(about or {})}
        data = _Batches(self, read, training.seed, augmentations or {}, hash_json([values, describe(module)]))
        validate = _Validation(self, read, training) if len(self.valid) else None

        def loss(model: nn.Module, batch: Given) -> Tensor:
            return class_loss(model(batch.views), batch.codes, self.weights)

        history = fit(module, data, loss, training, training_folder(out), validate=validate, quiet=quiet)
        module.cpu().eval()
        on_first_process(lambda: save_model(module, out, {**values, "history": list(history)}))
        on_first_process(lambda: shutil.rmtree(training_folder(out), ignore_errors=True))
        module.root = out  # type: ignore[assignment]

    def about(self) -> dict[str, Any]:
        """What the manifest keeps beside the model."""
        digest = hash_text(self.train.tobytes(), self.valid.tobytes(), self.codes.tobytes())
        return {
            "modalities": {one.name: one.to_dict() for one in map(self.objects.modalities.get, self.modalities)},
            "label": {"name": self.label, "classes": list(self.classes), "hash": digest},
            "split": asdict(self.split),
            "class_weights": None if self.weights is None else self.weights.tolist(),
            "counts": {"train": len(self.train), "valid": len(self.valid)},
            "left_out": dict(self.left_out),
            **({"lacking": dict(self.lacking)} if self.lacking else {}),
            "notes": [self.note] if self.note else [],
            "data_hash": [self.objects.data_hash(name) for name in self.modalities],
        }


class _Batches:
    """The training objects as `fit` wants them."""

    def __init__(
        self, learning: Learning, read: Read, seed: int, augmentations: Mapping[str, Augmentation], identity: str
    ) -> None:
        self.read, self.rows, self.seed, self.identity = read, learning.train, seed, identity
        self.codes = torch.from_numpy(learning.codes[learning.train])
        self.hashes = hash_ids(np.asarray(learning.objects.object_ids)[learning.train])
        self.augmentations = dict(augmentations)
        self.present = {name: np.asarray(learning.objects.present(name))[self.rows] for name in augmentations}

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, rows: Rows, epoch: int) -> Given:
        """These training objects, augmented for this epoch."""
        views = self.read(self.rows[rows])
        for number, (name, augment) in enumerate(self.augmentations.items()):
            here = torch.from_numpy(self.present[name][rows])
            if not here.any():
                continue
            seeds = fork(object_seeds(self.seed, epoch, self.hashes[rows]), number)
            whole = bool(here.all())
            x = augment(views[name] if whole else views[name][here], seeds if whole else seeds[here])
            views[name] = x if whole else with_absent(x, here)
        return Given(views, self.codes[torch.from_numpy(rows)])


class _Validation:
    """Cross-entropy and accuracy of the validation objects; the first is what must fall."""

    def __init__(self, learning: Learning, read: Read, training: Training) -> None:
        self.learning, self.read = learning, read
        self.device, self.precision = resolve_hardware(training.hardware)

    def __call__(self, module: nn.Module) -> dict[str, float]:
        valid, device = self.learning.valid, next(module.parameters()).device
        loss = right = 0.0
        for rows in np.array_split(valid, -(-len(valid) // BATCH)):
            codes = torch.from_numpy(self.learning.codes[rows]).to(device)
            with autocast(self.device, self.precision):
                logits = module({name: x.to(device) for name, x in self.read(rows).items()})
            loss += class_loss(logits.float(), codes, self.learning.weights).item() * len(rows)
            right += (logits.argmax(dim=1) == codes).sum().item()
        return {"loss": loss / len(valid), "accuracy": right / len(valid)}
