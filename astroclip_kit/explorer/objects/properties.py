"""Properties of an object read off its neighbours, beside those that the catalogue has."""

from __future__ import annotations

import math
from collections import ChainMap, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from ...downstream.combination import Combination
from ...downstream.neighbourhood import Question
from ...downstream.predicted import Answer, predict_properties
from ...downstream.properties import MOST_SHARE, Property, known
from ...embeddings import EmbeddingStore
from ...embeddings.familiarity import familiar_rows, groups_of
from ...embeddings.queries import Asked
from ...errors import InputError, KitError
from ...settings.prediction import Prediction
from ..selection.samples import drawn
from ..space import Space
from .bookkeeping import is_bookkeeping, repeats

__all__ = ["COVERAGE", "MEMORY", "Found", "Reading", "read_file", "read_properties"]

COVERAGE = 0.9  # how often an interval is to hold the truth
MEMORY = 20_000  # rows that are asked: of a larger store that many at random, so that a click is answered at once
SMALL, LARGE = 1e-3, 1e9  # sizes of numbers that are written out
TINY = 1e-5  # share of a number that is nothing
SHOWN = 2  # classes of a set that are named
Array = npt.NDArray[Any]
Vectors = Callable[[str], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Reading:
    """What the neighbours say of one property of one object.

    Args:
        value: A number as text, or a class.
        interval: "0.10 to 0.14", or the classes that hold the true one; "" where there is none.
        share: Weight of the neighbours with that class; 1 for numbers.
        known: How many objects it stands on: those of the memory that have the property.
        holds: Whether the catalogue's value lies within; True where it has none or there is no interval.
        supported: Whether the memory has objects like this one.
    """

    value: str
    interval: str
    share: float
    known: int
    holds: bool
    supported: bool


Found = tuple[dict[str, Reading], str]


def read_properties(space: Space, row: int, query: str) -> Found:
    """Reads what can be read of an object off the nearest others; kept for when one comes back to it.

    Args:
        space: What is explored.
        row: The object.
        query: Modality that asks and answers, "image+spectrum" for two side by side; the object has to have it.

    Returns:
        Property to its reading, and in a sentence why there is none or what is missing, "" otherwise.
    """
    return space.kept.get(("properties", row, query), lambda: _of_object(space, row, query))


def read_file(space: Space, asked: Asked, own: Mapping[str, Array]) -> Found:
    """Reads what can be read of a new observation off the nearest objects; itself is none of them.

    Args:
        space: What is explored.
        asked: The observation, the only one, placed in the space.
        own: What is known of it, by the names of properties [1].

    Returns:
        As `read_properties` does.
    """
    new, rows = asked.newcomers, asked.rows[0][:1]
    group = space.store.catalog.at(rows, ["group"])["group"] if len(rows) else groups_of(space.store, asked.labels[:1])
    familiar = None if new is None or new.familiar is None else new.familiar[:1]
    return _read(space, _question(space, asked.name, lambda name: asked.vectors, group, familiar), own)


def _of_object(space: Space, row: int, query: str) -> Found:
    store = space.store
    kept = [familiar_rows(store, name) for name in Combination.parse(store, query).query]
    parts = [one[[row]] for one in kept if one is not None]
    familiar = np.min(parts, axis=0).astype(np.float64) if parts else None
    own = store.catalog.at([row])
    vectors: Vectors = lambda name: np.asarray(store.vectors(name)[[row]])  # noqa: E731
    return _read(space, _question(space, query, vectors, own["group"], familiar), own)


def _question(
    space: Space, query: str, vectors: Vectors, group: Array, familiar: npt.NDArray[np.float64] | None
) -> Question:
    """What is asked of the space for one who asks, by his vectors [1, D] and his group [1]."""
    store, memory = space.store, space.kept.get(("memory", query), lambda: _memory(space.store, query))
    return Question(
        memory,
        Combination.parse(memory, query),
        Combination.parse(store, query).queries(vectors),
        group,
        np.ones(len(memory), dtype=bool),
        Prediction(coverage=COVERAGE),
        familiar,
    )


def _read(space: Space, question: Question, own: Mapping[str, Array]) -> Found:
    store, memory = space.store, question.store
    found, few, problems = dict[str, Reading](), list[str](), list[str]()
    able = question.how.answers(memory) & (memory.groups != question.groups[0])
    for names in _alike(memory, store.names):
        y = Property(names[0], names[0]).values(memory.labels)
        if (able & known(y)).sum() < question.settings.k:
            few += names
            continue
        read, told = _readings(question, names, own)
        found |= read
        problems += told
    too_few = [f"Too few other objects have {', '.join(few)} to read them off neighbours."] if few else []
    none = (
        []
        if found or few or problems or not store.labels
        else ["No column is a number or a class that several objects share."]
    )
    return found, " ".join([*too_few, *dict.fromkeys(problems), *none])


def _readings(
    question: Question, names: Sequence[str], own: Mapping[str, Array]
) -> tuple[dict[str, Reading], list[str]]:
    """Readings of properties that share neighbours, and why others have none: one takes away no other's."""
    try:
        answers = _answers(question, names)
        return {name: _reading(answer, own.get(name)) for name, answer in zip(names, answers, strict=True)}, []
    except Exception as error:  # that of a library, too, for what nobody foresaw in a catalogue
        if len(names) == 1:
            return {}, [str(error) if isinstance(error, KitError) else f"{names[0]} cannot be read: {error}."]
    parts = [_readings(question, [name], own) for name in names]
    return dict(ChainMap(*(read for read, _ in parts))), [text for _, told in parts for text in told]


def _answers(question: Question, names: Sequence[str]) -> list[Answer]:
    """With intervals, or without where too few objects are labelled to calibrate them."""
    properties = [Property.parse(name) for name in names]
    try:
        return list(predict_properties(question, properties))
    except InputError:
        without = replace(question, settings=replace(question.settings, coverage=0.0))
        return list(predict_properties(without, properties))


def _alike(memory: EmbeddingStore, modalities: Sequence[str]) -> Iterator[list[str]]:
    """Properties by the rows that have them, as they share neighbours; classes and numbers, but no names or ids."""
    alike: dict[bytes, list[str]] = defaultdict(list)
    for name in memory.labels:
        y = Property(name, name).values(memory.labels)
        here = known(y)
        if is_bookkeeping(name, y, modalities) or repeats(name, modalities, memory.labels):
            continue
        if here.any() and (y.dtype.kind != "U" or len(np.unique(y[here])) <= max(2, MOST_SHARE * here.sum())):
            alike[here.tobytes()].append(name)
    yield from alike.values()


def _memory(store: EmbeddingStore, query: str) -> EmbeddingStore:
    """The store, or of a large one some rows at random: first those with a label."""
    how = Combination.parse(store, query)
    if len(store) <= MEMORY:
        return store
    labelled = np.zeros(len(store), dtype=bool)
    for name in store.labels:
        labelled |= store.catalog.known(name)
    rows = drawn(labelled & how.answers(store), MEMORY)
    if not len(rows):
        raise InputError("no object of this space has a label, so no property can be read off neighbours.")
    columns = store.catalog.at(rows)
    folder = TemporaryDirectory(prefix="astroclip-kit-")
    memory = EmbeddingStore.write(
        f"{folder.name}/memory",
        {name: store.vectors(name)[rows] for name in how.query},
        columns["object_id"],
        catalog={name: columns[name] for name in ("group", "split")},
        labels={name: columns[name] for name in store.labels},
    )
    memory.folder = folder  # is there as long as the store is
    return memory


def _reading(answer: Answer, own: Array | None) -> Reading:
    """The answer for one object in words, beside what is known of it."""
    found, supported = answer.predicted, bool(answer.near.supported(Prediction().least_support)[0])
    interval = ""
    if len(found.classes):
        value, share = str(found.value[0]), float(found.probabilities[0].max())
        if (held := found.classes[found.sets[0]]).size and supported:
            interval = ", ".join(held[:SHOWN]) + (f" and {len(held) - SHOWN} more" if len(held) > SHOWN else "")
        true = np.asarray([""] if own is None else own, dtype=str)
    else:
        middle, share, half = float(found.value[0]), 1.0, float(found.half_width[0])
        off = half if np.isfinite(half) else float(found.spread[0])
        value = rounded(middle, off)
        if np.isfinite(half) and supported:
            interval = " to ".join(rounded(float(end[0]), off) for end in found.ends())
        true = np.asarray([np.nan] if own is None else own, dtype=np.float64)
    holds = not interval or not known(true)[0] or bool(found.holds(true)[0])
    return Reading(value, interval, share, answer.known, holds, supported)


def rounded(number: float, off: float) -> str:
    """A number in as many digits as mean something, where it may be off by so much.

    Example:
        >>> rounded(0.27749, 0.0743), rounded(57000.0, 0.0), rounded(571.4, 530.0), rounded(1.846e-05, 4e-6)
        ('0.277', '57000', '571', '1.846e-05')
    """
    size = max(abs(number), off)
    if not size or not SMALL < size < LARGE:
        return f"{number:.4g}"
    return f"{number:.6g}" if off < TINY * size else f"{number:z.{max(0, 1 - math.floor(math.log10(off)))}f}"
