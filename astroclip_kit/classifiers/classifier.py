"""The whole classifier: encoders, fusion, names of the classes and temperature, saved as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..errors import InputError, UsageError
from ..settings import Hardware
from ..types import reads_of
from .inference import BATCH, Rows, logits_of
from .temperature import probabilities
from .tokens import encode_views

__all__ = ["Classifier"]


class Classifier(nn.Module):
    """Classes of raw views, with calibrated probabilities.

    Args:
        encoders: Modality to encoder, or any name to one whose ``reads`` names its modality.
        fusion: A module that names what it reads of these in ``modalities``, takes tokens [B, T, D] by name and gives
            logits [B, C].
        classes: Names of the classes [C].
        label: The property that they are of.
        temperature: Logits are divided by it, so that the probabilities are as sure as they are right.

    Raises:
        UsageError: If the fusion reads a modality without encoder, or the temperature is not above 0.

    Example:
        >>> from astroclip_kit.classifiers import EarlyConcat
        >>> from astroclip_kit.encoders import TabularMLP
        >>> encoders = {"magnitudes": TabularMLP(5, 8), "lines": TabularMLP(3, 8)}
        >>> classifier = Classifier(encoders, EarlyConcat({"magnitudes": 8, "lines": 8}, 2), ["bhb", "other"])
        >>> new = {"magnitudes": np.zeros((4, 5), np.float32), "lines": np.ones((4, 3), np.float32)}
        >>> classifier.predict(new).shape
        (4, 2)
    """

    def __init__(
        self,
        encoders: Mapping[str, nn.Module],
        fusion: nn.Module,
        classes: Sequence[str],
        label: str = "",
        temperature: float = 1.0,
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict(encoders).to(memory_format=torch.channels_last)  # as images are laid out
        self.fusion = fusion
        self.classes, self.label, self.temperature = tuple(classes), label, temperature
        if missing := [name for name in fusion.modalities if name not in encoders]:  # type: ignore[union-attr]
            raise UsageError(f"the fusion reads {missing[0]!r}, which has no encoder. Pass one.")
        if not temperature > 0:
            raise UsageError(f"temperature is {temperature}, expected a number above 0.")

    @property
    def reads(self) -> dict[str, str]:
        """What the fusion reads, to the modality that it is made from."""
        return {name: reads_of(name, self.encoders[name]) for name in self.fusion.modalities}  # type: ignore[union-attr]

    @property
    def modalities(self) -> tuple[str, ...]:
        """What it needs of an object, without repeats."""
        return tuple(dict.fromkeys(self.reads.values()))

    def tokens(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tokens [B, T, D] of raw views [B, ...], by modality.

        Raises:
            InputError: If a modality is missing.
        """
        if missing := [name for name in self.modalities if name not in views]:
            found = ", ".join(views) or "none"
            raise InputError(f"the classifier reads {', '.join(self.modalities)}; found {found}, no {missing[0]!r}.")
        return {name: encode_views(self.encoders[name], views[read]) for name, read in self.reads.items()}

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Logits [B, C] of raw views [B, ...] by modality, divided by the temperature."""
        logits: Tensor = self.fusion(self.tokens(views)) / self.temperature
        return logits

    def predict(
        self,
        views: Mapping[str, npt.NDArray[np.float32]],
        *,
        hardware: Hardware = Hardware(),
        batch_size: int = BATCH,
    ) -> npt.NDArray[np.float64]:
        """Probabilities [n, C] of the classes of raw views [n, ...] by modality.

        Raises:
            InputError: If a modality is missing, or there are not equally many of all.
        """
        counts = {name: len(views[name]) for name in views}
        if len(set(counts.values())) > 1:
            raise InputError(f"expected equally many views of each modality, found {counts}.")

        def read(rows: Rows) -> dict[str, Tensor]:
            return {name: torch.from_numpy(np.ascontiguousarray(x[rows])) for name, x in views.items()}

        rows = np.arange(max(counts.values(), default=0))
        if views and not len(rows):
            return np.empty((0, len(self.classes)))
        return probabilities(logits_of(self, read, rows, hardware=hardware, batch_size=batch_size))

    def attention(self, views: Mapping[str, Tensor]) -> Tensor:
        """What the tokens of one modality take from those of the other, float32 [B, T, S]; rows sum to 1.

        It is that of the last block's cross-attention, the mean over its heads.

        Raises:
            UsageError: If there is no cross-attention.
        """
        shown: Any = getattr(self.fusion, "attention", None)
        if shown is None:
            raise UsageError(f"{type(self.fusion).__name__} has no attention to show. Classify with a fusion that has.")
        with torch.inference_mode():
            weights: Tensor = shown(self.tokens(views))
        return weights
