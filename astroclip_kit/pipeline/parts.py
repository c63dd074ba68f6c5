"""What the verbs make of their arguments: names, positions, parts and folders."""

from __future__ import annotations

import inspect
import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..types import reads_of

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore

__all__ = [
    "Encoders",
    "Folder",
    "Parts",
    "changed",
    "encoder_for",
    "head_for",
    "left_out",
    "open_data",
    "open_pictures",
    "open_store",
    "part",
    "provenance",
    "read_by",
    "save_figure",
    "seeded",
    "words",
]

Folder = str | os.PathLike[str]
Parts = dict[str, dict[str, Any]]  # by name: class_path and init_args, or (in Python) the object itself
Encoders = dict[str, str | dict[str, Any]]  # the same, with `reads` under another name; or an encoder folder


SHOWN = 3  # of what was left out, each of which is told with its reason


def words(value: str | list[str]) -> list[str]:
    """The names in "a,b" or ["a", "b"]; a comma inside parentheses separates nothing."""
    if not isinstance(value, str):
        return list(value)
    return [word.strip() for word in re.split(r",(?![^(]*\))", value) if word.strip()]


def changed(settings: Any, more: Mapping[str, Any], of: str) -> Any:
    """The same settings with some of their fields changed.

    Args:
        settings: A dataclass.
        more: Field to its value.
        of: What they are the settings of, "a query".

    Raises:
        UsageError: If there is no such field.
    """
    known = [one.name for one in fields(settings)]
    if unknown := [name for name in more if name not in known]:
        raise UsageError(f"there is no argument {unknown[0]!r}. Of {of} there are: {', '.join(known)}.")
    return replace(settings, **more)


def part(value: Any, from_path: Any = None) -> Any:
    """The object itself, or what a configuration's class_path and init_args describe, or what a path stands for."""
    from ..models import build

    if isinstance(value, (str, os.PathLike)) and from_path is not None:
        return from_path(Path(value))
    return build(value, trusted=True) if isinstance(value, dict) else value


def encoder_for(value: Any, modalities: dict[str, Any], name: str) -> Any:
    """An encoder, or that of an encoder folder, fitted to the modality; what is left open is sized by it.

    A description may say with ``reads`` which modality it is, where the encoder is called otherwise. Of the folder of
    an encoder with its head, as `classify` writes them, it is the encoder inside, and that is said.
    """
    from ..classifiers.seen import encoder_folder
    from ..contracts import modality_read
    from ..encoders.fitted import encoder_of
    from ..models import build_for, reads_described

    if isinstance(value, (str, os.PathLike)):
        if not Path(value).is_dir():
            raise UsageError(
                f"encoders: {name}: {value} is no encoder folder. A class is named by its "
                f"class_path, such as astroclip_kit.encoders.ImageConvNet."
            )
        inside = encoder_folder(Path(value))
        if inside != Path(value):
            warnings.warn(f"{value} holds an encoder and its head: {inside} is taken, as {name!r}.", stacklevel=2)
        return encoder_of(inside, name, modalities)
    if not isinstance(value, dict):
        return value
    reads = reads_described(name, value)
    encoder = build_for(value, modality_read(name, SimpleNamespace(reads=reads), modalities))
    if value.get("reads"):
        encoder.reads = reads
    return encoder


def read_by(name: str, value: Any) -> str:
    """The modality that an encoder of a configuration reads: described, in a folder, or the object itself."""
    from ..classifiers.seen import encoder_folder
    from ..models import reads_described
    from ..storage import MANIFEST, read_json

    if isinstance(value, dict):
        return reads_described(name, value)
    if not isinstance(value, (str, os.PathLike)):
        return reads_of(name, value)
    manifest = encoder_folder(Path(value)) / MANIFEST
    about = read_json(manifest).get("reads") if manifest.exists() else None
    return str((about or {}).get("", name))


def head_for(value: Any, width: int | None) -> Any:
    """A projection head; one that a configuration describes takes the width of its features where it names none."""
    if not isinstance(value, dict) or width is None or "class_path" not in value:
        return part(value)
    from ..models import build

    takes = inspect.signature(build({"function": value["class_path"]}, trusted=True)).parameters
    sized = {"in_features": width} if "in_features" in takes else {}
    return part({**value, "init_args": {**sized, **(value.get("init_args") or {})}})


def note_untrained(given: Mapping[str, Any], built: Mapping[str, Any], trainable: Mapping[str, str]) -> None:
    """Says on standard error which encoders of a configuration stay at their random weights.

    Args:
        given: Modality to encoder as it was given; about an object its owner knows.
        built: Modality to encoder.
        trainable: Modality to what is trained of its encoder; frozen by default.
    """
    for name, value in given.items():
        given_weights = ("pretrained", "checkpoint")
        loaded = not isinstance(value, dict) or any(value.get("init_args", {}).get(one) for one in given_weights)
        if (
            not loaded
            and trainable.get(name, "frozen") == "frozen"
            and list(getattr(built[name], "parameters", list)())
        ):
            print(
                f"note: the encoder of {name!r} ({value['class_path']}) has random weights and is not trained. "
                f"Train it (alignment.trainable of align), or pass an encoder with loaded weights.",
                file=sys.stderr,
            )


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Parts that are built inside begin with the same random weights every time; the caller's numbers go on as before.

    Raises:
        UsageError: If the seed is negative.
    """
    import torch

    if seed < 0:
        raise UsageError(f"seed is {seed}, expected 0 or more.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def open_data(data: Folder) -> Any:
    """The dataset or the features in a folder; an object that was opened already passes as it is."""
    if not isinstance(data, (str, Path)):
        return data
    from ..data import Dataset
    from ..errors import FolderError
    from ..features import FeatureSet
    from ..storage import open_folder

    kind = open_folder(data, "")["kind"]
    if kind not in ("dataset", "features"):
        raise FolderError(f"{data}: expected a dataset or features folder, found one of kind {kind!r}.")
    return FeatureSet(data) if kind == "features" else Dataset(data)


def open_pictures(dataset: Folder) -> Any:
    """The dataset whose cutouts and spectra a figure shows.

    Raises:
        UsageError: If none was given.
    """
    if not dataset:
        raise UsageError("the figure shows cutouts and spectra: say with --dataset where they are.")
    return open_data(dataset)


def provenance(store: EmbeddingStore) -> str:
    """What a number that was read off a space is of, in a note."""
    of = f" of {store.manifest['dataset']}" if store.manifest["dataset"] else ""
    return f"{store.manifest['origin']} data{of}, seed {store.manifest['seed']}"


def left_out(reasons: Sequence[str]) -> list[str]:
    """Why some were not asked about, in notes: the first reasons, and how many more there are."""
    shown = [f"left out: {reason}" for reason in reasons[:SHOWN]]
    return [*shown, f"left out: {len(reasons) - SHOWN} more"] if len(reasons) > SHOWN else shown


def save_figure(figure: Any, path: Folder) -> None:
    """Writes a figure to a file, in the format that its name ends with.

    Raises:
        UsageError: If no such format can be written.
        OutputError: If the file cannot be written.
    """
    from ..storage import writing

    known = figure.canvas.get_supported_filetypes()
    if Path(path).suffix[1:].lower() not in known:
        raise UsageError(f"figure {str(path)!r}: expected a name that ends with one of .{', .'.join(known)}.")
    with writing(Path(path)):
        figure.savefig(path)


def open_store(embeddings: Folder) -> EmbeddingStore:
    """The shared space in a folder; an object that was opened already passes as it is."""
    from ..embeddings import EmbeddingStore

    return embeddings if isinstance(embeddings, EmbeddingStore) else EmbeddingStore(Path(embeddings))
