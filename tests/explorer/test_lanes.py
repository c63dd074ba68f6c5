"""Work of a page in lanes, and two pages of one space."""

import gc
import threading
import weakref
from queue import Empty, SimpleQueue

import numpy as np
import pytest
from bokeh.document import Document

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.exchange.saving import save_in_store
from astroclip_kit.explorer.server import serve
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space

N = 10
PATIENCE = 180


class Page:
    """A document, as far as a session asks for one: what is to be done in its turn waits until it is told to."""

    def __init__(self):
        self.ticks = SimpleQueue()
        self.add_next_tick_callback = self.ticks.put

    def turn(self):
        self.ticks.get(timeout=PATIENCE)()

    def is_idle(self):
        try:
            self.ticks.put(self.ticks.get(timeout=0.05))
        except Empty:
            return True
        return False


@pytest.fixture
def space(tmp_path):
    labels = {"z": np.arange(N) / 10}
    return Space(
        EmbeddingStore.write(tmp_path / "space", {"image": np.eye(N)}, list(map(str, range(N))), labels=labels)
    )


@pytest.fixture
def pages(space):
    pages = Page(), Page()
    sessions = [Session(space, page) for page in pages]
    yield list(zip(sessions, pages, strict=True))
    for session in sessions:
        session.close()


def workers(name):
    return [one for one in threading.enumerate() if one.name == f"explorer {name}"]


def test_work_of_a_lane_is_done_in_order_by_one_thread(pages):
    (session, page), done, threads = pages[0], [], set()
    for number in range(50):
        session.work(lambda: threads.add(threading.current_thread()), lambda _, n=number: done.append(n), lane="order")
    for _ in range(50):
        page.turn()
    assert done == list(range(50)) and len(threads) == 1 and threads.pop().daemon


def test_a_lane_waits_for_no_other(pages):
    (session, page), held, done = pages[0], threading.Event(), []
    session.work(lambda: held.wait(PATIENCE), lambda _: done.append("saved"), "writing", lane="save")
    session.work(lambda: None, lambda _: done.append("found"), lane="neighbours")
    page.turn()
    assert done == ["found"] and session.said[0] == "writing …"
    held.set()
    page.turn()
    assert done == ["found", "saved"] and session.said[0] == ""


def test_work_names_its_lane(pages):
    with pytest.raises(TypeError, match="lane"):
        pages[0][0].work(lambda: None, lambda _: None)


def test_a_closed_page_does_no_more_work_and_leaves_no_thread(pages):
    (session, page), held, begun, done = pages[0], threading.Event(), threading.Event(), []
    session.work(lambda: begun.set() or held.wait(PATIENCE), done.append, lane="closing")
    session.work(lambda: done.append("next"), done.append, lane="closing")
    [worker] = workers("closing")
    assert begun.wait(PATIENCE)
    session.close()
    held.set()
    worker.join(PATIENCE)
    session.work(lambda: done.append("late"), done.append, lane="closing")
    assert not worker.is_alive() and not workers("closing") and done == [] and page.is_idle()


def test_work_for_a_page_that_was_taken_apart_is_dropped(space):
    session, begun, held = Session(space, Document()), threading.Event(), threading.Event()
    session.work(lambda: begun.set() or held.wait(PATIENCE), lambda _: None, lane="gone")
    assert begun.wait(PATIENCE)
    session.document.callbacks.destroy()  # as Bokeh does before it tells that the page has ended
    space.refresh()  # which tells every page
    held.set()
    done = threading.Event()
    session.work(done.set, lambda _: None, lane="gone")
    assert done.wait(PATIENCE) and workers("gone")  # the thread went on
    session.close()


def test_what_one_page_saves_every_page_is_told(pages):
    (one, page), (other, beside) = pages
    told = []
    for number, session in enumerate((one, other)):
        session.on(
            "columns", call=lambda number=number, session=session: told.append((number, "mine" in session.columns))
        )
    one.select(np.arange(N) < 3)
    save_in_store(one, "mine")
    beside.turn()
    assert told == [(1, True)]
    page.turn()
    page.turn()
    assert told == [(1, True), (0, True)] and one.said[0].startswith("mine: 3 objects") and beside.is_idle()


def test_what_a_page_saves_that_is_closed_meanwhile_the_others_are_told(pages, monkeypatch):
    (one, _), (other, beside) = pages
    begun, held, saved = threading.Event(), threading.Event(), EmbeddingStore.save_column

    def slow(*given, **named):
        begun.set()
        assert held.wait(PATIENCE)
        return saved(*given, **named)

    monkeypatch.setattr(EmbeddingStore, "save_column", slow)
    one.select(np.arange(N) < 3)
    save_in_store(one, "mine")
    assert begun.wait(PATIENCE)
    one.close()
    held.set()
    beside.turn()
    assert "mine" in other.columns


def test_a_space_holds_no_page_and_a_closed_server_no_space(space, monkeypatch):
    monkeypatch.setattr("astroclip_kit.explorer.server.rehearse", lambda *given: None)
    gone = weakref.ref(Session(space))
    gc.collect()
    assert gone() is None
    server = space.store.explore()
    seen, root = weakref.ref(server.space), space.store.root
    server.close()
    del server
    gc.collect()
    assert seen() is None and root.is_dir()


def test_a_server_that_is_closed_waits_for_no_work(space, monkeypatch):
    monkeypatch.setattr("astroclip_kit.explorer.server.rehearse", lambda *given: None)
    server, begun, held = serve(space, open_browser=False), threading.Event(), threading.Event()
    session = Session(space, Page())
    session.work(lambda: begun.set() or held.wait(PATIENCE), lambda _: None, lane="long")
    assert begun.wait(PATIENCE)
    session.close()
    server.close()
    assert not server.is_open and workers("long")
    held.set()


def test_what_is_kept_is_forgotten_with_the_columns_alone(space):
    made, session = [], Session(space)
    for _ in range(2):
        assert space.kept.get("key", lambda: made.append(1) or len(made)) == 1
    session.tell("columns")
    assert space.kept.get("key", lambda: 2) == 1
    space.refresh()
    assert space.kept.get("key", lambda: 2) == 2
