import errno
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from astroclip_kit import storage
from astroclip_kit.errors import FolderError, OutputError


def test_publish_leaves_the_old_file_when_the_writer_fails(tmp_path):
    path = tmp_path / "a.txt"
    storage.publish(path, lambda temporary: temporary.write_text("old"))

    def fail(temporary):
        temporary.write_text("half")
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        storage.publish(path, fail)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "no space left"), (errno.EACCES, "not allowed to write")])
def test_publish_names_the_path_and_the_way_out(tmp_path, number, words):
    def fail(temporary):
        raise OSError(number, os.strerror(number))

    with pytest.raises(OutputError, match=words):
        storage.publish(tmp_path / "a", fail)


def test_a_full_disk_leaves_no_folder_that_looks_whole(tmp_path):
    code = f"""
import resource
from astroclip_kit import storage
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with storage.new_folder({str(tmp_path / "out")!r}, "model") as folder:
    (folder / "big").write_bytes(bytes(100_000))
    storage.write_manifest(folder, "model", {{}})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "no space left to write" in done.stderr
    assert not list(tmp_path.iterdir())


def test_json_holds_numpy_values_and_turns_nan_into_null(tmp_path):
    storage.write_json(tmp_path / "a.json", {"x": np.float32(1.5), "n": float("nan"), "v": np.arange(2), "p": tmp_path})
    assert storage.read_json(tmp_path / "a.json") == {"x": 1.5, "n": None, "v": [0, 1], "p": str(tmp_path)}


def test_a_long_list_of_numbers_is_one_line_and_reads_back_as_it_was(tmp_path):
    grid = tuple((10 ** (3.5 + 1e-4 * np.arange(100))).tolist())
    told = {"grid": grid, "bands": ["g", "r"], "gaps": [1.0] * 40 + [np.nan], "yes": [True] * 40, "of": [{"n": grid}]}
    storage.write_json(tmp_path / "a.json", told)
    assert storage.read_json(tmp_path / "a.json") == {
        **told,
        "grid": list(grid),
        "gaps": [1.0] * 40 + [None],
        "of": [{"n": list(grid)}],
    }
    lines = (tmp_path / "a.json").read_text().splitlines()
    assert len([line for line in lines if len(line) > 500]) == 2 and ' "bands": [' in lines


def test_damaged_json_is_one_clear_error(tmp_path):
    (tmp_path / "a.json").write_text("{half")
    with pytest.raises(FolderError, match=r"a\.json: damaged"):
        storage.read_json(tmp_path / "a.json")


def test_new_folder_replaces_its_own_kind_in_one_step_and_nothing_else(tmp_path):
    for value in (1, 2):
        with storage.new_folder(tmp_path / "out", "model") as folder:
            storage.write_manifest(folder, "model", {"value": value})
    assert storage.open_folder(tmp_path / "out", "model")["value"] == 2
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    for name, kind, message in (
        ("mine", "model", "mine exists and was not written by astroclip_kit"),
        ("mine/thesis.tex", "model", "thesis.tex exists and was not written by astroclip_kit"),
        (
            "out",
            "embeddings",
            "out is a model folder, expected an embeddings folder or nothing in the way. Choose another",
        ),
    ):
        with pytest.raises(FolderError, match=message), storage.new_folder(tmp_path / name, kind):
            pass
    assert storage.open_folder(tmp_path / "out", "model")["value"] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out"]


def test_what_somebody_else_put_into_a_folder_survives_its_replacement(tmp_path):
    for name in ("old.npy", "new.npy"):
        with storage.new_folder(tmp_path / "out", "model") as folder:
            (folder / name).write_text("of the kit")
            storage.write_manifest(folder, "model", {})
        (tmp_path / "out" / "notes.txt").write_text("mine")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"manifest.json", "new.npy", "notes.txt"}


def test_a_folder_that_holds_one_of_the_kind_leads_there(tmp_path):
    storage.append_journal(tmp_path, {"stage": "embed"})  # as a run does
    for name, kind in (("embeddings", "embeddings"), ("first", "dataset"), ("second", "dataset")):
        (tmp_path / name).mkdir()
        storage.write_manifest(tmp_path / name, kind, {})
    with pytest.raises(FolderError, match=f"Did you mean {re.escape(str(tmp_path / 'embeddings'))}\\?$"):
        storage.open_folder(tmp_path, "embeddings")
    for kind in ("dataset", "model", ""):
        with pytest.raises(FolderError, match="interrupted: run it again"):
            storage.open_folder(tmp_path, kind)


def test_open_folder_says_what_is_wrong(tmp_path):
    with pytest.raises(FolderError, match="no such folder"):
        storage.open_folder(tmp_path / "absent", "dataset")
    with pytest.raises(FolderError, match="not a complete dataset folder"):
        storage.open_folder(tmp_path, "dataset")
    storage.append_journal(tmp_path, {"shard": 0})
    with pytest.raises(FolderError, match="interrupted: run it again"):
        storage.open_folder(tmp_path, "dataset")
    storage.write_manifest(tmp_path, "model", {})
    with pytest.raises(FolderError, match="is a model folder, expected a dataset folder"):
        storage.open_folder(tmp_path, "dataset")
    newer = storage.read_json(tmp_path / "manifest.json") | {"format_version": storage.FORMAT_VERSION + 1}
    storage.write_json(tmp_path / "manifest.json", newer)
    with pytest.raises(FolderError, match=r"newer astroclip_kit: its folder format is \d+, this one reads up"):
        storage.open_folder(tmp_path, "model")
    for text in ("[1]", "no JSON", '{"files": []}'):
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(FolderError, match=r"manifest.json was not written by astroclip_kit, or it is damaged.$"):
            storage.open_folder(tmp_path, "model")


def test_a_journal_line_cut_off_by_a_crash_is_ignored_and_swallows_nothing(tmp_path):
    storage.append_journal(tmp_path, {"shard": 0})
    with (tmp_path / "journal.jsonl").open("ab") as handle:
        handle.write(b'{"shard": 1')
    storage.append_journal(tmp_path, {"shard": 2})
    assert [entry["shard"] for entry in storage.read_journal(tmp_path)] == [0, 2]


def test_every_acknowledged_journal_line_survives_kill_9(tmp_path):
    code = f"""
from astroclip_kit import storage
for number in range(10**6):
    storage.append_journal({str(tmp_path)!r}, {{"n": number}})
    print(number, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    said = [int(process.stdout.readline()) for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    kept = [entry["n"] for entry in storage.read_journal(tmp_path)]
    assert kept[: len(said)] == said
    assert kept == list(range(len(kept)))


def test_hashes_keep_parts_apart_and_do_not_depend_on_key_order():
    assert storage.hash_text("ab", "c") != storage.hash_text("a", "bc")
    assert storage.hash_json({"a": 1, "b": 2}) == storage.hash_json(json.loads('{"b": 2, "a": 1}'))


def test_hash_ids_is_fixed_for_ever_and_depends_on_the_seed():
    ids = np.array(["a", "b"])
    assert storage.hash_ids(ids).tolist() == storage.hash_ids(["a", "b"]).tolist()
    assert storage.hash_ids(["a"]).tolist() == [4180199910021036473]  # splits on disk depend on it
    assert (storage.hash_ids(ids, seed=1) != storage.hash_ids(ids)).all()


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_others_may_read_what_a_writer_keeps_to_itself(tmp_path, mask, mode):
    from safetensors.numpy import save_file

    before = os.umask(mask)
    try:
        storage.publish(tmp_path / "a.safetensors", lambda path: save_file({"a": np.ones(3)}, path))
        with storage.new_folder(tmp_path / "b", "model") as folder:
            save_file({"a": np.ones(3)}, folder / "weights.safetensors")
            storage.write_manifest(folder, "model", {})
    finally:
        os.umask(before)
    files = [tmp_path / "a.safetensors", *(tmp_path / "b").iterdir()]
    assert {file.stat().st_mode & 0o777 for file in files} == {mode} and len(files) == 3
