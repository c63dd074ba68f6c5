import numpy as np
import pytest
from bokeh.document import Document

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space
from astroclip_kit.explorer.transfer import downloads, upload_button


@pytest.fixture
def session(tmp_path):
    return Session(Space(EmbeddingStore.write(tmp_path / "two", {"image": np.eye(2)}, ["a", "b"])))


def source_of(button):
    """What a button's script writes to."""
    [script] = button.js_event_callbacks["button_click"]
    return script.args["source"]


def test_a_file_that_is_offered_goes_to_the_browser_once(session):
    source, sent = downloads(session), []
    source.on_change("data", lambda attribute, old, new: sent.append(dict(new)))
    session.offer("a.csv", b"\x00\xffid\n")
    assert sent[0]["a.csv"].dtype == np.uint8 and sent[0]["a.csv"].tobytes() == b"\x00\xffid\n"
    assert sent[1:] == [{}] and session.offered == ("", b"")  # nothing of it is kept


def test_a_file_that_arrives_is_taken_again_and_again(session):
    taken = []
    button = upload_button(session, "Open", lambda name, content: taken.append((name, content)), name="open-file")
    for _ in range(2):
        source_of(button).data = {"a b.fits": np.array([83, 73, 0, 255], np.uint8)}
    assert taken == [("a b.fits", b"SI\x00\xff")] * 2 and source_of(button).data == {}


def test_a_file_that_cannot_be_used_is_said(session):
    def refuse(name, content):
        raise InputError(f"{name}: expected a table, found <script>.")

    source_of(upload_button(session, "Open", refuse)).data = {"a.csv": np.zeros(3, np.uint8)}
    assert session.said == ("a.csv: expected a table, found <script>.", "error")


def test_a_file_that_is_too_large_is_refused_by_the_browser_and_by_the_server(session):
    taken = []
    source = source_of(upload_button(session, "Open", lambda *file: taken.append(file), largest=2_000_000))
    refused = "big.fits has 2,147 MB, expected up to 2 MB. Cut out what is asked about."
    source.tags = ["big.fits", 2**31, 1]  # what the script says instead of sending it
    assert session.said == (refused, "error")
    source.data = {"large.fits": np.zeros(2_500_000, np.uint8)}
    assert session.said[0].startswith("large.fits has 2.5 MB, expected up to 2 MB") and taken == []


def test_the_page_has_an_input_for_each_button(tmp_path, session):
    page = Session(session.space, Document())
    button = upload_button(page, "Open", print, accept=".csv,.vot", name="open-file")
    [script] = page.document.callbacks._js_event_callbacks["document_ready"]
    assert script.args["id"] == "open-file" and script.args["button"] is button and script.args["accept"] == ".csv,.vot"
