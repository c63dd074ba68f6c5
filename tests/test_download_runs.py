"""Many downloads into one folder: few at once, with pauses, resumed after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from loopback_server import Answer, Loopback

from astroclip_kit.download import (
    Client,
    Job,
    RequestFailed,
    download,
    file_task,
    run_tasks,
)
from astroclip_kit.errors import OutputError
from astroclip_kit.settings import Downloading

FAST = Downloading(connections=3, interval_seconds=0, retries=3, backoff_seconds=0.001, timeout_seconds=60)
BODY = bytes(range(256)) * 1000


@pytest.fixture
def server():
    loopback = Loopback(lambda asked: Answer(b"content of " + asked.path.encode()))
    yield loopback
    loopback.close()


def test_a_run_that_is_interrupted_stops_at_once(server, tmp_path):
    server.respond = lambda asked: Answer(BODY, drip=0.01)

    def interrupted():
        yield file_task(client, Job(tmp_path / "a", (f"{server.url}/a",)), tmp_path, "a")
        while not server.count():
            time.sleep(0.01)
        raise KeyboardInterrupt

    with Client(replace(FAST, interval_seconds=60)) as client, pytest.raises(KeyboardInterrupt):
        list(run_tasks(client, tmp_path, interrupted(), quiet=True))
    with pytest.raises(RequestFailed, match="not asked, the downloads were stopped"):
        client.get_json(server.url, list)
    assert not list(tmp_path.glob("[!.]*"))


def test_a_host_that_never_answers_is_left_alone(server, tmp_path):
    server.respond = lambda asked: Answer(b"", 500)
    jobs = [Job(tmp_path / f"{n}", (f"{server.url}/{n}",)) for n in range(9)]
    outcomes = download(jobs, tmp_path, replace(FAST, connections=1, retries=1, give_up=3), quiet=True)
    assert server.count() == 6 and [one.status for one in outcomes] == ["failed"] * 9
    assert "not asked, 3 downloads in a row failed there before" in outcomes[-1].reason


def test_few_connections_and_a_pause_between_requests(server, tmp_path):
    server.respond = lambda asked: Answer(b"x", delay=0.02)
    jobs = [Job(tmp_path / f"{n}", (f"{server.url}/{n}",)) for n in range(20)]
    download(jobs, tmp_path, FAST, quiet=True)
    assert server.most_open == 3
    moments = []
    server.respond = lambda asked: moments.append(time.monotonic()) or Answer(b"x")
    jobs = [Job(tmp_path / f"p{n}", (f"{server.url}/{n}",)) for n in range(5)]
    download(jobs, tmp_path, replace(FAST, interval_seconds=0.05), quiet=True)
    assert max(moments) - min(moments) > 0.15


def test_a_pause_that_a_server_asks_for_holds_for_all(server, tmp_path):
    server.fail("/0", Answer(b"", 429, {"Retry-After": "1"}))
    moments = []
    server.respond = lambda asked: moments.append(time.monotonic()) or Answer(b"x")
    jobs = [Job(tmp_path / f"{n}", (f"{server.url}/{n}",)) for n in range(3)]
    start = time.monotonic()
    download(jobs, tmp_path, replace(FAST, connections=1), quiet=True)
    assert min(moments) - start > 0.9


def test_a_second_run_fetches_what_is_missing(server, tmp_path):
    jobs = [Job(tmp_path / name, (f"{server.url}/{name}",)) for name in "abcd"]
    server.fail("/b", Answer(b"", 404))
    server.fail("/c", *[Answer(b"", 500)] * 4)
    first = {one.asked: one for one in download(jobs, tmp_path, FAST, quiet=True)}
    assert sorted(one.status for one in first.values()) == ["absent", "done", "done", "failed"]
    (tmp_path / "d").write_bytes(b"half")
    with (tmp_path / "journal.jsonl").open("a") as journal:
        journal.write('{"another": "entry"}\n{"cut off')
    before = server.count()
    second = {one.asked: one for one in download(jobs, tmp_path, FAST, quiet=True)}
    assert sorted(one.status for one in second.values()) == ["absent", "done", "done", "done"]
    assert sorted(one.path for one in server.asked[before:]) == ["/c", "/d"]
    assert second.keys() == first.keys() and (tmp_path / "d").read_bytes() != b"half"


def test_checksums_of_files_that_seem_untouched_are_compared_on_demand(server, tmp_path, capfd):
    jobs = [Job(tmp_path / f"{n}", (f"{server.url}/{n}",)) for n in range(5)]
    download(jobs, tmp_path, FAST, quiet=True)
    good = (tmp_path / "0").read_bytes()
    for job in jobs[:4]:
        facts = job.path.stat()
        job.path.write_bytes(b"?" * facts.st_size)
        os.utime(job.path, ns=(facts.st_atime_ns, facts.st_mtime_ns - 10**9))
    before = server.count()
    download(jobs, tmp_path, FAST, quiet=True)
    assert server.count() == before and (tmp_path / "0").read_bytes() != good
    download(jobs, tmp_path, replace(FAST, verify=True), quiet=True)
    assert server.count() == before + 4 and (tmp_path / "0").read_bytes() == good
    assert "are fetched again: 0, 1, 2 and 1 more." in capfd.readouterr().err


def test_a_run_that_was_killed_goes_on(server, tmp_path):
    code = f"""
from pathlib import Path
from astroclip_kit.download import Job, download
from astroclip_kit.settings import Downloading
jobs = [Job(Path({str(tmp_path)!r}) / f"{{n:02d}}", (f"{server.url}/{{n:02d}}",)) for n in range(30)]
download(jobs, {str(tmp_path)!r}, Downloading(connections=2, interval_seconds=0), quiet=True)
"""
    server.respond = lambda asked: Answer(asked.path.encode() * 50, delay=0.02)
    process = subprocess.Popen([sys.executable, "-c", code])
    while server.count() < 10:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    entries = len((tmp_path / "journal.jsonl").read_text().splitlines())
    assert 1 <= entries < 30
    subprocess.run([sys.executable, "-c", code], check=True)
    assert all((tmp_path / f"{n:02d}").read_bytes() == f"/{n:02d}".encode() * 50 for n in range(30))
    assert server.count() <= 32  # what was on its way when the run was killed is asked again, nothing else
    written = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert len({one["file"] for one in written}) == 30 and all(one["sha256"] for one in written)


def test_a_file_that_cannot_be_written_ends_the_run(server, tmp_path):
    (tmp_path / "in the way").write_text("")
    jobs = [Job(tmp_path / "in the way" / "x", (f"{server.url}/x",))]
    with pytest.raises(OutputError, match="in the way/x: cannot be written"):
        download(jobs, tmp_path, FAST, quiet=True)
