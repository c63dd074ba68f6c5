"""The verb weights, against a server on this machine that stands for all that publish any."""

import hashlib
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from loopback_server import Answer, Loopback
from published_checkpoints import spender_state, write_spender
from safetensors.numpy import save
from survey_services import FAST

import astroclip_kit as ak
from astroclip_kit import cli
from astroclip_kit.download import RequestFailed
from astroclip_kit.encoders import weights as published
from astroclip_kit.errors import UsageError
from astroclip_kit.models import build

BODY = save({"layer": np.arange(50_000, dtype=np.float32)})
SHA256 = hashlib.sha256(BODY).hexdigest()
OTHER = save({"layer": np.ones(50_000, dtype=np.float32)})
BY_HAND = "It is in a collection."


@pytest.fixture
def server(monkeypatch):
    """A hub that sends one on to where its files lie, and states their checksum, as Hugging Face does."""

    def respond(asked):
        if "/resolve/" not in asked.path:
            return Answer(BODY, etag='"one"')
        return Answer(b"", 302, {"Location": "/cdn/file", "X-Linked-Etag": f'"{SHA256}"', "X-Linked-Size": "1"})

    entries = [
        published.Weights("whole", "x", published.Origin("https://a.org/a.pt", SHA256, 0.2), "MIT", "A", "SpecFormer"),
        published.Weights("digits", "x", published.Origin("https://a.org/d-1.pt", SHA256[:8]), "MIT", "A"),
        published.Weights("hub", "x", published.Origin("https://h.co/b/resolve/main/model.pt"), "MIT", "A"),
        published.Weights("hand", "x", published.Origin("https://g.org/?x=1", file="h.pt", by_hand=BY_HAND), "", "A"),
    ]
    monkeypatch.setattr(published, "WEIGHTS", tuple(entries))
    loopback = Loopback(respond)
    yield loopback
    loopback.close()


@pytest.fixture
def get(server, tmp_path):
    """Fetches by name, gives name to status."""

    def fetch(*names, **more):
        settings = {"out": tmp_path / "w", "mirror": f"{server.url}/", "downloads": FAST, **more}
        return ak.weights("get", list(names), **settings)

    return fetch


def statuses(table):
    return dict(zip(table["name"], table["status"], strict=True))


def files(tmp_path):
    return sorted(one.name for one in (tmp_path / "w").iterdir() if not one.name.startswith(("journal", ".lock")))


def test_files_come_once_and_say_how_they_are_used(server, get, tmp_path):
    table = get("whole", "digits", "hub", "whole")
    assert statuses(table) == {"whole": "fetched", "digits": "fetched", "hub": "fetched"}
    assert set(table["sha256"]) == {SHA256} and files(tmp_path) == ["a.pt", "d-1.pt", "model.pt"]
    assert (tmp_path / "w/model.pt").read_bytes() == BODY
    path = tmp_path / "w/a.pt"
    assert table.meta["notes"][1:4] == [
        "whole",
        f'  Python: from astroclip_kit.encoders import SpecFormer; SpecFormer.from_checkpoint("{path}")',
        f"  YAML:   {{class_path: astroclip_kit.encoders.SpecFormer, init_args: {{checkpoint: {path}}}}}",
    ]
    asked = server.count()
    assert set(statuses(get("whole", "digits", "hub")).values()) == {"there"} and server.count() == asked


def test_what_it_says_of_a_file_works(server, get, tmp_path, monkeypatch):
    body = write_spender(tmp_path / "made.pt", spender_state(rest=60)).read_bytes()
    origin = published.Origin("https://s.org/spender-x.pt", hashlib.sha256(body).hexdigest()[:8])
    entry = published.Weights("spender", "x", origin, "MIT", "A", "SpenderEncoder")
    monkeypatch.setattr(published, "WEIGHTS", (entry,))
    server.respond = lambda asked: Answer(body, etag='"s"')
    python, line = get("spender").meta["notes"][2:4]
    names: dict[str, object] = {}
    exec(python.partition("Python: ")[2].replace("; ", "\nencoder = "), names)
    encoder = names["encoder"]
    again = build(yaml.safe_load(line.partition("YAML: ")[2]), trusted=True)
    x = torch.rand(2, 1, 7781)
    assert torch.equal(encoder.eval()(x), again.eval()(x)) and encoder.weights_from == "spender-x.pt"


def test_what_somebody_copied_there_is_left_alone(server, get, tmp_path):
    (tmp_path / "w").mkdir()
    for name in ("a.pt", "d-1.pt", "model.pt"):
        (tmp_path / "w" / name).write_bytes(BODY)
    assert set(statuses(get("whole", "digits", "hub")).values()) == {"there"} and not server.asked


def test_a_file_that_was_spoilt_is_fetched_again(server, get, tmp_path, capsys):
    get("whole", "hub")
    for name in ("a.pt", "model.pt"):
        (tmp_path / "w" / name).write_bytes(OTHER)
    assert set(statuses(get("whole", "hub")).values()) == {"fetched"}
    assert "files changed after they came and are fetched again: a.pt, model.pt" in capsys.readouterr().err
    assert (tmp_path / "w/model.pt").read_bytes() == BODY


@pytest.mark.parametrize("name", ["whole", "digits", "hub"])
def test_a_wrong_checksum_leaves_nothing_behind(server, get, tmp_path, name):
    kind = server.respond
    server.respond = lambda asked: Answer(OTHER, etag='"o"') if "/resolve/" not in asked.path else kind(asked)
    with pytest.raises(RequestFailed, match=rf"^{name}: .*its checksum begins with \w+, expected {SHA256[:8]}"):
        get(name)
    assert files(tmp_path) == []


def test_a_page_that_asks_to_log_in_is_no_checkpoint(server, get, tmp_path):
    server.respond = lambda asked: Answer(b"<html>log in</html>")
    with pytest.raises(RequestFailed, match=r"hub: .*no whole checkpoint: it begins with b'<html>log'"):
        get("hub")
    assert files(tmp_path) == []


def test_an_interrupted_file_goes_on_in_the_next_run(server, get, tmp_path):
    server.fail("/cdn", Answer(BODY, etag='"one"', cut=100_000))
    with pytest.raises(RequestFailed, match=r"hub: .*the connection broke off.*The same command goes on with what is"):
        get("hub", downloads=replace(FAST, retries=0))
    assert statuses(get("hub")) == {"hub": "fetched"}
    assert re.fullmatch(r"bytes=\d+-", server.asked[-1].headers["Range"])
    assert (tmp_path / "w/model.pt").read_bytes() == BODY


def test_what_fails_does_not_keep_the_others_from_coming(server, get, tmp_path, capsys):
    server.fail("/a.pt", *[Answer(b"", 403)] * 3)
    table = get("whole", "digits")
    assert files(tmp_path) == ["d-1.pt"] and statuses(table) == {"whole": "failed", "digits": "fetched"}
    assert re.fullmatch(r"  http.*/a.pt: refused with status 403.*", table.meta["notes"][2])
    assert table.meta["notes"][3] == "  The same command goes on with what is missing."
    with pytest.raises(RequestFailed, match=r"whole: http.*/a.pt: refused with status 403.*The same command goes on"):
        get("whole")
    out = ["--out", str(tmp_path / "w"), "--mirror", server.url, "--downloads.retries", "0"]
    assert cli.main(["weights", "get", "whole,digits", *out]) == 1
    assert "digits" in (shown := capsys.readouterr().out) and "failed" in shown
    assert cli.main(["weights", "get", "whole,digits", *out]) == 0


def test_it_says_what_a_file_was_compared_with(server, get, tmp_path, monkeypatch):
    listed = [
        *published.WEIGHTS,
        published.Weights("sized", "x", published.Origin("https://a.org/s.safetensors", "", 0.2), "MIT", "A"),
        published.Weights("bare", "x", published.Origin("https://a.org/b.safetensors"), "MIT", "A"),
    ]
    monkeypatch.setattr(published, "WEIGHTS", tuple(listed))
    expected = {
        "whole": "checksum",
        "digits": "8 digits of its checksum",
        "hub": "checksum that its server states",
        "sized": "not verified, size fits",
        "bare": "not verified",
    }
    for _ in range(2):  # the second time nothing is fetched
        table = get(*expected)
        assert dict(zip(table["name"], table["verified"], strict=True)) == expected
    note = f"  no checksum is known to compare with; its SHA-256 is {SHA256}"
    assert table.meta["notes"].count(note) == 2 and table.meta["notes"][-1] == note


@pytest.mark.parametrize(
    ("origin", "body", "message"),
    [
        (("s.pt", 0.25), BODY, r"it has 0\.2001 MB, expected 0\.25 MB of it\. Look at https://a\.org/s\.pt"),
        (
            ("s.safetensors", float("nan")),
            b"\x80\x02",
            r"is no safetensors, as it should be\. Look at https://a\.org/s",
        ),
    ],
)
def test_a_file_of_another_size_or_kind_is_none(server, get, tmp_path, monkeypatch, origin, body, message):
    file, size_mb = origin
    entry = published.Weights("it", "x", published.Origin(f"https://a.org/{file}", "", size_mb), "MIT", "A")
    monkeypatch.setattr(published, "WEIGHTS", (entry,))
    server.respond = lambda asked: Answer(body, etag='"s"')
    with pytest.raises(RequestFailed, match=message):
        get("it", downloads=replace(FAST, retries=0))
    assert files(tmp_path) == []


def test_what_was_fetched_by_hand_is_compared_where_that_can_be(server, get, tmp_path, monkeypatch):
    origin = published.Origin("https://g.org/?x=1", "0123abcd", file="h.pt", by_hand=BY_HAND)
    monkeypatch.setattr(published, "WEIGHTS", (published.Weights("hand", "x", origin, "MIT", "A"),))
    (tmp_path / "w").mkdir()
    (tmp_path / "w/h.pt").write_bytes(BODY)
    with pytest.raises(RequestFailed, match=f"its checksum begins with {SHA256[:8]}, expected 0123abcd"):
        get("hand")


def test_what_has_to_be_fetched_by_hand(server, get, tmp_path):
    table, path = get("hand"), tmp_path / "w/h.pt"
    assert statuses(table) == {"hand": "by hand"}
    assert table.meta["notes"][1:] == [
        "hand",
        f"  {BY_HAND}",
        f"  Open https://g.org/?x=1, save the file as {path} and type:",
        f"  astroclip-kit weights get hand --out {tmp_path}/w",
    ]
    path.write_bytes(BODY)
    assert statuses(get("hand")) == {"hand": "there"} and not server.asked
    path.write_bytes(BODY[:-1])
    with pytest.raises(RequestFailed, match=r"hand: .*h.pt: no whole checkpoint: its end is missing"):
        get("hand")


def test_on_the_command_line(server, tmp_path, capsys):
    out = str(tmp_path / "w")
    assert cli.main(["weights", "get", "whole", "digits", "--out", out, "--mirror", server.url]) == 0
    shown = capsys.readouterr().out
    assert "fetched" in shown and "from_checkpoint" in shown
    assert cli.main(["weights", "get", "hand", "--out", out, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["size_mb"] is None


@pytest.mark.parametrize("style", ["text", "csv", "json", "votable", "fits"])
def test_the_list_in_every_format(capsysbinary, style):
    assert cli.main(["weights", "--format", style]) == 0
    out = capsysbinary.readouterr().out
    assert b"spender-desi-edr" in out and b"https://hub.pmelchior.net" in out
    if style == "text":
        lines = out.decode().splitlines()
        assert max(map(len, lines)) <= 120 and "not stated" in lines[2] and "by hand" in lines[2]
        at = lines.index("spender-desi-edr")
        assert lines[at + 1] == "  https://hub.pmelchior.net/spender.desi-edr.galaxyae-b9bc8d12.pt"
        assert lines[at + 2].startswith("  cite Melchior et al. 2023, AJ 166, 74") and "2307.07664" in lines[at + 3]


def test_the_list_of_some():
    assert list(ak.weights("list", "specformer,astrodino")["name"]) == ["specformer", "astrodino"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("specformer",), "weights can list or get, found 'specformer'. To fetch some: weights get specformer"),
        (("get",), "say which weights to get; astroclip-kit weights lists them"),
        (("get", "stein"), "no published weights 'stein' are known. Did you mean stein-resnet50"),
    ],
)
def test_what_makes_no_sense(arguments, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        ak.weights(*arguments, out=tmp_path / "w")
    assert not (tmp_path / "w").exists()
