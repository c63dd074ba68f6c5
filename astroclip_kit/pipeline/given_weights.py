"""The weights that a published experiment is repeated with: read before hours of work, not after."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FileError, InputError, UsageError
from ..models import build, build_for, load_model
from ..types import Modality
from .preparation import Prepared
from .spectral_grid import check_grid, source_grid

if TYPE_CHECKING:
    from torch import nn

__all__ = ["check_weights", "fetch_pretrained"]

BANDS = ("u", "g", "r", "i", "z")  # of images that nobody has seen yet
DIGITS = 16  # of a checksum, in the report


def check_weights(prepared: Prepared, names: Sequence[str], grid: str) -> None:
    """Builds every encoder whose weights are given, and notes which they are.

    A head that would begin with weights which the file of its encoder does not hold begins at random, which is noted.

    Args:
        prepared: What is run; its heads and its notes are changed.
        names: The encoders.
        grid: Wavelengths that the encoder of spectra is to see.

    Raises:
        FileError: If a file is damaged, or holds another network.
        FolderError: If a folder is damaged, or holds no model.
        UsageError: If they are weights for other data, or for spectra on another grid; if an encoder is missing.
    """
    from ..download.files import hash_file

    for name in names:
        if not prepared.content["extract"]["encoders"].get(name):
            raise UsageError(f"--set extract.encoders: none is left of {name!r}, which the recipe needs. Add it.")
        value = prepared.content["extract"]["encoders"][name]
        path = Path(value if isinstance(value, str) else (value.get("init_args") or {}).get("checkpoint") or "")
        if name in prepared.pretrain or path == Path():
            continue
        encoder = _from_folder(name, path) if isinstance(value, str) else _from_file(name, value, path)
        if name == "spectrum" and encoder is not None:
            note = check_grid(encoder, path, source_grid(prepared.content, prepared.dataset), grid)
            if note:
                prepared.departures.add(note)
        _check_head(prepared, name)
        digits = hash_file(path / "weights.safetensors" if path.is_dir() else path).sha256[:DIGITS]
        prepared.weights.append(f"{name} encoder: {path.name} (sha256 {digits}...)")


def fetch_pretrained(sections: Mapping[str, Any]) -> None:
    """Builds each encoder that begins with public weights, so that they are there before hours of work.

    Args:
        sections: Verb to its arguments.

    Raises:
        FileError: If weights cannot be downloaded.
    """
    for verb in ("extract", "align", "classify"):
        for name, value in ((sections.get(verb) or {}).get("encoders") or {}).items():
            if isinstance(value, dict) and (value.get("init_args") or {}).get("pretrained"):
                with suppress(UsageError, InputError):  # it may need the data, and its step says what is wrong with it
                    build_for(value, Modality(name, "image", BANDS, (len(BANDS), 64, 64)))


def _from_folder(name: str, path: Path) -> nn.Module:
    from ..storage import open_folder

    kinds = {one["kind"] for one in open_folder(path, "model").get("modalities", {}).values()}
    encoder = load_model(path)
    if (kinds and kinds != {name}) or not isinstance(getattr(encoder, "out_features", None), int):
        what = f"a model of {' and '.join(sorted(kinds))}" if kinds else type(encoder).__name__
        raise UsageError(f"--{name}-weights {path}: expected an encoder of kind {name}, found {what}.")
    return encoder


def _from_file(name: str, value: dict[str, Any], path: Path) -> nn.Module | None:
    """The encoder as far as no data is needed for it; None where its class cannot be built without."""
    kind = build({"function": value["class_path"]}, trusted=True)
    takes = inspect.signature(kind).parameters
    if "checkpoint" not in takes:
        raise UsageError(
            f"--{name}-weights {path}: {value['class_path']} reads no file of weights. Give a folder of `pretrain`."
        )
    arguments = {key: one for key, one in value["init_args"].items() if key in takes}
    try:
        inspect.signature(kind).bind(**arguments)
    except TypeError:  # the data say the rest
        return None
    encoder: nn.Module = build({**value, "init_args": arguments}, trusted=True)
    return encoder


def _check_head(prepared: Prepared, name: str) -> None:
    """Lets a head begin at random where the file of its encoder holds no weights for it."""
    head = (prepared.content["align"].get("heads") or {}).get(name) or {}
    arguments = head.get("init_args") or {}
    if not arguments.get("checkpoint"):
        return
    try:
        build(head, trusted=True)
    except FileError as error:
        del arguments["checkpoint"]
        prepared.departures.add(f"{name} head: random weights, since {error}")
