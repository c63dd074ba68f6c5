"""Which objects that are held out now something has learned from under another division."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import KitError
from ..settings import Split
from . import splits

__all__ = ["learned_from", "seen_before", "split_told", "value_hashes"]


def learned_from(about: Mapping[str, Any], dataset: Any) -> bool:
    """Whether a model that the kit trained saw the same values of a modality, whichever rows were selected of them.

    Args:
        about: Its manifest.
        dataset: A `Dataset`.
    """
    if "split" not in about:
        return False
    before = (about.get("data_hash"), about.get("source_hash"), *about.get("values", ()))
    return any(one in before for one in value_hashes(dataset, list(dataset.modalities)))


def value_hashes(data: Any, names: Sequence[str]) -> list[str]:
    """What the raw values of modalities are known by again, in the selected rows and in all, wherever they lie.

    Args:
        data: A `Dataset`, or a `FeatureSet`, which keeps those of the dataset that it was made of; none of others.
        names: The modalities.
    """
    if hasattr(data, "matrix"):
        kept = getattr(data, "value_hashes", None)
        return sorted({one for name in names for one in kept(name)}) if kept else []
    whole = getattr(data, "source_hash", data.data_hash)  # a dataset of which no rows can be selected
    return sorted({digest(name) for name in names for digest in (data.data_hash, whole)})


def seen_before(dataset: Any, earlier: Split, split: Split) -> tuple[int, int]:
    """How many objects that are held out now were not so before, and how many are held out now.

    Args:
        dataset: What is divided.
        earlier: Who was held out before.
        split: Who is held out now.
    """
    held_out = splits.divide(dataset, split) == "test"
    try:
        unseen = splits.divide(dataset, earlier) == "test"
    except KitError:  # divided by what these objects do not have: nothing says that one was left out
        unseen = np.zeros(len(held_out), dtype=bool)
    return int((held_out & ~unseen).sum()), int(held_out.sum())


def split_told(split: Split, other: Split) -> str:
    """A split in words: its seed, and what else is not as in another.

    Example:
        >>> split_told(Split(test=0.3), Split())
        'split {test: 0.3, seed: 0}'
    """
    named = [name for name, value in vars(split).items() if name == "seed" or value != getattr(other, name)]
    return f"split {{{', '.join(f'{name}: {getattr(split, name)}' for name in named)}}}"
