"""Small spectra with redshifts, as a pretraining asks for them."""

import copy

import numpy as np
import pytest

from astroclip_kit.data import splits
from astroclip_kit.settings import Split
from astroclip_kit.types import Modality

WAVELENGTH = np.geomspace(4000.0, 8000.0, 240)


class Bumps:
    """What a pretraining uses of a `Dataset`: two lines on a slope, at many redshifts; some pixels are not observed."""

    def __init__(self, count=160, seed=0):
        generator = np.random.default_rng(seed)
        self.wavelength = WAVELENGTH
        self.z, self.strength = generator.uniform(0, 0.4, count), generator.uniform(0, 3, count)
        rest = WAVELENGTH / (1 + self.z[:, None])
        lines = np.exp(-0.5 * ((rest - 4500) / 60) ** 2) + np.exp(-0.5 * ((rest - 5600) / 60) ** 2)
        flux = 3 + self.strength[:, None] * lines - rest / 4000 + 0.1 * generator.normal(size=rest.shape)
        ivar = np.full_like(flux, 100.0)
        ivar[:, 100:110] = 0.0
        self.spectra = np.stack([flux, ivar], axis=1).astype(np.float32)
        self.object_ids = self.groups = np.array([f"galaxy-{number}" for number in range(count)])
        self.labels = {"z": self.z.copy(), "kind": np.full(count, "galaxy")}
        self.modalities = {"spectrum": Modality.spectrum("spectrum", WAVELENGTH)}
        self.asked = set()

    def changed(self, flux):
        """The same with another flux where nothing was observed."""
        other = copy.deepcopy(self)
        other.spectra[:, 0, 100:110] = flux
        return other

    def asked_in_training(self):
        """Rows that were asked for and belong to the training side."""
        return {row for row in self.asked if self.side(row) == "train"}

    def side(self, row):
        """On which side of the default split a row is."""
        return splits.assign(self.groups, Split())[row]

    def present(self, name):
        return np.ones(len(self.spectra), dtype=bool)

    def data_hash(self, name):
        return "bumps-1"

    def views(self, name, rows):
        self.asked |= set(np.asarray(rows).tolist())
        return self.spectra[rows]


@pytest.fixture(scope="session")
def make_bumps():
    return Bumps


@pytest.fixture
def bumps():
    return Bumps()
