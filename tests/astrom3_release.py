"""AstroM3's preprocessing as its release does it, word for word, one object at a time."""

import math

import numpy as np

WAVELENGTHS = np.arange(3850, 9000, 2)


def photometry_steps(x, constants, length=None, start=None):
    """Steps [T, 5 + C] of points [N, 3] of time, flux and error; cut to a length, from the middle or from a start."""
    x = np.unique(np.asarray(x, dtype=np.float64), axis=0)
    x = x[np.argsort(x[:, 0], kind="stable")]
    mean, mad = x[:, 1].mean(), np.median(np.abs(x[:, 1] - np.median(x[:, 1])))
    x[:, 1] = (x[:, 1] - mean) / mad
    x[:, 2] = x[:, 2] / mad
    delta_t = (x[:, 0].max() - x[:, 0].min()) / 365
    x[:, 0] = (x[:, 0] - x[:, 0].min()) / (x[:, 0].max() - x[:, 0].min())
    if length is not None and len(x) > length:
        start = (len(x) - length) // 2 if start is None else start
        x = x[start : start + length]
    aux = np.concatenate([constants, [np.log10(mad), delta_t]])
    return np.concatenate([x, np.tile(aux, (len(x), 1))], axis=1).astype(np.float32)


def spectrum_channels(wavelength, flux, second):
    """Channels [3, 2575]."""
    flux, second = (np.interp(WAVELENGTHS, wavelength, np.asarray(one, dtype=np.float64)) for one in (flux, second))
    mean, used = np.mean(flux), flux[flux != 0]
    mad = np.median(np.abs(used - np.median(used)))
    return np.vstack([(flux - mean) / mad, second / mad, np.full_like(flux, np.log10(mad))]).astype(np.float32)


def metadata_columns(names, magnitudes, row):
    """Columns before they are standardised."""
    named = dict(zip(names, row.tolist(), strict=True))
    parallax = named["parallax"] if named["parallax"] > 0 else 1
    changed = {name: value - 10 + 5 * math.log10(parallax) for name, value in named.items() if name in magnitudes}
    changed |= {"l": math.cos(math.radians(named["l"])), "b": math.sin(math.radians(named["b"]))}
    return np.array([changed.get(name, value) for name, value in named.items()])
