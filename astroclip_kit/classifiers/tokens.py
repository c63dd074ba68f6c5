"""Tokens: what an encoder says of each part of an image or spectrum, computed once and cached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..contracts import check_encoder, modality_read, random_views
from ..encoders.fitted import encoder_of
from ..errors import InputError, UsageError
from ..features import FeatureSet, extract
from ..models import load_model
from ..pretraining.two_views import preprocess_of
from ..settings import Hardware
from ..types import Modality

__all__ = [
    "Tokens",
    "check_tokens",
    "encode_tokens",
    "encode_views",
    "encoders_of",
    "extract_tokens",
    "prepared",
    "token_shape",
    "tokens_of",
]


def encode_tokens(encoder: nn.Module, x: Tensor) -> Tensor:
    """Tokens [B, T, D] of preprocessed views.

    An encoder without ``tokens``, or whose tokens come with a mask (those of light curves), gives its features as the
    one token.
    """
    tokens = getattr(encoder, "tokens", None)
    found = None if tokens is None else tokens(x)
    one: Tensor = found if isinstance(found, Tensor) else encoder(x)[:, None]
    return one


def prepared(encoder: nn.Module, x: Tensor) -> Tensor:
    """Raw views [B, ...] as an encoder takes them: preprocessed in float32 and, if images, laid out by pixel."""
    with torch.autocast(x.device.type, enabled=False):  # wavelengths and fluxes have no room for rounding
        x = preprocess_of(encoder)(x)
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x


def encode_views(encoder: nn.Module, x: Tensor) -> Tensor:
    """Tokens [B, T, D] of raw views [B, ...]."""
    return encode_tokens(encoder, prepared(encoder, x))


class Tokens(nn.Module):
    """An encoder whose features are its tokens, one after the other, so that `extract` can cache them.

    Args:
        encoder: Any encoder.
        count: Number of its tokens T, each as wide as its features.

    Example:
        >>> from astroclip_kit.encoders import SpecFormer
        >>> tokens = Tokens(SpecFormer(width=8, depth=1, heads=2), count=9)
        >>> tokens(tokens.preprocess(torch.ones(3, 2, 100))).shape
        torch.Size([3, 72])
    """

    def __init__(self, encoder: nn.Module, count: int) -> None:
        super().__init__()
        self.encoder, self.count = encoder, count
        self.width = int(encoder.out_features)  # type: ignore[arg-type]
        self.out_features = count * self.width
        self.preprocess: Any = getattr(encoder, "preprocess", nn.Identity())

    @classmethod
    def of(cls, encoder: nn.Module, modality: Modality) -> Tokens:
        """With the number of tokens that the encoder gives for a modality.

        Raises:
            InputError: If the encoder does not fit the modality, or its tokens are not as wide as its features.
        """
        check_encoder(encoder, modality)
        was_training = encoder.training
        with torch.inference_mode():
            x = preprocess_of(encoder.eval())(random_views(modality, 2))
            shape = tuple(encode_tokens(encoder, x).shape)
        encoder.train(was_training)
        if len(shape) != 3 or shape[2] != encoder.out_features:
            raise InputError(
                f"{type(encoder).__name__} gives tokens of shape {shape} for 2 views of {modality.name!r}, expected "
                f"(2, T, {encoder.out_features})."
            )
        return cls(encoder, shape[1])

    @property
    def reads(self) -> str:
        """The modality that the encoder names, "" if none."""
        return str(getattr(self.encoder, "reads", ""))

    def check_modality(self, modality: Modality) -> None:
        """Leaves it to the encoder to refuse a modality."""
        check_encoder(self.encoder, modality)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens [B, T * D] of preprocessed views."""
        return encode_tokens(self.encoder, x).flatten(1)


def extract_tokens(
    dataset: Any,
    encoders: Mapping[str, nn.Module | str | PathLike[str]],
    out: str | PathLike[str],
    *,
    hardware: Hardware = Hardware(),
    batch_size: int = 256,
    quiet: bool = False,
) -> FeatureSet:
    """Runs frozen encoders over a dataset once and keeps their tokens; what is there already is not computed again.

    Args:
        dataset: A `Dataset`.
        encoders: Modality, or what the encoder is called, to encoder or its folder.
        out: The features folder.
        hardware: Where, and at which precision.
        batch_size: Objects per forward pass.
        quiet: Shows no progress.

    Returns:
        Features of T * D numbers, which `tokens_of` reads as tokens.

    Raises:
        InputError: If an encoder does not fit.
        FolderError: If `out` holds something else, or a folder no encoder.
        UsageError: If an encoder reads no modality of the dataset.
    """
    known = dataset.modalities
    built = {
        name: one if isinstance(one, nn.Module) else encoder_of(str(one), name, known) for name, one in encoders.items()
    }
    wrapped = {name: Tokens.of(one, modality_read(name, one, known)) for name, one in built.items()}
    return extract(dataset, wrapped, out, batch_size=batch_size, hardware=hardware, quiet=quiet)


def encoders_of(tokens: FeatureSet, names: Sequence[str]) -> dict[str, nn.Module]:
    """The encoders that tokens were extracted with.

    Raises:
        UsageError: If one is not kept.
    """
    folders = tokens.encoder_folders
    if missing := [name for name in names if name not in folders]:
        raise UsageError(f"{tokens.root} keeps no encoder of {missing[0]!r}: it was not extracted, or cannot be saved.")
    found = {name: load_model(folders[name], trusted=True) for name in names}
    return {name: one.encoder if isinstance(one, Tokens) else one for name, one in found.items()}


def token_shape(features: Any, name: str) -> tuple[int, int]:
    """Number of tokens T and their width D; features that were not extracted as tokens count as one."""
    arguments = features.encoders[name].get("init_args", {})
    is_tokens = str(features.encoders[name]["class_path"]).endswith(".Tokens")
    count = int(arguments["count"]) if is_tokens else 1
    return count, features.out_features(name) // count


def tokens_of(features: Any, name: str, rows: npt.NDArray[np.int64]) -> Tensor:
    """Cached tokens float32 [n, T, D] of some rows of a `FeatureSet`."""
    h = np.asarray(features.matrix(name)[rows], dtype=np.float32)
    return torch.from_numpy(h.reshape(len(h), *token_shape(features, name)))


def check_tokens(tokens: Mapping[str, Tensor], in_features: Mapping[str, int]) -> list[Tensor]:
    """The tokens of each modality in the order in which they are read.

    Args:
        tokens: Modality to tokens [B, T, D].
        in_features: Modality to their width D.

    Raises:
        InputError: If a modality is missing, or its tokens are of another width.
    """
    for name, width in in_features.items():
        if name not in tokens:
            raise InputError(f"there are no tokens of {name!r}, expected {', '.join(in_features)}.")
        if tokens[name].ndim != 3 or tokens[name].shape[2] != width:
            found = tuple(tokens[name].shape)
            raise InputError(f"the tokens of {name!r} have shape {found}, expected (objects, tokens, {width}).")
    return [tokens[name] for name in in_features]
