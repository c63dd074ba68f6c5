"""Short stable hashes of values, and the plain values that they and JSON are made of."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["hash_ids", "hash_json", "hash_text", "json_text", "plain"]

LONG = 32  # numbers of a list that is one line of JSON


def plain(value: Any) -> Any:
    """Plain JSON values of NumPy scalars, arrays, tuples, paths and NaN."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        items = value.tolist() if isinstance(value, np.ndarray) else list(value)
        same = set(map(type, items)) == {float} and all(map(math.isfinite, items))  # a grid of wavelengths is long
        return items if same else [plain(item) for item in items]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def json_text(value: Any) -> str:
    """Plain values as JSON that people read: a line for each, but one for a long list of numbers; NaN becomes null.

    Example:
        >>> len(json_text({"grid": np.zeros(50), "bands": ["g", "r"]}).splitlines())
        7
    """
    lines: list[str] = []
    text = json.dumps(_set_aside(plain(value), lines), indent=1, allow_nan=False)
    return re.sub(r'"\\u0000(\d+)"', lambda found: lines[int(found[1])], text) + "\n"


def _set_aside(value: Any, lines: list[str]) -> Any:
    """Plain values, with the number of its line for each long list of numbers."""
    if isinstance(value, dict):
        return {key: _set_aside(item, lines) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) < LONG or not set(map(type, value)) <= {int, float}:
        return [_set_aside(item, lines) for item in value]
    lines.append(json.dumps(value, allow_nan=False))
    return f"\0{len(lines) - 1}"


def hash_text(*parts: str | bytes | memoryview) -> str:
    """A short stable hash of texts; the parts are kept apart."""
    digest = hashlib.blake2b(digest_size=12)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def hash_json(value: Any) -> str:
    """A short stable hash of plain values."""
    return hash_text(json.dumps(plain(value), sort_keys=True))


def hash_ids(ids: npt.NDArray[np.str_] | list[str], seed: int = 0) -> npt.NDArray[np.uint64]:
    """A 64-bit hash per id [N] that is the same on every machine and in every process.

    Args:
        ids: N ids.
        seed: Another seed gives other hashes.
    """
    key = seed.to_bytes(8, "little", signed=True)
    digests = (hashlib.blake2b(str(one).encode(), digest_size=8, key=key).digest() for one in ids)
    return np.frombuffer(b"".join(digests), dtype="<u8")
