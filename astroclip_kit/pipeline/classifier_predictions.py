"""What every model said of every object that it was judged by, as a table in the results folder."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import FolderError
from ..report.classifier_figures import Said

__all__ = ["SAID", "as_csv", "csv_of_fold", "read_said"]

SAID = "predictions.csv"


def as_csv(models: Sequence[Said]) -> str:
    """What every model said, a row for each object."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    classes = models[0].classes
    lines.writerow(
        [
            "model",
            "query",
            "object_id",
            "group",
            "true",
            *(f"p {name}" for name in classes),
            *(f"raw {name}" for name in classes),
        ]
    )
    for one in models:
        raw = np.full_like(one.probabilities, np.nan) if one.uncalibrated is None else one.uncalibrated
        numbers = np.concatenate([one.probabilities, raw], axis=1).tolist()
        for object_id, group, true, row in zip(one.object_ids, one.groups, one.true, numbers, strict=True):
            lines.writerow([one.model, one.query, object_id, group, true, *(f"{value:.9g}" for value in row)])
    return text.getvalue()


def read_said(folder: Path) -> list[Said]:
    """What `as_csv` kept of every model.

    Raises:
        FolderError: If it is not there.
    """
    path = folder / SAID
    if not path.exists():
        raise FolderError(f"{path}: no such file. Classify again.")
    frame = pd.read_csv(
        path, dtype={"object_id": str, "group": str, "true": str}, keep_default_na=False, na_values={"": []}
    )
    classes = [name[2:] for name in frame.columns if name.startswith("p ")]
    found = []
    for (model, query), own in frame.groupby(["model", "query"], sort=False):
        raw = own[[f"raw {name}" for name in classes]].apply(pd.to_numeric, errors="coerce").to_numpy(float)
        ids, groups, true = (own[name].to_numpy(str) for name in ("object_id", "group", "true"))
        p = own[[f"p {name}" for name in classes]].to_numpy(float)
        told = None if np.isnan(raw).any() else raw
        found.append(Said(str(model), str(query), ids, groups, true, classes, p, told))
    return found


def csv_of_fold(folder: Path, fold: int) -> str:
    """The rows of a fold, with its number; the first also tells what they are."""
    head, *lines = (folder / SAID).read_text().splitlines()
    named = [f"fold,{head}"] if not fold else []
    return "".join(f"{line}\n" for line in [*named, *(f"{fold},{line}" for line in lines)])
