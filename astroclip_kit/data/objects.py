"""Which observations belong to which object, and which of them make a row of the dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import InputError, UsageError
from ..filters import rows_where
from ..settings import Matching
from . import crossmatch
from .catalogue import catalogue_of
from .labels import Labels
from .linking import Ambiguity, link, radius_between
from .places import common_places, mean_places
from .repeats import check_rules, dropped, without_repeats

__all__ = ["Ambiguous", "Plan", "check_matching", "plan"]


@dataclass(frozen=True)
class Ambiguous:
    """A match by position that had a rival within the radius.

    Args:
        source: Of the one observation.
        object_id: Of the one observation.
        matched_to: Id of the other; "" where the match was given up, because the object has a closer one.
        separation_arcsec: Angle between the two; NaN where the match was given up.
        candidates: How many could have been meant.
        matched_source: Source of the other.
        rivals: Source, id and separation in arcsec of all others that could have been meant, nearest first.
    """

    source: str
    object_id: str
    matched_to: str
    separation_arcsec: float
    candidates: int
    matched_source: str
    rivals: str


@dataclass
class Plan:
    """The N rows of a dataset.

    Args:
        catalogue: object_id, group, ra, dec of each row.
        labels: Property to values of each row, float64 or text.
        rows: Source to the staged row of its observation, int64 [N]; -1 where there is none.
        drops: Observations left out: source, dropped (object id), reason.
        ambiguous: Matches with a rival.
        unmatched: Catalogue to how many of its rows no observation belongs to.
        joined: Catalogue to how many of its rows give their labels to a row of the dataset.
        moved: Source to how many of its positions were moved to the common epoch, for a match by position.
    """

    catalogue: pd.DataFrame
    labels: dict[str, pd.Series]
    rows: dict[str, npt.NDArray[np.int64]]
    drops: pd.DataFrame
    ambiguous: list[Ambiguous] = field(default_factory=list)
    unmatched: dict[str, int] = field(default_factory=dict)
    joined: dict[str, int] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)


def check_matching(matching: Matching, modalities: Sequence[str], sources: Sequence[str] = ()) -> None:
    """Refuses settings that make no sense for these modalities.

    Args:
        matching: The settings.
        modalities: Names of the sources that are modalities.
        sources: Names of all sources, catalogues too; the modalities where none are given.

    Raises:
        UsageError: Names the setting.
    """
    if matching.by not in ("id", "position"):
        raise UsageError(f"matching.by is {matching.by!r}, expected 'id' or 'position'.")
    if not 0 < matching.radius_arcsec < 180 * 3600:
        raise UsageError(f"matching.radius_arcsec is {matching.radius_arcsec}, expected a positive angle in arcsec.")
    for name in [*filter(None, [matching.rows]), *matching.repeats, *matching.require]:
        if name not in modalities:
            raise UsageError(f"matching names {name!r}, which is no modality here. Choose of: {', '.join(modalities)}.")
    sources = list(sources or modalities)
    pairs = {f"{one}-{other}" for one in sources for other in sources}
    for pair, radius in matching.radii.items():
        if pair not in pairs:
            example = f"{{{sources[0]}-{sources[-1]}: {matching.radius_arcsec}}}"
            wanted = f"pairs of {', '.join(sources)}, each written as {example}"
            alone = f"{example}, for repeated observations: {sources[0]} is the only source"
            raise UsageError(f"matching.radii names {pair!r}, expected {wanted if len(sources) > 1 else alone}.")
        if not 0 < radius < 180 * 3600:
            raise UsageError(f"matching.radii of {pair!r} is {radius}, expected a positive angle in arcsec.")
    for name in matching.motion.epochs:
        if name not in sources:
            raise UsageError(
                f"matching.motion.epochs names {name!r}, which is no source. Choose of: {', '.join(sources)}."
            )
    epochs = {f"epochs of {name!r}": epoch for name, epoch in matching.motion.epochs.items()}
    for name, epoch in {"epoch": matching.motion.epoch, **epochs}.items():
        if not 1800 < epoch < 2200:
            raise UsageError(f"matching.motion.{name} is {epoch}, expected a Julian year such as 2016.0.")
    check_rules(matching)


def plan(sources: Mapping[str, pd.DataFrame], modalities: Sequence[str], matching: Matching, where: str = "") -> Plan:
    """Joins observations into objects, and objects into rows.

    Args:
        sources: Source to its observations, indexed by staged row: object_id, group, ra, dec, labels (JSON), snr.
            Ids and coordinates of an object are those of the first source that has it.
        modalities: Which of the sources are modalities; the others are catalogues.
        matching: How to join.
        where: Condition on ids, coordinates and labels that a row has to meet, see `filters.rows_where`.

    Raises:
        InputError: If nothing is left, or a label cannot be a column.
        UsageError: If the condition cannot be read.
    """
    labels, observed = Labels.of(sources), _observations(sources)
    unplaced = observed["ra"].isna() | observed["dec"].isna()
    observed.loc[unplaced, ["ra", "dec"]] = np.nan
    drops: list[pd.DataFrame] = []
    ambiguous: list[Ambiguous] = []
    moved: dict[str, int] = {}
    if "position" in (matching.by, matching.group):
        observed[["place_ra", "place_dec"]] = common_places(observed, labels, matching)
        moves = (observed["place_ra"] != observed["ra"]) | (observed["place_dec"] != observed["dec"])
        counts = observed["source"][moves & ~unplaced].value_counts()
        moved = {name: int(counts[name]) for name in sources if counts[name]}
    if matching.by == "position":
        drops.append(dropped(observed[unplaced], "no coordinates to match by position."))
        observed = observed[~unplaced].reset_index(drop=True)
        observed["object"], ambiguous = _by_position(observed, list(sources), modalities, matching)
    else:
        observed["object"] = pd.factorize(observed["group"])[0]
    observed, repeats = without_repeats(observed, labels, matching)
    rows, picked = _rows(observed, list(sources), modalities, matching)
    catalogues = [name for name in sources if name not in modalities]
    if matching.by == "position":
        for name in catalogues:
            picked[name] = _nearest(observed, {one: picked[one] for one in modalities}, picked[name], name, matching)
    rows, picked, incomplete = _complete(rows, picked, observed, modalities, matching.require)
    entries = {name: _at(observed["entry"], pick) for name, pick in picked.items()}
    values = labels.merged(entries, [*catalogues, *modalities])
    catalogue = catalogue_of(observed, rows, values, matching)
    keep, unfit = _fitting(catalogue, values, where), dropped(observed.iloc[:0], "")
    if not keep.all():
        lost = np.concatenate([_known(picked[name][~keep]) for name in modalities])
        unfit = dropped(observed.loc[np.unique(lost)], f"where {where!r} does not hold.")
        catalogue, picked = catalogue[keep].reset_index(drop=True), {name: pick[keep] for name, pick in picked.items()}
        values = {name: column[keep].reset_index(drop=True) for name, column in values.items()}
    views = {name: _at(observed["row"], picked[name]) for name in modalities}
    counts = observed["source"].value_counts()
    joined = {name: len(np.unique(_known(picked[name]))) for name in catalogues}
    unmatched = {name: int(counts.get(name, 0)) - joined[name] for name in catalogues}
    return Plan(
        catalogue, values, views, pd.concat([*drops, repeats, incomplete, unfit]), ambiguous, unmatched, joined, moved
    )


def _fitting(catalogue: pd.DataFrame, labels: Mapping[str, pd.Series], where: str) -> npt.NDArray[np.bool_]:
    """Which rows meet a condition.

    Raises:
        InputError: If none does.
    """
    columns = {name: column.fillna("") if column.dtype == object else column for name, column in labels.items()}
    keep = rows_where({name: np.asarray(column) for name, column in {**catalogue, **columns}.items()}, where)
    if not keep.any():
        raise InputError(f"where {where!r} holds for none of {len(keep)} rows. Check the condition.")
    return keep


def _observations(sources: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """All observations one below the other, numbered through as the labels are (entry), and in each source (row)."""
    columns = ["object_id", "group", "ra", "dec", "snr"]
    parts = {name: table[columns].assign(row=table.index) for name, table in sources.items()}
    source = pd.Categorical.from_codes(np.repeat(np.arange(len(parts)), [*map(len, parts.values())]), list(parts))
    observed = pd.concat(parts.values(), ignore_index=True)
    return observed.assign(source=source, entry=np.arange(len(observed)))


def _at(values: pd.Series, pick: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The values of the picked observations; -1 where none is picked."""
    return np.append(values.to_numpy(dtype=np.int64), -1)[pick]


def _known(pick: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return pick[pick >= 0]


def _by_position(
    observed: pd.DataFrame, names: Sequence[str], modalities: Sequence[str], matching: Matching
) -> tuple[npt.NDArray[np.int64], list[Ambiguous]]:
    """The object of every observation, numbered as they first appear, and the matches that had rivals.

    Rows of a catalogue that share an id are one entry only where they share a place: rounded ids are no identity.
    """
    entry: dict[str, npt.NDArray[np.int64]] = {}
    heads: dict[str, pd.DataFrame] = {}
    for name in names:
        mine = observed[observed["source"] == name]
        places = mine[["place_ra", "place_dec"]].set_axis(["ra", "dec"], axis=1)
        by_id = pd.factorize(mine["group"])[0]
        by_place = name == matching.rows or name in matching.repeats
        if by_place or (name not in modalities and len(mine) > by_id.max(initial=-1) + 1):
            radius = radius_between(name, name, matching.radius_arcsec, matching.radii)
            place = crossmatch.groups(places["ra"], places["dec"], radius)
            entry[name] = place if by_place else pd.factorize(by_id * len(mine) + place)[0]
        else:
            entry[name] = by_id
        ids = mine["object_id"][~pd.Series(entry[name], mine.index).duplicated()].to_numpy()
        heads[name] = mean_places(places, entry[name]).assign(object_id=ids)
    linked = link(heads, matching.radius_arcsec, matching.radii)
    numbers = np.concatenate([linked.objects[name][entry[name]] for name in names])
    return pd.factorize(numbers)[0], [_listed(one, heads, names) for one in linked.ambiguous]


def _listed(found: Ambiguity, heads: Mapping[str, pd.DataFrame], names: Sequence[str]) -> Ambiguous:
    """A row of ``ambiguous.csv``: of the two sources the later one was matched to the earlier one."""
    (there, other), (here, one) = sorted((found.first, found.second), key=lambda end: names.index(end[0]))
    ids = {name: table["object_id"].array for name, table in heads.items()}
    rivals = found.rivals if found.taken else [(there, other, found.separation_arcsec), *found.rivals]
    listed = "; ".join(f"{source} {ids[source][row]} {angle:.3f}" for source, row, angle in rivals)
    separation = found.separation_arcsec if found.taken else float("nan")
    matched = ids[there][other] if found.taken else ""
    return Ambiguous(here, ids[here][one], matched, separation, len(rivals) + found.taken, there, listed)


def _rows(
    observed: pd.DataFrame, names: Sequence[str], modalities: Sequence[str], matching: Matching
) -> tuple[pd.DataFrame, dict[str, npt.NDArray[np.int64]]]:
    """The object of each row, and each source's observation for it (-1 for none)."""
    is_view = observed["source"].isin(list(modalities))
    objects = pd.DataFrame({"object": np.sort(observed["object"][is_view].unique())})
    if objects.empty:
        raise InputError("no observation is left to make a dataset of: none has coordinates to match by position.")
    several = observed[observed["source"] == matching.rows]
    each = pd.DataFrame({"object": several["object"], "pick": several.index})
    rows = objects.merge(each, on="object", how="left")
    picked = {}
    for name in names:
        mine = observed[observed["source"] == name]
        pick = rows["pick"] if name == matching.rows else rows["object"].map(pd.Series(mine.index, mine["object"]))
        picked[name] = pick.fillna(-1).to_numpy(dtype=np.int64)
    return rows, picked


def _nearest(
    observed: pd.DataFrame,
    views: Mapping[str, npt.NDArray[np.int64]],
    pick: npt.NDArray[np.int64],
    name: str,
    matching: Matching,
) -> npt.NDArray[np.int64]:
    """A catalogue's entry for each row: that of the object, or else the nearest, which may serve several rows."""
    ra, dec = observed["place_ra"].to_numpy(), observed["place_dec"].to_numpy()
    entries = np.flatnonzero(observed["source"] == name)
    for view, rows in views.items():
        lacks = np.flatnonzero((pick < 0) & (rows >= 0))
        radius = radius_between(view, name, matching.radius_arcsec, matching.radii)
        mine = rows[lacks]
        found = crossmatch.nearest(ra[mine], dec[mine], ra[entries], dec[entries], radius)
        pick = pick.copy()
        pick[lacks] = np.append(entries, -1)[found]
    return pick


def _complete(
    rows: pd.DataFrame,
    picked: dict[str, npt.NDArray[np.int64]],
    observed: pd.DataFrame,
    modalities: Sequence[str],
    require: Sequence[str],
) -> tuple[pd.DataFrame, dict[str, npt.NDArray[np.int64]], pd.DataFrame]:
    """The rows that have every required modality, and the observations of those that do not."""
    drops = [dropped(observed.iloc[:0], "")]
    keep = np.ones(len(rows), dtype=bool)
    for name in require:
        lacks = keep & (picked[name] < 0)
        lost = np.concatenate([picked[other][lacks] for other in modalities])
        drops.append(dropped(observed.loc[np.unique(lost[lost >= 0])], f"the object has no {name}, which is required."))
        keep &= ~lacks
    if not keep.any():
        raise InputError(f"no object has {' and '.join(require)}, which matching.require asks for. Check the match.")
    return rows[keep].reset_index(drop=True), {name: pick[keep] for name, pick in picked.items()}, pd.concat(drops)
