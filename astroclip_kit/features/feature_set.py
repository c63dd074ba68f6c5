"""A features folder, opened: one memory-mapped matrix per modality and view."""

from __future__ import annotations

from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FolderError, InputError
from ..storage import open_folder, read_array
from ..types import Modality
from .folder import ENCODERS

__all__ = ["FeatureSet"]


class FeatureSet:
    r"""What frozen encoders gave for the objects of a dataset; matrices stay on disk until they are read.

    It may be pickled and passed wherever a folder is expected.

    Args:
        root: A features folder, as `extract` writes it.

    Raises:
        FolderError: If the folder is missing, incomplete, damaged, foreign or of a newer version.

    Example:
        >>> import tempfile
        >>> from astroclip_kit.data import ingest
        >>> from astroclip_kit.encoders import TabularMLP
        >>> from astroclip_kit.features import extract
        >>> from astroclip_kit.surveys import TableReader
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "stars.csv").write_text("name,g,r\nVega,0.0,0.1\nSirius,-1.4,-1.3\n")
        >>> stars = TableReader(folder / "stars.csv", columns=["g", "r"], id_column="name")
        >>> dataset = ingest({"magnitudes": stars}, folder / "data", quiet=True)
        >>> _ = extract(dataset, {"magnitudes": TabularMLP(2, 32)}, folder / "features")
        >>> features = FeatureSet(folder / "features")
        >>> features.object_ids.tolist(), features.out_features("magnitudes"), features.matrix("magnitudes").dtype
        (['Vega', 'Sirius'], 32, dtype('float16'))
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.manifest: dict[str, Any] = open_folder(self.root, "features")
        self._parts: dict[str, Any] = self.manifest["modalities"]
        self.names: list[str] = list(self._parts)
        self.modalities: dict[str, Modality] = {
            name: Modality.from_dict(part["modality"]) for name, part in self._parts.items()
        }
        self.encoders: dict[str, Any] = {name: part["encoder"] for name, part in self._parts.items()}

    def __len__(self) -> int:
        return int(self.manifest["count"])

    @cached_property
    def _catalog(self) -> dict[str, npt.NDArray[Any]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(self.root / "catalog.parquet")
        except (OSError, pa.ArrowInvalid) as error:
            raise FolderError(f"{self.root}: catalog.parquet is damaged ({error}). Extract again.") from error
        columns = {name: table[name].to_numpy() for name in table.column_names}
        return {name: one.astype(str) if one.dtype == object else one for name, one in columns.items()}

    @property
    def object_ids(self) -> npt.NDArray[np.str_]:
        """Id of each row [N]."""
        return self._catalog["object_id"]

    @property
    def groups(self) -> npt.NDArray[np.str_]:
        """Astrophysical object of each row [N]."""
        return self._catalog["group"]

    @property
    def ra(self) -> npt.NDArray[np.float64]:
        """Right ascension [N] in degrees; NaN where unknown."""
        return self._catalog["ra"]

    @property
    def dec(self) -> npt.NDArray[np.float64]:
        """Declination [N] in degrees; NaN where unknown."""
        return self._catalog["dec"]

    @property
    def labels(self) -> dict[str, npt.NDArray[Any]]:
        """Property name to values [N]: numbers with NaN, or text with "" where missing."""
        return {name: self._catalog[name] for name in self.manifest["labels"]}

    @property
    def encoder_folders(self) -> dict[str, Path]:
        """Modality to the model folder of its encoder; without those that could not be saved."""
        folders = {name: self.root / ENCODERS / name for name in self.names}
        return {name: folder for name, folder in folders.items() if folder.is_dir()}

    def _part(self, name: str) -> dict[str, Any]:
        if name not in self._parts:
            raise InputError(f"{self.root} has no features of {name!r}. It has: {', '.join(self.names)}.")
        part: dict[str, Any] = self._parts[name]
        return part

    def out_features(self, name: str) -> int:
        """Number of features of a modality."""
        return int(self._part(name)["out_features"])

    def views(self, name: str) -> int:
        """Number of views of a modality; view 0 is as observed, the others are augmented."""
        return len(self._part(name)["matrices"])

    def matrix(self, name: str, view: int = 0) -> npt.NDArray[Any]:
        """Features of a modality, memory-mapped.

        Args:
            name: The modality.
            view: Number of the view.

        Returns:
            float16 or float32 [N, out_features], read-only; 0 in rows that lack the modality.

        Raises:
            InputError: If there is no such modality or view.
            FolderError: If the file is missing or damaged.
        """
        matrices = self._part(name)["matrices"]
        if not 0 <= view < len(matrices):
            raise InputError(f"{self.root} has views 0 to {len(matrices) - 1} of {name!r}, not {view}.")
        path = self.root / matrices[view]["file"]
        try:
            matrix: npt.NDArray[Any] = np.load(path, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise FolderError(f"{path} is missing or damaged ({error}). Extract again.") from error
        return matrix

    def present(self, name: str) -> npt.NDArray[np.bool_]:
        """Which rows have features of a modality [N]: they have the modality, and no feature of it is NaN."""
        self._part(name)
        presence: npt.NDArray[np.bool_] = self._presence[:, self.names.index(name)].copy()
        return presence

    @cached_property
    def _presence(self) -> npt.NDArray[np.bool_]:
        return read_array(self.root / "presence.npy")

    def data_hash(self, name: str) -> str:
        """A hash of everything that the features of a modality depend on."""
        return "-".join(matrix["key"] for matrix in self._part(name)["matrices"])

    def value_hashes(self, name: str) -> list[str]:
        """Hashes of the raw values that were encoded; none in a folder of a version that did not keep them."""
        return list(self._part(name).get("values", []))

    def __fspath__(self) -> str:
        return str(self.root)

    def __reduce__(self) -> tuple[type[FeatureSet], tuple[Path]]:
        return type(self), (self.root,)

    def _lines(self) -> list[tuple[str, ...]]:
        return [
            (
                name,
                self._part(name)["encoder"]["class_path"].rpartition(".")[2],
                str(self.out_features(name)),
                f"{int(self.present(name).sum())} of {len(self)}",
                str(self.views(name)),
            )
            for name in self.names
        ]

    def __repr__(self) -> str:
        parts = ", ".join(f"{name}: {encoder} [{d}] x {n}" for name, encoder, d, n, _ in self._lines())
        return f"FeatureSet({str(self.root)!r}: {len(self)} objects; {parts})"

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{head}</th>" for head in ("modality", "encoder", "features", "objects", "views"))
        rows = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in self._lines())
        cells = "".join(f"<tr>{row}</tr>" for row in (heads, *rows))
        return f"<b>FeatureSet</b> {escape(str(self.root))}: {len(self)} objects<table>{cells}</table>"
