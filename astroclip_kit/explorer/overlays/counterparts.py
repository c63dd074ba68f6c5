"""Which objects of a space the rows of a catalogue are: by position on the sky, or by id."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ...data.crossmatch import Positions, chord_of
from ...errors import InputError
from ...surveys.files.coordinates import in_range
from ...surveys.recognition import counted
from ..finding.nearby import has_positions, near_any
from ..space import Space
from .catalogue_file import CatalogueFile

__all__ = ["Counterparts", "by_id", "by_position", "counterparts"]

MOST_IN_TREE = 5_000_000  # objects; of more, only those near a row of the catalogue


@dataclass(frozen=True)
class Counterparts:
    """The object of each row of a catalogue.

    Args:
        rows: Row of the space of each row of the catalogue [n], -1 where it has none.
        separation_arcsec: Angle between the two [n], NaN where it is not known.
        how: What they were matched by, in words.
        notes: What else is to be said, in sentences.
        column: Column of ids that they were matched by, "" for positions.
        doubles: Rows of an object that another row has.
    """

    rows: npt.NDArray[np.int64]
    separation_arcsec: npt.NDArray[np.float64]
    how: str
    notes: tuple[str, ...] = ()
    column: str = ""
    doubles: int = 0

    @property
    def matched(self) -> npt.NDArray[np.int64]:
        """Rows of the catalogue that have a counterpart."""
        return np.flatnonzero(self.rows >= 0)

    def __str__(self) -> str:
        count, matched = len(self.rows), len(self.matched)
        how = f" {self.how}" if self.how else ""
        doubles = f"{self.doubles:,} of an object that another row has, " if self.doubles else ""
        told = f"{counted(count, 'row')} read, {matched:,} matched{how}, {doubles}"
        return " ".join([f"{told}{count - matched - self.doubles:,} without a counterpart.", *self.notes])


def counterparts(space: Space, catalogue: CatalogueFile, radius_arcsec: float) -> Counterparts:
    """Matches by position, or else by the column of ids that fits best, with what was recognised of a catalogue."""
    notes = []
    if catalogue.ra and has_positions(space):
        found = by_position(space, catalogue, catalogue.ra, catalogue.dec, radius_arcsec)
        if len(found.matched) or not catalogue.id_columns:
            return found
        notes.append(f"None lies within {radius_arcsec:g} arcsec of an object.")
    elif catalogue.ra:
        notes.append("This space has no coordinates, so that ids alone can tell.")
    elif not catalogue.id_columns:
        missing = np.full(len(catalogue), -1), np.full(len(catalogue), np.nan)
        return Counterparts(*missing, "", ("No column is called like coordinates or an id: choose them below.",))
    if not catalogue.id_columns:
        raise InputError(f"{catalogue.name}: this space has no coordinates, and no column is called like an id.")
    tried = [by_id(space, catalogue, column) for column in catalogue.id_columns]
    best = max(tried, key=lambda one: len(one.matched))
    return replace(best, notes=(*notes, *best.notes))


def by_position(space: Space, catalogue: CatalogueFile, ra: str, dec: str, radius_arcsec: float) -> Counterparts:
    """Rows and objects that are each other's nearest, see `data.crossmatch.match`.

    Args:
        space: The objects.
        catalogue: The rows.
        ra: Its column of right ascensions, in degrees, hours or sexagesimal.
        dec: Its column of declinations.
        radius_arcsec: How far apart the two may be.

    Raises:
        FileError: If a column is in a unit that is none of an angle.
        InputError: If the space has no coordinates, or the catalogue no such column.
        UsageError: If the radius is not positive.
    """
    if not has_positions(space):
        raise InputError("This space has no coordinates: match by id.")
    found = _matched(space, catalogue, ra, dec, radius_arcsec)
    if not len(found.matched) and (other := catalogue.in_hours(ra)) is not None:
        in_hours = _matched(space, other, ra, dec, radius_arcsec)
        if len(in_hours.matched):
            told = f"No unit is stated, and none matched in degrees: {ra} was taken as hours."
            return replace(in_hours, notes=(*in_hours.notes, told))
    return found


def _matched(space: Space, catalogue: CatalogueFile, ra: str, dec: str, radius_arcsec: float) -> Counterparts:
    alpha, delta = catalogue.places(ra, dec)
    beyond = ((alpha >= -180) & (alpha < 0)) | ((alpha > 360) & (alpha <= 540))
    beyond &= np.abs(delta) <= 90
    alpha = np.where(beyond, alpha % 360, alpha)
    placed = np.flatnonzero(in_range(alpha, delta))
    known, positions = _objects(space, alpha[placed], delta[placed], radius_arcsec)
    others = Positions(alpha[placed], delta[placed])
    found = positions.match(others, radius_arcsec)
    rows, apart = np.full(len(catalogue), -1), np.full(len(catalogue), np.nan)
    mine = placed[found.second]
    rows[mine], apart[mine] = known[found.first], found.separation_arcsec
    near = int(np.isfinite(others.nearest(positions, chord_of(radius_arcsec))[0]).sum())
    notes = []
    if wrapped := int(beyond.sum()):
        notes.append(f"{counted(wrapped, 'right ascension')} below 0 or above 360 degrees, turned by 360.")
    if more := near - len(mine):
        notes.append("Of several rows near one object the nearest is taken.")
    if lost := len(catalogue) - len(placed):
        notes.append(f"{counted(lost, 'row')} without a position.")
    if rivals := int(found.ambiguous.sum()):
        notes.append(f"{counted(rivals, 'row')} had another candidate within the radius; the nearest was taken.")
    how = f"by position ({ra}, {dec}) within {radius_arcsec:g} arcsec"
    return Counterparts(rows, apart, how, tuple(notes), doubles=more)


def _objects(
    space: Space, ra: npt.NDArray[np.float64], dec: npt.NDArray[np.float64], radius_arcsec: float
) -> tuple[npt.NDArray[np.int64], Positions]:
    """Rows of the objects that can be meant, and a tree of these."""
    if len(space) <= MOST_IN_TREE:
        return space.positions
    rows = near_any(space.store.ra, space.store.dec, ra, dec, radius_arcsec / 3600)
    return rows, Positions(space.store.ra[rows], space.store.dec[rows])


def by_id(space: Space, catalogue: CatalogueFile, column: str) -> Counterparts:
    """Rows whose id is that of an object; the first of those that repeat one.

    Args:
        space: The objects.
        catalogue: The rows.
        column: Its column of ids.

    Raises:
        InputError: If the catalogue has no such column.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    ids = catalogue.ids(column)
    first = np.flatnonzero(~pd.Series(ids).duplicated().to_numpy() & (ids != ""))
    known = pa.array(space.ids["object_id"].comparable)
    known = known.dictionary_decode() if pa.types.is_dictionary(known.type) else known
    place = pc.index_in(known, value_set=pa.array(ids[first].tolist(), known.type))
    objects = pc.indices_nonzero(place.is_valid()).to_numpy()
    rows = np.full(len(catalogue), -1)
    rows[first[place.take(pa.array(objects)).to_numpy()]] = objects
    notes, unnamed = [], int((ids == "").sum())
    doubles = int(pd.Series(ids).isin(ids[rows >= 0]).sum() - (rows >= 0).sum())
    if repeated := len(ids) - len(first) - unnamed:
        notes.append(f"An id is repeated in {counted(repeated, 'row')}; the first of each counts.")
    if unnamed:
        notes.append(f"{counted(unnamed, 'row')} without an id.")
    if not len(objects) and len(first):
        own = space.ids_of([0])[0]
        notes.append(f"No id is in common: those of {column} look like {ids[first[0]]!r}, those here like {own!r}.")
    apart = np.full(len(catalogue), np.nan)
    return Counterparts(rows, apart, f"by id ({column})", tuple(notes), column, doubles)
