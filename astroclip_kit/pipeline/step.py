"""One call of one verb, done once: a run killed at any moment goes on with the step that it was at.

Each finished step is noted in the journal of the run's folder with a hash of its arguments and of what it read. A
step whose hash is unchanged and whose folder is whole is skipped.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..storage import append_journal, hash_json, hash_text, publish, read_journal

__all__ = ["Step", "run_steps"]


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
        function = getattr(importlib.import_module(__package__), self.verb)
        return function(**self.inputs, **{**self.arguments, **own}, out=self.out)

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
    there = os.path.exists(path)  # False for a text too long for a name, where Path raises
    return {path} if there and known not in (path, *path.parents) else set()


def _code(class_path: str) -> set[Path]:
    """The file of a class, unless it is the kit's."""
    module = class_path.rpartition(".")[0]
    try:
        spec = importlib.util.find_spec(module) if module and not module.startswith("astroclip_kit.") else None
    except (ImportError, ValueError):  # the verb says what is wrong with it
        return set()
    return {Path(spec.origin)} if spec is not None and spec.origin and Path(spec.origin).is_file() else set()


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
    """Notes that a step begins; what an interrupted training left is deleted if it was one of another state.

    A classifier, and a stage of a recipe that makes one, trains its parts in folders beside its own.
    """
    from ..training import training_folder

    begun = {entry["begun"]: entry["state"] for entry in read_journal(root) if "begun" in entry}
    state = step.state()
    if begun.get(step.name) != state:
        several = step.out.parent.rglob(".*.training") if step.verb in ("classify", "stage") else ()
        for left in (training_folder(step.out), *several):
            shutil.rmtree(left, ignore_errors=True)
    append_journal(root, {"begun": step.name, "state": state})
