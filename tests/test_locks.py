"""Tests of the lock that keeps a second process from writing a folder."""

import fcntl
import os
import signal
import subprocess
import sys

import pytest

from astroclip_kit.errors import FolderError
from astroclip_kit.locks import LOCK, only_writer

HOLD = """
import os, sys
from astroclip_kit.locks import only_writer
with only_writer(sys.argv[1]):
    if len(sys.argv) > 2 and os.fork() == 0:
        import time
        time.sleep(60)
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder, *more):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_until_the_first_ends(tmp_path):
    process = holder(tmp_path / "data")
    with pytest.raises(FolderError, match=rf"data is being written by process {process.pid} on .*Wait until it ends"):
        with only_writer(tmp_path / "data"):
            pass
    process.communicate("")
    with only_writer(tmp_path / "data"):
        assert os.listdir(tmp_path / "data") == [LOCK]
    assert os.listdir(tmp_path / "data") == []


def test_a_killed_owner_leaves_nothing_locked(tmp_path):
    """Not even where a process that it started goes on for a while."""
    process = holder(tmp_path, "fork")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with only_writer(tmp_path):
        assert str(os.getpid()) in (tmp_path / LOCK).read_text()
    os.killpg(process.pid, signal.SIGKILL)


def test_a_lock_file_that_was_removed_meanwhile_is_not_taken_for_the_lock(tmp_path, monkeypatch):
    lockf, taken = fcntl.lockf, []

    def removed_once(handle, operation):
        lockf(handle, operation)
        taken.append(handle)
        if len(taken) == 1:
            (tmp_path / LOCK).unlink()

    monkeypatch.setattr(fcntl, "lockf", removed_once)
    with only_writer(tmp_path):
        assert len(taken) == 2 and (tmp_path / LOCK).exists()


@pytest.mark.parametrize("refused", ["open", "lockf"])
def test_where_nothing_can_be_locked_nothing_is_refused(tmp_path, monkeypatch, refused):
    def unable(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr({"open": os, "lockf": fcntl}[refused], refused, unable)
    with only_writer(tmp_path):
        pass


def test_what_goes_wrong_while_the_lock_is_held_is_not_hidden(tmp_path):
    with pytest.raises(FileNotFoundError), only_writer(tmp_path):
        raise FileNotFoundError
    assert not (tmp_path / LOCK).exists()
