"""Columns as FITS files and other programs hold them: masked, of bytes, in a foreign byte order, with ids twice."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import MaskedColumn

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.embeddings.saved_columns import SavedColumn

N = 4
MASK = np.arange(N) == 1


@pytest.fixture
def store(tmp_path):
    return EmbeddingStore.write(tmp_path / "space", {"image": np.eye(N)}, [f"o{i}" for i in range(N)])


@pytest.fixture
def folder(store):
    found = store.root.parent / "space.columns"
    found.mkdir()
    return found


def test_masked_values_are_missing(store):
    assert store.save_column("z", MaskedColumn([0.1, -99, 0.3, 0.4], mask=MASK)).count == 3
    store.save_column("word", MaskedColumn(["a", "N/A", "b", ""], mask=MASK))
    store.save_column("flag", MaskedColumn([True, True, False, True], mask=MASK))
    np.testing.assert_array_equal(store.catalog["z"], [0.1, np.nan, 0.3, 0.4])
    assert store.catalog["word"].tolist() == ["a", "", "b", ""]
    assert store.catalog["flag"].tolist() == [True, False, False, True]


@pytest.mark.parametrize("kind", [">f8", ">f4", ">i2", ">i8", "<f8"])
def test_numbers_of_any_byte_order_are_saved(store, kind):
    store.save_column("number", np.arange(N).astype(kind))
    assert store.catalog["number"].tolist() == list(range(N)) and store.catalog["number"].dtype.isnative


@pytest.mark.parametrize("kind", ["S", object])
def test_bytes_are_text(store, kind):
    store.save_column("word", np.array([b"a", b"", "é".encode(), b"\xff"], dtype=kind))
    assert store.catalog["word"].tolist() == ["a", "", "é", "\ufffd"]


def test_an_id_that_is_there_twice_counts_once(store, folder, capsys):
    table = pa.table({"object_id": ["o0", "o0", "o2"], "value": [1.0, 2.0, 3.0]})
    pq.write_table(table, folder / "twice.parquet")
    np.testing.assert_array_equal(EmbeddingStore(store).catalog["twice"], [1, np.nan, 3, np.nan])
    assert capsys.readouterr().err == ""
    pq.write_table(pa.table({"object_id": ["o0", "o0", "x"], "value": [1.0, 2.0, 3.0]}), folder / "twice.parquet")
    np.testing.assert_array_equal(EmbeddingStore(store).catalog["twice"], [1, np.nan, np.nan, np.nan])
    assert "1 of its 3 objects are not in" in capsys.readouterr().err


def test_a_file_that_another_page_removes_meanwhile_is_no_note(store, folder, monkeypatch):
    (folder / "gone.parquet").write_bytes(b"")
    whole = SavedColumn.open

    def late(path):
        path.unlink()
        return whole(path)

    monkeypatch.setattr(SavedColumn, "open", late)
    opened = EmbeddingStore(store).catalog
    assert opened.notes == [] and not opened.saved


def test_whole_numbers_that_would_lose_digits_are_not_shown(store, folder, capsys):
    large = pa.table({"object_id": ["o0", "o1", "o2", "o3"], "value": 2**60 + np.arange(4)})
    pq.write_table(large, folder / "gaia.parquet")
    assert EmbeddingStore(store).catalog["gaia"].tolist() == [2**60, 2**60 + 1, 2**60 + 2, 2**60 + 3]
    pq.write_table(large[:3], folder / "gaia.parquet")
    assert np.isnan(EmbeddingStore(store).catalog["gaia"]).all()
    assert "whole numbers above 2^53 would lose digits. Save them as text" in capsys.readouterr().err
