"""Reads the pickle of a checkpoint without running any of it.

A pickle says which functions to call. Here every name in it that is neither one of torch's ways to rebuild a tensor nor
a plain container becomes an `Inert`, which only remembers what the file says of it.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator, Mapping
from typing import Any

import torch

__all__ = ["Inert", "InertReader"]

ALLOWED = {  # calling these rebuilds a tensor or a plain container, and nothing else
    ("__builtin__", "set"),
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("collections", "OrderedDict"),
    ("torch", "Size"),
    ("torch", "UntypedStorage"),
    ("torch.storage", "UntypedStorage"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch._utils", "_rebuild_tensor"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_tensor_v3"),
}
NUMPY = ("numpy.core.multiarray.", "numpy._core.multiarray.", "numpy.dtype", "numpy.ndarray")


class Inert:
    """What stands for an object whose class is not run: its name and all that the file says of it."""

    path = ""

    def __new__(cls, *arguments: Any, **named: Any) -> Inert:
        """Keeps the arguments of what would have been a call."""
        one = super().__new__(cls)
        one.arguments, one.state, one.entries, one.tensor = [*arguments, *named.values()], None, {}, None
        return one

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.arguments: list[Any]
        self.state: Any
        self.entries: dict[Any, Any]
        self.tensor: torch.Tensor | None  # what it is, where that was found out

    def __call__(self, *arguments: Any, **named: Any) -> Inert:
        """Stands for the result of what would have been a call."""
        return type(self)(*arguments, **named)

    def __setstate__(self, state: Any) -> None:
        """Keeps the attributes."""
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.entries[key] = value

    def append(self, value: Any) -> None:
        """Keeps an item of what would have been a list or a set."""
        self.entries[len(self.entries)] = value

    add = append

    def extend(self, values: Any) -> None:
        """Keeps several items."""
        for value in values:
            self.append(value)

    def items(self) -> Iterator[tuple[Any, Any]]:
        """All that is known of the object, by name or number."""
        for state in self.state if isinstance(self.state, tuple) else (self.state,):
            yield from state.items() if isinstance(state, Mapping) else ()
        yield from self.entries.items()
        yield from enumerate(self.arguments)


def _encode(text: str, encoding: str) -> bytes:
    """How protocol 2 writes bytes."""
    return text.encode("latin1")


class InertReader:
    """What torch takes for the module pickle: reads pickles in which unknown names become `Inert`."""

    __name__ = "inert"

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.known: dict[str, type[Inert]] = {}
        reader = self

        class Unpickler(pickle.Unpickler):
            def find_class(self, module: str, name: str) -> Any:
                if (module, name) in ALLOWED:
                    return super().find_class(module, name)
                return reader.find(module, name)

        self.Unpickler = Unpickler

    def find(self, module: str, name: str) -> Any:
        """What a name stands for that is not allowed as it is."""
        path = f"{module}.{name}"
        if path == "_codecs.encode":
            return _encode
        if path == "torch.storage._load_from_bytes":
            return lambda content: self.read(io.BytesIO(content))
        if module == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
            return getattr(torch, name)
        if not path.startswith(NUMPY):
            self.names.add(path)
        return self.known.setdefault(path, type("Inert", (Inert,), {"path": path}))

    def load(self, file: Any, **more: Any) -> Any:
        """One pickle, as `pickle.load`."""
        return self.Unpickler(file, **more).load()

    def read(self, file: Any) -> Any:
        """What a file of `torch.save` or `pickle.dump` holds."""
        try:
            # Not weights_only, as that refuses what this is for; this reader has nothing to call.
            return torch.load(file, "cpu", self, weights_only=False)
        except RuntimeError as error:
            if "Invalid magic number" not in str(error):
                raise
            file.seek(0)
            return self.load(file)
