"""AstroM3: light curves, spectra and metadata of variable stars in one space, in the layout of its released weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..encoders.checkpoints import fill, looks_like, read_checkpoint
from ..encoders.galspecnet import GalSpecNet
from ..encoders.informer import Informer
from ..encoders.metadata_mlp import MetadataMLP
from ..errors import FileError
from ..transforms.astrom3_columns import METADATA, PHOTOMETRY, SCALED
from ..transforms.catalogue_columns import CatalogueColumns
from ..transforms.lightcurve_steps import LightCurveSteps
from ..transforms.spectrum_channels import SpectrumChannels
from ..types import LIGHTCURVE_CHANNELS, Modality
from .heads import ProjectionHead
from .model import ContrastiveModel

__all__ = ["astrom3_modalities", "astrom3_model"]

THEIRS = {"lightcurve": "photometry", "spectrum": "spectra", "metadata": "metadata"}
ENCODERS: dict[str, Any] = {"lightcurve": Informer, "spectrum": GalSpecNet, "metadata": MetadataMLP}
PROJECTIONS = {
    f"{ours}.layers.0.{kind}": f"{theirs}_proj.{kind}" for ours, theirs in THEIRS.items() for kind in ("weight", "bias")
}
PAIRS = {"ps": ("lightcurve", "spectrum"), "sm": ("spectrum", "metadata"), "mp": ("metadata", "lightcurve")}
SCALES = [f"logit_scale_{pair}" for pair in PAIRS]
HEAD = ("fc.weight", "fc.bias")  # of the classifier
INPUTS = {  # first layer to what it takes
    "photometry_encoder.enc_embedding.value_embedding.tokenConv.weight": 9,
    "spectra_encoder.layers.0.weight": 3,
    "metadata_encoder.model.0.weight": len(METADATA),
}
DROPOUT = {"lightcurve": 0.245107, "spectrum": 0.339266, "metadata": 0.159534}  # of the pretraining
FEATURES = 512
LARGEST_SCALE = 100.0  # at the start, as published
Scaling = Mapping[str, tuple[float, float]]


def astrom3_modalities(scaling: Scaling | None = None) -> dict[str, Modality]:
    """What the model of `astrom3_model` takes: light curves, spectra and metadata.

    Args:
        scaling: As there. Without it the covariates of light curves and the metadata come scaled, and are called
            ``scaled_period`` and so on.
    """
    mark = SCALED if scaling is None else ""
    channels = (*LIGHTCURVE_CHANNELS, *(mark + name for name in PHOTOMETRY))
    columns = tuple(mark + name for name in METADATA)
    return {
        "lightcurve": Modality("lightcurve", "lightcurve", channels, (-1, len(channels)), "mJy", bands=("V",)),
        "spectrum": Modality.spectrum("spectrum", np.arange(3850.0, 9000.0, 2.0)),
        "metadata": Modality("metadata", "table", columns, (len(columns),)),
    }


def astrom3_model(path: str | Path | None = None, scaling: Scaling | None = None) -> ContrastiveModel:
    """The network of AstroM3: three encoders, three linear projections to 512 features, a scale for each pair.

    15,869,827 parameters. What it takes is said by `astrom3_modalities`; the preprocessing is that of the encoders.

    Args:
        path: The ``model.safetensors`` that was released as AstroMLCore/AstroM3-CLIP, or AstroM3-CLIP-all, whose
            classifier is left out; None for random weights.
        scaling: Name of each covariate and column to the mean and the standard deviation that it is scaled with, as
            in the ``info.json`` of the training; None where they come scaled, as `surveys.AstroM3Parquet` reads them.

    Returns:
        The model, in eval mode; its encoders are trained on by `align`.

    Raises:
        FileError: If the file cannot be read, or holds another network.

    References:
        Rizhko & Bloom 2025 (arXiv:2411.08842).

    Example:
        >>> model = astrom3_model()
        >>> sum(weight.numel() for weight in model.parameters())
        15869827
    """
    place, arguments = "" if path is None else str(path), _arguments(scaling)
    tensors = _tensors(place) if place else {}
    encoders: dict[str, nn.Module] = {
        name: ENCODERS[name].from_checkpoint(place, **given) if place else ENCODERS[name](**given)
        for name, given in arguments.items()
    }
    width = len(tensors.get("metadata_proj.bias", range(FEATURES)))
    heads = {name: ProjectionHead(int(one.out_features), width) for name, one in encoders.items()}  # type: ignore[arg-type]
    pairs, trained = list(PAIRS.values()), dict.fromkeys(encoders, "all")
    model = ContrastiveModel(heads, encoders, trained, pairs, LARGEST_SCALE, learnable_scale=True)
    if place:
        fill(model.heads, {ours: tensors[theirs] for ours, theirs in PROJECTIONS.items()}, place, "AstroM3")
        model.log_scale.data.copy_(torch.stack([tensors[name].reshape(()) for name in SCALES]))
    return model.eval()


def _arguments(scaling: Scaling | None) -> dict[str, dict[str, Any]]:
    """What the encoders are built with."""
    taken = astrom3_modalities(scaling)
    covariates, columns = _numbers(scaling, PHOTOMETRY), _numbers(scaling, METADATA)
    steps = LightCurveSteps.for_modality(taken["lightcurve"], **covariates)
    table = CatalogueColumns.for_modality(taken["metadata"], **columns)
    preprocess = {"lightcurve": steps, "spectrum": SpectrumChannels(gaps="kept"), "metadata": table}
    return {name: {"dropout": DROPOUT[name], "preprocess": preprocess[name]} for name in ENCODERS}


def _numbers(scaling: Scaling | None, names: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Mean and standard deviation of each name, where they are known."""
    if scaling is None:
        return {}
    return {key: tuple(scaling[name][place] for name in names) for place, key in enumerate(("mean", "std"))}


def _tensors(path: str) -> dict[str, Tensor]:
    """The released tensors.

    Raises:
        FileError: If some are missing, not known or not finite, or take other numbers of an object.
    """
    tensors = read_checkpoint(path)
    missing = [name for name in (*PROJECTIONS.values(), *SCALES) if name not in tensors]
    if missing:
        raise FileError(path, f"is no AstroM3 of three modalities: it has no {missing[0]!r}. {looks_like(tensors)}")
    known = {*PROJECTIONS.values(), *SCALES, *HEAD}
    encoders = tuple(f"{theirs}_encoder." for theirs in THEIRS.values())
    if unexpected := [name for name in tensors if name not in known and not name.startswith(encoders)]:
        raise FileError(path, f"is no AstroM3 of three modalities: it has an unexpected {unexpected[0]!r}.")
    if spoiled := [name for name, one in tensors.items() if not one.isfinite().all()]:
        raise FileError(path, f"{spoiled[0]!r} holds numbers that are not finite. Copy or download it again.")
    for name, count in INPUTS.items():
        if name in tensors and tensors[name].shape[1:2] != (count,):
            shape = tuple(tensors[name].shape)
            raise FileError(path, f"{name!r} is {shape}, expected one that takes {count} numbers, as AstroM3's does.")
    return tensors
