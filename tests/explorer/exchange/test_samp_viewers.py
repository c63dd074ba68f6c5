"""A page beside TOPCAT and DS9 themselves, which draw on a screen that nobody sees."""

import os
import subprocess
import urllib.request

import numpy as np
import pytest
from odd_objects import COUNT, odd_space
from peers import PATIENCE, program, wait

from astroclip_kit.explorer.exchange.samp import SampLink
from astroclip_kit.explorer.exchange.samp_hub import samp_library
from astroclip_kit.explorer.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.* from client .* failed")]  # as one ends
SENT = [0, 2, 3, 4, 5]


@pytest.fixture
def screen(monkeypatch):
    """A display for programs with windows."""
    ready, told = os.pipe()
    command = [program("Xvfb", "xvfb"), "-displayfd", str(told), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[told], stderr=subprocess.DEVNULL)
    os.close(told)
    with os.fdopen(ready) as number:
        monkeypatch.setenv("DISPLAY", f":{number.readline().strip()}")
    yield
    server.terminate()
    server.wait(PATIENCE)


@pytest.fixture
def link(tmp_path, monkeypatch):
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'samp').as_uri()}")
    hub = samp_library().SAMPHubServer(web_profile=False, addr="127.0.0.1")
    hub.start()
    made = SampLink(Session(odd_space(tmp_path)))
    made.connect()
    yield made
    made.disconnect()
    hub.stop()


@pytest.fixture
def viewer(screen, link, tmp_path, monkeypatch):
    """A function that starts a program and gives its id on the hub and a function that asks it."""
    monkeypatch.setenv("HOME", str(tmp_path))  # of settings that it may keep
    started = []

    def start(*command):
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        one = next(iter(wait(link.programs)))

        def asked(mtype, about):
            answers = []  # not by callAndWait: astropy's hub forgets an answer that is faster than its own notes
            link._client.bind_receive_response(mtype, lambda key, sender, tag, answer: answers.append(answer))
            link._client.call(one, mtype, {"samp.mtype": mtype, "samp.params": about})
            answer = wait(lambda: answers)[0]
            return answer if answer["samp.status"] == "samp.ok" else None

        def ask(mtype, **about):  # until it is done with what came before
            return wait(lambda: asked(mtype, about))["samp.result"]

        return one, ask

    yield start
    for process in started:
        process.terminate()
        process.wait(PATIENCE)


def test_topcat_shows_what_is_sent_under_its_name_and_points_at_the_same_row(link, viewer):
    topcat, ask = viewer(program("topcat"))
    link._session.select(np.isin(np.arange(COUNT), SENT))
    link.send_selection(topcat)
    wait(lambda: "has it" in link._session.said[0])
    with urllib.request.urlopen(ask("table.get.stil", format="csv")["url"], timeout=PATIENCE) as answer:
        rows = answer.read().decode().splitlines()
    assert rows[0].startswith("object_id,group,ra,dec") and rows[2].startswith("o2,o2,10.0,-5.0") and len(rows) == 6
    [table] = link._tables
    assert ask("table.highlight.row", **{"table-id": table, "row": "3"}) == {}
    assert ask("table.select.rowList", **{"table-id": table, "row-list": ["1", "2"]}) == {}


def test_ds9_shows_tables_and_cutouts_and_rows_are_the_same_here_and_there(link, viewer, tmp_path):
    (tmp_path / "xml.tcl").write_text("package require xml")  # Debian's DS9 8.4 reads no VOTable without
    ds9, ask = viewer(program("ds9", "saods9"), "-samp", "yes", "-source", str(tmp_path / "xml.tcl"))
    session = link._session
    session.look_at(3)
    link.send_cutout("image", ds9)
    wait(lambda: "SAOImageDS9 has it" in session.said[0])
    assert ask("ds9.get", cmd="fits size")["value"] == "32 32"
    session.select(np.isin(np.arange(COUNT), SENT))
    link.send_selection(ds9)
    wait(lambda: session.said[0] == "5 objects were sent to SAOImageDS9. SAOImageDS9 has it.")
    ask("ds9.set", cmd=f"catalog export tsv {tmp_path / 'shown.tsv'}")
    rows = wait(lambda: (tmp_path / "shown.tsv").exists() and (tmp_path / "shown.tsv").read_text().splitlines())
    assert rows[2].startswith("o2\to2\t10\t-5") and len(rows) == 1 + len(SENT)

    session.look_at(4)  # its fourth row
    script = "set table [lindex $icat(cats) end]\nupvar #0 $table about\n"
    seen = f'set out [open "{tmp_path / "row.txt"}" w]\nputs $out [$about(tbl) curselection]\nclose $out\n'
    (tmp_path / "seen.tcl").write_text(script + seen)
    wait(lambda: ask("ds9.set", cmd=f"source {tmp_path / 'seen.tcl'}") or "4,1" in (tmp_path / "row.txt").read_text())
    (tmp_path / "click.tcl").write_text(f"{script}SAMPSendTableRowListCmd $table {{2}}\n")  # what a click there does
    ask("ds9.set", cmd=f"source {tmp_path / 'click.tcl'}")
    wait(lambda: session.state.focus == "o2")
    (tmp_path / "click.tcl").write_text(f"{script}SAMPSendTableRowListCmd $table {{1 4}}\n")
    ask("ds9.set", cmd=f"source {tmp_path / 'click.tcl'}")
    wait(lambda: np.flatnonzero(session.selection).tolist() == [0, 4])
