"""What a checkpoint with `Inert` objects in it has of tensors and of plain values, and how it is written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from .checkpoints import weights_in
from .inert import Inert, InertReader

__all__ = ["plain_values", "tensors_in", "write_tensors"]

MODULE_PARTS = ("_parameters", "_buffers", "_modules")  # where a pickled module keeps its tensors
LARGEST_NUMBER = 8  # bytes: torch has no longer ones


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
    if (tensor := _tensor(part)) is not None:
        yield path, tensor
    elif isinstance(part, (Mapping, list, tuple, Inert)) and id(part) not in seen:
        seen.add(id(part))
        for key, value in enumerate(part) if isinstance(part, (list, tuple)) else part.items():
            yield from _walk(value, path if key in MODULE_PARTS else (*path, str(key)), seen)


def _tensor(part: Any) -> torch.Tensor | None:
    """A tensor itself, or that of an array of numbers, the same each time; None of anything else."""
    if not isinstance(part, Inert):
        return part if isinstance(part, torch.Tensor) else None
    if part.tensor is None and (array := _array(part)) is not None and array.ndim:
        part.tensor = torch.from_numpy(array)
    return part.tensor


def _array(part: Inert) -> Any:
    """The array, or the number, that NumPy would have rebuilt; None if it is none of numbers."""
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


def _apart(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors without memory that several of them share; what has its own is not copied."""
    storages = {name: one.untyped_storage() for name, one in tensors.items()}
    users = Counter(storage.data_ptr() for storage in storages.values())
    alone = {
        name for name, one in storages.items() if users[one.data_ptr()] == 1 and one.nbytes() == tensors[name].nbytes
    }
    plain = {name: one.detach().contiguous() for name, one in tensors.items()}
    return {name: one if name in alone else one.clone() for name, one in plain.items()}


def write_tensors(path: str, out: str) -> dict[str, Any]:
    """Writes the tensors of a file as safetensors.

    Args:
        path: A file of `torch.save` or `pickle.dump`.
        out: The file to write; its metadata keep the plain hyper-parameters, and which tensors are the model's.

    Returns:
        How many tensors there are, and the names of what was not run.
    """
    reader = InertReader()
    with open(path, "rb") as file:
        content = reader.read(file)
    model, tensors = weights_in(content, _tensor), tensors_in(content)
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
    save_file(_apart(tensors), out, metadata)
    return {"tensors": len(tensors), "left_out": sorted(reader.names)}
