"""Tests of many files, of files that change, and of a computer that runs out of something."""

import csv
import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from astroclip_kit import storage
from astroclip_kit.data import Dataset, gathering, ingest, pool, shards, staging
from astroclip_kit.errors import FileError, FolderError, KitError, OutputError
from astroclip_kit.settings import Matching
from astroclip_kit.types import Sample


def drops(folder):
    with (folder / "drops.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def images(tmp_path, write, fake, monkeypatch):
    """A reader of 60 files in chunks of 5."""
    monkeypatch.setattr(staging, "FILES_PER_CHUNK", 5)
    write(tmp_path / "i", [{"id": f"o{i:02d}", "view": fake.image(i)} for i in range(60)])
    return fake.JsonReader(tmp_path / "i", fake.IMAGE)


class Killed(BaseException):
    """Stands for the end of the process."""


def interrupt(images, out, monkeypatch, **more):
    """Leaves a dataset folder where everything is read and nothing is gathered."""
    with monkeypatch.context() as patch:
        patch.setattr("astroclip_kit.data.build.gather", lambda *_: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            ingest({"image": images}, out, workers=1, quiet=True, **more)


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
        edges = staging._edges(count)
        assert edges[0] == (0, min(count, size)) and edges[-1][1] == count
        assert len(edges) <= 2 * staging.MOST_CHUNKS or size == 1024


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


def test_only_the_chunk_of_a_changed_file_is_read_again(images, tmp_path, write, fake, monkeypatch):
    read = count_reads(images, monkeypatch)
    interrupt(images, tmp_path / "data", monkeypatch)
    write(tmp_path / "i", [{"id": "o00", "view": fake.image(500)}])
    read.clear()
    dataset = ingest({"image": images}, tmp_path / "data", workers=1, quiet=True)
    assert [path.name for path in read] == [f"{i:05d}.json" for i in range(5)]
    np.testing.assert_array_equal(dataset.views("image", [0]), [fake.image(500)])
    whole = ingest({"image": images}, tmp_path / "whole", name="data", workers=1, quiet=True)
    assert contents(tmp_path / "data") == contents(whole.root)


def test_another_matching_reads_nothing_again(images, tmp_path, monkeypatch):
    read = count_reads(images, monkeypatch)
    interrupt(images, tmp_path / "data", monkeypatch)
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


def test_strict_finds_what_an_earlier_run_left_out(images, tmp_path, monkeypatch):
    (tmp_path / "i" / "00003.json").write_text("<html>")
    interrupt(images, tmp_path / "data", monkeypatch)
    with pytest.raises(FileError, match=r"00003.json: this is a web page"):
        ingest({"image": images}, tmp_path / "data", workers=1, strict=True, quiet=True)


def test_damaged_staging_is_one_clear_error(images, tmp_path, monkeypatch):
    interrupt(images, tmp_path / "data", monkeypatch)
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


def test_a_folder_of_other_files_is_pointed_out(images, tmp_path, capsys):
    for number in range(70):
        (tmp_path / "i" / f"x{number}.json").write_text("<html>")
    dataset = ingest({"image": images}, tmp_path / "data", workers=1)
    note = "70 of 130 files or rows of image could not be used; check that the reader fits the folder"
    assert note in capsys.readouterr().err and len(dataset) == 60


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
from astroclip_kit.surveys.file_lists import find_files
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
