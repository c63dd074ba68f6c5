"""What is done before the first page."""

import numpy as np
import pytest
from odd_objects import odd_space

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import FolderError
from astroclip_kit.explorer import rehearsal
from astroclip_kit.explorer.rehearsal import rehearse
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space


@pytest.fixture
def watched(monkeypatch):
    """Sessions that the rehearsal began, and those that it ended."""
    sessions, ends = [], []

    class Watched(Session):
        def __init__(self, space, **settings):
            super().__init__(space, **settings)
            sessions.append(self)

        def close(self):
            super().close()
            ends.append(self)

    monkeypatch.setattr(rehearsal, "Session", Watched)
    return sessions, ends


def test_the_first_object_has_been_looked_at_on_a_page_that_is_gone(tmp_path, watched):
    rehearse(odd_space(tmp_path))
    sessions, ends = watched
    assert sessions == ends and sessions[0].focus == 0
    assert sessions[0].selection.any()
    assert not sessions[0].space._sessions, "who saves a column does not wait for it"


def test_it_ends_with_the_step_that_it_is_at_where_the_server_is_closed(tmp_path, watched, monkeypatch):
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(3)}, ["a", "b", "c"])
    composed, (sessions, ends) = [], watched
    monkeypatch.setattr(rehearsal, "prepare", lambda space: iter([None]))
    monkeypatch.setattr(rehearsal, "compose", composed.append)
    for steps, (is_begun, is_composed, is_looked_at) in enumerate(
        [(0, 0, 0), (0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1)]
    ):
        asked = iter([False] * steps + [True])
        rehearse(Space(store), lambda asked=asked: next(asked))
        assert len(sessions) == is_begun and sessions == ends and next(asked, "all were") == "all were"
        assert composed == sessions[:is_composed] and [one.focus for one in sessions] == [is_looked_at - 1] * is_begun
        for done in (sessions, ends, composed):
            done.clear()


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


def test_a_store_that_is_damaged_or_gone_is_no_error_of_its_thread(tmp_path, monkeypatch):
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(3)}, ["a", "b", "c"], labels={"z": np.arange(3)})
    space, prepared = Space(store), []
    monkeypatch.setattr(rehearsal, "prepare", lambda space: iter([prepared.append(space)]))
    (store.root / "catalog.parquet").unlink()
    with pytest.raises(FolderError, match=r"catalog\.parquet is damaged"):
        Session(space)
    rehearse(space)
    assert prepared == [space]
