"""Verbs from a dataset to a shared space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..settings import Alignment, Hardware, Split, Training
from .parts import Encoders, Folder, Parts, encoder_for, head_for, note_untrained, open_data, part, seeded

if TYPE_CHECKING:
    from ..alignment import ContrastiveModel
    from ..embeddings import EmbeddingStore
    from ..features import FeatureSet

__all__ = ["align", "embed", "extract"]


def extract(
    data: Folder,
    encoders: Encoders,
    out: Folder = "features",
    *,
    augmentations: Parts | None = None,
    views: int = 1,
    augmented: Split | None = None,
    batch_size: int = 256,
    hardware: Hardware = Hardware(),
    seed: int = 0,
) -> FeatureSet:
    """Runs frozen encoders once over a dataset and keeps what they give.

    Args:
        data: Dataset folder.
        encoders: Modality to encoder, or to an encoder folder that `pretrain` or `convert` wrote; spectra on other
            wavelengths than it was trained on are resampled for it, and bands put in its order. Under any other name,
            one that ``reads`` a modality: a second encoder of the same images.
        out: Features folder to write; what is unchanged is not computed again.
        augmentations: Modality to augmentation, for the further views.
        views: Views per object: the first as it is, the others augmented.
        augmented: Whom to augment: the training side of this division alone, best that of `align`; by default all.
        batch_size: Objects per forward pass.
        hardware: Where and how, see `Hardware`.
        seed: Of the augmented views, and of the weights of encoders that have not been trained.

    Returns:
        The features.
    """
    from .. import features

    dataset = open_data(data)
    if hasattr(dataset, "matrix"):
        raise UsageError(f"{data}: expected a dataset folder to encode, found features. Encode the dataset again.")
    with seeded(seed):
        built = {name: encoder_for(value, dataset.modalities, name) for name, value in encoders.items()}
    note_untrained(encoders, built, {})
    changes = {name: part(value) for name, value in (augmentations or {}).items()}
    return features.extract(
        dataset,
        built,
        Path(out),
        augmentations=changes,
        views=views,
        augmented=augmented,
        batch_size=batch_size,
        hardware=hardware,
        seed=seed,
    )


def align(
    data: Folder,
    out: Folder = "model",
    *,
    encoders: Encoders | None = None,
    heads: Parts | None = None,
    alignment: Alignment = Alignment(),
    training: Training = Training(),
    split: Split = Split(),
) -> ContrastiveModel:
    """Trains a shared space of several modalities.

    Args:
        data: Features folder (heads alone are trained), or dataset folder (with encoders).
        out: Model folder to write; resumed where it was interrupted.
        encoders: Modality to encoder, for a dataset folder.
        heads: Modality to projection head, where the default does not fit; without ``in_features`` it takes those
            that there are.
        alignment: What is aligned and how, see `Alignment`.
        training: Epochs, optimizer, hardware, see `Training`.
        split: Who trains and who is held out, see `Split`.

    Returns:
        The model.
    """
    from .. import alignment as room

    source = open_data(data)
    with seeded(training.seed):
        built = {name: encoder_for(value, source.modalities, name) for name, value in (encoders or {}).items()}
        built_heads = {name: head_for(value, _width(source, built, name)) for name, value in (heads or {}).items()}
    note_untrained(encoders or {}, built, alignment.trainable)
    return room.align(
        source,
        Path(out),
        heads=built_heads,
        encoders=built,
        alignment=alignment,
        training=training,
        split=split,
    )


def _width(source: Any, encoders: dict[str, Any], name: str) -> int | None:
    """How many features there are of a modality."""
    if name in encoders:
        return getattr(encoders[name], "out_features", None)
    return source.out_features(name) if hasattr(source, "matrix") and name in source.names else None


def embed(
    model: Any,
    data: Folder,
    out: Folder = "embeddings",
    *,
    pool: str = "",
    hardware: Hardware = Hardware(),
    trusted: bool = False,
) -> EmbeddingStore:
    """Places every object of a dataset in the shared space of a model.

    Args:
        model: Model folder.
        data: Features or dataset folder, of the kind that the model was trained on.
        out: Embeddings folder to write.
        pool: "group" for one row per astrophysical object, the mean of its observations; "" for one per observation.
        hardware: Where and how, see `Hardware`.
        trusted: Whether the model folder is your own and may name classes from outside the kit.

    Returns:
        The shared space.
    """
    from .. import embeddings, models
    from ..storage import check_output

    check_output(Path(out), "embeddings")
    if trusted:
        model = part(model, lambda folder: models.load_model(folder, trusted=True))
    return embeddings.embed(model, open_data(data), Path(out), pool=pool, hardware=hardware)
