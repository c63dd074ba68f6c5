"""Where the observations of several surveys are at one time: proper motion, and the mean of repeated observations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import InputError
from ..settings import Matching
from ..surveys.files.motions import EPOCHS, PMDECS, PMRAS, called
from .crossmatch import Degrees, unit_vectors
from .labels import Column, Labels

__all__ = ["common_places", "mean_places", "moved"]

PLAUSIBLE_YEARS = (1800.0, 2200.0)  # catalogues write 0 where there is no epoch
RADIANS_PER_MAS = np.radians(1 / 3_600_000)


def moved(
    ra: npt.ArrayLike, dec: npt.ArrayLike, pmra: npt.ArrayLike, pmdec: npt.ArrayLike, years: npt.ArrayLike
) -> tuple[Degrees, Degrees]:
    """Positions after some years of motion along straight lines in space, without parallax and radial velocity.

    That is the standard model of the Hipparcos catalogue (ESA SP-1200, volume 1, section 1.5.5), exact at the poles.

    Args:
        ra: Right ascensions [N] in degrees (ICRS).
        dec: Declinations [N] in degrees.
        pmra: Proper motions in right ascension [N] in mas per year, with the factor cos(dec), as in Gaia's tables.
        pmdec: Proper motions in declination [N] in mas per year.
        years: Julian years, negative for the past.

    Returns:
        Right ascensions (0 to below 360) and declinations [N] in degrees.

    Raises:
        InputError: If a coordinate is NaN or out of range.

    Example:
        >>> ra, dec = moved([10.0], [0.0], [3600.0], [-7200.0], 10.0)
        >>> ra.round(5).tolist(), dec.round(5).tolist()
        ([10.01], [-0.02])
    """
    alpha, delta = np.radians(np.asarray(ra, dtype=float)), np.radians(np.asarray(dec, dtype=float))
    east = np.stack([-np.sin(alpha), np.cos(alpha), np.zeros_like(alpha)], axis=1)
    north = np.stack([-np.sin(delta) * np.cos(alpha), -np.sin(delta) * np.sin(alpha), np.cos(delta)], axis=1)
    step = np.broadcast_to(np.asarray(years, dtype=float) * RADIANS_PER_MAS, alpha.shape)
    shift = (np.asarray(pmra) * step)[:, None] * east + (np.asarray(pmdec) * step)[:, None] * north
    return _directions(unit_vectors(ra, dec) + shift)


def _directions(vectors: Degrees) -> tuple[Degrees, Degrees]:
    """Right ascension and declination in degrees of vectors of any length."""
    x, y, z = vectors.T
    ra = np.degrees(np.arctan2(y, x)) % 360
    return np.where(ra < 360, ra, 0.0), np.degrees(np.arctan2(z, np.hypot(x, y)))  # -1e-17 % 360 is 360


def common_places(observed: pd.DataFrame, labels: Labels, matching: Matching) -> pd.DataFrame:
    """Positions at the common epoch; those without coordinates or proper motion stay as they are.

    Args:
        observed: source, entry, ra and dec of every observation.
        labels: Their labels, of which pmra, pmdec (mas per year) and ref_epoch (Julian year) are read, in any case.
        matching: The common epoch, and those of sources that do not say their own.

    Returns:
        ra and dec in degrees, with the index of `observed`.

    Raises:
        InputError: If there are proper motions without an epoch.
    """
    places = observed[["ra", "dec"]].copy()
    for name, own in labels.columns.items():
        names = [called(own, known) for known in (PMRAS, PMDECS, EPOCHS)]
        if not all(names[:2]):
            continue
        mine = observed[observed["source"] == name]
        entry = mine["entry"].to_numpy() - labels.starts[name]
        pmra, pmdec, epoch = (_numbers(name, own, label, len(own[names[0]]))[entry] for label in names)
        low, high = PLAUSIBLE_YEARS
        epoch = np.where((epoch > low) & (epoch < high), epoch, matching.motion.epochs.get(name, np.nan))
        moves = mine["ra"].notna().to_numpy() & np.isfinite(pmra) & np.isfinite(pmdec) & ((pmra != 0) | (pmdec != 0))
        if lost := int((moves & np.isnan(epoch)).sum()):
            raise InputError(
                f"{lost} observations of {name!r} have a proper motion (pmra, pmdec) but no label ref_epoch (Julian "
                f"year). Set matching.motion.epochs to {{{name}: 2016.0}}; the year of matching.motion.epoch leaves "
                f"them in place."
            )
        which = mine.index[moves]
        years = matching.motion.epoch - epoch[moves]
        ra, dec = moved(places.loc[which, "ra"], places.loc[which, "dec"], pmra[moves], pmdec[moves], years)
        places.loc[which, "ra"], places.loc[which, "dec"] = ra, dec
    return places


def _numbers(source: str, labels: Mapping[str, Column], name: str, count: int) -> Degrees:
    values = labels.get(name, np.full(count, np.nan))
    if values.dtype.kind == "O":
        raise InputError(f"the label {name!r} of {source!r} is text, not a number, which a proper motion needs.")
    return values


def mean_places(places: pd.DataFrame, entry: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Of each entry, the mean direction of its observations; of a single one its very place.

    Args:
        places: ra and dec of N observations in degrees.
        entry: Number of each observation's entry [N], 0 .. M - 1.

    Returns:
        ra and dec [M].
    """
    first = places.groupby(entry)[["ra", "dec"]].first()
    count = np.bincount(entry, minlength=len(first))
    several = count[entry] > 1
    vectors = unit_vectors(places["ra"][several], places["dec"][several])
    which, number = np.unique(entry[several], return_inverse=True)
    sums = np.zeros((len(which), 3))
    np.add.at(sums, number, vectors)
    first.loc[which, "ra"], first.loc[which, "dec"] = _directions(sums)
    return first
