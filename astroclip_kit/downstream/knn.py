"""Properties of objects, read off their nearest neighbours in a space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..embeddings.index import ExactIndex
from ..errors import InputError, UsageError

__all__ = ["KnnPrediction", "predict"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
Metric = Literal["cosine", "euclidean"]


@dataclass(frozen=True)
class KnnPrediction:
    """What the neighbours of each query say.

    Args:
        value: Weighted mean of the neighbours' values, or the class with the most weight [Q].
        spread: Weighted standard deviation of the neighbours' values, or 1 - weight of the class [Q].
        rows: Neighbours as row numbers of the memory, nearest first [Q, k].
        distance: Their distances [Q, k]: 1 - cosine, or Euclidean.
        weights: Their weights [Q, k]; each row adds up to 1.
        left_out: Number of rows of the memory without a label.
        classes: Names of all classes of the memory [C]; empty for numbers.
        probabilities: Weight of each class [Q, C].

    Example:
        >>> found = predict([[1.0, 0], [0, 1]], ["QSO", "STAR"], [[1.0, 0.2]], k=2)
        >>> found.value, found.probabilities.round(2)
        (array(['QSO'], dtype='<U4'), array([[0.98, 0.02]]))
    """

    value: Array
    spread: Float
    rows: npt.NDArray[np.int64]
    distance: Float
    weights: Float
    left_out: int
    classes: Array
    probabilities: Float


def predict(
    memory_z: npt.ArrayLike,
    memory_y: npt.ArrayLike,
    query_z: npt.ArrayLike,
    *,
    k: int = 16,
    weights: Literal["distance", "uniform"] = "distance",
    metric: Metric = "cosine",
    exclude: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    standardise: bool = False,
) -> KnnPrediction:
    """k-nearest-neighbour regression (numbers) or classification (text).

    Memory and queries may be embeddings of different modalities: spectra with known redshift as memory,
    images as queries.

    Args:
        memory_z: Vectors with known labels [M, D].
        memory_y: Their labels [M]; rows with NaN or "" are left out and counted.
        query_z: Vectors to predict for [Q, D].
        k: Number of neighbours.
        weights: "distance" weighs by inverse distance (a neighbour at distance zero takes all), as scikit-learn
            does; "uniform" equally.
        metric: "cosine" (1 - cosine of the angle) or "euclidean".
        exclude: Ids of the queries [Q] and of the memory rows [M] (the objects, or their groups): a row with the
            id of its query is no neighbour. Give it wherever queries are part of the memory.
        standardise: Whether to bring every dimension to mean 0 and standard deviation 1 of the memory.

    Raises:
        InputError: If lengths differ, no label is known, or k exceeds the labelled memory.
        UsageError: If `weights` or `metric` is none of the above.

    Example:
        >>> found = predict([[1.0, 0], [0, 1], [0.9, 0.1]], [0.1, 3.0, 0.3], [[1.0, 0.1]], k=2, weights="uniform")
        >>> found.value.round(2), found.rows
        (array([0.2]), array([[2, 0]]))
    """
    if weights not in ("distance", "uniform") or metric not in ("cosine", "euclidean"):
        raise UsageError(
            f"expected weights distance or uniform and metric cosine or euclidean, found {weights}, {metric}."
        )
    z, y, q = np.asarray(memory_z, np.float32), _labels(memory_y), np.asarray(query_z, np.float32)
    if z.ndim != 2 or y.shape != z.shape[:1]:
        raise InputError(f"memory: expected one label per vector, found shapes {z.shape} and {y.shape}.")
    asked, held = (None, None) if exclude is None else (np.asarray(ids) for ids in exclude)
    if held is not None and len(held) != len(y):
        raise InputError(f"exclude: expected an id for each of {len(y)} rows, found {len(held)}.")
    known = np.flatnonzero(y != "" if y.dtype.kind == "U" else np.isfinite(y))
    if not 1 <= k <= len(known):
        raise InputError(f"k: expected 1 to {len(known)} (rows of the memory with a label), found {k}.")
    z = z[known]
    if standardise:
        mean, std = z.mean(axis=0), z.std(axis=0)
        z, q = (z - mean) / np.where(std > 0, std, 1), (q - mean) / np.where(std > 0, std, 1)
    rows, distance = neighbours(z, q, k, metric, None if held is None else held[known], asked)
    rows, weight = known[rows], weigh(distance, weights)
    classes = np.unique(y[known]) if y.dtype.kind == "U" else np.empty(0, dtype=str)
    value, spread, probabilities = vote(y[rows], weight, classes) if len(classes) else average(y[rows], weight)
    return KnnPrediction(value, spread, rows, distance, weight, len(y) - len(known), classes, probabilities)


def _labels(y: npt.ArrayLike) -> Array:
    """Numbers as float64, text as text; None among text is "", as for a missing class."""
    labels = np.asarray(y)
    if labels.dtype.kind == "O":
        labels = np.array(["" if one is None or one != one else str(one) for one in labels], dtype=str)
    return labels.astype(str) if labels.dtype.kind in "SU" else labels.astype(np.float64)


def neighbours(
    memory: npt.NDArray[np.float32],
    queries: npt.NDArray[np.float32],
    k: int,
    metric: Metric = "cosine",
    memory_ids: Array | None = None,
    query_ids: Array | None = None,
) -> tuple[npt.NDArray[np.int64], Float]:
    """Rows of the k nearest neighbours and their distances, both [Q, k], nearest first.

    Args:
        memory: Vectors to choose from [M, D].
        queries: Vectors that ask [Q, D].
        k: Number of neighbours.
        metric: See `predict`.
        memory_ids: Id of each memory row [M], where some are excluded.
        query_ids: Id that each query excludes [Q].

    Raises:
        InputError: If the vectors do not fit, are not finite or zero (cosine), or k is too large.
    """
    if queries.ndim != 2 or memory.shape[1] != queries.shape[1]:
        raise InputError(f"memory and queries: expected equal dimensions, found {memory.shape} and {queries.shape}.")
    if metric == "cosine":
        memory, queries = _unit(memory, "memory"), _unit(queries, "queries")
        rows = ExactIndex(memory, ids=memory_ids).search(queries, k, query_ids)[1]
        distance = _squared_distance(memory, queries, rows) / 2
    else:
        index = ExactIndex(_paraboloid(memory, memory=True), ids=memory_ids, precision="float32")
        rows = index.search(_paraboloid(queries, memory=False), k, query_ids)[1]
        distance = np.sqrt(_squared_distance(memory, queries, rows))
    order = np.argsort(distance, axis=1, kind="stable")  # float32 similarities order all but the last digits
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(distance, order, axis=1)


def _unit(vectors: npt.NDArray[np.float32], name: str) -> npt.NDArray[np.float32]:
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(norm) & (norm > 0)).all():
        row = int(np.flatnonzero(~(np.isfinite(norm) & (norm > 0)))[0])
        raise InputError(f"{name}: vector {row} is zero or NaN and has no direction. Leave out absent rows.")
    return np.asarray(vectors / norm)


def _paraboloid(x: npt.NDArray[np.float32], *, memory: bool) -> npt.NDArray[np.float32]:
    """Vectors whose inner product is -|q - m|^2 / 2; the half norms are split in two to keep float64 digits."""
    half = -0.5 * np.square(x, dtype=np.float64).sum(axis=1, keepdims=True)
    high = half.astype(np.float32)
    low = (half - high).astype(np.float32)
    one = np.ones_like(high)
    return np.hstack([x, high, low, one, one] if memory else [x, one, one, high, low])


def _squared_distance(memory: Array, queries: Array, rows: npt.NDArray[np.int64], step: int = 1024) -> Float:
    found = [
        np.square(memory[rows[i : i + step]].astype(np.float64) - queries[i : i + step, None]).sum(axis=2)
        for i in range(0, len(rows), step)
    ]
    return np.concatenate(found) if found else np.empty(rows.shape)


def weigh(distance: Float, weights: str) -> Float:
    """Weights [Q, k] of neighbours at these distances; each row adds up to 1."""
    if weights == "uniform":
        return np.full_like(distance, 1 / distance.shape[1])
    same = distance == 0
    weight = np.where(same.any(axis=1, keepdims=True), same, 1 / np.where(same, 1, distance))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def average(y: Float, weight: Float, period: float = 0.0) -> tuple[Float, Float, Float]:
    """Weighted mean [Q] of the neighbours' numbers, their deviation [Q], and no probabilities [Q, 0].

    Args:
        y: Numbers [Q, k].
        weight: Weights [Q, k], each row adding up to 1.
        period: Of angles: then the mean direction, from 0 to the period, and the angular deviation
            sqrt(2 (1 - R)), where R is the length of the mean of unit vectors (Batschelet 1981, Circular Statistics
            in Biology, Sect. 2.3).
    """
    if period:
        to_radians = 2 * np.pi / period
        resultant = np.sum(weight * np.exp(1j * y * to_radians), axis=1)
        value = np.angle(resultant) / to_radians % period
        spread = np.sqrt(2 * np.clip(1 - np.abs(resultant), 0, None)) / to_radians
    else:
        power = np.frexp(np.abs(y).max(axis=1, initial=0))[1]  # a power of 2 off is exact, and no square overflows
        y = np.ldexp(y, -power[:, None])
        mean = y[:, 0] + np.sum(weight * (y - y[:, :1]), axis=1)  # exact where all agree
        value = np.ldexp(mean, power)
        spread = np.ldexp(np.sqrt(np.sum(weight * (y - mean[:, None]) ** 2, axis=1)), power)
    return value, spread, np.empty((len(y), 0))


def vote(y: Array, weight: Float, classes: Array) -> tuple[Array, Float, Float]:
    """The class with the most weight [Q], 1 - its weight [Q], and the weight of every class [Q, C].

    Args:
        y: Classes of the neighbours [Q, k].
        weight: Weights [Q, k], each row adding up to 1.
        classes: All classes, sorted [C].
    """
    flat = np.arange(len(y))[:, None] * len(classes) + np.searchsorted(classes, y)
    votes = np.bincount(flat.ravel(), weight.ravel(), len(y) * len(classes)).reshape(len(y), len(classes))
    votes = votes / votes.sum(axis=1, keepdims=True)  # exactly 1 where all agree
    return classes[votes.argmax(axis=1)], 1 - votes.max(axis=1), votes
