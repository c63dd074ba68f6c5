"""Images [B, C, H, W] as they would look behind another amount of Galactic dust."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..errors import UsageError
from ..types import Modality
from .image_channels import IVAR, check_bands, check_channels
from .lognormal import LogNormal
from .randomness import fork, uniform

__all__ = ["EXTINCTION_MAG", "Extinction"]

# Magnitudes per E(B-V) of Schlegel et al. 1998, of the DECam filters (legacysurvey.org/dr9/catalogs, after Schlafly &
# Finkbeiner 2011) and of WISE; those of Stein et al. 2021 are 0.4 times these.
EXTINCTION_MAG = {"u": 3.995, "g": 3.214, "r": 2.165, "i": 1.592, "z": 1.211, "Y": 1.064, "W1": 0.184, "W2": 0.113}
EBV = LogNormal(0.67306, 0.001146, 0.03338)  # Stein et al. 2021: fitted to galaxies of the Legacy Surveys


@dataclass(frozen=True)
class Extinction:
    """Takes the Galactic reddening out of images and puts a drawn one in: what is learned should not read the dust.

    Fluxes are divided by the transmission ``10 ** (-0.4 A E(B-V))`` of the old E(B-V) and multiplied by that of a new
    one. An inverse variance (a channel called "ivar_" and the band) is divided by the square of the same factor.

    Args:
        bands: Of the channels, in their order.
        uniform: Whether the new E(B-V) is drawn uniformly, for more dusty ones, or as it is distributed on the sky of
            the Legacy Surveys (lognormal, median 0.034).
        max_ebv: Largest new E(B-V) of the uniform draw.
        old_ebv: E(B-V) of the images; 0 if they have been corrected for it. By default it is drawn as it is
            distributed, since it is not known per image.
        coefficients: A / E(B-V) per channel, for bands other than u, g, r, i, z, Y, W1, W2.

    Raises:
        UsageError: If a band has no coefficient, or an E(B-V) is negative.

    Example:
        >>> dusty = Extinction(old_ebv=0.0)(torch.ones(1, 3, 1, 1), torch.tensor([0]))[0, :, 0, 0]
        >>> bool(dusty[0] < dusty[1] < dusty[2] < 1)
        True
    """

    bands: Sequence[str] = ("g", "r", "z")
    uniform: bool = True
    max_ebv: float = 1.0
    old_ebv: float | None = None
    coefficients: Sequence[float] | None = None

    def __post_init__(self) -> None:
        """Refuses bands of which nothing is known."""
        names = [band.removeprefix(IVAR) for band in self.bands]
        if self.coefficients is None and (unknown := [name for name in names if name not in EXTINCTION_MAG]):
            raise UsageError(
                f"Extinction knows no coefficient of the band {unknown[0]!r}, only of {', '.join(EXTINCTION_MAG)}. "
                f"Give coefficients, A / E(B-V) of each channel."
            )
        if self.coefficients is not None and len(self.coefficients) != len(self.bands):
            raise UsageError(f"Extinction: {len(self.coefficients)} coefficients for {len(self.bands)} bands.")
        if self.max_ebv < 0 or (self.old_ebv or 0) < 0:
            raise UsageError(f"Extinction: E(B-V) of {self.max_ebv} and {self.old_ebv} must not be negative.")

    def check_modality(self, modality: Modality) -> None:
        """Refuses images of other channels."""
        check_bands(self, modality)

    def __call__(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """Images [B, C, H, W]."""
        check_channels(x, self.bands)
        seeds = seeds.to(x.device)
        new = uniform(fork(seeds, 1)) * self.max_ebv if self.uniform else EBV.draw(fork(seeds, 1))
        old = EBV.draw(fork(seeds, 0)) if self.old_ebv is None else self.old_ebv
        given = self.coefficients or [EXTINCTION_MAG[band.removeprefix(IVAR)] for band in self.bands]
        powers = [-2.0 if band.startswith(IVAR) else 1.0 for band in self.bands]
        mag = torch.tensor([one * power for one, power in zip(given, powers, strict=True)], device=x.device)
        factor = 10 ** (-0.4 * (new - old)[:, None] * mag)
        return x * factor[:, :, None, None].to(x.dtype)
