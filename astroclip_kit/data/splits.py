"""Who trains, who validates and who is held out: by hash, so that an object never changes sides.

A side depends on the group's name and the seed alone: adding objects, dropping some or reordering them moves
no other object. Shares are therefore met on average, not to the object. Or a label says the sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .. import storage
from ..errors import InputError, UsageError
from ..settings import Split
from .crossmatch import Degrees, Positions, chord_of

__all__ = ["Catalogued", "assign", "check_leaks", "divide", "pixels", "stated", "values"]

SIDES = ("train", "valid", "test")
CALLED = {"train": "train", "test": "test", **dict.fromkeys(("valid", "validation", "val", "dev"), "valid")}


class Catalogued(Protocol):
    """Whatever knows its objects: `Dataset`, `FeatureSet`, `EmbeddingStore`.

    It may also have `ra` and `dec` in degrees [N], NaN where unknown.
    """

    @property
    def object_ids(self) -> npt.NDArray[Any]:
        """Row ids [N]."""

    @property
    def groups(self) -> npt.NDArray[Any]:
        """Astrophysical object of each row [N]."""

    @property
    def labels(self) -> Mapping[str, npt.NDArray[Any]]:
        """Property name to values [N]."""


def divide(objects: Catalogued, split: Split) -> npt.NDArray[np.str_]:
    """The side of every row, checked for leaks.

    Args:
        objects: N rows with ids, groups, coordinates and labels.
        split: How to divide them.

    Returns:
        "train", "valid" or "test" for each row [N].

    Raises:
        UsageError: If the settings make no sense.
        InputError: If a side is empty, a group is on two sides, or two groups at one position are on different sides.
    """
    sides = stated(objects, split) if split.column else assign(values(objects, split.by, split.healpix_nside), split)
    check_leaks(objects.groups, sides, *_coordinates(objects), split.leak_arcsec)
    return sides


def stated(objects: Catalogued, split: Split) -> npt.NDArray[np.str_]:
    """The side of every row [N] as the label ``split.column`` says it.

    Raises:
        UsageError: If there is no such label, or folds are asked for.
        InputError: If a row says no side, or none is on the train or the test side.
    """
    if split.folds or split.column not in objects.labels:
        known = f"there are {split.folds} folds" if split.folds else f"there are {', '.join(sorted(objects.labels))}"
        raise UsageError(f"split.column is {split.column!r}: expected a label and no folds; {known}.")
    said = np.asarray(objects.labels[split.column]).astype(str)
    names, inverse = np.unique(said, return_inverse=True)
    found = names.tolist()
    unknown = [name for name in found if name not in CALLED]
    missing = [side for side in ("train", "test") if side not in found]
    if unknown or missing:
        problem = (
            f"{unknown[0]!r} in {(said == unknown[0]).sum()} rows" if unknown else f"no row that says {missing[0]}"
        )
        raise InputError(f"split.column {split.column!r}: expected train, valid or test in each row; found {problem}.")
    return np.array([CALLED[name] for name in found])[inverse.reshape(-1)]


def values(objects: Catalogued, by: str, healpix_nside: int = 16) -> npt.NDArray[Any]:
    """What rows are divided by [N].

    Args:
        objects: N rows with ids, groups, coordinates and labels.
        by: "group", "object_id", "healpix" or the name of a label.
        healpix_nside: By healpix: the resolution.

    Raises:
        UsageError: If there is no such label, or no such resolution.
        InputError: By healpix: if a group has no coordinates.
    """
    if by == "group":
        return np.asarray(objects.groups)
    if by == "object_id":
        return np.asarray(objects.object_ids)
    if by == "healpix":
        return pixels(*_coordinates(objects), objects.groups, healpix_nside)
    if by not in objects.labels:
        known = ", ".join(["group", "object_id", "healpix", *sorted(objects.labels)])
        raise UsageError(f"split.by: there is no column {by!r}. Choose one of: {known}.")
    return np.asarray(objects.labels[by])


def _coordinates(objects: Catalogued) -> tuple[Degrees, Degrees]:
    unknown = np.full(len(objects.groups), np.nan)
    return getattr(objects, "ra", unknown), getattr(objects, "dec", unknown)


def pixels(ra: npt.ArrayLike, dec: npt.ArrayLike, groups: npt.ArrayLike, nside: int) -> npt.NDArray[np.int64]:
    """The HEALPix pixel (Gorski et al. 2005, ApJ 622, 759; nested) of every row; that of a group's first row for all.

    Args:
        ra: Right ascensions [N] in degrees, NaN where unknown.
        dec: Declinations [N] in degrees.
        groups: Group of each row [N].
        nside: Resolution, a power of 2.

    Raises:
        UsageError: If the resolution is no power of 2.
        InputError: If no row of a group has coordinates.

    Example:
        >>> pixels([10.0, 190.0, float("nan")], [0.0, 45.0, float("nan")], ["a", "b", "a"], nside=1).tolist()
        [4, 2, 4]
    """
    if nside < 1 or nside & (nside - 1) or nside > 2**29:
        raise UsageError(f"split.healpix_nside is {nside}, expected a power of 2 such as 16.")
    from astropy_healpix.healpy import ang2pix

    ra, dec = np.asarray(ra, dtype=float), np.asarray(dec, dtype=float)
    group = np.unique(np.asarray(groups).astype(str), return_inverse=True)[1].reshape(-1)
    known = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    missing = len(group) - int(np.isin(group, group[known]).sum())
    if missing:
        raise InputError(
            f"split.by healpix: {missing} rows have no coordinates, nor has any of their group. Split by group, or "
            "give one of the sources coordinates."
        )
    first = known[np.unique(group[known], return_index=True)[1]]  # of every group, the first row with coordinates
    pixel = np.asarray(ang2pix(nside, ra[first], dec[first], nest=True, lonlat=True), dtype=np.int64)
    return pixel[group]


def assign(groups: npt.ArrayLike, split: Split) -> npt.NDArray[np.str_]:
    """The side of every row, from a hash of its group and the seed.

    Args:
        groups: Group of each of N rows (text or numbers); equal values always share a side.
        split: Shares or folds, and the seed. ``split.by`` is not read here: see `values`.

    Returns:
        "train", "valid" or "test" for each row [N].

    Raises:
        UsageError: If a share lies outside 0 .. 1 or the fold does not exist.
        InputError: If a row has no group, or a side that was asked for is empty.

    Example:
        >>> assign(["a", "b", "c", "d"], Split(folds=2, fold=0, valid=0.0, seed=1)).tolist()
        ['test', 'test', 'train', 'train']
    """
    _check(split)
    names, inverse = np.unique(_names(groups), return_inverse=True)
    if not len(names):
        raise InputError("there are no rows to divide into train, valid and test.")
    hashes = storage.hash_ids(names, split.seed)
    first = (hashes >> np.uint64(32)) / 2.0**32  # two independent uniform numbers per group
    second = (hashes & np.uint64(0xFFFFFFFF)) / 2.0**32
    held_out = np.floor(first * split.folds) == split.fold if split.folds else first < split.test
    sides = np.where(held_out, "test", np.where(second < split.valid, "valid", "train"))
    _check_filled(sides, split)
    return sides[inverse.reshape(-1)]


def check_leaks(
    groups: npt.ArrayLike,
    sides: npt.ArrayLike,
    ra: npt.ArrayLike = (),
    dec: npt.ArrayLike = (),
    radius_arcsec: float = 0.5,
) -> None:
    """Makes sure that no group is on two sides, nor one position.

    Args:
        groups: Group of each of N rows.
        sides: Side of each row [N].
        ra: Right ascensions [N] in degrees, NaN where unknown; none for no check of positions.
        dec: Declinations [N] in degrees.
        radius_arcsec: Rows of two sides that are closer are taken for one object; 0 for no check of positions.

    Raises:
        UsageError: If the radius is negative.
        InputError: If a group or a position is on two sides, or the lengths differ.

    Example:
        >>> check_leaks(["a", "b"], ["train", "test"], [10.0, 10.001], [0.0, 0.0], radius_arcsec=1.0)
    """
    group, side = np.asarray(groups).astype(str), np.asarray(sides).astype(str)
    if group.shape != side.shape:
        raise InputError(f"groups and sides differ in length: {group.shape} and {side.shape}.")
    pairs = np.unique(np.stack([group, side], axis=1), axis=0)
    names, counts = np.unique(pairs[:, 0], return_counts=True)
    leaks = names[counts > 1]
    if len(leaks):
        listed = ", ".join(leaks[:5])
        raise InputError(
            f"{len(leaks)} groups are on more than one side of the split ({listed}). Split by group, or by a column "
            f"that is the same for all rows of a group."
        )
    if radius_arcsec < 0:
        raise UsageError(f"split.leak_arcsec is {radius_arcsec}, expected 0 (no check) or an angle in arcsec.")
    if len(np.atleast_1d(ra)) and radius_arcsec > 0:
        _check_positions(group, side, np.asarray(ra), np.asarray(dec), radius_arcsec)


def _check_positions(
    group: npt.NDArray[np.str_], side: npt.NDArray[np.str_], ra: Degrees, dec: Degrees, radius_arcsec: float
) -> None:
    """Looks for the nearest row of another side, side by side, so that many rows at one place cost no more."""
    known = np.isfinite(ra) & np.isfinite(dec)
    here = [np.flatnonzero(known & (side == one)) for one in SIDES]
    places = [Positions(ra[rows], dec[rows]) for rows in here]
    leaks, example = 0, ""
    for one, other in combinations(range(len(SIDES)), 2):
        there = places[other].nearest(places[one], chord_of(radius_arcsec))[1][:, 0]
        close = np.flatnonzero(there < len(places[one]))
        if len(close) and not leaks:
            example = f"{group[here[one][there[close[0]]]]} and {group[here[other][close[0]]]}"
        leaks += len(close)
    if leaks:
        raise InputError(
            f"{leaks} rows lie within {radius_arcsec:g} arcsec of a row of another group on another side of the split "
            f"({example}), as one object under two ids does. Ingest with matching.group: position, or set "
            "split.leak_arcsec to 0 if they are different objects."
        )


def _names(groups: npt.ArrayLike) -> npt.NDArray[np.str_]:
    array = np.asarray(groups)
    if array.ndim != 1:
        raise InputError(f"groups must be one value per row, found shape {array.shape}.")
    names = array.astype(str)
    missing = np.flatnonzero((names == "") | (names == "nan") | (names == "None"))
    if len(missing):
        raise InputError(
            f"{len(missing)} rows have no value to split by (first: row {missing[0]}). Split by a column without gaps."
        )
    return names


def _check(split: Split) -> None:
    for name, share in (("test", split.test), ("valid", split.valid)):
        if not 0.0 <= share < 1.0:
            raise UsageError(f"split.{name} is {share}, expected a share from 0 to below 1.")
    if split.folds < 0 or split.folds == 1:
        raise UsageError(f"split.folds is {split.folds}, expected 0 (a single split) or at least 2.")
    if not 0 <= split.fold < max(split.folds, 1):
        raise UsageError(
            f"split.fold is {split.fold}, expected 0 .. {max(split.folds, 1) - 1} for {split.folds} folds."
        )


def _check_filled(sides: npt.NDArray[np.str_], split: Split) -> None:
    wanted = {"train": True, "valid": split.valid > 0, "test": split.folds > 0 or split.test > 0}
    for side in SIDES:
        if wanted[side] and side not in sides:
            raise InputError(
                f"no group of {len(sides)} falls on the {side} side. Add objects, change split.seed, "
                f"or change the share of that side."
            )
