"""Several modalities as one query or one memory: side by side, or pooled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import UsageError

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore

__all__ = ["Combination"]

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Combination:
    """Which modalities ask and which answer.

    Side by side, the similarity of two objects is the mean of the similarities of their modalities; a single
    modality on one side is compared with each on the other. Pooled, it is that of the most similar modality.

    Args:
        query: Modalities that ask.
        memory: Modalities that answer.
        pooled: Whether any one of the memory's modalities is enough; else an object needs all of them.

    Example:
        >>> image = np.array([[1.0, 0.0]], np.float32)
        >>> Combination(("image",), ("image", "spectrum")).queries(lambda name: image).tolist()
        [[1.0, 0.0, 1.0, 0.0]]
    """

    query: tuple[str, ...]
    memory: tuple[str, ...]
    pooled: bool = False

    @classmethod
    def parse(cls, store: EmbeddingStore, query: str = "", memory: str = "") -> Combination:
        """From what a user writes.

        Args:
            store: Where the modalities are.
            query: "image", "image+spectrum"; by default the same as a memory side by side, else the store's first.
            memory: The same as `query` by default; "any" pools all modalities.

        Raises:
            UsageError: If a modality is unknown, or two combinations cannot be compared.
        """
        pooled = memory == "any" and "any" not in store.names
        query = query or (memory if "+" in memory else store.names[0])
        asking, answering = ((*map(str.strip, words.split("+")),) for words in (query, memory or query))
        answering = tuple(store.names) if pooled else answering
        for name in (*asking, *answering):
            store.present(name)  # says which modalities there are
        if len(asking) > 1 and len(answering) > 1 and not pooled:
            if sorted(asking) != sorted(answering):
                raise UsageError(f"{query} cannot be compared with {memory}: give the same modalities, or one of them.")
            asking = answering
        return cls(asking, answering, pooled)

    def __str__(self) -> str:
        return "any modality" if self.pooled else "+".join(self.memory)

    def asks(self, store: EmbeddingStore) -> npt.NDArray[np.bool_]:
        """Which rows can ask [N]."""
        return np.asarray(np.all([store.present(name) for name in self.query], axis=0))

    def answers(self, store: EmbeddingStore) -> npt.NDArray[np.bool_]:
        """Which rows can answer [N]."""
        present = [store.present(name) for name in self.memory]
        return np.asarray(np.any(present, axis=0) if self.pooled else np.all(present, axis=0))

    def queries(self, vectors: Callable[[str], Vectors]) -> Vectors:
        """Vectors that ask [Q, D'], from a function that gives those of one modality."""
        width = 1 if self.pooled else len(self.memory)
        return _side_by_side([vectors(name) for name in self.query], width)

    def entries(self, store: EmbeddingStore, rows: npt.NDArray[np.int64]) -> tuple[Vectors, npt.NDArray[np.int64]]:
        """Vectors that answer [M', D'] and the row that each belongs to [M']; rows without any are left out."""
        if not self.pooled:
            return _side_by_side([store.vectors(name)[rows] for name in self.memory], len(self.query)), rows
        own = [rows[store.present(name)[rows]] for name in self.memory]
        vectors = [store.vectors(name)[here] for name, here in zip(self.memory, own, strict=True)]
        return _side_by_side([np.concatenate(vectors)], len(self.query)), np.concatenate(own)


def _side_by_side(parts: list[Vectors], width: int) -> Vectors:
    """The parts as one vector; a single one as often as the other side has parts."""
    return np.hstack(parts if len(parts) > 1 else parts * width)
