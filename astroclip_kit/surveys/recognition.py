"""Which survey wrote a folder of files: by what the files hold, not by what they are called.

Each format is one entry of `SURVEYS`, the first that fits is taken; to let the kit recognise yours, add one.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..storage import own_manifest
from .files.fits_files import find_files
from .files.outlines import Outline, outline

__all__ = ["SURVEYS", "Found", "Survey", "counted", "reader_for", "recognise", "survey_of"]

LOOKED_AT = 3  # files of one name pattern that are opened
PATTERNS = 50  # more patterns than this are names without one
USUAL = {"image": "LegacySurveyCutouts", "spectrum": "SDSSSpectra"}
TIMES = frozenset({"time", "jd", "mjd", "hjd", "time_mjd"})
LONGEST = 20  # a stamp is not as many times as wide as it is high
OWN = frozenset({"manifest.json", "skipped.csv", "drops.csv", "ambiguous.csv", "failed.csv", "request.json"})
BANDS = frozenset({"band", "fid", "filter"})
VALUES = frozenset({"mag", "flux", "magpsf"})


@dataclass(frozen=True)
class Survey:
    """A format that the kit reads.

    Args:
        name: As users call it.
        reader: Its class in `astroclip_kit.surveys`; "" for files that none reads by itself.
        kind: "image", "spectrum", "lightcurve", "table", "catalogue", or "several" where the reader is told which.
        config: A ready configuration, ``configs/CONFIG.yaml``.
        fits: Whether a file looks like this format.
        needs: What has to be said besides the folder; "" where nothing.
        note: What a user should know before ingesting; "" where nothing.
    """

    name: str
    reader: str
    kind: str
    config: str
    fits: Callable[[Outline], bool]
    needs: str = ""
    note: str = ""


def _desi(file: Outline) -> bool:
    return file.format == "fits" and any(f"{arm}_WAVELENGTH" in file.extensions for arm in ("B", "R", "Z", "BRZ"))


def _image(file: Outline) -> bool:
    return file.format == "fits" and file.axes == 2 and str(file.header.get("CTYPE1", "")).startswith("RA--")


def _spectral(file: Outline) -> bool:
    """Whether an array runs along a wavelength, as templates and eigenspectra do, and not over the sky."""
    sides = [int(file.header.get(f"NAXIS{axis}", 1)) for axis in (1, 2)]
    said = "wave" in str(file.header.get("CTYPE1", "")).lower() or "COEFF0" in file.header
    return file.format == "fits" and file.axes in (1, 2) and (said or max(sides) > LONGEST * min(sides))


def _measurements(file: Outline) -> bool:
    return bool(file.columns & TIMES and file.columns & BANDS and file.columns & VALUES) and not file.has("ra", "dec")


VISITS = "keeps repeat visits as rows of one object"
SURVEYS = (
    Survey("SDSS, BOSS or eBOSS spectra", "SDSSSpectra", "spectrum", "surveys/sdss",
           lambda file: file.format == "fits" and file.has("flux", "loglam", "ivar"), note=VISITS),
    Survey("DESI coadds", "DESISpectra", "spectrum", "surveys/desi", _desi),
    Survey("DESI redrock redshifts", "", "catalogue", "surveys/desi",
           lambda file: file.has("targetid", "z", "zwarn", "spectype"),
           note="read together with the coadds beside them"),
    Survey("LAMOST spectra", "LAMOSTSpectra", "spectrum", "surveys/lamost",
           lambda file: file.header.get("TELESCOP") == "LAMOST" or {"PLANID", "SPID"} <= file.header.keys(),
           note=VISITS),
    Survey("Legacy Survey cutouts", "LegacySurveyCutouts", "image", "surveys/legacysurvey",
           lambda file: file.axes == 3 and not file.header.keys().isdisjoint(("BANDS", "BAND0"))),
    Survey("SDSS frames", "FITSImages", "image", "surveys/sdss_frames",
           lambda file: _image(file) and "CAMCOL" in file.header, "the positions to cut at"),
    Survey("AllWISE atlas images", "FITSImages", "image", "surveys/allwise",
           lambda file: _image(file) and {"MAGZP", "COADDID"} <= file.header.keys(), "the positions to cut at",
           "intensities (-int-) are images, -unc- and -cov- beside them their errors and depth"),
    Survey("unWISE tiles", "FITSImages", "image", "surveys/unwise",
           lambda file: _image(file) and "MAGZP" in file.header, "the positions to cut at"),
    Survey("images of the sky", "FITSImages", "image", "surveys/legacysurvey_bricks", _image,
           "the positions to cut at"),
    Survey("FITS images without a sky", "", "", "", _spectral,
           note="arrays along a wavelength: templates are what simulate --templates takes, observed spectra of this "
           "layout need a reader of your own, ak.reader(function, files)"),
    Survey("image cubes or stamps", "ImageCubes", "image", "surveys/cosmos_hst",
           lambda file: file.format == "fits" and file.axes in (2, 3), "the bands"),
    Survey("image arrays", "ImageArrays", "image", "surveys/ztf_alerts",
           lambda file: file.format == "numpy" and file.axes >= 3, "the channels"),
    Survey("Gaia XP spectra", "GaiaXP", "table", "surveys/gaia_xp",
           lambda file: file.has("source_id") and (file.has("bp_coefficients") or file.has("xp", "flux"))),
    Survey("ASAS light curves", "ASASLightCurves", "lightcurve", "surveys/asas", lambda file: file.format == "tar"),
    Survey("ASAS-SN light curves", "ASASSNLightCurves", "lightcurve", "surveys/asas_sn",
           lambda file: file.has("asas_sn_id", "limit") or file.has("hjd", "camera", "mag")),
    Survey("ASAS-SN variable stars", "ASASSNLightCurves", "lightcurve", "surveys/asas_sn_variables",
           lambda file: file.columns == {"hjd", "mag", "mag_err", "flux", "flux_err"}),
    Survey("tables of measurements in time", "LightCurveTable", "lightcurve", "surveys/ztf_sn_ia", _measurements,
           "the columns"),
    Survey("AstroCLIP joint files", "AstroCLIPFile", "several", "surveys/astroclip",
           lambda file: file.format == "hdf5" and file.has("images", "spectra", "targetids")),
    Survey("PROVABGS catalogue", "PROVABGSCatalogue", "catalogue", "surveys/provabgs",
           lambda file: file.has("targetid", "provabgs_logmstar_bf", "z_hp") and not file.has("object_id")),
    Survey("Multimodal Universe", "MultimodalUniverse", "several", "surveys/multimodal_universe",
           lambda file: file.format == "hdf5" and file.has("object_id")),
    Survey("spectra of many lengths in HDF5", "RaggedSpectra", "spectrum", "supernovae",
           lambda file: file.format == "hdf5" and bool(file.columns), "the index table and its columns"),
    Survey("HATS catalogue", "HATSCatalogue", "several", "surveys/hats", lambda file: file.format == "hats"),
    Survey("Hugging Face dataset", "HuggingFaceDataset", "several", "surveys/hugging_face",
           lambda file: file.format == "hugging face", "the columns"),
    Survey("AstroM3's variable stars", "AstroM3Parquet", "several", "surveys/astrom3",
           lambda file: file.format == "table" and file.has("photometry", "spectra", "metadata")),
    Survey("tables", "catalogue", "catalogue", "",
           lambda file: file.format in ("fits", "table") and file.is_catalogue),
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """The files of one survey in a folder.

    Args:
        survey: Which; None for files that the kit does not know.
        files: How many.
        example: One of them.
        folder: The innermost folder that holds all of them.
    """

    survey: Survey | None
    files: int
    example: Path
    folder: Path

    @property
    def counted(self) -> str:
        """How many of what, "DESI coadds, 412 files"."""
        return f"{self.survey.name if self.survey else 'not recognised'}, {counted(self.files, 'file')}"


def counted(number: int, what: str) -> str:
    """A number with its noun: "1 file", "1,203 files"."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def survey_of(path: str | Path) -> Survey | None:
    """The survey that wrote a file, or None where the kit does not know it or it cannot be opened."""
    found = outline(Path(path))
    return next((survey for survey in SURVEYS if survey.fits(found)), None)


def recognise(root: str | Path) -> list[Found]:
    """What a folder, or one file, holds.

    Files whose names differ in digits only are taken to be alike; of each such pattern the first few are opened.

    Args:
        root: The folder.

    Returns:
        One entry per survey, most files first.

    Raises:
        FileError: If there is nothing at `root`.
    """
    root = Path(root)
    if survey := survey_of(root):
        return [Found(survey, 1, root, root if root.is_dir() else root.parent)]
    patterns, folders = Counter[str](), defaultdict[str, set[str]](set)
    examples: dict[str, list[Path]] = {}
    for path in find_files(root, "**/*"):
        if path.name in OWN and own_manifest(path.parent):
            continue
        pattern = re.sub(r"\d+", "#", path.name)
        if pattern not in patterns and len(patterns) >= PATTERNS:
            pattern = path.suffix
        patterns[pattern] += 1
        folders[pattern].add(os.path.dirname(path))
        if patterns[pattern] <= LOOKED_AT:
            examples.setdefault(pattern, []).append(path)
    found: dict[Survey | None, Found] = {}
    for pattern, paths in examples.items():
        known = [survey_of(path) for path in paths]
        survey = max(known, key=known.count)  # one damaged file does not hide the others
        example = paths[known.index(survey)]
        before = found.get(survey, Found(survey, 0, example, example.parent))
        folder = os.path.commonpath([before.folder, *folders[pattern]])
        found[survey] = replace(before, files=before.files + patterns[pattern], folder=Path(folder))
    return sorted(found.values(), key=lambda one: -one.files)


def reader_for(root: str | Path, kind: str) -> Any:
    """The reader for a folder, or a file, of one survey.

    Args:
        root: The folder.
        kind: "image", "spectrum", "lightcurve" or "table".

    Raises:
        FileError: If there is nothing at `root`.
        UsageError: If no file is of that kind, the files are of several surveys, or more has to be said.
    """
    found = [one for one in recognise(root) if one.survey and one.survey.reader]
    fitting = [one.survey for one in found if one.survey and one.survey.kind in (kind, "several")]
    named = "; ".join(one.counted for one in found) or "nothing that the kit knows"
    surveys = import_module(__package__)
    if not found and kind in USUAL:  # nothing could be opened: the reader says what is wrong with each file
        return getattr(surveys, USUAL[kind])(root)
    if not fitting:
        raise UsageError(f"{root}: expected {kind} files of a survey, found {named}. Give a reader of your own.")
    if len(fitting) > 1:
        raise UsageError(
            f"{root}: files of several surveys ({named}). Move each into its own folder, or name each as a source of "
            f"its own with a reader and its pattern."
        )
    survey = fitting[0]
    if survey.needs:
        raise UsageError(
            f"{root}: found {named}; {survey.needs} must be said as well. Start from configs/{survey.config}.yaml, or "
            f"in Python give the reader {survey.reader}."
        )
    reader = getattr(surveys, survey.reader)
    return reader(root, kind=kind) if survey.kind == "several" else reader(root)
