"""A features folder in which some rows are of other encoders, such as those that did not learn from these objects."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import storage
from ..errors import InputError
from .feature_set import FeatureSet
from .matrix import needs_float32

__all__ = ["substituted"]


def substituted(
    features: FeatureSet,
    name: str,
    rows: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
    out: str | Path,
    about: Mapping[str, Any] | None = None,
) -> FeatureSet:
    """Writes a copy of a features folder with other features in some rows; one that is there already is kept.

    The encoders beside it stay those of the features, which encode new objects.

    Args:
        features: What is copied.
        name: The features that are changed, of one view.
        rows: n rows that have them.
        values: Their new features [n, D].
        out: The features folder to write.
        about: What else its manifest keeps.

    Raises:
        InputError: If there are several views, the shapes differ, a row lacks the features or a value is not finite.
        FolderError: If `out` holds something else.
    """
    shape = (len(rows), features.out_features(name))
    if features.views(name) != 1 or values.shape != shape:
        raise InputError(
            f"{name!r} has {features.views(name)} views and new features of {values.shape}, expected 1 and {shape}."
        )
    if not np.isfinite(values).all() or not features.present(name)[rows].all():
        raise InputError(f"new features of {name!r} are not finite, or of rows that have none.")
    key = storage.hash_text(features.data_hash(name), rows.tobytes(), values.tobytes())
    known = storage.read_json(Path(out) / storage.MANIFEST) if (Path(out) / storage.MANIFEST).exists() else {}
    if known.get("substituted") == key:
        return FeatureSet(out)
    whole = np.array(features.matrix(name), dtype=np.float32)
    whole[rows] = values
    dtype = "float32" if needs_float32(whole) else "float16"
    part = features.manifest["modalities"][name]
    old, new = part["matrices"][0]["file"], f"{name}-0-{key[:12]}.npy"
    changed = {**part, "matrices": [{"key": key, "file": new, "dtype": dtype}]}
    modalities = {**features.manifest["modalities"], name: changed}
    with storage.new_folder(out, "features") as folder:
        for path in features.root.iterdir():
            if path.is_dir():
                shutil.copytree(path, folder / path.name)
            elif path.name not in (old, storage.MANIFEST, "journal.jsonl", storage.LOCK):
                shutil.copy(path, folder)
        np.save(folder / new, whole.astype(dtype))
        kept = {**features.manifest, "modalities": modalities, "substituted": key, **(about or {})}
        storage.write_manifest(folder, "features", {k: v for k, v in kept.items() if k != "files"})
    return FeatureSet(out)
