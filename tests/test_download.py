"""Downloads against a server on this machine that fails in every way in which servers fail."""

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from email.utils import formatdate

import pytest
from loopback_server import Answer, Loopback

from astroclip_kit.download import Client, Job, NotThere, RequestFailed, TryAgain, download, get_file
from astroclip_kit.errors import FileError, OutputError, UsageError
from astroclip_kit.settings import Downloading

FAST = Downloading(connections=3, interval_seconds=0, retries=3, backoff_seconds=0.001, timeout_seconds=5)
BODY = bytes(range(256)) * 1000


@pytest.fixture
def server():
    loopback = Loopback(lambda asked: Answer(b"content of " + asked.path.encode()))
    yield loopback
    loopback.close()


def fetch(server, folder, *answers, body=None, settings=FAST, **job):
    """One file, after some faults: its content, or why there is none."""
    server.fail("/file", *answers)
    path = folder / "file"
    with Client(settings) as client:
        get_file(client, Job(path, (f"{server.url}/file",), **job))
    assert [one.name for one in folder.iterdir()] == ["file"]
    return path.read_bytes()


PASSING = {
    "busy": (Answer(b"sorry", 503),),
    "server error": (Answer(b"oops", 500), Answer(b"oops", 502)),
    "too many requests": (Answer(b"", 429, {"Retry-After": "0"}),),
    "too many requests, a date": (Answer(b"", 429, {"Retry-After": formatdate(time.time(), usegmt=True)}),),
    "a Retry-After that is none": (Answer(b"", 503, {"Retry-After": "soon"}),),
    "cut in the middle": (Answer(BODY, cut=1000),),
    "hung up before anything": (Answer(b"", cut=0, length=10),),
    "fewer bytes than announced": (Answer(b"short", length=100),),
    "redirect": (Answer(b"", 302, {"Location": "/elsewhere/file"}),),
}


@pytest.mark.parametrize("answers", PASSING.values(), ids=PASSING)
def test_what_may_pass_is_tried_again(server, tmp_path, answers):
    assert fetch(server, tmp_path, *answers).startswith(b"content of")
    assert server.count() == len(answers) + 1


def test_a_server_that_does_not_answer_in_time(server, tmp_path):
    slow = replace(FAST, timeout_seconds=0.2)
    assert fetch(server, tmp_path, Answer(b"late", delay=0.5), settings=slow) == b"content of /file"
    server.fail("/late", *[Answer(b"late", delay=0.3)] * 2)
    with Client(replace(slow, retries=1)) as client, pytest.raises(RequestFailed, match=r"no answer in time \(2 att"):
        get_file(client, Job(tmp_path / "late", (f"{server.url}/late",)))


def test_a_server_that_sends_a_byte_now_and_then(server, tmp_path):
    slow = replace(FAST, timeout_seconds=0.2, retries=0)
    with pytest.raises(RequestFailed, match=r"too slow, \d+ bytes in 0 s \(1 attempt\)"):
        fetch(server, tmp_path, Answer(BODY, drip=0.02), settings=slow)


def test_a_body_that_is_compressed_all_the_same(server, tmp_path):
    packed = Answer(gzip.compress(BODY), headers={"Content-Encoding": "gzip"})
    assert fetch(server, tmp_path, packed) == BODY


LASTING = {
    "500": (Answer(b"", 500), r"status 500 Internal Server Error \(4 attempts\)", 4),
    "403": (Answer(b"", 403), "refused with status 403 Forbidden", 1),
    "404": (Answer(b"", 404), r"the service does not have it \(status 404\)", 1),
    "too short": (Answer(b"short", length=100), "the connection broke off", 4),
    "an hour": (Answer(b"", 429, {"Retry-After": "3600"}), r"status 429 Too Many Requests \(1 attempt\)", 1),
    "loop": (Answer(b"", 302, {"Location": "/file"}), "more than 5 redirects", 6),
    "elsewhere": (Answer(b"", 302, {"Location": "ftp://example.org/x"}), "no http or https address", 1),
}


@pytest.mark.parametrize(("answer", "reason", "requests"), LASTING.values(), ids=LASTING)
def test_what_does_not_pass_says_why(server, tmp_path, answer, reason, requests):
    with pytest.raises(RequestFailed, match=reason) as caught:
        fetch(server, tmp_path, *[answer] * 9)
    assert isinstance(caught.value, NotThere) == (answer.status == 404)
    assert server.count() == requests and not list(tmp_path.iterdir())


@pytest.mark.parametrize("url", ["file:///etc/hostname", "http://", "nonsense"])
def test_only_web_addresses(tmp_path, url):
    with Client(FAST) as client, pytest.raises(RequestFailed, match="no http or https address"):
        get_file(client, Job(tmp_path / "x", (url,)))


def test_no_machine_there_and_no_password_in_the_message(tmp_path):
    job = Job(tmp_path / "x", ("http://me:secret@127.0.0.1:9/x",))
    with Client(FAST) as client, pytest.raises(RequestFailed, match=r"http://127.0.0.1:9/x: no connection") as caught:
        get_file(client, job)
    assert "secret" not in str(caught.value)


def test_size_and_checksum_are_verified(server, tmp_path):
    good = b"content of /file"
    known = {"size": len(good), "sha256": hashlib.sha256(good).hexdigest()}
    assert fetch(server, tmp_path, Answer(b"wrong"), **known) == good
    assert fetch(server, tmp_path, **known) == good and server.count() == 2
    (tmp_path / "file").unlink()
    with pytest.raises(RequestFailed, match=r"its checksum begins with \w{12}, expected aaaaaaaaaaaa \(4 attempts\)"):
        fetch(server, tmp_path, sha256="a" * 64)
    with pytest.raises(RequestFailed, match="it has 16 bytes, expected 5"):
        fetch(server, tmp_path, size=5)
    assert not list(tmp_path.iterdir())


def test_the_callers_check_judges_and_amends(server, tmp_path):
    def check(path):
        if path.read_bytes().startswith(b"<html>"):
            raise FileError(path, "an error page.")
        if path.read_bytes() == b"nothing":
            raise NotThere("outside of the footprint.")
        path.write_bytes(b"amended ")

    assert fetch(server, tmp_path, Answer(b"<html>"), check=check) == b"amended "
    (tmp_path / "file").unlink()
    with pytest.raises(RequestFailed, match=r"/file: an error page \(4 attempts\)"):
        fetch(server, tmp_path, *[Answer(b"<html>")] * 4, check=check)
    with pytest.raises(NotThere, match="outside of the footprint"):
        fetch(server, tmp_path, Answer(b"nothing"), check=check)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_too_large(server, tmp_path):
    with pytest.raises(RequestFailed, match=r"larger than downloads.largest_mb=0.1 allows"):
        fetch(server, tmp_path, Answer(BODY, etag='"a"'), settings=replace(FAST, largest_mb=0.1))
    assert not list(tmp_path.iterdir()) and server.count() == 1


def test_the_rest_of_a_file_is_asked_for(server, tmp_path):
    whole = Answer(BODY, etag='"one"')
    assert fetch(server, tmp_path, replace(whole, cut=200_000), whole) == BODY
    first, second = (one.headers.get("Range") for one in server.asked)
    assert first is None and 0 < int(second.removeprefix("bytes=").rstrip("-")) <= 200_000


def test_the_rest_of_another_file_is_not_appended(server, tmp_path):
    other = Answer(BODY[::-1], etag='"two"')
    assert fetch(server, tmp_path, Answer(BODY, etag='"one"', cut=200_000), other) == BODY[::-1]
    assert server.asked[1].headers["If-Range"] == '"one"'
    (tmp_path / "file").unlink()
    (tmp_path / ".file.part").write_bytes(BODY + b"too long")  # what a killed run left, of a file that has shrunk
    (tmp_path / ".file.tag").write_text(f'{server.url}/file\n"one"')
    assert fetch(server, tmp_path, *[Answer(BODY, etag='"one"')] * 2) == BODY
    (tmp_path / "file").unlink()
    (tmp_path / ".file.part").write_bytes(b"of another address")
    (tmp_path / ".file.tag").write_text('http://elsewhere/file\n"one"')
    assert fetch(server, tmp_path, Answer(BODY, etag='"one"')) == BODY


def test_a_later_run_goes_on_with_a_half_file(server, tmp_path):
    whole = Answer(BODY, etag='"one"')
    with pytest.raises(RequestFailed, match="the connection broke off"):
        fetch(server, tmp_path, replace(whole, cut=200_000), settings=replace(FAST, retries=0))
    assert fetch(server, tmp_path, whole) == BODY
    assert "Range" in server.asked[1].headers


def test_an_address_that_has_it_is_found(server, tmp_path):
    server.fail("/a", Answer(b"", 404))
    with Client(FAST) as client:
        get_file(client, Job(tmp_path / "x", (f"{server.url}/a", f"{server.url}/b")))
        with pytest.raises(NotThere, match="y: no address was given"):
            get_file(client, Job(tmp_path / "y", ()))
    assert (tmp_path / "x").read_bytes() == b"content of /b"


def test_json(server):
    server.fail("/j", Answer(b""), Answer(b"{half"), Answer(b"[]"), Answer(b'{"a": 1}'))

    def check(value):
        if not value:
            raise TryAgain("the answer is empty")
        return value

    with Client(FAST) as client:
        assert client.get_json(f"{server.url}/j", check, {"q": [1]}) == {"a": 1}
        assert server.asked[0].method == "POST" and server.asked[0].json == {"q": [1]}
        with pytest.raises(RequestFailed, match="the answer is no JSON, it begins with b'content of"):
            client.get_json(f"{server.url}/k", check)


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
    assert sorted(one.path for one in server.asked[before:]) == ["/c"]  # /d is good by its check: none was given
    assert second.keys() == first.keys()


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


BAD = {
    "connections": (0, "downloads.connections is 0, expected at least 1"),
    "retries": (-1, "downloads.retries is -1, expected at least 0"),
    "timeout_seconds": (0.0, "downloads.timeout_seconds is 0.0, expected a positive number"),
}


@pytest.mark.parametrize(("name", "value", "message"), [(name, *rest) for name, rest in BAD.items()])
def test_settings_that_make_no_sense(name, value, message):
    with pytest.raises(UsageError, match=message):
        Client(replace(FAST, **{name: value}))


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(UsageError, match=r"downloads need the extra 'fetch': pip install 'astroclip_kit\[fetch\]'"):
        Client(FAST)
