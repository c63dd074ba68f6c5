"""Properties of held-out objects, predicted from what is known of the training objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from . import knn
from .probes import KINDS, probe
from .properties import Property, known
from .space import Space

__all__ = ["HeldOut", "by_neighbours", "by_probes", "by_supervision"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class HeldOut:
    """What was predicted for held-out objects, beside what is true.

    Args:
        property: What was predicted.
        query: Modality of the held-out objects.
        target: Modality of the training objects.
        space: "aligned", "aligned, centred", "features" or "supervised".
        rows: Row numbers of the held-out objects [n].
        true: Measured values or classes [n].
        value: Predicted values or classes [n].
        constant: Mean, or most frequent class, of the training objects: the answer of whoever knows no more.
        task: "regression", "classification", "probe_linear" or "probe_mlp".
        period: After how much an angle is the same again; 0 for what is no angle.
        classes: Names of the classes among the training objects [C]; empty for numbers.
        probabilities: Of each class [n, C].
        shares: Of each class among the training objects [C].
    """

    property: str
    query: str
    target: str
    space: str
    rows: Rows
    true: Array
    value: Array
    constant: float | str
    task: str = "regression"
    period: float = 0.0
    classes: Array = field(default_factory=lambda: np.empty(0, dtype=str))
    probabilities: Float = field(default_factory=lambda: np.empty((0, 0)))
    shares: Float = field(default_factory=lambda: np.empty(0))


def by_neighbours(space: Space, wanted: str, **settings: Any) -> Iterator[HeldOut]:
    """k-NN predictions within each modality, within all side by side and, in a shared space, across two.

    Args:
        space: Vectors with a split.
        wanted: Name of a label, "log10(name)" or "circular(name, period)".
        settings: `k`, `weights`, `metric`, `standardise` of `knn.predict`.

    Raises:
        InputError: If k exceeds the training objects whose property is known.
        UsageError: If the property is no label.
    """
    about = _Known.read(space, wanted)
    across = permutations(space.names, 2) if space.shared else ()
    for query, target in [*((name, name) for name in space.vectors), *across]:
        memory, asked = about.rows(target, held_out=False), about.rows(query, held_out=True)
        if not len(memory) or not len(asked):
            continue
        z, queries = space.vectors[target][memory], space.vectors[query][asked]
        try:
            found = knn.predict(z, about.y[memory], queries, **settings)
        except InputError as error:
            raise InputError(f"{wanted} of {query} from {target} of training objects: {error}") from error
        value = found.value
        if about.of.period:
            value = knn.average(about.y[memory][found.rows], found.weights, about.of.period)[0]
        yield about.held_out(query, target, memory, asked, value, found.probabilities)


def by_probes(space: Space, wanted: str, seed: int = 0) -> Iterator[HeldOut]:
    """Predictions of a linear probe and of a small network, within each modality and within all side by side.

    A property with one value, or one class, among the training objects gives none: there is nothing to fit.

    Args:
        space: Vectors with a split.
        wanted: Name of a label, "log10(name)" or "circular(name, period)".
        seed: Of the probes.

    Raises:
        UsageError: If the property is no label.
    """
    about = _Known.read(space, wanted)
    for name, vectors in space.vectors.items():
        memory, asked = about.rows(name, held_out=False), about.rows(name, held_out=True)
        if not len(asked) or len(np.unique(about.y[memory])) < 2:
            continue
        for kind in KINDS:
            groups = space.groups[memory]
            given = vectors[memory], about.y[memory], vectors[asked]
            found = probe(kind, *given, groups=groups, period=about.of.period, seed=seed)  # type: ignore[arg-type]
            one = about.held_out(name, name, memory, asked, found.value, found.probabilities)
            yield replace(one, task=f"probe_{kind}")


def by_supervision(space: Space, wanted: str, seed: int = 0) -> Iterator[HeldOut]:
    """Predictions of gradient boosting trained on the same features and split: what the inputs give away.

    Args:
        space: Features with a split.
        wanted: Name of a label, or "log10(name)"; of an angle there are none.
        seed: Of the boosting.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    about = _Known.read(space, wanted)
    for name, vectors in space.vectors.items() if not about.of.period else ():
        memory, asked = about.rows(name, held_out=False), about.rows(name, held_out=True)
        if not len(asked) or len(np.unique(about.y[memory])) < 2:
            continue
        # Above 10,000 objects scikit-learn sets some of every class aside, which a class of one object does not bear.
        alone = about.text and np.unique(about.y[memory], return_counts=True)[1].min() < 2
        kind = HistGradientBoostingClassifier if about.text else HistGradientBoostingRegressor
        model = kind(random_state=seed, early_stopping=False if alone else "auto")
        model.fit(vectors[memory], about.y[memory])
        shares = model.predict_proba(vectors[asked]) if about.text else np.empty((len(asked), 0))
        one = about.held_out(name, name, memory, asked, model.predict(vectors[asked]), shares)
        yield replace(one, space="supervised")


@dataclass(frozen=True)
class _Known:
    """A property of the objects of a space."""

    space: Space
    of: Property
    y: Array

    @classmethod
    def read(cls, space: Space, wanted: str) -> _Known:
        return cls(space, Property.parse(wanted), Property.parse(wanted).values(space.labels))

    @property
    def text(self) -> bool:
        return self.y.dtype.kind == "U"

    def rows(self, name: str, *, held_out: bool) -> Rows:
        """Rows with a modality and the property, on one side of the split."""
        rows = self.space.rows(name, held_out=held_out)
        return rows[known(self.y)[rows]]

    def held_out(
        self, query: str, target: str, memory: Rows, asked: Rows, value: Array, probabilities: Float
    ) -> HeldOut:
        """The prediction with all that it takes to judge it."""
        y = self.y[memory]
        found = HeldOut(self.of.name, query, target, self.space.name, asked, self.y[asked], value, "")
        if not self.text:
            even = np.full((1, len(y)), 1 / len(y))
            return replace(
                found, constant=float(knn.average(y[None], even, self.of.period)[0][0]), period=self.of.period
            )
        classes, counts = np.unique(y, return_counts=True)
        constant, shares = str(classes[counts.argmax()]), counts / len(y)
        return replace(
            found, constant=constant, task="classification", classes=classes, probabilities=probabilities, shares=shares
        )
