"""The map of a hundred objects in rows of ten."""

import numpy as np
import pytest
from lattice import HOSTILE, N

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.map.panel import map_panel
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space


@pytest.fixture
def store(tmp_path):
    labels = {
        "x": np.arange(N) % 10,
        "y": np.arange(N) // 10,
        "z": np.where(np.arange(N) < 7, np.nan, np.linspace(0, 1, N)),
        "kind": np.array(["A", "B", HOSTILE, ""])[np.arange(N) % 4],
    }
    vectors = {"image": np.random.default_rng(0).normal(size=(N, 4))}
    return EmbeddingStore.write(
        tmp_path / "space", vectors, [f"o{i}" for i in range(N)], labels=labels, values={"units": {"z": "Mpc"}}
    )


@pytest.fixture
def session(store):
    session = Session(Space(store))
    session.change(plane="x|y")
    return session


@pytest.fixture
def panel(session):
    return map_panel(session)


@pytest.fixture
def waiting(session, panel, monkeypatch):
    """Work that is under way: what finishes the first of it when it is called."""
    jobs = []
    monkeypatch.setattr(session, "work", lambda job, then, title="", lane="": jobs.append((job, then)))

    def finish(number=0):
        job, then = jobs.pop(number)
        session.guarded(lambda: then(job()))

    finish.jobs = jobs
    return finish
