"""One view of an object, drawn: a cutout, a spectrum, a light curve or a row of a table."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...errors import UsageError
from ...types import Modality
from .canvas import COLOURS, plain_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_view"]

View = npt.NDArray[np.float32]


def draw_view(axes: Axes, view: npt.NDArray[Any], modality: Modality) -> None:
    """Draws one view of an object, with what is needed to read it.

    Args:
        axes: Where to.
        view: What `Dataset.views` gives for one row.
        modality: What it is.
    """
    draw: dict[str, Callable[[Axes, View, Modality], None]] = {
        "image": _image,
        "spectrum": _spectrum,
        "lightcurve": _lightcurve,
        "table": _table,
    }
    draw[modality.kind](axes, np.asarray(view, dtype=np.float32), modality)


def _image(axes: Axes, view: View, modality: Modality) -> None:
    bands = modality.image_bands
    axes.imshow(_colours(view[: len(bands)], bands), origin="lower", interpolation="nearest", cmap="gray")
    axes.set(xticks=[], yticks=[])
    scale = modality.pixel_scale_arcsec
    if math.isfinite(scale):
        length = _round_down(0.3 * view.shape[2] * scale)
        left, low = 0.06 * view.shape[2], 0.07 * view.shape[1]
        axes.plot([left, left + length / scale], [low, low], color="white", linewidth=1.5)
        axes.text(left, 1.6 * low, f"{length:g}''", color="white", fontsize=6, va="bottom")


def _round_down(length: float) -> float:
    """The largest of 1, 2, 5, 10, 20, ... that is not longer."""
    power = 10.0 ** math.floor(math.log10(length))
    return float(power * max(step for step in (1, 2, 5) if step * power <= length))


def _colours(view: View, bands: tuple[str, ...]) -> npt.NDArray[np.float32]:
    """[H, W, 3] in the colours of the Legacy Survey viewer where the bands allow, else one band in grey [H, W]."""
    import torch

    from ...transforms.images import ToRGB

    try:
        image: View = ToRGB("viewer", bands=bands)(torch.from_numpy(view[None].copy()))[0].numpy()
        return image.transpose(1, 2, 0)
    except UsageError:
        band = np.nan_to_num(view[len(view) // 2])
        low, high = np.percentile(band, [5, 99.5])
        stretched = np.arcsinh(10 * np.clip((band - low) / max(float(high - low), 1e-30), 0, 1)) / np.arcsinh(10)
        return np.asarray(stretched, dtype=np.float32)


def _spectrum(axes: Axes, view: View, modality: Modality) -> None:
    flux = np.where(view[1] > 0, view[0], np.nan) if len(view) > 1 and (view[1] > 0).any() else view[0]
    wavelength = modality.wavelength_angstrom
    axes.plot(wavelength, flux, color=COLOURS[0], linewidth=0.3, alpha=0.4)
    smooth = _smooth(flux)
    axes.plot(wavelength, smooth, color=COLOURS[0], linewidth=0.7)
    if np.isfinite(smooth).any():
        low, high = np.nanpercentile(smooth, [0.5, 99.8])  # lines stay in sight, noisy edges do not rule
        pad = 0.1 * (high - low) or 1.0
        axes.set_ylim(low - pad, high + pad)
    plain_axes(axes).set_xlabel("wavelength [Å]", fontsize=7)
    axes.set_ylabel(f"flux [{_short(modality.unit)}]" if modality.unit else "flux", fontsize=6)
    axes.tick_params(labelsize=6)


def _short(unit: str) -> str:
    return unit if len(unit) <= 30 else unit[:29] + "…"


def _smooth(flux: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Running mean over about a 300th of the pixels, of what was observed."""
    kernel = np.ones(max(1, len(flux) // 300))
    known = np.isfinite(flux)
    sums = np.convolve(np.where(known, flux, 0), kernel, "same")
    counts = np.convolve(known.astype(float), kernel, "same")
    return np.where(known, sums / np.maximum(counts, 1), np.nan)


def _lightcurve(axes: Axes, view: View, modality: Modality) -> None:
    time, value, error, band = view[np.isfinite(view[:, 0])].T
    start = float(time.min()) if len(time) else 0.0
    for number, colour in zip(np.unique(band).astype(int), COLOURS * 10, strict=False):
        of_band = band == number
        name = modality.bands[number] if number < len(modality.bands) else str(number)
        bar = np.nan_to_num(error[of_band])
        axes.errorbar(time[of_band] - start, value[of_band], bar, fmt=".", ms=3, lw=0.6, color=colour, label=name)
    if modality.unit.startswith("mag"):
        axes.invert_yaxis()
    plain_axes(axes).set_xlabel("days", fontsize=7)
    axes.set_ylabel(modality.unit or "value", fontsize=7)
    axes.tick_params(labelsize=6)
    if len(np.unique(band)) <= 6:
        axes.legend(frameon=False, fontsize=5)


def _table(axes: Axes, view: View, modality: Modality) -> None:
    lines = [
        f"{name} = {'—' if np.isnan(x) else format(float(x), '.4g')}"
        for name, x in zip(modality.channels, view, strict=True)
    ]
    text = "\n".join([*lines[:8], *(["…"] if len(lines) > 8 else [])])
    axes.text(0.02, 0.98, text, va="top", fontsize=6, transform=axes.transAxes)
    axes.set(xticks=[], yticks=[])
