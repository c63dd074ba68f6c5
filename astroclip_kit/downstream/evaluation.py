"""All numbers of a space on its held-out objects: retrieval, and properties by nearest neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from .. import metrics
from ..errors import InputError
from ..types import Result
from . import retrieval
from .held_out import HeldOut, by_neighbours, by_supervision
from .space import REDSHIFTS, Space

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore
    from ..features import FeatureSet

__all__ = ["evaluate", "retrieval_results", "score"]

KS = (1, 5, 10)
Array = npt.NDArray[Any]


def evaluate(
    store: EmbeddingStore,
    properties: Sequence[str] = (),
    *,
    features: FeatureSet | None = None,
    k: int = 16,
    weights: Literal["distance", "uniform"] = "distance",
    metric: Literal["cosine", "euclidean"] = "cosine",
    n_boot: int = 1000,
    seed: int = 0,
) -> list[Result]:
    """Measures a space on its held-out objects.

    Retrieval: each held-out object asks with one modality for itself in another, among the held-out objects.
    Properties: k-NN with training (and validation) objects of one modality as memory and held-out objects of
    the same or another modality as queries, and with all modalities side by side.

    Args:
        store: Embeddings with a split.
        properties: Labels to predict, also "log10(name)"; numbers by regression, text by classification.
        features: The features before alignment: the same numbers for them (space "features") and for gradient
            boosting on them (space "supervised"), on the same split.
        k: Number of neighbours.
        weights: "distance" or "uniform", see `knn.predict`.
        metric: "cosine" or "euclidean", see `knn.predict`.
        n_boot: Resamples of the 95 % intervals; whole groups are drawn.
        seed: Of the resampling and of the gradient boosting.

    Returns:
        Results with interval; `chance` is what guessing reaches in retrieval, and whoever always says the most
        frequent class, or the mean of the training objects, in prediction.

    Raises:
        InputError: If nothing is held out, a property is known for no held-out object, or k is too large.
        UsageError: If a property is no label.
    """
    space = Space.aligned(store)
    results = list(retrieval_results(space, n_boot=n_boot, seed=seed))
    spaces = [space] if features is None else [space, Space.unaligned(features, store)]
    predictions: list[HeldOut] = []
    for wanted in properties:
        found = [one for each in spaces for one in by_neighbours(each, wanted, k=k, weights=weights, metric=metric)]
        if not found:
            raise InputError(f"property {wanted!r} is known for no held-out object, or for no training object.")
        predictions += found
        if features is not None:
            predictions += by_supervision(spaces[1], wanted, seed)
    results += [one for prediction in predictions for one in score(prediction, space, n_boot, seed)]
    return results


def retrieval_results(space: Space, *, n_boot: int, seed: int) -> Iterator[Result]:
    """Recall@1, 5, 10 and median rank of every ordered pair of modalities, among held-out objects.

    In-modal retrieval is measured where objects were observed more than once.

    Args:
        space: Aligned vectors.
        n_boot: Resamples of the intervals.
        seed: Of the resampling.
    """
    rows = {name: space.rows(name, held_out=True) for name in space.names}
    for query, target in [*permutations(space.names, 2), *((name, name) for name in space.names)]:
        asked, held = space.groups[rows[query]], space.groups[rows[target]]
        own = query == target
        if (len(np.unique(held)) == len(held)) if own else not len(np.intersect1d(asked, held)):
            continue
        z, t = space.vectors[query][rows[query]], space.vectors[target][rows[target]]
        found = retrieval.rank(z, t, asked, held, exclude_self=own)
        numbers = retrieval.recall(found, KS)
        low, high = metrics.bootstrap(_recalls, [found.rank], n_boot=n_boot, seed=seed, groups=asked[found.queries])
        for i, (name, (value, chance)) in enumerate(numbers.items()):
            interval = float(low[i]), float(high[i])
            about = Result("retrieval", query, target, "", name, value, *interval, len(found.queries), **_source(space))
            yield replace(about, chance=chance)


def _recalls(ranks: Array) -> list[float]:
    return [*(metrics.recall_at_k(ranks, k) for k in KS), metrics.median_rank(ranks)]


def score(prediction: HeldOut, space: Space, n_boot: int = 1000, seed: int = 0) -> Iterator[Result]:
    """Metrics of a prediction, with intervals and beside what a constant answer reaches.

    Args:
        prediction: What was predicted for held-out objects.
        space: Where they come from.
        n_boot: Resamples of the intervals.
        seed: Of the resampling.

    Returns:
        R2, NMAD and, for redshifts, the outlier fraction; accuracy, balanced accuracy and macro F1 for classes.
    """
    task = "classification" if prediction.true.dtype.kind == "U" else "regression"
    true, said = prediction.true, prediction.value
    constant = np.full_like(true, prediction.constant)
    if task == "classification":
        codes = np.unique(np.concatenate([true, said, constant]), return_inverse=True)[1]
        true, said, constant = np.split(codes, 3)
        names, numbers = ["accuracy", "balanced_accuracy", "macro_f1"], _classification
    elif prediction.property in REDSHIFTS:
        names, numbers = ["r2", "nmad", "outlier_fraction"], _redshift
    else:
        names, numbers = ["r2", "nmad"], _regression
    low, high = metrics.bootstrap(numbers, [true, said], n_boot=n_boot, seed=seed, groups=space.groups[prediction.rows])
    about = task, prediction.query, prediction.target, prediction.property
    for i, (name, value, chance) in enumerate(zip(names, numbers(true, said), numbers(true, constant), strict=True)):
        interval = float(low[i]), float(high[i])
        one = Result(*about, name, value, *interval, len(true), **_source(space))
        yield replace(one, chance=chance, space=prediction.space)


def _source(space: Space) -> dict[str, Any]:
    return {name: space.source[name] for name in ("seed", "dataset", "origin")}


def _classification(true: Array, said: Array) -> list[float]:
    return [metrics.accuracy(true, said), metrics.balanced_accuracy(true, said), metrics.macro_f1(true, said)]


def _regression(true: Array, said: Array) -> list[float]:
    return [metrics.r2(true, said), metrics.nmad(true, said)]


def _redshift(true: Array, said: Array) -> list[float]:
    return [metrics.r2(true, said), metrics.nmad(true, said, redshift=True), metrics.outlier_fraction(true, said)]
