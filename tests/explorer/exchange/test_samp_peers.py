"""A page and the programs that astronomers have: the hub of TOPCAT and Aladin, which is JSAMP, and stilts."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from odd_objects import COUNT, odd_space
from peers import PATIENCE, program, wait

from astroclip_kit.explorer.exchange.samp import SampLink
from astroclip_kit.explorer.overlays.panel import overlay_panel
from astroclip_kit.explorer.session import Session

pytestmark = pytest.mark.slow
JSAMP = "/usr/share/java/jsamp.jar"


@pytest.fixture
def jsamp(tmp_path, monkeypatch):
    """A function that starts a part of JSAMP; what it says goes to a file, whose path it gives."""
    program("stilts"), program("java"), program(JSAMP, package="stilts")
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'samp').as_uri()}")
    started = []

    def start(*arguments):
        path = tmp_path / f"{len(started)}.txt"
        with path.open("w") as file:
            started.append(subprocess.Popen(["java", "-jar", JSAMP, *arguments], stdout=file, stderr=file))
        return path

    yield start
    for process in reversed(started):
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture
def link(jsamp, tmp_path):
    jsamp("hub", "-mode", "no-gui", "-profiles", "std")
    wait((tmp_path / "samp").exists)
    made = SampLink(Session(odd_space(tmp_path)))
    made.connect()
    yield made
    made.disconnect()


def test_a_program_of_the_hub_gets_tables_and_rows_and_sends_rows_back(link, jsamp):
    session = link._session
    snooped = jsamp("snooper", "-clientname", "viewer", "-mtype", "table.*")
    viewer = wait(link.programs)
    assert list(viewer.values()) == ["viewer"]
    session.select(np.arange(COUNT) > 2)
    link.send_selection(next(iter(viewer)))
    name = wait(lambda: [line for line in snooped.read_text().splitlines() if "table-id" in line])[0].split('"')[-2]
    session.look_at(4)
    wait(lambda: "table.highlight.row" in snooped.read_text())
    about = ["-param", "table-id", name, "-param", "row", "2"]
    sent = subprocess.run(
        ["java", "-jar", JSAMP, "messagesender", "-mode", "sync", "-mtype", "table.highlight.row", *about],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert "samp.ok" in sent.stdout and session.state.focus == "o5"


def test_a_table_that_stilts_sends_is_drawn_over_the_map(link, tmp_path):
    overlay_panel(link._session)
    (tmp_path / "mine.csv").write_text("object_id,mag\no2,17.5\no4,18.5\nnobody,20\n")
    told = subprocess.run(
        ["stilts", "tpipe", f"in={tmp_path / 'mine.csv'}", "omode=samp", "format=votable fits"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert "samp.ok" in told.stdout, told
    assert [rows.tolist() for rows in link._session.marks.values()] == [[2, 4]]
    [magnitude] = [one for name, one in link._session.own_columns.items() if name.endswith("mag")]
    assert magnitude.values[[2, 4]].tolist() == [17.5, 18.5]


def test_a_table_that_we_send_is_read_by_stilts(link, tmp_path):
    link._session.select(np.arange(COUNT) != 1)
    link.send_selection()
    [sent] = Path(link._folder.name).glob("*.vot")
    out = subprocess.run(
        ["stilts", "tpipe", f"in={sent}", "cmd=keepcols 'object_id ra'", "omode=out", "ofmt=csv"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert out.stdout.splitlines()[2] == "o2,10.0" and len(out.stdout.splitlines()) == COUNT
