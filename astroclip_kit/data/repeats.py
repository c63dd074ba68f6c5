"""Which observation is kept where an object has several of one modality."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ..errors import InputError, UsageError
from ..settings import Matching
from .labels import Labels

__all__ = ["check_rules", "dropped", "without_repeats"]

RULE = re.compile(r"first|highest_snr|(highest|lowest) (\S+)|nearest (\S+) to (\S+)")


def check_rules(matching: Matching) -> None:
    """Refuses rules that cannot be read.

    Raises:
        UsageError: Names the rule.
    """
    for name, rule in matching.repeats.items():
        if not RULE.fullmatch(rule):
            raise UsageError(
                f"matching.repeats of {name!r} is {rule!r}, expected 'first', 'highest_snr', 'highest LABEL', "
                f"'lowest LABEL' or 'nearest LABEL to LABEL'."
            )
        if name == matching.rows:
            raise UsageError(f"matching.rows keeps every {name!r}, so matching.repeats cannot choose one of them.")


def dropped(observed: pd.DataFrame, reason: str | pd.Series) -> pd.DataFrame:
    """Observations left out, as rows of ``drops.csv``."""
    return pd.DataFrame({"source": observed["source"].astype(str), "dropped": observed["object_id"], "reason": reason})


def without_repeats(observed: pd.DataFrame, labels: Labels, matching: Matching) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One observation per source and object, except of the source whose every observation makes a row.

    Args:
        observed: source, entry, object_id, object and snr of every observation.
        labels: Their labels.
        matching: The rules, and which source makes rows.

    Returns:
        The observations that are kept, and those that are not with the reason.

    Raises:
        InputError: If a label that a rule compares is text or missing everywhere.
    """
    rank = pd.Series(0.0, observed.index)
    for name, rule in matching.repeats.items():
        mine = observed["source"] == name
        rank[mine] = _rank(observed, labels, mine, rule)
    order = observed.assign(rank=rank).sort_values("rank", kind="stable")
    repeated = order.duplicated(["source", "object"]).sort_index() & (observed["source"] != matching.rows)
    lost = observed[repeated]
    rules = lost["source"].map(lambda name: matching.repeats.get(name, "first")).astype(object)
    reason = "the object occurs more than once; kept by rule: " + rules + "."
    return observed[~repeated].reset_index(drop=True), dropped(lost, reason)


def _rank(observed: pd.DataFrame, labels: Labels, mine: pd.Series, rule: str) -> pd.Series:
    """The smallest is kept; a missing value comes last."""
    words = rule.split()
    if rule == "first":
        return pd.Series(0.0, observed.index)[mine]
    if rule == "highest_snr":
        return -observed["snr"][mine].fillna(-np.inf)
    value = _numbers(observed[mine], labels, words[1])
    if words[0] == "nearest":
        reference = _numbers(observed, labels, words[3]).groupby(observed["object"]).first()
        return (value - observed["object"][mine].map(reference)).abs().fillna(np.inf)
    return (value if words[0] == "lowest" else -value).fillna(np.inf)


def _numbers(observed: pd.DataFrame, labels: Labels, name: str) -> pd.Series:
    """One label of each observation as float64; NaN where missing.

    Raises:
        InputError: If no observation has the label, or it is text.
    """
    values = pd.Series(labels.everywhere(name)[observed["entry"]], observed.index)
    try:
        floats = values.astype(float)
    except ValueError as error:
        raise InputError(f"matching.repeats compares the label {name!r}, which is text, not a number.") from error
    if floats.isna().all():
        raise InputError(f"matching.repeats compares the label {name!r}, which no observation has.")
    return floats
