"""What a configuration describes, changed: parts with other arguments, and sections with other values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["class_name", "merged", "with_arguments"]


def merged(content: dict[str, Any], smaller: Mapping[str, Any], head: str = "") -> Iterator[str]:
    """Puts values of one configuration into another, and says of each what it was."""
    for key, value in smaller.items():
        told = f"not {content[key]}" if key in content else "not the default"
        if isinstance(value, Mapping) and isinstance(old := content.setdefault(key, {}), dict):
            yield from merged(old, value, f"{head}{key}.")
        elif content.get(key) != value:
            content[key] = value
            yield f"{head}{key}: {value}, {told}"


def with_arguments(part: Any, **arguments: Any) -> Any:
    """A part with other arguments; None leaves one out."""
    if not isinstance(part, dict):
        return part
    known = {**(part.get("init_args") or {}), **arguments}
    return {**part, "init_args": {name: value for name, value in known.items() if value is not None}}


def class_name(part: Any) -> str:
    """The class of a part without its module; a folder as it is."""
    return str(part.get("class_path", part)).rpartition(".")[2] if isinstance(part, Mapping) else str(part)
