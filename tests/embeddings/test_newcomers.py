"""New files in the space of a store, by the model that made it."""

import shutil

import numpy as np
import pytest
import torch

from astroclip_kit.alignment import align
from astroclip_kit.data import ingest
from astroclip_kit.embeddings import EmbeddingStore, Query, embed, embed_queries, newcomers
from astroclip_kit.encoders import TabularMLP
from astroclip_kit.errors import FolderError, InputError, UsageError
from astroclip_kit.features import extract
from astroclip_kit.settings import Hardware, Training
from astroclip_kit.surveys import TableReader

N = 60
CPU = Hardware("cpu", "float32")


class Twice(torch.nn.Module):
    """An encoder of one's own that cannot be described, because it does not keep its argument."""

    out_features = 3

    def __init__(self, factor):
        super().__init__()
        self.layer = torch.nn.Linear(3, 3)

    def forward(self, x):
        return 2 * self.layer(x)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two tables of the same stars, and from them a model of each kind with its space."""
    root = tmp_path_factory.mktemp("stars")
    rng = np.random.default_rng(0)
    values = rng.normal(size=(N, 3))
    for name, columns in (("blue", values), ("red", values + 0.1 * rng.normal(size=(N, 3)))):
        lines = [f"s{i},{','.join(map(repr, row.tolist()))}" for i, row in enumerate(columns)]
        (root / f"{name}.csv").write_text("\n".join([f"name,{name}0,{name}1,{name}2", *lines]))
    readers = {
        name: TableReader(root / f"{name}.csv", [f"{name}{i}" for i in range(3)], "name") for name in ("blue", "red")
    }
    data = ingest(readers, root / "data", quiet=True)
    torch.manual_seed(0)
    encoders = {"blue": TabularMLP(3, 8), "red": TabularMLP(3, 8)}
    features = extract(data, encoders, root / "features", hardware=CPU)
    training = Training(epochs=2, hardware=CPU)
    heads = align(features, root / "heads", training=training, quiet=True)
    embed(heads, features, root / "space", quiet=True)
    raw = align(data, root / "raw", encoders=encoders, training=training, quiet=True)
    embed(raw, data, root / "raw_space", hardware=CPU, quiet=True)
    torch.manual_seed(5)
    own = extract(data, {"blue": Twice(1), "red": encoders["red"]}, root / "own_features", hardware=CPU)
    embed(align(own, root / "own", training=training, quiet=True), own, root / "own_space", quiet=True)
    return root


@pytest.mark.parametrize("space", ["space", "raw_space"])
@pytest.mark.parametrize("name", ["blue", "red"])
def test_a_file_of_the_survey_lies_where_the_store_has_it(made, space, name):
    store = EmbeddingStore(made / space)
    found = embed_queries(store, Query(file=made / f"{name}.csv"), name, hardware=CPU)
    assert found.name == name and len(found.samples) == N and not found.skipped
    np.testing.assert_allclose(found.vectors, store.vectors(name), atol=2e-3)  # features are kept in half precision
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-6)


def test_search_takes_new_files(made, tmp_path):
    store = EmbeddingStore(made / "space")
    lines = (made / "blue.csv").read_text().splitlines()
    (tmp_path / "one.csv").write_text("\n".join([lines[0], lines[8]]))
    found = store.search(Query(file=tmp_path / "one.csv", exact=True), query="blue", k=4)
    assert found["object_id"][0] == "s7" and found["similarity"][0] > 0.999 and len(found) == 4
    assert found.meta["newcomers"].samples[0].views["blue"].shape == (3,)
    both = store.search(Query(file=[tmp_path / "one.csv", made / "blue.csv"]), query="blue", target="red", k=2)
    assert both.colnames[:2] == ["query", "rank"] and len(both) == 2 * (N + 1)
    as_one = store.search(Query(file=made / "blue.csv", weights=[1.0] * N), query="blue", k=3)
    assert len(as_one) == 3
    mean = store.vectors("blue").mean(axis=0)
    assert as_one["object_id"][0] == store.object_ids[np.argmax(store.vectors("blue") @ mean)]
    less = store.search(Query(file=tmp_path / "one.csv", unlike="s7"), query="blue", k=3, where="object_id != 's0'")
    assert "s7" not in less["object_id"]


def test_a_table_may_name_files(made, tmp_path):
    lines = (made / "blue.csv").read_text().splitlines()
    (tmp_path / "new stars").mkdir()
    for row in (3, 5):
        (tmp_path / "new stars" / f"{row}.csv").write_text("\n".join([lines[0], lines[row + 1]]))
    (tmp_path / "list.csv").write_text("file\nnew stars/5.csv\nnew stars/3.csv\n")
    found = EmbeddingStore(made / "space").search(Query(table=str(tmp_path / "list.csv")), query="blue", k=1)
    assert list(found["object_id"]) == ["s5", "s3"]


def test_space_and_model_may_move_together_and_the_model_be_named(made, tmp_path):
    query = Query(file=made / "red.csv")
    for name in ("space", "heads"):
        shutil.copytree(made / name, tmp_path / name)
    assert len(embed_queries(EmbeddingStore(tmp_path / "space"), query, "red").vectors) == N
    shutil.rmtree(tmp_path / "heads")
    with pytest.raises(UsageError, match=r"say with `model` which model folder made .*space"):
        embed_queries(EmbeddingStore(tmp_path / "space"), query, "red")
    named = Query(file=made / "red.csv", model=made / "heads")
    assert len(embed_queries(EmbeddingStore(tmp_path / "space"), named, "red").vectors) == N


def test_another_model_is_refused(made):
    store = EmbeddingStore(made / "space")
    with pytest.raises(InputError, match=r"space was made by another model than .*own"):
        embed_queries(store, Query(file=made / "red.csv", model=made / "own"), "red")
    with pytest.raises(UsageError, match="the model has no modality 'green'; it has blue, red"):
        embed_queries(store, Query(file=made / "red.csv"), "green")
    with pytest.raises(UsageError, match="does not say what it was trained on"):
        embed_queries(store, Query(file=made / "red.csv", model=TabularMLP(3, 8)), "red")
    with pytest.raises(FolderError, match="expected a model folder"):
        embed_queries(store, Query(file=made / "red.csv", model=made / "features"), "red")


def test_an_encoder_that_could_not_be_kept_is_passed_again(made):
    store = EmbeddingStore(made / "own_space")
    assert len(embed_queries(store, Query(file=made / "red.csv"), "red").vectors) == N
    query = Query(file=made / "blue.csv")
    with pytest.raises(FolderError, match="own does not hold the encoder of blue, which a new file needs"):
        embed_queries(store, query, "blue")
    torch.manual_seed(5)
    found = embed_queries(store, query, "blue", encoders={"blue": Twice(1)}, hardware=CPU)
    np.testing.assert_allclose(found.vectors, store.vectors("blue"), atol=2e-3)
    with pytest.raises(InputError, match="the encoder of blue is another than the one whose features the model was"):
        embed_queries(store, query, "blue", encoders={"blue": Twice(1)})


def test_a_vector_that_is_not_finite_is_refused(made, monkeypatch):
    vectors = np.where(np.arange(N) == 4, np.nan, 1.0)[:, None]
    monkeypatch.setattr(newcomers, "_vectors", lambda *given: (vectors, None))
    with pytest.raises(InputError, match="the model gives a vector that is not finite"):
        embed_queries(EmbeddingStore(made / "space"), Query(file=made / "blue.csv"), "blue")


def test_an_older_model_without_its_encoders_says_what_to_do(made, tmp_path):
    shutil.copytree(made / "heads", tmp_path / "heads")
    shutil.rmtree(tmp_path / "heads" / "encoders")
    query = Query(file=made / "red.csv", model=tmp_path / "heads")
    with pytest.raises(FolderError, match=r"does not hold the encoder of red.*embed_queries\(..., encoders="):
        embed_queries(EmbeddingStore(made / "space"), query, "red")
