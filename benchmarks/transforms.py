"""Augmentation and resampling of whole batches, against the loops over objects that public code runs.

The images are 152 x 152 pixels in g, r, z; the plain way does the steps of Stein et al. on one after the other with
SciPy. The spectra go from DESI's grid to SDSS's; the plain ways are the kit's NumPy function, which readers use, for
all spectra at once and for one after the other. AstroM3's preprocessing of light curves (1,000 points, cut to 200) and
of LAMOST spectra is compared with its steps in NumPy and SciPy, object by object, as its public code does them.

    python benchmarks/transforms.py [--objects 256] [--plain 32] [--repeats 3]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy import ndimage, stats

from astroclip_kit.transforms import (
    LightCurveSteps,
    RandomWindow,
    Resample,
    SpectrumChannels,
    resample,
    stein_augmentations,
    wavelength_grid,
)

SIGMA, NOISE = (1.5, 1.0, 0.8), (0.005, 0.008, 0.03)


def one_by_one(images: np.ndarray) -> np.ndarray:
    """The published chain as a script writes it: rotation, scale, blur, crop and noise of one image at a time."""
    rng, made = np.random.default_rng(0), []
    for image in images:
        image = image * 10 ** (-0.4 * rng.uniform(0, 1) * np.array([3.214, 2.165, 1.211]))[:, None, None]
        image = ndimage.rotate(image, rng.uniform(0, 360), axes=(1, 2), reshape=False, order=1, mode="reflect")
        factor = np.diag([1, *[1 / rng.uniform(0.9, 1.1)] * 2])
        image = ndimage.affine_transform(image, factor, order=1, mode="reflect")
        image = np.stack([ndimage.gaussian_filter(band, sigma) for band, sigma in zip(image, SIGMA, strict=True)])
        top, left = 28 + rng.integers(-7, 8, 2)
        image = image[:, top : top + 96, left : left + 96]
        made.append(image + rng.normal(size=image.shape) * np.array(NOISE)[:, None, None])
    return np.stack(made)


def steps_one_by_one(curves: np.ndarray) -> np.ndarray:
    """Scaled steps of one light curve after the other, without covariates."""
    made = []
    for curve in curves.astype(np.float64):
        x = np.unique(curve[:, :3], axis=0)
        x = x[np.argsort(x[:, 0])]
        mad, years = stats.median_abs_deviation(x[:, 1]), np.ptp(x[:, 0]) / 365
        x[:, 1:] = np.stack([x[:, 1] - x[:, 1].mean(), x[:, 2]], axis=1) / mad
        x[:, 0] = (x[:, 0] - x[:, 0].min()) / np.ptp(x[:, 0])
        start = (len(x) - 200) // 2
        constants = np.tile([np.log10(mad), years], (200, 1))
        made.append(np.concatenate([x[start : start + 200], constants], axis=1).astype(np.float32))
    return np.stack(made)


def channels_one_by_one(spectra: np.ndarray, wavelength: np.ndarray) -> np.ndarray:
    """Interpolated and scaled channels of one spectrum after the other."""
    grid, made = np.arange(3850, 9000, 2), []
    for spectrum in spectra.astype(np.float64):
        flux, ivar = (np.interp(grid, wavelength, one) for one in spectrum)
        mad = stats.median_abs_deviation(flux[flux != 0])
        made.append(np.vstack([(flux - flux.mean()) / mad, ivar / mad, np.full_like(flux, np.log10(mad))]))
    return np.stack(made).astype(np.float32)


def astrom3(objects: int, plain: int, repeats: int) -> dict[str, float]:
    """Objects per second of AstroM3's preprocessing, whose results are compared first."""
    rng, seeds = np.random.default_rng(0), torch.arange(objects)
    curves = np.stack([np.sort(rng.uniform(0, 1500, (objects, 1000)), axis=1), *rng.uniform(1, 2, (2, objects, 1000))])
    curves = np.concatenate([curves, np.zeros((1, objects, 1000))]).transpose(1, 2, 0).astype(np.float32)
    spectra, lamost = rng.uniform(0.5, 2, (objects, 2, 3909)).astype(np.float32), wavelength_grid("lamost")
    x, y, window = torch.from_numpy(curves), torch.from_numpy(spectra), RandomWindow()
    steps, channels = LightCurveSteps(covariates=(), log=()), SpectrumChannels(wavelength="lamost")
    np.testing.assert_allclose(steps(x)[:plain], steps_one_by_one(curves[:plain]), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(channels(y)[:plain], channels_one_by_one(spectra[:plain], lamost), rtol=1e-3, atol=1e-5)
    return {
        "light curves: the batch": rate(lambda: steps(x), objects, repeats),
        "light curves: with random windows": rate(lambda: steps(window(x, seeds)), objects, repeats),
        "light curves: one by one": rate(lambda: steps_one_by_one(curves[:plain]), plain, repeats),
        "channels: the batch": rate(lambda: channels(y), objects, repeats),
        "channels: one by one": rate(lambda: channels_one_by_one(spectra[:plain], lamost), plain, repeats),
    }


def rate(way: Callable[[], object], count: int, repeats: int) -> float:
    way()
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        way()
        seconds.append(time.perf_counter() - begun)
    return count / min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--objects", type=int, default=256)
    parser.add_argument("--plain", type=int, default=32, help="objects of the plain ways")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    rng, seeds, few = np.random.default_rng(0), torch.arange(options.objects), options.plain
    images = torch.from_numpy(rng.normal(size=(options.objects, 3, 152, 152)).astype(np.float32))
    spectra = rng.uniform(0.5, 2, (options.objects, 2, 7781)).astype(np.float32)
    spectra[:, 1, 3000:3100] = 0
    x, augment, on_grid = torch.from_numpy(spectra), stein_augmentations(), Resample("desi", "sdss")
    desi, sdss = wavelength_grid("desi"), wavelength_grid("sdss")
    expected = resample(spectra[:few, 0], spectra[:few, 1], desi, sdss)
    np.testing.assert_allclose(on_grid(x)[:few].numpy(), np.stack(expected, axis=1), rtol=1e-3)
    ways = {
        "images: the batch": rate(lambda: augment(images, seeds), options.objects, options.repeats),
        "images: one by one, SciPy": rate(lambda: one_by_one(images[:few].numpy()), few, options.repeats),
        "spectra: the batch": rate(lambda: on_grid(x), options.objects, options.repeats),
        "spectra: the batch, NumPy": rate(
            lambda: resample(spectra[:, 0], spectra[:, 1], desi, sdss), options.objects, options.repeats
        ),
        "spectra: one by one, NumPy": rate(
            lambda: [resample(*one, desi, sdss) for one in spectra[:few]], few, options.repeats
        ),
    } | astrom3(options.objects, few, options.repeats)
    print(f"{options.objects} objects, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    for name, value in ways.items():
        first = ways[f"{name.split(':')[0]}: the batch"]
        print(f"  {name:34} {value:8.0f} per second  {value / first:5.2f}")


if __name__ == "__main__":
    main()
