"""What a configuration describes, changed: parts with other arguments, and sections with other values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

__all__ = ["class_name", "defaults_of", "merged", "with_arguments"]

UNKNOWN = "the default"


def merged(
    content: dict[str, Any], smaller: Mapping[str, Any], head: str = "", defaults: Mapping[str, Any] | None = None
) -> Iterator[tuple[str, Any, Any]]:
    """Puts values of one configuration into another, and gives each key with the value and what it was.

    Args:
        content: Is changed.
        smaller: The other values.
        head: What precedes each name.
        defaults: Of what the content leaves out; those of a class that it names are known.
    """
    for key, value in smaller.items():
        default = (defaults or {}).get(key, UNKNOWN)
        if isinstance(value, Mapping) and isinstance(old := content.setdefault(key, {}), dict):
            known = _of_class(content) if key == "init_args" else default
            yield from merged(old, value, f"{head}{key}.", known if isinstance(known, Mapping) else None)
        elif (was := content.get(key, default)) != value:
            content[key] = value
            yield f"{head}{key}", value, was


def defaults_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Argument to default, of settings as a mapping."""
    known = {name: one.default for name, one in inspect.signature(function).parameters.items()}
    return {name: _plain(one) for name, one in known.items() if one is not inspect.Parameter.empty}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return list(value) if isinstance(value, tuple) else value


def _of_class(described: Mapping[str, Any]) -> dict[str, Any]:
    """Defaults of the class that a part names."""
    from ..models import build

    if not (path := described.get("class_path")):
        return {}
    return defaults_of(build({"function": path}, trusted=True))


def with_arguments(part: Any, **arguments: Any) -> Any:
    """A part with other arguments; None leaves one out."""
    if not isinstance(part, dict):
        return part
    known = {**(part.get("init_args") or {}), **arguments}
    return {**part, "init_args": {name: value for name, value in known.items() if value is not None}}


def class_name(part: Any) -> str:
    """The class of a part without its module; a folder as it is."""
    return str(part.get("class_path", part)).rpartition(".")[2] if isinstance(part, Mapping) else str(part)
