"""A handful of objects of every kind of modality, called and labelled as if somebody meant harm."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import astroclip_kit as ak
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.space import Space
from astroclip_kit.types import Modality, Sample

HOSTILE = '<script>alert("x")</script>'
WAVELENGTH = np.linspace(4000, 9000, 3000)
PERIOD = 2.5  # days
COUNT = 6


def image(number):
    """A source in the middle of noise; brighter in the redder bands."""
    y, x = np.mgrid[-16:16, -16:16]
    source = np.exp(-(x**2 + y**2) / 20)
    noise = np.random.default_rng(number).standard_normal((3, 32, 32))
    return (source * np.array([1, 2, 4])[:, None, None] + 0.02 * noise).astype(np.float32)


def spectrum(number):
    """H alpha at a redshift of 0.1 on a continuum, with a gap."""
    flux = 1 + 5 * np.exp(-(((WAVELENGTH - 6564.61 * 1.1) / 8) ** 2))
    ivar = np.full(len(flux), 25.0)
    ivar[1000:1100] = 0
    return np.stack([flux, ivar]).astype(np.float32)


def light_curve(number):
    """A sine in two bands, with upper limits in the second and an error that is not given."""
    time = np.sort(np.random.default_rng(number).uniform(0, 40, 60))
    band = np.arange(60) % 3
    value = 15 + np.sin(2 * np.pi * time / PERIOD) + band
    error = np.where(np.arange(60) == 7, np.nan, 0.05)
    return np.stack([time, value, error, band], axis=1).astype(np.float32)


def table(number):
    """Two numbers, one of them missing."""
    return np.array([1.5 + number, np.nan], dtype=np.float32)


MAKERS = {"image": image, "spectrum": spectrum, "lightcurve": light_curve, "table": table}
IDS = [HOSTILE, *(f"o{number}" for number in range(1, COUNT))]
MODALITIES = {
    "image": Modality("image", "image", ("g", "r", "z"), (3, 32, 32), "nmgy", (0.5,)),
    "spectrum": Modality.spectrum("spectrum", WAVELENGTH, "1e-17 erg / (Angstrom s cm2)"),
    "lightcurve": Modality(
        "lightcurve", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mag", (), ("g", "r", "r_limit")
    ),
    "table": Modality("table", "table", (HOSTILE, "nothing"), (2,)),
}


@dataclass
class Given:
    """Reads one file, which counts the objects that have the modality."""

    root: Path
    modality: Modality

    def files(self):
        return [self.root / f"{self.modality.name}.txt"]

    def read(self, path):
        for number in range(int(path.read_text())):
            yield Sample(IDS[number], {self.modality.name: MAKERS[self.modality.name](number)}, 10.0 + number, -5.0)


def odd_space(root):
    """`COUNT` objects, of which the last has none but an image, and a store of them with labels.

    Args:
        root: An empty folder.
    """
    for name in MAKERS:
        (root / f"{name}.txt").write_text(str(COUNT if name == "image" else COUNT - 1))
    data = ak.ingest(root / "data", sources={name: Given(root, one) for name, one in MODALITIES.items()})
    number = np.arange(COUNT)
    labels = {
        "z": np.where(number == 2, np.nan, 0.1),
        "period": np.where(number == 1, np.nan, PERIOD),
        "class": ["<img onerror=alert(1)>"] * COUNT,
        HOSTILE: number.astype(float),
    }
    present = {name: number < COUNT - (name != "image") for name in MAKERS}
    noise = np.random.default_rng(0).standard_normal((COUNT, 8))
    vectors = {name: noise * here[:, None] for name, here in present.items()}
    store = EmbeddingStore.write(
        root / "embeddings",
        vectors,
        IDS,
        present=present,
        catalog={"ra": np.where(number == 1, np.nan, 10.0), "dec": np.where(number == 1, np.nan, -5.0)},
        labels=labels,
        values={"units": {HOSTILE: "km / s"}},
    )
    return Space(store, data)
