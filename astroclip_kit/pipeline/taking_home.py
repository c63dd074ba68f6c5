"""Verbs that carry what the kit holds to other tools, and set two spaces side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, UsageError
from .parts import Folder, open_data, open_store, words
from .table_files import is_table, write_table

if TYPE_CHECKING:
    from astropy.table import Table

    from ..data import Dataset
    from ..embeddings import EmbeddingStore

__all__ = ["compare", "export"]

LAYOUTS = {"hats": "write_hats", "multimodal_universe": "write_multimodal_universe"}
ALWAYS = ("object_id", "group", "ra", "dec", "split")


def export(
    data: Folder = "data",
    out: Folder = "exported",
    *,
    to: str = "",
    labels: str | list[str] = "",
    vectors: bool = True,
    map: Folder = "",
    clusters: Folder = "",
    units: dict[str, str] | None = None,
) -> str:
    """Writes a dataset, or embeddings, in a form that other tools read.

    Args:
        data: Dataset folder, or embeddings folder.
        out: What to write. Of embeddings a file that ends in .fits, .vot, .parquet, .csv, .ecsv or .npz, or a folder
            for a HATS catalogue; of a dataset a folder. An older one is replaced.
        to: Of a dataset "hats" (for LSDB; the default) or "multimodal_universe" (HDF5 files by sky pixel); of
            embeddings fits, votable, parquet, csv, ecsv, numpy or hats, where the name does not say it.
        labels: Labels to keep, "z,logmstar"; all by default. In the layouts of a dataset one that is called like
            another column becomes label_NAME.
        vectors: Whether embeddings are written with their vectors; CSV has a column for each dimension.
        map: Map folder, whose coordinates become the columns map_x and map_y of embeddings.
        clusters: Clusters folder, whose numbers become the columns cluster and cluster_probability of embeddings.
        units: Of labels of embeddings, as astropy writes them: '{"teff": "K"}'; what the store knows by default.

    Returns:
        What was written, and what was left out.
    """
    from ..storage import open_folder

    if is_store := hasattr(data, "vectors"):
        opened: Any = data
    elif isinstance(data, (str, Path)) and (is_store := open_folder(data, "")["kind"] == "embeddings"):
        opened = open_store(data)
    else:
        opened = open_data(data)
    kept = _labels(opened, labels)
    if is_store:
        return _export_store(opened, Path(out), to, _columns(opened, kept, vectors, map, clusters, units or {}))
    if map or clusters or units or not vectors:
        raise UsageError("vectors, map, clusters and units belong to embeddings; the data are none.")
    return _export_dataset(opened, Path(out), to or "hats", kept if labels else None)


def _labels(data: Any, labels: str | list[str]) -> list[str]:
    chosen = words(labels)
    if unknown := [label for label in chosen if label not in data.labels]:
        what = "embeddings" if hasattr(data, "vectors") else "dataset"
        raise UsageError(f"no label {unknown[0]!r} in the {what}; it has {', '.join(data.labels) or 'none'}.")
    return chosen or list(data.labels)


def _export_dataset(dataset: Dataset, out: Path, to: str, labels: list[str] | None) -> str:
    from .. import surveys
    from ..data import Dataset as Opened

    if to not in LAYOUTS:
        raise UsageError(f"cannot export a dataset to {to!r}; there is: {', '.join(LAYOUTS)}.")
    if not isinstance(dataset, Opened):
        raise UsageError(f"{dataset}: expected a dataset or embeddings; features are columns already.")
    write, origin = getattr(surveys, LAYOUTS[to]), dataset.manifest["origin"]
    drops = write(out, dataset, dataset.modalities, labels=labels, origin=origin)
    return _told(out, len(dataset), len(drops), dataset.root, to)


def _export_store(store: EmbeddingStore, out: Path, to: str, table: Table) -> str:
    from ..embeddings.export import format_of, write_export

    to = format_of(out, to)
    drops = write_export(table, out, to, origin=store.manifest["origin"])
    return _told(out, len(table), len(drops), store.root, to)


def _told(out: Path, count: int, dropped: int, source: Path, to: str) -> str:
    left = f"; {dropped:,} left out, see {out / 'skipped.csv'}" if dropped else ""
    return f"{out}: {count - dropped:,} objects of {source} as {to}{left}"


def _columns(
    store: EmbeddingStore, labels: list[str], vectors: bool, map: Folder, clusters: Folder, units: dict[str, str]
) -> Table:
    """The store as a table, with what was found in it."""
    from ..embeddings.export import described

    table = store.to_table(vectors=vectors)
    table = table[[name for name in table.colnames if name in (*ALWAYS, *labels) or name not in store.labels]]
    joined: dict[str, Any] = {}
    if map:
        from ..downstream import Map

        found = Map(Path(map))
        placed = {"map_x": found.coordinates[:, 0], "map_y": found.coordinates[:, 1]}
        joined |= _joined(store, found.object_ids, placed, map, np.nan)
    if clusters:
        from ..downstream import Clusters

        groups = Clusters(Path(clusters)).table
        ids, strength = np.asarray(groups["object_id"], dtype=str), np.asarray(groups["probability"], np.float32)
        joined |= _joined(store, ids, {"cluster": np.asarray(groups["cluster"])}, clusters, -1)
        joined |= _joined(store, ids, {"cluster_probability": strength}, clusters, np.nan)
    for name, column in joined.items():
        if name in table.colnames:
            raise UsageError(f"{name!r} would be two columns of the table. Leave the label out with --labels.")
        table[name] = column
    if unknown := [name for name in units if name not in table.colnames]:
        raise UsageError(f"units: no column {unknown[0]!r}; there is: {', '.join(table.colnames)}.")
    _check_units(units)
    return described(table, units)


def _check_units(units: dict[str, str]) -> None:
    from astropy.units import Unit

    for name, unit in units.items():
        try:
            Unit(unit)
        except (ValueError, TypeError) as error:
            raise UsageError(f"units: {unit!r} of {name} is no unit that astropy reads, e.g. 'km / s'.") from error


def _joined(store: EmbeddingStore, ids: Any, columns: dict[str, Any], folder: Folder, missing: float) -> dict[str, Any]:
    """Columns of some objects [M] in the order of the store [N], `missing` for those that are not among them."""
    order = np.argsort(ids)
    place = order[np.searchsorted(ids, store.object_ids, sorter=order).clip(max=len(ids) - 1)]
    known = ids[place] == store.object_ids
    if not known.any():
        raise InputError(f"{folder} holds no object of {store.root}. Give what was made of these embeddings.")
    return {name: np.where(known, column[place], np.array(missing, column.dtype)) for name, column in columns.items()}


def compare(
    one: Folder,
    two: Folder,
    properties: str | list[str] = "",
    *,
    out: str = "",
    common: bool = False,
    k: int = 16,
    seed: int = 0,
) -> Table:
    """Sets two spaces of the same objects side by side: which is better, by how much, and how alike they are.

    Args:
        one: Embeddings folder.
        two: Another, of the same model or of a different one.
        properties: Labels to predict, "z,logmstar".
        out: File for the table: .fits, .csv, .ecsv, .vot or .parquet.
        common: Whether to take what both have in common where they differ in objects, split or labels.
        k: Number of neighbours of a prediction.
        seed: Of the resampling.

    Returns:
        One row per measurement: both values, their difference with its interval, and what both have in common.
    """
    from .. import downstream

    if out and not is_table(out):
        raise UsageError(f"out is {out!r}, expected a file that ends with .fits, .csv, .ecsv, .vot or .parquet.")
    stores = open_store(one), open_store(two)
    table = downstream.compare(*stores, words(properties), common=common, k=k, seed=seed)
    made = [f"{store.manifest['dataset']} ({store.manifest['origin']})" for store in stores]
    if made[0] != made[1]:
        table.meta["notes"].append(f"the first is of {made[0]}, the second of {made[1]}: lines are called by the first")
    if out:
        write_table(table, out)
        table.meta["notes"].append(f"written: {out}")
    return table
