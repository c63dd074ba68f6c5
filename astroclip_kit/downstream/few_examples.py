"""Classes of held-out objects from few labelled examples: by the nearest centroid or the nearest examples."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import metrics
from ..errors import InputError, UsageError
from ..settings import Evaluation
from ..types import Result
from .centroids import class_sums, directions
from .knn import neighbours, vote, weigh
from .properties import classes_of
from .space import Space

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore

__all__ = ["METHODS", "few_shot"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
METHODS = ("centroid", "knn", "1nn")
VOTE = "vote"  # of the modalities that an object has
ALL = 0  # shots: every example that there is


def few_shot(
    store: EmbeddingStore,
    label: str,
    on: str | Sequence[str] = "",
    *,
    shots: Sequence[int] = (1, 5, 10, ALL),
    method: str = "centroid",
    draws: int = 20,
    settings: Evaluation = Evaluation(),
) -> list[Result]:
    """Accuracy on held-out objects by number of labelled examples of each class.

    Examples are drawn by object from those that are not held out, the same for all modalities as far as they have
    them. The encoders were not trained on labels, so that all examples together (0) are what AstroM3 calls zero-shot.
    Beside each modality "mean" stands for the mean of what an object has, and "vote" for the class that most of its
    modalities say (of equally many that with the larger sum of certainties). A class with fewer examples in one of the
    modalities than the most shots is left out everywhere, with a warning: all numbers are of the same classes.

    Args:
        store: Embeddings with a split.
        label: Label with the class of each object.
        on: Modality, several, "mean" or "vote"; all of these by default.
        shots: Examples of each class; 0 for all that there are.
        method: "centroid" (the nearest mean direction of a class), "knn" (`settings.k` neighbours, no more than shots,
            weighted by inverse distance) or "1nn".
        draws: How often examples are drawn.
        settings: Which objects, `k`, resamples and seed.

    Returns:
        Metrics "accuracy@SHOTS" and "balanced_accuracy@SHOTS" ("@all" for 0) of task "few_shot_METHOD": the mean over
        the draws, their standard deviation as `std`, and an interval of the mean over other held-out objects and other
        draws. `chance` is what the class that is most frequent among all examples gives.

    Raises:
        InputError: If nothing is held out, there is one class only, or fewer than two have as many examples as shots.
        UsageError: If there is no such label, modality or method, or shots or draws are no counts.
    """
    names = [on] if isinstance(on, str) and on else list(on) or _names(store)
    if method not in METHODS:
        raise UsageError(f"no method {method!r} for few shots; there is: {', '.join(METHODS)}.")
    if not shots or min(shots) < 0 or draws < 1:
        raise UsageError(f"expected shots of 0 (all) or more and at least one draw, found {list(shots)} and {draws}.")
    if len(store.names) < 2 and VOTE in names:
        raise UsageError(f"a vote takes several modalities; {store.root} has {store.names[0]} alone.")
    for name in (one for one in names if one != VOTE):
        store.present(name)
    space = Space.aligned(store, settings.where)
    task = _Task.of(store, space, label, settings)
    asked = dict.fromkeys([one for one in names if one != VOTE] + (store.names if VOTE in names else []))
    task = task.among(list(asked), max(shots))
    results: list[Result] = []
    for count in dict.fromkeys(shots):
        said: dict[str, list[tuple[Array, Float]]] = {name: [] for name in asked}
        for examples in task.draws(list(asked), count, draws if count else 1):
            for name in asked:
                said[name].append(task.classify(name, examples[name], method, count))
        for name in names:
            right = task.vote(said, store.names) if name == VOTE else (task.asked[name], [c for c, _ in said[name]])
            results += task.judged(name, count, method, *right)
    return results


def _names(store: EmbeddingStore) -> list[str]:
    return [*store.choices, VOTE] if len(store.names) > 1 else store.names


@dataclass(frozen=True)
class _Task:
    """Held-out objects with a class, and the examples that tell it.

    Args:
        store: Where the vectors are.
        space: Which objects are held out, and which may be examples.
        label: The label.
        classes: Names of the classes of examples and held-out objects [C].
        codes: Class of each row [N]; -1 where it is unknown.
        asked: Modality to rows of the held-out objects that have it.
        memory: Modality to rows of possible examples.
        settings: Number of neighbours, resamples, seed.
    """

    store: EmbeddingStore
    space: Space
    label: str
    classes: Array
    codes: Rows
    asked: Mapping[str, Rows]
    memory: Mapping[str, Rows]
    settings: Evaluation

    @classmethod
    def of(cls, store: EmbeddingStore, space: Space, label: str, settings: Evaluation) -> _Task:
        everyone = np.any([space.present[name] for name in store.names], axis=0)
        names = classes_of(store.labels, label, np.flatnonzero(everyone))
        classes = np.unique(names[names != ""])
        codes = np.full(len(store), -1)
        codes[everyone] = np.where(names == "", -1, np.searchsorted(classes, names))
        asked, memory = dict[str, Rows](), dict[str, Rows]()
        for name in (*store.choices, VOTE):
            here = (space.present[name] if name in store.names else everyone) & (codes >= 0)
            asked[name] = np.flatnonzero(here & (store.split == "test"))
            memory[name] = np.flatnonzero(here & (store.split != "test"))
        found = np.unique(codes[memory[VOTE]])
        if len(found) < 2 or not len(asked[VOTE]):
            raise InputError(
                f"{label}: expected examples of at least two classes and held-out objects, found "
                f"{', '.join(classes[found]) or 'no example'} and {len(asked[VOTE])} held-out objects."
            )
        return cls(store, space, label, classes, codes, asked, memory, settings)

    def among(self, names: Sequence[str], count: int) -> _Task:
        """The same with the classes alone of which there are so many examples in each of the modalities."""
        objects = np.unique(self.store.groups, return_inverse=True)[1]
        held = np.full(len(self.classes), len(self.store))
        for name in names:
            rows = self.memory[name]
            pairs = np.unique(np.stack([self.codes[rows], objects[rows]]), axis=1)
            held = np.minimum(held, np.bincount(pairs[0], minlength=len(self.classes)))
        kept = held >= count
        if kept.all():
            return self
        few = ", ".join(f"{name} ({n})" for name, n in zip(self.classes[~kept], held[~kept], strict=True))
        asked, memory = (
            {name: rows[kept[self.codes[rows]]] for name, rows in one.items()} for one in (self.asked, self.memory)
        )
        if kept.sum() < 2 or not len(asked[VOTE]):
            raise InputError(
                f"{count} examples of each class of {self.label} were asked for, and fewer than two classes have as "
                f"many with {', '.join(names)} to draw from: {few} do not. Ask for fewer, or for 0 (all)."
            )
        warnings.warn(
            f"few shots of {self.label}: left out, with fewer than {count} examples to draw from: {few}", stacklevel=3
        )
        codes = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)[self.codes]
        return replace(self, classes=self.classes[kept], codes=codes, asked=asked, memory=memory)

    def draws(self, names: Sequence[str], count: int, draws: int) -> Iterator[dict[str, Rows]]:
        """Rows of the examples of every modality, for each draw."""
        groups = np.unique(self.store.groups, return_inverse=True)[1]
        for number in range(draws):
            place = np.random.default_rng([self.settings.seed, count, number]).permutation(groups.max() + 1)[groups]
            yield {name: self._first(name, place, count) for name in names}

    def _first(self, name: str, place: Rows, count: int) -> Rows:
        """Rows of the first objects of every class by their place [N]; all of them for a count of 0."""
        rows = self.memory[name]
        if not len(rows) or not len(self.asked[name]):
            raise InputError(f"{name}: {len(rows)} examples and {len(self.asked[name])} held-out objects have a class.")
        if count == ALL:
            return rows
        rows = rows[np.lexsort((place[rows], self.codes[rows]))]
        codes, new = self.codes[rows], np.append(True, place[rows][1:] != place[rows][:-1])
        new |= np.append(True, codes[1:] != codes[:-1])
        number = np.cumsum(new)
        first = number[np.searchsorted(codes, codes)]
        return np.asarray(rows[number - first < count])

    def classify(self, name: str, examples: Rows, method: str, count: int) -> tuple[Rows, Float]:
        """Class [n] of the held-out objects, and by how much it leads [n]."""
        z, queries = self.store.vectors(name)[examples], self.store.vectors(name)[self.asked[name]]
        if method == "centroid":
            centres = directions(class_sums(z, self.codes[examples], len(self.classes)))
            votes = np.nan_to_num(queries @ centres.T, nan=-1.0)
        else:
            k = 1 if method == "1nn" else min(self.settings.k, count or len(examples))
            rows, distance = neighbours(z, queries, min(k, len(examples)))
            votes = vote(self.codes[examples][rows], weigh(distance, "distance"), np.arange(len(self.classes)))[2]
        two = np.partition(votes, -2, axis=1)[:, -2:]
        return votes.argmax(axis=1), two[:, 1] - two[:, 0]

    def vote(self, said: Mapping[str, Sequence[tuple[Rows, Float]]], names: Sequence[str]) -> tuple[Rows, list[Rows]]:
        """Rows of all held-out objects, and what most of their modalities say, for each draw."""
        rows, found = self.asked[VOTE], []
        for one in zip(*(said[name] for name in names), strict=True):
            tally = np.zeros((len(rows), len(self.classes)))
            for name, (codes, lead) in zip(names, one, strict=True):
                tally[np.searchsorted(rows, self.asked[name]), codes] += 1 + lead / 100
            found.append(tally.argmax(axis=1))
        return rows, found

    def judged(self, name: str, count: int, method: str, rows: Rows, said: Sequence[Rows]) -> Iterator[Result]:
        """Accuracy and balanced accuracy of all draws."""
        true, groups = self.codes[rows], self.store.groups[rows]
        right = np.stack([one == true for one in said]).astype(np.float64)
        classes = (np.unique(true)[:, None] == true).astype(np.float64)
        rng = np.random.default_rng(self.settings.seed)

        def of(drawn: Float) -> Float:
            """Both metrics [2, B] with other draws of the examples and other objects [n, B]."""
            times = rng.multinomial(len(right), np.full(len(right), 1 / len(right)), drawn.shape[1])
            mean = right.T @ times.T / len(right)
            hits, size = classes @ (mean * drawn), classes @ drawn
            recalls = np.divide(hits, size, out=np.full(hits.shape, np.nan), where=size > 0)
            return np.stack([hits.sum(axis=0) / size.sum(axis=0), np.nanmean(recalls, axis=0)])

        low, high = metrics.weighted_bootstrap(
            of, len(rows), n_boot=self.settings.n_boot, seed=self.settings.seed, groups=groups
        )
        each = np.stack([right.mean(axis=1), (right @ classes.T / classes.sum(axis=1)).mean(axis=1)])
        usual = np.bincount(self.codes[self.memory[VOTE]]).argmax()
        about = {key: self.store.manifest[key] for key in ("seed", "dataset", "origin")}
        at = "all" if count == ALL else str(count)
        for metric, values, ends, chance in zip(
            ("accuracy", "balanced_accuracy"),
            each,
            zip(low, high, strict=True),
            ((true == usual).mean(), 1 / len(classes)),
            strict=True,
        ):
            value = float(values.mean())
            low_end, high_end = metrics.share_interval(value, float(ends[0]), float(ends[1]), len(np.unique(groups)))
            one = Result(
                f"few_shot_{method}",
                name,
                name,
                self.label,
                f"{metric}@{at}",
                value,
                low_end,
                high_end,
                len(rows),
                **about,
            )
            yield replace(one, chance=float(chance), std=float(values.std(ddof=1)) if len(values) > 1 else np.nan)
