import numpy as np
import pytest

from astroclip_kit import pipeline
from astroclip_kit.downstream.clustering import Grouping
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import FileError, InputError, UsageError

RNG = np.random.default_rng(0)
COUNT = 60


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("reporting")
    side = np.arange(COUNT) % 2
    z = RNG.normal(size=(COUNT, 8)) + 8 * side[:, None]
    z[:, 0] -= 12 * side
    labels = {"z": RNG.uniform(size=COUNT), "class": np.where(side, "QSO", "STAR")}
    ids = [f"a{i:02d}" for i in range(COUNT)]
    split = np.where(np.arange(COUNT) % 3, "train", "test")
    catalog = {"split": split}
    values = {"dataset": "twins", "origin": "mock"}
    vectors = {"image": z, "spectrum": z + RNG.normal(size=z.shape)}
    EmbeddingStore.write(root / "space", vectors, ids, catalog=catalog, labels=labels, values=values)
    EmbeddingStore.write(root / "other", vectors, [f"b{one}" for one in ids], labels=labels)
    pipeline.project(root / "space", root / "map", method="pca")
    pipeline.cluster(root / "space", root / "clusters", map=root / "map", grouping=Grouping("kmeans", k=2))
    pipeline.evaluate(root / "space", "z", root / "results", k=3)
    return root


def test_results_and_clusters_come_on_one_page(folders):
    table = pipeline.report(
        str(folders / "all.html"),
        results=str(folders / "results"),
        clusters=str(folders / "clusters"),
        embeddings=folders / "space",
        properties="z,class",
        title="Twins",
    )
    page = (folders / "all.html").read_text()
    assert "<h1>Twins</h1>" in page and "Mock data." in page
    assert all(f"<h2>{head}</h2>" in page for head in ("Retrieval", "Properties", "The space itself", "Clusters"))
    assert "What sets the clusters apart: " in page
    assert "image: Clusters on the map." in page and "image: class on the map." in page
    assert {"clustering", "retrieval"} <= set(table["task"])
    assert table.meta["notes"][-1] == f"report: {folders / 'all.html'}"


def test_a_page_of_clusters_alone(folders):
    pipeline.report(str(folders / "alone.html"), clusters=str(folders / "clusters"))
    page = (folders / "alone.html").read_text()
    assert "<h2>Clusters</h2>" in page and "<h2>Retrieval</h2>" not in page


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, UsageError, "say what to report: --results, --clusters or --anomalies"),
        ({"anomalies": "odd.fits"}, UsageError, "say with --dataset where they are"),
        ({"clusters": "clusters", "properties": "z"}, UsageError, "say with --embeddings where it is"),
        ({"clusters": "clusters", "properties": "mass", "embeddings": "space"}, UsageError, "no property 'mass'"),
        ({"clusters": "clusters", "properties": "z", "embeddings": "other"}, InputError, "clusters of another space"),
    ],
)
def test_what_cannot_be_reported_is_said(folders, given, error, message):
    paths = {key: str(folders / value) if key in ("clusters", "embeddings") else value for key, value in given.items()}
    with pytest.raises(error, match=message):
        pipeline.report(str(folders / "bad.html"), **paths)
    assert not (folders / "bad.html").exists()


def test_oddities_are_read_from_a_table(folders):
    from astroclip_kit.pipeline.reporting import _table

    pipeline.anomalies(folders / "space", label="class", out=str(folders / "odd.fits"))
    found = _table(folders / "odd.fits")
    assert found["object_id"].dtype.kind == "U" and len(found) == COUNT and "reason" in found.colnames
    (folders / "broken.csv").write_bytes(b"\x00\xff")
    with pytest.raises(UsageError, match="expected a table whose name ends with one of"):
        _table(folders / "odd.txt")
    with pytest.raises(FileError, match="expected the table that `anomalies` wrote; it cannot be read"):
        _table(folders / "absent.fits")
