"""One view of an object, drawn: a cutout, a spectrum, a light curve or a row of a table."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.patheffects import withStroke

from ...errors import UsageError
from ...types import Modality
from .canvas import COLOURS, plain_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["binned_spectrum", "colour_image", "draw_view", "observed", "round_down", "short_unit", "stretched"]

View = npt.NDArray[np.float32]
PIXELS = 300  # of a drawn spectrum: more do not fit a panel
PERIOD = "period"  # number in days that a light curve may carry, by which it is folded
SMALL = 7  # points; the smallest text of all
LINES = 8  # of a table
LETTER = 3.9  # points that a letter of the smallest text takes on average
SHADE = {"facecolor": "black", "alpha": 0.45, "linewidth": 0, "pad": 0.8}  # behind text on an image
NUMERAL = 7  # characters of a number in a table
SURE = 10  # standard deviations of a mean over pixels that is shown however high
NOISE = 25  # times the median deviation of the pixels that an image in false colour spans at least


def draw_view(
    axes: Axes, view: npt.NDArray[Any], modality: Modality, usual: npt.NDArray[np.float64] | None = None
) -> None:
    """Draws one view of an object, with what is needed to read it.

    Args:
        axes: Where to.
        view: What `Dataset.views` gives for one row.
        modality: What it is.
        usual: Of a table the median and the spread of each column [2, C]: where there is no room for all columns,
            those that are farthest from the median are shown; the first by default.
    """
    draw: dict[str, Callable[[Axes, View, Modality], None]] = {
        "image": _image,
        "spectrum": _spectrum,
        "lightcurve": _lightcurve,
        "table": partial(_table, usual=usual),
    }
    draw[modality.kind](axes, np.asarray(view, dtype=np.float32), modality)


def short_unit(unit: str) -> str:
    """A unit that fits beside a small panel: "1e-17 erg / (Angstrom s cm2)" is "1e-17 cgs" in full, and so here.

    Example:
        >>> short_unit("1e-17 erg / (Angstrom s cm2)"), short_unit("nmgy")
        ('$10^{-17}$ erg/s/cm²/Å', 'nmgy')
    """
    flux = re.fullmatch(r"1e(-?\d+) erg / \((?:Angstrom|s|cm2| )+\)", unit)
    return rf"$10^{{{flux[1]}}}$ erg/s/cm²/Å" if flux else unit if len(unit) <= 30 else unit[:29] + "…"


def _image(axes: Axes, view: View, modality: Modality) -> None:
    bands = modality.image_bands
    axes.imshow(colour_image(view[: len(bands)], bands), origin="lower", interpolation="nearest", cmap="gray")
    axes.set(xticks=[], yticks=[])
    scale = modality.pixel_scale_arcsec
    if math.isfinite(scale):
        length = round_down(0.3 * view.shape[2] * scale)
        left, low = 0.06 * view.shape[2], 0.07 * view.shape[1]
        axes.plot([left, left + length / scale], [low, low], color="white", linewidth=1.5)
        axes.lines[-1].set_path_effects([withStroke(linewidth=2.4, foreground="black")])  # also on a star in the corner
        axes.text(left, 1.5 * low, f"{length:g}″", color="white", fontsize=SMALL, va="bottom", bbox=SHADE)


def round_down(length: float) -> float:
    """The largest of 1, 2, 5, 10, 20, ... that is not longer."""
    power = 10.0 ** math.floor(math.log10(length))
    return float(power * max(step for step in (1, 2, 5) if step * power <= length))


def colour_image(view: View, bands: tuple[str, ...]) -> npt.NDArray[np.float32]:
    """An image from 0 to 1 in the colours of the Legacy Survey viewer, where the bands allow.

    Args:
        view: Bands [C, H, W], without inverse variances.
        bands: Their names.

    Returns:
        [H, W, 3]; of other bands the first three in false colour, the first in blue; of one or two bands one in grey
        [H, W].
    """
    import torch

    from ...transforms.images import ToRGB

    try:
        image: View = ToRGB("viewer", bands=bands)(torch.from_numpy(view[None].copy()))[0].numpy()
        return image.transpose(1, 2, 0)
    except UsageError:
        if len(view) < 3:
            return stretched(view[len(view) // 2])
        return np.stack([stretched(band) for band in view[2::-1]], axis=2)


def stretched(band: View) -> npt.NDArray[np.float32]:
    """From 0 to 1 [H, W], faint parts raised; what is all noise stays dark, and so does a missing pixel.

    White is what the middle third reaches, where the object lies: a brighter neighbour does not black it out.
    """
    seen = np.isfinite(band)
    if not seen.any():
        return np.zeros(band.shape, dtype=np.float32)
    low, middle = np.percentile(band[seen], [5, 50])
    height, width = (side // 3 for side in band.shape)
    inner = tuple(slice(cut, side - cut) for cut, side in zip((height, width), band.shape, strict=True))
    high = np.percentile(band[inner][seen[inner]] if seen[inner].any() else band[seen], 99.5)
    noise = float(np.median(np.abs(band[seen] - middle)))
    scaled = np.clip((np.where(seen, band, low) - low) / max(float(high - low), NOISE * noise, 1e-30), 0, 1)
    return np.asarray(np.arcsinh(10 * scaled) / np.arcsinh(10), dtype=np.float32)


def _spectrum(axes: Axes, view: View, modality: Modality) -> None:
    grid, flux = modality.wavelength_angstrom, observed(view)
    wavelength, flux = binned_spectrum(grid, flux)
    axes.plot(wavelength, flux, color=COLOURS[0], linewidth=0.7)
    if np.isfinite(flux).any():
        low, high = np.nanpercentile(flux, [0.5, 99.7])  # noisy edges do not rule
        if "ivar" in modality.channels:  # nor is a line cut off that is none of the noise
            high = max(high, flux[flux > SURE * _error(grid, view[modality.channels.index("ivar")])].max(initial=high))
        pad = 0.1 * (high - low) or 1.0
        axes.set_ylim(low - pad, high + pad)
    axes.set_xlim(wavelength[0], wavelength[-1])
    plain_axes(axes).set_xlabel("wavelength [Å]", fontsize=SMALL)
    axes.set_ylabel(f"flux [{short_unit(modality.unit)}]" if modality.unit else "flux", fontsize=SMALL)


def _error(grid: npt.NDArray[np.float64], ivar: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Standard deviation [P] of the means of `binned_spectrum`, infinite where nothing was observed."""
    variance = np.full(len(ivar), np.nan)
    np.divide(1, ivar, out=variance, where=ivar > 0)
    _, mean = binned_spectrum(grid, variance)
    return np.asarray(np.sqrt(np.where(np.isfinite(mean), mean, np.inf) / -(-len(grid) // PIXELS)))


def observed(view: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Flux [..., L] of spectra [..., C, L], NaN where the inverse variance says that nothing was observed."""
    flux: npt.NDArray[np.float64] = view[..., 0, :].astype(np.float64)
    if view.shape[-2] > 1:
        seen = view[..., 1, :] > 0
        flux = np.where(seen | ~seen.any(axis=-1, keepdims=True), flux, np.nan)
    return flux


def binned_spectrum(
    wavelength: npt.NDArray[np.float64], flux: npt.NDArray[np.float64], pixels: int = PIXELS
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Means over neighbouring pixels, of what was observed, so that a spectrum is no longer than a panel is wide.

    Args:
        wavelength: Wavelengths [L].
        flux: Fluxes [..., L], NaN where nothing was observed.
        pixels: The most that are kept.

    Returns:
        Wavelengths [P] and fluxes [..., P].
    """
    width = -(-len(wavelength) // pixels)
    starts = np.arange(0, len(wavelength), width)
    known = np.isfinite(flux)
    sums = np.add.reduceat(np.where(known, flux, 0), starts, axis=-1)
    counts = np.add.reduceat(known, starts, axis=-1, dtype=np.int64)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return np.add.reduceat(wavelength, starts) / np.diff(starts, append=len(wavelength)), means


def _lightcurve(axes: Axes, view: View, modality: Modality) -> None:
    measured = view[np.isfinite(view[:, 0])]
    time, value, error, band = measured[:, :4].T
    time = time - time.min(initial=np.inf)
    period = float(measured[0, modality.channels.index(PERIOD)]) if PERIOD in modality.channels and len(time) else 0.0
    if folded := math.isfinite(period) and period > 0:
        time = np.concatenate([time / period % 1, time / period % 1 + 1])
        value, error, band = (np.tile(one, 2) for one in (value, error, band))
    bands = np.unique(band).astype(int).tolist()
    for number in bands:
        of_band, colour = band == number, COLOURS[number % len(COLOURS)]
        name = modality.bands[number] if number < len(modality.bands) else str(number)
        bar = np.nan_to_num(error[of_band])
        axes.errorbar(time[of_band], value[of_band], bar, fmt=".", ms=3, lw=0.6, color=colour, label=name)
    if modality.unit.startswith("mag"):
        axes.invert_yaxis()
    plain_axes(axes).set_xlabel(f"phase (P = {period:.3g} d)" if folded else "time [days]", fontsize=SMALL)
    what = modality.bands[0] if len(modality.bands) == 1 else "brightness"
    axes.set_ylabel(f"{what} [{modality.unit}]" if modality.unit else what, fontsize=SMALL)
    if 1 < len(modality.bands) and len(bands) <= 6:
        _bands_above(axes, -(-len(bands) // 3))


def _bands_above(axes: Axes, rows: int) -> None:
    """Which colour is which band, in rows of three above the points."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.25 * rows * (high - low))
    axes.legend(
        loc="upper right", ncols=3, frameon=False, fontsize=SMALL, handlelength=0.8, handletextpad=0.2,
        columnspacing=0.6, borderpad=0, borderaxespad=0.1, labelspacing=0.1,
    )  # fmt: skip


def _table(axes: Axes, view: View, modality: Modality, usual: npt.NDArray[np.float64] | None = None) -> None:
    """The most telling columns: names and numbers side by side, or where that is too narrow below each other."""
    figure = axes.get_figure()
    assert figure is not None
    points = axes.get_window_extent().width / (figure.dpi / 72)
    room = int(points / LETTER)  # characters
    order = np.arange(len(view)) if usual is None or len(view) <= LINES else _telling(view, usual)
    beside = _beside(modality, points)
    shown = order[: LINES if beside else LINES // 2]
    cells = [(_readable(modality.channels[one]), "—" if np.isnan(view[one]) else f"{view[one]:.4g}") for one in shown]
    height = 0.0
    style: dict[str, Any] = {"va": "center", "fontsize": SMALL, "transform": axes.transAxes}
    lines = table_lines(modality, points) + 0.4
    for name, number in cells:
        axes.text(0.03, 1 - (height + 0.7) / lines, name if len(name) <= room + 1 else name[: room - 1] + "…", **style)
        height += 0 if beside else 1
        axes.text(0.97, 1 - (height + 0.7) / lines, number, ha="right", **style)
        height += 1
    if len(cells) < len(view):
        axes.text(0.03, 0.7 / lines, f"… {len(view) - len(cells)} more", **style)
    axes.set(xticks=[], yticks=[])


def table_lines(modality: Modality, points: float) -> int:
    """Lines of text that a table takes in a panel of some points of width."""
    count, most = len(modality.channels), LINES if _beside(modality, points) else LINES // 2
    return min(count, most) * (1 if most == LINES else 2) + (count > most)


def _beside(modality: Modality, points: float) -> bool:
    """Whether every number fits beside the name of its column."""
    return max(map(len, map(_readable, modality.channels))) + NUMERAL + 1 <= points / LETTER


def _telling(view: View, usual: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Columns by how many spreads they are from the median, the farthest first; then those without a number."""
    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.abs(view - usual[0]) / usual[1]
    return np.argsort(-np.where(np.isfinite(away), away, -1.0), kind="stable")


def _readable(name: str) -> str:
    """A column's name in fewer letters: "e_phot_g_mean_mag" is "g mag error"."""
    name = re.sub(r"^e_(.+)", r"\1_error", name)
    return re.sub(r"^phot_|_mean(?=_)", "", name).replace("_over_", "/").replace("_", " ")
