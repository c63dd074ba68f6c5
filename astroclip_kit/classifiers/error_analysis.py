"""What a classifier gets wrong, and what it got right without being sure: of any classifier, from arrays."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..downstream.calibration import confidence
from ..errors import InputError
from ..metrics import class_scores
from ..metrics.classes import OF_ONE

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["ErrorGroup", "class_table", "misclassified_groups", "said_classes", "unsure_but_right"]

Array = npt.NDArray[Any]
Names = npt.NDArray[np.str_]
Rows = npt.NDArray[np.int64]
ALL = "all classes"
NO_CLASS = ("", "nan", "None")
STARTS = 4  # of k-means


@dataclass(frozen=True)
class ErrorGroup:
    """Misclassified objects that are alike.

    Args:
        rows: The rows of its members among the objects judged, nearest to the centre first [n].
        pairs: True class and the class that was said, to how many; most first.
    """

    rows: Rows
    pairs: dict[tuple[str, str], int]


def class_table(true: npt.ArrayLike, said: npt.ArrayLike, classes: Sequence[str] | None = None) -> Table:
    """Numbers of each class side by side, and of all together.

    `judge` gives the same with intervals and chance.

    Args:
        true: Class of each object [N].
        said: Predicted classes [N], or probabilities [N, C] of which the largest one counts. Whole numbers are the same
            class whether they are written as 1 or as 1.0.
        classes: Names of the classes [C], in the order of the rows; by default those that occur, in alphabetical order.

    Returns:
        A row for each class, then "all classes": precision, recall, specificity, f1 and one_vs_rest_accuracy (their
        means in the last row, over the classes that occur), accuracy and balanced_accuracy (of all together, which is
        why single classes have none), and n, the objects of the class. What is 0 / 0 is 0.

    Raises:
        InputError: If lengths differ, there is no object, a class is missing or is none of `classes`, or rows are no
            probabilities.

    Example:
        >>> table = class_table(["star", "star", "qso", "galaxy"], ["star", "qso", "qso", "galaxy"])
        >>> table["class", "recall", "one_vs_rest_accuracy", "accuracy"].pformat()[-2:]
        ['       star  0.500                0.750       --', 'all classes  0.833                0.833    0.750']
    """
    from astropy.table import Column, MaskedColumn, Table

    y, p = _compared(true, said, classes)
    names = np.unique([*y, *p]) if classes is None else _names(classes)
    number = {name: column for column, name in enumerate(names.tolist())}
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, ([number[one] for one in y.tolist()], [number[one] for one in p.tolist()]), 1)
    scores, occurs = class_scores(counts), counts.sum(axis=0) + counts.sum(axis=1) > 0
    table = Table({"class": [*names.tolist(), ALL]})
    for name in OF_ONE:
        table[name] = Column([*scores[name], scores[name][occurs].mean()], format=".3f")
    for name in ("accuracy", "balanced_accuracy"):
        values = [*[np.nan] * len(names), float(scores[name])]
        table[name] = MaskedColumn(values, mask=np.isnan(values), format=".3f")
    table["n"] = [*counts.sum(axis=1).astype(int), len(y)]
    return table


def misclassified_groups(
    x: npt.ArrayLike | Callable[[Rows], Array],
    true: npt.ArrayLike,
    said: npt.ArrayLike,
    classes: Sequence[str] | None = None,
    *,
    groups: int = 4,
    seed: int = 0,
) -> list[ErrorGroup]:
    """Groups of misclassified objects that are alike, by k-means.

    Columns of features are brought to one scale. Views are compared by their pixels: each channel less its median, in
    units of the scatter of its pixels, as arcsinh, so that the brightest do not rule; pixels that are not finite count
    as the median.

    Args:
        x: Features [N, D], or raw views [N, C, ...], of all objects; or what gives those of some rows.
        true: Class of each object [N].
        said: Predicted classes [N], or probabilities [N, C] of which the largest one counts.
        classes: Names of the columns of probabilities [C].
        groups: How many; fewer where fewer different objects were misclassified.
        seed: Of the start of k-means.

    Returns:
        The largest group first; none where nothing was misclassified.

    Raises:
        InputError: If lengths differ, a class is missing, rows are no probabilities, or features are not finite.

    Example:
        >>> x = [[0, 0], [5, 5], [0.1, 0], [5, 5.1], [0, 0.2]]
        >>> found = misclassified_groups(x, list("abaab"), list("bbbba"), groups=2)
        >>> [(one.rows.tolist(), one.pairs) for one in found]
        [([0, 2, 4], {('a', 'b'): 2, ('b', 'a'): 1}), ([3], {('a', 'b'): 1})]
    """
    from sklearn.cluster import KMeans

    y, p = _compared(true, said, classes)
    wrong = np.flatnonzero(y != p)
    if groups < 1:
        raise InputError(f"groups is {groups}, expected at least 1.")
    if not callable(x) and len(given := np.asarray(x)) != len(y):
        raise InputError(f"x: expected a row for each of {len(y)} objects, found {len(given)}.")
    if not len(wrong):
        return []
    found = np.asarray(x(wrong) if callable(x) else given[wrong])
    if len(found) != len(wrong):
        raise InputError(f"x: expected what belongs to each of {len(wrong)} rows, found {len(found)}.")
    vectors = _vectors(found)
    count = min(groups, len(np.unique(vectors, axis=0)))
    means = KMeans(count, n_init=STARTS, random_state=seed).fit(vectors)
    far = means.transform(vectors)
    gathered = []
    for number in range(count):
        own = np.flatnonzero(means.labels_ == number)
        rows = wrong[own[np.argsort(far[own, number], kind="stable")]]
        pairs = Counter(zip(y[rows].tolist(), p[rows].tolist(), strict=True))
        gathered.append(ErrorGroup(rows, dict(pairs.most_common())))
    return sorted(gathered, key=lambda one: -len(one.rows))


def unsure_but_right(
    true: npt.ArrayLike, probabilities: npt.ArrayLike, classes: Sequence[str], *, below: float = 0.6
) -> Table:
    """Objects whose class is right, but was not very probable: outliers of their class.

    Args:
        true: Class of each object [N].
        probabilities: Of each class [N, C].
        classes: Names of the classes [C].
        below: Probability of the class that was said, from which on it counts as sure.

    Returns:
        The least sure first: ``row`` among the objects judged, ``class`` and its ``probability``, and ``instead``, the
        second most probable class, with its ``probability_instead``; meta says ``below`` and how many are ``right``.

    Raises:
        InputError: If lengths differ, a class is missing or is none of `classes`, rows are no probabilities, or `below`
            is none.

    Example:
        >>> p = [[0.9, 0.1], [0.55, 0.45], [0.45, 0.55], [0.52, 0.48]]
        >>> unsure_but_right(["star", "star", "star", "star"], p, ["star", "qso"])["row"].tolist()
        [3, 1]
    """
    from astropy.table import Table

    if not 0 < below <= 1:
        raise InputError(f"below is {below}, expected a probability above 0, at most 1.")
    y, said = _compared(true, probabilities, classes)
    p, names = np.asarray(probabilities, dtype=np.float64), _names(classes)
    order = np.argsort(-p, axis=1, kind="stable")  # of a tie the first comes first, as it is the class that was said
    sure, right = p.max(axis=1), y == said
    rows = np.flatnonzero(right & (sure < below))
    rows = rows[np.argsort(sure[rows], kind="stable")]
    second = order[rows, min(1, len(names) - 1)]
    columns = {"row": rows, "class": y[rows], "probability": sure[rows], "instead": names[second]}
    meta = {"below": below, "right": int(right.sum())}
    return Table({**columns, "probability_instead": p[rows, second]}, meta=meta)


def said_classes(said: npt.ArrayLike, classes: Sequence[str] | None = None) -> Names:
    """The class that was said of each object [N].

    Args:
        said: Predicted classes [N], or probabilities [N, C].
        classes: Names of the columns of probabilities [C].

    Raises:
        InputError: If probabilities come without names, or rows are none.
    """
    given = np.asarray(said)
    if given.ndim == 1:
        return _names(given)
    if classes is None:
        raise InputError("classes: name the columns of the probabilities.")
    names = _names(classes)
    if given.dtype.kind == "f" and (unknown := int(np.isnan(given).reshape(len(given), -1).any(axis=1).sum())):
        raise InputError(f"probabilities: {unknown} of {len(given)} objects have NaN. Leave them out first.")
    confidence(given, names, np.resize(names, len(given)))  # refuses what are no probabilities
    return np.asarray(names[given.argmax(axis=1)])


def _names(classes: npt.ArrayLike) -> Names:
    """Classes as text, whole numbers alike whatever their type."""
    given = np.asarray(classes)
    if given.dtype.kind != "f":
        return given.astype(str)
    values, place = np.unique(given, return_inverse=True)
    texts = [str(int(one)) if one.is_integer() else str(one) for one in values.tolist()]
    return np.array(texts, dtype=np.str_)[place.reshape(given.shape)]


def _compared(true: npt.ArrayLike, said: npt.ArrayLike, classes: Sequence[str] | None) -> tuple[Names, Names]:
    """The class that each object has, and the one that was said."""
    y, p = _names(true), said_classes(said, classes)
    if y.ndim != 1 or y.shape != p.shape or not y.size:
        raise InputError(f"true and said: expected equal lengths above 0, found shapes {y.shape} and {p.shape}.")
    if missing := int((np.isin(y, NO_CLASS) | np.isin(p, NO_CLASS)).sum()):
        raise InputError(f"true and said: {missing} of {len(y)} objects have no class. Leave them out first.")
    if classes is not None and (unknown := sorted({*y.tolist(), *p.tolist()} - set(_names(classes).tolist()))):
        raise InputError(f"the class {unknown[0]!r} is none of those given: {', '.join(map(str, classes))}.")
    return y, p


def _vectors(x: Array) -> npt.NDArray[np.float32]:
    """What k-means compares [n, D] of features [n, D] or views [n, C, ...]."""
    if x.ndim == 2:
        if not np.isfinite(x).all():
            raise InputError("x: found NaN or infinity among the features. Leave out what is missing first.")
        scatter = x.std(axis=0)
        return np.asarray((x - x.mean(axis=0)) / np.where(scatter > 0, scatter, 1), dtype=np.float32)
    if x.ndim < 3 or not np.isfinite(x).any():
        raise InputError(
            f"x: expected features [N, D], or views [N, C, ...] with finite values; found shape {x.shape}."
        )
    known, axes = np.where(np.isfinite(x), x, np.nan).astype(np.float32), (0, *range(2, x.ndim))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a channel without a finite pixel
        off = known - np.nanmedian(known, axis=axes, keepdims=True)
        scatter = np.nanmedian(np.abs(off), axis=axes, keepdims=True)
    scaled = np.arcsinh(np.nan_to_num(off / np.where(scatter > 0, scatter, 1)))
    return np.asarray(scaled.reshape(len(x), -1))
