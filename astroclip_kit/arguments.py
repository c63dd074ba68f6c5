"""Says what is wrong with an argument in the words of who wrote it, not in those of the parser."""

from __future__ import annotations

import difflib
import json
import re
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["explain", "gathered", "like", "unknown_key"]

WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list such as [a, b]",
    dict: "a mapping such as {name: value}",
}
SAME = {"format": "to"}  # what one may call an option, and what it is called
PARTS = "a mapping of names to {class_path: ..., init_args: {...}}"


def explain(error: Exception, parser: Any) -> str:
    """What is wrong with one value: the argument, what was expected, what was found.

    Args:
        error: What the parser raised.
        parser: The parser; knows the type of each argument.

    Returns:
        One sentence without its full stop; the parser's own words where it is not about a value.
    """
    text = re.sub(r"\s+", " ", str(error)).rstrip(". ")
    key = re.search(r'key "([\w.]+)"', text)
    hints = {action.dest: getattr(action, "_typehint", None) for action in parser._actions}
    if key is None or hints.get(key[1]) is None:
        return text
    found = re.search(r"(?:Got|Given) value: ?(.*?)(?= - Expected|$)", text)
    shown = f", found {found[1]!r}" if found else ""
    return f"{key[1]}: expected {_words(hints[key[1]])}{shown}"


def gathered(words: Iterable[str], names: Iterable[str]) -> list[str]:
    """Words in which a part that several of them describe is one mapping.

    Args:
        words: Of a command line.
        names: Arguments that map names to parts.

    Example:
        >>> gathered(["--encoders.image.class_path", "a.B", "--encoders.image.init_args.crop=64"], ["encoders"])
        ['--encoders.image={"class_path": "a.B", "init_args": {"crop": 64}}']
    """
    of = re.compile(rf"--((?:{'|'.join(names)})\.[^.=]+)\.(class_path|init_args)(?:\.(\w+))?(?:=(.*))?", re.DOTALL)
    rest, parts, stream = [], dict[str, dict[str, Any]](), iter(words)
    for word in stream:
        if not (match := of.fullmatch(word)):
            rest.append(word)
            continue
        text = next(stream, "") if match[4] is None else match[4]
        part = parts.setdefault(match[1], {})
        if match[3]:
            part.setdefault("init_args", {})[match[3]] = _value(text)
        else:
            part[match[2]] = _value(text)
    return [*rest, *(f"--{name}={json.dumps(part)}" for name, part in parts.items())]


def _value(text: str) -> Any:
    """The number, list, mapping, true or false that a text is, or itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _words(hint: Any) -> str:
    """A type as a reader would say it."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return f"one of {', '.join(map(str, inner))}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_words(one) for one in inner if one is not type(None)))
    if origin is dict and typing.get_origin(inner[1]) is dict:
        return PARTS
    if origin is dict and str in typing.get_args(inner[1]):
        return f"{PARTS} or to an encoder folder"
    return WORDS.get(origin or hint, "a text")


def like(word: str, known: Iterable[str], prefix: str = "") -> str:
    """``" Did you mean 'x'?"`` where something known resembles the word, or means the same, else nothing."""
    known = list(known)
    near = [one for one in known if one == SAME.get(word)] or difflib.get_close_matches(word, known, 1, 0.6)
    return f" Did you mean {prefix + near[0]!r}?" if near else ""


def unknown_key(content: Mapping[str, Any], parser: Any, also: Iterable[str] = ()) -> str:
    """The first key of a configuration that the parser does not know, or that has no value.

    Args:
        content: The configuration.
        parser: The parser; its arguments are called ``section.argument``.
        also: Further keys that are known.

    Returns:
        One or two sentences, or "" if all is well.
    """
    defaults = {action.dest: action.default for action in parser._actions if action.dest != "help"}
    return _unknown(content, "", {**dict.fromkeys(also), **defaults})


def _unknown(content: Mapping[str, Any], prefix: str, defaults: Mapping[str, Any]) -> str:
    for name, value in content.items():
        key = f"{prefix}{name}"
        inner = _next(defaults, f"{key}.")
        if key not in defaults and not inner:
            here, full = (
                _next(defaults, prefix),
                {one.split(".")[-1]: one for one in defaults if one.startswith(prefix)},
            )
            hint = like(str(name), here) or (f" Did you mean {full[str(name)]!r}?" if str(name) in full else "")
            return f"unknown key {key!r}.{hint} Known: {', '.join(here)}."
        if inner and not isinstance(value, Mapping):
            return f"{key}: expected a mapping with any of {', '.join(inner)}, found {value!r}."
        if inner and (problem := _unknown(value, f"{key}.", defaults)):
            return problem
        if value is None and defaults[key] is not None:
            return f"{key} has no value. Leave the line out for the default, {defaults[key]!r}."
    return ""


def _next(keys: Iterable[str], prefix: str) -> list[str]:
    """The names that follow a prefix."""
    return list(dict.fromkeys(key[len(prefix) :].split(".")[0] for key in keys if key.startswith(prefix)))
