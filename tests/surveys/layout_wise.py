"""Images in the layout of the AllWISE Image Atlas, as IRSA cuts them, and WISE cutouts brought to 50 arcsec."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from layout_images import STARS, render, wcs_of, write_positions

from astroclip_kit.surveys import (
    FITSImages,
    LegacySurveyCutouts,
    Resampled,
    WithoutSky,
    write_legacysurvey_cutout,
)

ZERO_POINT = {1: 20.5, 2: 19.5, 3: 18.0, 4: 13.0}
SKY = {1: 8.0, 2: 20.0, 3: 900.0, 4: 240.0}  # DN
COADD = "1500p015_ac51"


def write_atlas(folder, band, shape=(64, 64), scale=1.375, noise=0.5, stars=STARS, **place):
    """An intensity image with its sky and the errors beside it."""
    wcs = wcs_of(shape, scale, **place)
    wcs.wcs.ctype = ["RA---SIN", "DEC--SIN"]
    header = wcs.to_header()
    header.update({"BAND": band, "MAGZP": ZERO_POINT[band], "COADDID": COADD, "BUNIT": "DN"})
    rng = np.random.default_rng(band)
    image = render(shape, wcs, 3.0, stars) + SKY[band] + rng.normal(0, noise, shape)
    path = folder / f"{COADD}-w{band}-int-3.fits"
    fits.writeto(path, image.astype("f4"), header)
    fits.writeto(folder / f"{COADD}-w{band}-unc-3.fits.gz", np.full(shape, noise, "f4"), header)
    return path


def atlas(folder, bands=(1, 2, 3), **settings):
    paths = {f"w{band}": f"{folder}/**/*-w{band}-int-3.fits" for band in bands}
    return FITSImages(write_positions(folder), paths, **{"size": 40, "pixel_scale_arcsec": 1.25, **settings})


def make_allwise(folder: Path) -> WithoutSky:
    for band in (1, 2, 3):
        write_atlas(folder, band)
    return WithoutSky(atlas(folder, ivar=True))


def write_cutout(folder, name, size=40, scale=1.375, change=lambda image, ivar: None):
    """A cutout of W1 to W3 with a source of 500 nanomaggies in the middle; `change` spoils it in place."""
    rng = np.random.default_rng(len(name))
    offset = (np.arange(size) - (size - 1) / 2) * scale
    profile = np.exp(-(offset[:, None] ** 2 + offset**2) / 2 / 2.6**2)
    image = rng.normal(0, 0.3, (3, size, size)) + 500 * profile / profile.sum()
    ivar = np.full_like(image, 0.3**-2)
    change(image, ivar)
    path = folder / f"{name}.fits"
    bands = ("w1", "w2", "w3")
    write_legacysurvey_cutout(path, image, 150.0 + len(name), 2.0, bands=bands, ivar=ivar, pixel_scale_arcsec=scale)
    return path


def cutouts(folder, ivar=True):
    return LegacySurveyCutouts(folder, bands=("w1", "w2", "w3"), ivar=ivar)


def make_resampled(folder: Path) -> Resampled:
    for name in ("a", "bb", "ccc"):
        write_cutout(folder, name)
    return Resampled(cutouts(folder), size=80, size_arcsec=50)


READERS = {"allwise": make_allwise, "resampled": make_resampled}
