"""Classes from the unit vectors of all modalities that an object has, as many as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..alignment.heads import ProjectionHead, Standardise
from ..errors import InputError, UsageError
from .projected import Passed

__all__ = ["MeanEmbedding"]

COMBINED = ("mean", "concat")
HEADS = ("encoder", "projection")


class MeanEmbedding(nn.Module):
    """A linear head on the mean of the unit vectors that projections make of each modality (AstroM3).

    An object may lack modalities, in training too: the mean is over those that it has, and in a concatenation 0
    stands for the others. So one model tells classes from any of its modalities. Of several tokens it takes the mean.

    Args:
        in_features: Modality to the width of its features.
        classes: Number of classes C.
        out_features: Width D of the unit vectors, where `heads` do not say.
        combine: How they become one: their "mean" [D], or "concat", one after the other [M * D].
        head: Of one modality alone: a linear map of what its "encoder" gives, or of its unit vector after the
            "projection". Several are always projected.
        modality_dropout: Probability that training leaves out a modality of an object that has another.
        heads: Modality to projection, such as those of a `ContrastiveModel`; by default linear, with random weights.

    Raises:
        UsageError: If a setting is unknown or out of range, or a projection does not fit.

    References:
        Rizhko & Bloom 2025, AJ 170, 28, "AstroM3: A Self-supervised Multimodal Model for Astronomy".

    Example:
        >>> fusion = MeanEmbedding({"lightcurve": 8, "spectrum": 6}, classes=3, out_features=4)
        >>> fusion({"spectrum": torch.zeros(5, 1, 6)}).shape
        torch.Size([5, 3])
    """

    partial = True  # objects may lack modalities

    def __init__(
        self,
        in_features: Mapping[str, int],
        classes: int,
        out_features: int = 512,
        combine: Literal["mean", "concat"] = "mean",
        head: Literal["encoder", "projection"] = "encoder",
        modality_dropout: float = 0.0,
        heads: Mapping[str, nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.in_features, self.classes, self.modalities = dict(in_features), classes, tuple(in_features)
        self.combine, self.head, self.modality_dropout = combine, head, modality_dropout
        self._check()
        self.projected = head == "projection" or len(in_features) > 1
        widths, given = (self.in_features, heads or {}) if self.projected else ({}, {})
        made = {name: given.get(name) or ProjectionHead(width, out_features) for name, width in widths.items()}
        self.heads = nn.ModuleDict(made)
        self.scalers = nn.ModuleDict({name: Standardise(width) for name, width in widths.items()})
        self.out_features = self._width(out_features)
        vectors = self.out_features * (len(widths) if combine == "concat" else 1)
        self.to_classes = nn.Linear(vectors if self.projected else sum(in_features.values()), classes)

    def _check(self) -> None:
        if not self.in_features or self.classes < 2:
            raise UsageError(
                f"a head needs a modality and two classes, found {len(self.in_features)} and {self.classes}."
            )
        for name, value, known in (("combine", self.combine, COMBINED), ("head", self.head, HEADS)):
            if value not in known:
                raise UsageError(f"{name} is {value!r}, expected one of {', '.join(known)}.")
        if not 0 <= self.modality_dropout < 1:
            raise UsageError(f"modality_dropout is {self.modality_dropout}, expected a share from 0 to below 1.")

    def _width(self, out_features: int) -> int:
        """That of the unit vectors, which is the same of all projections."""
        for name, head in self.heads.items():
            if head.in_features != self.in_features[name]:
                takes, gives = head.in_features, self.in_features[name]
                raise UsageError(f"heads: that of {name!r} takes {takes} features, and the encoder gives {gives}.")
        widths = {int(head.out_features) for head in self.heads.values()} or {out_features}  # type: ignore[arg-type]
        if len(widths) > 1:
            raise UsageError(
                f"heads end in the widths {', '.join(map(str, sorted(widths)))}, expected the same of all."
            )
        return widths.pop()

    def of_vectors(self) -> MeanEmbedding:
        """The same of unit vectors that are computed already, with a linear map of its own."""
        widths = dict.fromkeys(self.modalities, self.out_features)
        heads = {name: Passed(width) for name, width in widths.items()}
        vectors = MeanEmbedding(
            widths, self.classes, self.out_features, self.combine, "projection", self.modality_dropout, heads
        )
        vectors.to_classes.load_state_dict(self.to_classes.state_dict())
        return vectors

    def train(self, mode: bool = True) -> Self:
        """Switches to training mode; projections that are frozen stay in eval mode."""
        super().train(mode)
        for head in self.heads.values():
            head.train(mode and any(weight.requires_grad for weight in head.parameters()))
        return self

    def forward(self, tokens: Mapping[str, Tensor], present: Mapping[str, Tensor] | None = None) -> Tensor:
        """Logits [B, C].

        Args:
            tokens: Modality to tokens [B, T, F]; of any of the modalities.
            present: Modality to which objects have it, bool [B]; by default those whose features are finite.

        Raises:
            InputError: If there is none of the modalities, or features are of another width.
        """
        given = self._given(tokens)
        if not self.projected:
            (features,) = given.values()
            straight: Tensor = self.to_classes(features)
            return straight
        first = next(iter(given.values()))
        nobody = torch.zeros(len(first), dtype=torch.bool, device=first.device)
        seen = {name: x.isfinite().all(dim=1) for name, x in given.items()} if present is None else present
        here = torch.stack([seen[name] if name in given else nobody for name in self.modalities], dim=1)
        here = self._dropped(here) if self.training and self.modality_dropout else here
        z = [
            self._project(name, given[name], here[:, column]) if name in given else None
            for column, name in enumerate(self.modalities)
        ]
        logits: Tensor = self.to_classes(self._combined(z, here))
        return logits

    def _given(self, tokens: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Features [B, F] of the modalities that there are, in the order of the model."""
        for name, x in tokens.items():
            width = self.in_features.get(name)
            if width is not None and (x.ndim != 3 or x.shape[2] != width):
                raise InputError(
                    f"the features of {name!r} have shape {tuple(x.shape)}, expected (objects, tokens, {width})."
                )
        found = {name: tokens[name].mean(dim=1) for name in self.modalities if name in tokens}
        if not found:
            raise InputError(
                f"there are features of {', '.join(tokens) or 'nothing'}, expected any of these: "
                f"{', '.join(self.modalities)}."
            )
        return found

    def _dropped(self, here: Tensor) -> Tensor:
        """Which of the modalities that there are [B, M] are not left out; an object keeps all if it would lose all."""
        kept = here & (torch.rand(here.shape, device=here.device) >= self.modality_dropout)
        return torch.where(kept.any(dim=1, keepdim=True), kept, here)

    def _project(self, name: str, x: Tensor, here: Tensor) -> Tensor:
        """Unit vectors [B, D], 0 of the objects that lack the modality."""
        x = torch.where(here[:, None], x, torch.zeros_like(x))
        z = functional.normalize(self.heads[name](self.scalers[name](x)).float(), dim=1)
        return z * here[:, None]

    def _combined(self, z: list[Tensor | None], here: Tensor) -> Tensor:
        known = [one for one in z if one is not None]
        if self.combine == "mean":
            return torch.stack(known).sum(dim=0) / here.sum(dim=1, keepdim=True).clamp(min=1)
        return torch.cat([torch.zeros_like(known[0]) if one is None else one for one in z], dim=1)
