"""Maps of a space and groups in it, from the command line and from Python."""

import json
import shutil

import numpy as np
import pytest
from astropy.table import Table

import astroclip_kit as ak
from astroclip_kit import cli
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError, UsageError

N = 120
rng = np.random.default_rng(0)
KIND = np.arange(N) % 3


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    root = tmp_path_factory.mktemp("structure") / "space"
    labels = {"class": np.array(["GALAXY", "QSO", "STAR"])[KIND], "snr": rng.uniform(0, 10, N)}
    catalog = {"split": np.where(np.arange(N) < 90, "train", "test"), "ra": np.arange(N) * 1.0, "dec": np.zeros(N)}
    z = 3 * np.eye(5)[KIND] + 0.3 * rng.normal(size=(N, 5))
    present = {"lightcurve": np.arange(N) < 2}
    EmbeddingStore.write(
        root,
        {"image": z, "lightcurve": z},
        [f"o{i}" for i in range(N)],
        present=present,
        catalog=catalog,
        labels=labels,
    )
    return root


def test_a_map_is_made_clustered_and_described(space, tmp_path, capsys):
    assert cli.main(["project", str(space), "--on", "image", "--method", "pca", "--out", str(tmp_path / "map")]) == 0
    assert "120 of 120 objects placed; pca of image, fitted on 90" in capsys.readouterr().out
    words = ["cluster", str(space), str(tmp_path / "clusters"), "--map", str(tmp_path / "map"), "--min_size", "8"]
    assert cli.main(words) == 0
    printed = capsys.readouterr().out
    for expected in (
        "apart_by",
        "class=QSO 100% (else 0%)",
        "silhouette by number of clusters: 3: ",
        "agreement with class: ari ",
        f"written: {tmp_path / 'clusters'}",
        f"next:    astroclip-kit search {space} o",
    ):
        assert expected in printed
    clusters = Table.read(tmp_path / "clusters" / "clusters.parquet")
    assert {"object_id", "cluster", "probability", "x", "y"} <= set(clusters.colnames)
    summary = json.loads((tmp_path / "clusters" / "summary.json").read_text())
    assert summary["method"] == "hdbscan" and summary["parameters"]["min_size"] == 8
    for folder, kind in (("map", "projection"), ("clusters", "clusters")):
        assert f"{folder}: {kind}, written by astroclip_kit" in ak.info(tmp_path / folder)


@pytest.mark.parametrize("ending", ["fits", "csv", "ecsv", "vot", "parquet"])
def test_a_table_of_the_clusters_is_written_as_its_name_says(space, tmp_path, ending):
    path = tmp_path / f"clusters.{ending}"
    shown = ak.cluster(space, path, on="image")
    assert shown.colnames == [
        "cluster",
        "size",
        "share",
        "probability",
        "most_typical",
        "apart_by",
        "also_by",
        "and_by",
    ]
    assert shown["size"].tolist() == [40, 40, 40]
    written = Table.read(path)
    assert len(written) == N and sorted(set(np.asarray(written["cluster"]).tolist())) == [0, 1, 2]
    assert [str(one) for one in written["object_id"]] == [f"o{i}" for i in range(N)]
    ak.cluster(space, path, on="image")  # an older one is replaced


def test_only_some_objects(space, tmp_path):
    shown = ak.cluster(space, tmp_path / "c", on="image", where="snr > 5", properties="snr")
    assert shown["size"].sum() == (EmbeddingStore(space).labels["snr"] > 5).sum()
    assert set(shown["apart_by"]) == {""}
    made = ak.project(space, tmp_path / "m", method="pca", where="snr > 5 and class != 'STAR'")
    assert made.fitted.sum() == ((EmbeddingStore(space).labels["snr"] > 5) & (KIND < 2)).sum()


def test_nothing_found_is_an_empty_table(space, tmp_path):
    ak.project(space, tmp_path / "map", method="pca")
    shown = ak.cluster(
        space, tmp_path / "c", map=tmp_path / "map", grouping=ak.downstream.Grouping("dbscan", radius=1e-9)
    )
    assert len(shown) == 0 and "there are no clusters" in "\n".join(shown.meta["notes"])


def test_what_is_wrong_is_said(space, tmp_path, fails):
    out = tmp_path / "out"
    assert "no method 'tsne' to make a map" in fails("project", space, out, "--method", "tsne")
    assert "at least 3 are needed" in fails("project", space, out, "--on", "lightcurve")
    assert "fewer than the 90 objects to fit on" in fails("project", space, out, "--neighbours", 90)
    assert "at least 3 are needed" in fails("cluster", space, out, "--on", "lightcurve")
    assert "k: expected 2 to 119" in fails("cluster", space, out, "-k", 500)
    assert "no method 'optics'" in fails("cluster", space, out, "--method", "optics")
    assert "where 'snr >': " in fails("cluster", space, out, "--where", "snr >")
    assert "expected a projection folder" in fails("cluster", space, out, "--map", space)
    assert not out.exists()
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    assert "was not written by astroclip_kit" in fails("cluster", space, out)
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    assert "folder.csv is a folder, expected the name of a file" in fails("cluster", space, folder)


def test_in_python_the_grouping_is_keywords(space, tmp_path):
    assert len(ak.cluster(space, tmp_path / "one", k=5, seed=1)) == 5
    table = ak.cluster(space, tmp_path / "two", on="image", method="kmeans", k=3, where="snr < 8")
    assert list(table["cluster"]) == [0, 1, 2]
    with pytest.raises(UsageError, match=r"there is no argument 'size'\. Of a grouping there are: method, k, min_size"):
        ak.cluster(space, tmp_path / "three", size=3)


def test_vectors_that_are_no_numbers_are_said_in_one_way(space, tmp_path):
    store = ak.EmbeddingStore(shutil.copytree(space, tmp_path / "space"))
    z = np.load(store.root / "image.npy")
    z[7, 2] = np.nan
    np.save(store.root / "image.npy", z)
    told = r"embeddings of image: 1 of 120 vectors hold NaN or infinity\. Embed again\."
    verbs = (
        lambda: ak.search(store, "o1"),
        lambda: ak.search(store, "o7", query="image", target="lightcurve", k=1),
        lambda: ak.project(store, tmp_path / "map", method="pca"),
        lambda: ak.cluster(store, tmp_path / "clusters"),
        lambda: ak.export(store, tmp_path / "space.fits"),
    )
    for verb in verbs:
        with pytest.raises(InputError, match=told):
            verb()


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A space in which quasars are of two kinds, and a table of their colours under other objects' ids too."""
    root, count, draw = tmp_path_factory.mktemp("mixed"), 300, np.random.default_rng(1)
    red = np.arange(count) % 4 == 1
    z = 4 * np.eye(5)[np.arange(count) % 2] + 0.3 * draw.normal(size=(count, 5))
    z[red, 3] += 5
    split = np.where(np.arange(count) // 4 % 2 == 0, "train", "test")
    ids = [f"o{i}" for i in range(count)]
    labels = {"class": np.array(["STAR", "QSO"])[np.arange(count) % 2], "snr": draw.uniform(0, 10, count)}
    EmbeddingStore.write(root / "space", {"image": z}, ids, catalog={"split": split}, labels=labels)
    EmbeddingStore.write(root / "bare", {"image": z}, ids, labels={"snr": labels["snr"]})
    colour = np.round(red + 0.1 * draw.normal(size=count), 3)
    Table({"object_id": ids[::-1], "w1_w2": colour[::-1], "tile": ["a"] * count}).write(root / "colours.csv")
    Table({"object_id": ["other"], "w1_w2": [1.0]}).write(root / "others.csv")
    Table({"ra": [1.0], "dec": [1.0], "w1_w2": [1.0]}).write(root / "places.csv")
    return root


def test_subclasses_of_one_class(mixed, tmp_path, capsys):
    ak.project(mixed / "space", tmp_path / "map", method="pca", where="class == 'QSO'")
    words = ["cluster", str(mixed / "space"), str(tmp_path / "found"), "--label", "class", "--within", "QSO"]
    words += ["--table", str(mixed / "colours.csv"), "--map", str(tmp_path / "map")]
    words += ["--figure", str(tmp_path / "groups.png")]
    assert cli.main(words) == 0
    printed = capsys.readouterr().out
    for expected in ("a valley: 0 of ", "w1_w2 0.", "1 of 2 properties", f"written: {tmp_path / 'groups.png'}"):
        assert expected in printed
    assert (tmp_path / "groups.png").stat().st_size > 1000
    summary = json.loads((tmp_path / "found" / "summary.json").read_text())
    assert summary["subclasses"] == 2 and summary["columns"][0]["property"] == "w1_w2"
    only = ak.cluster(
        mixed / "space", tmp_path / "only.csv", map=tmp_path / "map", label="class", within="QSO", properties="snr"
    )
    assert set(only["apart_by"]) == {""} and only["size"].sum() == 150


def test_what_is_wrong_with_subclasses_is_said(mixed, tmp_path, fails):
    space, out, inside = mixed / "space", tmp_path / "out", ("--label", "class", "--within", "QSO")
    assert "label and within go together" in fails("cluster", space, out, "--within", "QSO")
    assert "say with --label and --within which" in fails("cluster", space, out, "--table", mixed / "colours.csv")
    assert "figure: it shows groups inside one class" in fails("cluster", space, out, "--figure", "a.pdf")
    assert "where has no use with within" in fails("cluster", space, out, *inside, "--where", "snr > 5")
    assert "no object has the class 'GALAXY'" in fails("cluster", space, out, "--label", "class", "--within", "GALAXY")
    assert "no label 'class'; there is: snr" in fails("cluster", mixed / "bare", out, *inside)
    assert "none of 1 rows of" in fails("cluster", space, out, *inside, "--table", mixed / "others.csv")
    assert "no column is called like an id" in fails("cluster", space, out, *inside, "--table", mixed / "places.csv")
    assert "no property 'w9'" in fails("cluster", space, out, *inside, "--properties", "w9")
    assert not out.exists()
