"""`align`: from features, or raw samples, to a saved model of the shared space."""

from __future__ import annotations

import copy
import math
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ..contracts import check_augmentation
from ..data import splits
from ..data.seen import value_hashes
from ..errors import TrainingError
from ..features import fingerprint
from ..losses import InfoNCE, SigLIP
from ..models import build, describe, save_model
from ..settings import Alignment, Split, Training
from ..storage import check_output, hash_json, hash_text
from ..training import History, fit, resolve_hardware, training_folder
from ..training.checks import check_training
from ..training.processes import on_first_process
from .batches import FeatureBatches, SampleBatches
from .checks import check_inputs, chosen_modalities, seen_by_encoders
from .draw import Draw, common_rows, presence
from .ensemble import Ensemble
from .heads import ProjectionHead, Standardise
from .model import ContrastiveModel
from .moments import Moments, encoded_moments, feature_moments
from .objective import BatchLoss
from .validation import validator

__all__ = ["align"]

MEASURED = 1024  # training objects by which a preprocessing is measured


def align(
    data: Any,
    out: str | Path,
    *,
    heads: Mapping[str, nn.Module] | None = None,
    encoders: Mapping[str, nn.Module] | None = None,
    alignment: Alignment | None = None,
    training: Training | None = None,
    split: Split | None = None,
    quiet: bool = False,
) -> ContrastiveModel | Ensemble:
    """Trains a shared space and writes the model folder; run again, an interrupted training goes on.

    Only objects on the training side of the split, with both modalities of some pair, are trained on. Loss and
    recall@10 of the validation objects are measured after every epoch, and the best epoch is kept.

    Args:
        data: A `FeatureSet` (heads on cached features) or a `Dataset` (encoders and heads on raw views).
        out: The model folder.
        heads: Modality to head, for those that shall not get the `ProjectionHead` of the settings.
        encoders: Modality to encoder; needed for a `Dataset`, refused for a `FeatureSet`.
        alignment: Modalities, pairs, heads, loss, sampling, what is trained of the encoders, ensemble.
        training: Epochs, batch size, optimizer, hardware, seed.
        split: Who trains.
        quiet: Shows no progress.

    Returns:
        The model, on the CPU and in eval mode; an `Ensemble` for ``alignment.members`` above 1.

    Raises:
        UsageError: If a modality or a setting is unknown.
        InputError: If features are not finite or heads and features differ in width.
        FolderError: If `out` is something else, or holds an interrupted run with other settings.
        TrainingError: If no pair of modalities has two training objects in common.

    Example:
        Heads on cached features of images and spectra, five seeds concatenated::

            model = align(FeatureSet("features"), "model", alignment=Alignment(members=5))
    """
    out = Path(out)
    check_output(out, "model")
    job = _Job.of(data, alignment or Alignment(), training or Training(), split or Split())
    check_inputs(data, job.names, heads or {}, encoders or {}, job.alignment)
    check_training(job.training, len(job.train), len(job.valid) > 0)
    for note in job.notes:
        warnings.warn(note, stacklevel=2)
    parts = _Parts(dict(heads or {}), job.measured(encoders or {}))
    trained = [_train_member(job, parts, member, out, quiet) for member in range(job.alignment.members)]
    models = [model.cpu() for model, _, _ in trained]
    model = models[0] if len(models) == 1 else Ensemble(models)
    on_first_process(lambda: save_model(model, out, job.describe(models[0], trained), job.encoder_folders()))
    on_first_process(lambda: shutil.rmtree(training_folder(out), ignore_errors=True))
    return model.eval()


@dataclass(frozen=True)
class _Parts:
    heads: dict[str, nn.Module]
    encoders: dict[str, nn.Module]


@dataclass(frozen=True)
class _Job:
    """What all members of an ensemble share."""

    data: Any
    names: list[str]
    alignment: Alignment
    training: Training
    split: Split
    train: npt.NDArray[np.int64]
    valid: npt.NDArray[np.int64]

    @classmethod
    def of(cls, data: Any, alignment: Alignment, training: Training, split: Split) -> _Job:
        names, pairs = chosen_modalities(data, alignment)
        sides = splits.divide(data, split)
        common = common_rows(presence(data, names), names, pairs)
        train, valid = (np.flatnonzero((sides == side) & common.any(axis=1)) for side in ("train", "valid"))
        counts = _objects_per_pair(data, common, train)
        if not (counts >= 2).any():
            listed = ", ".join(f"{a} and {b}: {count}" for (a, b), count in zip(pairs, counts, strict=True))
            raise TrainingError(
                f"no pair of modalities has two training objects in common ({listed}). Check how the surveys were "
                f"matched, and the split."
            )
        if not (_objects_per_pair(data, common, valid) >= 2).any():
            valid = valid[:0]
        return cls(data, names, alignment, training, split, train, valid)

    @cached_property
    def notes(self) -> list[str]:
        """What is to be said of encoders that have seen held-out objects."""
        return seen_by_encoders(self.data, self.names, self.split)

    def measured(self, encoders: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
        """The encoders; where one is not trained yet, its preprocessing is measured on training objects."""
        found = dict(encoders)
        for name, one in encoders.items():
            if callable(getattr(one, "measured_on", None)) and getattr(one, "trained_on", None) is None:
                rows = self.train[np.asarray(self.data.present(name))[self.train]]
                some = rows[:: -(-len(rows) // MEASURED)]
                found[name] = copy.deepcopy(one).measured_on(torch.from_numpy(self.data.views(name, some)))  # type: ignore[operator]
        return found

    def identity(self, model: ContrastiveModel) -> str:
        """Changes with data, split, model and any setting: an interrupted run goes on only with the same."""
        data = [self.data.data_hash(name) for name in self.names]
        data += [
            hash_text(*np.asarray(self.data.groups).tolist()),
            hash_text(self.train.tobytes(), self.valid.tobytes()),
        ]
        encoders = [fingerprint(model.encoders[name]) for name in model.frozen()]
        return hash_json([data, describe(model), encoders, self.settings(), asdict(self.split)])

    def settings(self) -> dict[str, Any]:
        """All settings of the alignment as plain values."""
        plain = asdict(replace(self.alignment, augmentations={}))
        return {**plain, "augmentations": describe(self.alignment.augmentations)}

    def encoder_folders(self) -> dict[str, Path]:
        """Where the encoders of cached features lie, by their place in the model folder, which keeps a copy."""
        folders = getattr(self.data, "encoder_folders", {})
        return {f"encoders/{name}": folders[name] for name in self.names if name in folders}

    def describe(self, model: ContrastiveModel, trained: list[tuple[ContrastiveModel, History, int]]) -> dict[str, Any]:
        """What the manifest keeps beside the model, so that `embed` can rebuild its input."""
        cached = hasattr(self.data, "matrix")
        encoders = dict(self.data.encoders) if cached else describe(model.encoders)
        return {
            "input": "features" if cached else "dataset",
            "modalities": {name: self.data.modalities[name].to_dict() for name in self.names},
            "encoders": {name: encoders.get(name) for name in self.names},
            "data_hash": hash_json(self.data.manifest),
            "values": value_hashes(self.data, self.names),
            "alignment": self.settings(),
            "training": asdict(self.training),
            "split": asdict(self.split),
            "counts": {"train": len(self.train), "valid": len(self.valid)},
            "history": [list(history) for _, history, _ in trained],
            "unusable_batches": [unusable for _, _, unusable in trained],
            **({"notes": self.notes} if self.notes else {}),
        }


def _objects_per_pair(data: Any, common: npt.NDArray[np.bool_], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    groups = np.asarray(data.groups)[rows]
    return np.array([len(np.unique(groups[both])) for both in common[rows].T], dtype=np.int64)


def _train_member(
    job: _Job, parts: _Parts, member: int, out: Path, quiet: bool
) -> tuple[ContrastiveModel, History, int]:
    seed = job.training.seed if not member else int(hash_text(str(job.training.seed), str(member))[:7], 16)
    training = replace(job.training, seed=seed)
    model = _make_model(job, parts, seed, fresh=member > 0)
    batches, training = _make_batches(job, model, training)
    settings = job.alignment.objective
    loss: nn.Module = InfoNCE(settings.symmetric) if settings.loss == "infonce" else SigLIP()
    objective = BatchLoss(model, loss, math.ceil(len(batches) / training.batch_size), settings)
    validate = validator(model, loss, job.data, job.valid, training.batch_size, settings) if len(job.valid) else None
    folder = training_folder(out) / f"member-{member}"
    history = fit(
        model,
        batches,
        objective,
        training,
        folder,
        validate=validate,
        after_step=lambda _: model.clamp_scales(),
        quiet=quiet,
    )
    return model, history, objective.unusable


def _make_model(job: _Job, parts: _Parts, seed: int, fresh: bool) -> ContrastiveModel:
    """The untrained model; a second member starts from other weights of the heads, but the same of the encoders."""
    settings, objective = job.alignment.head, job.alignment.objective
    encoders = {name: copy.deepcopy(parts.encoders[name]) for name in job.names if name in parts.encoders}
    heads: dict[str, nn.Module] = {}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for name in job.names:
            if name in parts.heads:
                heads[name] = copy.deepcopy(parts.heads[name])
                if fresh:
                    _reset(heads[name])
                continue
            width = int(encoders[name].out_features if encoders else job.data.out_features(name))  # type: ignore[arg-type]
            hidden = tuple(settings.hidden_features)
            heads[name] = ProjectionHead(width, settings.out_features, hidden, settings.activation, settings.dropout)
    bias = objective.logit_bias if objective.loss == "siglip" else None
    trainable = {name: setting for name, setting in job.alignment.trainable.items() if name in encoders}
    scale, learnable = objective.logit_scale, objective.learnable_scale
    return ContrastiveModel(heads, encoders, trainable, job.alignment.pairs, scale, learnable, bias)


def _reset(module: nn.Module) -> None:
    for part in module.modules():
        reset = getattr(part, "reset_parameters", None)
        if callable(reset):
            reset()


def _make_batches(
    job: _Job, model: ContrastiveModel, training: Training
) -> tuple[FeatureBatches | SampleBatches, Training]:
    """The training batches; standardises the heads' input on the way."""
    data, sampling = job.data, job.alignment.sampling
    draw = Draw(data, job.names, job.train, sampling, training.seed)
    (device, precision), identity = resolve_hardware(training.hardware), job.identity(model)
    if not hasattr(data, "matrix"):
        _standardise(job, model, encoded_moments(model.to(device), data, job.train, training.batch_size))
        augmentations = {name: build(part, trusted=True) for name, part in job.alignment.augmentations.items()}
        for name, augmentation in augmentations.items():
            check_augmentation(augmentation, data.modalities[name])
        return SampleBatches(data, job.names, draw, augmentations, identity), training
    moments = {name: feature_moments(data, name, job.train) for name in job.names}
    _standardise(job, model, moments)
    sizes = (data.matrix(name).dtype.itemsize * data.out_features(name) * data.views(name) for name in job.names)
    if sum(sizes) * len(job.train) > sampling.memory_gb * 1e9:
        return FeatureBatches(data, moments, draw, None, identity), training
    held = replace(training, hardware=replace(training.hardware, num_workers=0))  # nothing is left to load
    rounded = [name for name in job.names if precision == "bfloat16" and isinstance(model.heads[name], ProjectionHead)]
    scalers = {name: copy.deepcopy(model.scalers[name]).to(device) for name in rounded}
    return FeatureBatches(data, moments, draw, device, identity, scalers), held


def _standardise(job: _Job, model: ContrastiveModel, moments: Mapping[str, Moments]) -> None:
    for name, (mean, std) in moments.items():
        scaler = model.scalers[name]
        if job.alignment.head.standardise and isinstance(scaler, Standardise):
            scaler.set(mean, std)
