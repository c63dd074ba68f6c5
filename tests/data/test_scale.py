"""Tests of many files: in bounded memory, with few of them open, and without reading anything twice."""

import errno
import os
import resource
import subprocess
import sys

import numpy as np
import pytest

from astroclip_kit import storage
from astroclip_kit.data import Dataset, gathering, ingest, pool, shards, staging
from astroclip_kit.errors import FolderError, KitError
from astroclip_kit.settings import Matching


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


class Killed(BaseException):
    """Stands for the end of the process."""


def count_reads(images, monkeypatch):
    read = []
    original = type(images).read

    def reading(self, path):
        read.append(path)
        return original(self, path)

    monkeypatch.setattr(type(images), "read", reading)
    return read


def test_few_tasks_wait_and_answers_keep_their_order():
    made = []

    def tasks():
        for number in range(100):
            made.append(number)
            yield number

    for done, answer in enumerate(pool.in_order(lambda number: (number, os.getpid()), tasks(), workers=2)):
        assert answer[0] == done and answer[1] != os.getpid()
        assert len(made) - done <= 2 * pool.AHEAD
    assert done == 99
    assert list(pool.in_order(abs, [-1, 2], workers=1)) == [1, 2]


def test_more_files_make_larger_chunks(monkeypatch):
    for count, size in ((10, 64), (63_000, 64), (64_000, 128), (10**6, 1024), (10**8, 1024)):
        edges = staging._edges(count, 1e5)
        assert edges[0] == (0, min(count, size)) and edges[-1][1] == count
        assert len(edges) <= 2 * staging.MOST_CHUNKS or size == 1024
    assert staging._edges(20, 1e8) == [(number, number + 1) for number in range(20)]
    assert staging._edges(100, 2e6)[0] == (0, 32)


def test_no_more_files_are_open_than_a_process_may_have(images, tmp_path, write, fake, monkeypatch):
    """Rows in an order that has nothing to do with that of the files."""
    monkeypatch.setattr(staging, "FILES_PER_CHUNK", 1)
    monkeypatch.setattr(gathering, "SHARD_BYTES", 5000)
    order = np.random.default_rng(0).permutation(60)
    write(tmp_path / "s", [{"id": f"o{i:02d}", "view": fake.spectrum(int(i))} for i in order])
    sources = {"image": images, "spectrum": fake.JsonReader(tmp_path / "s", fake.SPECTRUM)}
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = max(map(int, os.listdir("/proc/self/fd"))) if os.path.isdir("/proc/self/fd") else 60
    resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 40, limits[1]))
    try:
        dataset = ingest(sources, tmp_path / "data", workers=1, quiet=True)
        views = dataset.views("spectrum", np.arange(60))
        assert dataset.object_ids.tolist() == [f"o{i:02d}" for i in range(60)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    np.testing.assert_array_equal(views, np.array([fake.spectrum(i) for i in range(60)], np.float32))


def test_too_many_open_shards_are_not_called_damaged(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(shards.pa, "memory_map", full)
    with pytest.raises(
        KitError, match=r"a.arrow: .*Too many open files. Raise the limit of open files: ulimit -n"
    ) as caught:
        shards.ShardReader([tmp_path / "a.arrow"], [1]).one("x", 0)
    assert not isinstance(caught.value, FolderError)


def test_staged_views_go_as_the_dataset_grows(images, tmp_path, monkeypatch):
    monkeypatch.setattr(gathering, "SHARD_BYTES", 2000)
    left = []
    append = storage.append_journal

    def counting(folder, entry):
        left.append(len(list((tmp_path / "data" / "staging" / "image").glob("*-0000.arrow"))))
        append(folder, entry)

    whole = contents(ingest({"image": images}, tmp_path / "whole", name="data", workers=1, quiet=True).root)
    monkeypatch.setattr(gathering.storage, "append_journal", counting)
    assert contents(ingest({"image": images}, tmp_path / "data", workers=1, quiet=True).root) == whole
    assert max(left) == 12 and left[-1] <= 2 and len(left) > 14


def test_only_the_chunk_of_a_changed_file_is_read_again(interrupt, images, tmp_path, write, fake, monkeypatch):
    read = count_reads(images, monkeypatch)
    interrupt(images, tmp_path / "data")
    write(tmp_path / "i", [{"id": "o00", "view": fake.image(500)}])
    read.clear()
    dataset = ingest({"image": images}, tmp_path / "data", workers=1, quiet=True)
    assert [path.name for path in read] == [f"{i:05d}.json" for i in range(5)]
    np.testing.assert_array_equal(dataset.views("image", [0]), [fake.image(500)])
    whole = ingest({"image": images}, tmp_path / "whole", name="data", workers=1, quiet=True)
    assert contents(tmp_path / "data") == contents(whole.root)


def test_another_matching_reads_nothing_again(interrupt, images, tmp_path, monkeypatch):
    read = count_reads(images, monkeypatch)
    interrupt(images, tmp_path / "data")
    assert len(read) == 60
    read.clear()
    again = ingest({"image": images}, tmp_path / "data", matching=Matching(group="position"), workers=1, quiet=True)
    assert not read and len(again) == 60


def test_what_was_gathered_and_deleted_is_read_again_for_other_inputs(images, tmp_path, write, fake, monkeypatch):
    """A run that was killed while it gathered has deleted views that another matching needs."""
    monkeypatch.setattr(gathering, "SHARD_BYTES", 2000)
    append, shard_entries, read = storage.append_journal, [], count_reads(images, monkeypatch)

    def killed(folder, entry):
        append(folder, entry)
        shard_entries.append("shard" in entry)
        if sum(shard_entries) == 5:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(storage, "append_journal", killed)
        with pytest.raises(Killed):
            ingest({"image": images}, tmp_path / "data", workers=1, quiet=True)
    read.clear()
    other = Matching(group="position")
    again = ingest({"image": images}, tmp_path / "data", matching=other, workers=1, quiet=True)
    assert 0 < len(read) < 60
    whole = ingest({"image": images}, tmp_path / "whole", name="data", matching=other, workers=1, quiet=True)
    assert contents(again.root) == contents(whole.root)


def test_damaged_staging_is_one_clear_error(interrupt, images, tmp_path, monkeypatch):
    interrupt(images, tmp_path / "data")
    next((tmp_path / "data" / "staging" / "image").glob("*.rows.arrow")).write_bytes(b"")
    with pytest.raises(FolderError, match=r"rows.arrow: damaged or missing .*Delete the folder and write it again"):
        ingest({"image": images}, tmp_path / "data", workers=1, quiet=True)


def test_a_second_process_is_refused(images, tmp_path):
    hold = "import sys\nfrom astroclip_kit.storage import only_writer\nwith only_writer(sys.argv[1]):\n"
    hold += "    print(flush=True)\n    sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(tmp_path / "data")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(FolderError, match=r"data is being written by process \d+ on .* Wait until it ends"):
            ingest({"image": images}, tmp_path / "data", quiet=True)
        process.stdin.close()
    assert len(ingest({"image": images}, tmp_path / "data", quiet=True)) == 60


def test_the_rows_of_a_catalogue_take_no_files_of_views(images, tmp_path, write, fake, monkeypatch):
    write(tmp_path / "c", [{"id": f"o{i:02d}", "labels": {"z": i}} for i in range(60)], per_file=30)
    catalogue = fake.JsonReader(tmp_path / "c")
    with monkeypatch.context() as patch:
        patch.setattr("astroclip_kit.data.build.gather", lambda *_: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            ingest({"image": images, "catalogue": catalogue}, tmp_path / "data", workers=1, quiet=True)
    assert [path.name[-11:] for path in (tmp_path / "data" / "staging" / "catalogue").iterdir()] == [".rows.arrow"]
    dataset = ingest({"image": images, "catalogue": catalogue}, tmp_path / "data", workers=1, quiet=True)
    assert dataset.labels["z"].tolist() == list(range(60))


MEASURE = """
import resource, sys
from pathlib import Path
import numpy as np
from astroclip_kit.data import ingest
from astroclip_kit.surveys.files.file_lists import find_files
from astroclip_kit.types import Modality, Sample

class Tiny:
    modality = Modality("spectrum", "spectrum", ("flux", "ivar"), (2, 4), "", (1.0, 2.0, 3.0, 4.0))
    def files(self):
        return find_files(sys.argv[1], "*.dat")
    def read(self, path):
        number = float(path.stem)
        view = {"spectrum": np.full((2, 4), number + 1, np.float32)}
        return [Sample(path.stem, view, number % 360, 0.0, {"z": number, "class": "QSO"})]

dataset = ingest({"spectrum": Tiny()}, sys.argv[2], workers=2, quiet=True)
peak = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(len(dataset), *peak)
"""


@pytest.mark.slow
def test_memory_is_that_of_the_catalogue(tmp_path):
    """What 20,000 files take more than 1,000 is a catalogue of some kilobytes a file, and nothing in a worker."""
    peaks = {}
    for count in (1000, 20000):
        folder = tmp_path / str(count)
        folder.mkdir()
        for number in range(count):
            (folder / f"{number:06d}.dat").touch()
        command = [sys.executable, "-c", MEASURE, str(folder), str(tmp_path / f"data-{count}")]
        rows, *peaks[count] = map(
            int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        )
        assert rows == count
    parent, worker = (1024 * (more - less) for more, less in zip(peaks[20000], peaks[1000], strict=True))
    assert parent < 19000 * 4000 and worker < 20e6


def test_a_dataset_of_many_shards_opens_few_of_them(images, tmp_path, monkeypatch):
    monkeypatch.setattr(gathering, "SHARD_BYTES", 300)
    ingest({"image": images}, tmp_path / "data", workers=1, quiet=True)
    monkeypatch.setattr(shards, "MOST_OPEN", 4)
    dataset = Dataset(tmp_path / "data")
    assert len(dataset.manifest["shards"]) > 40
    for row in range(60):
        assert dataset[row].object_id == f"o{row:02d}"
    assert dataset._shards.views.cache_info().currsize <= 4
