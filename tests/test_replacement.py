"""What killed writers leave is found again or cleared away; what living ones write is left alone."""

import signal
import subprocess
import sys

import pytest

from astroclip_kit import replacement, storage

KILL = "import os, signal\ndie = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
WRITE = """
from pathlib import Path
from astroclip_kit import storage
with storage.new_folder("out", "model") as folder:
    (folder / "b.npy").write_text("b")
    storage.write_manifest(folder, "model", {"value": 2})
"""


@pytest.fixture
def killed(tmp_path):
    def run(code):
        done = subprocess.run([sys.executable, "-c", KILL + code], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()

    return run


def write(folder, value):
    with storage.new_folder(folder, "model") as temporary:
        storage.write_manifest(temporary, "model", {"value": value})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_half_folder_of_a_killed_writer_is_removed_by_the_next(tmp_path, killed):
    killed(WRITE.replace("    storage.write_manifest", "    die()\n    storage.write_manifest"))
    assert len(names(tmp_path)) == 1 and names(tmp_path)[0].endswith(".out")
    write(tmp_path / "other", 1)
    assert len(names(tmp_path)) == 2
    write(tmp_path / "out", 3)
    assert names(tmp_path) == ["other", "out"]


@pytest.mark.parametrize("opened", [True, False])
def test_a_kill_between_the_two_renames_loses_nothing(tmp_path, killed, opened):
    write(tmp_path / "out", 1)
    (tmp_path / "out" / "notes.txt").write_text("mine")
    second = "rename = Path.rename\nPath.rename = lambda a, b: rename(a, b) if a.name == 'out' else die()\nwith"
    killed(WRITE.replace("with", second, 1))
    assert not (tmp_path / "out").exists() and len(names(tmp_path)) == 2
    if opened:
        assert storage.open_folder(tmp_path / "out", "model")["value"] == 1
    else:
        write(tmp_path / "out", 3)
        assert storage.open_folder(tmp_path / "out", "model")["value"] == 3
    assert names(tmp_path) == ["out"] and names(tmp_path / "out") == ["manifest.json", "notes.txt"]


def test_a_kill_after_the_renames_keeps_what_somebody_else_put_there(tmp_path, killed):
    write(tmp_path / "out", 1)
    (tmp_path / "out" / "notes.txt").write_text("mine")
    killed("from astroclip_kit import replacement\nreplacement._clear_old = die\n" + WRITE)
    assert names(tmp_path / "out") == ["b.npy", "manifest.json"]
    storage.check_output(tmp_path / "out", "model")
    assert names(tmp_path) == ["out"] and names(tmp_path / "out") == ["b.npy", "manifest.json", "notes.txt"]


def test_what_is_still_written_or_of_another_machine_stays(tmp_path, monkeypatch):
    with storage.new_folder(tmp_path / "out", "model") as temporary:
        storage.check_output(tmp_path / "out", "model")
        assert temporary.is_dir()
        storage.write_manifest(temporary, "model", {})
    mine = replacement.hidden(tmp_path / "out")
    mine.mkdir()
    parts = mine.name.split("-", 2)
    (tmp_path / f".ffffffff-{2**31 - 1}-{parts[2]}").mkdir()
    dead = tmp_path / f"{parts[0]}-{2**31 - 1}-{parts[2]}"
    dead.mkdir()
    replacement.mend(tmp_path / "out")
    assert not dead.exists() and len(names(tmp_path)) == 3 and mine.exists()


def test_half_files_of_killed_writers_are_removed_when_a_process_first_writes_there(tmp_path, killed):
    killed("from astroclip_kit import storage\nstorage.publish('a.npy', lambda path: (path.write_text('a'), die()))")
    assert len(names(tmp_path)) == 1
    storage.publish(tmp_path / "b.npy", lambda path: path.write_text("b"))
    assert names(tmp_path) == ["b.npy"]
