"""Properties of held-out objects, predicted from what is known of the training objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from . import knn
from .space import Space

__all__ = ["HeldOut", "by_neighbours", "by_supervision"]

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class HeldOut:
    """What was predicted for held-out objects, beside what is true.

    Args:
        property: What was predicted.
        query: Modality of the held-out objects.
        target: Modality of the training objects.
        space: "aligned", "features" or "supervised".
        rows: Row numbers of the held-out objects [n].
        true: Measured values or classes [n].
        value: Predicted values or classes [n].
        constant: Mean, or most frequent class, of the training objects: the answer of whoever knows no more.
    """

    property: str
    query: str
    target: str
    space: str
    rows: Rows
    true: Array
    value: Array
    constant: float | str


def by_neighbours(space: Space, wanted: str, **settings: Any) -> Iterator[HeldOut]:
    """k-NN predictions within each modality, within all side by side and, in an aligned space, across two.

    Args:
        space: Vectors with a split.
        wanted: Name of a label, or "log10(name)".
        settings: `k`, `weights`, `metric` of `knn.predict`.

    Raises:
        InputError: If k exceeds the training objects whose label is known.
    """
    known = _Known.of(space, wanted)
    across = permutations(space.names, 2) if space.name == "aligned" else ()
    for query, target in [*((name, name) for name in space.vectors), *across]:
        memory, asked = known.rows(target, held_out=False), known.rows(query, held_out=True)
        if not len(memory) or not len(asked):
            continue
        z, queries = space.vectors[target][memory], space.vectors[query][asked]
        try:
            value = knn.predict(z, known.y[memory], queries, **settings).value
        except InputError as error:
            raise InputError(f"{wanted} of {query} from {target} of training objects: {error}") from error
        yield known.held_out(query, target, memory, asked, value)


def by_supervision(space: Space, wanted: str, seed: int = 0) -> Iterator[HeldOut]:
    """Predictions of gradient boosting trained on the same features and split: what the inputs give away.

    Args:
        space: Features with a split.
        wanted: Name of a label, or "log10(name)".
        seed: Of the boosting.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    known = _Known.of(space, wanted)
    for name, vectors in space.vectors.items():
        memory, asked = known.rows(name, held_out=False), known.rows(name, held_out=True)
        if not len(asked) or len(np.unique(known.y[memory])) < 2:
            continue
        text = known.y.dtype.kind == "U"
        # Above 10,000 objects scikit-learn sets some of every class aside, which a class of one object does not bear.
        alone = text and np.unique(known.y[memory], return_counts=True)[1].min() < 2
        kind = HistGradientBoostingClassifier if text else HistGradientBoostingRegressor
        model = kind(random_state=seed, early_stopping=False if alone else "auto")
        value = model.fit(vectors[memory], known.y[memory]).predict(vectors[asked])
        yield replace(known.held_out(name, name, memory, asked, value), space="supervised")


@dataclass(frozen=True)
class _Known:
    """A property of the objects of a space."""

    space: Space
    wanted: str
    y: Array

    @classmethod
    def of(cls, space: Space, wanted: str) -> _Known:
        return cls(space, wanted, space.label(wanted))

    def rows(self, name: str, *, held_out: bool) -> Rows:
        """Rows with a modality and the property, on one side of the split."""
        rows = self.space.rows(name, held_out=held_out)
        return rows[(self.y != "")[rows]] if self.y.dtype.kind == "U" else rows[np.isfinite(self.y)[rows]]

    def held_out(self, query: str, target: str, memory: Rows, asked: Rows, value: Array) -> HeldOut:
        """The prediction with all that it takes to judge it."""
        constant = _most_frequent(self.y[memory]) if self.y.dtype.kind == "U" else float(self.y[memory].mean())
        return HeldOut(self.wanted, query, target, self.space.name, asked, self.y[asked], value, constant)


def _most_frequent(classes: Array) -> str:
    names, counts = np.unique(classes, return_counts=True)
    return str(names[counts.argmax()])
