"""Which observations belong to which object, and which of them make a row of the dataset."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import InputError, UsageError
from ..settings import Matching
from . import crossmatch
from .properties import merge_labels, numbers

__all__ = ["Ambiguous", "Plan", "check_matching", "plan"]

RULE = re.compile(r"first|highest_snr|(highest|lowest) (\S+)|nearest (\S+) to (\S+)")


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
    for name in [*filter(None, [matching.rows]), *matching.repeats]:
        if name not in modalities:
            raise UsageError(f"matching names {name!r}, which is no modality here. Choose of: {', '.join(modalities)}.")
    for name, rule in matching.repeats.items():
        if not RULE.fullmatch(rule):
            raise UsageError(
                f"matching.repeats of {name!r} is {rule!r}, expected 'first', 'highest_snr', 'highest LABEL', "
                f"'lowest LABEL' or 'nearest LABEL to LABEL'."
            )
        if name == matching.rows:
            raise UsageError(f"matching.rows keeps every {name!r}, so matching.repeats cannot choose one of them.")


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
        drops.append(_dropped(observed[unplaced], "no coordinates to match by position."))
        observed = observed[~unplaced].reset_index(drop=True)
        observed["object"], ambiguous = _by_position(observed, list(sources), matching)
    else:
        observed["object"] = pd.factorize(observed["group"])[0]
    observed, repeats = _without_repeats(observed, matching)
    rows, picked = _rows(observed, modalities, matching)
    labels = merge_labels(observed, picked, [*(name for name in sources if name not in modalities), *modalities])
    catalogue = _catalogue(observed, rows, labels, matching)
    staged = {name: np.where(pick >= 0, observed["row"].to_numpy()[pick], -1) for name, pick in picked.items()}
    unmatched = {
        name: int((observed["source"] == name).sum() - len(np.unique(pick[pick >= 0])))
        for name, pick in picked.items()
        if name not in modalities
    }
    modal = {name: staged[name] for name in modalities}
    return Plan(catalogue, labels, modal, pd.concat([*drops, repeats]), ambiguous, unmatched)


def _dropped(observed: pd.DataFrame, reason: str | pd.Series) -> pd.DataFrame:
    return observed[["source", "object_id"]].set_axis(["source", "dropped"], axis=1).assign(reason=reason)


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


def _without_repeats(observed: pd.DataFrame, matching: Matching) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One observation per source and object, except of the source whose every observation makes a row."""
    rank = pd.Series(0.0, observed.index)
    for name, rule in matching.repeats.items():
        mine = observed["source"] == name
        rank[mine] = _rank(observed, mine, rule)
    order = observed.assign(rank=rank).sort_values("rank", kind="stable")
    repeated = order.duplicated(["source", "object"]).sort_index() & (observed["source"] != matching.rows)
    rules = observed["source"].map(lambda name: matching.repeats.get(name, "first"))
    reason = "the object occurs more than once; kept by rule: " + rules + "."
    return observed[~repeated].reset_index(drop=True), _dropped(observed[repeated], reason[repeated])


def _rank(observed: pd.DataFrame, mine: pd.Series, rule: str) -> pd.Series:
    """The smallest is kept; a missing value comes last."""
    words = rule.split()
    if rule == "first":
        return pd.Series(0.0, observed.index)[mine]
    if rule == "highest_snr":
        return -observed["snr"][mine].fillna(-np.inf)
    value = numbers(observed[mine], words[1])
    if words[0] == "nearest":
        reference = numbers(observed, words[3]).groupby(observed["object"]).first()
        return (value - observed["object"][mine].map(reference)).abs().fillna(np.inf)
    return (value if words[0] == "lowest" else -value).fillna(np.inf)


def _rows(
    observed: pd.DataFrame, modalities: Sequence[str], matching: Matching
) -> tuple[pd.DataFrame, dict[str, npt.NDArray[np.int64]]]:
    """The object of each row, and each source's observation for it (-1 for none)."""
    is_view = observed["source"].isin(list(modalities))
    objects = pd.DataFrame({"object": np.sort(observed["object"][is_view].unique())})
    if objects.empty:
        raise InputError("no observation is left to make a dataset of. Look at the reasons in drops.csv.")
    several = observed[observed["source"] == matching.rows]
    each = pd.DataFrame({"object": several["object"], "pick": several.index})
    rows = objects.merge(each, on="object", how="left")
    picked = {}
    for name in observed["source"].unique():
        mine = observed[observed["source"] == name]
        one = pd.Series(mine.index, mine["object"]) if name != matching.rows else None
        pick = rows["pick"] if one is None else rows["object"].map(one)
        picked[name] = pick.fillna(-1).to_numpy(dtype=np.int64)
    return rows, {name: picked.get(name, np.full(len(rows), -1)) for name in {**picked, **dict.fromkeys(modalities)}}


def _catalogue(
    observed: pd.DataFrame, rows: pd.DataFrame, labels: Mapping[str, pd.Series], matching: Matching
) -> pd.DataFrame:
    objects = observed.groupby("object")[["group", "ra", "dec"]].first()
    names = _unique(objects["group"])
    table = objects[["ra", "dec"]].loc[rows["object"]].reset_index(drop=True)
    group = names.loc[rows["object"]].reset_index(drop=True)
    own = observed["object_id"].reindex(rows["pick"]).reset_index(drop=True)
    object_id = _unique(own.where(own.notna(), group))
    if matching.group == "position":
        group = group[_linked(table, matching.radius_arcsec)].reset_index(drop=True)
    elif matching.group != "id":
        group = _by_label(labels, matching.group)
    return pd.concat([object_id.rename("object_id"), group.rename("group"), table], axis=1)


def _linked(table: pd.DataFrame, radius_arcsec: float) -> npt.NDArray[np.int64]:
    """The first row of every row's group by position; a row without coordinates is alone."""
    known = (table["ra"].notna() & table["dec"].notna()).to_numpy()
    first = np.arange(len(table))
    found = crossmatch.groups(table["ra"][known], table["dec"][known], radius_arcsec)
    start = np.unique(found, return_index=True)[1]
    first[known] = np.flatnonzero(known)[start[found]]
    return first


def _by_label(labels: Mapping[str, pd.Series], name: str) -> pd.Series:
    if name not in labels:
        raise UsageError(f"matching.group is {name!r}, expected 'id', 'position' or one of: {', '.join(labels)}.")
    missing = int(labels[name].isna().sum())
    if missing:
        raise InputError(f"{missing} rows have no label {name!r} to be grouped by. Group by 'id' or 'position'.")
    return labels[name].astype(str)


def _unique(names: pd.Series) -> pd.Series:
    """The same names, with #2, #3, ... behind those that occurred before."""
    while names.duplicated().any():
        count = names.groupby(names).cumcount() + 1
        names = names.where(count == 1, names + "#" + count.astype(str))
    return names
