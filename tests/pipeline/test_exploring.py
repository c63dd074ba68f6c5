"""The verb as one types it: a process of its own, which a browser asks and Ctrl-C ends."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import numpy as np
import pytest

import astroclip_kit as ak
from astroclip_kit import cli
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import FolderError, UsageError

WATCHED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that a shell runs beside others inherit none
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "urllib.Request", "webbrowser.open"):
        print("asked for", event, *arguments, file=sys.stderr, flush=True)
    if event == "import" and arguments[0] in ("bokeh", "torch", "pyarrow", "sklearn", "astropy"):
        print("imports", arguments[0], file=sys.stderr, flush=True)
sys.addaudithook(watch)
from astroclip_kit.__main__ import run
run()
"""
CDN = {"BOKEH_RESOURCES": "cdn", "BOKEH_ALLOW_WS_ORIGIN": "example.org:80", "BOKEH_SIGN_SESSIONS": "true"}


@pytest.fixture
def store(tmp_path):
    labels = {"z": np.linspace(0, 1, 10)}
    vectors = {"image": np.eye(10)}
    return EmbeddingStore.write(tmp_path / "ten", vectors, [f"o{i}" for i in range(10)], labels=labels)


def test_it_prints_the_address_serves_asks_nobody_else_and_ends_with_ctrl_c(store):
    command = [sys.executable, "-c", WATCHED, "explore", str(store.root), "--browser", "false"]
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": {**os.environ, **CDN}}
    with subprocess.Popen(command, **settings) as process:
        try:
            address = process.stdout.readline().strip()
            assert process.stdout.readline() == "Ctrl-C ends it.\n"
            page = urllib.request.urlopen(f"{address}&colour=z&focus=o3", timeout=300).read().decode()
            assert "ten - astroclip-kit" in page and "cdn.bokeh.org" not in page
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(address.partition("?")[0], timeout=300)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=300)
        finally:
            process.kill()
    assert process.returncode == 0 and "Traceback" not in err
    assert err.startswith(f"Opening {store.root} ...\nimports ")  # the first that takes long comes after
    asked = [line for line in err.splitlines() if line.startswith("asked for")]
    assert asked and all("127.0.0.1" in line for line in asked), asked


def test_a_port_that_is_taken_and_a_folder_that_is_none_are_one_line(store, capsys, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert cli.main(["explore", str(store.root), "--port", str(port), "--browser", "false"]) == 2
    assert f"port {port} of 127.0.0.1 cannot be had" in capsys.readouterr().err
    assert cli.main(["explore", str(tmp_path / "none")]) == 1
    assert "no such folder" in capsys.readouterr().err
    with pytest.raises(FolderError, match="no such folder"):
        ak.explore(store, dataset=tmp_path / "none")


def test_the_number_of_points_is_set_and_checked(store, monkeypatch):
    served = []
    monkeypatch.setattr("astroclip_kit.explorer.server.Server.wait", lambda self: served.append(self) or self.close())
    ak.explore(store, points=77, browser=False)
    assert served[0].space.points == 77
    with pytest.raises(UsageError, match="points is 0, expected 1 or more"):
        ak.explore(store, points=0)


def test_objects_are_taken_for_their_folders(store, monkeypatch):
    served = []
    monkeypatch.setattr("astroclip_kit.explorer.server.Server.wait", lambda self: served.append(self) or self.close())
    monkeypatch.setattr("webbrowser.open", lambda address: served.append(address))
    ak.explore(store)
    assert served[0] == served[1].address and served[1].space.store is store


@pytest.mark.parametrize(
    ("host", "connection", "told"), [("", "1.2.3.4 5", True), ("", "", False), ("::1", "1", False)]
)
def test_who_came_by_ssh_is_told_how_to_forward_the_port(store, monkeypatch, capsys, host, connection, told):
    monkeypatch.setattr("astroclip_kit.explorer.server.Server.wait", lambda self: self.close())
    monkeypatch.setenv("SSH_CONNECTION", connection)
    ak.explore(store, host=host or "127.0.0.1", browser=False)
    out, err = capsys.readouterr()
    port = out.partition("/?")[0].rpartition(":")[2]
    forward = f"From the machine that you sit at: ssh -L {port}:127.0.0.1:{port} {socket.gethostname()}, then open"
    assert err.startswith(f"Opening {store.root} ...") and (forward in err) == told
