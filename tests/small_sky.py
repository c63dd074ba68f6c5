"""A small space whose ids, columns and classes are as awkward as they come."""

import numpy as np

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space

N = 60
IMG, SCRIPT = '"><img src=x onerror="window.hacked=1">', "<script>window.hacked=1</script>"
RA, DEC = np.linspace(10, 350, N), np.linspace(-60, 60, N)


def small_store(root, placed=True):
    """60 objects "obj-0" ... "obj-58" and a hostile id, with and without coordinates."""
    rng = np.random.default_rng(0)
    rows = np.arange(N)
    z = np.where(rows == 4, np.nan, np.linspace(0.0, 0.59, N))
    labels = {
        "z": z,
        "2mass j": 10 + rows / 10,
        "class": np.where(rows % 3 == 0, "QSO", np.where(rows % 3 == 1, 'Barnard\'s "star"', "")),
        "name": [f"NGC {row}" for row in range(N)],
        "tic": rows + 1000.0,
        IMG: rows / N,
        "empty": np.full(N, np.nan),
        "blank": np.full(N, ""),
        SCRIPT: [f"{SCRIPT}{row % 20}" for row in range(N)],
    }
    catalog = {"group": [f"star-{row // 2}" for row in range(N)]}
    if placed:
        catalog |= {"ra": np.where(rows == 7, np.nan, RA), "dec": np.where(rows == 7, np.nan, DEC)}
    vectors = {"image": rng.normal(size=(N, 8)), "spectrum": rng.normal(size=(N, 8))}
    present = {"spectrum": rows < 20}
    ids = [f"obj-{row}" for row in range(N - 1)] + [IMG]
    return EmbeddingStore.write(root, vectors, ids, present=present, catalog=catalog, labels=labels)


def small_session(root, placed=True):
    """A page without a browser that shows it."""
    return Session(Space(small_store(root, placed)))


def named(layout, name):
    """The model of a name."""
    return layout.select_one({"name": name})
