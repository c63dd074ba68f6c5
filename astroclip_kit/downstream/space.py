"""What is judged: vectors of the same objects, aligned, aligned and centred, or as the encoders gave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ..embeddings.mean import MEAN
from ..errors import InputError
from ..filters import rows_where
from .centring import centre

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
        name: "aligned", "aligned, centred" or "features".
        vectors: Modality to float32 [N, D]; D may differ between modalities of unaligned features.
        present: Modality to bool [N]: who has it and is judged, or is part of the memory.
        groups: Astrophysical object of each row [N].
        split: "train", "valid" or "test" of each row [N].
        labels: Property to values [N].
        source: Manifest of the store: dataset, origin, seed.
        together: Name under which `vectors` holds all modalities side by side; "" where there is one only.
        pooled: Name under which `vectors` holds the mean of what each object has; "" without.
    """

    name: Literal["aligned", "aligned, centred", "features"]
    vectors: Mapping[str, npt.NDArray[np.float32]]
    present: Mapping[str, npt.NDArray[np.bool_]]
    groups: Array
    split: Array
    labels: Mapping[str, Array]
    source: Mapping[str, Any]
    together: str = ""
    pooled: str = ""

    @classmethod
    def of(cls, store: EmbeddingStore, where: str = "") -> Space:
        """The space of a store, with all modalities side by side as one more where there are several.

        Training objects of which another observation is held out are left out.

        Args:
            store: Embeddings.
            where: Which objects are judged, and make up the memory.

        Raises:
            InputError: If a vector is not finite.
            UsageError: If the condition cannot be read.
        """
        held_out = store.split == "test"
        among = rows_where(store.catalog, where) & (held_out | ~np.isin(store.groups, store.groups[held_out]))
        vectors = {name: store.vectors(name) for name in store.names}
        present = {name: store.present(name) & among for name in store.names}
        for name, here in present.items():
            store.check_finite(name, here)
        space = cls("aligned", vectors, present, store.groups, store.split, store.labels, store.manifest)
        return space._concatenated()

    @classmethod
    def aligned(cls, store: EmbeddingStore, where: str = "") -> Space:
        """What `of` gives, of a store that holds objects out.

        Args:
            store: Embeddings.
            where: Which objects are judged, and make up the memory.

        Raises:
            InputError: If the store knows no held-out objects, or none or no others fulfil the condition.
        """
        space = cls.of(store, where)
        anyone = np.any([space.present[name] for name in space.names], axis=0)
        held, other = (int((anyone & ((store.split == "test") == side)).sum()) for side in (True, False))
        if not held or not other:
            but = f" with {where}. Choose a condition that both fulfil" if where else ". Embed with a split"
            raise InputError(f"{store.root} has {held} held-out and {other} other objects; both are needed{but}.")
        return space

    def with_mean(self, store: EmbeddingStore) -> Space:
        """The space with the mean of what each object has as one more modality, see `embeddings.mean`.

        Args:
            store: Where it comes from; of a single modality there is no mean.
        """
        if len(self.names) < 2 or MEAN in self.vectors:
            return self
        anyone = np.any([self.present[name] for name in self.names], axis=0)
        vectors = {**self.vectors, MEAN: store.vectors(MEAN)}
        return replace(self, vectors=vectors, present={**self.present, MEAN: anyone}, pooled=MEAN)

    def centred(self) -> Space:
        """The space with the mean of the training objects subtracted from each modality, see `centring`.

        Raises:
            InputError: If no training object has a modality, or a vector is the mean itself.
        """
        names, training = self.names, self.split != "test"
        vectors = {name: centre(self.vectors[name], self.present[name], training, name) for name in names}
        present = {name: self.present[name] for name in names}
        without: dict[str, Any] = {"together": "", "pooled": ""}
        return replace(self, name="aligned, centred", vectors=vectors, present=present, **without)._concatenated()

    @classmethod
    def unaligned(cls, features: FeatureSet, store: EmbeddingStore, where: str = "") -> Space:
        """Features of the store's objects, with its split; observations are averaged where the store pooled them.

        Each dimension has mean 0 and standard deviation 1 over the training objects, and each modality the same
        weight when they stand side by side.

        Args:
            features: What the encoders gave.
            store: What alignment made of it.
            where: Which objects are judged, and make up the memory.

        Raises:
            InputError: If features and store share no object, or a feature is not finite.
        """
        asked = cls.of(store, where)
        keys = features.groups if store.manifest.get("pool") == "group" else features.object_ids
        order = np.argsort(store.object_ids)
        place = order[np.searchsorted(store.object_ids, keys, sorter=order).clip(max=len(store) - 1)]
        known = store.object_ids[place] == np.asarray(keys)
        if not known.any():
            raise InputError("features and embeddings share no object. Give the features that were embedded.")
        vectors, present = {}, {}
        for name in [one for one in store.names if one in features.names]:
            rows = np.flatnonzero(known & np.asarray(features.present(name)))
            means, has = _mean(np.asarray(features.matrix(name)[rows]), place[rows], len(store))
            present[name] = has & asked.present[name]
            if wrong := int((~np.isfinite(means[present[name]]).all(axis=1)).sum()):
                raise InputError(
                    f"features of {name}: {wrong} of {present[name].sum()} vectors hold NaN or infinity. Extract again."
                )
            vectors[name] = _standardised(means, present[name] & (store.split != "test"))
        return replace(asked, name="features", vectors=vectors, present=present, together="")._concatenated()

    def _concatenated(self) -> Space:
        if len(self.vectors) < 2:
            return self
        together = "+".join(self.vectors)
        vectors = {**self.vectors, together: np.concatenate(list(self.vectors.values()), axis=1)}
        present = {**self.present, together: np.all(list(self.present.values()), axis=0)}
        return replace(self, vectors=vectors, present=present, together=together)

    @property
    def names(self) -> list[str]:
        """The modalities, without their concatenation and their mean."""
        return [name for name in self.vectors if name not in (self.together, self.pooled)]

    @property
    def shared(self) -> bool:
        """Whether vectors of different modalities can be compared."""
        return self.name != "features"

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
