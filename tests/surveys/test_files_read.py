"""Tests that a dataset depends on every file that is read for it, whatever the survey."""

import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from astroclip_kit.data import ingest
from astroclip_kit.data.sources import _source, fingerprint
from astroclip_kit.errors import FileError
from astroclip_kit.settings import Matching
from astroclip_kit.surveys import FITSImages, ImageArrays, TableReader

OPENED = []


def _note(event, arguments):
    if event == "open" and OPENED and isinstance(arguments[0], (str, Path)):
        OPENED.append(os.fspath(arguments[0]))


sys.addaudithook(_note)


def files_read(files, reader, folder):
    """The files of a folder that Python opens while some are read; those that tell which there are do not count."""
    OPENED[:] = [""]
    for path in files:
        list(reader.read(path))
    found = {Path(name).absolute() for name in OPENED if name}
    OPENED.clear()
    return sorted(path for path in found if folder in path.parents and path.is_file())


def mark(reader):
    return fingerprint([_source("x", reader, quiet=True)], Matching(), "data")


def test_changing_any_file_that_was_read_changes_the_dataset(layout, write_layout, tmp_path):
    reader = write_layout(layout, tmp_path)
    fresh = pickle.loads(pickle.dumps(reader))
    read = files_read(reader.files(), fresh, tmp_path) or reader.files()  # some libraries open files by themselves
    marks = [mark(reader)]
    assert mark(reader) == marks[0]
    for path in read:
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000_000))
        marks.append(mark(reader))
    assert len(set(marks)) == len(marks), read


def test_a_file_that_comes_beside_the_others_changes_the_dataset(write_layout, tmp_path, recwarn):
    reader = write_layout("desi", tmp_path)
    redrock = reader.also_reads()[0]
    content, before = redrock.read_bytes(), mark(reader)
    redrock.unlink()
    without = mark(reader)
    redrock.write_bytes(content)
    assert len({before, without, mark(reader)}) == 3


@pytest.fixture
def arrays(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 1, 4, 4), np.float32))
    np.save(tmp_path / "a_ids.npy", np.array(["x", "y"]))
    return ImageArrays(tmp_path, ["g"], {"ids": "{stem}_ids.npy"})


def test_ids_beside_an_array(arrays, tmp_path):
    assert ingest({"image": arrays}, tmp_path / "data", quiet=True).object_ids.tolist() == ["x", "y"]
    np.save(tmp_path / "a_ids.npy", np.array(["x", "zzz"]))
    assert ingest({"image": arrays}, tmp_path / "data", quiet=True).object_ids.tolist() == ["x", "zzz"]


def test_a_file_beside_the_others_that_changes_while_it_is_read(arrays, tmp_path, monkeypatch):
    original = ImageArrays.read

    def growing(self, path):
        yield from original(self, path)
        np.save(tmp_path / "a_ids.npy", np.array(["x", "yy"]))

    with monkeypatch.context() as patch:
        patch.setattr(ImageArrays, "read", growing)
        with pytest.raises(FileError, match=r"a_ids.npy: changed while it was read. Run the same command again"):
            ingest({"image": arrays}, tmp_path / "data", workers=1, quiet=True)
    assert ingest({"image": arrays}, tmp_path / "data", quiet=True).object_ids.tolist() == ["x", "yy"]


def test_a_reader_that_is_given_to_another_one_counts(tmp_path):
    class Empty(FITSImages):
        def files(self):
            return [tmp_path / "positions.csv"]

        def also_reads(self):
            return []

    (tmp_path / "positions.csv").write_text("id,ra,dec,RA2\na,1,2,3\n")
    marks = [
        mark(Empty(TableReader(tmp_path / "positions.csv", (), "id", ra, "dec"), {"g": "x"}, 4, 0.4))
        for ra in ("ra", "RA2", "ra")
    ]
    assert marks[0] == marks[2] != marks[1]
