"""Exact nearest neighbours: a fast pass finds candidates, an exact one ranks them, a bound proves them complete.

The answer is defined by the inner products of the float32 vectors, computed in float64 and rounded to float32;
equal values come in the order of the rows. It does not depend on block size, precision or number of threads.

Most of the time of a plain matrix product and top-k on a processor goes into the top-k, and into fresh memory for
the products. So rows share the maximum of a group, only the maxima are searched, and blocks stay small enough for
the cache and for memory that is used again.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ..errors import InputError
from ..settings import Hardware
from ..training.hardware import resolve_hardware

__all__ = ["ExactIndex"]

GROUP = 8  # rows of the memory that share one maximum
MARGIN = 32  # candidate groups beyond 2 k: the more, the seldomer a query needs the next, slower pass
SPARE = 17  # candidates beyond k that are ranked exactly, and one that is not
BLOCK_VALUES = 2**22  # values per array while searching: 16 MB, which the system does not hand out anew each time
MOST_QUERIES = 4096  # per sweep over the memory, which is rounded once in it
FEW_QUERIES = 16  # for which rounding the memory costs more than a fast product saves
Found = tuple[Tensor, Tensor]
Product = tuple[int, slice, Tensor]


class ExactIndex:
    """Search by inner product (the cosine, for unit vectors) with the exact answer of brute force.

    Args:
        vectors: Memory [N, D], read as float32.
        ids: Id per row [N], for leaving rows out of an answer; the row numbers by default.
        precision: Of the candidate pass. "auto" is bfloat16 where the processor multiplies it natively. The
            answer is the same with every setting: a query whose candidates are not proven complete by the
            rounding error bound is searched again in float32, and then in float64.
        block_rows: Rows of the memory per matrix product.

    Raises:
        InputError: If the vectors are no matrix, not finite, or the ids are not one per row.

    Example:
        >>> index = ExactIndex(np.eye(3, dtype=np.float32))
        >>> similarity, rows = index.search([[1.0, 0.5, 0.0]], k=2)
        >>> rows.tolist(), similarity.tolist()
        ([[0, 1]], [[1.0, 0.5]])
    """

    def __init__(
        self,
        vectors: npt.ArrayLike,
        ids: npt.ArrayLike | None = None,
        *,
        precision: Literal["auto", "bfloat16", "float32", "float64"] = "auto",
        block_rows: int = 32768,
    ) -> None:
        self.vectors = _matrix(vectors, "vectors")
        self.ids, codes = np.unique(np.arange(len(self)) if ids is None else np.asarray(ids), return_inverse=True)
        if codes.shape != (len(self),):
            raise InputError(f"ids: expected one per row ({len(self)}), found shape {codes.shape}.")
        self.codes = torch.from_numpy(codes)
        self.counts = np.bincount(codes, minlength=len(self.ids))
        self.order = np.argsort(codes, kind="stable")  # rows of id i: order[starts[i] : starts[i] + counts[i]]
        self.starts = np.cumsum(self.counts) - self.counts
        self.block_rows = -(-block_rows // GROUP) * GROUP
        self.errors: dict[torch.dtype, tuple[float, float]] = {}
        if precision == "auto":
            precision = "bfloat16" if resolve_hardware(Hardware("cpu"))[1] == "bfloat16" else "float32"
        passes = {"bfloat16": [torch.bfloat16, torch.float32], "float32": [torch.float32], "float64": []}
        self.passes: list[torch.dtype] = passes[precision]

    def __len__(self) -> int:
        return self.vectors.shape[0]

    def __repr__(self) -> str:
        rows, width = self.vectors.shape
        return f"ExactIndex({rows} x {width}, {str(self.passes[0] if self.passes else torch.float64)[6:]})"

    def search(
        self, queries: npt.ArrayLike, k: int, exclude: npt.ArrayLike | None = None
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """The k rows with the largest inner product with each query.

        Args:
            queries: [Q, D], read as float32.
            k: Number of rows per query.
            exclude: Id per query [Q]; rows of the memory with that id are not returned. Ids that the memory
                does not hold exclude nothing.

        Returns:
            Similarities float32 [Q, k], falling, and row numbers int64 [Q, k].

        Raises:
            InputError: If the dimensions differ or a query has fewer than k rows to choose from.
        """
        q, codes = self.check(queries, k, exclude)
        similarity, rows = np.empty((len(q), k), np.float32), np.empty((len(q), k), np.int64)
        for start in range(0, len(q), MOST_QUERIES):
            block = slice(start, start + MOST_QUERIES)
            values, found = self._search(q[block], codes[block], k)
            similarity[block], rows[block] = values.numpy(), found.numpy()
        return similarity, rows

    def check(
        self, queries: npt.ArrayLike, k: int, exclude: npt.ArrayLike | None
    ) -> tuple[Tensor, npt.NDArray[np.int64]]:
        """Refuses what cannot be answered.

        Returns:
            The queries float32 [Q, D], and the position of each query's excluded id in `self.ids` [Q], -1 for none.

        Raises:
            InputError: As `search`.
        """
        q = _matrix(queries, "queries")
        if q.shape[1] != self.vectors.shape[1]:
            raise InputError(f"queries have {q.shape[1]} dimensions, the memory has {self.vectors.shape[1]}.")
        codes = self._codes(exclude, len(q))
        left = len(self) - int(np.where(codes >= 0, self.counts[codes], 0).max(initial=0))
        if not 1 <= k <= left:
            raise InputError(
                f"k: expected 1 to {left}, found {k}: the memory holds {len(self)} rows, of which {len(self) - left} "
                f"may be excluded for a query. Use a smaller k or a larger memory."
            )
        return q, codes

    def _codes(self, exclude: npt.ArrayLike | None, count: int) -> npt.NDArray[np.int64]:
        """Position of each query's excluded id in `self.ids`; -1 where the memory does not hold it."""
        if exclude is None:
            return np.full(count, -1)
        wanted = np.asarray(exclude)
        if wanted.shape != (count,):
            raise InputError(f"exclude: expected one id per query ({count}), found shape {wanted.shape}.")
        place = np.searchsorted(self.ids, wanted).clip(max=len(self.ids) - 1)
        return np.where(self.ids[place] == wanted, place, -1)

    def _search(self, q: Tensor, codes: npt.NDArray[np.int64], k: int) -> Found:
        values, rows = torch.empty(len(q), k), torch.empty(len(q), k, dtype=torch.int64)
        todo = torch.arange(len(q))
        width = 2 * k + MARGIN
        for dtype in self.passes if width * GROUP < len(self) else []:
            if dtype == torch.bfloat16 and len(todo) < FEW_QUERIES:
                continue
            firsts, ceiling = self._candidates(q[todo], codes[todo.numpy()], width, dtype)
            exact = self._rank(q[todo], codes[todo.numpy()], firsts, k)
            values[todo], rows[todo] = exact
            todo = todo[exact[0][:, -1] <= ceiling]  # a row outside the candidates might be as near
            if dtype == torch.bfloat16 and 2 * len(todo) > len(q):
                self.passes = [torch.float32]  # the space is too dense for bfloat16: it would only cost time
            if not len(todo):
                return values, rows
        values[todo], rows[todo] = self._exhaustive(q[todo], codes[todo.numpy()], k)
        return values, rows

    def _products(self, q: Tensor, codes: npt.NDArray[np.int64], dtype: torch.dtype) -> Iterator[Product]:
        """Start of a block of the memory, a slice of the queries, and their products; excluded ones are -inf."""
        held = np.flatnonzero(codes >= 0)
        counts = self.counts[codes[held]]
        offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = self.order[np.repeat(self.starts[codes[held]], counts) + offset]
        queries, rounded = np.repeat(held, counts), q.to(dtype)
        step = max(1, BLOCK_VALUES // self.block_rows)
        for start in range(0, len(self), self.block_rows):
            block = self.vectors[start : start + self.block_rows].to(dtype).T
            within = (rows >= start) & (rows < start + self.block_rows)
            for first in range(0, len(q), step):
                products = rounded[first : first + step] @ block
                here = within & (queries >= first) & (queries < first + step)
                products[queries[here] - first, rows[here] - start] = -math.inf
                yield start, slice(first, first + step), products

    def _candidates(self, q: Tensor, codes: npt.NDArray[np.int64], width: int, dtype: torch.dtype) -> Found:
        """First rows [Q, width] of the groups with the largest rounded products, and what no other exceeds [Q]."""
        best = torch.full((len(q), width), -math.inf, dtype=dtype)
        firsts = torch.zeros(len(q), width, dtype=torch.int64)
        for start, part, products in self._products(q, codes, dtype):
            if over := -products.shape[1] % GROUP:  # in the last block
                products = functional.pad(products, (0, over), value=-math.inf)
            maxima = products.view(len(products), GROUP, -1).amax(1)
            numbers = torch.arange(start, start + maxima.shape[1]).expand_as(maxima)
            best[part], kept = torch.cat([best[part], maxima], 1).topk(width, sorted=False)
            firsts[part] = torch.cat([firsts[part], numbers], 1).gather(1, kept)
        floor = best.amin(1).double()
        return firsts, torch.where(floor.isinf(), math.inf, floor + self._slack(q, floor, dtype))

    def _members(self, firsts: Tensor) -> Tensor:
        """Rows [Q, width * GROUP] of groups; a group takes every n-th row of its block; some are past the end."""
        starts = firsts // self.block_rows * self.block_rows
        strides = ((len(self) - starts).clamp(max=self.block_rows) + GROUP - 1) // GROUP
        return (firsts[..., None] + strides[..., None] * torch.arange(GROUP)).flatten(1)

    def _slack(self, q: Tensor, floor: Tensor, dtype: torch.dtype) -> Tensor:
        """Upper bound [Q] of exact minus rounded product, for rows whose rounded product is at most `floor`.

        By Cauchy-Schwarz |q m - q' m'| <= |q - q'| |m| + |q'| |m - m'| for inputs rounded to q', m'; D products
        summed in float32 err by D 2^-24 |q| |m| (twice that, to be safe), and the sum is rounded once more.
        """
        if dtype not in self.errors:
            blocks = [self.vectors[i : i + self.block_rows] for i in range(0, len(self), self.block_rows)]
            short = 1 + 2.0**-23 * (q.shape[1] + 2)  # a norm in float32 may be, and lack squares that it cannot hold
            norm = short * max(float(block.norm(dim=1).max()) for block in blocks) + 2.0**-74 * q.shape[1] ** 0.5
            lost = 0.0 if dtype == self.vectors.dtype else max(_lost(block, dtype) for block in blocks)
            self.errors[dtype] = norm, lost
        norm, lost = self.errors[dtype]
        exact, rounded = q.double(), q.to(dtype).double()
        length = rounded.norm(dim=1)
        summing = 2.0**-23 * (q.shape[1] + 2) * length * (norm + lost) + torch.finfo(dtype).eps / 2 * floor.abs()
        bound: Tensor = (exact - rounded).norm(dim=1) * norm + length * lost + summing
        return bound

    def _rank(self, q: Tensor, codes: npt.NDArray[np.int64], firsts: Tensor, k: int) -> Found:
        """The k best of the rows in groups, in order of their exact products.

        Float32 products leave a few rows of each query to be ranked exactly; where their error bound does not prove
        that the k best are among those, all rows are.
        """
        values, rows = torch.empty(len(q), k), torch.empty(len(q), k, dtype=torch.int64)
        step = max(1, BLOCK_VALUES // (firsts.shape[1] * GROUP * q.shape[1]))
        for first in range(0, len(q), step):
            part = slice(first, first + step)
            found = self._members(firsts[part])
            inside = found.clamp(max=len(self) - 1)
            absent = (found >= len(self)) | (torch.from_numpy(codes[part])[:, None] == self.codes[inside])
            best, at = (
                self._products_with(q[part], inside, torch.float32).masked_fill(absent, -math.inf).topk(k + SPARE)
            )
            few = at[:, :-1].gather(1, inside.gather(1, at[:, :-1]).argsort(1))
            exact = self._ranked(q[part], inside.gather(1, few), absent.gather(1, few), k)
            floor = best[:, -1].double()
            proven = floor.isinf() | (exact[0][:, -1] > floor + self._slack(q[part], floor, torch.float32))
            if not proven.all():
                todo = ~proven
                members, order = inside[todo].sort(1)
                again = self._ranked(q[part][todo], members, absent[todo].gather(1, order), k)
                exact[0][todo], exact[1][todo] = again
            values[part], rows[part] = exact
        return values, rows

    def _products_with(self, q: Tensor, rows: Tensor, dtype: torch.dtype = torch.float64) -> Tensor:
        """Products [Q, n] of each query with rows of its own [Q, n], as float32."""
        vectors = self.vectors.index_select(0, rows.flatten()).to(dtype).view(*rows.shape, -1)
        return (vectors @ q.to(dtype)[..., None])[..., 0].float()

    def _ranked(self, q: Tensor, rows: Tensor, absent: Tensor, k: int) -> Found:
        """The k best of ascending rows [Q, n], in order of their products in float64."""
        products = self._products_with(q, rows).masked_fill(absent, -math.inf)
        values, order = products.sort(dim=1, descending=True, stable=True)
        return values[:, :k], rows.gather(1, order[:, :k])

    def _exhaustive(self, q: Tensor, codes: npt.NDArray[np.int64], k: int) -> Found:
        """The definition: every product in float64, rounded, sorted, ties in the order of the rows."""
        values, rows = torch.full((len(q), k), -math.inf), torch.full((len(q), k), len(self))
        for start, part, products in self._products(q, codes, torch.float64):
            numbers = torch.arange(start, start + products.shape[1]).expand_as(products)
            best, order = torch.cat([values[part], products.float()], 1).sort(dim=1, descending=True, stable=True)
            values[part], rows[part] = best[:, :k], torch.cat([rows[part], numbers], 1).gather(1, order[:, :k])
        return values, rows


def _lost(block: Tensor, dtype: torch.dtype) -> float:
    """How far rounding moves a row at most."""
    exact = block.double()
    return float((exact - block.to(dtype).double()).norm(dim=1).max())


def _matrix(values: Any, name: str) -> Tensor:
    array = np.ascontiguousarray(values, dtype=np.float32)
    if array.ndim != 2 or not array.size:
        raise InputError(f"{name}: expected a matrix [rows, dimensions] that is not empty, found shape {array.shape}.")
    if not np.isfinite(array).all():
        raise InputError(f"{name}: found NaN or infinity. Leave out the rows of objects that lack the modality.")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")  # only read here
        return torch.from_numpy(array)
