"""What colours the map of a page that asks for nothing: the column that is likely to tell most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..objects.bookkeeping import is_bookkeeping
from ..objects.redshifts import LOGARITHMS, REDSHIFTS

if TYPE_CHECKING:
    from ...embeddings import EmbeddingStore

__all__ = ["usual_colour"]

LARGEST = 5_000_000  # objects whose column is read without being asked for
FEW_CLASSES = 12
SAMPLE = 1000  # rows at the begin, in the middle and at the end that tell what a column holds


def usual_colour(store: EmbeddingStore) -> str:
    """Name of a label: a class or a redshift where one divides the objects, else that with most values; "" for none.

    Args:
        store: The space; of very many objects no column is read.
    """
    names = [name for name in store.labels if not name.lower().endswith("id")]
    if len(store) > LARGEST or not names:
        return ""
    starts = (0, (len(store) - SAMPLE) // 2, len(store) - SAMPLE)
    rows = np.unique(np.concatenate([np.arange(max(start, 0), max(start, 0) + SAMPLE) for start in starts]))
    values = store.catalog.at(rows[rows < len(store)], names)
    told = {name: _told(values[name]) for name in names}
    likely = {
        name: -1 if is_bookkeeping(name, values[name], store.names) else _likely(name.lower(), values[name])
        for name in names
    }
    best = max(names, key=lambda name: (told[name] > 0, likely[name], told[name]))
    return best if told[best] else ""


def _likely(name: str, values: npt.NDArray[Any]) -> int:
    """How likely a name is that of what one looks for: few classes, a redshift, many classes or such within a class."""
    if name in (*REDSHIFTS, *LOGARITHMS):
        return 2
    is_class = ("class" in name or name.endswith("type")) and values.dtype.kind not in "iuf"
    is_first = len(np.unique(values)) <= FEW_CLASSES and not name.startswith("sub")
    return (3 if is_first else 1) if is_class else 0


def _told(values: object) -> int:
    """How many of some values are known, 0 where all are the same or, of text, nearly each is another."""
    known = pd.Series(values).replace("", None).dropna()
    kinds = known.nunique()
    is_text = not pd.api.types.is_numeric_dtype(known)
    return 0 if kinds < 2 or (is_text and 2 * kinds > len(known)) else len(known)
