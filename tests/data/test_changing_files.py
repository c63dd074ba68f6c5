"""Tests of files that change or have odd names, and of a computer that runs out of something."""

import csv
import errno
import os
from pathlib import Path

import numpy as np
import pytest

from astroclip_kit.data import ingest, staging
from astroclip_kit.errors import FileError, KitError, OutputError
from astroclip_kit.types import Sample


def drops(folder):
    with (folder / "drops.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_file_that_changes_while_it_is_read_is_left_out_until_the_next_run(
    images, tmp_path, write, fake, monkeypatch
):
    original = type(images).read

    def growing(self, path):
        yield from original(self, path)
        if path.name == "00007.json":
            path.write_text(path.read_text() + " ")

    with monkeypatch.context() as patch:
        patch.setattr(type(images), "read", growing)
        dataset = ingest({"image": images}, tmp_path / "data", workers=1, quiet=True)
        assert len(dataset) == 59 and "o07" not in dataset.object_ids
        [drop] = drops(tmp_path / "data")
        assert drop["dropped"].endswith("00007.json") and "files of a running download do" in drop["reason"]
        with pytest.raises(FileError, match="changed or went away while it was read"):
            ingest({"image": images}, tmp_path / "strict", workers=1, strict=True, quiet=True)
    assert len(ingest({"image": images}, tmp_path / "data", workers=1, quiet=True)) == 60


def test_a_file_that_goes_away_is_left_out(images, tmp_path, monkeypatch):
    files = images.files()
    monkeypatch.setattr(type(images), "files", lambda self: [*files, tmp_path / "i" / "listed.json"])
    (tmp_path / "i" / "listed.json").write_text("[]")
    original = staging.ChunkReader.__call__

    def late(self, chunk):
        (tmp_path / "i" / "listed.json").unlink(missing_ok=True)
        return original(self, chunk)

    monkeypatch.setattr(staging.ChunkReader, "__call__", late)
    assert len(ingest({"image": images}, tmp_path / "data", workers=1, quiet=True)) == 60
    assert "went away" in drops(tmp_path / "data")[0]["reason"]


@pytest.mark.parametrize(
    ("number", "error", "message"),
    [
        (errno.EMFILE, KitError, r"too many open files. Run the same command with fewer workers"),
        (errno.ENOMEM, KitError, r"no memory left. Run the same command with fewer workers"),
        (errno.ENOSPC, OutputError, r"no space left on the disk. Free some and run the same command again"),
        (errno.EIO, None, r"OSError: \[Errno 5\]"),
        (errno.ENOENT, None, r"FileNotFoundError: \[Errno 2\]"),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_the_computer_lacks_is_no_reason_to_leave_a_file_out(
    images, tmp_path, monkeypatch, number, error, message, wrapped
):
    original = type(images).read

    def failing(self, path):
        if path.name == "00009.json":
            try:
                raise OSError(number, os.strerror(number))
            except OSError as problem:
                if wrapped:
                    raise FileError(path, f"cannot be read ({type(problem).__name__}: {problem}).") from problem
                raise
        return original(self, path)

    monkeypatch.setattr(type(images), "read", failing)
    if error:
        with pytest.raises(error, match=message):
            ingest({"image": images}, tmp_path / "data", workers=1, quiet=True)
    else:
        assert len(ingest({"image": images}, tmp_path / "data", workers=1, quiet=True)) == 59
        with pytest.raises(FileError, match=message):
            ingest({"image": images}, tmp_path / "strict", strict=True, quiet=True)


def test_no_memory_is_no_reason_to_leave_a_file_out(images, tmp_path, monkeypatch):
    def failing(self, path):
        raise MemoryError

    monkeypatch.setattr(type(images), "read", failing)
    with pytest.raises(KitError, match=r"00000.json: no memory left. Run the same command with fewer workers"):
        ingest({"image": images}, tmp_path / "data", workers=2, quiet=True)


def test_names_that_are_no_text(tmp_path, fake):
    class ByName(fake.JsonReader):
        def read(self, path):
            if "bad" in path.name:
                raise FileError(path, f"{path.name} is bad.")
            yield Sample(path.stem, {"image": np.ones((2, 4, 4), np.float32)}, group=path.stem)

    (tmp_path / "i").mkdir()
    names = [b"caf\xe9.json", b"bad caf\xe9.json", "größe 星.json".encode(), b"new\nline, bad.json"]
    for name in names:
        (tmp_path / "i" / os.fsdecode(name)).write_text("")
    dataset = ingest({"image": ByName(tmp_path / "i", fake.IMAGE)}, tmp_path / "data", workers=2)
    assert sorted(dataset.object_ids) == ["caf\\udce9", "größe 星"]
    assert sorted(Path(one["dropped"]).name for one in drops(tmp_path / "data")) == [
        "bad caf\\udce9.json",
        "new\nline, bad.json",
    ]


def test_strict_finds_what_an_earlier_run_left_out(interrupt, images, tmp_path, monkeypatch):
    (tmp_path / "i" / "00003.json").write_text("<html>")
    interrupt(images, tmp_path / "data")
    with pytest.raises(FileError, match=r"00003.json: this is a web page"):
        ingest({"image": images}, tmp_path / "data", workers=1, strict=True, quiet=True)


def test_a_folder_of_other_files_is_pointed_out(images, tmp_path, capsys):
    for number in range(70):
        (tmp_path / "i" / f"x{number}.json").write_text("<html>")
    dataset = ingest({"image": images}, tmp_path / "data", workers=1)
    note = "70 of 130 files or rows of image could not be used; check that the reader fits the folder"
    said = capsys.readouterr().err
    assert note in said and "often: this is a web page, expected JSON. Download it again.\n" in said
    assert "data: 70 files or rows were left out; drops.csv lists each with its reason.\n" in said
    assert len(dataset) == 60
