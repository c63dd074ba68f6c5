"""Properties of chosen objects as a table: what `astroclip-kit predict` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..embeddings.familiarity import familiar_rows, groups_of
from ..errors import InputError, UsageError
from ..filters import rows_where
from ..settings.prediction import Prediction
from .columns import columns_of, notes_of
from .combination import Combination
from .neighbourhood import Question
from .predicted import predict_properties
from .properties import Property

if TYPE_CHECKING:
    from astropy.table import Table

    from ..embeddings import EmbeddingStore

__all__ = ["NewObjects", "predict_table"]

Array = npt.NDArray[Any]
UNKNOWN = (
    "support is that of vectors alone, among which strange inputs can hide: it is not known how familiar the inputs "
    "look. Embed again to know it of objects and new files"
)


@dataclass(frozen=True)
class NewObjects:
    """Objects that are not in a store, embedded by its model.

    Args:
        vectors: Modality to vectors [Q, D].
        object_ids: Their ids [Q]; a row of the store with such an id, and its whole group, is no neighbour.
        familiar: Modality to how familiar their inputs look [Q], as `embed_queries` says; {} where that is not known.

    Example:
        >>> from tempfile import mkdtemp
        >>> from astroclip_kit.embeddings import EmbeddingStore
        >>> known = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9]])
        >>> store = EmbeddingStore.write(mkdtemp() + "/s", {"image": known}, list("abcd"), labels={"z": [1, 1, 3, 3]})
        >>> table = predict_table(store, ["z"], asked=NewObjects({"image": [[0.2, 1.0]]}), settings=Prediction(k=2))
        >>> print(table["z"][0], table["z_supported"][0])
        3.0 True
    """

    vectors: Mapping[str, npt.ArrayLike]
    object_ids: Sequence[str] = ()
    familiar: Mapping[str, npt.ArrayLike] = field(default_factory=dict)


def predict_table(
    store: EmbeddingStore,
    properties: Sequence[str],
    *,
    asked: NewObjects | npt.ArrayLike | None = None,
    query: str = "",
    memory: str = "",
    where: str = "",
    settings: Prediction = Prediction(),
) -> Table:
    """Reads properties off the nearest neighbours among all other objects.

    Args:
        store: Where to look.
        properties: Labels to predict; also "log10(z)", and for angles "circular(position_angle_deg, 180)".
        asked: Row numbers of objects, or new ones; by default all that have the query modality.
        query: Modality of the objects, "image+spectrum" for several side by side; see `Combination.parse`.
        memory: Modality of the neighbours; "image+spectrum" for several side by side, "any" for all pooled.
        where: Which objects the memory consists of, "zwarning == 0 and snr > 5"; all by default.
        settings: Number of neighbours, coverage, what counts as supported.

    Returns:
        One row per object, with columns for every property NAME: NAME; NAME_low and NAME_high, or for classes
        NAME_set, where a coverage is wanted and the prediction is supported; NAME_spread; for classes
        NAME_probability_CLASS; NAME_support (percentile, see `Neighbourhood.support`), where it is known
        NAME_familiar (percentile, see `Familiarity`), and NAME_supported; and NAME_neighbours (ids, nearest first,
        with commas). A logarithm is also given back as the label itself. The interval of an angle that goes through
        zero has its lower end above its upper one; that of a number that is nowhere negative in the memory, such as a
        redshift, ends at 0. ``meta["notes"]`` says what the numbers mean.

    Raises:
        InputError: If an object lacks the query modality, a vector is zero or not finite, k exceeds the labelled
            memory, or too few objects are left for the coverage.
        UsageError: If a property, a modality or the condition is unknown.
    """
    from astropy.table import Column

    how = Combination.parse(store, query, memory)
    question, table = _question(store, how, asked, rows_where(store.catalog, where), settings)
    chosen = [Property.parse(name) for name in properties]
    units = {name: store.to_table()[name].unit for name in store.labels}
    notes = [f"{settings.k} nearest neighbours by {how} of each object's {'+'.join(how.query)}"]
    notes[0] += f", among objects with {where}" if where else ""
    if question.familiar is None:
        notes.append(UNKNOWN)
    for answer in predict_properties(question, chosen):
        columns = columns_of(answer, units[answer.predicted.of.label], settings)
        neighbours = [",".join(ids) for ids in store.object_ids[answer.near.rows]]
        columns[f"{answer.predicted.of.column}_neighbours"] = Column(neighbours, description="ids, nearest first")
        if taken := set(columns) & set(table.colnames):
            raise UsageError(f"{sorted(taken)[0]!r} would be two columns of the table. Ask for one at a time.")
        for name, column in columns.items():
            table[name] = column
        notes += notes_of(answer, settings)
    table.meta["notes"] = notes
    return table


def _question(
    store: EmbeddingStore, how: Combination, asked: Any, among: npt.NDArray[np.bool_], settings: Prediction
) -> tuple[Question, Table]:
    """What is asked, and the first columns of the answer."""
    from astropy.table import Table

    if isinstance(asked, NewObjects):
        vectors = how.queries(lambda name: _matrix(asked.vectors, name, store.out_features))
        ids = np.asarray(asked.object_ids or [f"new {number + 1}" for number in range(len(vectors))], dtype=str)
        if ids.shape != vectors.shape[:1]:
            raise InputError(f"object_ids: expected one for each of {len(vectors)} vectors, found {len(ids)}.")
        familiar = _least([asked.familiar.get(name) for name in how.query])
        return Question(store, how, vectors, groups_of(store, ids), among, settings, familiar), Table(
            {"object_id": ids}
        )
    rows = np.flatnonzero(how.asks(store)) if asked is None else np.asarray(asked, dtype=np.int64)
    for name in how.query:
        if len(absent := rows[~store.present(name)[rows]]):
            object_id = str(store.object_ids[absent[0]])
            raise InputError(f"object {object_id!r} has no {name}, which is needed to ask with it.")
    vectors = how.queries(lambda name: store.vectors(name)[rows])
    table = store.to_table()["object_id", "ra", "dec"][rows]
    kept = [familiar_rows(store, name) for name in how.query]
    familiar = _least([None if one is None else one[rows] for one in kept])
    return Question(store, how, vectors, store.groups[rows], among, settings, familiar), table


def _matrix(vectors: Mapping[str, npt.ArrayLike], name: str, width: int) -> npt.NDArray[np.float32]:
    if name not in vectors:
        raise UsageError(f"the new objects have no {name}, only {', '.join(vectors)}. Say with `query` what asks.")
    matrix = np.asarray(vectors[name], dtype=np.float32)
    if matrix.ndim != 2 or matrix.shape[1] != width:
        raise InputError(f"{name} of new objects: expected vectors [Q, {width}] of this space, found {matrix.shape}.")
    norm = np.linalg.norm(matrix, axis=1, keepdims=True)
    if not (np.isfinite(norm) & (norm > 0)).all():
        row = int(np.flatnonzero(~(np.isfinite(norm) & (norm > 0)))[0])
        raise InputError(f"{name} of new objects: vector {row} is zero or not finite.")
    return np.asarray(matrix / norm)


def _least(familiar: Sequence[npt.ArrayLike | None]) -> npt.NDArray[np.float64] | None:
    """The least familiar of an object's modalities [Q]; None where nothing is known of any."""
    known = [np.asarray(one, dtype=np.float64) for one in familiar if one is not None]
    return np.min(known, axis=0) if known else None
