"""Stars of two classes in memory, seen in an image and a spectrum, and encoders that learn in seconds."""

import numpy as np
import torch
from torch import nn

from astroclip_kit.settings import Hardware, Optimizer, Schedule, Split, Training
from astroclip_kit.storage import hash_text
from astroclip_kit.types import Batch, Modality

ONE_CORE = Hardware("cpu", "float32", threads=1)
TRAINING = Training(6, 16, optimizer=Optimizer(learning_rate=3e-3), schedule=Schedule("constant"), hardware=ONE_CORE)
SPLIT = Split(test=0.25, valid=0.25)
SIZE = {"width": 8, "blocks": 1, "heads": 2, "hidden_features": 16}


class Stars:
    """What trainings use of a `Dataset`; every 10th star lacks its image, every 15th its class."""

    def __init__(self, count=160, seed=0):
        rng = np.random.default_rng(seed)
        spectra = Modality.spectrum("spectrum", np.linspace(4000, 9000, 40))
        self.modalities = {"image": Modality("image", "image", ("u", "g"), (2, 8, 8)), "spectrum": spectra}
        code = rng.integers(0, 2, count)
        image = rng.normal(size=(count, 2, 8, 8)) + 0.8 * code[:, None, None, None]
        spectrum = np.ones((count, 2, 40)) + 0.5 * rng.normal(size=(count, 2, 40))
        spectrum[:, 0, 10:20] += 1.5 * code[:, None]
        self.values = {"image": image.astype(np.float32), "spectrum": spectrum.astype(np.float32)}
        self.presence = {"image": np.arange(count) % 10 != 0, "spectrum": np.ones(count, dtype=bool)}
        self.object_ids = self.groups = np.array([f"star-{row}" for row in range(count)])
        self.ra = self.dec = np.full(count, np.nan)
        names = np.where(code == 0, "bhb", "other")
        self.labels = {"class": np.where(np.arange(count) % 15 == 0, "", names), "teff": rng.uniform(7e3, 9e3, count)}
        self.manifest = {"name": "stars", "origin": "mock", "units": {}}
        self.asked = set()

    def __len__(self):
        return len(self.object_ids)

    def present(self, name):
        return self.presence[name]

    def views(self, name, rows):
        assert self.presence[name][rows].all()
        self.asked |= set(np.asarray(rows).tolist())
        return self.values[name][rows]

    def batch(self, rows):
        places = {name: np.flatnonzero(self.presence[name][rows]) for name in self.modalities}
        views = {name: torch.from_numpy(self.views(name, rows[here])) for name, here in places.items()}
        here = {name: torch.from_numpy(place) for name, place in places.items()}
        return Batch(self.object_ids[rows].tolist(), self.groups[rows].tolist(), views, here)

    def data_hash(self, name):
        return hash_text(self.values[name].tobytes(), self.presence[name].tobytes())


class Patches(nn.Module):
    """Tokens of equal parts of a view."""

    def __init__(self, in_features, out_features=8):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.map = nn.Linear(in_features, out_features)

    def tokens(self, x):
        return torch.relu(self.map(x.flatten(1).unflatten(1, (-1, self.in_features))))

    def forward(self, x):
        return self.tokens(x).mean(dim=1)


def make_encoders():
    torch.manual_seed(0)
    return {"image": Patches(32), "spectrum": Patches(16)}  # 4 and 5 tokens
