"""The whole classifier: encoders, fusion, names of the classes and temperature, saved as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..alignment.trainable import switch, unfreeze
from ..errors import InputError, UsageError
from ..settings import Hardware
from ..types import reads_of
from .inference import BATCH, Rows, is_partial, logits_of
from .temperature import probabilities
from .tokens import encode_views, prepared

__all__ = ["Classifier"]


class Classifier(nn.Module):
    """Classes of raw views, with calibrated probabilities.

    Args:
        encoders: Modality to encoder, or any name to one whose ``reads`` names its modality.
        fusion: A module that names what it reads of these in ``modalities``, takes tokens [B, T, D] by name and gives
            logits [B, C]. One that is ``partial`` also takes which objects have what, and copes with those that
            lack modalities.
        classes: Names of the classes [C].
        label: The property that they are of.
        temperature: Logits are divided by it, so that the probabilities are as sure as they are right.
        pooled: Whether the fusion is given the features of encoders as the one token, also of those that have tokens.

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
        pooled: bool = False,
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict(encoders).to(memory_format=torch.channels_last)  # as images are laid out
        self.fusion = fusion
        self.classes, self.label, self.temperature = tuple(classes), label, temperature
        self.pooled = pooled
        self._trained: dict[str, list[nn.Module]] = {}
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

    @property
    def partial(self) -> bool:
        """Whether an object may lack modalities, as long as it has one."""
        return is_partial(self.fusion)

    def freeze(self, trainable: Mapping[str, str]) -> Self:
        """Lets only a part of the encoders learn; the rest stays in eval mode.

        Args:
            trainable: What an encoder is called to "all", "last:N" or "frozen"; all where it does not say.

        Raises:
            UsageError: If a setting is none of these, or an encoder has fewer blocks.
        """
        self._trained = {name: unfreeze(one, trainable.get(name, "all")) for name, one in self.encoders.items()}
        return self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Switches what is trained to training mode; frozen parts stay in eval mode."""
        super().train(mode)
        switch(self.encoders, self._trained, mode)
        return self

    def tokens(self, views: Mapping[str, Tensor], present: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Tokens [B, T, D] of raw views [B, ...], by modality.

        Args:
            views: Of the modalities; where objects may lack some, of any of them.
            present: What `present` gives of them; the tokens of the others are 0.

        Raises:
            InputError: If a modality is missing.
        """
        missing = [name for name in self.modalities if name not in views]
        if len(missing) == len(self.modalities) or (missing and not self.partial):
            found, every = ", ".join(views) or "none", "any of " if self.partial else ""
            raise InputError(
                f"the classifier reads {every}{', '.join(self.modalities)}; found {found}, no {missing[0]!r}."
            )
        if not self.partial:
            return {name: self._encode(name, views[read]) for name, read in self.reads.items()}
        present = present or self.present(views)
        seen = {name: views[self.reads[name]] for name in present}
        return {
            name: self._encode(name, x) if present[name].all() else self._encode_some(name, x, present[name])
            for name, x in seen.items()
        }

    def present(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the fusion reads, to which objects have it, bool [B]: those whose view holds a finite value.

        What nobody has is left out.
        """
        known = {name: views[read] for name, read in self.reads.items() if read in views}
        here = {name: x.isfinite().flatten(1).any(dim=1) for name, x in known.items()}
        return {name: one for name, one in here.items() if one.any()}

    def _encode(self, name: str, x: Tensor) -> Tensor:
        """Tokens [B, T, D], or features [B, 1, D], of raw views."""
        encoder = self.encoders[name]
        if not self.pooled:
            return encode_views(encoder, x)
        features: Tensor = encoder(prepared(encoder, x))
        return features[:, None]

    def _encode_some(self, name: str, x: Tensor, here: Tensor) -> Tensor:
        """The same of the views that are there [B]."""
        tokens = self._encode(name, x[here])
        return tokens.new_zeros(len(x), *tokens.shape[1:]).index_copy(0, here.nonzero()[:, 0], tokens)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Logits [B, C] of raw views [B, ...] by modality, divided by the temperature."""
        present = self.present(views) if self.partial else None
        tokens = self.tokens(views, present)
        logits: Tensor = self.fusion(tokens) if present is None else self.fusion(tokens, present)
        return logits / self.temperature

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
