"""Tests that a dataset stays as it is until the one that takes its place is complete."""

import datasets
import pytest

from astroclip_kit import storage
from astroclip_kit.data import Dataset, folder, gathering, ingest
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings import Matching


class Killed(BaseException):
    """Stands for the end of the process."""


BY_POSITION = Matching(group="position")


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def sources(tmp_path, write, fake, monkeypatch):
    monkeypatch.setattr(gathering, "SHARD_BYTES", 1000)
    rows = [{"id": f"o{i}", "view": fake.image(i), "ra": float(i // 2), "dec": 0.0} for i in range(12)]
    return {"image": fake.JsonReader(write(tmp_path / "i", rows), fake.IMAGE)}


@pytest.fixture
def killed_after(monkeypatch):
    """Makes the process end after so many writes."""

    def function(writes):
        left = writes

        def count_down(write):
            def wrapped(*arguments):
                nonlocal left
                left -= 1
                if left < 0:
                    raise Killed
                return write(*arguments)

            return wrapped

        monkeypatch.setattr(storage, "publish", count_down(storage.publish))
        monkeypatch.setattr(storage, "append_journal", count_down(storage.append_journal))

    return function


def both(sources, tmp_path):
    """An older dataset, and the new one, in folders of their own: what there may be, and nothing else."""
    older = ingest(sources, tmp_path / "older", name="data", quiet=True)
    return contents(older.root), contents(
        ingest(sources, tmp_path / "new", name="data", matching=BY_POSITION, quiet=True).root
    )


@pytest.mark.parametrize("then", ["the new one", "the older one"])
def test_killed_at_every_write(sources, tmp_path, monkeypatch, killed_after, then):
    older, new = both(sources, tmp_path)
    out, seen = tmp_path / "data", []
    for writes in range(100):
        ingest(sources, out, workers=1, quiet=True)
        assert contents(out) == older
        with monkeypatch.context():
            killed_after(writes)
            try:
                ingest(sources, out, workers=1, quiet=True, matching=BY_POSITION)
                break
            except Killed:
                pass
            finally:
                monkeypatch.undo()
                monkeypatch.setattr(gathering, "SHARD_BYTES", 1000)
        groups = len(set(Dataset(out).groups))
        assert [*Dataset(out)] and groups in (12, 6)
        assert datasets.load_from_disk(out)["object_id"][:] == [f"o{i}" for i in range(12)]
        seen.append(groups)
        again = ingest(sources, out, workers=1, quiet=True, **({"matching": BY_POSITION} if "new" in then else {}))
        assert contents(again.root) == (new if "new" in then else older)
    assert seen == sorted(seen, reverse=True) and {12, 6} == set(seen) and writes >= 20
    assert contents(out) == new


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"matching": Matching(group="nope")}, UsageError, "matching.group is 'nope', expected"),
        ({"where": "ra > 1000"}, InputError, "holds for none of 12 rows"),
    ],
)
def test_a_command_that_fails_leaves_the_dataset_as_it_was(sources, tmp_path, capsys, change, error, message):
    ingest(sources, tmp_path / "data", quiet=True)
    before = contents(tmp_path / "data")
    with pytest.raises(error, match=message):
        ingest(sources, tmp_path / "data", workers=1, **change)
    assert "starting again. The older dataset stays until the new one is complete.\n" in capsys.readouterr().err
    assert before.items() <= contents(tmp_path / "data").items() and len(Dataset(tmp_path / "data")) == 12
    ingest(sources, tmp_path / "data", quiet=True)
    assert contents(tmp_path / "data") == before


def test_a_source_of_which_nothing_can_be_read(sources, tmp_path, write, fake):
    ingest(sources, tmp_path / "data", quiet=True)
    bad = fake.JsonReader(write(tmp_path / "c", [{"id": "o1", "reason": "no column 'zz'"}]))
    with pytest.raises(InputError, match=r"nothing in its 1 files can be used: .*no column 'zz'"):
        ingest({**sources, "catalogue": bad}, tmp_path / "data", quiet=True)
    assert len(Dataset(tmp_path / "data")) == 12


def test_shards_of_a_run_that_was_given_up_go(sources, tmp_path, monkeypatch):
    ingest(sources, tmp_path / "data", quiet=True)
    before = contents(tmp_path / "data")
    with monkeypatch.context() as patch:
        patch.setattr(folder, "finish", lambda *_: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            ingest(sources, tmp_path / "data", quiet=True, matching=BY_POSITION)
    assert len(list((tmp_path / "data").glob("data-*.arrow"))) == 2 * len(Dataset(tmp_path / "data").manifest["shards"])
    third = ingest(sources, tmp_path / "data", quiet=True, where="ra < 3")
    assert len(list((tmp_path / "data").glob("data-*.arrow"))) == len(third.manifest["shards"])
    ingest(sources, tmp_path / "data", quiet=True)
    assert contents(tmp_path / "data") == before
