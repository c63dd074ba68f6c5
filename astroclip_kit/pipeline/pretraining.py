"""The verb that makes an encoder of one kind of view, by what is seen beside it or by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..settings import ADVERSARIAL, Classification, Methods, Optimizer, Schedule, Split, Training
from .parts import Folder, encoder_for, open_data, seeded

if TYPE_CHECKING:
    from torch import nn

__all__ = ["pretrain"]

METHODS = {"moco": "image", "autoencoder": "spectrum", "masked": "spectrum", "spectral_gan": "image"}  # and their kind


def pretrain(
    data: Folder,
    method: str,
    out: Folder = "encoder",
    *,
    modality: str = "",
    encoder: dict[str, Any] | str | None = None,
    settings: Methods = Methods(),
    training: Training = Training(),
    split: Split = Split(),
) -> nn.Module:
    """Trains an encoder of one modality, without labels or to simulate vectors of spectra from images.

    Args:
        data: Dataset folder.
        method: moco (images: two views of one against all others), autoencoder (spectra, on the rest frame), masked
            (spectra: parts are hidden and predicted) or spectral_gan (images: the vector that --spectrum-encoder would
            give of the object's spectrum is simulated; --labels is the table of classes that it learned from).
        out: Encoder folder to write, for `extract` and `align`; resumed where it was interrupted.
        modality: What is encoded; by default the first that the method is for.
        encoder: class_path and init_args, or an encoder folder to start from; by default one that suits the method.
            Of spectral_gan, the image encoder inside the generator.
        settings: Those of the method, see `Methods`.
        training: Epochs, optimizer, hardware, see `Training`. Of spectral_gan, an optimizer and a schedule that are
            left as they are stand for Adam at a constant rate of 2e-4 with betas of 0.5 and 0.9.
        split: Who trains, see `Split`.

    Returns:
        The encoder.
    """
    if method not in METHODS:
        raise UsageError(f"there is no pretraining {method!r}. One of: {', '.join(METHODS)}.")
    dataset = open_data(data)
    if hasattr(dataset, "matrix"):
        raise UsageError(f"{data}: expected a dataset folder to train on, found features, which are encoded already.")
    name = modality or _first(dataset.modalities, METHODS[method], method)
    with seeded(training.seed):
        built = encoder_for(encoder, dataset.modalities, name)
    if method == "spectral_gan":
        return _simulating(dataset, out, name, built, settings, training, split)
    from .. import pretraining as room

    functions: dict[str, Any] = {
        "moco": room.pretrain_moco,
        "autoencoder": room.pretrain_autoencoder,
        "masked": room.pretrain_masked_spectra,
    }
    told = {"modality": name, "encoder": built, "settings": getattr(settings, method)}
    trained: nn.Module = functions[method](dataset, Path(out), **told, training=training, split=split)
    return trained


def _simulating(
    dataset: Any, out: Folder, name: str, encoder: Any, settings: Methods, training: Training, split: Split
) -> nn.Module:
    """What gives vectors of spectra from images: a generator, or the spectra nearest in an aligned space."""
    from ..classifiers import train_generator, train_retriever
    from ..data import label_objects
    from .label_tables import label_table

    if not settings.spectrum_encoder:
        raise UsageError(
            "spectral_gan simulates the vectors that a classifier of spectra has: give its folder with "
            "--spectrum-encoder, encoders/spectrum of a run of classify."
        )
    chosen = replace(settings.spectral_gan, image=name)
    if encoder is not None:
        chosen = replace(chosen, generator={**chosen.generator, "encoder": encoder})
    target, out = settings.spectrum_encoder, Path(out)
    if settings.labels:
        dataset = label_objects(dataset, label_table(settings.labels, chosen.label), chosen.label).dataset
    if chosen.source == "retrieved":
        aligned = Classification(simulation=chosen, alignment_training=training, split=split)
        retriever: nn.Module = train_retriever(dataset, out, target=target, settings=aligned)
        return retriever
    if (training.optimizer, training.schedule) == (Optimizer(), Schedule()):
        training = replace(training, optimizer=ADVERSARIAL.optimizer, schedule=ADVERSARIAL.schedule)
    told = {"target": target, "settings": chosen, "training": training, "split": split}
    generator: nn.Module = train_generator(dataset, out, **told)
    return generator


def _first(modalities: dict[str, Any], kind: str, method: str) -> str:
    """The first modality of a kind."""
    fitting = [name for name, modality in modalities.items() if modality.kind == kind]
    if not fitting:
        raise UsageError(f"{method} is for data of kind {kind!r}, of which there are none: give the modality.")
    return fitting[0]
