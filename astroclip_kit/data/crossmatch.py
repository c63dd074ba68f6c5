"""Which positions on the sky are the same object: unit vectors in a k-d tree, exact at the poles and at 0 h."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError

__all__ = ["Match", "groups", "match", "nearest"]

Degrees = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Match:
    """The pairs that `match` found, in the order of the first list.

    Args:
        first: Index into the first list, int64 [n].
        second: Index into the second list, int64 [n].
        separation_arcsec: Angle between the two, float64 [n].
        candidates: How many positions of the other list lie within the radius of either member, int64 [n];
            1 is an unambiguous match.
    """

    first: Indices
    second: Indices
    separation_arcsec: Degrees
    candidates: Indices

    @property
    def ambiguous(self) -> npt.NDArray[np.bool_]:
        """Whether another candidate lies within the radius [n]."""
        return self.candidates > 1


def match(
    ra1: npt.ArrayLike, dec1: npt.ArrayLike, ra2: npt.ArrayLike, dec2: npt.ArrayLike, radius_arcsec: float
) -> Match:
    """Pairs of positions that are each other's nearest neighbour, within a radius.

    Args:
        ra1: Right ascensions of N positions in degrees, 0 to 360.
        dec1: Declinations [N] in degrees.
        ra2: Right ascensions of M positions.
        dec2: Declinations [M].
        radius_arcsec: Largest separation of a pair.

    Raises:
        InputError: If a coordinate is NaN or out of range.
        UsageError: If the radius is not positive.

    Example:
        >>> found = match([10.0, 359.99999], [0.0, 0.0], [0.00001, 50.0], [0.0, 0.0], radius_arcsec=1.0)
        >>> found.first.tolist(), found.second.tolist(), found.separation_arcsec.round(3).tolist()
        ([1], [0], [0.072])
    """
    from scipy.spatial import cKDTree

    chord = _chord(radius_arcsec)
    one, two = unit_vectors(ra1, dec1), unit_vectors(ra2, dec2)
    if not len(one) or not len(two):
        none = np.zeros(0, dtype=np.int64)
        return Match(none, none, np.zeros(0), none)
    tree1, tree2 = cKDTree(one), cKDTree(two)
    distance, nearest2 = tree2.query(one)
    nearest1 = tree1.query(two)[1]
    first = np.flatnonzero((nearest1[nearest2] == np.arange(len(one))) & (distance <= chord))
    second = nearest2[first]
    candidates = np.maximum(
        tree2.query_ball_point(one[first], chord, return_length=True),
        tree1.query_ball_point(two[second], chord, return_length=True),
    )
    separation = np.degrees(2 * np.arcsin(distance[first] / 2)) * 3600
    return Match(first, second, separation, np.maximum(candidates, 1))


def nearest(
    ra1: npt.ArrayLike, dec1: npt.ArrayLike, ra2: npt.ArrayLike, dec2: npt.ArrayLike, radius_arcsec: float
) -> Indices:
    """The nearest of M positions to each of N, within a radius; several may have the same.

    Args:
        ra1: Right ascensions of N positions in degrees, 0 to 360.
        dec1: Declinations [N] in degrees.
        ra2: Right ascensions of M positions.
        dec2: Declinations [M].
        radius_arcsec: Largest separation.

    Returns:
        Index into the second list [N]; -1 where none lies within the radius.

    Raises:
        InputError: If a coordinate is NaN or out of range.
        UsageError: If the radius is not positive.

    Example:
        >>> nearest([10.0, 10.0001, 50.0], [0.0, 0.0, 0.0], [10.00005], [0.0], radius_arcsec=1.0).tolist()
        [0, 0, -1]
    """
    from scipy.spatial import cKDTree

    chord = _chord(radius_arcsec)
    one, two = unit_vectors(ra1, dec1), unit_vectors(ra2, dec2)
    if not len(one) or not len(two):
        return np.full(len(one), -1)
    distance, index = cKDTree(two).query(one)
    return np.where(distance <= chord, index, -1)


def groups(ra: npt.ArrayLike, dec: npt.ArrayLike, radius_arcsec: float) -> Indices:
    """Numbers positions so that any two that a chain of separations below the radius links share a number.

    Args:
        ra: Right ascensions of N positions in degrees, 0 to 360.
        dec: Declinations [N] in degrees.
        radius_arcsec: Largest separation of direct links (friends of friends).

    Returns:
        Group number of each position [N], counted in order of first appearance.

    Raises:
        InputError: If a coordinate is NaN or out of range.
        UsageError: If the radius is not positive.

    Example:
        >>> groups([359.9999, 5.0, 0.0001], [0.0, 0.0, 0.0], radius_arcsec=1.0).tolist()
        [0, 1, 0]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    vectors, chord = unit_vectors(ra, dec), _chord(radius_arcsec)
    if not len(vectors):
        return np.zeros(0, dtype=np.int64)
    pairs = cKDTree(vectors).query_pairs(chord, output_type="ndarray")
    links = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(len(vectors),) * 2)
    _, first, inverse = np.unique(connected_components(links)[1], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def unit_vectors(ra: npt.ArrayLike, dec: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Directions on the unit sphere.

    Args:
        ra: Right ascensions [N] in degrees, 0 to 360.
        dec: Declinations [N] in degrees.

    Returns:
        float64 [N, 3].

    Raises:
        InputError: If a coordinate is NaN or out of range, or the lengths differ.
    """
    ra, dec = np.asarray(ra, dtype=np.float64), np.asarray(dec, dtype=np.float64)
    if ra.ndim != 1 or ra.shape != dec.shape:
        raise InputError(f"ra and dec must be two lists of one length, found shapes {ra.shape} and {dec.shape}.")
    for name, values, low, high in (("ra", ra, 0, 360), ("dec", dec, -90, 90)):
        wrong = np.flatnonzero(~((values >= low) & (values <= high)))
        if len(wrong):
            raise InputError(
                f"{len(wrong)} values of {name} are not within {low} to {high} degrees (first: {values[wrong[0]]} in "
                f"row {wrong[0]}). Remove them or convert to decimal degrees (ICRS)."
            )
    alpha, delta = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(delta) * np.cos(alpha), np.cos(delta) * np.sin(alpha), np.sin(delta)], axis=1)


def _chord(radius_arcsec: float) -> float:
    if not 0 < radius_arcsec <= 180 * 3600:
        raise UsageError(f"radius_arcsec is {radius_arcsec}, expected a positive angle in arcsec.")
    return float(2 * np.sin(np.radians(radius_arcsec / 3600) / 2)) * (1 + 1e-12)
