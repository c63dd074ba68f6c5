"""The spectrum encoder of AstroCLIP's second version: a transformer over sections of a spectrum."""

from __future__ import annotations

import math
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import InputError, UsageError
from ..transforms.compose import Compose, Transform
from ..transforms.regrid import named_grid
from ..transforms.resampling import Grid, wavelength_grid
from ..transforms.spectra import FillGaps, SelectChannels
from ..types import Modality
from .checkpoints import fill, hyperparameters, read_checkpoint
from .grids import GridEncoder
from .layers import attend, check_kind

__all__ = ["SpecFormer"]

STATISTICS = 2  # features of a token beside its pixels: mean and standard deviation, in the first token alone
TRAINED_GRID = "desi"  # of the released weights
LEAST_STD = 0.2  # in the unit of the flux, 1e-17 erg / (s cm2 Angstrom)


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.attention(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = attend(query, key, value)
        projected: Tensor = self.projection(mixed.transpose(1, 2).flatten(2))
        return projected


class _FeedForward(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.encoder = nn.Linear(width, 4 * width)
        self.decoder = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.decoder(functional.gelu(self.encoder(x)))
        return out


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.layernorm1 = nn.LayerNorm(width)
        self.attention = _Attention(width, heads)
        self.layernorm2 = nn.LayerNorm(width)
        self.mlp = _FeedForward(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.layernorm1(x))
        out: Tensor = x + self.mlp(self.layernorm2(x))
        return out


class SpecFormer(GridEncoder):
    """A transformer over overlapping sections of a spectrum, in the layout of the released weights.

    A spectrum is standardised and cut into sections that overlap by half; a first token holds its mean and standard
    deviation. At the published sizes there are 43,177,750 parameters, and 778 tokens for the 7,781 pixels of DESI.
    The features are the mean of the tokens; ``head`` gives the sections back from them, for pretraining. As in the
    code that the released weights were trained with, the last section is never used, not even where it is whole, so
    that the last 1 to `section` / 2 pixels are not seen.

    Args:
        width: Features of a token; a multiple of `heads`.
        depth: Number of transformer blocks.
        heads: Number of attention heads.
        section: Pixels of a section, an even number.
        max_tokens: Most tokens that there are positions for.
        grid: Wavelengths that the weights were trained on; with a checkpoint "desi", as published. None, where there
            is nothing to compare with, takes spectra of any grid.
        preprocess: What is done to spectra [B, C, L] first; by default gaps are filled and the flux, in
            1e-17 erg / (s cm2 Angstrom), is taken alone.
        checkpoint: A file of weights with the layout of the published ones, read once. A saved copy of the encoder
            brings its own weights, so the attribute is None afterwards.

    Raises:
        UsageError: If the sizes do not fit each other.

    References:
        Parker et al. 2024, MNRAS 531, 4990 (arXiv:2310.03024v2).

    Example:
        >>> encoder = SpecFormer(width=32, depth=1, heads=2)
        >>> x = encoder.preprocess(torch.ones(1, 2, 7781))
        >>> encoder.tokens(x).shape, encoder(x).shape
        (torch.Size([1, 778, 32]), torch.Size([1, 32]))
    """

    def __init__(
        self,
        width: int = 768,
        depth: int = 6,
        heads: int = 6,
        section: int = 20,
        max_tokens: int = 800,
        grid: Grid | None = None,
        preprocess: Transform | None = None,
        checkpoint: str | None = None,
    ) -> None:
        super().__init__()
        if width % heads or section % 2 or min(width, depth, heads, section, max_tokens) < 1:
            raise UsageError(
                f"SpecFormer: heads divides width, section is even and all are above 0; found width {width}, depth "
                f"{depth}, heads {heads}, section {section}, max_tokens {max_tokens}."
            )
        self.width, self.depth, self.heads, self.section = width, depth, heads, section
        self.max_tokens, self.checkpoint = max_tokens, None
        grid = TRAINED_GRID if checkpoint is not None and grid is None else grid
        self.grid = None if grid is None else named_grid(wavelength_grid(grid))
        self.preprocess = preprocess if preprocess is not None else Compose((FillGaps(), SelectChannels()))
        self.out_features = width
        self.data_embed = nn.Linear(section + STATISTICS, width)
        self.position_embed = nn.Embedding(max_tokens, width)
        self.blocks = nn.ModuleList(_Block(width, heads) for _ in range(depth))
        self.final_layernorm = nn.LayerNorm(width)
        self.head = nn.Linear(width, section + STATISTICS)
        self._initialise()
        if checkpoint is not None:
            fill(self, read_checkpoint(checkpoint), checkpoint)

    def _initialise(self) -> None:
        """The published starting weights: deeper networks start with smaller steps; all cut at 3 sigma."""
        embeddings = {self.data_embed.weight: self.width**-0.5, self.position_embed.weight: self.width**-0.5}
        linear = [layer for layer in self.blocks.modules() if isinstance(layer, nn.Linear)]
        scales = {layer.weight: (2 * layer.in_features * self.depth) ** -0.5 for layer in linear}
        for weight, std in {**embeddings, **scales, self.head.weight: self.width**-0.5}.items():
            nn.init.trunc_normal_(weight, std=std, a=-3 * std, b=3 * std)
        for layer in (*linear, self.head):
            nn.init.zeros_(layer.bias)

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """For a spectrum modality: its spectra are put on the grid of the weights, where they are on another.

        Args:
            modality: Spectra; more pixels than published get more positions.
            arguments: Of the constructor; a `preprocess` of your own must resample itself.

        Raises:
            InputError: If the modality is of another kind, or covers less than 85 % of the grid.
        """
        check_kind(modality, "spectrum", cls)
        positions = 2 * modality.shape[1] // arguments.get("section", 20) + 1
        published = 800 if "checkpoint" in arguments else max(800, positions)
        encoder = cls(**{"max_tokens": published, **arguments})
        if "preprocess" not in arguments:
            steps = encoder.onto_grid(modality)
            encoder.preprocess = Compose((*steps, FillGaps(), SelectChannels()))
        encoder.check_modality(modality)
        return encoder

    @classmethod
    def from_checkpoint(cls, path: str, **arguments: Any) -> Self:
        """With the weights of a file, which gives the sizes too.

        Args:
            path: A Lightning checkpoint as AstroCLIP's, or safetensors. The number of heads is in its hyperparameters,
                and in no tensor: where they are absent it is 6, as published.
            arguments: Of the constructor.

        Raises:
            FileError: If the file cannot be read, or holds another network.
        """
        tensors = read_checkpoint(path)
        heads = {"heads": int(given["num_heads"])} if "num_heads" in (given := hyperparameters(path)) else {}
        encoder = cls(**{**_sizes(tensors), **heads, "grid": TRAINED_GRID, **arguments})
        fill(encoder, tensors, path)
        return encoder

    def sections(self, x: Tensor) -> Tensor:
        """Standardised sections [B, T, 2 + section] of fluxes [B, 1, L] or [B, L]; the first holds the statistics.

        Raises:
            InputError: If the shape is another, or there are more sections than positions.
        """
        flux = x[:, 0] if x.ndim == 3 and x.shape[1] == 1 else x
        if flux.ndim != 2 or flux.shape[1] <= self.section:
            raise InputError(f"SpecFormer takes fluxes [B, 1, L] with L above {self.section}, found {tuple(x.shape)}.")
        mean, std = flux.mean(dim=1, keepdim=True), flux.std(dim=1, keepdim=True).clamp(min=LEAST_STD)
        sections = self.windows((flux - mean) / std)
        if sections.shape[1] + 1 > self.max_tokens:
            raise InputError(
                f"spectra of {flux.shape[1]} pixels make {sections.shape[1] + 1} tokens, and there are max_tokens "
                f"{self.max_tokens} positions. Raise it, or rebin the spectra."
            )
        first = functional.pad(torch.cat([(mean - 2) / 2, (std - 2) / 8], dim=1), (0, self.section))
        return torch.cat([first[:, None], functional.pad(sections, (STATISTICS, 0))], dim=1)

    def windows(self, x: Tensor) -> Tensor:
        """What belongs to each section [B, T - 1, section] of values [B, L]: of its flux, or of its ivar."""
        step = self.section // 2
        return x.unfold(1, self.section, step)[:, : math.ceil((x.shape[1] - self.section) / step)]

    def embed(self, sections: Tensor) -> Tensor:
        """Tokens [B, T, width] of sections [B, T, 2 + section], some of which may be masked."""
        positions = torch.arange(sections.shape[1], device=sections.device)
        tokens = self.data_embed(sections) + self.position_embed(positions)
        for block in self.blocks:
            tokens = block(tokens)
        embedded: Tensor = self.final_layernorm(tokens)
        return embedded

    def tokens(self, x: Tensor) -> Tensor:
        """Tokens [B, T, width] of fluxes [B, 1, L] or [B, L]."""
        return self.embed(self.sections(x))

    def forward(self, x: Tensor) -> Tensor:
        """Features [B, width] of fluxes [B, 1, L] or [B, L]: the mean of the tokens."""
        return self.tokens(x).mean(dim=1)


def _sizes(tensors: dict[str, Tensor]) -> dict[str, int]:
    """The constructor's sizes that the shapes of the weights tell; none where the file is no SpecFormer."""
    first, positions = tensors.get("data_embed.weight"), tensors.get("position_embed.weight")
    if first is None or positions is None or first.ndim != 2:
        return {}
    depth = len({name.split(".")[1] for name in tensors if name.startswith("blocks.")})
    return {
        "width": first.shape[0],
        "depth": depth,
        "section": first.shape[1] - STATISTICS,
        "max_tokens": positions.shape[0],
    }
