"""The figures that belong to an evaluation: training, predictions, and matches that one can look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np

from ..downstream.centroids import class_centroids
from ..downstream.held_out import HeldOut, by_neighbours
from ..downstream.properties import Property, those_with_classes
from ..downstream.space import REDSHIFTS, Space
from ..embeddings.search import nearest
from ..settings import Evaluation
from .figures.calibration import reliability_diagram
from .figures.class_space import centroid_similarity
from .figures.classification import confusion_matrix, precision_recall_curves, roc_curves
from .figures.predictions import predicted_against_true
from .figures.sheets import retrieval_sheet
from .figures.similarities import similarity_histogram
from .figures.training import learning_curves
from .wording import pair

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..data import Dataset
    from ..embeddings import EmbeddingStore

__all__ = ["evaluation_figures"]

Captioned = Iterator[tuple[str, "Figure"]]
MATCHES = 5


def evaluation_figures(
    store: EmbeddingStore,
    properties: Sequence[str] = (),
    *,
    dataset: Dataset | None = None,
    history: Sequence[Sequence[Mapping[str, float]]] = (),
    settings: Evaluation = Evaluation(),
    panels: int = 2,
) -> dict[str, Figure]:
    """Caption to figure of everything that can be drawn from what is given.

    Args:
        store: The space, with a split.
        properties: Labels that were predicted.
        dataset: For contact sheets of held-out objects beside their best matches.
        history: Training history of each member of the model, as its manifest keeps it.
        settings: As of the evaluation: neighbours, which objects, seed.
        panels: Held-out objects whose matches are shown, in all directions.
    """
    space = Space.aligned(store, settings.where)
    space = space.with_mean(store) if settings.mean else space
    drawn: list[tuple[str, Figure]] = []
    if history and history[0]:
        drawn.append(("Training.", learning_curves(history[0], history[1:])))
    for wanted in properties:
        for one in by_neighbours(space, wanted, **settings.neighbours):
            drawn += _draw(one, space, store.manifest.get("units", {}), settings.seed)
    drawn += _centroids(store, properties) if settings.examples else []
    if properties or dataset is not None:
        drawn += _similarities(space, settings.seed)
    if dataset is not None:
        drawn += _sheets(store, space, dataset, panels, settings.seed)
    return dict(drawn)


def _draw(one: HeldOut, space: Space, units: Mapping[str, str], seed: int) -> Captioned:
    """A number against what is true; of classes the confusion and, within a modality, curves and calibration."""
    title = pair(one.query, one.target)
    groups, memory = space.groups[one.rows], space.split[space.rows(one.target, held_out=False)]
    whose = "training" if (memory == "train").any() else "other held-out"
    how = f"{one.query} of held-out objects, {one.target} of {whose} objects as memory"
    about = f"{one.property} of {len(one.rows):,} held-out objects by nearest neighbours"
    if not len(one.classes):
        redshift = one.property in REDSHIFTS
        said = one.true + _turned(one.value - one.true, one.period)
        of = Property.parse(one.property)
        unit = units.get(of.label, "")
        unit = f"dex({unit})" if of.logarithm and unit else unit
        figure = predicted_against_true(one.true, said, of.column, unit=unit, redshift=redshift, title=title)
        yield f"{about}: {how}.", figure
        return
    yield f"{about}: {how}.", confusion_matrix(one.true, one.value, title=title)
    if one.query == one.target and len(np.unique(one.true)) > 1:
        names, scores = _scores(one)
        curves: dict[str, Any] = {"groups": groups, "seed": seed, "title": title}
        yield f"ROC curves of {about}: {how}.", roc_curves(one.true, scores, names, **curves)
        figure = precision_recall_curves(one.true, scores, names, **curves)
        yield f"Precision and recall of {about}: {how}; marks at the right: guessing.", figure
        yield f"Calibration of {about}: {how}.", reliability_diagram(one.true, scores, names, title=title)


def _centroids(store: EmbeddingStore, properties: Sequence[str]) -> Captioned:
    """Of every property that is a class."""
    for label in those_with_classes(store.labels, properties):
        caption = f"How alike the centroids of {label} are, within each modality and between two."
        yield caption, centroid_similarity(class_centroids(store, label))


def _turned(difference: Any, period: float) -> Any:
    """Differences of angles go the short way round."""
    return (difference + period / 2) % period - period / 2 if period else difference


def _scores(one: HeldOut) -> tuple[Any, Any]:
    """Classes and their probabilities; a class that no training object has was given the probability 0."""
    new = np.setdiff1d(one.true, one.classes)
    nothing = np.zeros((len(one.rows), len(new)))
    return np.concatenate([one.classes, new]), np.concatenate([one.probabilities, nothing], axis=1)


def _similarities(space: Space, seed: int) -> Captioned:
    """Of each pair of modalities, among held-out objects."""
    for query, target in combinations(space.names, 2):
        rows = np.intersect1d(space.rows(query, held_out=True), space.rows(target, held_out=True))
        if len(rows) < 2:
            continue
        a, b = space.vectors[query][rows], space.vectors[target][rows]
        other = np.random.default_rng(seed).permutation(len(rows))
        apart = space.groups[rows] != space.groups[rows[other]]
        if apart.any():
            same, different = (np.einsum("nd,nd->n", a, b), np.einsum("nd,nd->n", a, b[other])[apart])
            caption = (
                f"How alike {query} and {target} of {len(rows):,} held-out objects are: of one object, and of two."
            )
            yield caption, similarity_histogram(same, different, title=f"{query}, {target}")


def _sheets(store: EmbeddingStore, space: Space, dataset: Dataset, count: int, seed: int) -> Captioned:
    """Matches among held-out objects in every direction: they are what the numbers are about."""
    held_out = {name: space.rows(name, held_out=True) for name in space.names}
    everywhere = np.ones(len(store), dtype=bool)
    for rows in held_out.values():
        everywhere &= np.isin(np.arange(len(store)), rows)
    rows = np.flatnonzero(everywhere)
    if len(rows) < 2 or len(space.names) > MATCHES:
        return
    for row in np.random.default_rng(seed).choice(rows, min(count, len(rows)), replace=False):
        answers = []
        for query, target in product(space.names, repeat=2):
            k = min(MATCHES, len(held_out[target]) - 1)
            among = np.isin(np.arange(len(store)), held_out[target])
            answers.append(nearest(store, int(row), query=query, target=target, k=k, among=among))
        caption = (
            f"{store.object_ids[row]} asks with each modality (framed orange) for the held-out objects that are most "
            f"similar in each (framed green)."
        )
        yield caption, retrieval_sheet(answers, dataset, names=_shown(dataset, space.names))


def _shown(dataset: Dataset, names: Sequence[str]) -> list[str]:
    return [name for name in names if name in dataset.modalities]
