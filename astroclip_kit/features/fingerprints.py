"""A hash of everything that the output of an encoder or a transform depends on."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch

__all__ = ["fingerprint"]

# Their code changes with their version only; that of users changes from one notebook cell to the next.
LIBRARIES = {"astroclip_kit", "torch", "torchvision", "timm", "numpy", "builtins", "functools", "collections"}
PLAIN = (bool, int, float, complex, str, bytes, PurePath, np.generic, torch.dtype, torch.device)
CODE = (FunctionType, bool, int, float, str, tuple)
NO_CODE = {"__module__", "__doc__", "__qualname__", "__firstlineno__", "__static_attributes__"}
# Of a module: its mode, where it and its weights came from, and what it is given to read, change no output.
NO_CONTENT = {"training", "root", "weights_from", "trained_on", "reads"}


def fingerprint(part: Any) -> str:
    """A hash of a part's classes, arguments, weights and buffers, and of the code that a user wrote for it.

    It is the same in every process, on every device, in training and in eval mode, and after saving and loading.

    Args:
        part: A module, transform, augmentation or function, with all that it holds.

    Example:
        >>> from astroclip_kit.transforms import CenterCrop
        >>> fingerprint(CenterCrop(96)) == fingerprint(CenterCrop(96)) != fingerprint(CenterCrop(64))
        True
    """
    digest = hashlib.blake2b(digest_size=12)
    for piece in _pieces(part, ()):
        digest.update(len(piece).to_bytes(8, "little"))
        digest.update(piece)
    return digest.hexdigest()


def _pieces(part: Any, inside: tuple[int, ...]) -> Iterator[Any]:
    """The part as a sequence of bytes; `inside` holds the ids of the objects around it, so that cycles end."""
    if part is None or isinstance(part, PLAIN):
        yield repr(part).encode()
    elif isinstance(part, torch.Tensor):
        yield f"{part.dtype}{tuple(part.shape)}".encode()
        yield part.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
    elif isinstance(part, np.ndarray) and part.dtype != object:
        yield f"{part.dtype}{part.shape}".encode()
        yield part.tobytes()
    elif id(part) in inside:
        yield b"itself"
    else:
        for item in _items(part):
            yield from _pieces(item, (*inside, id(part)))


def _items(part: Any) -> list[Any]:
    """What an object is made of."""
    if isinstance(part, Mapping):
        return [len(part), *(item for pair in part.items() for item in pair)]
    if isinstance(part, (list, tuple, np.ndarray)):
        return [len(part), *part]  # tuples come back from a model folder as lists
    if isinstance(part, (set, frozenset)):
        return sorted(repr(item) for item in part)
    if isinstance(part, ModuleType):
        return [part.__name__]
    if isinstance(part, MethodType):
        return [part.__func__, part.__self__]
    if isinstance(part, functools.partial):
        return [part.func, part.args, part.keywords]
    if isinstance(part, CodeType):
        return [part.co_code, part.co_names, part.co_consts]
    if isinstance(part, FunctionType):
        return [_name(part), *(_function(part) if _is_users(part) else ())]
    if isinstance(part, type):
        return [_name(part), *(_members(part) if _is_users(part) else ())]
    state = part.__getstate__()
    if isinstance(part, torch.nn.Module) and isinstance(state, dict):
        state = {key: value for key, value in state.items() if key not in NO_CONTENT}
    return [type(part), getattr(part, "__name__", ""), state]


def _name(part: type | FunctionType) -> str:
    # A notebook's cell or a script is __main__ here and may be a module there; the code is hashed anyway.
    return part.__qualname__ if part.__module__ == "__main__" else f"{part.__module__}.{part.__qualname__}"


def _is_users(part: type | FunctionType) -> bool:
    return (part.__module__ or "").split(".")[0] not in LIBRARIES


def _function(part: FunctionType) -> list[Any]:
    """The code, what it closes over, its defaults, and the user's functions and constants that it names."""
    closed_over = [cell.cell_contents for cell in part.__closure__ or ()]
    named = [part.__globals__[name] for name in part.__code__.co_names if name in part.__globals__]
    plain = [one for one in named if isinstance(one, (*CODE, type))]
    return [part.__code__, closed_over, part.__defaults__, part.__kwdefaults__, plain]


def _members(part: type) -> list[Any]:
    """The methods and constants of a class, and those of its bases."""
    members = [(name, _unwrap(one)) for name, one in sorted(vars(part).items()) if name not in NO_CODE]
    return [part.__bases__, *(pair for pair in members if isinstance(pair[1], CODE))]


def _unwrap(member: Any) -> Any:
    """The function of a static method, class method or property."""
    return getattr(member, "__func__", getattr(member, "fget", member))
