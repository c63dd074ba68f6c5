"""Columns of the Multimodal Universe to views, for all rows of a block at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...transforms.resampling import resample
from ...types import Modality
from ..images.image_headers import SCALE_TOLERANCE

__all__ = ["image_views", "lightcurve_views", "spectrum_views", "table_views"]

Views = Sequence[npt.NDArray[np.float32]] | npt.NDArray[np.float32]
Judged = tuple[Views, npt.NDArray[np.object_]]  # the views, and why each cannot be used ("" if it can)
PADDED_TIMES = (0.0, -99.0)  # where nothing was measured: flux error 0 and one of these


def image_views(fields: Mapping[str, npt.NDArray[Any]], modality: Modality) -> Judged:
    """Images [N, C, H, W] with the channels of the modality; those called ``ivar_BAND`` are inverse variances.

    Args:
        fields: flux [N, B, H, W], band [N, B] and where they are asked for ivar and mask (True = good), as flux,
            and scale [N, B] in arcsec.
        modality: The image.
    """
    flux, band = fields["flux"], fields["band"].tolist()
    reasons = np.full(len(flux), "", dtype=object)
    views = np.zeros((len(flux), *modality.shape), dtype=np.float32)
    if flux.shape[2:] != modality.shape[1:]:
        reasons[:] = f"{flux.shape[2:]} pixels, expected {modality.shape[1:]} of the first file"
        return views, reasons
    bands = modality.image_bands
    for order in {tuple(names) for names in band}:
        rows = np.flatnonzero([tuple(names) == order for names in band])
        missing = [name for name in bands if name not in order]
        if missing:
            reasons[rows] = f"band {missing[0]!r} is missing (found {', '.join(order)})"
            continue
        planes = [order.index(name) for name in bands]
        views[rows, : len(bands)] = _pick(flux, rows, planes)
        if len(modality.channels) > len(bands):
            views[rows, len(bands) :] = _weights(fields, rows, planes, views[rows, : len(bands)])
    np.copyto(views, 0, where=~np.isfinite(views))
    alive: npt.NDArray[np.bool_] = np.asarray(views.any(axis=(2, 3)))
    for channel, name in enumerate(modality.channels):
        reasons[(reasons == "") & ~alive[:, channel]] = f"{name!r} is blank: 0, NaN or masked everywhere"
    if modality.grid and "scale" in fields:
        scale = fields["scale"].reshape(len(flux), -1)[:, 0].astype(np.float64)
        off = np.abs(scale / modality.pixel_scale_arcsec - 1) > SCALE_TOLERANCE
        reasons[(reasons == "") & off] = f"not {modality.pixel_scale_arcsec:.4f} arcsec per pixel as the first image"
    return views, reasons


def _weights(
    fields: Mapping[str, npt.NDArray[Any]], rows: npt.NDArray[np.intp], planes: list[int], flux: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    ivar = _pick(fields["ivar"], rows, planes)
    good = np.isfinite(flux) & (ivar > 0)
    if "mask" in fields:
        good &= _pick(fields["mask"], rows, planes).astype(bool, copy=False)
    return np.where(good, ivar, np.float32(0))


def _pick(values: npt.NDArray[Any], rows: npt.NDArray[np.intp], planes: list[int]) -> npt.NDArray[Any]:
    """Some planes of some rows; without a copy where it is all of them."""
    whole = len(rows) == len(values) and planes == list(range(values.shape[1]))
    return values if whole else values[np.ix_(rows, np.array(planes))]


def spectrum_views(fields: Mapping[str, npt.NDArray[Any]], modality: Modality) -> Judged:
    """Spectra [N, 2, L] on the grid of the modality.

    Args:
        fields: flux, ivar (or noise), lambda and where there is one mask (True = bad), each [N, P]; pixels without
            a positive wavelength are padding.
        modality: The spectrum.
    """
    flux, wavelength = (np.asarray(fields[role], dtype=np.float64) for role in ("flux", "lambda"))
    ivar = _inverse_variance(fields)
    used = np.isfinite(wavelength) & (wavelength > 0)
    bad = ~used | ~(ivar > 0) | ~np.isfinite(flux) | ~np.isfinite(ivar)
    if "mask" in fields:
        bad |= np.asarray(fields["mask"]).astype(bool)
    ivar = np.where(bad, 0.0, ivar)
    views = np.zeros((len(flux), 2, len(modality.grid)), dtype=np.float32)
    reasons = np.full(len(flux), "", dtype=object)
    grids: dict[bytes, list[int]] = {}
    for row, one in enumerate(wavelength):
        grids.setdefault(one.tobytes(), []).append(row)
    for rows in grids.values():
        at = np.flatnonzero(used[rows[0]])
        own, first = np.unique(wavelength[rows[0], at], return_index=True)
        if len(own) < 2:
            reasons[rows] = "wavelengths are missing"
            continue
        pixels = np.ix_(np.array(rows), at[first])
        new = resample(flux[pixels], ivar[pixels], own, modality.grid)
        views[rows] = np.stack(new, axis=1).astype(np.float32)
    reasons[(reasons == "") & ~ivar.any(axis=1)] = "no good pixel: NaN, masked, or inverse variance 0 everywhere"
    reasons[(reasons == "") & ~views[:, 1].any(axis=1)] = "covers none of the grid"
    return views, reasons


def _inverse_variance(fields: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.float64]:
    if "ivar" in fields:
        return np.asarray(fields["ivar"], dtype=np.float64)
    noise = np.asarray(fields["noise"], dtype=np.float64)
    return np.divide(1.0, noise**2, out=np.zeros_like(noise), where=noise > 0)


def lightcurve_views(fields: Mapping[str, npt.NDArray[Any]], modality: Modality, given: bool) -> tuple[Judged, Any]:
    """Light curves, each [T, 4] in order of time, from the points of all objects.

    Args:
        fields: owner [P] (row of the point), time, flux, flux_err and code [P] (index into names), names [B], and
            rows, the number of objects.
        modality: The light curve.
        given: Whether the bands were chosen; else a band that the modality lacks is a reason to leave an object out.

    Returns:
        Views and reasons, and the time of each object's first point [N].
    """
    count, names = int(fields["rows"]), [str(name) for name in fields["names"]]
    time, flux, error = (np.asarray(fields[role], dtype=np.float64) for role in ("time", "flux", "flux_err"))
    padding = np.isin(time, PADDED_TIMES) & (error == 0)
    index = {band: number for number, band in enumerate(modality.bands)}
    codes = np.array([index.get(name, -1) for name in names] or [-1])
    band, owner = codes[fields["code"]], np.asarray(fields["owner"])
    measured = np.isfinite(time) & np.isfinite(flux) & ~padding
    reasons = np.full(count, "", dtype=object)
    if not given:
        strange = measured & (band < 0)
        rows, first = np.unique(owner[strange], return_index=True)
        for row, code in zip(rows, np.asarray(fields["code"])[strange][first], strict=True):
            reasons[row] = f"band {names[code]!r} is not in the first file: give `bands`"
    keep = measured & (band >= 0)
    points = np.stack([time, flux, np.where(error > 0, error, np.nan), band], axis=1)[keep]
    owner = owner[keep]
    order = np.lexsort((points[:, 3], points[:, 0], owner))
    ends = np.searchsorted(owner[order], np.arange(count + 1))
    filled = np.diff(ends) > 0
    reasons[(reasons == "") & ~filled] = "no measurement in the bands"
    points = points[order]
    start = np.full(count, np.nan)
    start[filled] = points[ends[:-1][filled], 0]
    points[:, 0] -= np.repeat(start, np.diff(ends))
    return (np.split(points.astype(np.float32), ends[1:-1]), reasons), start


def table_views(values: npt.NDArray[np.float64]) -> Judged:
    """Rows [N, C] of a table, NaN where a value is missing."""
    views = np.where(np.isfinite(values), values, np.nan).astype(np.float32)
    return views, np.where(np.isnan(views).all(axis=1), "no value in any column", "").astype(object)
