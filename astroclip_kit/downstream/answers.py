"""How alike in a property the answers of a search are to who asked: what is there to judge where no answer is right.

Within a modality an object that was observed once cannot find itself; but the objects that it finds should be like it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import metrics
from ..types import Result
from .knn import neighbours
from .properties import Property, known
from .space import Space

__all__ = ["answer_differences"]

Float = npt.NDArray[np.float64]


def answer_differences(
    space: Space, wanted: str, *, k: int = 10, n_boot: int = 1000, seed: int = 0
) -> Iterator[Result]:
    """Median difference of a property between held-out objects and their first k answers, in every direction.

    The object itself, and other rows of its group, are no answers. Chance: answers drawn at random.

    Args:
        space: A shared space with a split.
        wanted: Name of a number among the labels, "log10(name)" or "circular(name, period)"; of text there is none.
        k: Answers of each query; fewer where there are fewer objects.
        n_boot: Resamples of the interval; whole groups are drawn.
        seed: Of the resampling, and of the random answers.

    Raises:
        UsageError: If the property is no label.
    """
    of = Property.parse(wanted)
    y = of.values(space.labels)
    told = {name: rows[known(y)[rows]] for name in space.names for rows in [space.rows(name, held_out=True)]}
    rng = np.random.default_rng(seed)
    for query, target in product(space.names, repeat=2) if y.dtype.kind != "U" else ():
        asked, held = told[query], told[target]
        count = min(k, len(held) - int(np.unique(space.groups[held], return_counts=True)[1].max(initial=1)))
        if count < 1 or not len(asked):
            continue
        groups = space.groups[held], space.groups[asked]
        found = neighbours(space.vectors[target][held], space.vectors[query][asked], count, "cosine", *groups)[0]
        apart, guessed = (
            _apart(of, y[held][rows], y[asked]) for rows in (found, rng.integers(len(held), size=found.shape))
        )
        low, high = metrics.bootstrap(np.median, [apart], n_boot=n_boot, seed=seed, groups=groups[1])
        source: dict[str, Any] = {name: space.source[name] for name in ("seed", "dataset", "origin")}
        value, chance = float(np.median(apart)), float(np.median(guessed))
        one = Result("answers", query, target, of.name, f"difference@{k}", value, low, high, len(asked), **source)
        yield replace(one, chance=chance, space=space.name)


def _apart(of: Property, answers: Float, asked: Float) -> Float:
    """Median distance [Q] of the answers [Q, k] from who asked [Q]."""
    return np.asarray(np.median(np.abs(of.difference(answers, asked[:, None])), axis=1))
