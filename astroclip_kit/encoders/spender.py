"""The spectrum encoder of spender (Melchior et al. 2023)."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any, Self

import torch
from torch import nn

from ..errors import InputError
from ..transforms.compose import Compose, Transform
from ..transforms.regrid import named_grid
from ..transforms.resampling import Grid, wavelength_grid
from ..transforms.sky_lines import MaskSkyLines
from ..transforms.spectra import FillGaps, Normalise, NormaliseMode, SelectChannels
from ..types import Modality
from .checkpoints import fill, read_checkpoint, under
from .grids import GridEncoder
from .layers import check_kind

__all__ = ["SpenderEncoder"]


def _historical(tensors: dict[str, torch.Tensor], latent: bool) -> dict[str, torch.Tensor]:
    """The encoder of a spender file under the names of today; all tensors as they are where there is none.

    Older files call the network ``mlp.mlp`` and give it the redshift as its 257th input; beside it there may be the
    decoder, line spread functions, sky-line masks and wavelengths, and AstroCLIP's own networks of other sizes.
    """
    inside = {name.replace("mlp.mlp.", "mlp."): one for name, one in under(tensors, "encoder.").items()}
    if "conv1.0.weight" not in inside:
        return tensors
    first = inside.get("mlp.0.weight")
    if first is not None and first.shape[1:] == (257,):
        inside["mlp.0.weight"] = first[:, :256]
    return {name: one for name, one in inside.items() if name.startswith(("conv", "mlp.") if latent else "conv")}


def _block(in_channels: int, out_channels: int, width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(in_channels, out_channels, width, padding=width // 2),
        nn.InstanceNorm1d(out_channels),
        nn.PReLU(out_channels),
        nn.Dropout(dropout),
    )


class SpenderEncoder(GridEncoder):
    """Three convolutions, attention over wavelength, and a small network, in the layout of the released weights.

    Any number of pixels works, but weights mean something only on the wavelength grid that they were trained on.

    Args:
        latent_features: Size S of the latent vector, as published 6 (DESI) or 10 (SDSS); None gives the 256
            features that the attention picks out, and leaves the small network out.
        dropout: Probability after each activation.
        preprocess: What is done to spectra [B, C, L] before they are encoded; by default gaps are filled, the flux is
            divided by its median and the other channels are left out.
        checkpoint: A file of weights, as `from_checkpoint` reads it, once. A saved copy of the encoder brings its own
            weights, so the attribute is None afterwards.
        grid: Wavelengths that the weights were trained on: "desi", "sdss", "boss", (start, stop, step) or a list; by
            default those that the checkpoint holds. None, where it holds none, takes any grid, with a warning.

    Raises:
        FileError: If the checkpoint cannot be read, or holds another network.

    References:
        Melchior et al. 2023, AJ 166, 74.

    Example:
        >>> encoder = SpenderEncoder(latent_features=10).eval()
        >>> encoder(encoder.preprocess(torch.ones(1, 2, 3921))).shape
        torch.Size([1, 10])
    """

    def __init__(
        self,
        latent_features: int | None = None,
        dropout: float = 0.0,
        preprocess: Transform | None = None,
        checkpoint: str | None = None,
        grid: Grid | None = None,
    ) -> None:
        super().__init__()
        self.latent_features, self.dropout, self.checkpoint = latent_features, dropout, None
        self.grid = None if grid is None else named_grid(wavelength_grid(grid))
        default = Compose((FillGaps(), Normalise("median"), SelectChannels()))
        self.preprocess = preprocess if preprocess is not None else default
        self.out_features = 256 if latent_features is None else latent_features
        self.conv1 = _block(1, 128, 5, dropout)
        self.conv2 = _block(128, 256, 11, dropout)
        self.conv3 = _block(256, 512, 21, dropout)
        self.pool1 = nn.MaxPool1d(5, padding=2)
        self.pool2 = nn.MaxPool1d(11, padding=5)
        if latent_features is not None:
            layers: list[nn.Module] = []
            for in_features, out_features in pairwise((256, 128, 64, 32)):
                layers += [nn.Linear(in_features, out_features), nn.PReLU(out_features), nn.Dropout(dropout)]
            self.mlp = nn.Sequential(*layers, nn.Linear(32, latent_features))

        if checkpoint is not None:
            self._fill(read_checkpoint(checkpoint), checkpoint)

    def _fill(self, tensors: dict[str, torch.Tensor], path: str) -> None:
        fill(self, _historical(tensors, self.latent_features is not None), path)
        wavelength = under(tensors, "encoder.").get("instrument.wave_obs")
        if self.grid is None and wavelength is not None:
            self.grid = named_grid(wavelength.double().numpy())
        if self.grid is None:
            warnings.warn(
                f"{path} does not say which wavelengths its weights are for, so spectra on any are taken and may be "
                f"encoded wrongly: give grid, 'desi', 'sdss' or the wavelengths.",
                stacklevel=3,
            )

    @classmethod
    def from_checkpoint(cls, path: str, latent: bool = False, **arguments: Any) -> Self:
        """With the weights of a file of spender, of any of its layouts.

        Args:
            path: A file of `torch.save` with the state dict, or a list of them, under "model"; or that of an encoder
                alone.
            latent: Whether the latent vector is wanted, of the size that it has in the file; else the 256 features
                that the attention picks out.
            arguments: Of the constructor.

        Raises:
            FileError: If the file cannot be read, or holds another network.
        """
        tensors = read_checkpoint(path)
        last = _historical(tensors, latent).get("mlp.9.weight")
        encoder = cls(**{"latent_features": last.shape[0] if latent and last is not None else None, **arguments})
        encoder._fill(tensors, path)
        return encoder

    @classmethod
    def for_modality(
        cls, modality: Modality, normalise: NormaliseMode = "median", sky_lines: bool = False, **arguments: Any
    ) -> Self:
        """For a spectrum modality: its spectra are put on the grid of the weights, where they are on another.

        Args:
            modality: Spectra of any grid.
            normalise: How brightness is taken out, see `Normalise`: spender was trained with "rest_median", which needs
                the redshift as a covariate; AstroCLIP's spectra were z-scored.
            sky_lines: Whether pixels near bright sky lines are masked, as in the training of spender.
            arguments: Of the constructor; a `preprocess` of your own does all of this itself.

        Raises:
            InputError: If the modality is of another kind, or covers less than 85 % of the grid.
        """
        check_kind(modality, "spectrum", cls)
        encoder = cls(**arguments)
        grid = named_grid(modality.grid)
        if "preprocess" not in arguments:
            steps: list[Transform] = [MaskSkyLines(grid)] if sky_lines else []
            steps += encoder.onto_grid(modality)
            wavelength = (encoder.grid or grid) if normalise == "rest_median" else None
            brightness = Normalise(normalise, wavelength=wavelength)
            encoder.preprocess = Compose((*steps, FillGaps(), brightness, SelectChannels()))
        encoder.check_modality(modality)
        return encoder

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of fluxes [B, 1, L] or [B, L], finite, of at least 64 pixels."""
        x = x[:, None] if x.ndim == 2 else x
        if x.ndim != 3 or x.shape[1] != 1 or x.shape[2] < 64:
            raise InputError(f"SpenderEncoder takes fluxes [B, 1, L] with L of at least 64, found {tuple(x.shape)}.")
        x = self.conv3(self.pool2(self.conv2(self.pool1(self.conv1(x)))))
        values, scores = x.chunk(2, dim=1)
        attended = (values * scores.softmax(dim=-1)).sum(dim=-1)
        return attended if self.latent_features is None else self.mlp(attended)
