"""What is judged: vectors of the same objects, once aligned, once as the encoders gave them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore
    from ..features import FeatureSet

__all__ = ["Space"]

REDSHIFTS = ("z", "redshift", "z_spec", "zspec", "specz", "z_phot", "photo_z")  # judged relative to 1 + z
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Space:
    """Vectors of N objects in every modality, and what is known about the objects.

    Args:
        name: "aligned" or "features".
        vectors: Modality to float32 [N, D]; D may differ between modalities of unaligned features.
        present: Modality to bool [N].
        groups: Astrophysical object of each row [N].
        split: "train", "valid" or "test" of each row [N].
        labels: Property to values [N].
        source: Manifest of the store: dataset, origin, seed.
        together: Name under which `vectors` holds all modalities side by side; "" where there is one only.
    """

    name: Literal["aligned", "features"]
    vectors: Mapping[str, npt.NDArray[np.float32]]
    present: Mapping[str, npt.NDArray[np.bool_]]
    groups: Array
    split: Array
    labels: Mapping[str, Array]
    source: Mapping[str, Any]
    together: str = ""

    @classmethod
    def aligned(cls, store: EmbeddingStore) -> Space:
        """The space of a store, with all modalities side by side as one more where there are several.

        Raises:
            InputError: If the store knows no held-out objects.
        """
        if not (store.split == "test").any() or not (store.split != "test").any():
            raise InputError(
                f"{store.root} has {int((store.split == 'test').sum())} held-out and "
                f"{int((store.split != 'test').sum())} other objects; both are needed. Embed with a split."
            )
        vectors = {name: store.vectors(name) for name in store.names}
        present = {name: store.present(name) for name in store.names}
        return cls("aligned", vectors, present, store.groups, store.split, store.labels, store.manifest)._concatenated()

    @classmethod
    def unaligned(cls, features: FeatureSet, store: EmbeddingStore) -> Space:
        """Features of the store's objects, with its split; observations are averaged where the store pooled them.

        Each dimension has mean 0 and standard deviation 1 over the training objects, and each modality the same
        weight when they stand side by side.

        Raises:
            InputError: If features and store share no object.
        """
        keys = features.groups if store.manifest.get("pool") == "group" else features.object_ids
        order = np.argsort(store.object_ids)
        place = order[np.searchsorted(store.object_ids, keys, sorter=order).clip(max=len(store) - 1)]
        known = store.object_ids[place] == np.asarray(keys)
        if not known.any():
            raise InputError("features and embeddings share no object. Give the features that were embedded.")
        vectors, present = {}, {}
        for name in [one for one in store.names if one in features.names]:
            rows = np.flatnonzero(known & np.asarray(features.present(name)))
            means, present[name] = _mean(np.asarray(features.matrix(name)[rows]), place[rows], len(store))
            vectors[name] = _standardised(means, present[name] & (store.split != "test"))
        space = cls("features", vectors, present, store.groups, store.split, store.labels, store.manifest)
        return space._concatenated()

    def _concatenated(self) -> Space:
        if len(self.vectors) < 2:
            return self
        together = "+".join(self.vectors)
        vectors = {**self.vectors, together: np.concatenate(list(self.vectors.values()), axis=1)}
        present = {**self.present, together: np.all(list(self.present.values()), axis=0)}
        return replace(self, vectors=vectors, present=present, together=together)

    @property
    def names(self) -> list[str]:
        """The modalities, without their concatenation."""
        return [name for name in self.vectors if name != self.together]

    def label(self, wanted: str) -> Array:
        """Values of a property [N]: text with "" or float64 with NaN where missing.

        Args:
            wanted: Name of a label, or "log10(name)".

        Raises:
            UsageError: If there is no such label, or it is text and has no logarithm.
        """
        logarithm = re.fullmatch(r"log10\((.+)\)", wanted)
        name = logarithm[1].strip() if logarithm else wanted
        if name not in self.labels:
            raise UsageError(f"no property {name!r} among the labels: {', '.join(self.labels) or 'there are none'}.")
        values = self.labels[name]
        if values.dtype.kind in "OSU":
            if logarithm:
                raise UsageError(f"{wanted}: {name!r} is text and has no logarithm.")
            return values.astype(str)
        numbers = values.astype(np.float64)
        return np.log10(np.where(numbers > 0, numbers, np.nan)) if logarithm else numbers

    def rows(self, name: str, *, held_out: bool) -> npt.NDArray[np.int64]:
        """Rows with a modality, on one side of the split."""
        return np.flatnonzero(self.present[name] & ((self.split == "test") == held_out))


def _mean(
    vectors: Array, place: npt.NDArray[np.int64], count: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Mean [count, D] of the vectors that belong to each place, and which places have any."""
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    out = np.zeros((count, vectors.shape[1]), dtype=np.float32)
    members = np.bincount(place, minlength=count)
    if len(starts):
        sums = np.add.reduceat(vectors[order].astype(np.float32), starts, axis=0)
        out[place[order][starts]] = sums / members[place[order][starts], None]
    return out, members > 0


def _standardised(vectors: npt.NDArray[np.float32], train: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    mean, std = (moment(vectors[train], axis=0, dtype=np.float64) for moment in (np.mean, np.std))
    varies = std > 1e-6 * np.abs(mean)  # a constant dimension says nothing, and its rounding error still less
    scaled = (vectors - mean) / np.where(varies, std, np.inf)
    return np.asarray(scaled / np.sqrt(vectors.shape[1]), dtype=np.float32)
