"""Variable stars of three classes in memory, seen in a light curve, a spectrum and a table; some lack one or two."""

import numpy as np
import torch
from small_stars import ONE_CORE, Stars

from astroclip_kit.alignment import align
from astroclip_kit.encoders import LightCurveTransformer, SpectrumConvNet, TabularMLP
from astroclip_kit.settings import Alignment, Head, Optimizer, Schedule, Split, Training
from astroclip_kit.transforms.compose import Compose
from astroclip_kit.transforms.lightcurves import pad
from astroclip_kit.types import LIGHTCURVE_CHANNELS, Modality

CLASSES = np.array(["EW", "M", "RRAB"])
SPLIT = Split(test=0.25, valid=0.25)
TRAINING = Training(15, 16, optimizer=Optimizer("adam", 3e-2, 0.0), schedule=Schedule("constant"), hardware=ONE_CORE)
SIZES = {"lightcurve": 6, "spectrum": 4, "metadata": 8}


class VariableStars(Stars):
    """Every 7th star lacks its spectrum, every 9th its light curve, and what lacks both is told by the table alone."""

    def __init__(self, count=150, seed=0, whole=False):
        super().__init__(count, seed)
        rng = np.random.default_rng(seed)
        code = rng.integers(0, 3, count)
        grid = np.linspace(4000, 9000, 30)
        self.modalities = {
            "lightcurve": Modality("lightcurve", "lightcurve", LIGHTCURVE_CHANNELS, (-1, 4), "mag", bands=("V",)),
            "spectrum": Modality.spectrum("spectrum", grid),
            "metadata": Modality("metadata", "table", ("j_k", "period"), (2,)),
        }
        spectra = np.ones((count, 2, 30)) + 0.3 * rng.normal(size=(count, 2, 30))
        spectra[code == 1, 0, 5:15] += 1
        table = np.stack([code == 0, code == 2], axis=1) * 40.0 + 8 * rng.normal(size=(count, 2)) + 500
        self.values = {"spectrum": spectra.astype(np.float32), "metadata": table.astype(np.float32)}
        self.curves = [_curve(rng, amplitude) for amplitude in np.array([0.3, 3.0, 1.0])[code]]
        rows = np.arange(count)
        self.presence = {"lightcurve": rows % 9 != 0, "spectrum": rows % 7 != 0, "metadata": rows >= 0}
        if whole:
            self.presence = {name: np.ones(count, dtype=bool) for name in self.modalities}
        self.labels = {"class": np.where(rows % 25 == 24, "", CLASSES[code])}
        self.manifest = {"name": f"variables-{seed}", "origin": "mock", "units": {}}

    def views(self, name, rows):
        if name != "lightcurve":
            return super().views(name, rows)
        assert self.presence[name][rows].all()
        return pad([self.curves[row] for row in rows])

    def data_hash(self, name):
        return f"{name} of {self.manifest['name']}"


def _curve(rng, amplitude):
    count = rng.integers(5, 12)
    time = np.sort(rng.uniform(0, 100, count))
    value = 14 + amplitude * rng.normal(size=count)
    return np.stack([time, value, np.full(count, 0.02), np.zeros(count)], axis=1).astype(np.float32)


def make_encoders(*names):
    """Tiny encoders of the kit, of all modalities or of some."""
    torch.manual_seed(0)
    made = {
        "lightcurve": LightCurveTransformer(SIZES["lightcurve"], width=8, depth=1, heads=2),
        "spectrum": SpectrumConvNet(30, 0, SIZES["spectrum"], (4, 4), 8, preprocess=Compose()),
        "metadata": TabularMLP(2, SIZES["metadata"], hidden_features=(8,)),
    }
    return {name: one for name, one in made.items() if not names or name in names}


def aligned(folder, stars, epochs=2, split=SPLIT):
    """The folder of a model that was aligned on the stars."""
    training = Training(epochs, 32, optimizer=Optimizer(learning_rate=3e-3), hardware=ONE_CORE)
    alignment = Alignment(trainable=dict.fromkeys(SIZES, "all"), head=Head(5))
    align(stars, folder, encoders=make_encoders(), alignment=alignment, training=training, split=split, quiet=True)
    return folder
