"""Approximate nearest neighbours by faiss, behind the contract of `ExactIndex`, for spaces that are searched often.

Faiss proposes candidates; these are compared exactly, so similarities are true cosines however much the index
compresses, and what is approximate is only whether a neighbour was proposed. How many cells (IVF) or links (HNSW) are
visited is raised until the recall against the exact answer is reached that was asked for.

Source: Douze et al. 2024, arXiv:2401.08281.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FolderError, UsageError
from ..storage import publish
from .index import ExactIndex

__all__ = ["EXACT_BELOW", "FaissIndex", "factory_for"]

EXACT_BELOW = 100_000  # rows: a single exact query of 128 dimensions takes about 40 ms there, of a core shared by ten
COMPRESS_ABOVE = 2_000_000  # rows: one byte per value instead of four
OVERSAMPLE = 4  # candidates per answer, which are then compared exactly
FEWEST_CANDIDATES = 32
MOST_CANDIDATES = 4096  # per query; a query that needs more is searched exactly
TRAINING_ROWS = 65_536
SAMPLE = 256  # queries by which the recall is measured
SAMPLE_K = 10
BLOCK_VALUES = 2**24  # of gathered candidates
EFFORTS = ("nprobe", "efSearch")
Sample = tuple[npt.ArrayLike, npt.ArrayLike]


def factory_for(rows: int) -> str:
    """How a memory of some rows is searched where the user does not say: "" exactly, else faiss's factory string.

    Exactly below 100,000 rows; then in about the root of their number of cells; above 2,000,000 rows at one byte per
    value as well.

    Example:
        >>> factory_for(20_000), factory_for(250_000), factory_for(4_000_000)
        ('', 'IVF500,Flat', 'IVF2000,SQ8')
    """
    if rows < EXACT_BELOW:
        return ""
    return f"IVF{round(rows**0.5)},{'Flat' if rows <= COMPRESS_ABOVE else 'SQ8'}"


class FaissIndex:
    """Search by inner product in an index of faiss.

    Args:
        vectors: Memory [N, D], read as float32; may be memory-mapped.
        ids: Id per row [N], for leaving rows out of an answer; the row numbers by default.
        factory: How faiss builds it, e.g. "IVF256,Flat", "HNSW32", "PCA64,IVF256,SQ8"
            (github.com/facebookresearch/faiss/wiki/The-index-factory); `factory_for` the size by default.
        recall: Share of the ten nearest that shall be found; reached where the factory has an effort that can be
            raised. What was reached is the attribute of the same name.
        sample: Queries [S, D] by which that is measured, and the id that each leaves out [S]; rows of the memory by
            default.
        trained: An index of these vectors that was built before, which is taken as it is.

    Raises:
        InputError: If the vectors are no matrix, not finite, or the ids are not one per row.
        UsageError: If faiss cannot build what the factory says from these vectors.

    Example:
        >>> vectors = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)
        >>> vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        >>> index = FaissIndex(vectors, factory="IVF4,Flat")
        >>> index.search(vectors[:3], k=1)[1].tolist(), index.recall >= 0.95
        ([[0], [1], [2]], True)
    """

    def __init__(
        self,
        vectors: npt.ArrayLike,
        ids: npt.ArrayLike | None = None,
        *,
        factory: str = "",
        recall: float = 0.95,
        sample: Sample | None = None,
        trained: Any = None,
    ) -> None:
        if not 0 < recall <= 1:
            raise UsageError(f"recall is {recall}, expected a share above 0 and at most 1.")
        self.exact = ExactIndex(vectors, ids)
        self.vectors: npt.NDArray[np.float32] = self.exact.vectors.numpy()
        self.factory, self.recall = factory or factory_for(len(self)) or "Flat", recall
        self.index = trained
        if trained is None:
            self.index = self._built()
            self.recall = self._raised(recall, sample or self._own_rows())

    def __len__(self) -> int:
        return len(self.exact)

    def __repr__(self) -> str:
        return f"FaissIndex({len(self)} x {self.vectors.shape[1]}, {self.factory}, recall {self.recall:.3f})"

    def _built(self) -> Any:
        import faiss

        some = np.random.default_rng(0).permutation(len(self))[: max(TRAINING_ROWS, len(self) // 4)]
        try:
            index = faiss.index_factory(self.vectors.shape[1], self.factory, faiss.METRIC_INNER_PRODUCT)
            index.train(np.ascontiguousarray(self.vectors[np.sort(some)]))
            for start in range(0, len(self), TRAINING_ROWS):
                index.add(np.ascontiguousarray(self.vectors[start : start + TRAINING_ROWS]))
        except RuntimeError as error:
            reason = str(error).rpartition(":")[2].strip().rstrip(".") or "no reason given"
            raise UsageError(
                f"factory {self.factory!r}: faiss cannot build it from {len(self)} vectors of "
                f"{self.vectors.shape[1]} dimensions ({reason}). Try 'IVF{max(1, round(len(self) ** 0.5))},Flat'."
            ) from error
        return index

    def _own_rows(self) -> Sample:
        rows = np.random.default_rng(1).permutation(len(self))[:SAMPLE]
        return self.vectors[rows], self.exact.ids[self.exact.codes.numpy()[rows]]

    def _raised(self, target: float, sample: Sample) -> float:
        """Doubles the effort until the recall is reached, or everything is looked at; gives the recall."""
        import faiss

        space, most = faiss.ParameterSpace(), len(self)
        k = min(SAMPLE_K, len(self) - int(self.exact.counts.max()))
        if k < 1:
            return 1.0
        exact = self.exact.search(sample[0], k, sample[1])[1]
        effort, reached = 8, self._agreement(exact, sample)
        while reached < target and effort < 2 * most:
            if not any(_set(space, self.index, name, effort) for name in EFFORTS):
                break
            reached, effort = self._agreement(exact, sample), 2 * effort
        return reached

    def _agreement(self, exact: npt.NDArray[np.int64], sample: Sample) -> float:
        found = self.search(sample[0], exact.shape[1], sample[1])[1]
        shared = sum(len(np.intersect1d(*pair)) for pair in zip(exact, found, strict=True))
        return shared / exact.size

    def search(
        self, queries: npt.ArrayLike, k: int, exclude: npt.ArrayLike | None = None
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """The k rows with the largest inner product with each query, nearly always; as `ExactIndex.search`.

        Args:
            queries: [Q, D], read as float32.
            k: Number of rows per query.
            exclude: Id per query [Q]; rows of the memory with that id are not returned.

        Returns:
            Similarities float32 [Q, k], exact and falling, and row numbers int64 [Q, k].

        Raises:
            InputError: If the dimensions differ or a query has fewer than k rows to choose from.
        """
        tensor, codes = self.exact.check(queries, k, exclude)
        q = tensor.numpy()
        left_out = int(np.where(codes >= 0, self.exact.counts[codes], 0).max(initial=0))
        wanted = min(max(OVERSAMPLE * k, FEWEST_CANDIDATES) + left_out, len(self))
        if wanted > MOST_CANDIDATES:
            return self.exact.search(q, k, exclude)
        similarity, rows = np.empty((len(q), k), np.float32), np.empty((len(q), k), np.int64)
        step = max(1, BLOCK_VALUES // (wanted * q.shape[1]))
        for start in range(0, len(q), step):
            part = slice(start, start + step)
            similarity[part], rows[part] = self._compared(q[part], codes[part], wanted, k)
        if len(lacking := np.flatnonzero(similarity[:, -1] == -np.inf)):  # too few in the cells that were visited
            again = None if exclude is None else np.asarray(exclude)[lacking]
            similarity[lacking], rows[lacking] = self.exact.search(q[lacking], k, again)
        return similarity, rows

    def _compared(
        self, q: npt.NDArray[np.float32], codes: npt.NDArray[np.int64], wanted: int, k: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """The k best candidates by their exact products; -inf where there are fewer."""
        rows = np.sort(self.index.search(q, wanted)[1], axis=1)
        inside = rows.clip(min=0)
        products = np.einsum("qcd,qd->qc", self.vectors[inside].astype(np.float64), q.astype(np.float64))
        absent = (rows < 0) | (self.exact.codes.numpy()[inside] == codes[:, None])
        values = np.where(absent, -np.inf, products).astype(np.float32)
        order = np.argsort(-values, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(values, order, 1), np.take_along_axis(inside, order, 1)

    def save(self, path: str | Path) -> None:
        """Writes the index, without the vectors of the memory, in one step.

        Raises:
            OutputError: If the disk is full or the folder may not be written.
        """
        import faiss

        content = faiss.serialize_index(self.index)  # faiss itself does not say why a file cannot be written
        publish(path, lambda temporary: temporary.write_bytes(content.data))

    @classmethod
    def load(
        cls, path: str | Path, vectors: npt.ArrayLike, ids: npt.ArrayLike | None = None, *, factory: str, recall: float
    ) -> FaissIndex:
        """An index that `save` wrote, over the vectors that it was built from.

        Args:
            path: The file.
            vectors: The memory [N, D].
            ids: Id per row [N].
            factory: What it was built with.
            recall: What it reached.

        Raises:
            FolderError: If the file is no index, or one of other vectors.
        """
        import faiss

        try:
            trained = faiss.read_index(str(path))
        except RuntimeError as error:
            raise FolderError(f"{path} is missing or damaged. Build the index again.") from error
        index = cls(vectors, ids, factory=factory, recall=recall, trained=trained)
        if (trained.ntotal, trained.d) != index.vectors.shape:
            raise FolderError(
                f"{path} holds {trained.ntotal} vectors of {trained.d} dimensions, the memory {index.vectors.shape[0]} "
                f"of {index.vectors.shape[1]}. Build the index again."
            )
        return index


def _set(space: Any, index: Any, name: str, effort: int) -> bool:
    try:
        space.set_index_parameter(index, name, effort)
    except RuntimeError:  # this kind of index has no such effort
        return False
    return True
