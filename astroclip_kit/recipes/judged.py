"""How good the models of one repetition are, on objects that nothing trained for it has seen."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..storage import open_folder, read_array
from ..types import Result
from .repetition import Repetition

__all__ = ["Besides", "Judged", "Logits", "judge_models"]

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Logits = Callable[[Rows], npt.NDArray[Any]]  # what a model says of some rows [n, C]


@dataclass(frozen=True)
class Besides:
    """What else a recipe measures of a repetition.

    Args:
        results: Further numbers.
        arrays: Name of a file to what it holds.
        about: What else the manifest keeps.
    """

    results: list[Result] = field(default_factory=list)
    arrays: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)


def judge_models(
    repetition: Repetition,
    says: Mapping[str, Logits],
    out: Path,
    besides: Callable[[Rows, dict[str, Any]], Besides] = lambda rows, source: Besides(),
) -> None:
    """Judges models by the same objects, each calibrated on the validation side, and keeps what a figure needs of them.

    The folder holds ``results.jsonl``, what each model says of each object (``probabilities.npy`` [M, n, C]), the
    number of the true class (``codes.npy`` [n]) and which row of the dataset it is (``rows.npy`` [n]); the manifest
    names models and classes.

    Args:
        repetition: The seed.
        says: Task of a model to its logits.
        out: The results folder.
        besides: From the rows that are judged, and seed, dataset and origin of results, to what else is kept.
    """
    from ..classifiers import calibrate, judge, probabilities
    from ..results import write_results
    from ..storage import new_folder, write_manifest

    names, codes, rows = repetition.divided
    dataset, judged = repetition.dataset, rows[repetition.experiment["side"]]
    source = {"seed": repetition.seed, "dataset": dataset.manifest["name"], "origin": dataset.manifest["origin"]}
    how: dict[str, Any] = {"label": repetition.settings.label, "n_boot": repetition.experiment["n_boot"], **source}
    results, said, temperatures = [], [], {}
    notes: dict[str, list[str]] = {}
    for task, logits in says.items():
        valid, asked = (np.asarray(logits(some), dtype=np.float64) for some in (rows["valid"], judged))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # said once of all models, below
            calibration = calibrate(partial(np.asarray, valid), codes[rows["valid"]], task, names)
        temperatures[task] = calibration.temperature
        notes.setdefault(calibration.note, []).append(task)
        p, raw = probabilities(asked, temperatures[task]), probabilities(asked)
        model: dict[str, Any] = {"task": task, "query": repetition.models[task].query, "uncalibrated": raw}
        results += judge(np.asarray(names)[codes[judged]], p, names, groups=dataset.groups[judged], **model, **how)
        said.append(p)
    for note in filter(None, notes):
        warnings.warn(f"calibration of {', '.join(notes[note])}: {note}.", stacklevel=2)
    more = besides(judged, source)
    kept: dict[str, Any] = {"models": list(says), "classes": list(names), "temperatures": temperatures}
    kept |= {"counts": {side: len(some) for side, some in rows.items()}, "seed": repetition.seed, **more.about}
    arrays = {"probabilities": np.stack(said), "codes": codes[judged], "rows": judged, **more.arrays}
    with new_folder(out, "results") as folder:
        write_results(folder / "results.jsonl", [*results, *more.results])
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array)
        write_manifest(folder, "results", kept)


class Judged:
    """What `judge_models` wrote for one repetition.

    Args:
        folder: The results folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.about = folder, open_folder(folder, "results")
        self.classes: list[str] = self.about["classes"]
        self.codes, self.rows = (self.array(name) for name in ("codes", "rows"))

    def array(self, name: str) -> npt.NDArray[Any]:
        """One of the arrays that are kept."""
        return read_array(self.folder / f"{name}.npy")

    @cached_property
    def said(self) -> dict[str, Floats]:
        """Model to what it says of each object [n, C]."""
        return dict(zip(self.about["models"], self.array("probabilities"), strict=True))

    @property
    def true(self) -> npt.NDArray[np.str_]:
        """Class of each object [n]."""
        true: npt.NDArray[np.str_] = np.asarray(self.classes)[self.codes]
        return true

    def predicted(self, task: str) -> npt.NDArray[np.str_]:
        """The class that a model says of each object [n]."""
        said: npt.NDArray[np.str_] = np.asarray(self.classes)[self.said[task].argmax(axis=1)]
        return said
