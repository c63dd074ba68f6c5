"""Tests of an ingest that is killed, or whose disk is full: run again, it ends with the same bytes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from astroclip_kit import storage
from astroclip_kit.data import Dataset, folder, gathering, ingest, staging
from astroclip_kit.errors import FolderError, KitError, OutputError

SCRIPT = """
import resource, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import conftest as fake
from astroclip_kit.data import gathering, ingest, staging
staging.FILES_PER_CHUNK, gathering.SHARD_BYTES = 5, 3000
if {limit}:
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
root = Path({root!r})
sources = {{"image": fake.JsonReader(root / "i", fake.IMAGE), "spectrum": fake.JsonReader(root / "s", fake.SPECTRUM)}}
print("begin", flush=True)
ingest(sources, root / "data", workers=2)
"""


def start(root, limit=0):
    script = SCRIPT.format(tests=str(Path(__file__).parent), root=str(root), limit=limit)
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "begin\n", process.stderr.read()
    return process


@pytest.fixture
def sources(tmp_path, write, fake, monkeypatch):
    monkeypatch.setattr(staging, "FILES_PER_CHUNK", 5)
    monkeypatch.setattr(gathering, "SHARD_BYTES", 3000)
    write(tmp_path / "i", [{"id": f"o{i:03d}", "view": fake.image(i)} for i in range(120)])
    write(tmp_path / "s", [{"id": f"o{i:03d}", "view": fake.spectrum(i)} for i in range(0, 150, 2)])
    return {
        "image": fake.JsonReader(tmp_path / "i", fake.IMAGE),
        "spectrum": fake.JsonReader(tmp_path / "s", fake.SPECTRUM),
    }


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def journal_lines(root):
    path = root / "data" / "journal.jsonl"
    return len(path.read_bytes().splitlines()) if path.exists() else 0


def test_kill_minus_9_again_and_again(sources, tmp_path):
    whole = contents(ingest(sources, tmp_path / "whole", name="data", quiet=True).root)
    kills, seen = 0, []
    for lines in (2, 20, 43, 10**9):  # while reading images, reading spectra, and writing shards
        process = start(tmp_path)
        while process.poll() is None and journal_lines(tmp_path) < lines:
            time.sleep(0.001)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.communicate()
        seen.append(journal_lines(tmp_path))
        if not (tmp_path / "data" / "manifest.json").exists():
            with pytest.raises(FolderError, match="was interrupted: run it again"):
                Dataset(tmp_path / "data")
    assert kills >= 2 and seen[:kills] == sorted(seen[:kills])  # each run went on where the last one was
    assert contents(ingest(sources, tmp_path / "data", quiet=True).root) == whole


class Killed(BaseException):
    """Stands for the end of the process."""


def test_killed_at_every_write(sources, tmp_path, monkeypatch):
    """Whichever of its writes is the last one, the next run completes the dataset."""
    for folder_of_files in ("i", "s"):
        for path in sorted((tmp_path / folder_of_files).iterdir())[9:]:
            path.unlink()
    monkeypatch.setattr(gathering, "SHARD_BYTES", 1000)
    whole = contents(ingest(sources, tmp_path / "whole", name="data", workers=1, quiet=True).root)
    left = 10**9

    def count_down(function):
        def wrapped(*arguments):
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return function(*arguments)

        return wrapped

    monkeypatch.setattr(storage, "publish", count_down(storage.publish))
    monkeypatch.setattr(storage, "append_journal", count_down(storage.append_journal))
    for writes in range(100):
        left = writes
        try:
            ingest(sources, tmp_path / "data", workers=1, quiet=True)
            break
        except Killed:
            assert not (tmp_path / "data" / "manifest.json").exists()
        left = 10**9
        assert contents(ingest(sources, tmp_path / "data", workers=1, quiet=True).root) == whole
        shutil.rmtree(tmp_path / "data")
    assert writes >= 20 and contents(tmp_path / "data") == whole


def test_a_run_that_resumes_reads_no_file_twice(sources, tmp_path, monkeypatch):
    read = []
    original = type(sources["image"]).read

    def reading(self, path):
        read.append(path)
        return original(self, path)

    monkeypatch.setattr(type(sources["image"]), "read", reading)
    monkeypatch.setattr("astroclip_kit.data.build.gather", lambda *_: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        ingest(sources, tmp_path / "data", workers=1, quiet=True)
    assert len(read) == 195
    monkeypatch.undo()
    monkeypatch.setattr(staging, "FILES_PER_CHUNK", 5)
    monkeypatch.setattr(type(sources["image"]), "read", reading)
    ingest(sources, tmp_path / "data", workers=1, quiet=True)
    assert len(read) == 195


def test_inputs_that_changed_since_the_interruption(sources, tmp_path, write, fake, monkeypatch, capsys):
    monkeypatch.setattr("astroclip_kit.data.build.gather", lambda *_: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        ingest(sources, tmp_path / "data", workers=1, quiet=True)
    monkeypatch.undo()
    write(tmp_path / "i", [{"id": "o000", "view": fake.image(500)}])
    dataset = ingest(sources, tmp_path / "data", workers=1)
    assert "files or settings have changed since it was written; starting again" in capsys.readouterr().err
    np.testing.assert_array_equal(dataset.views("image", [0]), [fake.image(500)])


def test_killed_between_the_manifest_and_the_clean_up(sources, tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "_remove_staging", lambda _: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        ingest(sources, tmp_path / "data", workers=1, quiet=True)
    monkeypatch.undo()
    assert len(Dataset(tmp_path / "data")) == 135
    ingest(sources, tmp_path / "data", workers=1, quiet=True)
    assert not (tmp_path / "data" / "staging").exists() and journal_lines(tmp_path) == 0


@pytest.mark.parametrize("limit", [100, 2500])
def test_a_full_disk(sources, tmp_path, limit):
    """The journal, or a shard, does not fit; with space again the same command goes on."""
    process = start(tmp_path, limit)
    errors = process.communicate()[1]
    assert process.returncode == 1 and "no space left to write. Free some and run the same command again" in errors
    assert "OutputError" in errors.splitlines()[-1]
    assert not (tmp_path / "data" / "manifest.json").exists()
    with pytest.raises(FolderError, match="is not a complete dataset folder"):
        Dataset(tmp_path / "data")
    whole = ingest(sources, tmp_path / "whole", name="data", quiet=True)
    assert contents(ingest(sources, tmp_path / "data", quiet=True).root) == contents(whole.root)


def test_a_folder_that_may_not_be_written(sources, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OutputError, match=r"not allowed to write here. Choose another output folder"):
        ingest(sources, tmp_path / "data", quiet=True)


def test_workers_die_with_their_parent(sources, tmp_path, write, fake):
    process = start(tmp_path)
    while process.poll() is None and journal_lines(tmp_path) < 1:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    for _ in range(1200):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.1)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_worker_that_dies_is_reported(tmp_path, write, fake, monkeypatch):
    monkeypatch.setattr(staging, "FILES_PER_CHUNK", 1)

    class Crashes(fake.JsonReader):
        def read(self, path):
            os._exit(9)

    reader = Crashes(write(tmp_path / "i", [{"id": "a"}, {"id": "b"}]), fake.IMAGE)
    with pytest.raises(KitError, match="a process that reads files died, perhaps for lack of memory"):
        ingest({"image": reader}, tmp_path / "data", workers=2, quiet=True)
