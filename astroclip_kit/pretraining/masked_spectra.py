"""Masked-spectrum modelling: chunks of a spectrum are hidden, and predicted from the rest."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any, get_args, get_type_hints

import torch
from torch import Tensor, nn

from ..encoders import SpecFormer
from ..errors import UsageError
from ..settings import MaskedSpectra, Split, Training
from ..transforms.compose import Compose
from ..transforms.randomness import integers
from ..transforms.spectra import SelectChannels
from ..types import Modality
from .course import Pretraining, RawViews
from .observed import ObservedSpectra, joined

__all__ = ["MaskedModel", "chunk_width", "hidden_tokens", "masked_error", "pretrain_masked_spectra"]

PUBLISHED_SHARE = 50 / 778  # of the tokens, in each chunk


def pretrain_masked_spectra(
    dataset: Any,
    out: str | Path,
    *,
    modality: str = "spectrum",
    encoder: nn.Module | None = None,
    settings: MaskedSpectra = MaskedSpectra(),
    training: Training = Training(),
    split: Split = Split(),
    quiet: bool = False,
) -> nn.Module:
    """Trains a `SpecFormer` to predict hidden parts of spectra, and writes its folder.

    Parker et al. 2024 (arXiv:2310.03024v2) train for 30,000 to 500,000 steps of 64 spectra with AdamW, a learning rate
    of 1e-5 after 2,000 steps of warm-up, that falls as a cosine, and a weight decay of 0.1. The epoch that predicts
    the validation spectra best is kept.

    Args:
        dataset: A `Dataset`.
        out: Encoder folder; run again, an interrupted training goes on.
        modality: What is encoded.
        encoder: A `SpecFormer`, left as it is; by default a small one, on pixels joined to at most 600.
        settings: Chunks and weights.
        training: Epochs, batch size, optimizer, hardware, seed.
        split: Who trains: its training side alone.
        quiet: Shows no progress.

    Returns:
        The encoder, on the CPU and in eval mode.

    Raises:
        UsageError: If a setting is out of range, or the encoder is no `SpecFormer`.
        InputError: If the modality is no spectrum.
        FolderError: If `out` is something else, or holds an interrupted run with other settings.
        TrainingError: If no training object has the modality.
    """
    course = Pretraining.of("masked", dataset, out, modality, settings, training, split)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        encoder = deepcopy(encoder) if encoder is not None else _default_encoder(course.modality)
    if not isinstance(encoder, SpecFormer):
        raise UsageError(f"masked spectra are predicted by a SpecFormer, found an encoder {type(encoder).__name__}.")
    loss = _MaskedLoss(ObservedSpectra(encoder, course.modality), encoder, settings)
    validate = course.validator(lambda model, batch: {"loss": loss(model, batch)})
    return course.fit(MaskedModel(encoder), encoder, loss, validate=validate, quiet=quiet)


class MaskedModel(nn.Module):
    """Predicts all sections of a spectrum from those that are left.

    Args:
        encoder: Trained in place.
    """

    def __init__(self, encoder: SpecFormer) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, sections: Tensor) -> Tensor:
        """Sections [B, T, 2 + section] of sections in which some are 0."""
        predicted: Tensor = self.encoder.head(self.encoder.embed(sections))
        return predicted


def chunk_width(settings: MaskedSpectra, tokens: int) -> int:
    """Tokens of a chunk.

    Raises:
        UsageError: If the chunks do not fit the segments, or the weights are unknown.

    Example:
        >>> chunk_width(MaskedSpectra(), 778), chunk_width(MaskedSpectra(), 117)
        (50, 8)
    """
    known = get_args(get_type_hints(MaskedSpectra)["weights"])
    if settings.weights not in known:
        raise UsageError(f"masked.weights is {settings.weights!r}, expected one of {', '.join(known)}.")
    width = settings.width or max(1, round(PUBLISHED_SHARE * tokens))
    if settings.chunks < 1 or width < 1 or width > tokens // settings.chunks:
        raise UsageError(
            f"{settings.chunks} chunks of {width} tokens cannot be hidden in {tokens}: each needs a segment of its "
            f"own. Change masked.chunks or masked.width, or join fewer pixels."
        )
    return width


def hidden_tokens(seeds: Tensor, tokens: int, chunks: int, width: int) -> Tensor:
    """Which tokens are hidden, bool [B, tokens]: one chunk at a random place of each of equal segments.

    Args:
        seeds: One per spectrum, int64 [B].
        tokens: Number of tokens.
        chunks: Number of segments.
        width: Tokens of a chunk.

    Example:
        >>> hidden_tokens(torch.arange(3), 778, 6, 50).sum(dim=1)
        tensor([300, 300, 300])
    """
    begin = torch.arange(chunks, device=seeds.device) * tokens // chunks
    first = begin + integers(seeds, max(1, tokens // chunks - width), (chunks,))
    place = torch.arange(tokens, device=seeds.device)
    return ((place >= first[..., None]) & (place < first[..., None] + width)).any(dim=1)


def masked_error(predicted: Tensor, sections: Tensor, hidden: Tensor, weight: Tensor) -> Tensor:
    """Mean squared error of what was hidden, by weight; values of 0, which hiding does not change, never count.

    Args:
        predicted: [B, T, F].
        sections: What should have been predicted [B, T, F].
        hidden: bool [B, T].
        weight: Of each value [B, T, F].
    """
    weight = weight * (hidden[..., None] & (sections != 0))
    return (weight * (predicted - sections).square()).sum() / weight.sum().clamp(min=torch.finfo(weight.dtype).tiny)


class _MaskedLoss:
    """Hides parts of a batch and compares."""

    def __init__(self, observe: ObservedSpectra, encoder: SpecFormer, settings: MaskedSpectra) -> None:
        self.observe, self.encoder, self.settings = observe, encoder, settings
        tokens = encoder.sections(observe.wavelength_angstrom()[None].float()).shape[1]
        self.width = chunk_width(settings, tokens)

    def __call__(self, model: nn.Module, batch: RawViews) -> Tensor:
        flux, ivar = self.observe(batch.x)
        sections = self.encoder.sections(flux)
        hidden = hidden_tokens(batch.seeds, sections.shape[1], self.settings.chunks, self.width)
        predicted = model(sections.masked_fill(hidden[..., None], 0.0))
        return masked_error(predicted, sections, hidden, self._weight(ivar, sections))

    def _weight(self, ivar: Tensor, sections: Tensor) -> Tensor:
        """Weights [B, T, 2 + section]; those of the mean and the standard deviation are 1."""
        weight = torch.ones_like(sections)
        if self.settings.weights != "plain":
            good = ivar / ivar.mean(dim=1, keepdim=True) if self.settings.weights == "ivar" else (ivar > 0).float()
            weight[:, 1:, -self.encoder.section :] = self.encoder.windows(good)
        return weight


def _default_encoder(modality: Modality) -> SpecFormer:
    preprocess = Compose((*joined(modality, SpecFormer), SelectChannels()))
    return SpecFormer.for_modality(modality, width=64, depth=3, heads=4, preprocess=preprocess)
