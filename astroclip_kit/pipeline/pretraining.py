"""The verb that makes an encoder of what it is shown, without labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..settings import Autoencoder, MaskedSpectra, MoCo, Split, Training
from .parts import Folder, encoder_for, open_data, seeded

if TYPE_CHECKING:
    from torch import nn

__all__ = ["pretrain"]

METHODS = {"moco": "image", "autoencoder": "spectrum", "masked": "spectrum"}  # and the kind of data that it is for


def pretrain(
    data: Folder,
    method: str,
    out: Folder = "encoder",
    *,
    modality: str = "",
    encoder: dict[str, Any] | str | None = None,
    moco: MoCo = MoCo(),
    autoencoder: Autoencoder = Autoencoder(),
    masked: MaskedSpectra = MaskedSpectra(),
    training: Training = Training(),
    split: Split = Split(),
) -> nn.Module:
    """Trains an encoder of one modality without labels.

    Args:
        data: Dataset folder.
        method: moco (images: two views of one against all others), autoencoder (spectra, on the rest frame) or masked
            (spectra: parts are hidden and predicted).
        out: Encoder folder to write, for `extract` and `align`; resumed where it was interrupted.
        modality: What is encoded; by default the first that the method is for.
        encoder: class_path and init_args, or an encoder folder to start from; by default one that suits the method.
        moco: Settings of moco, see `MoCo`.
        autoencoder: Settings of autoencoder, see `Autoencoder`.
        masked: Settings of masked, see `MaskedSpectra`.
        training: Epochs, optimizer, hardware, see `Training`.
        split: Who trains, see `Split`.

    Returns:
        The encoder.
    """
    from .. import pretraining as room

    if method not in METHODS:
        raise UsageError(f"there is no pretraining {method!r}. One of: {', '.join(METHODS)}.")
    dataset = open_data(data)
    if hasattr(dataset, "matrix"):
        raise UsageError(f"{data}: expected a dataset folder to train on, found features, which are encoded already.")
    name = modality or _first(dataset.modalities, METHODS[method], method)
    with seeded(training.seed):
        built = encoder_for(encoder, dataset.modalities, name)
    functions: dict[str, tuple[Any, Any]] = {
        "moco": (room.pretrain_moco, moco),
        "autoencoder": (room.pretrain_autoencoder, autoencoder),
        "masked": (room.pretrain_masked_spectra, masked),
    }
    function, settings = functions[method]
    trained: nn.Module = function(
        dataset, Path(out), modality=name, encoder=built, settings=settings, training=training, split=split
    )
    return trained


def _first(modalities: dict[str, Any], kind: str, method: str) -> str:
    """The first modality of a kind."""
    fitting = [name for name, modality in modalities.items() if modality.kind == kind]
    if not fitting:
        raise UsageError(f"{method} is for data of kind {kind!r}, of which there are none: give the modality.")
    return fitting[0]
