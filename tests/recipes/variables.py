"""Variable stars of four classes in memory, with what the recipe of AstroM3 asks of a dataset, and what is true."""

import numpy as np
import torch

from astroclip_kit.storage import hash_text
from astroclip_kit.types import Batch, Modality

CLASSES = ("EW", "M", "ROT", "RRAB")
COLUMNS = ("phot_g_mean_mag", "bp_rp", "parallax", "j_k")
CHANNELS = ("time", "value", "error", "band", "amplitude", "period", "lksl_statistic", "rfr_score")
STEPS, PIXELS = 12, 24


class Variables:
    """What trainings and embeddings use of a `Dataset`; each modality tells the classes apart by itself."""

    def __init__(self, count=160, seed=0):
        rng = np.random.default_rng(seed)
        self.modalities = {
            "lightcurve": Modality("lightcurve", "lightcurve", CHANNELS, (-1, len(CHANNELS)), "mJy", bands=("V",)),
            "spectrum": Modality.spectrum("spectrum", np.linspace(4000, 9000, PIXELS)),
            "metadata": Modality("metadata", "table", COLUMNS, (len(COLUMNS),)),
        }
        self.true = rng.choice(len(CLASSES), count, p=(0.4, 0.1, 0.2, 0.3))
        self.flipped = rng.random(count) < 0.03
        named = np.where(self.flipped, (self.true + 1) % len(CLASSES), self.true)
        self.values = {
            "lightcurve": self._light_curves(rng, count),
            "spectrum": rng.normal(2, 0.3, (count, 2, PIXELS)).astype(np.float32),
            "metadata": (rng.normal(size=(count, len(COLUMNS))) + 2 * self.true[:, None]).astype(np.float32),
        }
        self.values["spectrum"][:, 0] += np.sin(np.arange(PIXELS) * (1 + self.true[:, None]) / 4)
        self.object_ids = self.groups = np.array([f"star-{row:03d}" for row in range(count)])
        self.ra = self.dec = np.full(count, np.nan)
        self.labels = {"class": np.array(CLASSES)[named]}
        self.manifest = {"name": "variables", "origin": "mock", "units": {}}

    def _light_curves(self, rng, count):
        views = rng.normal(0, 0.2, (count, STEPS, len(CHANNELS))).astype(np.float32)
        time = np.sort(rng.uniform(0, 100, (count, STEPS)), axis=1)
        views[:, :, 0], views[:, :, 2], views[:, :, 3] = time, 0.1, 0
        views[:, :, 1] += np.sin(time / (1 + 3 * self.true[:, None])) + 5
        views[:, :, 4:] = (1 + self.true)[:, None, None]
        return views

    def __len__(self):
        return len(self.object_ids)

    def present(self, name):
        return np.ones(len(self), dtype=bool)

    def views(self, name, rows):
        return self.values[name][rows]

    def batch(self, rows):
        views = {name: torch.from_numpy(values[rows]) for name, values in self.values.items()}
        here = {name: torch.arange(len(rows)) for name in views}
        return Batch(self.object_ids[rows].tolist(), self.groups[rows].tolist(), views, here)

    def data_hash(self, name):
        return hash_text(self.values[name].tobytes())
