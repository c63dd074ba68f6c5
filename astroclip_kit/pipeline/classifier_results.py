"""What a classifier, and what it is compared with, are worth on objects that none of them has seen."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import FolderError
from ..report.classes import selection_html
from .classifier_models import judged_models, weighed
from .classifier_steps import Learner
from .outcome import More, write_results

if TYPE_CHECKING:
    from astropy.table import Table

    from ..report.classifier_figures import Said
    from ..types import Result

__all__ = ["next_command", "read_said", "results_of", "together", "write_judgement"]

SAID = "predictions.csv"


def write_judgement(learner: Learner) -> None:
    """Judges the classifier and its baselines on the test side, and writes the results folder.

    Args:
        learner: What was trained.
    """
    from ..classifiers import class_codes, judge
    from ..report.classifier_figures import classifier_figures

    dataset, settings = learner.dataset, learner.settings
    names, codes = class_codes(dataset, settings.label)
    models = [*judged_models(learner, names, codes)]
    about: dict[str, Any] = {"dataset": dataset.manifest["name"], "origin": dataset.manifest["origin"]}
    results = [
        result
        for one in models
        for result in judge(
            one.true,
            one.probabilities,
            names,
            task=one.model,
            query=one.query,
            uncalibrated=one.uncalibrated,
            groups=one.groups,
            label=settings.label,
            seed=settings.split.seed,
            **about,
        )
    ]
    main = models[0]
    shown = classifier_figures(
        main, histories=_histories(learner), shares=[*weighed(learner, main)], seed=settings.split.seed
    )
    more = More(parts={"Selection": _selection(learner)}, files={SAID: _as_csv(models)})
    told = {"data": str(learner.data), "labels": learner.labels, "classification": asdict(settings)}
    write_results(learner.place("results"), results, shown, told, next_command(learner), more)


def _histories(learner: Learner) -> dict[str, Any]:
    """Epochs of what was trained."""
    from ..storage import read_json

    folders = {f"encoder of the {name}": learner.place("encoders", name) for name in learner.encoders}
    folders |= {"fusion": learner.place("fusion"), "fusion with its encoders": learner.place("joint")}
    found = {what: folder / "manifest.json" for what, folder in folders.items()}
    return {what: read_json(path).get("history", []) for what, path in found.items() if path.exists()}


def _selection(learner: Learner) -> str:
    """How many objects of each class the selection left, and why observations were left out."""
    counted = learner.labelled.selection(list(learner.encoders))
    return selection_html(counted.stages, counted.classes, counted.counts.tolist(), learner.dataset.manifest["drops"])


def _as_csv(models: Sequence[Said]) -> str:
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
    """What `write_judgement` kept of every model.

    Raises:
        FolderError: If it is not there.
    """
    import pandas as pd

    from ..report.classifier_figures import Said

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


def together(learners: Sequence[Learner], out: Path, settings: str, seed: int) -> Table:
    """The results of all folds on one page: numbers are means over the folds, figures are of all objects.

    Args:
        learners: One of each fold, whose results are written.
        out: The results folder to write.
        settings: How they were made.
        seed: Of the resampling.
    """
    from ..report.classifier_figures import classifier_figures
    from ..results import combine, read_results

    folders = [one.place("results") for one in learners]
    said = _all_folds([read_said(folder)[0] for folder in folders])
    results: list[Result] = combine([read_results(folder) for folder in folders])
    files = {SAID: "".join(_rows_of(folder, fold) for fold, folder in enumerate(folders))}
    more = More(parts={"Selection": _selection(learners[0])}, files=files)
    write_results(out, results, classifier_figures(said, seed=seed), settings, next_command(learners[0]), more)
    return results_of(learners[0], out)


def _all_folds(said: Sequence[Said]) -> Said:
    """What the models of all folds said, each of its own test side."""

    def joined(name: str) -> Any:
        return np.concatenate([getattr(one, name) for one in said])

    whole = ("object_ids", "groups", "true", "probabilities")
    raw = None if any(one.uncalibrated is None for one in said) else joined("uncalibrated")
    return replace(said[0], **{name: joined(name) for name in whole}, uncalibrated=raw)


def _rows_of(folder: Path, fold: int) -> str:
    """The rows of a fold, with its number; the first also tells what they are."""
    head, *lines = (folder / SAID).read_text().splitlines()
    named = [f"fold,{head}"] if not fold else []
    return "".join(f"{line}\n" for line in [*named, *(f"{fold},{line}" for line in lines)])


def results_of(learner: Learner, folder: Path | None = None) -> Table:
    """What classifiers are worth, a row for each, with how they were selected, and what to type next.

    Args:
        learner: The classifier, or the first of several.
        folder: The results folder; that of the learner by default.
    """
    from ..report.classes import classes_table
    from ..results import read_results
    from .outcome import REPORT

    folder = folder or learner.place("results")
    results = read_results(folder)
    table = classes_table(results)
    counted, origin = learner.labelled.selection(list(learner.encoders)), f"{results[0].origin} data"
    stages = zip(counted.stages, counted.counts.sum(axis=1).tolist(), strict=True)
    notes = [f"objects: {', '.join(f'{count:,} {stage}' for stage, count in stages)}", *_imbalance(learner)]
    notes += [f"{origin} of {results[0].dataset}, held-out objects, 95 % intervals of the macro F1"]
    table.meta["notes"] = ["", *notes, f"report: {folder / REPORT}", f"next:   {next_command(learner)}"]
    return table


def _imbalance(learner: Learner) -> list[str]:
    """What is to be said of classes of which there are far fewer objects than of others."""
    from ..classifiers import check_classes, class_codes
    from ..data.splits import divide

    settings, dataset = learner.settings, learner.dataset
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it was said when they were trained
        names, codes = class_codes(dataset, settings.label)
        note = check_classes(names, codes, divide(dataset, settings.split), settings.class_weights)
    return [note] if note else []


def next_command(learner: Learner) -> str:
    """How new objects are classified."""
    return f"astroclip-kit classify --model {learner.place('model')} --input NEW --out candidates.fits"
