"""A dataset in which training objects wear the images of others of their class: what is learned of it is of the class.

A generator that learns from it can know what a spectrum of the class looks like, and nothing of the object. Whatever it
says of an object besides, it can only have from having seen that object: a leak.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.dataset import Dataset
from ..errors import InputError
from ..storage import hash_text

__all__ = ["PermutedViews", "permutation_inside"]

Rows = npt.NDArray[np.int64]


def permutation_inside(codes: npt.ArrayLike, rows: npt.ArrayLike, seed: int = 0) -> Rows:
    """Who wears whose image: a permutation that stays inside each class, and moves every object of it.

    Args:
        codes: Number of the class of each of N objects.
        rows: The objects that are permuted; all others keep their own.
        seed: Of the permutation.

    Returns:
        Row numbers int64 [N].

    Example:
        >>> permutation_inside([0, 0, 1, 1, 1], [0, 1, 2, 3]).tolist()
        [1, 0, 3, 2, 4]
    """
    classes, chosen = np.asarray(codes), np.asarray(rows, dtype=np.int64)
    order, rng = np.arange(len(classes)), np.random.default_rng(seed)
    for one in np.unique(classes[chosen]):
        members = rng.permutation(chosen[classes[chosen] == one])
        order[members] = np.roll(members, 1)
    return order


class PermutedViews(Dataset):
    """A dataset whose views of one modality belong to other objects.

    Args:
        dataset: The dataset, of M objects.
        name: The modality.
        shown: Whose view each row shows [N], as row numbers of the dataset.
        rows: What else each row is [N]; all of the dataset, in its order, by default.

    Example:
        `PermutedViews(dataset, "image", permutation_inside(codes, train))` keeps every spectrum and label in its place.
    """

    def __init__(self, dataset: Dataset, name: str, shown: npt.ArrayLike, rows: npt.ArrayLike | None = None) -> None:
        self.dataset, self.name, self.shown = dataset, name, np.asarray(shown, dtype=np.int64)
        self.rows = np.arange(len(dataset)) if rows is None else np.asarray(rows, dtype=np.int64)
        chosen = dataset.select(self.rows)
        super().__init__(chosen.root, chosen._rows, chosen.further)

    def _whose(self, name: str) -> Rows:
        return self.shown if name == self.name else self.rows

    def present(self, name: str) -> npt.NDArray[np.bool_]:
        """Which rows show a modality [N]."""
        here: npt.NDArray[np.bool_] = self.dataset.present(name)[self._whose(name)]
        return here

    def views(self, name: str, rows: npt.ArrayLike | None = None) -> npt.NDArray[np.float32]:
        """Views of some rows, see `Dataset.views`."""
        numbers = np.flatnonzero(self.present(name)) if rows is None else np.arange(len(self))[np.asarray(rows)]
        return self.dataset.views(name, self._whose(name)[numbers])

    def select(self, rows: npt.ArrayLike) -> PermutedViews:
        """Some rows, each with the view that it shows here."""
        numbers = np.arange(len(self))[np.asarray(rows)]
        return PermutedViews(self.dataset, self.name, self.shown[numbers], self.rows[numbers])

    def with_labels(self, labels: Mapping[str, npt.NDArray[Any]]) -> PermutedViews:
        """Refuses: the labels belong to the dataset beneath.

        Raises:
            InputError: Always.
        """
        raise InputError(f"labels {', '.join(labels)}: give them to the dataset before its views are permuted.")

    def data_hash(self, name: str) -> str:
        """A hash of the values, and of whose they are."""
        return hash_text(self.dataset.data_hash(name), self._whose(name).tobytes())
