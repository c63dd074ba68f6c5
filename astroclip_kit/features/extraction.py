"""Frozen encoders over a dataset, once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from .. import storage
from ..contracts import check_augmentation, check_encoder, modality_read
from ..data.splits import divide
from ..errors import InputError, UsageError
from ..progress import progress
from ..settings import Hardware, Split
from ..training.hardware import resolve_hardware
from ..transforms.compose import Augmentation
from ..transforms.randomness import object_seeds
from ..types import reads_of
from .encode import FrozenEncoder, read_ahead
from .feature_set import FeatureSet
from .fingerprints import fingerprint
from .folder import described, finish, open_output
from .matrix import MatrixWriter

__all__ = ["extract"]

Rows = npt.NDArray[np.int64]
Encoded = tuple[Rows, npt.NDArray[np.float32]]  # row numbers and their features
SHARD_ROWS = 4096
SHARD_SECONDS = 30.0  # a slow encoder loses at most this when it is killed


@dataclass(frozen=True)
class _Views:
    """Which views of an object are encoded: `count` where there is an augmentation, else the observed one.

    Objects that are not `augmented` [N] (None: all are) have the observed one in place of the others.
    """

    count: int
    augmentations: Mapping[str, Augmentation]
    seed: int
    augmented: npt.NDArray[np.bool_] | None = None

    def keys(self, name: str) -> list[list[Any]]:
        """What distinguishes the views of a modality from each other and from those of other draws."""
        if name not in self.augmentations:
            return [[]]
        drawn: list[Any] = [self.seed, fingerprint(self.augmentations[name])]
        if self.augmented is not None:
            drawn.append(np.flatnonzero(self.augmented).tolist())
        return [[view, *drawn] if view else [] for view in range(self.count)]

    def sort(self, view: int, rows: Rows) -> tuple[Rows, Rows]:
        """The rows to encode, and those that are as in view 0."""
        if not view or self.augmented is None:
            return rows, rows[:0]
        return rows[self.augmented[rows]], rows[~self.augmented[rows]]

    def draw(self, name: str, view: int, x: torch.Tensor, object_ids: npt.NDArray[np.str_]) -> torch.Tensor:
        """The raw views [B, ...], augmented unless `view` is 0."""
        if not view:
            return x
        return self.augmentations[name](x, object_seeds(self.seed, view, storage.hash_ids(object_ids)).to(x.device))


@dataclass(frozen=True)
class _Extraction:
    """One call of `extract`: what is encoded how; all of it is known before anything is computed."""

    dataset: Any
    encoders: Mapping[str, nn.Module]
    out: Path
    views: _Views
    batch_size: int
    device: torch.device
    precision: str
    quiet: bool

    def reads(self, name: str) -> str:
        """The modality that an encoder encodes."""
        return reads_of(name, self.encoders[name])

    def keys(self, name: str) -> list[str]:
        """The cache key of each view of a modality; of the kit's own code, which no fingerprint reads, its version."""
        from .. import __version__

        data, ids = self.dataset.data_hash(self.reads(name)), storage.hash_json(self.dataset.object_ids.tolist())
        content = [data, ids, fingerprint(self.encoders[name]), self.precision, __version__]
        return [storage.hash_json([*content, *view]) for view in self.views.keys(name)]

    def writers(self, name: str) -> list[tuple[str, MatrixWriter]]:
        """Cache key and writer of each view of a modality; a changed key is another file."""
        shape = (len(self.dataset), int(self.encoders[name].out_features))  # type: ignore[arg-type]
        keys = enumerate(self.keys(name))
        return [(key, MatrixWriter(self.out, f"{name}-{view}-{key[:12]}", shape)) for view, key in keys]

    def compute(self, name: str, writers: list[MatrixWriter]) -> None:
        """Fills the matrices of a modality from where they stand."""
        modality = self.dataset.modalities[self.reads(name)]
        rows = np.flatnonzero(self.dataset.present(modality.name))
        if all(writer.done == len(rows) for writer in writers):
            return
        encoder = FrozenEncoder(self.encoders[name], modality, self.device, self.precision)
        done, total = sum(writer.done for writer in writers), len(rows) * len(writers)
        with progress(total=total, description=f"extract {name}", unit="views", quiet=self.quiet) as bar:
            bar.update(done)
            for view, writer in enumerate(writers):
                drawn, observed = self.views.sort(view, rows)
                while writer.done < len(rows):  # a second time only if float16 turned out too small
                    here = self._encode(name, view, encoder, drawn[writer.done :], bar)
                    same = writers[0].read(observed[max(0, writer.done - len(drawn)) :])
                    _fill(writer, chain(_shards(here), same))
            bar.update(total - bar.n)

    def _encode(self, name: str, view: int, encoder: FrozenEncoder, rows: Rows, bar: Any) -> Iterator[Encoded]:
        def read(batch: Rows) -> tuple[Rows, torch.Tensor]:
            return batch, encoder.upload(self.dataset.views(self.reads(name), batch))

        batches = (rows[start : start + self.batch_size] for start in range(0, len(rows), self.batch_size))
        for batch, x in read_ahead(read, batches):
            yield batch, encoder(self.views.draw(name, view, x, self.dataset.object_ids[batch]))
            bar.update(len(batch))


def _fill(writer: MatrixWriter, shards: Iterable[Encoded]) -> None:
    """Writes what follows, up to where the matrix had to be begun again."""
    for rows, h in shards:
        if not writer.write(rows, h):
            return


def _shards(batches: Iterator[Encoded]) -> Iterator[Encoded]:
    """Gathers batches until they are worth a write to the disk."""
    rows: list[Rows] = []
    h: list[npt.NDArray[np.float32]] = []
    begun = time.monotonic()
    for batch, features in batches:
        rows.append(batch)
        h.append(features)
        if sum(map(len, rows)) >= SHARD_ROWS or time.monotonic() - begun > SHARD_SECONDS:
            yield np.concatenate(rows), np.concatenate(h)
            rows, h, begun = [], [], time.monotonic()
    if rows:
        yield np.concatenate(rows), np.concatenate(h)


def extract(
    dataset: Any,
    encoders: Mapping[str, nn.Module],
    out: str | PathLike[str],
    *,
    augmentations: Mapping[str, Augmentation] | None = None,
    views: int = 1,
    augmented: Split | None = None,
    batch_size: int = 256,
    hardware: Hardware = Hardware(),
    seed: int = 0,
    quiet: bool = False,
) -> FeatureSet:
    r"""Encodes every object of a dataset and keeps the features.

    Encoders run in eval mode without gradients, in bfloat16 where the processor multiplies it natively. What is
    there already, with the same data, weights, preprocessing, precision and views, is not computed again; an
    interrupted call goes on where it was.

    Args:
        dataset: A `Dataset`, or anything with its attributes.
        encoders: Modality to encoder, or any name to one whose ``reads`` names its modality; the others are left out.
        out: The features folder.
        augmentations: Modality to augmentation of raw views, for the views after the first.
        views: Views per object of the modalities that have an augmentation: view 0 is as observed, the others are
            augmented. The other modalities have one.
        augmented: A division of the objects of which the training side alone is augmented, which saves the time for
            the others: each of their views is as observed. By default all are.
        batch_size: Objects per forward pass.
        hardware: Where, and at which precision.
        seed: Another seed draws other views.
        quiet: Shows no progress.

    Returns:
        The features. Objects with features that are not finite count as absent; a warning counts them and the
        manifest lists them.

    Raises:
        InputError: If an encoder or an augmentation does not fit, a side of the division is empty, or all features of
            an encoder are not finite.
        FolderError: If `out` holds something else.
        OutputError: If the disk is full.
        UsageError: If a name is no modality of the dataset, or a number is less than 1.

    Example:
        >>> import tempfile
        >>> from astroclip_kit.data import ingest
        >>> from astroclip_kit.encoders import TabularMLP
        >>> from astroclip_kit.surveys import TableReader
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "stars.csv").write_text("name,g,r\nVega,0.0,0.1\nSirius,-1.4,-1.3\n")
        >>> stars = TableReader(folder / "stars.csv", columns=["g", "r"], id_column="name")
        >>> dataset = ingest({"magnitudes": stars}, folder / "data", quiet=True)
        >>> features = extract(dataset, {"magnitudes": TabularMLP(2, 32)}, folder / "features")
        >>> features.matrix("magnitudes").shape, features.encoders["magnitudes"]["class_path"]
        ((2, 32), 'astroclip_kit.encoders.tabular.TabularMLP')
    """
    chosen = None if augmented is None else np.asarray(divide(dataset, augmented) == "train")
    drawn = _Views(views, augmentations or {}, seed, chosen)
    _check(dataset, encoders, drawn, batch_size)
    device, precision = resolve_hardware(hardware)
    extraction = _Extraction(dataset, encoders, open_output(Path(out)), drawn, batch_size, device, precision, quiet)
    with storage.only_writer(extraction.out):
        writers = {name: extraction.writers(name) for name in encoders}
        for name, one in writers.items():
            extraction.compute(name, [writer for _, writer in one])
        settings = {
            "precision": precision,
            "views_seed": seed,
            "augmentations": {name: described(one) for name, one in drawn.augmentations.items()},
            "augmented": augmented and asdict(augmented),
        }
        finish(dataset, encoders, writers, extraction.out, settings)
    return FeatureSet(extraction.out)


def _check(dataset: Any, encoders: Mapping[str, nn.Module], views: _Views, batch_size: int) -> None:
    read = {
        name: modality_read(name, encoders.get(name), dataset.modalities) for name in [*encoders, *views.augmentations]
    }
    for name, encoder in encoders.items():
        if not isinstance(getattr(encoder, "out_features", None), int):
            raise InputError(f"{type(encoder).__name__} is no encoder: it has no integer `out_features`.")
        if not dataset.present(read[name].name).any():
            raise InputError(f"no object of the dataset has a {read[name].name!r}: there is nothing to encode.")
    for name, augmentation in views.augmentations.items():
        changed = check_augmentation(augmentation, read[name])
        if changed != read[name] and name in encoders:
            check_encoder(encoders[name], changed)  # smaller images
    if not encoders:
        raise UsageError(f"no encoders were given. Give one for at least one of: {', '.join(dataset.modalities)}.")
    for name, number in {"views": views.count, "batch_size": batch_size}.items():
        if number < 1:
            raise UsageError(f"{name} is {number}, expected at least 1.")
