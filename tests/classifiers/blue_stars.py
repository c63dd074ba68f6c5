"""Blue and red stars in memory, whose spectra have a broad line or none, on the pixels of SDSS."""

import numpy as np

from astroclip_kit.storage import hash_text
from astroclip_kit.transforms import wavelength_grid
from astroclip_kit.types import Modality


class BlueStars:
    """What a training uses of a `Dataset`: 240 stars."""

    def __init__(self, count=240):
        rng = np.random.default_rng(0)
        blue = rng.random(count) < 0.4
        names = np.where(blue, "bhb", "other")
        self.labels = {"class": np.where(rng.random(count) < 0.05, "", names), "z": rng.random(count)}
        self.object_ids = self.groups = np.array([f"star-{number}" for number in range(count)])
        self.ra = self.dec = np.full(count, np.nan)
        self.manifest = {"name": "stars", "origin": "mock"}
        wavelength = wavelength_grid("sdss")
        self.modalities = {
            "image": Modality("image", "image", tuple("ugriz"), (5, 16, 16), "nmgy", (0.396,)),
            "spectrum": Modality.spectrum("spectrum", wavelength),
        }
        axis = np.arange(16) - 7.5
        psf = np.exp(-0.5 * (axis[:, None] ** 2 + axis**2) / 2)
        colours = np.where(blue[:, None], [2.0, 1.5, 1, 0.8, 0.6], [0.6, 0.8, 1, 1.5, 2.0])
        images = (rng.lognormal(0, 0.5, count)[:, None] * colours)[..., None, None] * psf
        line = 0.6 * np.exp(-0.5 * ((wavelength - 4861) / 40) ** 2)
        flux = 3 - blue[:, None] * line + rng.normal(0, 0.1, (count, len(wavelength)))
        self.values = {
            "image": (images + rng.normal(0, 0.05, images.shape)).astype(np.float32),
            "spectrum": np.stack([flux, np.full_like(flux, 100.0)], axis=1).astype(np.float32),
        }
        self.asked = set()

    def __len__(self):
        return len(self.object_ids)

    def present(self, name):
        return np.ones(len(self), dtype=bool)

    def data_hash(self, name):
        return hash_text(self.values[name].tobytes())

    def views(self, name, rows):
        self.asked |= set(np.asarray(rows).tolist())
        return self.values[name][rows]
