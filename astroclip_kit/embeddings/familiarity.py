"""Whether inputs look like those that a space was made from, by the features that the heads of its model are given.

A projection head puts whatever it is given among what it knows, so that vectors alone cannot say that an input is
strange. In front of the head strange inputs still lie far out. Features are whitened, and how far one is from the
nearest of a sample is compared with objects that took no part in the whitening: by nearest neighbours, since one space
may hold several kinds of objects (Sun et al. 2022, ICML, arXiv:2204.06507).

What an encoder does not see is not flagged either. In spaces of 800 mock galaxies, at one false alarm in a hundred (n
= 100 each; ``benchmarks/support.py``, with intervals in ``benchmarks/README.md``), encoders trained with the heads
flag all noise, hot black bodies, other instruments and LAMOST stars, and of three trainings 5, 57 and 61 % of spectra
with their pixels in random order, 54 to 77 % of those with red and blue exchanged, and 54 to 81 % of blue stars among
images. Frozen ones flag all noise and 79 % of hot black bodies; but `SpectralShape`, which smooths, no random order
of pixels, no constant spectrum, hardly another instrument (1 %) or LAMOST star (5 %), and an untrained `ImageConvNet`
10 % of blue stars.

Kept with a store in its folder ``familiarity/``: a file per modality, and a manifest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from ..errors import FolderError
from ..storage import new_folder, open_folder, write_manifest

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .store import EmbeddingStore

__all__ = [
    "Familiarity",
    "carry_familiarity",
    "familiar_rows",
    "familiarity",
    "groups_of",
    "head_inputs",
    "keep_familiarity",
]

FOLDER = "familiarity"
UNSEEN = ("valid", "test")  # sides of a split
MOST = 5000  # objects of the sample
ENOUGH = 100  # objects unseen in training, to take no others for comparison; or a tenth of all
FEWEST = 10  # objects of the sample, and half as many for comparison
WIDEST = 4096  # features that are whitened as they are: the time grows with the third power
FOLDED = 512  # sums of features, in random order and with random signs, in the place of more
FLOOR = 0.03  # least variance of a direction, in units of that of a feature: what is below is noise
LARGEST = 6e4  # of float16
Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Familiarity:
    """How far features usually are from the nearest of a sample.

    Args:
        mean: Mean of the features [D].
        axes: Matrix that whitens them [D, K]; K is D, or 512 sums of features where there are more than 4,096.
        sample: Whitened features float16 [M, K].
        groups: Astrophysical object of each [M].
        usual: Distances of the objects to compare with, in ascending order [R].

    Example:
        >>> h = np.random.default_rng(0).normal(size=(400, 3))
        >>> known = Familiarity.fit(h, np.arange(400).astype(str), np.arange(400) < 100)
        >>> known.percentile(np.array([[0.1, 0.2, -0.1], [8, 8, 8]]), np.array(["new", "strange"])) > 1
        array([ True, False])
    """

    mean: npt.NDArray[np.float32]
    axes: npt.NDArray[np.float32]
    sample: npt.NDArray[np.float16]
    groups: Array
    usual: npt.NDArray[np.float32]

    @classmethod
    def fit(cls, h: Array, groups: Array, unseen: Flags, seed: int = 0) -> Familiarity | None:
        """From the features of known objects; None where there are too few.

        Args:
            h: Features [N, D].
            groups: Astrophysical object of each [N].
            unseen: Which the model was not trained on [N]; they are compared with where there are enough of them,
                else a fifth of all objects drawn by lot.
            seed: Who is drawn.
        """
        rng = np.random.default_rng(seed)
        if unseen.sum() < min(ENOUGH, len(h) / 10):
            objects = np.unique(groups)
            unseen = np.isin(groups, rng.permutation(objects)[: len(objects) // 5])
        rows = np.sort(rng.permutation(np.flatnonzero(~unseen))[:MOST])
        if len(rows) < FEWEST or 2 * unseen.sum() < FEWEST:
            return None
        x = h[rows].astype(np.float64 if h.shape[1] <= WIDEST else np.float32)
        mean, std = x.mean(axis=0), x.std(axis=0)
        std = np.where(std > 1e-6 * np.maximum(np.abs(mean), 1e-6), std, 1)
        x -= mean
        x /= std
        fold = _fold(x.shape[1], rng)
        x = x if fold is None else x @ fold
        variance, directions = np.linalg.eigh(x.T @ x / len(x))
        whiten = directions / np.sqrt(np.maximum(variance, FLOOR))
        whole = whiten if fold is None else fold @ whiten
        axes, empty = (whole / std[:, None]).astype(np.float32), np.zeros(0, dtype=np.float32)
        known = cls(mean.astype(np.float32), axes, _half(x @ whiten), groups[rows], empty)
        usual = np.sort(known.distance(h[unseen], groups[unseen])).astype(np.float32)
        return cls(known.mean, axes, known.sample, known.groups, usual)

    def distance(self, h: Array, groups: Array, step: int = 1024) -> Float:
        """Distance [Q] of features [Q, D] from the nearest of the sample that is not of their own group [Q]."""
        codes = np.unique(np.concatenate([self.groups, groups]), return_inverse=True)[1]
        held, asking = codes[: len(self.groups)], codes[len(self.groups) :]
        sample, found = self.sample.astype(np.float32), np.empty(len(h))
        norms = np.square(sample).sum(axis=1)
        for start in range(0, len(h), step):
            part = slice(start, start + step)
            x = (h[part].astype(np.float32) - self.mean) @ self.axes
            squared = np.square(x).sum(axis=1)[:, None] + norms - 2 * x @ sample.T
            squared[asking[part, None] == held] = np.inf
            found[part] = np.sqrt(np.maximum(squared.min(axis=1), 0))
        return found

    def percentile(self, h: Array, groups: Array) -> Float:
        """Share of the compared objects, in percent, that are as far from the sample or farther [Q]."""
        farther = len(self.usual) - np.searchsorted(self.usual, self.distance(h, groups).astype(np.float32))
        return np.asarray(100 * farther / len(self.usual))


def _fold(width: int, rng: np.random.Generator) -> npt.NDArray[np.float32] | None:
    """Each of too many features in one of 512 sums [D, 512], which have the variance of a feature; else None."""
    if width <= WIDEST:
        return None
    fold = np.zeros((width, FOLDED), dtype=np.float32)
    fold[np.arange(width), rng.permutation(width) % FOLDED] = rng.choice([-1, 1], width) * (FOLDED / width) ** 0.5
    return fold


def _half(values: Array) -> npt.NDArray[np.float16]:
    return np.clip(values, -LARGEST, LARGEST).astype(np.float16)


@contextmanager
def head_inputs(model: nn.Module) -> Iterator[dict[str, Array]]:
    """Modality to the features float16 [n, D] that its head was given last; of an ensemble, that of the first member.

    Args:
        model: A model; of one without `heads` nothing is known.
    """
    given: dict[str, Array] = {}
    heads: Mapping[str, nn.Module] = getattr(getattr(model, "members", [model])[0], "heads", {})
    hooks = [head.register_forward_pre_hook(partial(_keep, given, name)) for name, head in heads.items()]
    try:
        yield given
    finally:
        for hook in hooks:
            hook.remove()


def _keep(given: dict[str, Array], name: str, module: nn.Module, inputs: tuple[Tensor]) -> None:
    given[name] = _half(inputs[0].detach().float().flatten(1).cpu().numpy())


def keep_familiarity(
    store: EmbeddingStore,
    features: Mapping[str, Array],
    present: Mapping[str, Flags],
    groups: Array,
    sides: Array,
    rows: npt.NDArray[np.int64],
) -> None:
    """Keeps with a store what is usual, and how familiar its own objects look.

    Args:
        store: The store, just written.
        features: Modality to features [N, D] of the observations; of those that lack it anything.
        present: Modality to which observations have it [N].
        groups: Astrophysical object of each observation [N].
        sides: Side of the split of each, "" where the model saw none [N].
        rows: Row of the store that each observation went into [N].

    Raises:
        OutputError: If the store's folder may not be written.
    """
    files: dict[str, dict[str, Array]] = {}
    for name, matrix in features.items():
        h, own, at = (values[present[name]] for values in (matrix, groups, rows))
        if (known := Familiarity.fit(h, own, np.isin(sides[present[name]], UNSEEN))) is None:
            continue
        count, total = (np.bincount(at, by, len(store)) for by in (None, known.percentile(h, own)))
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
        files[name] = {"rows": mean, **asdict(known)}
    _write(store, files)


def _write(store: EmbeddingStore, files: Mapping[str, Mapping[str, Array]]) -> None:
    """Writes what is kept of each modality: the rows, and the fields of its `Familiarity`."""
    with new_folder(store.root / FOLDER, FOLDER) as folder:
        for name, one in files.items():
            np.savez(folder / f"{name}.npz", **one)  # type: ignore[arg-type]
        about = {name: {"sample": len(one["sample"]), "compared": len(one["usual"])} for name, one in files.items()}
        write_manifest(folder, FOLDER, {"content": store.manifest.get("content"), "modalities": about})


def carry_familiarity(new: EmbeddingStore, parts: Sequence[tuple[EmbeddingStore, Array, Array]]) -> list[str]:
    """Keeps with a new store what the stores that it was made from say.

    Args:
        new: The store, just written.
        parts: Each old store, rows of it, and the rows of the new one that they became.

    Returns:
        Modalities of which it cannot be kept: one store lacks it, or they compare with different samples.

    Raises:
        FolderError: If what a store keeps is damaged.
        OutputError: If the store's folder may not be written.
    """
    files: dict[str, dict[str, Array]] = {}
    lost = []
    for name in new.names:
        kept = [(_opened(store, name), rows, places) for store, rows, places in parts if name in store.names]
        held = [(one, rows, places) for one, rows, places in kept if one is not None]
        if held and (len(held) < len(kept) or not all(_alike(held[0][0], one) for one, _, _ in held)):
            lost.append(name)
        elif held:
            files[name] = {**held[0][0], "rows": np.full(len(new), np.nan, np.float32)}
            for one, rows, places in held[::-1]:
                known = np.isfinite(one["rows"][rows])
                files[name]["rows"][places[known]] = one["rows"][rows][known]
    if files:
        _write(new, files)
    return lost


def _alike(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    """Whether two compare with the same sample."""
    return all(np.array_equal(one[key], other[key]) for key in one if key != "rows")


def familiarity(store: EmbeddingStore, name: str) -> Familiarity | None:
    """What is usual of a modality; None where the store does not keep it.

    Raises:
        FolderError: If what it keeps is damaged.
    """
    kept = _opened(store, name)
    return None if kept is None else Familiarity(**{key: value for key, value in kept.items() if key != "rows"})


def familiar_rows(store: EmbeddingStore, name: str) -> npt.NDArray[np.float32] | None:
    """How familiar each row looks without its own group [N], NaN without the modality; None where it is not kept.

    Those that the sample was drawn from, which shaped the whitening, look a little more familiar than they are.

    Raises:
        FolderError: If what the store keeps is damaged.
    """
    kept = _opened(store, name)
    return None if kept is None else kept["rows"]


def _opened(store: EmbeddingStore, name: str) -> dict[str, Array] | None:
    folder = store.root / FOLDER
    if not folder.is_dir():
        return None
    manifest = open_folder(folder, FOLDER)
    if name not in manifest["modalities"] or manifest["content"] != store.manifest.get("content"):
        return None
    try:
        with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise FolderError(f"{folder / name}.npz is damaged ({error}). Embed again.") from error


def groups_of(store: EmbeddingStore, ids: npt.ArrayLike) -> Array:
    """Group of each id that the store knows; the id itself for others."""
    wanted = np.asarray(ids, dtype=str)
    rows = store.catalog.rows_of(wanted.tolist())
    return np.where(rows >= 0, store.catalog.at(rows.clip(0), ["group"])["group"], wanted)
