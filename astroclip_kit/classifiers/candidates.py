"""Classes of new objects, as a table, and who was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..settings import Hardware
from ..transforms.image_quality import ImageQuality
from ..transforms.lightcurves import pad
from ..transforms.resampling import reach
from ..types import Drop, Modality, Sample
from .classifier import Classifier
from .inference import BATCH

if TYPE_CHECKING:
    from astropy.table import Table

    from ..data import Dataset

__all__ = ["Candidates", "classify_objects", "least_coverage", "made_of"]

TOLERANCE = 1e-3  # of the share of a spectrum's wavelengths
NO_VIEW = np.empty(0, dtype=np.float32)  # in the place of one that is not needed any more


@dataclass(frozen=True)
class Candidates:
    """New objects with their classes.

    Args:
        table: object_id, ra, dec, class, and the probability of every class, ``p_CLASS``; of a classifier of objects
            that may lack modalities also ``seen``, those that it had.
        left_out: Who was left out, and why.
        shown: One of them with its views: the one asked for, or the surest of all.
    """

    table: Table
    left_out: list[Drop]
    shown: Sample


def classify_objects(
    classifier: Classifier,
    objects: Iterable[Sample | Drop],
    modalities: Mapping[str, Modality],
    *,
    coverage: Mapping[str, float] | None = None,
    quality: Mapping[str, ImageQuality] | None = None,
    show: str = "",
    hardware: Hardware = Hardware(precision="float32"),
) -> Candidates:
    """Asks a classifier about new objects.

    Args:
        classifier: Of raw views.
        objects: With all modalities, or any where the classifier copes with that, as `embeddings.new_objects` gives
            them; drops are passed on.
        modalities: What it was trained on.
        coverage: Of spectra, the least share of their wavelengths that those of the training had: a new one that has
            less is left out, as its class would be read from what was made up there.
        quality: Of images, what was asked of those of the training: a new one that is spoiled is left out.
        show: Id of the object whose views are wanted; by default that of the surest.
        hardware: Where, and at which precision: bfloat16 changes probabilities by a hundredth.

    Raises:
        InputError: If no object can be classified.
    """
    left_out: list[Drop] = []
    found: list[Sample] = []
    parts: list[npt.NDArray[np.float64]] = []
    surest, shown = -1.0, None

    def unlike(one: Sample) -> str:
        return _short(one, modalities, coverage or {}) or _spoiled(one, modalities, quality or {})

    for batch in _batches(objects, unlike, left_out):
        p = classifier.predict(_stacked(batch, modalities), hardware=hardware)
        sure = np.array([one.object_id == show for one in batch], dtype=float) if show else p.max(axis=1)
        if sure.max() > max(surest, 0.0):
            surest, shown = float(sure.max()), batch[int(sure.argmax())]
        parts.append(p)
        found += [Sample(one.object_id, dict.fromkeys(one.views, NO_VIEW), one.ra, one.dec) for one in batch]
    if not found:
        reason = f"{left_out[0].source}: {left_out[0].reason}" if left_out else "there is none."
        raise InputError(f"no object can be classified; the first: {reason}")
    if shown is None:
        if reason := next((one.reason for one in left_out if _is_of(one, show)), ""):
            raise InputError(f"{show!r} was left out: {reason}")
        raise InputError(f"there is no object {show!r} among those classified, such as {found[0].object_id!r}.")
    return Candidates(_table(found, np.concatenate(parts), classifier), left_out, shown)


def _batches(
    objects: Iterable[Sample | Drop], unlike: Callable[[Sample], str], left_out: list[Drop]
) -> Iterator[list[Sample]]:
    """Objects to classify together; those that are unlike the training, with the reason, are left out."""
    batch: list[Sample] = []
    for one in objects:
        if isinstance(one, Sample) and (reason := unlike(one)):
            one = Drop(one.object_id, reason)
        if isinstance(one, Drop):
            left_out.append(one)
            continue
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _is_of(drop: Drop, object_id: str) -> bool:
    """Whether it is this object that was left out, alone or as a row of a file."""
    return object_id in (drop.source, Path(drop.source).stem) or f"{object_id}: " in drop.reason


def _short(sample: Sample, modalities: Mapping[str, Modality], coverage: Mapping[str, float]) -> str:
    """What is said of a spectrum that reaches less far than those of the training; nothing of others."""
    for name, least in coverage.items():
        if name not in sample.views:
            continue
        grid, share = modalities[name].grid, float(reach(sample.views[name][1]))
        if share < least - TOLERANCE:
            return (
                f"the {name} covers {share:.0%} of {grid[0]:.0f}-{grid[-1]:.0f} Angstrom, and those of the training at "
                f"least {least:.0%}."
            )
    return ""


def _spoiled(sample: Sample, modalities: Mapping[str, Modality], quality: Mapping[str, ImageQuality]) -> str:
    """What is said of an image that would not have been trained on; nothing of others."""
    for name, asked in quality.items():
        if name in sample.views and (reason := asked.spoiled(sample.views[name], modalities[name])):
            return f"the {name} is not as those of the training: {reason}"
    return ""


def _stacked(batch: Sequence[Sample], modalities: Mapping[str, Modality]) -> dict[str, npt.NDArray[np.float32]]:
    """Views [n, ...] by modality, NaN where an object has none, and after the end of the shorter light curves."""
    stacked = {}
    for name, modality in modalities.items():
        nothing = np.full([max(axis, 0) for axis in modality.shape], np.nan, dtype=np.float32)
        own = [one.views.get(name, nothing) for one in batch]
        stacked[name] = pad(own) if modality.ragged else np.stack(own)
    return stacked


def _table(found: list[Sample], p: npt.NDArray[np.float64], classifier: Classifier) -> Table:
    from astropy.table import Table

    names = np.asarray(classifier.classes)
    columns = {
        "object_id": [one.object_id for one in found],
        "ra": [one.ra for one in found],
        "dec": [one.dec for one in found],
        "class": names[p.argmax(axis=1)],
        **{f"p_{name}": p[:, column] for column, name in enumerate(classifier.classes)},
    }
    if classifier.partial:
        reads = classifier.modalities
        columns["seen"] = ["+".join(name for name in reads if name in one.views) for one in found]
    return Table(columns, units={"ra": "deg", "dec": "deg"})


def least_coverage(dataset: Dataset, names: Iterable[str], rows: npt.NDArray[np.int64]) -> dict[str, float]:
    """Of spectra with inverse variances, the least share of their wavelengths that some rows reach.

    Args:
        dataset: The dataset.
        names: Modalities.
        rows: Row numbers; those that lack one do not count for it.
    """
    kinds = {name: dataset.modalities[name] for name in names}
    spectra = [name for name, one in kinds.items() if one.kind == "spectrum" and one.channels[1:2] == ("ivar",)]
    found = {}
    for name in spectra:
        here = rows[np.asarray(dataset.present(name))[rows]]
        parts = np.array_split(here, -(-len(here) // BATCH)) if len(here) else []
        found[name] = min((float(reach(dataset.views(name, some)[:, 1]).min()) for some in parts), default=0.0)
    return found


def made_of(dataset: Dataset, names: Sequence[str], rows: npt.NDArray[np.int64]) -> dict[str, Any]:
    """What a classifier keeps of its data in its manifest, by which new objects are refused that are not like it.

    Args:
        dataset: The dataset.
        names: Modalities that it learns from.
        rows: Row numbers that train.

    Returns:
        "dataset" and "origin"; "coverage", see `least_coverage`; and "quality", the demands on the pixels of images.
    """
    manifest = dataset.manifest
    return {
        "dataset": manifest["name"],
        "origin": manifest["origin"],
        "coverage": least_coverage(dataset, names, rows),
        "quality": {name: one for name, one in manifest.get("quality", {}).items() if name in names},
    }
