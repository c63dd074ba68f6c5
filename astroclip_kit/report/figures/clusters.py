"""What the members of clusters have in common."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context

from ...errors import InputError
from .canvas import COLOURS, COLUMN, STYLE, KitFigure, plain_axes
from .checks import equal_lengths, numbers
from .views import binned_spectrum

__all__ = ["cluster_spectra"]

Float = npt.NDArray[np.float64]
SPREAD = (16, 50, 84)  # per cent
PIXELS = 500


@rc_context(STYLE)
def cluster_spectra(
    wavelength_angstrom: npt.ArrayLike, flux: npt.ArrayLike, clusters: npt.ArrayLike, *, most: int = 8, title: str = ""
) -> KitFigure:
    """Median spectrum of each cluster and where 16 to 84 % of its members lie, each divided by its median flux.

    Args:
        wavelength_angstrom: Wavelengths [L] in Angstrom.
        flux: Spectra [N, L]; NaN where nothing was observed.
        clusters: Number of each one's cluster [N], -1 for none; or its class as text.
        most: The largest clusters that are drawn.
        title: What was clustered.

    Raises:
        InputError: If lengths differ, no object is in a cluster, or nothing was observed.
    """
    wavelength, spectra = numbers(wavelength_angstrom, "wavelength"), numbers(flux, "flux", axes=2, finite=False)
    labels = np.asarray(clusters)
    equal_lengths(flux=spectra, clusters=labels)
    equal_lengths(wavelength=wavelength, pixels=spectra.T)
    wavelength, spectra = binned_spectrum(wavelength, np.where(np.isfinite(spectra), spectra, np.nan), PIXELS)
    found = list(_medians(spectra, labels))
    if not found:
        raise InputError("cluster_spectra: no object with a spectrum is in a cluster.")
    left = len(found) - most
    found = sorted(found, key=lambda one: -one[1])[:most]
    figure = KitFigure(figsize=(COLUMN, 0.7 + 0.85 * len(found)), task="clustering")
    panels = figure.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
    for number, (axes, (name, count, (low, median, high))) in enumerate(zip(panels, found, strict=True)):
        colour = COLOURS[number % 7]
        axes.fill_between(wavelength, low, high, color=colour, alpha=0.3, linewidth=0)
        axes.plot(wavelength, median, color=colour, linewidth=0.8)
        bottom, top = np.nanpercentile(low, 1), np.nanpercentile(high, 99.5)
        pad = 0.1 * (top - bottom) or 1.0
        plain_axes(axes).set(ylim=(bottom - pad, top + 2.5 * pad), xlim=(wavelength[0], wavelength[-1]))
        axes.text(0.015, 0.97, f"{name} (n = {count:,})", transform=axes.transAxes, va="top", fontsize=7)
    panels[-1].set_xlabel("wavelength [Å]")
    figure.supylabel("flux / median flux", fontsize=8)
    more = f"smaller clusters left out: {left}" if left > 0 else ""
    panels[0].set_title("\n".join(text for text in (title, more) if text))
    return figure


def _medians(spectra: Float, labels: npt.NDArray[np.generic]) -> Iterator[tuple[str, int, Float]]:
    """Name, size, and the 16th, 50th and 84th per cent [3, P] of the scaled spectra of each cluster."""
    text = labels.dtype.kind in "OSU"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of pixels that were never observed, which stay NaN
        level = np.nanmedian(spectra, axis=1, keepdims=True)
        scaled = np.where(level > 0, spectra / level, np.nan)
        for one in np.unique(labels):
            rows = (labels == one) & np.isfinite(level[:, 0]) & (level[:, 0] > 0)
            if rows.any() and str(one) not in ("-1", "", "nan", "None"):
                yield (
                    str(one) if text else f"cluster {one}",
                    int(rows.sum()),
                    np.nanpercentile(scaled[rows], SPREAD, axis=0),
                )
