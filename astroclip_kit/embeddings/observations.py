"""New observations, brought to what a model was trained on: the same bands, pixels, wavelengths and units.

The survey's own reader is given the size, bands and grid of the model, so that a new file takes the same way as those
of the training set; what a reader cannot be told is changed or refused afterwards.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FileError, InputError, UsageError
from ..models import build
from ..surveys.images.image_headers import SCALE_TOLERANCE
from ..transforms.bands import LIMIT
from ..transforms.resampling import resample
from ..types import Drop, Modality, Sample

__all__ = ["adapted", "modality_of", "read_observations", "reader_of"]

SURVEYS = f"{__package__.partition('.')[0]}.surveys"
View = npt.NDArray[np.float32]


def modality_of(file: str | Path, modalities: Mapping[str, Modality]) -> str:
    """Which modality of a model a file, or a folder of files, holds: the one of the kind of its survey.

    Raises:
        FileError: If there is nothing there.
        UsageError: If no modality is of that kind, several are, or the kit does not know the survey.
    """
    from ..surveys.recognition import recognise

    if not Path(file).exists():
        raise FileError(file, "no such file.")
    known = [found.survey for found in recognise(file) if found.survey and found.survey.reader]
    kinds = {"table" if survey.kind == "catalogue" else survey.kind for survey in known}
    fitting = {name: modality for name, modality in modalities.items() if modality.kind in kinds}
    names = [name for name, one in fitting.items() if name == one.name or one.name not in fitting]
    if known and not names and "several" not in kinds:
        told = ", ".join(survey.name for survey in known)
        takes = ", ".join(modalities)
        raise UsageError(f"{file}: found {told}, the model takes {takes}. Give such a file, or say how with `reader`.")
    if len(names) != 1:
        found = ", ".join(survey.name for survey in known) or "nothing that the kit knows"
        raise UsageError(f"{file}: found {found}. Say with `query` which it is: {', '.join(modalities)}.")
    return names[0]


def reader_of(file: str | Path, reader: Any, modality: Modality) -> Any:
    """The reader of new files, told what the model was trained on.

    Args:
        file: The file or folder.
        reader: A reader; or the name of one of `astroclip_kit.surveys`; or its ``class_path`` and ``init_args``, of
            which the first, where it is left out, is the file. By default the one of the survey that wrote the file.
        modality: What the model was trained on.

    Raises:
        UsageError: If the reader is unknown, or the kit cannot tell which to take.
    """
    from ..surveys import reader_for

    surveys = import_module(SURVEYS)
    if isinstance(reader, str) and reader:
        if reader not in dir(surveys):
            from ..surveys.recognition import SURVEYS as known

            names = sorted({"TableReader"} | {one.reader for one in known if one.reader[:1].isupper()})
            raise UsageError(
                f"reader {reader!r}: there is no such reader; there is: {', '.join(names)}. Or give its class_path."
            )
        reader = {"class_path": f"{SURVEYS}.{reader}"}
    if isinstance(reader, Mapping):
        reader = build({**reader, "init_args": _with_file(reader, file)}, trusted=True)
    elif not reader and modality.kind == "table":
        reader = surveys.TableReader(file, columns=list(modality.channels))
    elif not reader:
        reader = reader_for(file, modality.kind)
    return _told(reader, modality)


def _with_file(description: Mapping[str, Any], file: str | Path) -> dict[str, Any]:
    """The arguments of a reader, with the file as the first that it needs, where that is left out."""
    given = {name: value for name, value in (description.get("init_args") or {}).items() if value is not None}
    part = build({"function": description.get("class_path", "")}, trusted=True)
    first = next(iter(inspect.signature(part).parameters), "")
    return {first: str(file), **given} if first in ("root", "path") else given


def _told(reader: Any, modality: Modality) -> Any:
    """A reader of the kit with the grid, or the bands and the size, of the modality, where it takes these.

    Cutouts are resampled if those of the model were; a reader that cuts at positions, or resamples, does so itself.
    """
    if not type(reader).__module__.startswith(SURVEYS):
        return reader
    names = [name for name in inspect.signature(type(reader)).parameters if hasattr(reader, name)]
    given = {name: getattr(reader, name) for name in names}
    bands = tuple(band for band in modality.bands if not band.endswith(LIMIT))
    bands = modality.image_bands if modality.kind == "image" else bands
    wanted: dict[str, Any] = {"grid": modality.grid} if modality.kind == "spectrum" else {}
    if modality.kind in ("image", "lightcurve") and isinstance(given.get("bands"), tuple):
        wanted["bands"] = bands  # a mapping says more than names: files, or how the table calls them
    if modality.kind == "image":
        wanted |= {"size": modality.shape[-1], "ivar": modality.channels != bands}
    if modality.kind == "lightcurve":
        wanted["upper_limits"] = "drop" if modality.bands == bands else "keep"
    wanted = {name: value for name, value in wanted.items() if name in given}
    if modality.kind != "image" or len(modality.grid) < 2 or "positions" in given or "size_arcsec" in given:
        return type(reader)(**given | wanted)
    from ..surveys import Resampled

    cutouts, size = type(reader)(**given | wanted | dict.fromkeys({"size"} & wanted.keys())), modality.shape[-1]
    return Resampled(cutouts, size, size * modality.pixel_scale_arcsec)


def read_observations(files: Sequence[str | Path], reader: Any, modality: Modality) -> tuple[list[Sample], list[str]]:
    """The observations of files, or of folders of them, as the model takes them.

    Args:
        files: Files and folders.
        reader: As for `reader_of`.
        modality: What the model was trained on.

    Returns:
        The samples with one view, called as the modality; and why what was left out was left out.

    Raises:
        FileError: If the only file cannot be used.
        InputError: If there are no files, none can be used, or the only one is not what the model was trained on.
        UsageError: If the kit cannot tell how to read them.
    """
    samples: list[Sample] = []
    skipped: list[str] = []
    for file in files:
        if not (reader or Path(file).exists()):
            if len(files) == 1:
                raise FileError(file, "no such file.")
            skipped.append(f"{file}: no such file.")
            continue
        told = reader_of(file, reader, modality)
        paths = list(told.files())
        if not paths:
            raise InputError(f"{file}: {type(told).__name__} finds no files there. Check the path, or give a reader.")
        for path in paths:
            try:
                _read_into(samples, skipped, path, told, modality)
            except (FileError, InputError) as error:
                if len(paths) == len(files) == 1:
                    raise
                skipped.append(str(error))
    if not samples:
        raise InputError(
            f"{files[0]}: no observation can be used; the first: {next(iter(skipped), 'it is empty').rstrip('.')}."
        )
    return samples, skipped


def _read_into(samples: list[Sample], skipped: list[str], path: Any, reader: Any, modality: Modality) -> None:
    """Adds the samples of a file to those before, and why rows of it were left out."""
    for item in reader.read(path):
        if isinstance(item, Drop):
            skipped.append(f"{item.source}: {item.reason}")
        else:
            samples.append(_adapted(item, path, reader.modality, modality))


def _adapted(sample: Sample, path: Any, given: Modality, wanted: Modality) -> Sample:
    [view] = sample.views.values()
    try:
        return replace(sample, views={wanted.name: adapted(view, given, wanted)})
    except InputError as error:
        raise InputError(f"{path}: object {sample.object_id}: {error}") from error


def adapted(view: View, given: Modality, wanted: Modality) -> View:
    """One view as the model takes it.

    Args:
        view: As it was observed.
        given: What it is.
        wanted: What the model was trained on.

    Returns:
        float32, in the bands, pixels and unit of the model.

    Raises:
        InputError: If it is of another kind, a band is missing, an image has other pixels or is too small, a spectrum
            does not reach the model's wavelengths, or the unit is not convertible.

    Example:
        >>> given = Modality("image", "image", ("r", "g"), (2, 4, 4), "uJy", (0.262,))
        >>> wanted = Modality("image", "image", ("g", "r"), (2, 2, 2), "nmgy", (0.262,))
        >>> adapted(3.631 * np.ones((2, 4, 4), np.float32), given, wanted)[0].round(2).tolist()
        [[1.0, 1.0], [1.0, 1.0]]
    """
    if given.kind != wanted.kind:
        raise InputError(f"the file holds a {given.kind}, the model's {wanted.name} is a {wanted.kind}.")
    change = {"image": _image, "spectrum": _spectrum, "lightcurve": _lightcurve, "table": _table}[wanted.kind]
    changed = change(np.asarray(view, dtype=np.float32), given, wanted)
    return np.ascontiguousarray(changed, dtype=np.float32)


def _factor(given: Modality, wanted: Modality) -> float:
    if given.unit == wanted.unit:
        return 1.0
    from astropy import units

    from ..surveys.images.image_units import AB, known_unit

    try:
        return float(known_unit(given.unit or "none").to(known_unit(wanted.unit or "none"), equivalencies=AB))
    except (ValueError, units.UnitConversionError) as error:
        raise InputError(
            f"it is in {given.unit or 'no unit'}, the model was trained on {wanted.name} in "
            f"{wanted.unit or 'no unit'}, so that they cannot be compared. Take a model that was trained on such data; "
            f"or say the unit with `reader`, if its file leaves it out and the reader takes one."
        ) from error


def _planes(given: Modality, wanted: Modality) -> list[int]:
    missing = [name for name in wanted.channels if name not in given.channels]
    if missing:
        beside = (
            f" Put a table with {', '.join(wanted.covariates)} beside the files; or ingest them as those of the "
            f"training and give the dataset."
        )
        raise InputError(
            f"{missing[0]!r} is missing: it has {', '.join(given.channels)}, the model was trained on "
            f"{', '.join(wanted.channels)}.{beside if missing[0] in wanted.covariates else ''}"
        )
    return [given.channels.index(name) for name in wanted.channels]


def _image(view: View, given: Modality, wanted: Modality) -> View:
    planes = view[_planes(given, wanted)]
    found, scale = given.pixel_scale_arcsec, wanted.pixel_scale_arcsec
    if abs(found / scale - 1) > SCALE_TOLERANCE:  # not where one is unknown: NaN
        raise InputError(f"{found:.4f} arcsec per pixel, the model was trained on {scale:.4f}. Resample the image.")
    found, scale = given.source_pixel_scale_arcsec, wanted.source_pixel_scale_arcsec
    if len(given.grid) == len(wanted.grid) == 2 and abs(found / scale - 1) > SCALE_TOLERANCE:
        raise InputError(f"resampled from {found:.4f} arcsec per pixel, the model was trained on ones of {scale:.4f}.")
    height, width = wanted.shape[1:]
    if planes.shape[1] < height or planes.shape[2] < width:
        raise InputError(
            f"{planes.shape[1:]} pixels, the model was trained on {(height, width)}. Take a larger cutout."
        )
    top, left = (planes.shape[1] - height) // 2, (planes.shape[2] - width) // 2
    factor = _factor(given, wanted)
    power = np.array([factor**-2 if name.startswith("ivar_") else factor for name in wanted.channels])
    return np.asarray(planes[:, top : top + height, left : left + width] * power[:, None, None])


def _spectrum(view: View, given: Modality, wanted: Modality) -> View:
    order, factor = _planes(given, wanted), _factor(given, wanted)
    flux = view[given.channels.index("flux")] * factor
    ivar = view[given.channels.index("ivar")] / factor**2 if "ivar" in given.channels else np.isfinite(flux)
    if given.grid != wanted.grid:
        flux, ivar = resample(flux, ivar, given.wavelength_angstrom, wanted.wavelength_angstrom)
    if not np.any(np.asarray(ivar) > 0):
        low, high = given.grid[0], given.grid[-1]
        reach = f"{wanted.grid[0]:.0f} to {wanted.grid[-1]:.0f}"
        raise InputError(f"{low:.0f} to {high:.0f} Angstrom hold no good pixel of the model's {reach} Angstrom.")
    values = {"flux": flux, "ivar": ivar}
    return np.stack([values.get(given.channels[place], view[place]) for place in order])


def _lightcurve(view: View, given: Modality, wanted: Modality) -> View:
    places = np.array([wanted.bands.index(band) if band in wanted.bands else -1 for band in given.bands], dtype=int)
    factor = _factor(given, wanted)
    rows = view[np.isfinite(view[:, 3])]
    band = places[rows[:, 3].astype(int)] if len(places) else rows[:, 3].astype(int)
    if not (band >= 0).any():
        raise InputError(
            f"no measurement in {', '.join(wanted.bands)}, the bands of the model (found {', '.join(given.bands)})."
        )
    order = _planes(given, wanted)[4:]
    return np.column_stack([rows[:, 0], rows[:, 1:3] * factor, band, rows[:, order]])[band >= 0]


def _table(view: View, given: Modality, wanted: Modality) -> View:
    return view[_planes(given, wanted)] * np.float32(_factor(given, wanted))
