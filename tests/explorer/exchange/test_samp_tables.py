"""Tables that another program sends by their address."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from small_sky import small_session

from astroclip_kit.errors import UsageError
from astroclip_kit.explorer.exchange import samp_tables
from astroclip_kit.explorer.exchange.samp_tables import fetched
from astroclip_kit.explorer.overlays.panel import overlay_panel


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/bad":
            self.wfile.write(b"no status at all\r\n\r\n")
            return
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "http://example.org/")
        else:
            self.send_response(200)
            if self.path == "/short":
                self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"<VOTABLE/>")

    def log_message(self, *args):
        """Says nothing."""


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_and_a_server_of_this_machine_are_read(tmp_path, server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")  # is not asked for what is here
    path = tmp_path / "a table.fits"
    path.write_bytes(b"SIMPLE")
    assert fetched("table.load.fits", {"url": path.as_uri()}) == ("a table.fits", b"SIMPLE")
    assert fetched("table.load.fits", {"url": f"file://localhost{path}", "name": "mine"}) == ("mine.fits", b"SIMPLE")
    assert fetched("table.load.votable", {"url": server, "name": "/data/t.csv"}) == ("t.vot", b"<VOTABLE/>")
    assert fetched("table.load.votable", {"url": server, "name": "file:///data/t.csv"})[0] == "t.vot"
    for name, kept in (("gaia dr3.1", "gaia dr3.1"), ("<b>n</b>", "<b>n<_b>"), ("../x", ".._x")):
        assert fetched("table.load.votable", {"url": server, "name": name})[0] == f"{kept}.vot"


@pytest.mark.parametrize("url", ["http://example.org/t.vot", "ftp://localhost/t", "file://example.org/t", "", "t.vot"])
def test_nothing_is_asked_of_other_machines(url):
    with pytest.raises(UsageError, match="expected a file or a server of this machine"):
        fetched("table.load.votable", {"url": url})


@pytest.mark.parametrize(
    "url",
    ["http://[", "file:///x%00", "http://localhost:0x/t", "http://localhost/a b", "file:///dev/zero", "file:///tmp"],
)
def test_an_address_that_makes_no_sense_is_refused_in_a_sentence(url):
    with pytest.raises(UsageError, match=r"the table '\w+' cannot be read from '.*Send it again"):
        fetched("table.load.votable", {"url": url, "name": "theirs"})


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.vot")
    with pytest.raises(UsageError, match=r"the table 'pipe' cannot be read from .*there is no such file"):
        fetched("table.load.votable", {"url": (tmp_path / "pipe.vot").as_uri()})


def test_an_answer_that_is_cut_short_or_none_is_refused(server):
    with pytest.raises(UsageError, match=r"cannot be read from 'http:.*10 of 100 bytes came.*Send it again"):
        fetched("table.load.votable", {"url": f"{server}/short"})
    with pytest.raises(UsageError, match=r"cannot be read from 'http:.*/bad'.*Send it again"):
        fetched("table.load.votable", {"url": f"{server}/bad"})


def test_what_is_not_there_leads_elsewhere_or_is_too_large_is_refused(tmp_path, server, monkeypatch):
    with pytest.raises(UsageError, match=r"the table 'gone' cannot be read from 'file:.*gone\.vot'.*Send it again"):
        fetched("table.load.votable", {"url": (tmp_path / "gone.vot").as_uri()})
    with pytest.raises(UsageError, match=r"cannot be read from 'http:.*302"):
        fetched("table.load.votable", {"url": f"{server}/elsewhere"})
    monkeypatch.setattr(samp_tables, "LARGEST_FILE", 5)
    with pytest.raises(UsageError, match=r"has more than 0 MB\. Send less of it"):
        fetched("table.load.votable", {"url": server})


def test_a_table_whose_data_lie_elsewhere_leads_nowhere(tmp_path, server, monkeypatch):
    asked = []
    monkeypatch.setattr(Handler, "do_GET", lambda handler: asked.append(handler.path))
    path = tmp_path / "t.vot"
    path.write_text(
        '<?xml version="1.0"?><VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>'
        '<FIELD name="ra" datatype="double"/><FIELD name="dec" datatype="double"/><DATA><BINARY>'
        f'<STREAM href="{server}/far"/></BINARY></DATA></TABLE></RESOURCE></VOTABLE>'
    )
    session = small_session(tmp_path / "space")
    overlay_panel(session)
    session.guarded(lambda: session.arrive(*fetched("table.load.votable", {"url": path.as_uri()})))
    assert "t.vot: refers to data in another file, which is not read: save it with the data inside" in session.said[0]
    assert asked == []
