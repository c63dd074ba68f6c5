"""Which positions on the sky are the same object: unit vectors in a k-d tree, exact at the poles and at 0 h."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError

__all__ = ["Match", "Positions", "groups", "match", "nearest"]

Degrees = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
MOST_LINKS = 10_000_000  # neighbours in memory at a time


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


class Positions:
    """Positions on the sky with a k-d tree over them, which is built once however often they are matched.

    Args:
        ra: Right ascensions of N positions in degrees, 0 to 360.
        dec: Declinations [N] in degrees.

    Raises:
        InputError: If a coordinate is NaN or out of range, or the lengths differ.

    Example:
        >>> gaia, desi = Positions([10.0, 20.0], [0.0, 5.0]), Positions([20.0001], [5.0])
        >>> gaia.match(desi, radius_arcsec=1.0).first.tolist()
        [1]
    """

    def __init__(self, ra: npt.ArrayLike, dec: npt.ArrayLike) -> None:
        self.vectors = unit_vectors(ra, dec)

    def __len__(self) -> int:
        return len(self.vectors)

    @cached_property
    def tree(self) -> Any:
        """A `scipy.spatial.cKDTree` over the unit vectors."""
        from scipy.spatial import cKDTree

        return cKDTree(self.vectors)

    def match(self, other: Positions, radius_arcsec: float) -> Match:
        """Pairs of positions that are each other's nearest neighbour, within a radius; see `match`.

        Raises:
            UsageError: If the radius is not positive.
        """
        chord = chord_of(radius_arcsec)
        there, back = self.nearest(other, chord, 2), other.nearest(self, chord, 2)
        nearest1 = np.append(back[1][:, 0], -1)  # the last for those that have no neighbour
        first = np.flatnonzero(nearest1[there[1][:, 0]] == np.arange(len(self)))
        second = there[1][first, 0]
        rivals = np.isfinite(there[0][first, 1]) | np.isfinite(back[0][second, 1])
        candidates = np.ones(len(first), dtype=np.int64)
        if rivals.any():
            candidates[rivals] = np.maximum(
                other.tree.query_ball_point(self.vectors[first[rivals]], chord, return_length=True),
                self.tree.query_ball_point(other.vectors[second[rivals]], chord, return_length=True),
            )
        return Match(first, second, separation_arcsec(there[0][first, 0]), candidates)

    def nearest(self, other: Positions, chord: float, count: int = 1) -> tuple[Degrees, Indices]:
        """Of each position, the nearest of another list.

        Args:
            other: M positions.
            chord: Largest distance of the unit vectors, see `chord_of`.
            count: How many neighbours, k.

        Returns:
            Distances of the unit vectors [N, k], nearest first, infinite where there is none within the chord;
            and indices into the other list [N, k], M where there is none.
        """
        distance, index = np.full((len(self), count), np.inf), np.full((len(self), count), len(other))
        if len(self) and len(other):
            order = self.tree.indices  # neighbours one after the other, which halves the time
            bound = np.nextafter(chord, 4.0)
            found = other.tree.query(self.vectors[order], np.arange(count) + 1, distance_upper_bound=bound, workers=-1)
            distance[order], index[order] = found
        return distance, index


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
    return Positions(ra1, dec1).match(Positions(ra2, dec2), radius_arcsec)


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
    other = Positions(ra2, dec2)
    index = Positions(ra1, dec1).nearest(other, chord_of(radius_arcsec))[1][:, 0]
    return np.where(index < len(other), index, -1)


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
    chord = chord_of(radius_arcsec)
    unit_vectors(ra, dec)  # refuses what is no position, by its row
    spots, same = np.unique(np.asarray(ra, dtype=float) + 1j * np.asarray(dec, dtype=float), return_inverse=True)
    number = _friends(Positions(spots.real, spots.imag), chord)[same.reshape(-1)]
    _, first, inverse = np.unique(number, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _friends(places: Positions, chord: float) -> Indices:
    """The number of each position's group.

    The eight nearest neighbours link nearly everything, more are asked for only where there may be another link: so
    thousands of visits to one place cost no more memory than as many places.
    """
    number, rows, count = np.arange(len(places)), np.arange(len(places)), 8
    while len(rows):
        number, crowded = _link_nearest(places, rows, number, chord, count)
        which, group = np.unique(number[crowded], return_inverse=True)
        rows = crowded[~_alone(places, number, which, chord)[group]]
        count *= 8
    return number


def _link_nearest(
    places: Positions, rows: Indices, number: Indices, chord: float, count: int
) -> tuple[Indices, Indices]:
    """Groups after linking some positions to their nearest neighbours; and those that may have more of them."""
    crowded = []
    for part in np.array_split(rows, len(rows) * count // MOST_LINKS + 1):
        bound = np.nextafter(chord, 4.0)
        index = places.tree.query(places.vectors[part], np.arange(count) + 1, distance_upper_bound=bound, workers=-1)[1]
        near = index < len(places)
        edges = np.stack([number[np.repeat(part, near.sum(axis=1))], number[index[near]]], axis=1)
        number = components(edges, len(places))[number]
        crowded.append(part[near.all(axis=1)])
    return number, np.concatenate(crowded)


def _alone(places: Positions, number: Indices, which: Indices, chord: float) -> npt.NDArray[np.bool_]:
    """Whether only members of a group lie in the sphere around all that it could still be linked to."""
    members = np.maximum(np.bincount(number), 1)
    centre = np.stack([np.bincount(number, weights=axis) for axis in places.vectors.T], axis=1) / members[:, None]
    reach = np.zeros(len(members))
    np.maximum.at(reach, number, np.linalg.norm(places.vectors - centre[number], axis=1))
    inside = places.tree.query_ball_point(centre[which], reach[which] + 1.001 * chord, return_length=True)
    return np.asarray(inside == members[which])


def components(edges: Indices, count: int) -> Indices:
    """The number of the connected component of each of some nodes, in a graph of these edges [n, 2]."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(edges), dtype=bool), (edges[:, 0], edges[:, 1])), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1] if count else [], dtype=np.int64)


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


def chord_of(radius_arcsec: float) -> float:
    """Distance of two unit vectors that are so far apart, with room for rounding.

    Raises:
        UsageError: If the radius is not positive, or more than half a circle.
    """
    if not 0 < radius_arcsec <= 180 * 3600:
        raise UsageError(f"radius_arcsec is {radius_arcsec}, expected a positive angle in arcsec.")
    return float(2 * np.sin(np.radians(radius_arcsec / 3600) / 2)) * (1 + 1e-12)


def separation_arcsec(chord: npt.NDArray[np.float64]) -> Degrees:
    """The angle that belongs to a distance of unit vectors."""
    angle: Degrees = np.degrees(2 * np.arcsin(np.minimum(chord / 2, 1.0)))
    return angle * 3600
