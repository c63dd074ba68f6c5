"""Runs a configuration: a loop over its sections, and a fold loop around those that learn.

Each finished step is noted in the run's journal with a hash of its arguments and of what it read. A step
whose hash is unchanged and whose folder is whole is skipped, so an interrupted run goes on where it stopped
and a changed one repeats only what the change touches.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any

from . import pipeline
from .configuration import Configuration
from .errors import UsageError
from .storage import append_journal, hash_json, hash_text, publish, read_journal

__all__ = ["run_configuration"]

FOLDERS = {
    "simulate": "survey",
    "ingest": "data",
    "extract": "features",
    "align": "model",
    "embed": "embeddings",
    "evaluate": "results",
}


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
    """

    verb: str
    name: str
    out: Path
    inputs: Mapping[str, Path]
    arguments: Mapping[str, Any]
    raw: Path | None = None

    def run(self) -> Any:
        """Calls the verb."""
        return getattr(pipeline, self.verb)(**self.inputs, **self.arguments, out=self.out)

    def state(self) -> str:
        """A hash of everything that the result depends on."""
        read = [hash_text(_manifest(path)) for path in self.inputs.values()]
        arguments = {key: _plain(value) for key, value in self.arguments.items()}
        return hash_json([self.verb, arguments, read, _listing(self.raw) if self.raw else ""])

    def finished(self, root: Path) -> bool:
        """Whether the journal knows this very step and its folder is whole."""
        entries = {entry["step"]: entry["state"] for entry in read_journal(root)}
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


def plan(configuration: Configuration, root: Path) -> Iterator[Step]:
    """The steps of a run, in order.

    Args:
        configuration: What to run.
        root: Folder of the run.
    """
    folds = range(configuration.folds) if configuration.folds else [None]
    folders: dict[str, Path] = {}
    for verb in ("simulate", "ingest", "extract"):
        if verb in configuration.sections:
            folders[verb] = Path(configuration.data) if verb == "simulate" else root / FOLDERS[verb]
            yield _step(configuration, verb, verb, folders)
    for fold in folds:
        prefix = "" if fold is None else f"fold-{fold}/"
        for verb in ("align", "embed", "evaluate"):
            if verb in configuration.sections:
                folders[verb] = root / prefix / FOLDERS[verb]
                step = _step(configuration, verb, prefix + verb, folders)
                yield step if fold is None or verb != "align" else _of_fold(step, configuration, fold)


def _step(configuration: Configuration, verb: str, name: str, folders: Mapping[str, Path]) -> Step:
    dataset, features = folders.get("ingest"), folders.get("extract")
    readable = {"data": features or dataset, "dataset": dataset, "features": features}
    readable |= {"model": folders.get("align"), "embeddings": folders.get("embed")}
    wanted = {
        "extract": ("data",),
        "align": ("data",),
        "embed": ("model", "data"),
        "evaluate": ("embeddings", "features", "dataset", "model"),
    }.get(verb, ())
    inputs = {key: dataset if verb == "extract" else readable[key] for key in wanted}
    missing = [key for key in wanted if inputs[key] is None and not (verb == "evaluate" and key == "features")]
    if missing:
        raise UsageError(f"section {verb!r} needs a {missing[0]}: add the section that writes it.")
    found = {key: path for key, path in inputs.items() if path is not None}
    raw = Path(configuration.data) if verb == "ingest" else None
    return Step(verb, name, folders[verb], found, configuration.sections[verb], raw)


def _of_fold(step: Step, configuration: Configuration, fold: int) -> Step:
    split = replace(step.arguments["split"], folds=configuration.folds, fold=fold, by=configuration.by)
    return replace(step, arguments={**step.arguments, "split": split})


def run_configuration(configuration: Configuration, root: Path) -> list[Path]:
    """Runs what is not done yet.

    Args:
        configuration: What to run.
        root: Folder of the run; gets one folder per step, ``config.yaml`` and ``journal.jsonl``.

    Returns:
        The results folder of every fold, in order.

    Raises:
        UsageError: If a section lacks what it reads, or the root holds something else.
    """
    if root.exists() and any(root.iterdir()) and not (root / "config.yaml").exists():
        raise UsageError(f"{root} is not empty and holds no run. Choose another folder with --out.")
    steps = plan(configuration, root)
    publish(root / "config.yaml", lambda path: path.write_text(configuration.text))
    results = []
    for step in steps:
        if not step.finished(root):
            if (step.out / "manifest.json").exists() and step.verb in ("ingest", "align"):
                shutil.rmtree(step.out)  # written by an earlier configuration of this run
            print(f"{step.name} -> {step.out}", flush=True)
            step.run()
            append_journal(root, {"step": step.name, "state": step.state()})
        if step.verb == "evaluate":
            results.append(step.out)
    return results
