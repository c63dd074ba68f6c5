"""Views that lie in memory, for contact sheets of objects that are in no dataset folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ...types import Modality

__all__ = ["ArrayViews", "Shown"]


class Shown(Protocol):
    """What a contact sheet reads of a `Dataset`."""

    @property
    def root(self) -> Any:
        """Where it lies, for messages."""

    @property
    def modalities(self) -> Mapping[str, Modality]:
        """What there is of the objects."""

    @property
    def object_ids(self) -> npt.NDArray[np.str_]:
        """The objects [N]."""

    @property
    def groups(self) -> npt.NDArray[np.str_]:
        """Astrophysical object of each [N]."""

    def present(self, name: str) -> npt.NDArray[np.bool_]:
        """Which objects have a modality [N]."""

    def views(self, name: str, rows: Any) -> npt.NDArray[np.float32]:
        """Views of some rows."""


class ArrayViews:
    """Raw views as arrays, where a figure asks for a `Dataset`.

    Args:
        views: Name to views [N, C, H, W] of images, [N, C, L] of spectra, [N, C] of tables; an object whose values
            are all NaN has none.
        modalities: What they are, by name.
        object_ids: Names of the objects [N]; their rows by default.

    Raises:
        InputError: If there are no views, lengths differ, a modality is missing, or its shape does not fit.

    Example:
        >>> cutouts = Modality("image", "image", ("w1", "w2", "w3"), (3, 8, 8), grid=(2.75,))
        >>> ArrayViews({"image": np.ones((5, 3, 8, 8))}, {"image": cutouts}).object_ids.tolist()
        ['0', '1', '2', '3', '4']
    """

    root = "the arrays"

    def __init__(
        self,
        views: Mapping[str, npt.NDArray[Any]],
        modalities: Mapping[str, Modality],
        object_ids: Sequence[str] | npt.NDArray[np.str_] | None = None,
    ) -> None:
        counts = {name: len(one) for name, one in views.items()}
        count = len(object_ids) if object_ids is not None else next(iter(counts.values()), 0)
        if not counts or set(counts.values()) != {count}:
            raise InputError(f"expected views of {count} objects of each modality, found {counts or 'none'}.")
        for name, one in views.items():
            if name not in modalities:
                raise InputError(f"views: there is no modality {name!r}; there is: {', '.join(modalities) or 'none'}.")
            if len(one.shape) != 1 + len(modalities[name].shape):
                raise InputError(
                    f"views: {name!r} has the shape {one.shape}, expected (objects, {modalities[name].shape})."
                )
        self._views = views
        self.modalities: Mapping[str, Modality] = {name: modalities[name] for name in views}
        self.object_ids = np.arange(count).astype(str) if object_ids is None else np.asarray(object_ids).astype(str)
        self.groups = self.object_ids

    def present(self, name: str) -> npt.NDArray[np.bool_]:
        """Which objects have a modality [N]."""
        seen: npt.NDArray[np.bool_] = np.isfinite(self._views[name]).any(axis=tuple(range(1, self._views[name].ndim)))
        return seen

    def views(self, name: str, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Views of some rows, float32 [n, ...]."""
        return np.asarray(self._views[name][np.asarray(rows)], dtype=np.float32)
