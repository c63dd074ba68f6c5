"""Runs a configuration: a loop over its sections, and a fold loop around those that learn.

Each finished step is noted in the run's journal with a hash of its arguments and of what it read. A step
whose hash is unchanged and whose folder is whole is skipped, so an interrupted run goes on where it stopped
and a changed one repeats only what the change touches.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..storage import append_journal, hash_json, hash_text, publish, read_journal
from .configuration import Configuration
from .pretraining import pretrain
from .steps import STEPS

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.figure import Figure

__all__ = ["Step", "plan", "run_configuration", "run_steps"]

CALLS: dict[str, Callable[..., Any]] = {**STEPS, "pretrain": pretrain}
FOLDERS = {
    "simulate": "survey",
    "ingest": "data",
    "extract": "features",
    "align": "model",
    "embed": "embeddings",
    "evaluate": "results",
}
WRITER = {"data": "ingest", "model": "align", "embeddings": "embed", "dataset": "ingest"}  # of what a verb reads


@dataclass(frozen=True)
class Step:
    """One call of one verb.

    Args:
        verb: Its name.
        name: Unique in the run: "ingest", "fold-3/align".
        out: The folder that it writes.
        inputs: What it reads, by argument.
        arguments: The section's arguments.
        raw: A folder of survey files that it reads besides.
        call: What is called instead of the verb's function, without arguments.
    """

    verb: str
    name: str
    out: Path
    inputs: Mapping[str, Path]
    arguments: Mapping[str, Any]
    raw: Path | None = None
    call: Callable[[], Any] | None = None

    def run(self) -> Any:
        """Calls the verb."""
        if self.call is not None:
            return self.call()
        own = {"trusted": True} if self.verb == "embed" else {}  # of a model with the classes of this configuration
        return CALLS[self.verb](**self.inputs, **{**self.arguments, **own}, out=self.out)

    def state(self) -> str:
        """A hash of everything that the result depends on."""
        read = [hash_text(_manifest(path)) for path in self.inputs.values()]
        arguments = {key: _plain(value) for key, value in self.arguments.items()}
        besides = [_listing(path) for path in sorted(_named(self.arguments, self.raw))]
        return hash_json([self.verb, arguments, read, _listing(self.raw) if self.raw else "", *besides])

    def finished(self, root: Path) -> bool:
        """Whether the journal knows this very step and its folder is whole."""
        entries = {entry["step"]: entry["state"] for entry in read_journal(root) if "step" in entry}
        return (self.out / "manifest.json").exists() and entries.get(self.name) == self.state()


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _manifest(folder: Path) -> bytes:
    return (folder / "manifest.json").read_bytes()


def _listing(folder: Path) -> str:
    """A hash of names, sizes and times of the files below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else [folder]
    facts = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files if path.exists()]
    return hash_json(facts)


def _named(value: Any, known: Path | None = None) -> set[Path]:
    """Files and folders that arguments name, other than those below a known folder, and the code of user's classes."""
    if isinstance(value, Mapping):
        own = _code(str(value.get("class_path", "")))
        return own.union(*(_named(item, known) for item in value.values()))
    if isinstance(value, (list, tuple)):
        return set().union(*(_named(item, known) for item in value))
    if not isinstance(value, (str, Path)) or not re.search(r"[/.]", str(value)):
        return set()  # a word, even if a folder is called so
    path = Path(value)
    return {path} if path.exists() and known not in (path, *path.parents) else set()


def _code(class_path: str) -> set[Path]:
    """The file of a class, unless it is the kit's."""
    module = class_path.rpartition(".")[0]
    try:
        spec = importlib.util.find_spec(module) if module and not module.startswith("astroclip_kit.") else None
    except (ImportError, ValueError):  # the verb says what is wrong with it
        return set()
    return {Path(spec.origin)} if spec is not None and spec.origin and Path(spec.origin).is_file() else set()


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
    """The training with the split of its fold, by what the configuration says, or else its own section."""
    split = step.arguments["split"]
    split = replace(split, by=configuration.by or split.by)
    if fold is not None:
        split = replace(split, folds=configuration.folds, fold=fold)
    return replace(step, arguments={**step.arguments, "split": split})


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
    run_steps(steps, root, configuration.text)
    return _outcome(configuration, root, [step for step in steps if step.verb == "evaluate"], steps[-1])


def run_steps(steps: Sequence[Step], root: Path, text: str) -> None:
    """Runs the steps that are not done yet.

    Args:
        steps: In order.
        root: Folder of the run; gets ``config.yaml`` and ``journal.jsonl``.
        text: The resolved configuration.

    Raises:
        UsageError: If the root holds something else.
    """
    if root.is_file() or (root.is_dir() and any(root.iterdir()) and not (root / "config.yaml").exists()):
        raise UsageError(f"{root} is a file, or a folder that holds no run. Choose another folder with --out.")
    publish(root / "config.yaml", lambda path: path.write_text(text))
    for number, step in enumerate(steps, start=1):
        done = step.finished(root)
        print(f"[{number}/{len(steps)}] {step.name}{' (done before)' if done else ''} -> {step.out}", file=sys.stderr)
        if not done:
            _begin(step, root)
            step.run()
            append_journal(root, {"step": step.name, "state": step.state()})


def _begin(step: Step, root: Path) -> None:
    """Notes that a step begins; what an interrupted training left is deleted if it was one of another state."""
    from ..training import training_folder

    begun = {entry["begun"]: entry["state"] for entry in read_journal(root) if "begun" in entry}
    state = step.state()
    if step.verb in ("align", "pretrain") and begun.get(step.name) != state:
        shutil.rmtree(training_folder(step.out), ignore_errors=True)
    append_journal(root, {"begun": step.name, "state": state})


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
    then = f"astroclip-kit search {space} --object-id {_some_id(space)}"
    if not configuration.folds:
        return outcome(first.out, folds[0], then)
    return write_results(root / "results", combine(folds), _figures(first, root), configuration.text, then)


def _some_id(space: Path) -> str:
    from ..embeddings import EmbeddingStore

    return str(EmbeddingStore(space).object_ids[0])


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
