"""Downloads against a server on this machine that fails in every way in which servers fail."""

import gzip
import hashlib
import io
import sys
import time
from dataclasses import replace
from email.utils import formatdate

import pytest
import requests
from loopback_server import Answer, Loopback

from astroclip_kit.download import (
    Client,
    Job,
    NotThere,
    RequestFailed,
    TryAgain,
    get_file,
)
from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.settings import Downloading

FAST = Downloading(connections=3, interval_seconds=0, retries=3, backoff_seconds=0.001, timeout_seconds=60)
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


CHUNKED = {"Transfer-Encoding": "chunked"}
PASSING = {
    "busy": (Answer(b"sorry", 503),),
    "server error": (Answer(b"oops", 500), Answer(b"oops", 502)),
    "too many requests": (Answer(b"", 429, {"Retry-After": "0"}),),
    "too many requests, a date": (Answer(b"", 429, {"Retry-After": formatdate(time.time(), usegmt=True)}),),
    "a Retry-After that is none": (Answer(b"", 503, {"Retry-After": "soon"}),),
    "cut in the middle": (Answer(BODY, cut=1000),),
    "hung up before anything": (Answer(b"", cut=0, length=10),),
    "cut between two chunks": (Answer(b"5\r\nhello\r\n5\r\nwor", headers=CHUNKED, cut=16),),
    "fewer bytes than announced": (Answer(b"short", length=100),),
    "redirect": (Answer(b"", 302, {"Location": "/elsewhere/file"}),),
}


@pytest.mark.parametrize("answers", PASSING.values(), ids=PASSING)
def test_what_may_pass_is_tried_again(server, tmp_path, answers):
    assert fetch(server, tmp_path, *answers).startswith(b"content of")
    assert server.count() == len(answers) + 1


def test_a_server_that_does_not_answer_in_time(server, tmp_path):
    slow = replace(FAST, timeout_seconds=0.2, retries=50)  # as many as a machine that is busy may need
    assert fetch(server, tmp_path, Answer(b"late", delay=20), settings=slow) == b"content of /file"
    server.fail("/late", *[Answer(b"late", delay=20)] * 2)
    with Client(replace(slow, retries=1)) as client, pytest.raises(RequestFailed, match=r"no answer in time \(2 att"):
        get_file(client, Job(tmp_path / "late", (f"{server.url}/late",)))


def test_a_server_that_sends_a_byte_now_and_then(server, tmp_path):
    slow = replace(FAST, timeout_seconds=1, retries=0)
    with pytest.raises(RequestFailed, match=r"too slow, \d+ bytes in 1 s \(1 attempt\)"):
        fetch(server, tmp_path, Answer(BODY, drip=0.02), settings=slow)


def test_a_body_that_is_compressed_all_the_same(server, tmp_path):
    packed = Answer(gzip.compress(BODY), headers={"Content-Encoding": "gzip"})
    assert fetch(server, tmp_path, packed) == BODY


def test_a_body_in_chunks(server, tmp_path):
    assert fetch(server, tmp_path, Answer(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", headers=CHUNKED)) == b"hello world"


def test_an_address_without_encryption_is_not_taken_for_one_with(tmp_path, monkeypatch):
    answer = requests.Response()
    answer.raw = io.BytesIO()
    answer.url, answer.status_code = "http://elsewhere/x", 200
    with (
        Client(FAST) as client,
        pytest.raises(RequestFailed, match="https://h/x: redirected to an address without enc"),
    ):
        monkeypatch.setattr(client.session, "request", lambda *_, **__: answer)
        get_file(client, Job(tmp_path / "x", ("https://h/x",)))


def test_a_place_to_which_one_is_sent_is_not_named(server, tmp_path):
    server.fail("/file", Answer(b"", 302, {"Location": "/signed?token=secret"}))
    server.respond = lambda asked: Answer(BODY)
    with pytest.raises(RequestFailed, match="/file: larger than") as caught:
        fetch(server, tmp_path, settings=replace(FAST, largest_mb=0.1))
    assert "secret" not in str(caught.value)


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
