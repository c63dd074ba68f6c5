"""A configuration: what to read, one seed, and one section per verb.

Each section holds exactly the arguments of the verb's function in `pipeline`, but for the folders that the
run wires itself (`WIRED`). The file is checked whole, before anything runs; so is every ``--set``.
"""

from __future__ import annotations

import inspect
import re
from argparse import ArgumentError
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import pipeline
from .errors import UsageError

__all__ = ["Configuration", "load_configuration"]

SECTIONS = ("simulate", "ingest", "extract", "align", "embed", "evaluate")
WIRED: dict[str, set[str | int]] = {
    "simulate": {"out"},
    "ingest": {"out"},
    "extract": {"data", "out"},
    "align": {"data", "out"},
    "embed": {"model", "data", "out"},
    "evaluate": {"embeddings", "features", "dataset", "model", "out"},
}


@dataclass(frozen=True)
class Configuration:
    """One experiment.

    Args:
        name: Of the experiment: the file's name without its ending.
        data: Where the survey files are, or where ``simulate`` puts them.
        seed: Of everything that is drawn, unless a section says otherwise.
        folds: Number of folds of a cross-validation; 0 for one split.
        by: What the folds keep together: "group", "object_id" or a label.
        sections: Verb to the arguments of its function, all of them, in the order in which they run.
        text: The resolved file, to be kept beside the results.
    """

    name: str
    data: str
    seed: int
    folds: int
    by: str
    sections: Mapping[str, Mapping[str, Any]]
    text: str


def load_configuration(path: str | Path, overrides: Sequence[str] = ()) -> Configuration:
    """Reads and checks a configuration file.

    Args:
        path: A YAML file.
        overrides: ``section.argument=value``, each checked like the file.

    Returns:
        The configuration with all defaults filled in; ``${data}`` and ``${seed}`` are replaced.

    Raises:
        UsageError: If the file is missing or not YAML, or a key or a value is wrong; says which.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"{path}: no such configuration file.")
    sections = _sections(path)
    parser = _parser(sections)
    try:
        namespace = parser.parse_args([f"--config={path}", *(f"--{_checked(override)}" for override in overrides)])
        values = parser.instantiate_classes(namespace)
        text = parser.dump(namespace, skip_none=True)
    except (ArgumentError, TypeError, ValueError) as error:
        message = re.sub(r"\s+", " ", str(error)).rstrip(". ")
        raise UsageError(
            f"{path}: {message}. A section takes the arguments of its verb: astroclip-kit VERB --help."
        ) from error
    words = {"data": values.data, "seed": values.seed}
    filled = {verb: _seeded(verb, _fill(vars(values[verb]), words), values.seed) for verb in sections}
    return Configuration(path.stem, values.data, values.seed, values.folds, values.by, filled, text)


def _sections(path: Path) -> list[str]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a YAML file ({re.sub(chr(10), ' ', str(error))}).") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path}: expected the key 'data' and sections such as {', '.join(SECTIONS)}.")
    unknown = set(content) - {"data", "seed", "folds", "by", *SECTIONS}
    if unknown:
        raise UsageError(
            f"{path}: unknown key {sorted(unknown)[0]!r}. Known: data, seed, folds, by, {', '.join(SECTIONS)}."
        )
    return [verb for verb in SECTIONS if verb in content]


def _parser(sections: Sequence[str]) -> Any:
    from jsonargparse import ArgumentParser

    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--config", action="config")
    parser.add_argument("--data", type=str, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--by", type=str, default="group")
    for verb in sections:
        parser.add_function_arguments(pipeline.signature_of(verb), nested_key=verb, skip=WIRED[verb])
    return parser


def _checked(override: str) -> str:
    key, equals, _ = override.partition("=")
    if not equals or not re.fullmatch(r"[\w.]+", key):
        raise UsageError(f"--set {override}: expected KEY=VALUE, for example align.training.epochs=20.")
    return override


def _fill(value: Any, words: Mapping[str, Any]) -> Any:
    """The value with ``${name}`` replaced in every text inside it."""
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda match: str(words.get(match[1], match[0])), value)
    if isinstance(value, Mapping):
        return {key: _fill(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, words) for item in value]
    return value


def _seeded(verb: str, arguments: dict[str, Any], seed: int) -> dict[str, Any]:
    """The arguments with the run's seed wherever the section leaves the seed at its default."""
    for name, parameter in inspect.signature(getattr(pipeline, verb)).parameters.items():
        value = arguments.get(name)
        if name == "seed" and value == parameter.default:
            arguments[name] = seed
        elif getattr(value, "seed", None) == getattr(parameter.default, "seed", object()):
            arguments[name] = replace(value, seed=seed)  # type: ignore[type-var]
    return arguments
