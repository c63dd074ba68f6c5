"""The shared space on disk: a catalogue, one matrix of unit vectors per modality, and where they came from."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import FolderError, InputError, UsageError
from ..storage import open_folder, read_array
from .catalog import Catalog, Columns
from .mean import MEAN, mean_vectors
from .saved_columns import SavedColumn, remove_column, save_column
from .unchanged import Unchanged
from .writing import write_store

if TYPE_CHECKING:
    from astropy.table import Table

    from ..explorer.server import Server
    from .query import Query

__all__ = ["EmbeddingStore"]

Array = npt.NDArray[Any]


class EmbeddingStore(os.PathLike[str]):
    """Embeddings of objects in the shared space; a folder that is opened, never changed.

    Args:
        root: The folder that `EmbeddingStore.write` or `embed` wrote.

    Raises:
        FolderError: If the folder is no whole embeddings folder.

    Example:
        >>> from tempfile import mkdtemp
        >>> vectors = {"image": np.eye(3), "spectrum": np.eye(3)[[0, 2, 1]]}
        >>> store = EmbeddingStore.write(mkdtemp() + "/space", vectors, ["M31", "M33", "M51"], labels={"z": [0, 0, 1]})
        >>> print(store.search("M33", query="image", target="spectrum", k=1)["object_id"][0])
        M51
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.manifest = open_folder(self.root, "embeddings")
        self.unchanged = Unchanged(self.root)
        self.names: list[str] = list(self.manifest["modalities"])

    def __fspath__(self) -> str:
        return str(self.root)

    def __len__(self) -> int:
        return int(self.manifest["count"])

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} {int(self.present(name).sum())}" for name in self.names)
        return f"EmbeddingStore({str(self.root)!r}: {len(self)} objects x {self.out_features} dimensions; {counts})"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.to_table()[:5]._repr_html_()}"

    @classmethod
    def write(
        cls,
        root: str | Path,
        vectors: Mapping[str, npt.ArrayLike],
        object_ids: Sequence[str] | Array,
        *,
        present: Mapping[str, npt.ArrayLike] | None = None,
        catalog: Mapping[str, npt.ArrayLike] | None = None,
        labels: Mapping[str, npt.ArrayLike] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> EmbeddingStore:
        """Writes a store, in one step, and opens it.

        Args:
            root: Where to; an older store is replaced.
            vectors: Modality to vectors [N, D], all of the same D; they are normalised here.
            object_ids: N ids, unique.
            present: Modality to which rows have it [N]; all by default. Absent rows are stored as zeros.
            catalog: Any of "group", "ra", "dec" (degrees) and "split" ("train", "valid", "test") [N].
            labels: Property to its values [N]; NaN or "" where missing.
            values: For the manifest: "dataset", "origin", "seed", the model's hash, and "units" of labels by name.

        Raises:
            InputError: If lengths or dimensions differ, ids repeat, or a present vector is zero or not finite.
            UsageError: If a label has the name of a column of the catalogue.
        """
        write_store(root, vectors, object_ids, present or {}, catalog or {}, labels or {}, values or {})
        return cls(root)

    @cached_property
    def catalog(self) -> Catalog:
        """Columns [N], read when asked for: object_id, group, ra, dec, split, the labels, and the saved columns."""
        return Catalog(self.root, str(self.manifest.get("content", "")), self.unchanged)

    @property
    def object_ids(self) -> Array:
        """N ids."""
        return self.catalog["object_id"]

    @property
    def groups(self) -> Array:
        """N groups: the astrophysical object of each row."""
        return self.catalog["group"]

    @property
    def ra(self) -> Array:
        """Right ascension [N] in degrees."""
        return self.catalog["ra"]

    @property
    def dec(self) -> Array:
        """Declination [N] in degrees."""
        return self.catalog["dec"]

    @property
    def split(self) -> Array:
        """Part of each row [N]: "train", "valid", "test", or "" where the model saw no split."""
        return self.catalog["split"]

    @property
    def labels(self) -> Columns:
        """Property to its values [N], read when asked for; saved columns among them, but not saved selections."""
        return self.catalog.labels

    @property
    def saved_columns(self) -> dict[str, SavedColumn]:
        """Name to what was saved beside the store by `save_column`."""
        return dict(self.catalog.saved)

    def save_column(
        self,
        name: str,
        values: npt.ArrayLike,
        *,
        unit: str = "",
        about: Mapping[str, Any] | None = None,
        replace: bool = False,
    ) -> SavedColumn:
        """Saves a column in a file beside the store, which `catalog` and `labels`, and so --where and export, know.

        Args:
            name: Letters, digits and _; no column of the store.
            values: Numbers, text (or a `pandas.Categorical`), or flags (a saved selection) [N]; NaN or "" if missing.
            unit: As astropy writes it.
            about: How it was made.
            replace: Whether a saved column of this name may be replaced.
        """
        saved = save_column(self, name, values, unit, about, replace)
        self.catalog.refresh()
        return saved

    def remove_column(self, name: str) -> None:
        """Removes a saved column; see `saved_columns.remove_column`."""
        remove_column(self, name)
        self.catalog.refresh()

    @property
    def out_features(self) -> int:
        """Dimensions of the space."""
        return int(self.manifest["out_features"])

    @cached_property
    def _presence(self) -> Array:
        return read_array(self.root / "presence.npy")

    @property
    def choices(self) -> list[str]:
        """What `present` and `vectors` take: the modalities and, of several, "mean", see `mean.mean_vectors`."""
        return self.names + [MEAN] * (len(self.names) > 1 and MEAN not in self.names)

    def _check(self, name: str) -> str:
        self.unchanged.check()
        if name not in self.choices:
            raise UsageError(f"{self.root} has no modality {name!r}; it has {', '.join(self.choices)}.")
        return name

    def present(self, name: str) -> npt.NDArray[np.bool_]:
        """Which rows have the modality [N]; any of them, for "mean"."""
        chosen = slice(None) if self._check(name) not in self.names else [self.names.index(name)]
        return np.asarray(self._presence[:, chosen].any(axis=1))

    @cached_property
    def _mean(self) -> npt.NDArray[np.float32]:
        return mean_vectors(self)

    def vectors(self, name: str) -> npt.NDArray[np.float32]:
        """Unit vectors float32 [N, D], memory-mapped; rows without the modality are zero. The "mean" is computed."""
        if self._check(name) not in self.names:
            return self._mean
        path = self.root / f"{name}.npy"
        try:
            matrix: npt.NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise FolderError(f"{path} is damaged ({error}). Embed again.") from error
        if matrix.shape != (len(self), self.out_features):
            raise FolderError(f"{path} has shape {matrix.shape}, expected {(len(self), self.out_features)}.")
        return matrix

    def check_finite(self, name: str, rows: Any = slice(None)) -> None:
        """Makes sure that vectors of a modality are numbers: those of all rows, or of some.

        Raises:
            InputError: If one is not finite: how many are.
        """
        z = self.vectors(name)[rows]
        if bad := int((~np.isfinite(z).all(axis=1)).sum()):
            raise InputError(
                f"{self.root}: embeddings of {name}: {bad} of {len(z)} vectors hold NaN or infinity. Embed again."
            )

    @property
    def units(self) -> dict[str, str]:
        """Column to its unit as astropy writes it, where one is known."""
        saved = {name: one.unit for name, one in self.catalog.saved.items()}
        return {"ra": "deg", "dec": "deg", **saved, **self.manifest.get("units", {})}

    def to_table(self, *, vectors: bool = False) -> Table:
        """The catalogue as an astropy Table with what is known of units and UCDs, and ``has_<modality>`` for each.

        Args:
            vectors: Whether the vectors are columns, too, called as their modality.
        """
        from .export import to_table

        return to_table(self, vectors=vectors)

    def select(self, rows: npt.ArrayLike | str, out: str | Path) -> EmbeddingStore:
        """Writes a new store with some rows only: row numbers, flags [N], or a condition "z < 0.3"; see `changes`."""
        from .changes import select

        return select(self, rows, out)

    def without(self, name: str, out: str | Path) -> EmbeddingStore:
        """Writes a new store that lacks one modality, and the rows that had nothing else; see `changes`."""
        from .changes import without

        return without(self, name, out)

    def merged(self, other: EmbeddingStore, out: str | Path) -> EmbeddingStore:
        """Writes a new store with the rows and modalities of two of the same model; see `changes`."""
        from .changes import merged

        return merged(self, other, out)

    def explore(self, dataset: str | os.PathLike[str] = "", port: int = 0) -> Server:
        """Shows the explorer in a notebook: the server that this gives shows itself; see `explorer.serve_once`."""
        from ..explorer.server import serve_once

        return serve_once(self, dataset, port)

    def search(
        self,
        object_id: str | Sequence[str] | Query = "",
        *,
        ra: float = math.nan,
        dec: float = math.nan,
        query: str = "",
        target: str = "",
        k: int = 10,
        where: str = "",
    ) -> Table:
        """The k objects most similar to one object, to several, or to a new file.

        Args:
            object_id: Id of who asks, several that ask as one, or any `Query`.
            ra: Right ascension in degrees, instead of an id.
            dec: Declination in degrees.
            query: Modality that asks; the store's first by default, or what a new file holds.
            target: Modality that answers; the same as `query` by default, and then who asks is left out.
            k: Number of answers.
            where: Which objects may answer, "z < 0.3 and class == 'QSO'".

        Returns:
            Table of object_id, similarity (cosine), ra, dec and the labels, most similar first; of several queries
            one below the other, with the columns query and rank before.

        Raises:
            InputError: If an object is unknown or lacks the modality, a file does not fit, or k is too large.
            UsageError: If it is not said who asks, or a name is unknown.
        """
        from .query import Query
        from .search import search

        asked = object_id if isinstance(object_id, Query) else Query(like=object_id)  # type: ignore[arg-type]
        if not (math.isnan(ra) and math.isnan(dec)):
            asked = replace(asked, coordinates=[ra, dec])
        if where:
            asked = replace(asked, where=where)
        return search(self, asked, query=query, target=target, k=k)
