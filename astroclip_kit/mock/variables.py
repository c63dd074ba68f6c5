"""A mock survey of variable stars of ten classes: light curves, spectra and metadata of the same stars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..settings import Observing
from ..transforms.astrom3_columns import CLASSES
from .atmospheres import flux_grid
from .cadence import draw_epochs, measure
from .catalogue import Rows, single
from .chunks import CHUNK, Plan, streams, write_survey
from .cool_giants import giant_library
from .eclipses import eclipse_light
from .galactic_places import draw_places
from .instruments import Grid
from .light_curve_features import catalogue_periods, features
from .long_period import draw_wander, long_period_light
from .pulsation import draw_pulsation, pulsation
from .spots import draw_spots, spot_light
from .stellar_sequence import library
from .variable_files import identify_variables, pipeline_values, write_variables
from .variable_metadata import measured_columns, true_magnitudes
from .variable_population import BRIGHT, ECLIPSING, FAINT, LONG_PERIOD, PULSATING, Variables, draw_variables
from .variable_spectra import observe_lamost, variable_light

__all__ = ["simulate_variables"]

Array = npt.NDArray[np.float64]

STREAMS = ("stars", "places", "shapes", "nights", "camera", "colours", "catalogue", "light", "spectrograph", "labels",
           "pipeline")  # fmt: skip
FLIPPED = 0.01  # share of the labels that are wrong
_CROWDED, _ALONE = 0.30, 0.06  # share of the stars with a neighbour within 15 arcsec, in the plane and at the poles


def simulate_variables(
    out: str | Path,
    count: int = 4000,
    seed: int = 0,
    spectra: Grid = "sdss",
    templates: str | Path = "",
    observing: Observing = Observing(),
    workers: int = 2,
    quiet: bool = False,
) -> Path:
    """Writes a mock survey of variable stars as ASAS-SN, LAMOST, Gaia, 2MASS and WISE see them, with known truth.

    Ten classes in the shares of Rizhko & Bloom (2025): DSCT, EA, EB, EW, HADS, M, ROT, RRAB, RRC, SR. Three have two
    hidden subclasses each: ROT are giants or dwarfs, SR and M oxygen- or carbon-rich. A hundredth of the labels is
    wrong: another class, each as likely. The same seed gives the same bytes for any number of workers, and the first
    objects of a larger survey.

    Args:
        out: Folder to write: ``lightcurves/*.dat`` (V, the layout of ASAS-SN's variable stars), ``spectra/spec-*.fits``
            (of LAMOST), ``metadata.csv`` (object_id, ra, dec, the 34 columns, amplitude, period, lksl_statistic and
            rfr_score, all as measured, empty where a survey has nothing), ``labels.csv`` (object_id and class),
            ``truth.fits`` (true_class, flipped, subclass, latents), ``manifest.json``.
        count: Number of stars.
        seed: Another seed gives another survey.
        spectra: Grid; has to stay "sdss" (nothing said): the spectra are on the grid of LAMOST.
        templates: Folder of published spectra of stars, see `read_star_templates`, for the shapes of the spectra of
            dwarfs; none by default.
        observing: Has to stay as it is: there are no cutouts, and the limits are those of ASAS-SN, V = 10.2 to 16.6.
        workers: Threads.
        quiet: Shows no progress bar.

    Returns:
        The folder.

    Raises:
        UsageError: If an argument is out of range, or one is told that variable stars have no use for.
        FileError: If the templates cannot be read.
        FolderError: If something that the kit did not write is in the way.
        OutputError: If the disk is full.
    """
    if spectra != "sdss" or observing != Observing():
        raise UsageError("spectra and observing do not hold for variables: they have no cutouts, the limits of ASAS-SN "
                         "and spectra on the grid of LAMOST. Leave both out.")  # fmt: skip
    plan = Plan(Path(out), count, seed, spectra, str(templates), observing, workers)
    flux_grid(), library(plan.templates), giant_library()  # once, and not once per thread
    seen = {"spectra": "lamost", "observing": {"bright_limit": BRIGHT, "faint_limit": FAINT}}
    return write_survey(plan, "variables", ("V",), _simulate_chunk, quiet, ("lightcurves", "spectra"), seen)


def _variations(stars: Variables, owner: npt.NDArray[np.int64], time: Array, rng: np.random.Generator) -> Array:
    """By how much stars vary: magnitudes [M] over those of their mean flux, before the light of neighbours.

    Args:
        stars: Latents of `draw_variables` [B].
        owner: The star of each point [M].
        time: Of the points [M] in days since the first night of the survey.
        rng: Source of what the latents leave open.
    """
    kind, count = stars["class"], len(stars["class"])
    pulses, spots = draw_pulsation(kind, rng), draw_spots(count, rng)
    wander = draw_wander(kind, stars["period"], rng)
    change = np.zeros(len(time))
    groups = (ECLIPSING, PULSATING, ("ROT",), LONG_PERIOD)
    eclipsing, pulsating, spotted, slow = (np.isin(kind, names)[owner] for names in groups)
    pairs, pulsators, rotators = (_of(stars, owner[rows]) for rows in (eclipsing, pulsating, spotted))
    change[eclipsing] = eclipse_light(pairs, time[eclipsing] / pairs["period"] + pairs["offset"])
    change[pulsating] = pulsation(pulsators, _of(pulses, owner[pulsating]), time[pulsating])
    change[spotted] = spot_light(rotators, _of(spots, owner[spotted]), time[spotted])
    change[slow] = long_period_light(stars, wander, owner[slow], time[slow])
    number = np.maximum(np.bincount(owner, minlength=count), 1)
    mean = np.bincount(owner, change, count) / number
    return np.asarray(change - mean[owner])


def _deviation(owner: npt.NDArray[np.int64], change: Array) -> Array:
    """Standard deviations [B] of the variations [M], of which the mean is 0."""
    return np.asarray(
        np.sqrt(np.bincount(owner, change**2, CHUNK) / np.maximum(np.bincount(owner, minlength=CHUNK), 1))
    )


def _of(rows: Rows, owner: npt.NDArray[np.int64]) -> Rows:
    """The values of the owners of points."""
    return {name: values[owner] for name, values in rows.items()}


def _neighbours(stars: Variables, rng: np.random.Generator) -> Array:
    """Light [B] of neighbours in the same pixels over that of the star: most have none (Jayasinghe et al. 2018)."""
    crowded = _ALONE + (_CROWDED - _ALONE) * np.exp(-np.abs(stars["b"]) / 15)
    some = rng.random(len(crowded)) < crowded
    return np.asarray(some * np.minimum(10 ** rng.normal(-0.9, 0.45, len(crowded)), 2.0))


def _labels(stars: Variables, rng: np.random.Generator) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.bool_]]:
    """Classes [B] of which some are wrong, and which [B]."""
    flipped = rng.random(len(stars["class"])) < FLIPPED
    row = np.searchsorted(CLASSES, stars["class"])
    other = (row + rng.integers(1, len(CLASSES), len(row))) % len(CLASSES)
    return np.array(CLASSES)[np.where(flipped, other, row)], flipped


def _simulate_chunk(plan: Plan, chunk: int) -> dict[str, Rows]:
    draw = streams(plan, chunk, STREAMS)
    stars = draw_variables(CHUNK, draw["stars"])
    stars |= draw_places(stars, draw["places"])
    epochs = draw_epochs(stars["ra"], stars["dec"], draw["nights"])
    blend = _neighbours(stars, draw["camera"])
    change = _variations(stars, epochs.owner, epochs.time, draw["shapes"])
    light = 10 ** (-0.4 * change) + blend[epochs.owner]
    magnitude = stars["v_mag"][epochs.owner] - 2.5 * np.log10(light)
    seen = measure(epochs, magnitude, CHUNK, draw["camera"])
    period = catalogue_periods(stars["class"], stars["period"], draw["catalogue"])
    magnitudes = true_magnitudes(stars, draw["colours"])
    measured = features(seen, period) | {"period": period, "deviation": _deviation(epochs.owner, change)}
    columns = measured_columns(stars, magnitudes, measured, draw["catalogue"])
    observed = observe_lamost(
        variable_light(stars, draw["light"], plan.templates), stars["v_mag"], draw["spectrograph"]
    )

    names = identify_variables(chunk * CHUNK + np.arange(CHUNK), stars)
    stated = pipeline_values(stars, draw["pipeline"])
    write_variables(plan.folder, names, stated, seen, observed, plan.kept(chunk))
    labels, flipped = _labels(stars, draw["labels"])
    true = {name: values for name, values in stars.items() if name not in ("class", "offset", "ra", "dec")}
    truth = {"true_class": stars["class"], "flipped": flipped} | single(true) | {"blend": blend.astype(np.float32)}
    known = {name: names[name] for name in ("object_id", "ra", "dec")}
    return {
        "metadata.csv": known | columns,
        "labels.csv": {"object_id": names["object_id"], "class": labels},
        "truth.fits": known | truth,
    }
