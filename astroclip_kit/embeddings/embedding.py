"""Objects through a saved model, into a store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from ..alignment.batches import plain_batch
from ..contracts import check_alike
from ..data import splits
from ..errors import InputError, UsageError
from ..models import load_model
from ..progress import progress
from ..settings import Hardware, Split
from ..storage import hash_json, hash_text, open_folder
from ..training.hardware import autocast, resolve_hardware
from ..types import Modality
from .familiarity import head_inputs, keep_familiarity
from .store import EmbeddingStore

__all__ = ["embed", "model_hash"]

Array = npt.NDArray[Any]


def embed(
    model: str | os.PathLike[str] | torch.nn.Module,
    data: Any,
    out: str | Path,
    *,
    pool: Literal["", "group"] = "",
    split: Split | None = None,
    batch_size: int = 1024,
    hardware: Hardware | None = None,
    quiet: bool = False,
) -> EmbeddingStore:
    """Places every object in the shared space of a model.

    Args:
        model: A model folder, what `align` returned, or any other model (then give the `split` it was trained with).
        data: A `FeatureSet` or `Dataset`, of the kind that the model was trained on.
        out: Embeddings folder to write; an older one is replaced.
        pool: "group" for one row per astrophysical object: the mean of the unit vectors of its rows, normalised
            again, under the id of the group; "" for one row per observation.
        split: Who was trained on; by default what the model folder says.
        batch_size: Rows per forward pass.
        hardware: Where and how. Heads on cached features are always computed in float32.
        quiet: Shows no progress.

    Returns:
        The store. Who is held out is decided by the hash of the split, also for objects that are new to the model.

    Raises:
        InputError: If the data lack what the model needs, or come from other encoders.
        UsageError: If `pool` is neither "group" nor "".
    """
    if pool not in ("", "group"):
        raise UsageError(f"pool is {pool!r}, expected 'group' for one row per object or '' for one per observation.")
    built, about = _open(model)
    names = [name for name in built.names if name in (getattr(data, "names", None) or data.modalities)]
    _check(built, about, data, names)
    vectors, features = _vectors(built, data, names, batch_size, hardware or Hardware(), quiet)
    present = {name: np.asarray(data.present(name)) for name in names}
    groups, sides, rows = np.asarray(data.groups), _sides(data, split, about), np.arange(len(data))
    observed = present
    catalog = {"group": groups, "ra": data.ra, "dec": data.dec, "split": sides}
    ids, labels = np.asarray(data.object_ids), dict(data.labels)
    if pool:
        ids, first, rows = np.unique(groups, return_index=True, return_inverse=True)
        catalog = {name: np.asarray(column)[first] for name, column in catalog.items()}
        labels = {name: _first_known(column, rows, len(ids)) for name, column in labels.items()}
        vectors, present = _pooled(vectors, present, rows, len(ids))
    values = {
        "dataset": data.manifest.get("dataset") or data.manifest.get("name", ""),
        "origin": data.manifest.get("origin", "real"),
        "seed": about.get("training", {}).get("seed", 0),
        "model": model_hash(built),
        "model_folder": _relative(getattr(built, "root", None), out),
        "dataset_folder": "" if hasattr(data, "matrix") else _relative(getattr(data, "root", None), out),
        "data": hash_json(data.manifest),
        "pool": pool,
        "units": data.manifest.get("units", {}),
    }
    store = EmbeddingStore.write(out, vectors, ids, present=present, catalog=catalog, labels=labels, values=values)
    keep_familiarity(store, features, observed, groups, sides, rows)
    return store


def _open(model: Any) -> tuple[Any, Mapping[str, Any]]:
    if isinstance(model, torch.nn.Module):
        root = getattr(model, "root", None)
        return model, {} if root is None else open_folder(root, "model")
    return load_model(model), open_folder(model, "model")


def _check(model: Any, about: Mapping[str, Any], data: Any, names: list[str]) -> None:
    """Says what the data lack."""
    cached = hasattr(data, "matrix")
    if not names:
        raise InputError(f"{data!r} has no modality of the model, which knows {', '.join(model.names)}.")
    raw = [name for name in names if name in model.encoders]
    if cached and raw:
        raise InputError(f"the model encodes raw {raw[0]} itself: give it the dataset, not features.")
    if not cached and len(raw) < len(names):
        needed = next(name for name in names if name not in raw)
        raise InputError(f"the model needs features of {needed}: give it the features folder, not the dataset.")
    for name in raw if "modalities" in about else []:
        trained_on = Modality.from_dict(about["modalities"][name])
        check_alike(trained_on, data.modalities[name], f"the model's encoder of {name!r}")
    for name in names if cached else []:
        known = about.get("encoders", {}).get(name)
        if known is not None and known != data.encoders.get(name):
            raise InputError(f"the features of {name} come from another encoder than the model was trained with.")


def _sides(data: Any, split: Split | None, about: Mapping[str, Any]) -> Array:
    """The side of every row; "" where the model says none, or data new to it cannot be divided its way."""
    if split is None and "split" not in about:
        return np.full(len(data), "")
    try:
        return splits.divide(data, split or Split(**about["split"]))
    except (InputError, UsageError):
        if split is not None or about.get("data_hash") == hash_json(data.manifest):
            raise
        return np.full(len(data), "")


def _vectors(
    model: Any, data: Any, names: list[str], batch_size: int, hardware: Hardware, quiet: bool
) -> tuple[dict[str, npt.NDArray[np.float32]], dict[str, npt.NDArray[np.float16]]]:
    """Unit vectors [N, D] of every modality, and the features [N, D'] that its head was given."""
    device, precision = resolve_hardware(hardware)
    context = autocast(device, "float32" if hasattr(data, "matrix") else precision)
    model = model.to(device).eval()
    vectors = {name: np.zeros((len(data), model.out_features), dtype=np.float32) for name in names}
    features: dict[str, npt.NDArray[np.float16]] = {}
    bar = progress(total=len(data), description="embed", unit="objects", quiet=quiet)
    with torch.inference_mode(), context, bar, head_inputs(model) as given:
        for start in range(0, len(data), batch_size):
            rows = np.arange(start, min(start + batch_size, len(data)))
            batch = plain_batch(data, names, rows)
            given.clear()
            for name, z in model.embed(batch).items():
                here = rows[batch.rows[name].numpy()]
                vectors[name][here] = z.float().cpu().numpy()
                if name in given and name not in features:
                    features[name] = np.zeros((len(data), given[name].shape[1]), dtype=np.float16)
                if name in given:
                    features[name][here] = given[name]
            bar.update(len(rows))
    model.cpu()
    return vectors, features


def _pooled(
    vectors: Mapping[str, Array], present: Mapping[str, Array], codes: npt.NDArray[np.int64], count: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Sum of the unit vectors of each group, and which groups have any; the store normalises."""
    sums = {}
    for name, matrix in vectors.items():
        sums[name] = np.zeros((count, matrix.shape[1]), dtype=np.float32)
        np.add.at(sums[name], codes[present[name]], matrix[present[name]])
    return sums, {name: np.bincount(codes[here], minlength=count) > 0 for name, here in present.items()}


def _first_known(column: Array, codes: npt.NDArray[np.int64], count: int) -> Array:
    """The first value of each group that is not missing; whole numbers stay what they are, and are never missing."""
    column = column.astype(np.float64) if column.dtype.kind == "O" else column
    known = np.flatnonzero(column != "" if column.dtype.kind == "U" else np.isfinite(column))[::-1]
    out = np.full(count, {"U": "", "f": np.nan}.get(column.dtype.kind, 0), dtype=column.dtype)
    out[codes[known]] = column[known]  # the last one written is the first in the column
    return out


def model_hash(model: torch.nn.Module) -> str:
    """A hash of a model's weights, by which a store knows whose it is."""
    return hash_text(*(_bytes(tensor) for tensor in model.state_dict().values()))


def _relative(folder: Path | None, out: str | Path) -> str:
    """Where a folder lies, seen from the store, so that both may move together; "" for a model that was not saved."""
    return "" if folder is None else os.path.relpath(os.path.realpath(folder), os.path.realpath(out))


def _bytes(tensor: torch.Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
