"""The latent properties of mock stars of spectral type A: what everything that is observed of a star follows from.

Three kinds have the same colours within the errors: blue horizontal branch stars ("bhb": old, evolved, low gravity),
blue stragglers ("bs": gravity of the main sequence, metals of the halo and the thick disc) and A stars of the disc
("a": gravity of the main sequence, solar metals, fast rotation). Distributions are those of published catalogues where
a folder of them is given, else fits to them.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FileError
from ..settings import Observing
from .instruments import LIGHT_KM_S

__all__ = ["KINDS", "SATURATION", "Stars", "draw_stars", "read_catalogues"]

Array = npt.NDArray[np.float64]
Stars = dict[str, npt.NDArray[Any]]
"""Latent name to values [B]; see `draw_stars`."""

KINDS = ("bhb", "bs", "a")
SHARE = (4752 / 12032, 0.65 * 7280 / 12032, 0.35 * 7280 / 12032)  # Wei et al. (2023) count bs and a together
SATURATION = 14.0  # g of the brightest stars that the SDSS camera images
COOLEST, HOTTEST = 7000.0, 10500.0  # K: what the colours of Yanny et al. (2000), 0.8 < u - g < 1.5, let in
BHB_FILE, A_FILE = "bhb_segue_barbosa2022*.csv", "lamost_dr10_AFG_params.csv"


def draw_stars(count: int, rng: np.random.Generator, observing: Observing, catalogues: str = "") -> Stars:
    """Draws latent properties of stars.

    Rotation after Behr (2003) for the horizontal branch and Royer et al. (2007) for the disc; alpha elements are
    enhanced by 0.3 dex below [Fe/H] = -1 (Wheeler et al. 1989). Brightness is drawn from the same distribution for all.

    Args:
        count: Number of stars.
        rng: Source of all randomness.
        observing: Magnitude limits in g; stars brighter than `SATURATION` are left out.
        catalogues: Folder of published catalogues, see `read_catalogues`; none by default.

    Returns:
        Arrays [count]: class, teff (K), logg (cm/s2), feh and alpha (dex), rv (km/s, away from us), vsini (km/s),
        ebv_galactic (mag) and mag_g (AB, before the dust).
    """
    kind = rng.choice(len(KINDS), count, p=SHARE)
    parts = [_horizontal_branch(count, rng), _stragglers(count, rng), _disc(count, rng)]
    brightness = _truncated_normal(count, rng, max(observing.bright_limit, SATURATION), observing.faint_limit)
    if catalogues:
        for part, table in zip(parts[::2], read_catalogues(catalogues).values(), strict=True):
            part |= _resampled(table, count, rng)
    stars = {name: np.choose(kind, [part[name] for part in parts]) for name in parts[1]}
    return stars | {
        "class": np.array(KINDS)[kind],
        "teff": np.clip(np.minimum(stars["teff"], 2 * HOTTEST - stars["teff"]), COOLEST, HOTTEST),  # no pile at the end
        "alpha": 0.3 * np.clip(-stars["feh"], 0, 1),
        "vsini": stars["vsini"] * np.sqrt(1 - rng.random(count) ** 2),
        "ebv_galactic": 0.03 * np.exp(0.5 * rng.standard_normal(count)),
        "mag_g": brightness,
    }


def _truncated_normal(count: int, rng: np.random.Generator, low: float, high: float) -> Array:
    """Magnitudes as of the stars of Barbosa et al. (2022): g = 17.7 in the mean, 1.3 mag wide, within limits."""
    from scipy.special import ndtr, ndtri

    below, above = ndtr((np.array([low, high]) - 17.7) / 1.3)
    return np.asarray(17.7 + 1.3 * ndtri(rng.uniform(below, above, count)))


def _resampled(table: Stars, count: int, rng: np.random.Generator) -> Stars:
    """Stars drawn from a table, and moved by less than its errors so that no two are the same."""
    rows = rng.integers(len(table["teff"]), size=count)
    drawn = {name: values[rows] for name, values in table.items()}
    warmer, denser = rng.standard_normal((2, count))
    return drawn | {"teff": drawn["teff"] * (1 + 0.01 * warmer), "logg": drawn["logg"] + 0.05 * denser}


def _horizontal_branch(count: int, rng: np.random.Generator) -> Stars:
    """Gravity rises with temperature along the branch (Dorman et al. 1993)."""
    teff = 7450 + rng.gamma(3.2, 260.0, count)
    return {
        "teff": teff,
        "logg": 3.32 + 0.2 * (teff - 8250) / 1000 + 0.2 * rng.standard_normal(count),
        "feh": -1.7 + 0.45 * rng.standard_normal(count),
        "rv": -50 + 140 * rng.standard_normal(count),
        "vsini": 12 * np.exp(0.6 * rng.standard_normal(count)),
    }


def _stragglers(count: int, rng: np.random.Generator) -> Stars:
    """Half of the halo, half of the thick disc."""
    halo = rng.random(count) < 0.5
    return {
        "teff": 7350 + rng.gamma(3.2, 260.0, count),
        "logg": 4.18 + 0.2 * rng.standard_normal(count),
        "feh": np.where(halo, -1.5, -0.6) + np.where(halo, 0.5, 0.3) * rng.standard_normal(count),
        "rv": np.where(halo, -50, -20) + np.where(halo, 125, 55) * rng.standard_normal(count),
        "vsini": 35 * np.exp(0.6 * rng.standard_normal(count)),
    }


def _disc(count: int, rng: np.random.Generator) -> Stars:
    return {
        "teff": 7400 + rng.gamma(3.0, 320.0, count),
        "logg": 4.03 + 0.18 * rng.standard_normal(count),
        "feh": -0.05 + 0.25 * rng.standard_normal(count),
        "rv": -5 + 32 * rng.standard_normal(count),
        "vsini": 85 * np.sqrt(rng.chisquare(3, count)),
    }


@lru_cache(maxsize=2)
def read_catalogues(folder: str) -> dict[str, Stars]:
    """Parameters of real stars: of the horizontal branch (Barbosa et al. 2022) and of type A (LAMOST DR10).

    The scatter of the published gravities of the horizontal branch is reduced to what two estimates of them share.

    Args:
        folder: Where the tables are, as they were published.

    Returns:
        By "bhb" and "a": teff, logg, rv (km/s) and, of "a", feh.

    Raises:
        FileError: If there is no such folder or file, or a table lacks a column or stars in the range.
    """
    root = Path(folder)
    if not root.is_dir():
        raise FileError(root, "no such folder of catalogues.")
    branch = _read(root, BHB_FILE, ("teff_adop", "logg_adop", "logg_annrr", "logg_spec", "rv_adop"))
    gravity, middle = branch["logg_adop"], np.median(branch["logg_adop"])
    shared = np.cov(branch["logg_annrr"], branch["logg_spec"])[0, 1]
    branch["logg_adop"] = middle + np.sqrt(max(shared, 0) / np.var(gravity)) * (gravity - middle)
    main = _read(root, A_FILE, ("subclass", "teff", "logg", "feh", "z"))
    seen = np.char.startswith(main["subclass"].astype(str), "A") & (main["teff"] > COOLEST) & (main["teff"] < HOTTEST)
    main = {name: values[seen & (main["logg"] > 3.5)] for name, values in main.items()}
    tables: dict[str, Stars] = {
        "bhb": {"teff": branch["teff_adop"], "logg": branch["logg_adop"], "rv": branch["rv_adop"]},
        "a": {"teff": main["teff"], "logg": main["logg"], "feh": main["feh"], "rv": LIGHT_KM_S * main["z"]},
    }
    for pattern, table in zip((BHB_FILE, A_FILE), tables.values(), strict=True):
        if not len(table["teff"]):
            raise FileError(root, f"{pattern} holds no star of {COOLEST:.0f} to {HOTTEST:.0f} K.")
    return tables


def _read(root: Path, pattern: str, names: tuple[str, ...]) -> Stars:
    """Columns of the first table of the folder whose name matches."""
    import pandas as pd

    found = sorted(root.glob(pattern))
    if not found:
        raise FileError(root, f"holds no catalogue of stars, expected {BHB_FILE} and {A_FILE}.")
    table = pd.read_csv(found[0])
    missing = [name for name in names if name not in table]
    if missing:
        raise FileError(found[0], f"lacks {', '.join(missing)}.")
    return {name: table[name].to_numpy() for name in names}
