"""The vocabulary of the kit: what the rooms hand to each other.

`Modality` describes one kind of observation and sizes its encoder. A `Reader` turns survey files into
`Sample`s (NumPy, one object); a dataset stacks samples into a `Batch` (torch, many objects); an `Encoder`
turns one modality of a batch into feature vectors; every evaluation ends in `Result`s. `contracts` says whether
an object meets one of the protocols.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args, runtime_checkable

import numpy as np
import numpy.typing as npt

from .errors import InputError

if TYPE_CHECKING:
    import torch

__all__ = [
    "Batch",
    "Drop",
    "Encoder",
    "Kind",
    "Modality",
    "Reader",
    "Result",
    "Sample",
    "reads_of",
]

Kind = Literal["image", "spectrum", "lightcurve", "table"]
LIGHTCURVE_CHANNELS = ("time", "value", "error", "band")


@dataclass(frozen=True)
class Modality:
    """One kind of observation of an object.

    Args:
        name: What the user calls it; the key in `Sample.views`.
        kind: "image" [C, H, W], "spectrum" [C, L], "lightcurve" [T, C] or "table" [C].
        channels: Bands of an image, ("flux", "ivar") of a spectrum, columns of a table, and for a light curve ("time",
            "value", "error", "band"): days, `unit`, `unit` (NaN where not given), index into `bands`. Further ones of
            a spectrum or a light curve are `covariates`.
        shape: Shape of one view; -1 for an axis of varying length (light curves).
        unit: Physical unit of the values, as astropy writes it; "" where there is none.
        grid: Wavelengths in Angstrom for a spectrum [L]; (pixel scale in arcsec,) for an image, and after it that of
            the pixels that it was resampled from; else ().
        bands: Names of the bands that occur in a light curve.

    Raises:
        InputError: If the shape does not fit the kind and the channels.

    Example:
        >>> Modality("image", "image", ("g", "r", "z"), (3, 64, 64), "nmgy", (0.262,)).pixel_scale_arcsec
        0.262
    """

    name: str
    kind: Kind
    channels: tuple[str, ...]
    shape: tuple[int, ...]
    unit: str = ""
    grid: tuple[float, ...] = ()
    bands: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuses a description that contradicts itself."""
        if self.kind not in get_args(Kind):
            raise InputError(f"modality {self.name!r}: kind {self.kind!r} is not one of {', '.join(get_args(Kind))}.")
        axes = {"image": 3, "spectrum": 2, "lightcurve": 2, "table": 1}[self.kind]
        channel_axis = -1 if self.kind == "lightcurve" else 0
        if len(self.shape) != axes or self.shape[channel_axis] != len(self.channels):
            raise InputError(
                f"modality {self.name!r}: no {self.kind} of {len(self.channels)} channels has shape {self.shape}."
            )
        if self.kind == "spectrum" and len(self.grid) != self.shape[1]:
            raise InputError(
                f"modality {self.name!r}: {len(self.grid)} wavelengths in the grid for {self.shape[1]} pixels."
            )

    @classmethod
    def spectrum(
        cls, name: str, wavelength_angstrom: npt.ArrayLike, unit: str = "", covariates: Sequence[str] = ()
    ) -> Modality:
        """A spectrum of flux, inverse variance and covariates.

        Args:
            name: What the user calls it.
            wavelength_angstrom: Wavelengths [L] of the pixels.
            unit: Of the flux.
            covariates: Numbers of a spectrum, each a channel that is the same in all pixels.

        Example:
            >>> Modality.spectrum("spectrum", [4000.0, 4001.0]).shape
            (2, 2)
        """
        grid = tuple(np.asarray(wavelength_angstrom, dtype=np.float64).tolist())
        channels = ("flux", "ivar", *covariates)
        return cls(name, "spectrum", channels, (len(channels), len(grid)), unit, grid)

    @property
    def ragged(self) -> bool:
        """Whether the length differs from object to object."""
        return -1 in self.shape

    @property
    def wavelength_angstrom(self) -> npt.NDArray[np.float64]:
        """Wavelengths [L] of a spectrum's pixels in Angstrom."""
        return np.asarray(self.grid, dtype=np.float64)

    @property
    def pixel_scale_arcsec(self) -> float:
        """Size of an image's pixel in arcsec; NaN where unknown."""
        return self.grid[0] if self.grid else math.nan

    @property
    def source_pixel_scale_arcsec(self) -> float:
        """Size of the pixels in arcsec that an image was resampled from, or its own; NaN where unknown."""
        return self.grid[-1] if self.grid else math.nan

    @property
    def image_bands(self) -> tuple[str, ...]:
        """The channels of an image without its inverse variances, which are called "ivar_" and the band."""
        return tuple(channel for channel in self.channels if not channel.startswith("ivar_"))

    @property
    def covariates(self) -> tuple[str, ...]:
        """The channels of a spectrum or a light curve that are one number per object, repeated; NaN where unknown."""
        return self.channels[{"spectrum": 2, "lightcurve": len(LIGHTCURVE_CHANNELS)}.get(self.kind, 2**31) :]

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {one.name: getattr(self, one.name) for one in fields(self)}  # `asdict` copies thousands of wavelengths

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Modality:
        """From what `to_dict` gave."""
        return cls(**dict[str, Any]((key, tuple(v) if isinstance(v, list) else v) for key, v in values.items()))


@dataclass
class Sample:
    """One row of a dataset: one object, or one observation of it.

    Args:
        object_id: Unique per row.
        views: Modality name to float32 array; a missing modality is a missing key, never zeros.
        ra: Right ascension in degrees (ICRS); NaN where unknown.
        dec: Declination in degrees (ICRS); NaN where unknown.
        labels: Properties: numbers, or strings for classes; a missing value is a missing key.
        group: The astrophysical object; rows of one group never fall on both sides of a split.
    """

    object_id: str
    views: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    ra: float = math.nan
    dec: float = math.nan
    labels: dict[str, float | str] = field(default_factory=dict)
    group: str = ""

    def __post_init__(self) -> None:
        """Makes an object its own group where none is given."""
        self.group = self.group or self.object_id


@dataclass(frozen=True)
class Drop:
    """A file or a row that was left out, and why; counted and listed, never silent."""

    source: str
    reason: str


@dataclass
class Batch:
    """Samples stacked for a model.

    Args:
        object_ids: B row ids.
        groups: B group ids.
        views: Modality name to tensor [n, ...] of the rows that have it; light curves are padded with NaN.
        rows: Modality name to int64 [n]: the row of the batch (0 .. B - 1) that each view belongs to.
        labels: Property to B values.
    """

    object_ids: list[str]
    groups: list[str]
    views: dict[str, torch.Tensor]
    rows: dict[str, torch.Tensor]
    labels: dict[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.object_ids)

    def to(self, device: torch.device | str) -> Batch:
        """The same batch with its tensors on another device."""
        views = {name: view.to(device, non_blocking=True) for name, view in self.views.items()}
        rows = {name: row.to(device, non_blocking=True) for name, row in self.rows.items()}
        return Batch(self.object_ids, self.groups, views, rows, self.labels)


@dataclass(frozen=True)
class Result:
    """One measured number, with all that is needed to judge it.

    Args:
        task: "retrieval", "regression", "classification", ...
        query: Modality that asks.
        target: Modality that answers (the memory); the same as `query` for in-modal tasks.
        property: What was predicted; "" for retrieval.
        metric: Name of the metric, e.g. "recall@10".
        value: The number.
        low: Lower end of the 95 % interval.
        high: Upper end of the 95 % interval.
        n: Number of queries.
        seed: Of the run.
        dataset: Name of the data set.
        origin: "mock" or "real".
        chance: What guessing, or the majority class, reaches; NaN where it has no meaning.
        space: "aligned", "features" (before alignment) or "supervised".
        published: Published value, where there is one.
        fold: Number of the fold; -1 for a single split, or for all folds together.
        std: Standard deviation over the folds that were put together; NaN for one measurement.
    """

    task: str
    query: str
    target: str
    property: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    seed: int
    dataset: str
    origin: Literal["mock", "real"]
    chance: float = math.nan
    space: str = "aligned"
    published: float = math.nan
    fold: int = -1
    std: float = math.nan


class Reader(Protocol):
    """Turns the files of one survey format into samples of one modality (or of labels alone).

    It may also have `also_reads()`, paths whose changes make a dataset anew; `label_units()`, label to its unit;
    `north_up`, if all its images have east at the left. Where they differ in that, samples have a label ``north_deg``.
    """

    @property
    def modality(self) -> Modality | None:
        """What the samples hold; None for a catalogue of labels."""

    def files(self) -> Sequence[Path]:
        """The files to read, sorted."""

    def read(self, path: Path) -> Iterable[Sample | Drop]:
        """The samples of one file; a row that cannot be used is a `Drop`.

        Raises:
            FileError: If the whole file cannot be used.
        """


@runtime_checkable
class Encoder(Protocol):
    """Any `torch.nn.Module` with these two members; nothing to inherit from.

    It may also have `preprocess`, a callable from a raw batch of views [B, ...] to the encoder's input: the
    input specification belongs to the encoder, is saved with it, and is part of the cache key. And it may have
    `check_modality`, which raises an InputError about a modality that its weights mean nothing for. One that the kit
    trained has `trained_on`, the `Modality` that it was trained on, with which all others are compared. And it may have
    `reads`, the modality that it encodes where it is given under another name, see `reads_of`.
    """

    out_features: int

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of preprocessed views [B, ...]."""


def reads_of(name: str, encoder: object) -> str:
    """The modality that an encoder encodes: what its attribute ``reads`` names, or else what it is called.

    So ``{"image": network, "simulated": generator}`` with ``generator.reads == "image"`` are two encoders of images.

    Example:
        >>> reads_of("spectrum", object())
        'spectrum'
    """
    return str(getattr(encoder, "reads", "") or name)
