"""Public names that are imported when they are first used, so that ``import astroclip_kit`` is instant."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["lazy"]


def lazy(package: str, names: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """The three attributes that make a package's names lazy.

    Args:
        package: The package's ``__name__``.
        names: Public name to the module that defines it, relative to the package (".knn").

    Returns:
        ``__getattr__``, ``__dir__`` and ``__all__`` for the package.
    """

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(names[name], package), name)
        setattr(sys.modules[package], name, value)
        return value

    return get, lambda: sorted(names), sorted(names)
