"""Cutouts, read through `CleanImages`."""

import numpy as np

from astroclip_kit.surveys import CleanImages, LegacySurveyCutouts, write_legacysurvey_cutout

SIZE = 12


def write_star(folder, name, change=lambda image, ivar: None, bands=("u", "g")):
    """A star in the middle of a cutout; `change` spoils its flux and its inverse variance [bands, y, x] in place."""
    rng = np.random.default_rng(len(name))
    image, ivar = rng.normal(0, 0.1, (len(bands), SIZE, SIZE)), np.ones((len(bands), SIZE, SIZE))
    image[:, 5:7, 5:7] = 50.0
    change(image, ivar)
    path = folder / f"{name}.fits"
    write_legacysurvey_cutout(path, image, 150.0 + len(name), 2.0, object_id=name, bands=bands, ivar=ivar)
    return path


def make_clean(folder):
    for name in ("a", "bb", "ccc"):
        write_star(folder, name)
    return CleanImages(LegacySurveyCutouts(folder, bands=("u", "g"), ivar=True), saturation={"u": 1000.0})


READERS = {"clean_images": make_clean}
