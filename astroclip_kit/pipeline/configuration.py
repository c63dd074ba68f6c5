"""A configuration: what to read, one seed, and one section per verb.

Each section holds exactly the arguments of the verb's function in `pipeline`, but for the folders that the
run wires itself (`WIRED`). The file is checked whole, before anything runs; so is every ``--set``.
"""

from __future__ import annotations

import inspect
import re
from argparse import ArgumentError
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from ..arguments import explain, unknown_key
from ..errors import UsageError
from .steps import STEPS, signature_of

__all__ = ["Configuration", "change_value", "load_configuration", "read_configuration", "resolve_configuration"]

SECTIONS = tuple(STEPS)
WIRED: dict[str, set[str | int]] = {
    "simulate": {"out"},
    "ingest": {"out"},
    "extract": {"data", "out"},
    "align": {"data", "out"},
    "embed": {"model", "data", "out"},
    "evaluate": {"embeddings", "features", "dataset", "model", "out"},
    "classify": {"data", "out"},
}
SAME_FOLDERS = ("align", "evaluate")  # sections that write what classify writes, unless it fine-tunes what align wrote


@dataclass(frozen=True)
class Configuration:
    """One experiment.

    Args:
        name: Of the experiment: the file's name without its ending.
        data: Where the survey files are, or where ``simulate`` puts them; "" where ``ingest`` names them itself.
        seed: Of everything that is drawn, unless a section says otherwise.
        folds: Number of folds of a cross-validation; 0 for one split.
        by: What the split or the folds keep together: "group", "object_id" or a label; "" for what ``align.split.by``
            says.
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
    return resolve_configuration(read_configuration(Path(path)), Path(path), overrides)


def resolve_configuration(content: dict[str, Any], path: Path, overrides: Sequence[str] = ()) -> Configuration:
    """Checks the content of a configuration file and fills in what it leaves out.

    Args:
        content: What `read_configuration` gave; it is changed by the overrides.
        path: The file, for messages and for the name.
        overrides: ``section.argument=value``, each checked like the file.

    Raises:
        UsageError: If a key or a value is wrong; says which.
    """
    import yaml

    for override in overrides:
        change_value(content, override)
    sections = [verb for verb in SECTIONS if verb in content]
    parser = _parser(sections)
    if problem := _problem(content, parser):
        raise UsageError(f"{path}: {problem}")
    try:
        namespace = parser.parse_object(deepcopy(content))
        values = parser.instantiate_classes(namespace)
        text = parser.dump(namespace, skip_none=True)
    except (ArgumentError, TypeError, ValueError) as error:
        raise UsageError(f"{path}: {explain(error, parser)}. astroclip-kit VERB --help explains a section.") from error
    _check(values, path)
    words = {"data": values.data, "seed": values.seed}
    filled = {verb: _fill(vars(values[verb]) | _written(content[verb], vars(values[verb])), words) for verb in sections}
    resolved = yaml.safe_load(text)
    for verb, argument, path_to_it in _unsaid_seeds(content):
        filled[verb][argument] = _seeded(filled[verb][argument], path_to_it, values.seed)
        holder = resolved[verb]
        for name in (argument, *path_to_it)[:-1]:
            holder = holder[name]
        holder.pop("seed", None)
    if "evaluate" in sections:  # what the protocol says, whatever the file leaves open
        resolved["evaluate"]["settings"] |= filled["evaluate"]["settings"].neighbours
    text = yaml.safe_dump(resolved, sort_keys=False, allow_unicode=True)
    return Configuration(path.stem, values.data, values.seed, values.folds, values.by, filled, text)


def read_configuration(path: Path) -> dict[str, Any]:
    """The content of a configuration file, not checked yet; an empty section is one without arguments.

    Raises:
        UsageError: If the file is missing, not YAML, or has a key twice.
    """
    import yaml

    if not path.is_file():
        raise UsageError(f"{path}: no such configuration file.")
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        place = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise UsageError(f"{path}: not a YAML file ({place}{error.problem}).") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a YAML file ({' '.join(str(error).split())}).") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path}: expected the key 'data' and sections such as {', '.join(SECTIONS)}.")
    keys = re.findall(r"^([\w-]+)[ \t]*:", text, re.MULTILINE)
    if twice := [key for key in content if keys.count(str(key)) > 1]:
        raise UsageError(f"{path}: the key {twice[0]!r} is there twice. Bring both together.")
    return {key: {} if value is None and key in SECTIONS else _unshared(value) for key, value in content.items()}


def _unshared(value: Any) -> Any:
    """A copy in which what the file says once (an anchor) and uses twice is there twice: each can be changed alone."""
    if isinstance(value, dict):
        return {key: _unshared(item) for key, item in value.items()}
    return [_unshared(item) for item in value] if isinstance(value, list) else value


def change_value(content: dict[str, Any], override: str) -> None:
    """Sets one value of the content of a configuration.

    Args:
        content: The content, which is changed.
        override: ``section.argument=value``.

    Raises:
        UsageError: If it is of another form, or there is no such section.
    """
    import yaml

    key, equals, text = override.partition("=")
    if not equals or not re.fullmatch(r"[\w-]+(\.[\w-]+)*", key):
        raise UsageError(f"--set {override}: expected KEY=VALUE, for example align.training.epochs=20.")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"--set {override}: the value is not YAML. Put it in quotes.") from error
    *folders, name = key.split(".")
    if folders and folders[0] in SECTIONS and folders[0] not in content:
        raise UsageError(f"--set {override}: the file has no section {folders[0]!r}.")
    for folder in folders:
        if name == "class_path" and folder == folders[-1] and isinstance(content.get(folder), str):
            content[folder] = {}  # a part in the place of the folder of one
        if not isinstance(content.setdefault(folder, {}), dict):
            place, inside, _ = key.partition(".init_args")
            way = f" Another part is '{place}={{class_path: ..., init_args: {{...}}}}', in quotes." if inside else ""
            raise UsageError(f"--set {override}: {folder!r} holds {content[folder]!r} and takes no {name!r}.{way}")
        content = content[folder]
    content[name] = text if value is None or key == "data" else value


def _problem(content: Mapping[str, Any], parser: Any) -> str:
    """What is wrong with the keys, or nothing."""
    known = ("data", "seed", "folds", "by", *SECTIONS)
    if unknown := [str(key) for key in content if key not in known]:
        return problem if (problem := unknown_key({unknown[0]: {}}, parser, known)) else ""
    if not content.get("data") and ("data" in content or not _names_its_files(content)):
        return f"expected the key 'data', the folder of the survey files, and sections such as {', '.join(SECTIONS)}."
    if not any(verb in content for verb in SECTIONS):
        return f"there is nothing to run. Add a section: {', '.join(SECTIONS)}."
    if (clashing := [verb for verb in SAME_FOLDERS if verb in content]) and "classify" in content:
        if "align" not in content or not _fine_tunes(content["classify"]):
            return f"sections {clashing[0]!r} and 'classify' write the same folders. Put them into two files."
    for verb in SECTIONS:
        section = content.get(verb)
        if isinstance(section, Mapping) and (wired := [key for key in section if key in WIRED[verb]]):
            return f"{verb}.{wired[0]} is set by the run itself. Leave it out."
    return unknown_key(content, parser)


def _fine_tunes(section: Any) -> bool:
    """Whether the classifier is one that may begin with an aligned model."""
    settings = section.get("classification") if isinstance(section, Mapping) else None
    return isinstance(settings, Mapping) and settings.get("stages") == "fine_tuned"


def _names_its_files(content: Mapping[str, Any]) -> bool:
    """Whether the survey files are given in full in the section of the verb that reads them."""
    return bool(content.get("ingest")) and "simulate" not in content and "${data}" not in str(content)


def _check(values: Any, path: Path) -> None:
    """Refuses numbers that would be found wrong only after hours."""
    if values.seed < 0:
        raise UsageError(f"{path}: seed is {values.seed}, expected 0 or more.")
    if values.folds < 0 or values.folds == 1:
        raise UsageError(f"{path}: folds is {values.folds}, expected 0 (a single split) or at least 2.")


def _parser(sections: Sequence[str]) -> Any:
    from jsonargparse import ArgumentParser

    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--data", type=str, default="")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--by", type=str, default="")
    for verb in sections:
        parser.add_function_arguments(signature_of(STEPS[verb]), nested_key=verb, skip=WIRED[verb])
    return parser


def _written(section: Mapping[str, Any], built: Mapping[str, Any]) -> dict[str, Any]:
    """The parts as the file has them: what they are made of is not built before its verb runs, and can be hashed."""
    return {name: _unbuilt(value, section[name]) for name, value in built.items() if section.get(name)}


def _unbuilt(built: Any, written: Any) -> Any:
    """An argument with its mappings, and those of settings inside it, as they are written."""
    if isinstance(built, dict):
        return written
    if not (is_dataclass(built) and isinstance(written, Mapping)):
        return built
    known = [one.name for one in fields(built) if one.name in written]
    return replace(built, **{name: _unbuilt(getattr(built, name), written[name]) for name in known})  # type: ignore[type-var]


def _fill(value: Any, words: Mapping[str, Any]) -> Any:
    """The value with ``${name}`` replaced in every text inside it."""
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda match: str(words.get(match[1], match[0])), value)
    if isinstance(value, Mapping):
        return {key: _fill(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, words) for item in value]
    return value


def _unsaid_seeds(content: Mapping[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Section, argument, and where in it the seed is, wherever the file leaves the seed to the run."""
    return [
        (verb, name, found)
        for verb in SECTIONS
        if verb in content
        for name, parameter in inspect.signature(STEPS[verb]).parameters.items()
        for found in ([()] if name == "seed" else _seeds_in(parameter.default))
        if not _is_said(content[verb], (name, *found))
    ]


def _seeds_in(settings: Any) -> Iterator[tuple[str, ...]]:
    """Where settings, and those inside them, have a seed."""
    for one in fields(settings) if is_dataclass(settings) else ():
        if one.name == "seed":
            yield ("seed",)
        else:
            yield from ((one.name, *rest) for rest in _seeds_in(getattr(settings, one.name)))


def _is_said(section: Any, path: Sequence[str]) -> bool:
    """Whether a section names what is at this place in it."""
    for name in path:
        if not isinstance(section, Mapping) or name not in section:
            return False
        section = section[name]
    return True


def _seeded(value: Any, path: Sequence[str], seed: int) -> Any:
    """The value with the seed at this place in it."""
    if not path:
        return seed
    return replace(value, **{path[0]: _seeded(getattr(value, path[0]), path[1:], seed)})
