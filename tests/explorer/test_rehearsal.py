"""What is done before the first page."""

import numpy as np
from odd_objects import odd_space

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer import rehearsal
from astroclip_kit.explorer.rehearsal import rehearse
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space


def test_the_first_object_has_been_looked_at_on_a_page_that_is_gone(tmp_path, monkeypatch):
    space, sessions, ends = odd_space(tmp_path), [], []

    class Watched(Session):
        def __init__(self, space):
            super().__init__(space)
            sessions.append(self)

        def close(self):
            super().close()
            ends.append(self)

    monkeypatch.setattr(rehearsal, "Session", Watched)
    rehearse(space)
    assert sessions == ends and sessions[0].focus == 0
    assert sessions[0].selection.any()


def test_what_cannot_be_shown_or_is_large_is_left_to_the_page(tmp_path, monkeypatch):
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(3)}, ["a", "b", "c"])
    composed = []

    def compose(session):
        composed.append(session)
        raise OSError

    monkeypatch.setattr(rehearsal, "compose", compose)
    rehearse(Space(store))
    assert len(composed) == 1
    monkeypatch.setattr(rehearsal, "LARGEST", 2)
    rehearse(Space(store))
    assert len(composed) == 1
