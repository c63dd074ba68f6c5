"""Small spaces in which two or three modalities share a latent vector."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from astroclip_kit.settings import Hardware, Optimizer, Schedule, Training
from astroclip_kit.types import Batch, Modality


class Catalogue:
    """What a `FeatureSet` and a `Dataset` share."""

    def __init__(self, matrices, present=None, groups=None):
        self._matrices = {name: m if m.ndim == 3 else m[None] for name, m in matrices.items()}
        count = next(iter(self._matrices.values())).shape[1]
        self.object_ids = np.array([f"object-{i}" for i in range(count)])
        self.groups = self.object_ids if groups is None else np.asarray(groups)
        self.labels = {}
        self.manifest = {"name": "test"}
        self._present = {name: np.ones(count, bool) for name in matrices} | (present or {})
        self.modalities = {
            name: Modality(name, "table", tuple(f"c{i}" for i in range(m.shape[2])), (m.shape[2],))
            for name, m in self._matrices.items()
        }

    def present(self, name):
        return self._present[name]

    def data_hash(self, name):
        return f"{name}-1"


class Features(Catalogue):
    """What `align` uses of a `FeatureSet`."""

    def __init__(self, matrices, present=None, groups=None):
        super().__init__(matrices, present, groups)
        self.names = list(matrices)
        self.encoders = {name: {"class_path": "astroclip_kit.encoders.TabularMLP"} for name in matrices}

    def matrix(self, name, view=0):
        return self._matrices[name][view]

    def out_features(self, name):
        return self._matrices[name].shape[2]

    def views(self, name):
        return len(self._matrices[name])


class Samples(Catalogue):
    """What `align` uses of a `Dataset`: the same numbers as raw views."""

    def batch(self, rows):
        rows = np.asarray(rows)
        here = {name: np.flatnonzero(self._present[name][rows]) for name in self._matrices}
        views = {name: torch.from_numpy(self._matrices[name][0][rows[here[name]]]) for name in here}
        index = {name: torch.from_numpy(here[name]) for name in here}
        return Batch(self.object_ids[rows].tolist(), self.groups[rows].tolist(), views, index)


def correlated(count=240, widths=None, seed=0, latent=4, noise=0.05):
    """Matrices [count, width] that are different linear maps of one latent vector, far from standardised."""
    generator = np.random.default_rng(seed)
    z = generator.normal(size=(count, latent))
    matrices = {}
    for name, width in (widths or {"image": 12, "spectrum": 9}).items():
        mixed = z @ generator.normal(size=(latent, width)) + noise * generator.normal(size=(count, width))
        matrices[name] = (50 * mixed + 300).astype(np.float32)
    return matrices


@pytest.fixture
def space():
    """The classes and functions above, for tests."""
    return SimpleNamespace(Features=Features, Samples=Samples, correlated=correlated)


@pytest.fixture
def quick():
    """A short training in float32 on the CPU."""
    hardware = Hardware(device="cpu", precision="float32")
    return Training(
        epochs=5, batch_size=64, optimizer=Optimizer(learning_rate=2e-2), schedule=Schedule(), hardware=hardware
    )
