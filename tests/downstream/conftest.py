"""A space whose vectors know a redshift and an angle, twice visited, and a way to make others."""

import numpy as np
import pytest

from astroclip_kit.embeddings import EmbeddingStore


class Sky:
    """Truth of N objects with two visits each, and their vectors in a space that two modalities share."""

    def __init__(self, count=600, seed=0):
        rng = np.random.default_rng(seed)
        self.count = 2 * count
        self.z, self.angle = (np.repeat(rng.uniform(*ends, count), 2) for ends in ((0.01, 1), (0, 180)))
        self.kind = np.where(self.z < 0.4, "GALAXY", np.where(self.z < 0.8, "QSO", "STAR"))
        self.object_ids = np.array([f"o{i}" for i in range(self.count)])
        self.groups = np.array([f"g{i // 2}" for i in range(self.count)])
        side = np.repeat(np.arange(count) % 10, 2)
        self.split = np.where(side < 6, "train", np.where(side < 8, "valid", "test"))
        self.visit = np.random.default_rng(seed + 1).normal(size=(self.count, 8))

    def vectors(self, noise, seed):
        around = np.radians(2 * self.angle)
        known = [np.cos(2 * self.z), np.sin(2 * self.z), np.cos(around), np.sin(around)]
        known += [np.zeros(self.count)] * 4
        return np.stack(known, 1) + noise * np.random.default_rng(seed).normal(size=(self.count, 8))

    def write(self, root, **labels):
        labels = {"z": self.z, "angle_deg": self.angle, "class": self.kind, **labels}
        catalog = {"group": self.groups, "split": self.split, "ra": self.angle, "dec": self.z}
        vectors = {"image": self.vectors(0.2, seed=2), "spectrum": self.vectors(0.1, seed=3)}
        values = {"dataset": "sky", "origin": "mock", "seed": 4}
        return EmbeddingStore.write(root, vectors, self.object_ids, catalog=catalog, labels=labels, values=values)


@pytest.fixture(scope="session")
def sky():
    return Sky()


@pytest.fixture(scope="session")
def sky_store(sky, tmp_path_factory):
    quality = (np.arange(sky.count) % 5 == 0).astype(float)
    return sky.write(tmp_path_factory.mktemp("sky") / "space", zwarning=quality)
