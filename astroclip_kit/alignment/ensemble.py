"""Several models that agree better together than each with itself."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..training import History
from ..types import Batch
from .model import ContrastiveModel
from .show import histories, model_html

__all__ = ["Ensemble"]


class Ensemble(nn.Module):
    """Models trained with different seeds, as one: the cosine similarity is the mean of theirs.

    Args:
        members: Models of the same modalities.

    Raises:
        UsageError: If there is none, or their modalities differ.

    Example:
        >>> from astroclip_kit.alignment import ProjectionHead
        >>> heads = lambda: {"image": ProjectionHead(8, 4), "spectrum": ProjectionHead(6, 4)}
        >>> Ensemble([ContrastiveModel(heads()), ContrastiveModel(heads())]).out_features
        8
    """

    def __init__(self, members: Sequence[ContrastiveModel]) -> None:
        super().__init__()
        if not members or any(member.names != members[0].names for member in members):
            raise UsageError("an ensemble needs at least one model, and all of the same modalities.")
        self.members = nn.ModuleList(members)
        self.names, self.out_features = list(members[0].names), sum(member.out_features for member in members)

    @property
    def encoders(self) -> nn.ModuleDict:
        """Encoders of the first member: the modalities that are given as raw views."""
        encoders: nn.ModuleDict = self.members[0].encoders  # type: ignore[assignment]
        return encoders

    @property
    def histories(self) -> list[History]:
        """How the training of each member went, of an ensemble that was saved or loaded; else empty."""
        return histories(self)

    def _repr_html_(self) -> str:
        member: ContrastiveModel = self.members[0]  # type: ignore[assignment]
        return model_html(member, f"Ensemble of {len(self.members)}, each", getattr(self, "root", ""))

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Unit vectors [n, D] of every modality: the members' side by side, divided by the root of their number."""
        return _side_by_side([member(batch) for member in self.members])

    def embed(self, batch: Batch) -> dict[str, Tensor]:
        """Unit vectors [n, D] of the modalities in the batch, in eval mode and without gradient."""
        return _side_by_side([member.embed(batch) for member in self.members])  # type: ignore[operator]


def _side_by_side(members: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    share = math.sqrt(len(members))
    return {name: torch.cat([member[name] for member in members], dim=1) / share for name in members[0]}
