"""How a mock survey is observed."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Observing"]


@dataclass(frozen=True)
class Observing:
    """Which objects a mock survey takes, and their cutouts.

    Args:
        bright_limit: Apparent magnitude (AB, without the dust of our Galaxy) of the brightest, in r of galaxies
            and WISE, in g of stars, in i of point sources.
        faint_limit: That of the faintest, 14 to 21; 17.77 for the main galaxy sample of SDSS.
        size: Pixels along the side of a cutout; even, at least 32. Of 0.262 arcsec for galaxies, 0.396 for points,
            1.375 for WISE.
        artifacts: Share of the cutouts with a satellite trail, a saturated star, a cosmic ray or bad columns; of WISE
            with what bright stars leave: spikes, ghosts, latent images.
    """

    bright_limit: float = 12.0
    faint_limit: float = 19.9
    size: int = 64
    artifacts: float = 0.04
