"""Takes the tensors out of a pickled checkpoint without running any of it: the process that `conversion` starts.

A pickle says which functions to call. Here every name in it that is neither one of torch's ways to rebuild a tensor nor
a plain container becomes an `Inert`, which only remembers what the file says of it. Around that, should the unpickler
itself have a fault: no network, no other program, no file opened for writing. Nothing large is imported at the top,
because the network can be left only by a process of one thread.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["Inert", "main", "plain_values", "read_inert", "tensors_in"]

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
MODULE_PARTS = ("_parameters", "_buffers", "_modules")  # where a pickled module keeps its tensors
FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "pty.",
    "shutil.",
)
LARGEST_NUMBER = 8  # bytes: torch has no longer ones
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000  # flags of unshare(2)


class Inert:
    """What stands for an object whose class is not run: its name and all that the file says of it."""

    path = ""

    def __new__(cls, *arguments: Any, **named: Any) -> Inert:
        """Keeps the arguments of what would have been a call."""
        one = super().__new__(cls)
        one.arguments, one.state, one.entries = [*arguments, *named.values()], None, {}
        return one

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.arguments: list[Any]
        self.state: Any
        self.entries: dict[Any, Any]

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


def _unpickler(names: set[str]) -> type[pickle.Unpickler]:
    import torch

    known: dict[str, type[Inert]] = {}

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            path = f"{module}.{name}"
            if (module, name) == ("_codecs", "encode"):
                return _encode
            if (module, name) in ALLOWED:
                return super().find_class(module, name)
            if module == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
                return getattr(torch, name)
            if not path.startswith(NUMPY):
                names.add(path)
            return known.setdefault(path, type("Inert", (Inert,), {"path": path}))

    return Unpickler


def read_inert(path: str) -> tuple[Any, list[str]]:
    """What a file of `torch.save` or `pickle.dump` holds, with `Inert` objects where it names what is not allowed.

    Returns:
        The content, and the names of what was not run.
    """
    import torch

    names: set[str] = set()
    unpickler = _unpickler(names)

    def load(file: Any, **more: Any) -> Any:
        return unpickler(file, **more).load()

    def no_program(*_: Any, **__: Any) -> None:
        raise ValueError("it is a TorchScript program: save the state_dict() of its module instead")

    torch.jit.load = no_program
    reader = SimpleNamespace(__name__="inert", Unpickler=unpickler, load=load)
    with open(path, "rb") as file:
        try:
            # Not weights_only, as that refuses what this is for; the reader has no way to call anything.
            content = torch.load(file, "cpu", reader, weights_only=False)
        except RuntimeError as error:
            if "Invalid magic number" not in str(error):
                raise
            file.seek(0)
            content = load(file)
    return content, sorted(names)


def tensors_in(content: Any) -> dict[str, torch.Tensor]:
    """Every tensor and array of numbers, by the names on the way to it, joined by dots."""
    found: dict[str, torch.Tensor] = {}
    for path, tensor in _walk(content, (), set()):
        name = ".".join(path) or "tensor"
        while name in found:
            name += "'"
        found[name] = tensor
    return found


def _walk(part: Any, path: tuple[str, ...], seen: set[int]) -> Iterator[tuple[tuple[str, ...], torch.Tensor]]:
    import torch

    if isinstance(part, Inert) and (array := _array(part)) is not None:
        part = torch.from_numpy(array)
    if isinstance(part, torch.Tensor):
        yield path, part
    elif isinstance(part, (Mapping, list, tuple, Inert)) and id(part) not in seen:
        seen.add(id(part))
        for key, value in enumerate(part) if isinstance(part, (list, tuple)) else part.items():
            yield from _walk(value, path if key in MODULE_PARTS else (*path, str(key)), seen)


def _array(part: Inert) -> Any:
    """The array, or the number, that NumPy would have rebuilt; None if it is none of numbers."""
    import numpy as np

    name = part.path.removeprefix("numpy.core.multiarray.").removeprefix("numpy._core.multiarray.")
    if name == "scalar" and len(part.arguments) == 2:
        shape, kind, fortran, content = (), part.arguments[0], False, part.arguments[1]
    elif name == "_reconstruct" and isinstance(part.state, tuple) and len(part.state) == 5:
        shape, kind, fortran, content = part.state[1:]
    else:
        return None
    if not isinstance(content, bytes) or not isinstance(kind, Inert) or str(kind.arguments[0])[:1] not in "fiub":
        return None
    order = kind.state[1] if isinstance(kind.state, tuple) else "="
    dtype = np.dtype(f"{order}{kind.arguments[0]}")
    if dtype.itemsize > LARGEST_NUMBER:
        return None
    array = np.frombuffer(content, dtype)
    return array.reshape(shape, order="F" if fortran else "C").astype(array.dtype.newbyteorder("="))


def plain_values(part: Any) -> Any:
    """The numbers, texts, lists and mappings of them in a part; None where there is something else."""
    if isinstance(part, (bool, int, float, str)):
        return part
    if isinstance(part, Inert):
        number = _array(part)
        return number.item() if number is not None and number.ndim == 0 else None
    if isinstance(part, (list, tuple)):
        return [plain_values(one) for one in part]
    values = {str(key): plain_values(one) for key, one in part.items()} if isinstance(part, Mapping) else {}
    return {key: one for key, one in values.items() if one is not None} or None


def _leave_network() -> None:
    """Moves this process into a network of its own, where the system lets it; the audit holds in any case."""
    import ctypes

    unshare: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "unshare", None)
    if unshare is not None and unshare(NEW_NETWORK) != 0:
        unshare(NEW_USER | NEW_NETWORK)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Python tells this of whatever it is about to do, and nobody can take it away again."""
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
    if writes or event.startswith(FORBIDDEN):
        raise PermissionError(f"{event} is not allowed while a checkpoint is read")


def main(path: str, out: str) -> dict[str, Any]:
    """Writes the tensors of a file as safetensors.

    Args:
        path: A file of `torch.save` or `pickle.dump`.
        out: The file to write; its metadata keep the plain hyper-parameters, and which tensors are the model's.

    Returns:
        How many tensors there are and what was not run, or the problem.
    """
    sys.dont_write_bytecode = True
    _leave_network()
    from safetensors.torch import save_file

    from .checkpoints import weights_in

    sys.addaudithook(_audit)
    content, left_out = read_inert(path)
    model, tensors = weights_in(content), tensors_in(content)
    first = next(iter(model), "")
    prefix = next((name.removesuffix(first) for name, one in tensors.items() if first and one is model[first]), "")
    kept: dict[tuple[Any, ...], str] = {}
    for name in sorted(tensors, key=lambda name: not name.startswith(prefix)):
        same = (tensors[name].data_ptr(), tensors[name].shape, tensors[name].stride())
        if kept.setdefault(same, name) != name and not name.startswith(prefix):
            del tensors[name]  # a second reference to a tensor of the model, such as Lightning's hyper-parameters hold
    given = content.get("hyper_parameters") if isinstance(content, Mapping) else None
    given = dict(given.items()) if isinstance(given, Inert) else given  # a Namespace, or a dictionary of Lightning's
    metadata = {"weights": prefix, "hyper_parameters": json.dumps(plain_values(given) or {})}
    save_file({name: one.detach().contiguous().clone() for name, one in tensors.items()}, out, metadata)
    return {"tensors": len(tensors), "left_out": left_out}


if __name__ == "__main__":
    try:
        print(json.dumps(main(*sys.argv[1:])))
    except Exception as error:
        print(json.dumps({"problem": str(error).partition("\n")[0][:120] or type(error).__name__}))
