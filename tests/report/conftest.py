import sys
from pathlib import Path

import numpy as np
import pytest

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.types import Modality

sys.path.insert(0, str(Path(__file__).parent))  # for figure_calls.py and figure_audit.py

N = 60
Z = np.linspace(0.01, 0.6, N)
IDS = np.array([f"gal{i:02d}" for i in range(N)])


class Survey:
    """What a figure needs of a Dataset: one modality of every kind."""

    root = "survey"
    object_ids = groups = IDS
    modalities = {  # noqa: RUF012
        "image": Modality("image", "image", ("g", "r", "z"), (3, 16, 16), "nmgy", (0.262,)),
        "f814w": Modality("f814w", "image", ("f814w",), (1, 16, 16), "count"),
        "spectrum": Modality(
            "spectrum", "spectrum", ("flux", "ivar"), (2, 50), "1e-17 erg", tuple(range(4000, 4500, 10))
        ),
        "lightcurve": Modality(
            "lightcurve", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mag", (), ("g",)
        ),
        "table": Modality("table", "table", tuple("ugrizabcd"), (9,), "mag"),
    }

    def present(self, name):
        return np.arange(N) % 2 == 0 if name == "lightcurve" else np.ones(N, bool)

    def views(self, name, rows):
        return np.stack([self.view(name, row) for row in rows])

    def view(self, name, row):
        rng = np.random.default_rng(int(row))
        modality = self.modalities[name]
        if modality.kind == "lightcurve":
            view = np.column_stack([np.arange(5) + 58000.0, rng.normal(size=5), np.full(5, np.nan), np.zeros(5)])
            return np.vstack([view, np.full((2, 4), np.nan)]).astype(np.float32)
        view = rng.uniform(0.1, 1, size=modality.shape)
        if name == "spectrum":
            view[1, 10:20] = 0
        if name == "table":
            view[2] = np.nan
        return view.astype(np.float32)


@pytest.fixture(scope="session")
def make_survey():
    return Survey


@pytest.fixture
def survey(make_survey):
    return make_survey()


@pytest.fixture(scope="session")
def space(tmp_path_factory):
    rng = np.random.default_rng(0)
    z = np.stack([np.cos(4 * Z), np.sin(4 * Z)], 1)
    vectors = {"image": z + 0.1 * rng.normal(size=z.shape), "spectrum": z + 0.05 * rng.normal(size=z.shape)}
    labels = {"z": Z, "class": np.where(Z < 0.3, "GALAXY", "QSO")}
    split = np.where(np.arange(N) % 3, "train", "test")
    values = {"dataset": "ring <1>", "origin": "mock", "units": {"z": "km/s"}}
    root = tmp_path_factory.mktemp("report") / "space"
    return EmbeddingStore.write(root, vectors, IDS, catalog={"split": split}, labels=labels, values=values)
