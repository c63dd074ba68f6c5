"""Says what is wrong with a reader, an encoder or a sample, before a long run.

Any object that meets a protocol of `types` can be passed to the kit; these functions try it once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np

from .errors import InputError, UsageError
from .types import Modality, Reader, Sample, reads_of

__all__ = [
    "check_alike",
    "check_augmentation",
    "check_encoder",
    "check_reader",
    "check_sample",
    "modality_read",
    "random_views",
]

SCALES = 0.1  # images may be of pixels that are so much larger or smaller than those that weights were trained on
SAME = 1e-6  # relative: wavelengths that went through a file agree to this
FITTED = (
    "The folder of an encoder is fitted to spectra on other wavelengths and to bands in another order; for the rest "
    "make the data alike, or set its `trained_on` to None to encode them as they are."
)


def check_sample(sample: Sample, modality: Modality) -> None:
    """Says what is wrong with the view of a sample.

    Raises:
        InputError: If the view is missing, of another shape, not float32, or holds no finite value.
    """
    view = sample.views.get(modality.name)
    if view is None:
        raise InputError(f"object {sample.object_id!r} has no view {modality.name!r} (found {sorted(sample.views)}).")
    fits = view.ndim == len(modality.shape) and all(
        want in (-1, got) for want, got in zip(modality.shape, view.shape, strict=True)
    )
    if not fits:
        raise InputError(
            f"object {sample.object_id!r}: view {modality.name!r} has shape {view.shape}, expected {modality.shape}."
        )
    if view.dtype != np.float32:
        raise InputError(f"object {sample.object_id!r}: view {modality.name!r} is {view.dtype}, expected float32.")
    if not np.isfinite(view).any():
        raise InputError(f"object {sample.object_id!r}: view {modality.name!r} holds no finite value.")


def _first_samples(reader: Reader, count: int) -> Iterator[Sample]:
    for path in reader.files():
        for item in reader.read(path):
            if isinstance(item, Sample):
                yield item
                count -= 1
            if not count:
                return


def check_reader(reader: Reader, count: int = 3) -> None:
    """Reads the first samples of a reader and says what is wrong, before a long run.

    Args:
        reader: Any object that meets the `Reader` protocol.
        count: How many samples to look at.

    Raises:
        InputError: If a member is missing, there are no files or no samples, a sample does not fit, or the unit, the
            wavelengths, an id, a position, a label or the values are none that the kit can use.
    """
    for member in ("modality", "files", "read"):
        if not hasattr(reader, member):
            raise InputError(
                f"{type(reader).__name__} is no reader: it has no {member!r}. See astroclip_kit.types.Reader."
            )
    if not list(reader.files()):
        raise InputError(f"{type(reader).__name__} finds no files. Check its path and pattern.")
    if reader.modality is not None:
        _check_modality(reader.modality)
    samples = list(_first_samples(reader, count))
    if not samples:
        raise InputError(f"{type(reader).__name__} gives no sample from its first files.")
    ids = [sample.object_id for sample in samples]
    if repeated := [name for name in ids if ids.count(name) > 1]:
        raise InputError(f"{type(reader).__name__} gives the id {repeated[0]!r} to several samples: make it unique.")
    for sample in samples:
        _check_description(sample)
        if reader.modality is not None:
            check_sample(sample, reader.modality)
            _check_values(sample, reader.modality)


def _check_modality(modality: Modality) -> None:
    grid = np.asarray(modality.grid)
    if modality.kind == "spectrum" and not ((np.diff(grid) > 0).all() and (grid[:1] > 0).all()):
        raise InputError(f"modality {modality.name!r}: its wavelengths do not ascend from above 0. Sort the pixels.")
    if modality.unit:
        from astropy.units import Unit

        try:
            Unit(modality.unit)
        except ValueError as error:
            raise InputError(
                f"modality {modality.name!r}: {modality.unit!r} is no unit that astropy knows. Write 'nmgy', 'mJy', ..."
            ) from error


def _check_description(sample: Sample) -> None:
    """Id, group, position and labels."""
    name = sample.object_id
    for what, value in (("id", name), ("group", sample.group)):
        if not isinstance(value, str) or not value or value != value.strip() or value.startswith("b'"):
            raise InputError(f"object {name!r}: its {what} is {value!r}, expected text without blanks around it.")
    ra, dec = sample.ra, sample.dec
    if not (np.isnan(ra) and np.isnan(dec)) and not (0 <= ra <= 360 and -90 <= dec <= 90):
        raise InputError(f"object {name!r}: ra {ra}, dec {dec} are no degrees on the sphere; NaN where unknown.")
    for label, given in sample.labels.items():
        if not isinstance(given, (Real, str)) or given != given or given == "":
            raise InputError(
                f"object {name!r}: label {label!r} is {given!r}, expected a number or text, and no key where missing."
            )


def _check_values(sample: Sample, modality: Modality) -> None:
    """What the kind of a modality asks of its values."""
    name, view = sample.object_id, sample.views[modality.name]
    if not view.flags.c_contiguous:
        raise InputError(f"object {name!r}: view {modality.name!r} is not contiguous: use numpy.ascontiguousarray.")
    if modality.kind in ("image", "spectrum") and not np.isfinite(view).all():
        raise InputError(
            f"object {name!r}: view {modality.name!r} holds NaN: give 0 there, and an inverse variance of 0."
        )
    for channel, plane in zip(modality.channels, view, strict=False):
        if channel.startswith("ivar") and not ((plane >= 0).all() and (plane > 0).any()):
            raise InputError(
                f"object {name!r}: channel {channel!r} of view {modality.name!r} is negative, or 0 everywhere: an "
                f"inverse variance is above 0, and 0 where a pixel is bad."
            )
    if modality.kind == "lightcurve":
        bands = view[:, 3]
        if not (np.diff(view[:, 0]) >= 0).all() or not np.isin(bands, np.arange(len(modality.bands))).all():
            raise InputError(
                f"object {name!r}: view {modality.name!r} is not in order of time, or has a band that is none of "
                f"{', '.join(modality.bands) or 'the modality'}."
            )


def random_views(modality: Modality, count: int) -> Any:
    """Random views [count, ...] of a modality, a tensor; light curves are of 32 observations."""
    import torch

    shape = [count] + [32 if axis == -1 else axis for axis in modality.shape]
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0)) + 0.1
    if modality.kind == "lightcurve":
        x[..., 0] = x[..., 0].sort(dim=1).values * 100
        x[..., 3] = (x[..., 3] * len(modality.bands)).floor().clamp(0, max(len(modality.bands) - 1, 0))
        x[..., 4:] = x[:, :1, 4:]
    return x


def check_alike(
    trained_on: Modality, modality: Modality, name: str, remedy: str = "Make the data alike, or train on them."
) -> None:
    """Refuses observations that weights mean nothing for: of other channels, wavelengths, bands or sizes of pixels.

    Args:
        trained_on: What the weights were trained on.
        modality: What shall be encoded.
        name: What has the weights.
        remedy: What to do, a sentence.

    Raises:
        InputError: Says what differs. Pixels of an image may be up to 10 % larger or smaller.
    """
    told: tuple[tuple[Callable[[Modality], str], bool], ...] = (
        (lambda one: f"data of kind {one.kind!r}", modality.kind == trained_on.kind),
        (lambda one: f"the channels {', '.join(one.channels)}", modality.channels == trained_on.channels),
        (lambda one: f"the bands {', '.join(one.bands)}", modality.bands == trained_on.bands),
        (_pixels, modality.kind not in ("image", "spectrum") or _same_pixels(trained_on, modality)),
    )
    for tell, same in told:
        if not same:
            found, before = tell(modality), tell(trained_on)
            raise InputError(f"{modality.name!r} has {found}, and {name} was trained on {before}. {remedy}")


def _pixels(modality: Modality) -> str:
    if modality.kind == "image":
        scales = " arcsec, from ones of ".join(f"{scale:g}" for scale in modality.grid or (np.nan,))
        return f"pixels of {scales} arcsec"
    return f"{len(modality.grid)} pixels from {modality.grid[0]:.1f} to {modality.grid[-1]:.1f} Angstrom"


def _same_pixels(one: Modality, other: Modality) -> bool:
    """Whether they are of the same size on the sky, as far as is known, or at the same wavelengths."""
    if one.kind == "image":
        both = zip(one.grid, other.grid, strict=False)  # and the scales before resampling, where both are known
        return not any(abs(found / before - 1) > SCALES for before, found in both)
    return len(one.grid) == len(other.grid) and np.allclose(one.grid, other.grid, rtol=SAME, atol=0)


def modality_read(name: str, encoder: object, modalities: Mapping[str, Modality]) -> Modality:
    """The modality, of those that there are, that an encoder of some name encodes, see `types.reads_of`.

    Raises:
        UsageError: If there is no such modality, or the name is that of another one, or none that a part can have.
    """
    reads, known = reads_of(name, encoder), ", ".join(modalities)
    if reads == name and name not in modalities:
        raise UsageError(f"there is no modality {name!r} in the data; they have {known}.")
    if reads not in modalities:
        raise UsageError(f"the encoder {name!r} reads {reads!r}, of which there is nothing in the data: {known}.")
    if reads != name and name in modalities:
        raise UsageError(f"the encoder {name!r} reads {reads!r}, and {name!r} is a modality too. Call it otherwise.")
    if reads != name and not name.isidentifier():
        raise UsageError(f"an encoder cannot be called {name!r}: expected letters, digits and underscores.")
    return modalities[reads]


def check_encoder(encoder: Any, modality: Modality, batch_size: int = 2) -> None:
    """Runs an encoder once on random views of a modality and says what is wrong, before a long run.

    Args:
        encoder: Any `torch.nn.Module` that meets the `Encoder` protocol.
        modality: What it shall encode.
        batch_size: Number of random views.

    Raises:
        InputError: If `out_features` is missing or wrong, the features are not finite or carry no batch axis, its
            weights were trained on data of another kind, or the encoder's own `check_modality` refuses.
    """
    import torch

    if not isinstance(encoder, torch.nn.Module) or not isinstance(getattr(encoder, "out_features", None), int):
        raise InputError(f"{type(encoder).__name__} is no encoder: a torch.nn.Module with an integer `out_features`.")
    if (trained_on := getattr(encoder, "trained_on", None)) is not None:
        check_alike(trained_on, modality, type(encoder).__name__, FITTED)
    if callable(accepts := getattr(encoder, "check_modality", None)):
        accepts(modality)
    x = random_views(modality, batch_size)
    was_training = encoder.training
    try:
        with torch.inference_mode():
            h = encoder.eval()(getattr(encoder, "preprocess", lambda value: value)(x))
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise InputError(f"{type(encoder).__name__} cannot encode {modality.name!r}: {error}") from error
    finally:
        encoder.train(was_training)
    if tuple(h.shape) != (batch_size, encoder.out_features):
        raise InputError(
            f"{type(encoder).__name__} gives {tuple(h.shape)} for {batch_size} views of {modality.name!r}, "
            f"expected ({batch_size}, {encoder.out_features})."
        )
    if not torch.isfinite(h).all():
        raise InputError(f"{type(encoder).__name__} gives values that are not finite for {modality.name!r}.")


def check_augmentation(augmentation: Any, modality: Modality) -> Modality:
    """Runs an augmentation once on two views of a modality and says what is wrong, before a long run.

    Args:
        augmentation: A callable of views [B, ...] and int64 seeds [B] that gives views of the same shape; images may
            become smaller.
        modality: What it shall change.

    Returns:
        The modality as augmented: what an encoder has to take besides the modality itself.

    Raises:
        InputError: If it cannot be called so, gives anything else, or its own `check_modality` refuses.
    """
    import torch

    name, x = type(augmentation).__name__, random_views(modality, 2)
    if callable(accepts := getattr(augmentation, "check_modality", None)):
        accepts(modality)
    try:
        changed = augmentation(x, torch.arange(2))
    except (AttributeError, RuntimeError, ValueError, TypeError, IndexError) as error:
        raise InputError(f"{name} cannot augment {modality.name!r}: {error}") from error
    found = tuple(changed.shape) if isinstance(changed, torch.Tensor) else ()
    cropped = (
        modality.kind == "image"
        and len(found) == 4
        and found[:2] == x.shape[:2]
        and all(new <= old for new, old in zip(found[2:], x.shape[2:], strict=True))
    )
    if found != x.shape and not cropped:
        what = found or type(changed).__name__
        raise InputError(f"{name} is no augmentation of {modality.name!r}: it gives {what} for {tuple(x.shape)}.")
    return replace(modality, shape=found[1:]) if cropped else modality
