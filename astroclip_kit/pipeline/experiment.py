"""Runs a configuration: a loop over its sections, and a fold loop around those that learn.

An interrupted run goes on where it stopped and a changed one repeats only what the change touches, see `Step`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..settings import Split
from .classifier_steps import Learner
from .classifier_training import begun_with
from .configuration import Configuration
from .given_weights import fetch_pretrained
from .step import Step, run_steps
from .tuning_checks import aligned_encoders, check_classifier

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.figure import Figure

__all__ = ["Step", "plan", "run_configuration", "run_steps"]

FOLDERS = {
    "simulate": "survey",
    "ingest": "data",
    "extract": "features",
    "align": "model",
    "embed": "embeddings",
    "evaluate": "results",
}
WRITER = {"data": "ingest", "model": "align", "embeddings": "embed", "dataset": "ingest"}  # of what a verb reads


def plan(configuration: Configuration, root: Path, dataset: Path | None = None) -> Iterator[Step]:
    """The steps of a run, in order.

    Args:
        configuration: What to run.
        root: Folder of the run.
        dataset: Dataset folder, where it is there already.

    Raises:
        UsageError: If a section lacks what it reads.
    """
    folds = range(configuration.folds) if configuration.folds else [None]
    folders: dict[str, Path] = {"ingest": dataset} if dataset else {}
    for verb in ("simulate", "ingest", "extract"):
        if verb in configuration.sections:
            inputs = _inputs(verb, folders, False)
            folders[verb] = Path(configuration.data) if verb == "simulate" else root / FOLDERS[verb]
            raw = Path(configuration.data) if verb == "ingest" and configuration.data else None
            step = Step(verb, verb, folders[verb], inputs, configuration.sections[verb], raw)
            yield step if verb != "extract" else _augmented(step, configuration)
    for fold in folds:
        prefix = "" if fold is None else f"fold-{fold}/"
        for verb in ("align", "embed", "evaluate"):
            if verb in configuration.sections:
                inputs = _inputs(verb, folders, fold is not None)
                folders[verb] = root / prefix / FOLDERS[verb]
                step = Step(verb, prefix + verb, folders[verb], inputs, configuration.sections[verb])
                yield step if verb != "align" else _divided(step, configuration, fold)
        if "classify" in configuration.sections:  # last: it may begin with what align writes
            yield from _learner(configuration, root, prefix, folders.get("ingest"), fold).steps()


def _inputs(verb: str, folders: Mapping[str, Path], in_fold: bool) -> dict[str, Path]:
    """What a verb reads, by argument. A fold is evaluated without figures: those are drawn for the whole run."""
    dataset, features, model, space = (folders.get(name) for name in ("ingest", "extract", "align", "embed"))
    wanted: dict[str, dict[str, Path | None]] = {
        "extract": {"data": dataset},
        "align": {"data": features or dataset},
        "embed": {"model": model, "data": features or dataset},
        "evaluate": {"embeddings": space} | ({} if in_fold else {"dataset": dataset, "model": model}),
    }
    found = {name: path for name, path in wanted.get(verb, {}).items() if path is not None}
    if missing := [name for name in wanted.get(verb, {}) if name not in found]:
        raise UsageError(f"section {verb!r} needs what section {WRITER[missing[0]]!r} writes: add that section.")
    return found | ({"features": features} if verb == "evaluate" and features else {})


def _augmented(step: Step, configuration: Configuration) -> Step:
    """The extraction, with further views of the objects that are trained on alone, where they are always the same."""
    said = step.arguments["views"] < 2 or step.arguments["augmented"] is not None
    if said or configuration.folds or "align" not in configuration.sections:
        return step
    split = configuration.sections["align"]["split"]
    return replace(step, arguments={**step.arguments, "augmented": replace(split, by=configuration.by or split.by)})


def _divided(step: Step, configuration: Configuration, fold: int | None) -> Step:
    """The training with the split of its fold."""
    return replace(step, arguments={**step.arguments, "split": _split(step.arguments["split"], configuration, fold)})


def _split(split: Split, configuration: Configuration, fold: int | None) -> Split:
    """That of a fold, by what the configuration says, or else its own section."""
    split = replace(split, by=configuration.by or split.by)
    return split if fold is None else replace(split, folds=configuration.folds, fold=fold)


def _learner(configuration: Configuration, root: Path, prefix: str, dataset: Path | None, fold: int | None) -> Learner:
    """The classifier of a fold, which begins with what its section `align` writes."""
    if dataset is None:
        raise UsageError("section 'classify' needs what section 'ingest' writes: add that section.")
    given, out = configuration.sections["classify"], root / prefix
    settings = given["classification"]
    settings = replace(settings, split=_split(settings.split, configuration, fold))
    encoders = given["encoders"] or begun_with(settings)
    if "align" in configuration.sections:
        encoders = encoders or dict.fromkeys(aligned_encoders(configuration), "")
        start = settings.fine_tuning.start or str(out / FOLDERS["align"])
        settings, out = replace(settings, fine_tuning=replace(settings.fine_tuning, start=start)), out / "classifier"
    return Learner(dataset, out, encoders, settings, str(given["labels"]), prefix)


def run_configuration(configuration: Configuration, root: Path) -> Table:
    """Runs what is not done yet, and puts the folds together.

    Args:
        configuration: What to run.
        root: Folder of the run; gets one folder per step, ``config.yaml`` and ``journal.jsonl``.

    Returns:
        The results of the run, those of the folds combined.

    Raises:
        UsageError: If a section lacks what it reads, or the root holds something else.
    """
    steps = list(plan(configuration, root))
    check_classifier(configuration)
    if not (root / FOLDERS["evaluate"]).exists():
        fetch_pretrained(configuration.sections)
    run_steps(steps, root, configuration.text)
    if "classify" in configuration.sections:
        return _classified(configuration, root)
    return _outcome(configuration, root, [step for step in steps if step.verb == "evaluate"], steps[-1])


def _classified(configuration: Configuration, root: Path) -> Table:
    """What the classifiers of all folds are worth, on one page."""
    from .classifier_results import results_of, together

    dataset = root / FOLDERS["ingest"]
    if not configuration.folds:
        return results_of(_learner(configuration, root, "", dataset, None))
    folds = range(configuration.folds)
    learners = [_learner(configuration, root, f"fold-{fold}/", dataset, fold) for fold in folds]
    return together(learners, root / "results", configuration.text, configuration.seed)


def _outcome(configuration: Configuration, root: Path, evaluations: Sequence[Step], last: Step) -> Table:
    """The results of the run on one page; a run that evaluates nothing gives its steps."""
    from astropy.table import Table

    from ..results import combine, read_results
    from .outcome import outcome, write_results

    if not evaluations:
        return Table({"step": [last.name], "folder": [str(last.out)]})
    first = evaluations[0]
    folds = [read_results(step.out) for step in evaluations]
    space = first.inputs["embeddings"]
    then = f"astroclip-kit explore {space}"
    if not configuration.folds:
        return outcome(first.out, folds[0], then)
    return write_results(root / "results", combine(folds), _figures(first, root), configuration.text, then)


def _figures(first: Step, root: Path) -> dict[str, Figure]:
    """The figures of the first fold."""
    from ..data import Dataset
    from ..embeddings import EmbeddingStore
    from ..report import evaluation_figures
    from ..storage import open_folder
    from .parts import words

    figures = evaluation_figures(
        EmbeddingStore(first.inputs["embeddings"]),
        words(first.arguments["properties"]),
        dataset=Dataset(root / FOLDERS["ingest"]),
        history=open_folder(first.out.with_name(FOLDERS["align"]), "model")["history"],
        settings=first.arguments["settings"],
    )
    return {f"Fold 0: {caption}": figure for caption, figure in figures.items()}
