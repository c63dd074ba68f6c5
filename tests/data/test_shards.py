"""Tests of views in Arrow files."""

import numpy as np
import pyarrow as pa
import pytest

from astroclip_kit.data import shards
from astroclip_kit.errors import FolderError


def views(lengths, seed=0):
    rng = np.random.default_rng(seed)
    return [None if n is None else rng.normal(size=n).astype(np.float32) for n in lengths]


@pytest.mark.parametrize(("lengths", "width"), [([4, None, 4, 4, None, 4], 4), ([3, None, 1, 7, None, 2], 0)])
@pytest.mark.parametrize("start", [0, 1, 2])
def test_nulls_shift_no_row_even_in_a_slice(lengths, width, start):
    """`.flatten()` would drop the nulls and move every later row."""
    wanted = views(lengths)
    column = shards.pack(wanted, width)
    found = shards.unpack(column.slice(start))
    assert found.present.tolist() == [view is not None for view in wanted[start:]]
    for row, view in enumerate(wanted[start:]):
        np.testing.assert_array_equal(found[row], [] if view is None else view)
    assert np.shares_memory(found.values, column.values.to_numpy())


def test_only_a_list_saves_the_room_of_a_null():
    wanted = views([1000, *[None] * 9])
    assert shards.pack(wanted, 1000).nbytes > 5 * shards.pack(wanted).nbytes


@pytest.fixture
def reader(tmp_path):
    wanted = views([5, None, 5, 5, None, 5, 5])
    paths = [tmp_path / "a.arrow", tmp_path / "b.arrow", tmp_path / "c.arrow"]
    for path, rows in zip(paths, (wanted[:3], wanted[3:4], wanted[4:]), strict=True):
        shards.write_table(path, pa.table({"x": shards.pack(rows), "n": list(range(len(rows)))}))
    return shards.ShardReader(paths, [3, 1, 3]), wanted


def test_rows_of_many_shards(reader):
    reader, wanted = reader
    assert len(reader) == 7
    assert reader.present("x").tolist() == [view is not None for view in wanted]
    assert reader.lengths("x").tolist() == [5, 0, 5, 5, 0, 5, 5]
    assert reader.column("n").to_pylist() == [0, 1, 2, 0, 0, 1, 2]
    rows = np.array([6, 0, 3, 5, 2, 6])
    np.testing.assert_array_equal(reader.take("x", rows, 5), np.stack([wanted[row] for row in rows]))
    assert all((one == wanted[row]).all() for one, row in zip(reader.many("x", rows), rows, strict=True))


def test_reading_copies_nothing(reader):
    reader, _ = reader
    one = reader.one("x", 5)
    assert not one.flags.writeable and not one.flags.owndata
    assert np.shares_memory(one, reader.one("x", 5))


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", None])
def test_a_damaged_shard(tmp_path, content):
    path = tmp_path / "a.arrow"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FolderError, match=r"a.arrow: damaged or missing \(.*Delete the folder and write it again"):
        shards.ShardReader([path], [3]).one("x", 0)


def test_a_truncated_shard(tmp_path):
    path = tmp_path / "a.arrow"
    shards.write_table(path, pa.table({"x": shards.pack(views([100] * 50))}))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(FolderError, match="damaged or missing"):
        shards.ShardReader([path], [50]).one("x", 0)


def test_the_hash_sees_values_lengths_and_nulls():
    same, other = views([2, None, 3]), views([2, None, 3], seed=1)
    hashes = [
        shards.fingerprint(shards.pack(one)) for one in (same, same, other, views([3, None, 2]), views([2, 3, None]))
    ]
    assert hashes[0] == hashes[1] and len(set(hashes)) == 4


def test_files_do_not_stay_mapped_without_end(tmp_path, monkeypatch):
    paths = [tmp_path / f"{number}.arrow" for number in range(6)]
    for number, path in enumerate(paths):
        shards.write_table(path, pa.table({"view": shards.pack([np.full(100, number, np.float32)])}))
    reader, none = shards.ShardReader(paths, [1] * 6), np.zeros(0, dtype=np.int64)
    monkeypatch.setattr(shards, "MOST_MAPPED", 1000)
    opened = []
    for row in range(6):
        assert reader.one("view", row).tolist() == [row] * 100
        reader.remove(none)
        opened.append(reader.views.cache_info().currsize)
    assert opened == [1, 2, 0, 1, 2, 0] and all(path.exists() for path in paths)
