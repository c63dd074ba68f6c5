"""Augmentation and resampling of whole batches, against the loops over objects that public code runs.

The images are 152 x 152 pixels in g, r, z; the plain way does the steps of Stein et al. on one after the other with
SciPy. The spectra go from DESI's grid to SDSS's; the plain ways are the kit's NumPy function, which readers use, for
all spectra at once and for one after the other.

    python benchmarks/transforms.py [--objects 256] [--plain 32] [--repeats 3]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy import ndimage

from astroclip_kit.transforms import Resample, resample, stein_augmentations, wavelength_grid

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
    }
    print(f"{options.objects} objects, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    for name, value in ways.items():
        first = ways[f"{name.split(':')[0]}: the batch"]
        print(f"  {name:28} {value:8.0f} per second  {value / first:5.2f}")


if __name__ == "__main__":
    main()
