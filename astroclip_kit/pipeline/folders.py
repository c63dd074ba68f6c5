"""What any folder of the kit holds, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from ..errors import FolderError
from ..replacement import mend
from ..storage import open_folder, own_manifest, read_journal
from .model_folders import features_text, model_text, tree
from .survey_files import raw_folder

__all__ = ["summary"]

EXPORTED = ("hats", "multimodal_universe")  # what they hold is said by their files
READ_BY = {  # mock survey: the configuration that makes classes of it
    "stars": "batmm_cutouts.yaml",
    "point_sources": "spectral_gan_cutouts.yaml",
    "wise": "iicnet_cutouts.yaml",
    "variables": "astrom3_mock.yaml (a copy without its section simulate)",
}
OWN_FILES = ("manifest.json", "config.yaml", "journal.jsonl")  # a folder without one is not the kit's


def summary(folder: Path) -> str:
    """A text about a folder: what it is, what it holds, where it came from.

    Args:
        folder: Any folder of the kit, or of survey files, or one such file.

    Raises:
        FolderError: If the folder is missing, incomplete or of a newer version.
    """
    if not folder.exists():
        mend(folder)
    if not folder.exists():
        raise FolderError(f"{folder}: no such folder. Expected a folder of the kit or of survey files, or such a file.")
    if not any((folder / name).exists() for name in OWN_FILES) or _foreign(folder):
        return raw_folder(folder)
    if (folder / "config.yaml").exists() and not (folder / "manifest.json").exists():
        return _run(folder)
    manifest = open_folder(folder, "")
    kind = manifest["kind"]
    if kind in EXPORTED:
        return raw_folder(folder)
    head = f"{folder}: {kind}, written by astroclip_kit {manifest['astroclip_kit']}"
    describe = {
        "dataset": _dataset,
        "features": features_text,
        "model": model_text,
        "embeddings": _store,
        "results": _results,
        "survey": _survey,
    }
    return f"{head}\n{describe.get(kind, _plain)(folder, manifest)}"


def _foreign(folder: Path) -> bool:
    """Whether a folder has a manifest of others, as archives of surveys have, and nothing of the kit."""
    if own_manifest(folder) or any((folder / name).exists() for name in OWN_FILES[1:]):
        return False
    with suppress(ValueError):
        return bool(json.loads((folder / OWN_FILES[0]).read_text()))
    return False


def _run(folder: Path) -> str:
    steps = list(dict.fromkeys(entry["step"] for entry in read_journal(folder) if "step" in entry))
    report = folder / "results" / "report.html"
    lines = [
        f"{folder}: run of a configuration ({folder / 'config.yaml'})",
        f"  steps done: {', '.join(steps) or 'none'}",
    ]
    return "\n".join([*lines, f"  report: {report}" if report.exists() else "  no report yet: run it again to go on"])


def _dataset(folder: Path, manifest: Mapping[str, Any]) -> str:
    from ..data import Dataset, describe, render

    text: str = render(describe(Dataset(folder)))
    return text


def _store(folder: Path, manifest: Mapping[str, Any]) -> str:
    from ..embeddings import EmbeddingStore

    store = EmbeddingStore(folder)
    codes, names = store.catalog.encoded("split")
    counts = {"no split": int((codes < 0).sum()), **dict(zip(names, np.bincount(codes[codes >= 0]), strict=True))}
    sides = ", ".join(f"{side} {count}" for side, count in sorted(counts.items()) if count)
    lines = [
        f"{store!r}",
        sides,
        f"labels: {', '.join(name for name in store.labels if name not in store.saved_columns)}",
        *([f"saved columns: {', '.join(map(str, store.saved_columns.values()))}"] if store.saved_columns else []),
        f"{manifest['origin']} data {manifest['dataset']!r}",
    ]
    return "\n  ".join(lines)


def _results(folder: Path, manifest: Mapping[str, Any]) -> str:
    from ..report import results_table
    from ..results import read_results
    from .outcome import SHOWN

    return "\n".join(results_table(read_results(folder))[SHOWN].pformat(max_lines=-1, max_width=-1))


def _survey(folder: Path, manifest: Mapping[str, Any]) -> str:
    """What was simulated, and which configuration reads it as it is."""
    config, told = READ_BY.get(manifest.get("survey", ""), ""), _plain(folder, manifest)
    return f"{told}\nstart from configs/{config}: --set data={quote(str(folder))}" if config else told


def _plain(folder: Path, manifest: Mapping[str, Any]) -> str:
    return tree(
        {
            key: value
            for key, value in manifest.items()
            if key not in ("kind", "format_version", "astroclip_kit", "files")
        }
    )
