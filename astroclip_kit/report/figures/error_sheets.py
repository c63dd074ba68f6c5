"""Contact sheets of what a classifier got wrong, and of what it got right without being sure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...classifiers import ErrorGroup
from ...classifiers.error_analysis import said_classes
from ...errors import InputError
from .array_views import Shown
from .canvas import KitFigure
from .contact_sheet import PER_ROW, Entry, contact_sheet

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["misclassified_sheet", "unsure_sheet"]

MOST = 24  # objects of a sheet
PAIRS = 3  # of classes, which the heading of a group names


def misclassified_sheet(
    groups: Sequence[ErrorGroup],
    true: npt.ArrayLike,
    said: npt.ArrayLike,
    views: Shown,
    *,
    classes: Sequence[str] | None = None,
    object_ids: npt.ArrayLike | None = None,
    names: Sequence[str] = (),
) -> KitFigure:
    """A row for each group of misclassified objects: those nearest to its centre, and which class is taken for which.

    Args:
        groups: What `misclassified_groups` found, of which the four largest are shown.
        true: Class of each object judged [N].
        said: Predicted classes [N], or probabilities [N, C].
        views: Where the views are: a `Dataset`, or `ArrayViews`.
        classes: Names of the columns of probabilities [C].
        object_ids: The objects judged [N]; those of `views` by default.
        names: Modalities to show; by default the images, or all where there are none.

    Raises:
        InputError: If nothing was misclassified, lengths differ, or none of the objects has views.
    """
    if not groups:
        raise InputError("no object was misclassified, so there is none to show.")
    y, p, ids = np.asarray(true).astype(str), said_classes(said, classes), _ids(object_ids, views)
    _check_lengths(len(y), len(p), len(ids))
    sure = np.asarray(said).max(axis=1) if np.ndim(said) == 2 else None
    total, rows = sum(len(one.rows) for one in groups), []
    for number, group in enumerate(groups[: MOST // PER_ROW], 1):
        told = [f"{a} taken for {b}: {count:,}" for (a, b), count in list(group.pairs.items())[:PAIRS]]
        more = ["…"] if len(group.pairs) > PAIRS else []
        head = f"Group {number}: {len(group.rows):,} of {total:,} misclassified. {', '.join([*told, *more])}"
        shown = [
            Entry(str(ids[row]), (f"{y[row]} → {p[row]}", *([] if sure is None else [f"p = {sure[row]:.2f}"])))
            for row in group.rows[:PER_ROW].tolist()
        ]
        rows.append((head, shown))
    return contact_sheet(rows, views, names=names or _images(views), task="classifiers")


def unsure_sheet(
    unsure: Table, views: Shown, *, object_ids: npt.ArrayLike | None = None, names: Sequence[str] = (), most: int = MOST
) -> KitFigure:
    """Objects that were classified rightly with a low probability, the least sure first.

    Above each stand its class and the probability of it, and the class that was nearly said.

    Args:
        unsure: What `unsure_but_right` found.
        views: Where the views are: a `Dataset`, or `ArrayViews`.
        object_ids: The objects judged [N]; those of `views` by default.
        names: Modalities to show; by default the images, or all where there are none.
        most: Number of objects.

    Raises:
        InputError: If there is none, or none of the objects has views.
    """
    if not len(unsure):
        raise InputError("no object was classified rightly with a low probability, so there is none to show.")
    ids = _ids(object_ids, views)
    _check_lengths(max(len(ids), int(unsure["row"].max()) + 1), len(ids))
    entries = [Entry(str(ids[one["row"]]), tuple(_lines(one))) for one in unsure[:most]]
    about = unsure.meta
    told = f" of {about['right']:,} that are right, with p below {about['below']:g}" if "right" in about else ""
    head = f"{len(unsure):,}{told}. The least sure first"
    starts = range(0, len(entries), PER_ROW)
    rows = [("" if start else head, entries[start : start + PER_ROW]) for start in starts]
    return contact_sheet(rows, views, names=names or _images(views), task="classifiers")


def _lines(one: Any) -> Iterator[str]:
    yield f"{one['class']} {one['probability']:.2f}"
    yield f"or {one['instead']} {one['probability_instead']:.2f}"


def _ids(object_ids: npt.ArrayLike | None, views: Shown) -> npt.NDArray[np.str_]:
    return np.asarray(views.object_ids if object_ids is None else object_ids).astype(str)


def _check_lengths(*counts: int) -> None:
    if len(set(counts)) > 1:
        raise InputError(f"expected as many object_ids as objects judged, found {', '.join(map(str, counts))}.")


def _images(views: Shown) -> list[str]:
    return [name for name, one in views.modalities.items() if one.kind == "image"]
