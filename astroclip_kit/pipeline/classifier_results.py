"""What a classifier, and what it is compared with, are worth on objects that none of them has seen."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..models import describe
from ..report.classes import selection_html
from ..report.lists import bullets
from ..storage import MANIFEST
from .classifier_errors import error_notes, errors_shown
from .classifier_models import judged_models, weighed
from .classifier_predictions import SAID, as_csv, csv_of_fold, read_said
from .classifier_steps import Learner
from .fine_tuned import lacking, subset_results
from .outcome import More, write_results
from .simulated_spectra import cited, vector_results
from .training_notes import below_majority, warm_up_notes

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.figure import Figure

    from ..report.classifier_figures import Said
    from ..types import Result

__all__ = ["next_command", "results_of", "together", "write_judgement"]


def write_judgement(learner: Learner) -> None:
    """Judges the classifier and its baselines on the test side, and writes the results folder.

    Args:
        learner: What was trained.
    """
    from ..classifiers import judge

    dataset, settings = learner.dataset, learner.settings
    models = [*judged_models(learner)]
    about: dict[str, Any] = {"dataset": dataset.manifest["name"], "origin": dataset.manifest["origin"]}
    results = [
        result
        for one in models
        for result in judge(
            one.true,
            one.probabilities,
            one.classes,
            task=one.model,
            query=one.query,
            uncalibrated=one.uncalibrated,
            groups=one.groups,
            label=settings.label,
            seed=settings.split.seed,
            **about,
        )
    ] + [*vector_results(learner, **about), *subset_results(learner)]
    shown = {} if learner.name else _figures([learner], [models[0]], settings.split.seed)  # of folds for all together
    more = More(parts=_parts([learner], _said_notes(models[0])), files={SAID: as_csv(models)}, **cited(settings))
    told = {"data": str(learner.data), "labels": learner.labels, "classification": describe(asdict(settings))}
    write_results(learner.place("results"), results, shown, told, next_command(learner), more)


def _figures(learners: Sequence[Learner], said: Sequence[Said], seed: int) -> dict[str, Figure]:
    """Caption to figure of one classifier, or of those of all folds together."""
    from ..report.classifier_figures import classifier_figures

    shares = [found for one, own in zip(learners, said, strict=True) for found in weighed(one, own)]
    by_encoder = [
        [one for one in shares if one.encoder == name] for name in dict.fromkeys(one.encoder for one in shares)
    ]
    joined = [
        replace(
            own[0],
            values=np.concatenate([one.values for one in own]),
            classes=np.concatenate([one.classes for one in own]),
        )
        for own in by_encoder
    ]
    whole = _all_folds(said)
    drawn = classifier_figures(whole, histories=_histories(learners), shares=joined, seed=seed)
    return {**drawn, **dict(errors_shown(learners[0], whole, seed))}


def _histories(learners: Sequence[Learner]) -> dict[str, list[Any]]:
    """What was trained, to its epochs in each fold."""
    from ..storage import read_json

    places: dict[str, tuple[str, ...]] = {"fusion": ("fusion",), "fusion with its encoders": ("joint",)}
    places["encoders and their head"] = ("fine_tuned",)
    places["generator of spectral vectors"] = ("simulation", "whole")
    places = {**{f"encoder of the {name}": ("encoders", name) for name in learners[0].encoders}, **places}
    found: dict[str, list[Any]] = {}
    for what, place in places.items():
        manifests = [one.place(*place) / MANIFEST for one in learners]
        if histories := [
            history for path in manifests if path.exists() and (history := read_json(path).get("history"))
        ]:
            found[what] = histories
    return found


def _parts(learners: Sequence[Learner], told: Sequence[str]) -> dict[str, str]:
    """How many objects of each class the selection left, why observations were left out, and what is to be heeded."""
    counted = learners[0].selection
    drops = learners[0].dataset.manifest["drops"]
    parts = {"Selection": selection_html(counted.stages, counted.classes, counted.counts.tolist(), drops)}
    notes = bullets([f"{note}." for note in (*(note for one in learners for note in _notes(one)), *told)])
    return {**parts, **({"Notes": notes} if notes else {})}


def together(learners: Sequence[Learner], out: Path, settings: str, seed: int) -> Table:
    """The results of all folds on one page: numbers are means over the folds, figures are of all objects.

    Args:
        learners: One of each fold, whose results are written.
        out: The results folder to write.
        settings: How they were made.
        seed: Of the resampling.
    """
    from ..results import combine, read_results

    folders = [one.place("results") for one in learners]
    said = [read_said(folder)[0] for folder in folders]
    results: list[Result] = combine([read_results(folder) for folder in folders])
    files = {SAID: "".join(csv_of_fold(folder, fold) for fold, folder in enumerate(folders))}
    parts = _parts(learners, _said_notes(_all_folds(said)))
    more = More(parts=parts, files=files, **cited(learners[0].settings))
    write_results(out, results, _figures(learners, said, seed), settings, next_command(learners[0]), more)
    return results_of(learners[0], out, learners)


def _said_notes(said: Said) -> list[str]:
    return [*error_notes(said), *below_majority(said)]


def _all_folds(said: Sequence[Said]) -> Said:
    """What the models of all folds said, each of its own test side."""

    def joined(name: str) -> Any:
        return np.concatenate([getattr(one, name) for one in said])

    whole = ("object_ids", "groups", "true", "probabilities")
    raw = None if any(one.uncalibrated is None for one in said) else joined("uncalibrated")
    return replace(said[0], **{name: joined(name) for name in whole}, uncalibrated=raw)


def results_of(learner: Learner, folder: Path | None = None, folds: Sequence[Learner] = ()) -> Table:
    """What classifiers are worth, a row for each, with how they were selected, and what to type next.

    Args:
        learner: The classifier, or the first of several.
        folder: The results folder; that of the learner by default.
        folds: All of several.
    """
    from ..report.classes import classes_table
    from ..results import read_results
    from .outcome import REPORT

    folder = folder or learner.place("results")
    results = read_results(folder)
    table = classes_table(results)
    counted, origin = learner.selection, f"{results[0].origin} data"
    stages = zip(counted.stages, counted.counts.sum(axis=1).tolist(), strict=True)
    notes = [f"objects: {', '.join(f'{count:,} {stage}' for stage, count in stages)}"]
    notes += [note for one in folds or [learner] for note in _notes(one)]
    notes += below_majority(_all_folds([read_said(one.place("results"))[0] for one in folds or [learner]]))
    notes += [f"{origin} of {results[0].dataset}, held-out objects, 95 % intervals of the macro F1"]
    table.meta["notes"] = ["", *notes, f"report: {folder / REPORT}", f"next:   {next_command(learner)}"]
    return table


def _notes(learner: Learner) -> list[str]:
    """What is to be heeded: classes of which there are few objects or none, and probabilities that say little."""
    from ..classifiers import check_classes
    from ..classifiers.temperature import FOLLOWS
    from ..storage import open_folder

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it was said when they were trained
        few = check_classes(*learner.divided, learner.settings.class_weights)
    told = open_folder(learner.place("model"), "model").get("calibration", {"fitted": True, "note": ""})
    sure = told["note"] if told["fitted"] else f"not calibrated: {told['note']}"
    sure = "" if sure.endswith(FOLLOWS) else sure  # that a class is absent is said of it
    every = (few, *learner.absent, *warm_up_notes(learner.settings), sure, *lacking(learner))
    return [f"{learner.name.replace('/', ': ')}{note}" for note in every if note]


def next_command(learner: Learner) -> str:
    """How new objects are classified; of light curves with numbers of a table, what to give."""
    command = f"astroclip-kit classify --model {learner.place('model')} --input NEW --out candidates.fits"
    seen = (learner.dataset.modalities[name] for name in learner.needed)
    own = [one.name for one in seen if one.kind == "lightcurve" and one.covariates]
    return (
        f"{command}  # NEW: a dataset folder, or raw files and a table of the numbers of {own[0]}" if own else command
    )
