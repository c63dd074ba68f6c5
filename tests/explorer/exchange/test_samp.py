"""A page among other programs: astropy's hub, and a second client in place of TOPCAT."""

import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from bokeh.document import Document
from odd_objects import COUNT, HOSTILE, odd_space

from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.explorer.exchange import samp
from astroclip_kit.explorer.exchange.samp import SampLink
from astroclip_kit.explorer.exchange.samp_hub import joined, samp_library
from astroclip_kit.explorer.overlays.panel import overlay_panel
from astroclip_kit.explorer.session import Session

HEARD = ("table.load.votable", "image.load.fits", "table.select.rowList", "table.highlight.row", "coord.pointAt.sky")
LAST = COUNT - 1


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """Where a hub of this test says how it is reached; there is none yet."""
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'samp').as_uri()}")
    return tmp_path / "samp"


@pytest.fixture
def hub(lock):
    server = samp_library().SAMPHubServer(web_profile=False, addr="127.0.0.1")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def peer(hub):
    """Another program; `peer.heard` is what it was sent."""
    client = joined("TOPCAT <b>", "a table viewer")
    client.heard = []
    for mtype in HEARD:
        client.bind_receive_message(
            mtype, lambda key, sender, message, mtype, about, more: client.heard.append((mtype, about))
        )
    yield client
    if hub.is_running:
        client.disconnect()


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return odd_space(tmp_path_factory.mktemp("odd"))


@pytest.fixture
def session(space):
    return Session(space)


@pytest.fixture
def link(session, peer):
    made = SampLink(session)
    made.connect()
    yield made
    made.disconnect()


def asked(peer, link, mtype, **about):
    """What the page answers. Not by callAndWait: astropy's hub forgets an answer that is faster than its own notes."""
    answers, tag = [], f"asked-{mtype}"
    peer.bind_receive_response(tag, lambda key, sender, tag, answer: answers.append(answer))
    peer.ecall(link._client.get_public_id(), tag, mtype, **about)
    return wait(lambda: answers)[0]


def flags(*rows):
    return np.isin(np.arange(COUNT), rows)


def wait(condition):
    end = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain for a message"
        time.sleep(0.01)
    return found


def heard(peer, mtype):
    """Waits for a message and gives what it says."""
    return wait(lambda: [about for one, about in peer.heard if one == mtype])[-1]


def test_without_a_hub_it_is_said_how_to_have_one(lock, session):
    link = SampLink(session)
    with pytest.raises(UsageError, match=r"no SAMP hub is running.* TOPCAT or Aladin, which bring one, or start a hub"):
        link.connect()
    assert not link.is_connected and link.programs() == {}
    session.select(flags(1))
    with pytest.raises(UsageError, match=r"there is no connection to SAMP\. Connect first"):
        link.send_selection()


def test_other_programs_are_listed_by_name_and_nobody_else(link, peer, hub):
    assert link.programs() == {peer.get_public_id(): "TOPCAT <b>"}
    assert "client.env.get" not in peer.get_subscriptions(link._client.get_public_id())


def test_a_selection_goes_out_as_a_table_with_its_rows(link, session, peer):
    session.select(flags(0, 2, LAST))
    link.send_selection(peer.get_public_id())
    about = heard(peer, "table.load.votable")
    assert about["url"].startswith("file:///") and about["name"] == "embeddings (3 objects)"
    table = Table.read(urlsplit(about["url"]).path)
    assert table["object_id"].tolist() == [HOSTILE, "o2", f"o{LAST}"] and table["ra"].unit == "deg"
    assert session.said == ("3 objects were sent to TOPCAT <b>.", "note")


def test_who_took_a_table_and_who_could_not_is_said(link, session, peer, monkeypatch):
    answers = [{"samp.status": "samp.ok", "samp.result": {}}]
    peer.bind_receive_call(
        "table.load.votable", lambda key, sender, message, *rest: peer.reply(message, answers.pop(0))
    )
    session.select(flags(0, 2))
    link.send_selection()
    wait(lambda: session.said == ("2 objects were sent to all programs that take it. TOPCAT <b> has it.", "note"))
    answers.append({"samp.status": "samp.error", "samp.error": {"samp.errortxt": "no memory"}})
    link.send_selection(peer.get_public_id())
    wait(lambda: session.said == ("TOPCAT <b> could not take what was sent (no memory).", "error"))


def test_where_nobody_takes_it_nothing_is_said_to_be_sent(lock, hub, session):
    link = SampLink(session)
    link.connect()
    session.select(flags(0, 2))
    link.send_selection()
    assert session.said[1] == "error" and "no program is there that takes it. Open TOPCAT" in session.said[0]
    link.disconnect()


def test_ds9_reads_no_table_of_binary_rows_which_is_said(link, session, peer, monkeypatch):
    monkeypatch.setattr(samp, "MOST_TEXT", 2)
    session.select(flags(0, 2, 3))
    link.send_selection()
    assert "DS9" not in session.said[0]
    peer.declare_metadata({"samp.name": "SAOImageDS9"})
    link.send_selection()
    assert session.said[0].endswith("DS9 reads tables of up to 10,000 rows, and shows this one empty.")


def test_what_is_looked_at_and_selected_here_is_shown_there(link, session, peer):
    session.select(flags(0, 2, LAST))
    link.send_selection()
    name = heard(peer, "table.load.votable")["table-id"]
    session.look_at(2)
    assert heard(peer, "table.highlight.row") == {"table-id": name, "row": "1"}
    assert heard(peer, "coord.pointAt.sky") == {"ra": "10.0", "dec": "-5.0"}
    session.select(flags(1, 2, LAST))
    assert heard(peer, "table.select.rowList") == {"table-id": name, "row-list": ["1", "2"]}
    session.select(None)
    wait(lambda: ("table.select.rowList", {"table-id": name, "row-list": []}) in peer.heard)
    peer.heard.clear()
    session.look_at(1)  # not in the table, and nobody knows where it is
    session.look_at(-1)
    session.look_at(LAST)
    heard(peer, "coord.pointAt.sky")
    assert [mtype for mtype, _ in peer.heard].count("table.highlight.row") == 1


def test_what_is_selected_and_highlighted_there_is_shown_here_and_not_told_back(link, session, peer):
    session.select(flags(0, 2, LAST))
    link.send_selection()
    name = heard(peer, "table.load.votable")["table-id"]
    peer.heard.clear()
    peer.enotify_all("table.select.rowList", **{"table-id": name, "row-list": ["0", "2", "77"]})
    wait(lambda: session.selection.sum() == 2)
    assert np.flatnonzero(session.selection).tolist() == [0, LAST]
    answer = asked(peer, link, "table.highlight.row", **{"table-id": name, "row": "1"})
    assert answer["samp.status"] == "samp.ok" and session.state.focus == "o2"
    url = Path(link._folder.name, f"{name}.vot").as_uri()
    peer.enotify_all("table.highlight.row", **{"url": url, "row": "0"})
    wait(lambda: session.state.focus == HOSTILE)
    assert peer.heard == []


def test_that_it_is_connected_is_said_in_place_of_what_failed_before(lock, session):
    session.say("no SAMP hub is running.", "error")
    server = samp_library().SAMPHubServer(web_profile=False, addr="127.0.0.1")
    server.start()
    made = SampLink(session)
    made.connect()
    assert session.said == ("Connected to SAMP.", "note")
    made.disconnect()
    server.stop()


@pytest.mark.parametrize("row", ["abc", "", [], "1.5"])
def test_a_row_that_is_no_number_is_refused_in_a_sentence(link, session, row):
    message = "another program named the row .* by SAMP, expected a whole number"
    with pytest.raises(InputError, match=message):
        link._highlight({"table-id": "mine", "row": row})
    with pytest.raises(InputError, match=message):
        link._select({"table-id": "mine", "row-list": ["0", row]})


def test_rows_that_are_no_list_are_refused_and_those_beyond_any_table_left_out(link, session):
    link._tables["mine"] = np.array([0, 2])
    with pytest.raises(InputError, match="another program named the rows '12' by SAMP, expected a list"):
        link._select({"table-id": "mine", "row-list": "12"})
    link._select({"table-id": "mine", "row-list": ["1", "9" * 30, "-1"]})
    assert np.flatnonzero(session.selection).tolist() == [2]


def test_rows_of_other_tables_change_nothing(link, session, peer):
    session.select(flags(0, 2))
    link.send_selection()
    heard(peer, "table.load.votable")
    for about in (
        {"table-id": "theirs", "row": "1"},
        {"table-id": heard(peer, "table.load.votable")["table-id"], "row": "9"},
    ):
        asked(peer, link, "table.highlight.row", **about)
    asked(peer, link, "table.select.rowList", **{"table-id": "theirs", "row-list": ["1"]})
    assert session.focus == -1 and np.flatnonzero(session.selection).tolist() == [0, 2]


def test_a_cutout_goes_out_as_fits(link, session, peer):
    with pytest.raises(UsageError, match=r"no object is looked at\. Click one"):
        link.send_cutout("image")
    session.look_at(2)
    link.send_cutout("image")
    about = heard(peer, "image.load.fits")
    assert about["name"] == "o2" and fits.getdata(urlsplit(about["url"]).path).shape == (3, 32, 32)


def test_nothing_selected_is_not_sent_and_too_many_rows_are_not_told(link, session, peer, monkeypatch):
    with pytest.raises(UsageError, match="nothing is selected to send"):
        link.send_selection()
    session.select(flags(0, 1, 2, 3))
    link.send_selection()
    monkeypatch.setattr(samp, "MOST_ROWS", 2)
    session.select(flags(0, 1, 2))
    assert "Other programs are told of up to 2 rows" in session.said[0]


def test_a_table_of_another_program_is_drawn_over_the_map(link, session, peer, tmp_path):
    overlay = overlay_panel(session)
    table = tmp_path / "their table.vot"
    Table({"name": [HOSTILE, "o2", "nobody"], "mag": [17.0, 18, 19]}).write(table, format="votable")
    answer = asked(peer, link, "table.load.votable", url=table.as_uri(), name="mine <b>")
    assert answer["samp.status"] == "samp.ok"
    assert [rows.tolist() for rows in session.marks.values()] == [[0, 2]]
    assert overlay.select_one({"name": "overlay-choice"}).options[0][1] == "mine <b>.vot"


def test_a_table_that_cannot_be_had_is_refused_in_a_sentence(link, session, peer):
    answer = asked(peer, link, "table.load.fits", url="http://example.org/t.fits")
    assert answer["samp.status"] == "samp.error" and "of this machine" in answer["samp.error"]["samp.errortxt"]
    assert session.said[1] == "error" and "expected a file or a server of this machine" in session.said[0]


@pytest.mark.parametrize("url", ["http://[", "file:///x%00"])
def test_who_sends_an_address_that_makes_no_sense_is_answered(link, session, peer, url):
    answer = asked(peer, link, "table.load.votable", url=url)
    assert answer["samp.status"] == "samp.error" and "cannot be read" in answer["samp.error"]["samp.errortxt"]
    assert session.said[1] == "error" and "cannot be read from" in session.said[0]


def test_who_sends_what_nobody_foresaw_is_answered(link, session, peer, monkeypatch, caplog):
    session.document = Document()
    monkeypatch.setattr(samp, "fetched", lambda mtype, about: 1 / 0)
    answer = asked(peer, link, "table.load.votable", url="file:///t")
    assert answer["samp.status"] == "samp.error" and "division by zero" in answer["samp.error"]["samp.errortxt"]


def test_the_end_of_the_page_leaves_the_hub_and_deletes_what_was_sent(link, session, peer):
    session.select(flags(0, 1))
    link.send_selection()
    path = Path(urlsplit(heard(peer, "table.load.votable")["url"]).path)
    assert path.is_file()
    session.close()
    assert not link.is_connected and not path.parent.exists()
    assert peer.get_registered_clients() == ["cli#hub"]
    link.disconnect()  # once more does no harm


def test_a_hub_that_ends_is_noticed(link, session, hub):
    hub.stop()
    wait(lambda: not link.is_connected)
    wait(lambda: "The SAMP hub has ended" in session.said[0])
    session.look_at(2)  # goes on alone
    assert session.state.focus == "o2"
