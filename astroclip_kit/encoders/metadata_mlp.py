"""A feed-forward network over the columns of a catalogue: the metadata encoder of AstroM3."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Self

from torch import Tensor, nn

from ..errors import InputError, UsageError
from ..transforms.astrom3_columns import METADATA, SCALED
from ..transforms.catalogue_columns import CatalogueColumns
from ..transforms.compose import Transform
from ..transforms.tables import Standardise
from ..types import Modality
from .checkpoints import fill, read_checkpoint, under
from .dropout import Dropout
from .layers import MeasuredEncoder, check_columns, check_kind

__all__ = ["MetadataMLP"]


class MetadataMLP(MeasuredEncoder):
    """Linear layers with ReLU and dropout after each, on columns of which a missing one counts as the mean.

    280,576 parameters at the published sizes. `TabularMLP` tells missing values from mean ones instead.

    Args:
        in_features: Number of columns.
        hidden_features: Features of each layer, and those that come out.
        depth: Number of layers.
        dropout: Probability after each layer.
        preprocess: What is done to tables [B, in_features] first; by default `Standardise`, which `measured_on`
            measures, so that 0 is the mean.
        checkpoint: A file of weights with the layout of the published ones, read once. A saved copy of the encoder
            brings its own weights, so the attribute is None afterwards.

    Raises:
        UsageError: If a size is not above 0, or the dropout is no probability.

    References:
        Rizhko & Bloom 2025 (AstroM3; arXiv:2411.08842).

    Example:
        >>> import torch
        >>> MetadataMLP(5, 32)(torch.tensor([[1.2, -0.5, torch.nan, 0.9, 0.8]])).shape
        torch.Size([1, 32])
    """

    def __init__(
        self,
        in_features: int = 34,
        hidden_features: int = 512,
        depth: int = 2,
        dropout: float = 0.2,
        preprocess: Transform | None = None,
        checkpoint: str | None = None,
    ) -> None:
        super().__init__()
        if min(in_features, hidden_features, depth) < 1:
            raise UsageError(
                f"MetadataMLP: sizes are above 0; found in_features {in_features}, hidden_features {hidden_features}, "
                f"depth {depth}."
            )
        self.in_features, self.hidden_features, self.depth = in_features, hidden_features, depth
        self.out_features, self.dropout, self.checkpoint = hidden_features, dropout, None
        self.preprocess = preprocess if preprocess is not None else Standardise()
        layers: list[nn.Module] = []
        for before, after in pairwise((in_features, *[hidden_features] * depth)):
            layers += [nn.Linear(before, after), nn.ReLU(), Dropout(dropout)]
        self.layers = nn.Sequential(*layers)
        if checkpoint is not None:
            fill(self, own_names(read_checkpoint(checkpoint)), checkpoint)

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """Sized for the columns of a table modality, which `CatalogueColumns` brings to mean 0 and spread 1.

        Args:
            modality: A table; the columns that AstroM3 has are changed as published first. A checkpoint takes its 34,
                scaled as those that it was trained on: `surveys.AstroM3Parquet` reads them so.
            arguments: Of the constructor; a `preprocess` of your own may do otherwise.

        Raises:
            InputError: If the modality is of another kind, or has other columns than the weights of a checkpoint take.
        """
        check_kind(modality, "table", cls)
        if arguments.get("checkpoint") and "preprocess" not in arguments:
            check_columns(modality, [SCALED + name for name in METADATA], cls)
        columns = CatalogueColumns.for_modality(modality)
        return cls(**{"in_features": len(columns.columns), "preprocess": columns, **arguments})

    @classmethod
    def from_checkpoint(cls, path: str, **arguments: Any) -> Self:
        """With the weights of a file, which gives the sizes too.

        Args:
            path: AstroM3, or its classifier of metadata: safetensors with the released names.
            arguments: Of the constructor.

        Raises:
            FileError: If the file cannot be read, or holds another network.
        """
        tensors = own_names(read_checkpoint(path))
        encoder = cls(**{**_sizes(tensors), **arguments})
        fill(encoder, tensors, path)
        return encoder

    def forward(self, x: Tensor) -> Tensor:
        """Features [B, hidden_features] of tables [B, in_features], NaN where a value is missing."""
        if x.ndim != 2 or x.shape[1] != self.in_features:
            raise InputError(f"MetadataMLP takes tables [B, {self.in_features}], found {tuple(x.shape)}.")
        features: Tensor = self.layers(x.nan_to_num(0.0))
        return features


def _sizes(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """The constructor's sizes that the shapes of the weights tell; none where the file is no such network."""
    first = tensors.get("layers.0.weight")
    if first is None or first.ndim != 2:
        return {}
    depth = sum(name.endswith(".weight") for name in tensors)
    return {"hidden_features": first.shape[0], "in_features": first.shape[1], "depth": depth}


def own_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Released tensors by the names that they have here; those of a classifier's head left out."""
    found = under(tensors, "metadata_encoder.")
    return {name.replace("model.", "layers."): one for name, one in found.items() if not name.startswith("fc.")}
