"""Which observations belong to which object, and which of them make a row of the dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import InputError, UsageError
from ..settings import Matching
from . import crossmatch
from .catalogue import catalogue_of, merge_labels
from .repeats import check_rules, dropped, without_repeats

__all__ = ["Ambiguous", "Plan", "check_matching", "plan"]


@dataclass(frozen=True)
class Ambiguous:
    """A match by position that had a rival within the radius; the nearest was taken."""

    source: str
    object_id: str
    matched_to: str
    separation_arcsec: float
    candidates: int


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
    """

    catalogue: pd.DataFrame
    labels: dict[str, pd.Series]
    rows: dict[str, npt.NDArray[np.int64]]
    drops: pd.DataFrame
    ambiguous: list[Ambiguous] = field(default_factory=list)
    unmatched: dict[str, int] = field(default_factory=dict)


def check_matching(matching: Matching, modalities: Sequence[str]) -> None:
    """Refuses settings that make no sense for these modalities.

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
    check_rules(matching)


def plan(sources: Mapping[str, pd.DataFrame], modalities: Sequence[str], matching: Matching) -> Plan:
    """Joins observations into objects, and objects into rows.

    Args:
        sources: Source to its observations, indexed by staged row: object_id, group, ra, dec, labels (JSON), snr.
            Ids and coordinates of an object are those of the first source that has it.
        modalities: Which of the sources are modalities; the others are catalogues.
        matching: How to join.

    Raises:
        InputError: If nothing is left, or a label cannot be a column.
    """
    observed = pd.concat(sources, names=["source", "row"]).reset_index()
    unplaced = observed["ra"].isna() | observed["dec"].isna()
    observed.loc[unplaced, ["ra", "dec"]] = np.nan
    drops: list[pd.DataFrame] = []
    ambiguous: list[Ambiguous] = []
    if matching.by == "position":
        drops.append(dropped(observed[unplaced], "no coordinates to match by position."))
        observed = observed[~unplaced].reset_index(drop=True)
        observed["object"], ambiguous = _by_position(observed, list(sources), matching)
    else:
        observed["object"] = pd.factorize(observed["group"])[0]
    observed, repeats = without_repeats(observed, matching)
    rows, picked = _rows(observed, list(sources), modalities, matching)
    if matching.by == "position":
        for name in set(picked) - set(modalities):
            picked[name] = _nearest(observed, rows, picked[name], name, matching.radius_arcsec)
    rows, picked, incomplete = _complete(rows, picked, observed, modalities, matching.require)
    labels = merge_labels(observed, picked, [*(name for name in sources if name not in modalities), *modalities])
    catalogue = catalogue_of(observed, rows, labels, matching)
    staged = observed["row"].to_numpy()
    views = {name: np.where(picked[name] >= 0, staged[picked[name]], -1) for name in modalities}
    counts = observed["source"].value_counts()
    used = {name: len(np.unique(pick[pick >= 0])) for name, pick in picked.items() if name not in modalities}
    unmatched = {name: int(counts.get(name, 0)) - count for name, count in used.items()}
    return Plan(catalogue, labels, views, pd.concat([*drops, repeats, incomplete]), ambiguous, unmatched)


def _by_position(
    observed: pd.DataFrame, names: Sequence[str], matching: Matching
) -> tuple[npt.NDArray[np.int64], list[Ambiguous]]:
    """The object of every observation: entries of each source in turn join the nearest object so far."""
    objects = np.full(len(observed), -1)
    known = observed.iloc[:0]  # one observation for each object so far
    ambiguous: list[Ambiguous] = []
    for name in names:
        mine = observed[observed["source"] == name]
        if name == matching.rows or name in matching.repeats:
            entry = crossmatch.groups(mine["ra"], mine["dec"], matching.radius_arcsec)
        else:
            entry = pd.factorize(mine["group"])[0]
        heads = mine[~pd.Series(entry, mine.index).duplicated()]
        match = crossmatch.match(known["ra"], known["dec"], heads["ra"], heads["dec"], matching.radius_arcsec)
        number = np.full(len(heads), -1)
        number[match.second] = match.first
        new = number < 0
        number[new] = len(known) + np.arange(new.sum())
        for i in np.flatnonzero(match.ambiguous):
            here, there = heads["object_id"].iloc[match.second[i]], known["object_id"].iloc[match.first[i]]
            ambiguous.append(Ambiguous(name, here, there, match.separation_arcsec[i], int(match.candidates[i])))
        known = pd.concat([known, heads[new]])
        objects[mine.index] = number[entry]
    return objects, ambiguous


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
    observed: pd.DataFrame, rows: pd.DataFrame, pick: npt.NDArray[np.int64], name: str, radius_arcsec: float
) -> npt.NDArray[np.int64]:
    """A catalogue's entry for each row: that of the object, or else the nearest, which may serve several rows."""
    entries = observed[observed["source"] == name]
    places = observed.groupby("object")[["ra", "dec"]].first().loc[rows["object"]]
    found = crossmatch.nearest(places["ra"], places["dec"], entries["ra"], entries["dec"], radius_arcsec)
    return np.where((pick < 0) & (found >= 0), np.append(entries.index.to_numpy(dtype=np.int64), -1)[found], pick)


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
