"""Which entries of any number of catalogues are one object on the sky, and which links had rivals.

Every two catalogues are matched by themselves: a link is a pair of mutual nearest neighbours within the radius of those
two. Links are then taken from the closest to the widest (separation over radius), each of them only if the object that
it makes has no two entries of one catalogue: the algorithm of Kruskal (1956, Proc. AMS 7, 48) with a constraint. So no
entry is in two objects, a chain (A to B, B to C) holds an object together although A and C may be further apart than
their radius, and neither the order of the rows nor that of the catalogues changes what belongs together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from .crossmatch import Degrees, Indices, Match, Positions, chord_of, components, separation_arcsec

__all__ = ["Ambiguity", "Linked", "link", "radius_between"]

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Ambiguity:
    """A link that had a rival within the radius of one of its ends, or that was not taken.

    Args:
        first: Catalogue and row of one end.
        second: Catalogue and row of the other.
        separation_arcsec: Angle between the two.
        taken: Whether the two are one object now; else it would have had two entries of one catalogue.
        rivals: Catalogue, row and separation in arcsec of all other candidates, the nearest first.
    """

    first: tuple[str, int]
    second: tuple[str, int]
    separation_arcsec: float
    taken: bool
    rivals: list[tuple[str, int, float]]


@dataclass(frozen=True)
class Linked:
    """What `link` found.

    Args:
        objects: Catalogue to the number of each row's object, int64.
        ambiguous: Links that could have been others.
    """

    objects: dict[str, Indices]
    ambiguous: list[Ambiguity]


def radius_between(one: str, other: str, radius_arcsec: float, radii: Mapping[str, float]) -> float:
    """The radius of two catalogues: that of "one-other" or "other-one" in `radii`, else the general one."""
    return radii.get(f"{one}-{other}", radii.get(f"{other}-{one}", radius_arcsec))


def link(
    catalogues: Mapping[str, pd.DataFrame], radius_arcsec: float, radii: Mapping[str, float] | None = None
) -> Linked:
    """Puts the entries of several catalogues together into objects.

    Args:
        catalogues: Name to a table of ra and dec in degrees, and object_id, which settles the order of entries at the
            very same place.
        radius_arcsec: Largest separation of two entries.
        radii: The same for some pairs of catalogues, e.g. {"image-spectrum": 1.5}.

    Raises:
        InputError: If a coordinate is NaN or out of range.
        UsageError: If a radius is not positive.

    Example:
        >>> one = pd.DataFrame({"ra": [10.0, 20.0], "dec": [0.0, 0.0], "object_id": ["a", "b"]})
        >>> two = pd.DataFrame({"ra": [20.0001], "dec": [0.0], "object_id": ["x"]})
        >>> {name: rows.tolist() for name, rows in link({"one": one, "two": two}, 1.0).objects.items()}
        {'one': [0, 1], 'two': [1]}
    """
    entries = [_Entries.of(name, catalogues[name]) for name in sorted(catalogues)]
    starts = np.cumsum([0, *(len(one.order) for one in entries)])
    pairs = []
    for (i, one), (j, other) in combinations(enumerate(entries), 2):
        radius = radius_between(one.name, other.name, radius_arcsec, radii or {})
        match = one.places.match(other.places, radius)
        edges = np.stack([match.first + starts[i], match.second + starts[j]], axis=1)
        pairs.append(_Pair(one, other, match, radius, edges))
    source = np.repeat(np.arange(len(entries)), np.diff(starts))
    edges = np.concatenate([np.zeros((0, 2), np.int64), *(pair.edges for pair in pairs)])
    width = np.concatenate([np.zeros(0), *(pair.match.separation_arcsec / pair.radius_arcsec for pair in pairs)])
    taken = _taken(edges, width, source)
    number = components(edges[taken], len(source))
    objects = {}
    for one, start in zip(entries, starts, strict=False):
        objects[one.name] = np.empty(len(one.order), dtype=np.int64)
        objects[one.name][one.order] = number[start : start + len(one.order)]
    parts = np.split(taken, np.cumsum([len(pair.edges) for pair in pairs]))
    found = [one for pair, flags in zip(pairs, parts, strict=False) for one in pair.ambiguous(flags)]
    return Linked(objects, found)


@dataclass(frozen=True)
class _Entries:
    """A catalogue in an order that is that of its content, not of its rows: a tree breaks ties by order."""

    name: str
    order: Indices
    places: Positions

    @classmethod
    def of(cls, name: str, table: pd.DataFrame) -> _Entries:
        ra, dec = table["ra"].to_numpy(), table["dec"].to_numpy()
        twins = table.duplicated(["ra", "dec"], keep=False)
        ids = pd.factorize(table["object_id"].where(twins, ""), sort=True)[0] if twins.any() else np.zeros(len(table))
        order = np.lexsort((ids, ra, dec))
        return cls(name, order, Positions(ra[order], dec[order]))


@dataclass(frozen=True)
class _Pair:
    first: _Entries
    second: _Entries
    match: Match
    radius_arcsec: float
    edges: Indices  # numbers of the entries through all catalogues [n, 2]

    def ambiguous(self, taken: Flags) -> Iterator[Ambiguity]:
        """Links with a rival, or not taken."""
        which = np.flatnonzero(self.match.ambiguous | ~taken)
        i, j = self.match.first[which], self.match.second[which]
        there = _around(self.first, i, self.second, self.radius_arcsec)
        back = _around(self.second, j, self.first, self.radius_arcsec)
        rows = zip(self.first.order[i], self.second.order[j], strict=True)
        for link, (one, other), near_one, near_other in zip(which, rows, there, back, strict=True):
            rivals = [(self.second.name, row, angle) for row, angle in near_one if row != other]
            rivals += [(self.first.name, row, angle) for row, angle in near_other if row != one]
            ends = (self.first.name, int(one)), (self.second.name, int(other))
            angle = float(self.match.separation_arcsec[link])
            yield Ambiguity(*ends, angle, bool(taken[link]), sorted(rivals, key=lambda rival: rival[2]))


def _around(mine: _Entries, of: Indices, others: _Entries, radius_arcsec: float) -> Iterator[list[tuple[int, float]]]:
    """Row and separation of all that lie within the radius of each entry."""
    vectors = mine.places.vectors[of]
    found = others.places.tree.query_ball_point(vectors, chord_of(radius_arcsec)) if len(of) else []
    for vector, near in zip(vectors, found, strict=True):
        angles = separation_arcsec(np.linalg.norm(others.places.vectors[near] - vector, axis=1))
        yield list(zip(others.order[near].tolist(), angles.tolist(), strict=True))


def _taken(edges: Indices, width: Degrees, source: Indices) -> Flags:
    """Which links are taken. Only where all links together would join two entries of a source has one to choose."""
    component = components(edges, len(source))
    members = pd.DataFrame({"component": component, "source": source})
    crowded = np.unique(component[members.duplicated().to_numpy()])
    taken = ~np.isin(component[edges[:, 0]], crowded)
    doubtful = np.flatnonzero(~taken)
    order = doubtful[np.lexsort((edges[doubtful, 1], edges[doubtful, 0], width[doubtful]))]
    objects: dict[int, list[int]] = {}  # of each entry, the entries of its object
    for link, (one, other) in zip(order.tolist(), edges[order].tolist(), strict=True):
        mine, others = objects.setdefault(one, [one]), objects.setdefault(other, [other])
        if mine is others:
            taken[link] = True
        elif not {int(source[entry]) for entry in mine} & {int(source[entry]) for entry in others}:
            taken[link] = True
            mine += others
            objects.update(dict.fromkeys(others, mine))
    return taken
