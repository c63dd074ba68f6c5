"""Where the classes lie in a space: the mean direction of the members of each, by modality and of all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from .properties import classes_of

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore

__all__ = ["Centroids", "class_centroids", "class_sums", "directions"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
SHORTEST = 1e-6  # of a sum of unit vectors that still has a direction


@dataclass(frozen=True)
class Centroids:
    """Mean directions of classes.

    Args:
        label: The label whose classes they are.
        classes: Names [C], sorted.
        directions: Modality, or "mean", to unit vectors [C, D]; NaN of a class that has no member with it.
        counts: Modality to number of members [C].

    Example:
        >>> found = Centroids("class", np.array(["EW", "SR"]), {"spectrum": np.eye(2)}, {"spectrum": np.array([9, 4])})
        >>> found.nearest([[0.6, 0.8]], "spectrum").tolist(), found.similarity("spectrum").tolist()
        (['SR'], [[1.0, 0.0], [0.0, 1.0]])
    """

    label: str
    classes: Array
    directions: Mapping[str, Float]
    counts: Mapping[str, npt.NDArray[np.int64]]

    def similarity(self, one: str, other: str = "") -> Float:
        """Cosines [C, C] of the centroids in one modality with those in another, the same by default.

        Raises:
            UsageError: If there are no centroids of a modality.
        """
        return self._of(one) @ self._of(other or one).T

    def nearest(self, vectors: npt.ArrayLike, on: str) -> Array:
        """Class of the nearest centroid [Q] of a modality, of unit vectors [Q, D] of the same or another one.

        Raises:
            InputError: If no class has a member with the modality, or a vector is not finite.
            UsageError: If there are no centroids of a modality.
        """
        z = np.asarray(vectors, np.float64)
        known = np.flatnonzero(np.isfinite(self._of(on)).all(axis=1))
        if not len(known) or not np.isfinite(z).all():
            raise InputError(
                f"nearest: expected finite vectors and classes with {on}, found {len(known)} such classes."
            )
        return np.asarray(self.classes[known[(z @ self._of(on)[known].T).argmax(axis=1)]])

    def _of(self, name: str) -> Float:
        if name not in self.directions:
            raise UsageError(f"no centroids of {name!r}; there is {', '.join(self.directions)}.")
        return self.directions[name]


def class_centroids(
    store: EmbeddingStore, label: str, on: str | Sequence[str] = "", *, rows: npt.NDArray[np.bool_] | None = None
) -> Centroids:
    """The mean direction of the members of every class: their unit vectors added, of length 1 again.

    Args:
        store: The space.
        label: Label with the class of each object; objects without one, "", belong to none.
        on: Modality, several, or "mean" for the mean of all that an object has; all of them by default.
        rows: Whose vectors [N]; by default those that are not held out, or all where there is no split.

    Raises:
        InputError: If the label is known for no object, names every object, or a vector is not finite.
        UsageError: If there is no such label or modality, or the label is a number.
    """
    names = [on] if isinstance(on, str) and on else list(on) or store.choices
    training = store.split != "test"
    chosen = (training if training.any() else ~training) if rows is None else np.asarray(rows, dtype=bool)
    at = np.flatnonzero(chosen & np.any([store.present(name) for name in names], axis=0))
    classes = classes_of(store.labels, label, at)
    at, classes = at[classes != ""], classes[classes != ""]
    known, codes = np.unique(classes, return_inverse=True)
    found, counts = {}, {}
    for name in names:
        own = store.present(name)[at]
        store.check_finite(name, at[own])
        found[name] = directions(class_sums(store.vectors(name)[at[own]], codes[own], len(known)))
        counts[name] = np.bincount(codes[own], minlength=len(known))
    return Centroids(label, known, found, counts)


def class_sums(vectors: npt.ArrayLike, codes: npt.NDArray[np.int64], count: int) -> Float:
    """Sums [C, D] of the vectors [N, D] of every class.

    Args:
        vectors: Unit vectors.
        codes: Number of the class of each [N].
        count: Number of classes C.
    """
    z = np.asarray(vectors)
    order = np.argsort(codes, kind="stable")
    members = np.bincount(codes, minlength=count)
    sums, here = np.zeros((count, z.shape[1])), np.flatnonzero(members)
    if len(here):
        starts = (np.cumsum(members) - members)[here]
        sums[here] = np.add.reduceat(z[order], starts, axis=0, dtype=np.float64)
    return sums


def directions(sums: Float) -> Float:
    """Sums of vectors [..., D], of length 1; NaN where nothing is left but rounding error."""
    norm = np.linalg.norm(sums, axis=-1, keepdims=True)
    return np.asarray(sums / np.where(norm > SHORTEST, norm, np.nan))
