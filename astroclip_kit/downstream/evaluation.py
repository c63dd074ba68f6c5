"""All numbers of a space on its held-out objects: retrieval, properties, and what the space looks like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations, product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import metrics
from ..errors import InputError, UsageError
from ..settings import Evaluation, Prediction
from ..types import Result
from . import retrieval
from .diagnostics import diagnose
from .few_examples import METHODS, few_shot
from .held_out import HeldOut, by_neighbours, by_probes, by_supervision
from .properties import those_with_classes
from .scoring import score
from .space import Space

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore
    from ..features import FeatureSet

__all__ = ["coverage_results", "evaluate", "retrieval_results"]

KS = (1, 5, 10)
Array = npt.NDArray[Any]


def evaluate(
    store: EmbeddingStore,
    properties: Sequence[str] = (),
    *,
    features: FeatureSet | None = None,
    settings: Evaluation = Evaluation(),
) -> list[Result]:
    """Measures a space on its held-out objects.

    Retrieval: each held-out object asks with one modality for itself in another, among the held-out objects.
    Properties: k-NN with training (and validation) objects of one modality as memory and held-out objects of
    the same or another modality as queries, and with all modalities side by side; probes on the same split; of
    classes, few examples of each (`few_shot`). Space: `diagnose`. Coverage: `measure_coverage`, by cosine, within each
    modality.

    Args:
        store: Embeddings with a split.
        properties: Labels to predict, also "log10(name)" and "circular(name, period)"; numbers by regression, text by
            classification.
        features: The features before alignment: the same numbers for them (space "features") and for gradient
            boosting on them (space "supervised"), on the same split.
        settings: Number of neighbours, protocol, which objects, and what else is measured.

    Returns:
        Results with interval; `chance` is what guessing reaches in retrieval, and whoever always says the most
        frequent class, or the mean of the training objects, in prediction. With a condition, results of task
        "selection" say how many objects of each modality are judged, and make up the memory, of how many (`n`).

    Raises:
        InputError: If nothing is held out, a property is known for no held-out object, or by too few others to
            calibrate a coverage, or k is too large.
        UsageError: If a property is no label, or shots are asked for and none is a class.
    """
    space = Space.aligned(store, settings.where)
    space = space.with_mean(store) if settings.mean else space
    # First, since it may lack objects that calibrate: nothing else is then computed in vain.
    covered = coverage_results(store, space, properties, settings) if settings.coverage else []
    spaces = [space, space.centred()] if settings.centre else [space]
    results = list(_selected(space, store, settings.where)) if settings.where else []
    for each in spaces:
        results += retrieval_results(each, n_boot=settings.n_boot, seed=settings.seed)
    unaligned = None if features is None else Space.unaligned(features, store, settings.where)
    for wanted in properties:
        for one in _predictions(spaces, unaligned, wanted, settings):
            results += score(one, space, settings.n_boot, settings.seed)
    if settings.examples:
        results += _few_shots(store, properties, settings)
    for each in spaces:
        results += diagnose(each, seed=settings.seed)
    return results + covered


def _few_shots(store: EmbeddingStore, properties: Sequence[str], settings: Evaluation) -> Iterator[Result]:
    """Of every property that is a class, by all methods."""
    classes = those_with_classes(store.labels, properties)
    if not classes:
        raise UsageError(f"shots are of classes, and none of {', '.join(properties) or 'no properties'} is one.")
    how: dict[str, Any] = {"shots": settings.examples, "draws": settings.draws, "settings": settings}
    for label, method in product(classes, METHODS):
        yield from few_shot(store, label, method=method, **how)


def _predictions(spaces: Sequence[Space], unaligned: Space | None, wanted: str, settings: Evaluation) -> list[HeldOut]:
    """Of one property, by neighbours in every space, by probes before and after alignment, and supervised."""
    everywhere = [*spaces, unaligned] if unaligned else spaces
    found = [one for space in everywhere for one in by_neighbours(space, wanted, **settings.neighbours)]
    if not found:
        raise InputError(f"property {wanted!r} is known for no held-out object, or for no training object.")
    if settings.probes:
        for space in (spaces[0], unaligned) if unaligned else spaces[:1]:
            found += by_probes(space, wanted, settings.seed)
    return found + (list(by_supervision(unaligned, wanted, settings.seed)) if unaligned else [])


def coverage_results(
    store: EmbeddingStore, space: Space, properties: Sequence[str], settings: Evaluation
) -> list[Result]:
    """How often intervals hold the truth, within each modality, of properties that some of its held-out objects have.

    Args:
        store: Embeddings with a split.
        space: Their vectors.
        properties: Labels to predict.
        settings: Which coverage is wanted, number of neighbours, which objects.

    Raises:
        InputError: If too few objects are left to calibrate the intervals.
    """
    from .coverage import measure_coverage
    from .properties import Property, known

    own = settings.neighbours
    how = Prediction(own["k"], own["weights"], coverage=settings.coverage, seed=settings.seed)
    results = []
    for name in space.names:
        asked = space.rows(name, held_out=True)
        told = [one for one in properties if known(Property.parse(one).values(space.labels))[asked].any()]
        results += measure_coverage(store, told, query=name, where=settings.where, settings=how)
    return [replace(one, **_source(space)) for one in results]


def _selected(space: Space, store: EmbeddingStore, where: str) -> Iterator[Result]:
    """How many objects fulfil a condition, on each side of the split."""
    for name in space.names:
        for metric, held_out in (("judged", True), ("memory", False)):
            total = int((store.present(name) & ((store.split == "test") == held_out)).sum())
            count = len(space.rows(name, held_out=held_out))
            yield Result("selection", name, name, where, metric, count, np.nan, np.nan, total, **_source(space))


def retrieval_results(space: Space, *, n_boot: int, seed: int) -> Iterator[Result]:
    """Recall@1, 5, 10 and median rank of every ordered pair of modalities, among held-out objects.

    In-modal retrieval is measured where objects were observed more than once.

    Args:
        space: Vectors that can be compared.
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
        objects = asked[found.queries]
        low, high = metrics.bootstrap(_recalls, [found.rank], n_boot=n_boot, seed=seed, groups=objects)
        for i, (name, (value, chance)) in enumerate(numbers.items()):
            interval = float(low[i]), float(high[i])
            if name != "median_rank":
                interval = metrics.share_interval(value, *interval, len(np.unique(objects)))
            about = Result("retrieval", query, target, "", name, value, *interval, len(found.queries), **_source(space))
            yield replace(about, chance=chance, space=space.name)


def _recalls(ranks: Array) -> list[float]:
    return [*(metrics.recall_at_k(ranks, k) for k in KS), metrics.median_rank(ranks)]


def _source(space: Space) -> dict[str, Any]:
    return {name: space.source[name] for name in ("seed", "dataset", "origin")}
