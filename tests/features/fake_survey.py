"""A dataset in memory, with the attributes that `extract` uses."""

import numpy as np
import torch
from torch import nn

from astroclip_kit.features import extract
from astroclip_kit.settings import Hardware
from astroclip_kit.storage import hash_text
from astroclip_kit.types import Modality

FLOAT32 = Hardware("cpu", "float32")


def run(survey, encoders, out, **arguments):
    """Extracts in small batches; what is read from then on is noted by the survey."""
    survey.reads.clear()
    return extract(survey, encoders, out, batch_size=8, hardware=FLOAT32, **arguments)


class FakeSurvey:
    def __init__(self, count=50, seed=0):
        rng = np.random.default_rng(seed)
        self.modalities = {
            "image": Modality("image", "image", ("g", "r", "z"), (3, 16, 16)),
            "table": Modality("table", "table", ("u", "g"), (2,)),
        }
        self.values = {
            name: rng.normal(size=(count, *modality.shape)).astype(np.float32)
            for name, modality in self.modalities.items()
        }
        self.presence = {name: rng.random(count) < 0.8 for name in self.modalities}
        self.object_ids = np.array([f"id-{row}" for row in range(count)])
        self.groups = np.array([f"group-{row // 2}" for row in range(count)])
        self.ra, self.dec = rng.uniform(0, 360, count), np.full(count, np.nan)
        self.labels = {"z": rng.random(count), "class": np.array(["STAR", ""] * (count // 2))}
        self.manifest = {"name": "fake", "origin": "mock"}
        self.reads = []

    def __len__(self):
        return len(self.object_ids)

    def present(self, name):
        return self.presence[name]

    def views(self, name, rows):
        assert self.presence[name][rows].all()
        self.reads.append((name, list(rows)))
        return self.values[name][rows]

    def data_hash(self, name):
        return hash_text(self.values[name].tobytes(), self.presence[name].tobytes())

    def rows_read(self, name):
        return [row for one, rows in self.reads if one == name for row in rows]


class Mean(nn.Module):
    """Mean and spread over all pixels, times a weight."""

    def __init__(self, scale=1.0, bad=()):
        super().__init__()
        self.scale, self.out_features = scale, 2
        self.bad = list(bad)
        self.weight = nn.Parameter(torch.ones(2))

    def forward(self, x):
        flat = x.flatten(1).float()
        h = torch.stack([flat.mean(1), flat.std(1)], dim=1) * self.weight * self.scale
        for value in self.bad:
            h = torch.where(torch.isclose(flat[:, :1], torch.tensor(value)), torch.nan, h)
        return h

    def expected(self, values):
        flat = values.reshape(len(values), -1)
        return np.stack([flat.mean(1), flat.std(1, ddof=1)], axis=1) * self.scale
