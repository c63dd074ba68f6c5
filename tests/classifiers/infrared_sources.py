"""Galaxies, quasars and stars in memory: images tell extended from point-like, colours tell quasars from the rest."""

import numpy as np
from small_stars import Stars

from astroclip_kit.types import Modality

CLASSES = np.array(["galaxy", "qso", "star"])
COLOURS = np.array([[0.2, 3.0], [1.2, 3.0], [0.2, 3.0]])  # W1 - W2, W2 - W3


class InfraredSources(Stars):
    """Cutouts of three bands and a table of two colours; the second is missing for every 8th, both for every 16th."""

    def __init__(self, count=100, seed=0):
        super().__init__(count, seed)
        rng = np.random.default_rng(seed)
        code = rng.integers(0, 3, count)
        radius = np.hypot(*(np.mgrid[:20, :20] - 9.5))
        width = np.where(code == 0, 4.0, 1.5)[:, None, None]
        profile = np.exp(-0.5 * (radius / width) ** 2) * rng.uniform(5, 40, (count, 1, 1))
        images = profile[:, None] + rng.normal(size=(count, 3, 20, 20))
        images[::7, 0, 2, 3] = np.nan
        colours = COLOURS[code] + 0.15 * rng.normal(size=(count, 2))
        colours[::8, 1], colours[::16, 0] = np.nan, np.nan
        self.modalities = {
            "image": Modality("image", "image", ("w1", "w2", "w3"), (3, 20, 20), "mJy", (1.375,)),
            "colours": Modality("colours", "table", ("w1_w2", "w2_w3"), (2,), "mag"),
        }
        self.values = {"image": images.astype(np.float32), "colours": colours.astype(np.float32)}
        self.presence = {name: np.ones(count, dtype=bool) for name in self.modalities}
        self.labels = {"class": CLASSES[code]}
