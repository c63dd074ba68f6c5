"""The contrastive way to a simulated spectral vector: the mean of those that an image lies near in a shared space."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..alignment import align
from ..encoders import RetrievedSpectra, TableValues
from ..encoders.stamp_resnet import image_encoder
from ..errors import UsageError
from ..models import save_model
from ..pretraining import Pretraining
from ..settings import Alignment, Classification
from ..storage import check_output, hash_text
from ..training.processes import on_first_process
from ..types import Batch, Modality
from .real_vectors import Target, spectral_vectors, teacher_of, with_both

__all__ = ["train_retriever"]

VECTOR = "vector"  # what the space calls the vector of a spectrum


def train_retriever(
    dataset: Any,
    out: str | Path,
    *,
    target: Target,
    settings: Classification,
    rows: npt.ArrayLike | None = None,
    quiet: bool = False,
) -> RetrievedSpectra:
    """Aligns an encoder of images with the vectors of spectra, without labels, and remembers those vectors.

    Args:
        dataset: A `Dataset`.
        out: Model folder; the aligned space lies beside it, in a folder whose name ends with "-aligned". Run again, an
            interrupted training goes on.
        target: What `train_encoder` gave of the spectra, or its folder.
        settings: ``simulation`` (modalities, neighbours, image encoder, augmentation), ``alignment`` (heads, loss),
            ``alignment_training`` and split.
        rows: Those of the training side alone that are trained on and remembered; None for all.
        quiet: Shows no progress.

    Returns:
        The encoder of images, on the CPU and in eval mode.

    Raises:
        UsageError: If `neighbours` is below 1, or rows are not of the training side.
        FolderError: If `out` is something else, or holds an interrupted run with other settings.
        TrainingError: If nobody has both image and spectrum.
    """
    simulation, training, out = settings.simulation, settings.alignment_training, Path(out)
    if simulation.neighbours < 1:
        raise UsageError(f"simulation.neighbours is {simulation.neighbours}, expected at least 1.")
    check_output(out, "model")
    course = Pretraining.of("retrieved_spectra", dataset, out, simulation.image, simulation, training, settings.split)
    teacher = teacher_of(target, course)
    train, valid = with_both(dataset, simulation, settings.split, rows)
    known = np.sort(np.concatenate([train, valid]))
    trained = np.isin(known, train)
    vectors = spectral_vectors(teacher, dataset, known, simulation.spectrum, hardware=training.hardware)
    paired = _Paired(dataset, simulation.image, known, vectors)
    course = replace(course, train=known[trained])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        encoder = course.own(image_encoder(simulation.generator.get("encoder"), course.modality))
    encoders = {simulation.image: encoder, VECTOR: TableValues(paired.modalities[VECTOR].channels)}
    space: Any = align(
        paired,
        out.with_name(f"{out.name}-aligned"),
        encoders=encoders,
        alignment=_alignment(settings),
        training=training,
        split=settings.split,
        quiet=quiet,
    )
    retrieved = _remembering(space, torch.from_numpy(vectors[trained]), settings)
    about = {**course.about(), "alignment": asdict(replace(settings.alignment, augmentations={}))}
    on_first_process(lambda: save_model(retrieved, out, about))
    return retrieved.eval()


def _alignment(settings: Classification) -> Alignment:
    """The alignment of the settings, of images with vectors."""
    simulation = settings.simulation
    return replace(
        settings.alignment,
        modalities=[simulation.image, VECTOR],
        pairs=[],
        trainable={simulation.image: "all"},
        augmentations={simulation.image: simulation.augmentation} if simulation.augmentation else {},
        members=1,
    )


def _remembering(space: Any, vectors: Tensor, settings: Classification) -> RetrievedSpectra:
    """The image's way into a space, with the vectors that answer there."""
    name, simulation = settings.simulation.image, settings.simulation
    keys = space.embed(Batch([], [], {VECTOR: vectors}, {VECTOR: torch.arange(len(vectors))}))[VECTOR]
    retrieved = RetrievedSpectra(
        space.encoders[name],
        space.heads[name],
        space.scalers[name],
        memory=len(vectors),
        out_features=vectors.shape[1],
        neighbours=simulation.neighbours,
        sharpness=settings.alignment.objective.logit_scale,
        reads=name,
    )
    retrieved.remember(keys, vectors)
    return retrieved


class _Paired:
    """Images, and a table of the vectors of some of their spectra, as `align` reads a dataset."""

    def __init__(self, dataset: Any, image: str, rows: npt.NDArray[np.int64], vectors: npt.NDArray[np.float32]) -> None:
        self.dataset, self.image = dataset, image
        channels = tuple(f"v{number}" for number in range(vectors.shape[1]))
        table = Modality(VECTOR, "table", channels, (len(channels),))
        self.modalities = {image: dataset.modalities[image], VECTOR: table}
        self.vectors = np.zeros((len(dataset), len(channels)), dtype=np.float32)
        self.vectors[rows] = vectors
        self.known = np.isin(np.arange(len(dataset)), rows)
        for name in ("object_ids", "groups", "ra", "dec", "labels", "manifest"):
            setattr(self, name, getattr(dataset, name))

    def __len__(self) -> int:
        return len(self.dataset)

    def present(self, name: str) -> npt.NDArray[np.bool_]:
        """Which rows have an image, and which a vector that may be used [N]."""
        return self.known if name == VECTOR else np.asarray(self.dataset.present(name))

    def batch(self, rows: npt.NDArray[np.int64]) -> Batch:
        """Some rows, stacked."""
        places = {name: np.flatnonzero(self.present(name)[rows]) for name in self.modalities}
        images = self.dataset.views(self.image, rows[places[self.image]])
        views = {self.image: torch.from_numpy(images), VECTOR: torch.from_numpy(self.vectors[rows[places[VECTOR]]])}
        ids, groups = (np.asarray(names)[rows].tolist() for names in (self.dataset.object_ids, self.dataset.groups))
        return Batch(ids, groups, views, {name: torch.from_numpy(place) for name, place in places.items()})

    def data_hash(self, name: str) -> str:
        """A hash of the values of a modality."""
        own = hash_text(self.vectors.tobytes(), self.known.tobytes())
        return own if name == VECTOR else str(self.dataset.data_hash(name))
