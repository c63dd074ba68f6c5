"""What all methods share: who trains, in which batches, and the encoder folder that it ends in."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..contracts import check_encoder
from ..data import splits
from ..errors import TrainingError, UsageError
from ..models import describe, save_model, write_model
from ..settings import Split, Training
from ..storage import check_output, hash_ids, hash_json, hash_text
from ..training import fit, training_folder
from ..training.checks import check_training
from ..training.processes import on_first_process
from ..transforms.randomness import object_seeds
from ..types import Modality

__all__ = ["Pretraining", "RawViews"]

Rows = npt.NDArray[np.int64]


class RawViews(NamedTuple):
    """A batch of one modality.

    Args:
        x: Raw views [B, ...].
        seeds: One seed per object and epoch, int64 [B].
        groups: A number for each row's astrophysical object, int64 [B].
        rows: Row of the dataset of each, int64 [B].
    """

    x: Tensor
    seeds: Tensor
    groups: Tensor
    rows: Tensor


Terms = Callable[[nn.Module, RawViews], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Pretraining:
    """One pretraining: its objects, its settings, and the folder it ends in.

    Args:
        method: Its name.
        dataset: A `Dataset`.
        out: The encoder folder.
        modality: What is encoded.
        settings: Those of the method, a flat dataclass.
        training: Epochs, batch size, optimizer, hardware, seed.
        split: Who trains.
        train: Rows [n] of the training side that have the modality.
        valid: The same of the validation side; may be empty.
        label: The property that the method needs, how many objects were left out for want of it, and its hash.
    """

    method: str
    dataset: Any
    out: Path
    modality: Modality
    settings: Any
    training: Training
    split: Split
    train: Rows
    valid: Rows
    label: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, method: str, dataset: Any, out: str | Path, modality: str, settings: Any, training: Training, split: Split
    ) -> Pretraining:
        """Divides the objects of a dataset.

        Raises:
            UsageError: If there is no such modality.
            FolderError: If `out` is something else than a model.
            TrainingError: If no training object has the modality.
        """
        check_output(Path(out), "model")
        if modality not in dataset.modalities:
            raise UsageError(f"modality: there is no {modality!r} in the data; it has {', '.join(dataset.modalities)}.")
        sides, present = splits.divide(dataset, split), np.asarray(dataset.present(modality))
        train, valid = (np.flatnonzero((sides == side) & present) for side in ("train", "valid"))
        if not len(train):
            raise TrainingError(f"no training object has the modality {modality!r}. Check the split.")
        return cls(method, dataset, Path(out), dataset.modalities[modality], settings, training, split, train, valid)

    def with_label(self, name: str, setting: str) -> Pretraining:
        """The same with the objects that have a finite label.

        Args:
            name: The label.
            setting: What named it.

        Raises:
            UsageError: If the data have no such number.
            TrainingError: If no training object has it.
        """
        values = np.asarray(self.dataset.labels.get(name, ""))
        if values.dtype.kind != "f":
            numbers = [key for key, column in self.dataset.labels.items() if np.asarray(column).dtype.kind == "f"]
            raise UsageError(f"{setting}: there is no number {name!r} in the data; it has {', '.join(numbers)}.")
        train, valid = (rows[np.isfinite(values[rows])] for rows in (self.train, self.valid))
        if not len(train):
            raise TrainingError(f"no training object has a finite {name!r}. Choose another label with {setting}.")
        missing = len(self.train) + len(self.valid) - len(train) - len(valid)
        digest = hash_text(values[train].tobytes(), values[valid].tobytes())
        return replace(self, train=train, valid=valid, label={"name": name, "missing": missing, "hash": digest})

    def validation(self, device: torch.device) -> Iterator[RawViews]:
        """The validation objects in batches, with the same seeds every time."""
        for rows in np.array_split(self.valid, -(-len(self.valid) // self.training.batch_size)):
            yield RawViews(*(one.to(device) for one in self.views(rows)))

    def validator(self, terms: Terms) -> Callable[[nn.Module], dict[str, float]] | None:
        """What `fit` validates with: the mean losses of the validation objects, their sum first, as "loss".

        Args:
            terms: Takes the module and a batch, gives each loss by its name.

        Returns:
            None where there are no validation objects.
        """

        def validate(model: nn.Module) -> dict[str, float]:
            totals: dict[str, float] = {}
            for batch in self.validation(next(model.parameters()).device):
                for name, value in terms(model, batch).items():
                    totals[name] = totals.get(name, 0.0) + value.item() * len(batch.x) / len(self.valid)
            return {"loss": sum(totals.values()), **totals}

        return validate if len(self.valid) else None

    def views(self, rows: Rows, epoch: int = 0) -> RawViews:
        """Raw views of rows of the dataset, with the seeds that they have in an epoch."""
        ids, groups = (np.asarray(names)[rows] for names in (self.dataset.object_ids, self.dataset.groups))
        seeds = object_seeds(self.training.seed, epoch, hash_ids(ids))
        numbers = torch.from_numpy(hash_ids(groups).astype(np.int64))
        x = torch.from_numpy(self.dataset.views(self.modality.name, rows))
        return RawViews(x, seeds, numbers, torch.from_numpy(rows))

    def sample(self, count: int = 256) -> Tensor:
        """Raw views [at most count, ...] from all over the training objects, to measure noise and levels on."""
        return self.views(self.train[:: -(-len(self.train) // count)]).x

    def own(self, encoder: nn.Module) -> nn.Module:
        """A copy of an encoder to train; where its preprocessing lacks numbers, they are of training objects."""
        encoder = deepcopy(encoder)
        encoder.trained_on = self.modality  # type: ignore[assignment]
        measure: Callable[[Tensor], nn.Module] | None = getattr(encoder, "measured_on", None)
        return encoder if measure is None else measure(self.sample(1024))

    def fit(
        self,
        module: nn.Module,
        encoder: nn.Module,
        loss: Callable[[nn.Module, RawViews], Tensor],
        *,
        validate: Callable[[nn.Module], Mapping[str, float]] | None = None,
        after_step: Callable[[nn.Module], object] | None = None,
        parts: Mapping[str, nn.Module] | None = None,
        quiet: bool = False,
    ) -> nn.Module:
        """Trains a module and writes the encoder that is a part of it; an interrupted training goes on.

        Args:
            module: What is trained, in place.
            encoder: The part that is kept.
            loss: Takes the module, which computes in the precision asked for, and a batch; gives a scalar.
            validate: As of `training.fit`: its value chooses the epoch. Without it the last is kept.
            after_step: Takes the module after each step, without gradients.
            parts: Name to a module that is kept beside the encoder, as a model folder of that name inside its own.
            quiet: Shows no progress.

        Returns:
            The encoder, on the CPU and in eval mode.

        Raises:
            UsageError: If a setting of the training is out of range.
            InputError: If the encoder does not fit the modality, or cannot be saved.
        """
        check_training(self.training, len(self.train), validate is not None)
        for one in (encoder, *(parts or {}).values()):
            one.trained_on = self.modality  # type: ignore[assignment]
        check_encoder(encoder, self.modality)
        data, folder = _Batches(self, describe(encoder)), training_folder(self.out)
        history = fit(module, data, loss, self.training, folder, validate=validate, after_step=after_step, quiet=quiet)
        encoder = encoder.cpu().eval()

        def write() -> None:
            inside = {name: folder / name for name in parts or {}}
            for name, part in (parts or {}).items():
                write_model(part, inside[name], self.about())
            save_model(encoder, self.out, {**self.about(), "history": list(history)}, inside)
            shutil.rmtree(folder, ignore_errors=True)

        on_first_process(write)
        encoder.root = self.out  # type: ignore[assignment]
        return encoder

    def about(self) -> dict[str, Any]:
        """What the manifest keeps beside the encoder."""
        whole = getattr(self.dataset, "source_hash", None)
        return {
            "method": self.method,
            "modalities": {self.modality.name: self.modality.to_dict()},
            "settings": {one.name: describe(getattr(self.settings, one.name)) for one in fields(self.settings)},
            "training": asdict(self.training),
            "split": asdict(self.split),
            "counts": {"train": len(self.train), "valid": len(self.valid)},
            "label": dict(self.label),
            "data_hash": self.dataset.data_hash(self.modality.name),
            **({"source_hash": whole(self.modality.name)} if whole is not None else {}),
        }


class _Batches:
    """The training objects as `fit` wants them."""

    def __init__(self, course: Pretraining, encoder: Any) -> None:
        self.course = course
        about = {key: value for key, value in course.about().items() if key not in ("training", "source_hash")}
        rows = (course.train.tobytes(), course.valid.tobytes())
        self.identity = hash_text(hash_json([about, encoder]), *rows)

    def __len__(self) -> int:
        return len(self.course.train)

    def batch(self, rows: Rows, epoch: int) -> RawViews:
        """The raw views of these training rows."""
        return self.course.views(self.course.train[rows], epoch)
