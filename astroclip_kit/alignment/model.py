"""The model: per modality an optional encoder, the standardisation of its features, and a head."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import UsageError
from ..training import History
from ..types import Batch
from .heads import Standardise
from .show import histories, model_html
from .trainable import switch, unfreeze

__all__ = ["ContrastiveModel", "check_pairs"]

LARGEST_SCALE = 100.0


class ContrastiveModel(nn.Module):
    """Any number of modalities in one space; an object may lack any of them.

    Args:
        heads: Modality to module with ``in_features`` and ``out_features``, the latter the same for all.
        encoders: Modality to encoder of raw views; a modality without one is given as features.
        trainable: Modality to "frozen" (default), "last:N" or "all": what is trained of its encoder. Frozen
            parts stay in eval mode, so that their batch normalisation and dropout do nothing.
        pairs: Pairs of modalities to contrast; every pair where none is given.
        logit_scale: What cosine similarities are multiplied with, for each pair, at the start.
        learnable_scale: Whether each pair learns its scale.
        logit_bias: Start of a learnable bias per pair, for SigLIP; None for no bias.

    Raises:
        UsageError: If a modality is unknown, alone or not the width of its encoder, or a setting is out of range.

    Example:
        >>> from astroclip_kit.alignment import ProjectionHead
        >>> model = ContrastiveModel({"image": ProjectionHead(8, 4), "spectrum": ProjectionHead(6, 4)})
        >>> batch = Batch(["a"], ["a"], {"image": torch.ones(1, 8)}, {"image": torch.tensor([0])})
        >>> {name: z.shape for name, z in model.embed(batch).items()}
        {'image': torch.Size([1, 4])}
    """

    def __init__(
        self,
        heads: Mapping[str, nn.Module],
        encoders: Mapping[str, nn.Module] | None = None,
        trainable: Mapping[str, str] | None = None,
        pairs: Sequence[Sequence[str]] | None = None,
        logit_scale: float = 15.5,
        learnable_scale: bool = False,
        logit_bias: float | None = None,
    ) -> None:
        super().__init__()
        _check_heads(heads, encoders or {})
        _check_known("encoders", encoders or {}, heads)
        _check_known("trainable", trainable or {}, encoders or {})
        if not 0 < logit_scale <= LARGEST_SCALE:
            raise UsageError(f"logit_scale is {logit_scale}, expected a number above 0 and at most 100.")
        self.names = list(heads)
        self.out_features = int(next(iter(heads.values())).out_features)  # type: ignore[arg-type]
        self.heads, self.encoders = nn.ModuleDict(heads), nn.ModuleDict(encoders or {})
        self.scalers = nn.ModuleDict({name: Standardise(_width(heads[name], name)) for name in heads})
        self.trainable, self.pairs = dict(trainable or {}), check_pairs(pairs, self.names)
        self.logit_scale, self.learnable_scale, self.logit_bias = logit_scale, learnable_scale, logit_bias
        start = torch.full((len(self.pairs),), math.log(logit_scale))
        self.log_scale = nn.Parameter(start, requires_grad=learnable_scale)
        self.bias = None if logit_bias is None else nn.Parameter(torch.full((len(self.pairs),), logit_bias))
        settings = {name: self.trainable.get(name, "frozen") for name in self.encoders}
        self._trained = {name: unfreeze(self.encoders[name], setting) for name, setting in settings.items()}
        self.train()

    def train(self, mode: bool = True) -> ContrastiveModel:
        """Switches what is trained to training mode; frozen parts stay in eval mode."""
        super().train(mode)
        switch(self.encoders, self._trained, mode)
        return self

    @property
    def history(self) -> History:
        """How the training went, one row per epoch, of a model that was saved or loaded; else empty."""
        return histories(self)[0]

    def _repr_html_(self) -> str:
        return model_html(self, type(self).__name__, getattr(self, "root", ""))

    def encode(self, name: str, x: Tensor) -> Tensor:
        """Features [n, in_features] of the raw views [n, ...] of one modality (features pass as they are)."""
        if name not in self.encoders:
            return x
        encoder = self.encoders[name]
        with torch.set_grad_enabled(torch.is_grad_enabled() and bool(self._trained[name])):
            preprocess = getattr(encoder, "preprocess", None)
            h: Tensor = encoder(x if preprocess is None else preprocess(x))
        return h

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Unit vectors [n, D] of every modality of the model, for the n rows that have it (``batch.rows``).

        A modality that no row has gives [0, D], still a function of its weights: in distributed training every
        weight must take part in every backward pass.
        """
        standardised: Set[str] = getattr(batch, "standardised", frozenset())
        return {name: self._project(name, batch.views.get(name), name in standardised) for name in self.names}

    def _project(self, name: str, x: Tensor | None, standardised: bool = False) -> Tensor:
        if x is None or not len(x):
            modules = [self.heads[name], *self._trained.get(name, [])]
            zero = 0.0 * sum(weight.sum() for module in modules for weight in module.parameters())
            return self.log_scale.new_zeros(0, self.out_features) + zero
        h = self.encode(name, x)
        z = self.heads[name](h if standardised else self.scalers[name](h))
        return functional.normalize(z.to(torch.promote_types(z.dtype, torch.float32)), dim=1)

    def embed(self, batch: Batch) -> dict[str, Tensor]:
        """Unit vectors [n, D] of the modalities in the batch, in eval mode and without gradient."""
        was_training = self.training
        self.eval()
        try:
            with torch.no_grad():
                views = batch.to(self.log_scale.device).views
                return {name: self._project(name, views[name]) for name in self.names if name in views}
        finally:
            self.train(was_training)

    def frozen(self) -> list[str]:
        """The modalities whose encoder is not trained at all."""
        return [name for name, parts in self._trained.items() if not parts]

    def scales(self) -> Tensor:
        """The factor [P] of each pair's cosine similarities, in the order of ``pairs``."""
        return self.log_scale.exp()

    def clamp_scales(self) -> None:
        """Holds the learned scales at 100 or less; called after every optimizer step."""
        with torch.no_grad():
            self.log_scale.clamp_(max=math.log(LARGEST_SCALE))


def _width(head: nn.Module, name: str) -> int:
    width = getattr(head, "in_features", None)
    if not isinstance(width, int) or not isinstance(getattr(head, "out_features", None), int):
        raise UsageError(f"the head of {name!r} ({type(head).__name__}) lacks in_features or out_features.")
    return width


def _check_heads(heads: Mapping[str, nn.Module], encoders: Mapping[str, nn.Module]) -> None:
    if len(heads) < 2:
        raise UsageError(f"a shared space needs at least two modalities, found {sorted(heads)}.")
    for name, head in heads.items():
        if "." in name or hasattr(nn.ModuleDict(), name):
            raise UsageError(f"a modality cannot be called {name!r}: torch uses that name. Call it otherwise.")
        width, encoder = _width(head, name), encoders.get(name)
        if encoder is not None and width != encoder.out_features:
            raise UsageError(f"the head of {name!r} takes {width} features, its encoder gives {encoder.out_features}.")
    if len(widths := {name: head.out_features for name, head in heads.items()}) and len(set(widths.values())) > 1:
        raise UsageError(f"all heads must end in the same width, found {widths}.")


def _check_known(argument: str, given: Mapping[str, object], known: Mapping[str, object]) -> None:
    if unknown := sorted(set(given) - set(known)):
        raise UsageError(f"{argument}: unknown modality {unknown[0]!r}. Known: {', '.join(sorted(known)) or 'none'}.")


def check_pairs(pairs: Sequence[Sequence[str]] | None, names: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs as tuples, every pair of the names where none is given.

    Raises:
        UsageError: If one is not a pair of two of the names, or is given twice.
    """
    if not pairs:
        return list(combinations(names, 2))
    for pair in pairs:
        if len(pair) != 2 or pair[0] == pair[1] or not set(pair) <= set(names):
            raise UsageError(f"pairs: {list(pair)} is no pair of two of the modalities {', '.join(names)}.")
        if list(map(tuple, pairs)).count(tuple(pair)) > 1:
            raise UsageError(f"pairs: {list(pair)} is there twice. Give it a larger alignment.objective.pair_weights.")
    return [(pair[0], pair[1]) for pair in pairs]
