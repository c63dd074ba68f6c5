"""A space in which two encoders of one modality are views of their own, asked with new files."""

import numpy as np
import pytest

import astroclip_kit as ak
from astroclip_kit.data import ingest
from astroclip_kit.embeddings import EmbeddingStore, Query, embed_queries
from astroclip_kit.encoders import TabularMLP
from astroclip_kit.errors import UsageError
from astroclip_kit.models import save_model
from astroclip_kit.settings import Hardware, Training
from astroclip_kit.surveys import TableReader

CPU = Hardware("cpu", "float32")
MLP = {"class_path": "astroclip_kit.encoders.TabularMLP", "init_args": {"out_features": 4}}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Tables of stars, and the space of two encoders of the first and one of the second."""
    root = tmp_path_factory.mktemp("stars")
    rng = np.random.default_rng(0)
    for name in ("blue", "red"):
        lines = [f"s{i},{a},{b}" for i, (a, b) in enumerate(rng.normal(size=(40, 2)))]
        (root / f"{name}.csv").write_text("\n".join([f"name,{name}0,{name}1", *lines]))
    readers = {name: TableReader(root / f"{name}.csv", [f"{name}0", f"{name}1"], "name") for name in ("blue", "red")}
    data = ingest(readers, root / "data", quiet=True)
    second = TabularMLP(2, 4)
    second.reads = "blue"
    save_model(second, root / "second")
    encoders = {"blue": MLP, "second": str(root / "second"), "third": {**MLP, "reads": "red"}}
    features = ak.extract(root / "data", encoders, root / "features", hardware=CPU)
    assert (features.matrix("second") != features.matrix("blue")).any() and len(data) == 40
    model = ak.align(features, root / "model", training=Training(epochs=1, hardware=CPU))
    ak.embed(model, features, root / "space")
    return root


@pytest.mark.parametrize(("name", "table"), [("blue", "blue"), ("second", "blue"), ("third", "red")])
def test_a_new_file_asks_with_any_encoder_of_its_modality(root, name, table):
    store = EmbeddingStore(root / "space")
    found = embed_queries(store, Query(file=root / f"{table}.csv"), name, hardware=CPU)
    assert found.name == name and found.modality.name == table
    np.testing.assert_allclose(found.vectors, store.vectors(name), atol=2e-3)
    answers = store.search(Query(file=root / f"{table}.csv"), query=name, target="blue", k=3)
    assert len(answers) == 3 * len(store)


def test_a_described_encoder_that_reads_nothing_there_is_refused(root, tmp_path):
    with pytest.raises(UsageError, match="the encoder 'second' reads 'radio', of which there is nothing in the data"):
        ak.extract(root / "data", {"second": {**MLP, "reads": "radio"}}, tmp_path / "x", hardware=CPU)
