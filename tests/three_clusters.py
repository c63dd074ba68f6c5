"""A store of three clusters of 60, 40 and 20 objects, whose labels tell them apart."""

import numpy as np

from astroclip_kit.embeddings import EmbeddingStore

SIZES = (60, 40, 20)
TRUE = np.repeat([0, 1, 2], SIZES)
HOSTILE = "<img src=x onerror=alert(1)>"


def made(folder, labels=True, spread=0.05):
    rng = np.random.default_rng(0)
    z = np.eye(4)[TRUE] + spread * rng.normal(size=(len(TRUE), 4))
    mixed = rng.permutation(len(TRUE))
    known = {"mass": TRUE + rng.normal(size=len(TRUE)), "kind": np.array([HOSTILE, "b", ""])[TRUE]} if labels else {}
    return EmbeddingStore.write(
        folder / "space",
        {"image": z[mixed], "spectrum": z[mixed]},
        [f"o{i}" for i in range(len(TRUE))],
        present={"image": np.arange(len(TRUE)) >= 2},
        labels={name: values[mixed] for name, values in known.items()},
        values={"origin": "mock", "units": {"mass": "solMass"}, "truth": TRUE[mixed].tolist()},
    )


def truth(store):
    return np.array(store.manifest["truth"])
