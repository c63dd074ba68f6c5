"""Verbs from nothing, or from survey files, to a dataset."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from ..errors import FileError, UsageError
from ..settings import Matching, Observing, Reading
from .parts import Folder, Parts, part, words
from .survey_files import FLAGS, dry_run

if TYPE_CHECKING:
    from ..data import Dataset

__all__ = ["info", "ingest", "simulate"]

ORDER = "ugrizy"  # of bands, by wavelength


def simulate(
    kind: str = "galaxies",
    out: Folder = "survey",
    *,
    count: int = 3000,
    seed: int = 0,
    spectra: str = "sdss",
    templates: Folder = "",
    observing: Observing = Observing(),
    workers: int = 2,
) -> Path:
    """Writes a mock survey with known truth in real file formats.

    Args:
        kind: What is simulated: "galaxies" (grz cutouts and spectra), "stars" (ugriz cutouts and spectra of blue
            horizontal branch stars, blue stragglers and A stars), "point_sources" (the same of stars of all types
            and of quasars), "wise" (infrared cutouts W1 to W4 and optical spectra of galaxies, quasars and stars,
            down to W1 = 14.5, 15.8 and 14.5: this sets how hard they are to tell apart), or "variables" (light curves,
            spectra and metadata of variable stars of ten classes).
        out: Folder to write: ``cutouts/``, ``spectra/``, ``catalogue.fits`` (the truth) and, of galaxies,
            ``published.fits`` (what surveys would measure), of the others ``labels.csv`` (object_id and class: "bhb"
            or "other", "star" or "qso", "galaxy", "qso" or "star"), of WISE ``colours.csv`` (W1 - W2 and W2 - W3). Of
            variables ``lightcurves/``, ``spectra/``, ``metadata.csv``, ``labels.csv`` (of which one in a hundred is
            wrong) and, apart from them, ``truth.fits``.
        count: Number of objects.
        seed: The same seed gives the same bytes.
        spectra: Grid of the spectra: "sdss" or "desi"; those of variables are on that of LAMOST.
        templates: Folder of published data that make the mock like the sky: of galaxies eigenspectra (Yip et al. 2004,
            or ``spEigenGal-*.fits`` of SDSS), for the shapes of their spectra; of stars catalogues (Barbosa et al. 2022
            and LAMOST DR10), for the distributions of their parameters; of point sources the stars of PyHammer and the
            composite quasar of Vanden Berk et al. (2001), for the shapes of their spectra.
        observing: Magnitude limits (r of galaxies and WISE, g of stars, i of point sources), size of the cutouts and
            share of artifacts, see `Observing`; not of variables.
        workers: Threads.

    Returns:
        The folder.
    """
    from .. import mock

    surveys = {
        "galaxies": mock.simulate_galaxies,
        "stars": mock.simulate_stars,
        "point_sources": mock.simulate_point_sources,
        "wise": mock.simulate_wise,
        "variables": mock.simulate_variables,
    }
    if kind not in surveys:
        raise UsageError(f"cannot simulate {kind!r}; there is: {', '.join(surveys)}.")
    folder: Path = surveys[kind](Path(out), count, seed, spectra, templates and Path(templates), observing, workers)
    return folder


def ingest(
    out: Folder = "data",
    *,
    images: Any = "",
    spectra: Any = "",
    catalogue: Any = "",
    labels: str | list[str] = "",
    matching: Matching = Matching(),
    reading: Reading = Reading(),
    sources: Parts | None = None,
    **more: Any,
) -> Dataset | str:
    """Reads survey files, matches the observations of the same object and writes a dataset.

    Args:
        out: Dataset folder to write; resumed where it was interrupted.
        images: Folder of images of one survey, which the kit recognises, or a reader.
        spectra: Folder of spectra of one survey, or a reader.
        catalogue: Table file with an id column or coordinates, or a reader.
        labels: Columns of the catalogue to keep, "z,logmstar"; all by default.
        matching: How observations become rows, see `Matching`.
        reading: How files are read, see `Reading`.
        sources: Further modalities and catalogues by name, each a reader.
        more: The same, as keyword arguments in Python: ``radio=reader``.

    Returns:
        The dataset; it says what it holds and what was left out. Of a dry run, what was found and would be done.
    """
    from .. import data, surveys

    given = {"image": images, "spectrum": spectra}
    readers = {
        kind: part(value, lambda path, kind=kind: surveys.reader_for(path, kind))
        for kind, value in given.items()
        if value
    }
    for kind in [kind for kind, value in given.items() if value and isinstance(value, (str, os.PathLike))]:
        _note_unread(kind, given[kind], readers[kind])
    readers |= {name: part(value) for name, value in {**(sources or {}), **more}.items()}
    if catalogue:
        readers["catalogue"] = part(catalogue, lambda path: surveys.catalogue(path, words(labels)))
    if not readers:
        raise UsageError("nothing to ingest. Give --images, --spectra, --catalogue or sources.")
    if reading.dry_run:
        return dry_run(readers, matching, reading.workers)
    folder = Path(out).resolve()
    name = folder.name if folder.name != "data" else folder.parent.name  # runs/supernovae/data
    how = {"workers": reading.workers, "strict": reading.strict, "where": reading.where}
    return data.ingest(readers, Path(out), matching=matching, name=name, **how)


def _note_unread(kind: str, path: Any, reader: Any) -> None:
    """Says on standard error which bands the files of a folder hold that a reader by default leaves out."""
    try:
        unread = getattr(reader, "unread", ())
    except FileError:  # what is wrong with the files is said where they are read
        return
    if unread:
        bands = sorted([*reader.bands, *unread], key=lambda band: (ORDER.find(band), band))
        arguments = {"root": str(path), "bands": bands}
        how = {"class_path": f"astroclip_kit.surveys.{type(reader).__name__}", "init_args": arguments}
        print(
            f"note: {kind}: bands {', '.join(reader.bands)} are read, not {', '.join(unread)}, which the files hold "
            f"as well. To read all: {FLAGS[kind]} {quote(json.dumps(how))}",
            file=sys.stderr,
        )


def info(folder: Folder) -> str:
    """Says what a folder of the kit holds: counts, bands, ranges, what was left out and why.

    Args:
        folder: A survey, dataset, features, model, embeddings or results folder, or one of survey files as they
            come, or one such file.

    Returns:
        A text.
    """
    from .folders import summary

    return summary(Path(folder))
