"""What surrounds the matrices of a features folder: catalogue, presence, manifest."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from .. import storage
from ..data.seen import learned_from, value_hashes
from ..errors import InputError
from ..models import describe, write_model
from ..types import reads_of
from .fingerprints import fingerprint
from .matrix import MatrixWriter

__all__ = ["ENCODERS", "described", "finish", "open_output"]

ENCODERS = "encoders"  # the model folder of each modality's encoder lies in here

KeyedWriters = list[tuple[str, MatrixWriter]]


def open_output(out: Path) -> Path:
    """Makes sure that features may be written to a folder: a new one, a features folder, or one that was begun.

    Raises:
        FolderError: If it holds something else.
    """
    begun = (out / "journal.jsonl").exists() and not (out / storage.MANIFEST).exists()
    if not begun:
        storage.check_output(out, "features")
    with storage.writing(out):
        out.mkdir(parents=True, exist_ok=True)
    return out


def finish(
    dataset: Any,
    encoders: Mapping[str, nn.Module],
    writers: Mapping[str, KeyedWriters],
    out: Path,
    settings: Mapping[str, Any],
) -> None:
    """Writes catalogue, presence and, last, the manifest, if anything changed; removes matrices that are out of date.

    Args:
        dataset: What was encoded.
        encoders: Modality to encoder.
        writers: Modality to the cache keys and the full matrices of its views.
        out: The features folder.
        settings: What else the manifest keeps.
    """
    columns = {"object_id": dataset.object_ids, "group": dataset.groups, "ra": dataset.ra, "dec": dataset.dec}
    columns |= dataset.labels
    about = getattr(dataset, "manifest", {})
    values = {
        "dataset": about.get("name", ""),
        "origin": about.get("origin", "real"),
        "units": about.get("units", {}),
        "count": len(dataset),
        "labels": list(dataset.labels),
        "catalogue": storage.hash_json({name: column.tolist() for name, column in columns.items()}),
        "modalities": {name: _part(dataset, name, encoders[name], one) for name, one in writers.items()},
        **settings,
    }
    for name, encoder in encoders.items():
        _keep(encoder, out / ENCODERS / name, values["modalities"][name]["encoder"]["fingerprint"])
    presence = np.stack([_presence(dataset, name, values["modalities"][name]) for name in writers], axis=1)
    manifest = out / storage.MANIFEST
    old = storage.read_json(manifest) if manifest.exists() else {}
    if old and storage.hash_json({**old, **values}) == storage.hash_json(old):
        return
    manifest.unlink(missing_ok=True)  # the journal still knows what is computed
    storage.publish(out / "catalog.parquet", lambda path: _write_parquet(columns, path))
    storage.publish(out / "presence.npy", lambda path: np.save(path, presence))
    storage.write_manifest(out, "features", values)
    current = {"presence.npy", *(writer.path.name for one in writers.values() for _, writer in one)}
    for path in out.glob("*.npy"):
        if path.name not in current:
            path.unlink()


def _part(dataset: Any, name: str, encoder: nn.Module, writers: KeyedWriters) -> dict[str, Any]:
    """What the manifest says about one modality."""
    rows = sorted({row for _, writer in writers for row in writer.not_finite})
    learned = _learned(dataset, encoder)
    return {
        "modality": dataset.modalities[reads_of(name, encoder)].to_dict(),
        "encoder": {**described(encoder), "fingerprint": fingerprint(encoder)},
        "out_features": encoder.out_features,
        "values": value_hashes(dataset, [reads_of(name, encoder)]),
        "matrices": [{"key": key, "file": one.path.name, "dtype": one.dtype} for key, one in writers],
        "not_finite": dataset.object_ids[rows].tolist(),
        **({"learned": learned} if learned else {}),
    }


def _learned(dataset: Any, encoder: nn.Module) -> dict[str, Any]:
    """By which method and division an encoder of a folder was trained on the same objects; nothing if it was not."""
    root = getattr(encoder, "root", None) or getattr(getattr(encoder, "encoder", None), "root", None)
    manifest = Path(root or "") / storage.MANIFEST
    about = storage.read_json(manifest) if root and manifest.is_file() else {}
    return {name: about[name] for name in ("method", "split") if name in about} if learned_from(about, dataset) else {}


def described(part: Any) -> Any:
    """The class path and the arguments of an encoder or an augmentation, or the class path alone."""
    try:
        return describe(part)
    except (TypeError, ValueError):  # a user's own part need not be describable; its code is in the key
        return {"class_path": f"{type(part).__module__}.{type(part).__qualname__}"}


def _keep(encoder: nn.Module, folder: Path, mark: str) -> None:
    """Saves an encoder beside its features, so that what is observed later can be encoded in the same way."""
    manifest = folder / storage.MANIFEST
    if manifest.exists() and storage.read_json(manifest).get("fingerprint") == mark:
        return
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(InputError, RuntimeError):  # cannot be described, or has tied weights: its user passes it again
        write_model(encoder, folder, {"fingerprint": mark})


def _presence(dataset: Any, name: str, part: Mapping[str, Any]) -> npt.NDArray[np.bool_]:
    """Which objects have finite features of a modality [N]."""
    present = np.asarray(dataset.present(part["modality"]["name"]))
    ids = part["not_finite"]
    if not ids:
        return present
    message = f"features of {name!r} are not finite for {len(ids)} of {present.sum()} objects ({', '.join(ids[:3])})"
    if len(ids) == present.sum():
        raise InputError(f"{message}: {part['encoder']['class_path']} or its preprocess is broken.")
    warnings.warn(f"{message}: they count as absent, and manifest.json lists them.", stacklevel=4)
    return present & ~np.isin(dataset.object_ids, ids)


def _write_parquet(columns: Mapping[str, npt.NDArray[Any]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({name: pa.array(column.tolist()) for name, column in columns.items()}), path)
