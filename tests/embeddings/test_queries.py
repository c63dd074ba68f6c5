"""Who asks: several objects as one, positions, tables, and what is contradictory."""

import numpy as np
import pytest
from astropy.table import Table

from astroclip_kit.embeddings import EmbeddingStore, Query
from astroclip_kit.errors import FileError, InputError, UsageError

N = 40
GROUPS = [f"g{i // 2}" if i < 10 else f"g{i}" for i in range(N)]
PLACES = ["150.1 2.2", "150.1, 2.2", "150.1\t2.2", "10h00m24s +02d12m00s", "10:00:24 +02:12:00", (150.1, 2.2)]


@pytest.fixture
def store(tmp_path):
    z = np.random.default_rng(0).normal(size=(N, 6)).astype(np.float32)
    z[5] = -z[4]
    return EmbeddingStore.write(
        tmp_path / "space",
        {"image": z, "spectrum": z + 0.2},
        [f"obj{i}" for i in range(N - 1)] + ["a,b"],
        present={"image": np.arange(N) != 3},
        catalog={
            "group": [f"g{i // 2}" if i < 10 else f"g{i}" for i in range(N)],
            "ra": np.arange(N),
            "dec": [0.0] * N,
        },
        labels={"z": np.linspace(0, 1, N), "class": np.where(np.arange(N) % 2, "QSO", "STAR")},
    )


def similar(store, vector, rows, target="spectrum"):
    """Ids of rows, by their similarity to a vector."""
    products = store.vectors(target)[rows] @ (vector / np.linalg.norm(vector))
    return [str(one) for one in store.object_ids[rows[np.argsort(-products)]]]


def test_several_examples_ask_as_one(store):
    z = store.vectors("spectrum")
    others = np.setdiff1d(np.arange(N), [1, 2, 7])
    for who in ("obj1, obj2,obj7", ["obj1", "obj2", "obj7"], Query(like=["obj1", "obj2", "obj7"])):
        found = store.search(who, query="spectrum", k=N - 3)
        assert list(found["object_id"]) == similar(store, z[[1, 2, 7]].sum(axis=0), others)
    assert found.meta["asked"] == ["obj1 + obj2 + obj7"] and found.meta["object_id"] == "obj1"
    np.testing.assert_allclose(np.max(found["similarity"]), found["similarity"][0])
    across = store.search(["obj1", "obj2"], query="image", target="spectrum", k=N)
    assert list(across["object_id"]) == similar(store, store.vectors("image")[[1, 2]].sum(axis=0), np.arange(N))


def test_more_like_these_and_less_like_those(store):
    z = store.vectors("spectrum")
    found = store.search(Query(like="obj1,obj2", unlike="obj8"), query="spectrum", k=5)
    expected = similar(store, z[[1, 2]].mean(axis=0) - z[8], np.setdiff1d(np.arange(N), [1, 2, 8]))[:5]
    assert list(found["object_id"]) == expected and found.meta["asked"] == ["obj1 + obj2 - obj8"]


def test_examples_may_weigh_differently(store):
    z = store.vectors("spectrum")
    found = store.search(Query(like="obj1,obj2", unlike="obj8", weights="1,3,0.5"), query="spectrum", k=5)
    vector = (z[1] + 3 * z[2]) / 2 - 0.5 * z[8]
    assert list(found["object_id"]) == similar(store, vector, np.setdiff1d(np.arange(N), [1, 2, 8]))[:5]


def test_a_position_may_have_company(store):
    found = store.search(Query(coordinates="12 0", unlike="obj8"), query="spectrum", k=3)
    z = store.vectors("spectrum")
    expected = similar(store, z[12] - z[8], np.setdiff1d(np.arange(N), [12, 8]))[:3]
    assert list(found["object_id"]) == expected and found.meta["object_id"] == "obj12"


def test_an_id_may_hold_a_comma_and_a_group_stands_for_its_one_row(store):
    assert store.search("a,b").meta["asked"] == ["a,b"]
    assert store.search("g20,obj1", query="spectrum").meta["asked"] == ["obj20 + obj1"]


def test_who_may_answer_is_a_condition(store):
    found = store.search("obj1", query="spectrum", k=9, where="z < 0.5 and class == 'QSO'")
    assert (found["z"] < 0.5).all() and set(found["class"]) == {"QSO"} and "obj1" not in found["object_id"]
    assert len(store.search("obj0", query="spectrum", k=10, where="z < 0.5 and class == 'QSO'")) == 10
    with pytest.raises(InputError, match=r"k: expected 1 to 9 .*found 10"):
        store.search("obj1", query="spectrum", k=10, where="z < 0.5 and class == 'QSO'")
    with pytest.raises(UsageError, match=r"'mass' is not defined. There are the columns object_id"):
        store.search("obj1", where="mass > 10")


@pytest.mark.parametrize("ending", ["csv", "fits", "ecsv"])
@pytest.mark.parametrize("way", ["ids", "positions"])
def test_a_table_asks_row_by_row(store, tmp_path, ending, way):
    rows = [4, 9, 4, 30]
    columns = {"object_id": store.object_ids[rows]} if way == "ids" else {"ra": store.ra[rows], "dec": store.dec[rows]}
    path = tmp_path / f"queries.{ending}"
    Table({"note": ["x"] * 4, **columns}).write(path)
    found = store.search(Query(table=str(path)), query="image", target="image", k=3)
    assert found.colnames[:4] == ["query", "rank", "object_id", "similarity"] and len(found) == 12
    assert list(found["query"]) == [name for row in rows for name in [f"obj{row}"] * 3]
    assert list(found["rank"]) == [1, 2, 3] * 4
    single = store.search("obj9", query="image", k=3)
    assert list(found["object_id"][3:6]) == list(single["object_id"])
    np.testing.assert_array_equal(found["similarity"][3:6], single["similarity"])


def test_a_position_in_a_table_has_no_company(store, tmp_path):
    Table({"ra": [7.0, 3.4], "dec": [0.0, 0.0]}).write(tmp_path / "places.csv")
    with pytest.raises(InputError, match=r"2 objects within 2340.0 arcsec of ra=3.4, dec=0.0: 'obj3', 'obj4'"):
        store.search(Query(table=str(tmp_path / "places.csv"), radius_arcsec=2340.0))


def test_a_table_of_one_row_is_as_long_a_table(store, tmp_path):
    Table({"object_id": ["obj1"]}).write(tmp_path / "one.csv")
    assert store.search(Query(table=str(tmp_path / "one.csv")), k=2).colnames[:2] == ["query", "rank"]


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ({"name": ["obj1"]}, UsageError, "expected a column object_id, or ra and dec, or file; found name"),
        ({"object_id": np.zeros(0, "U3")}, FileError, "queries.ecsv: the table has no row"),
        (
            {"object_id": ["obj1", "M31", "M33", "g1", "M51"]},
            InputError,
            r"no one object with the id 'M31', 'M33', 'g1', ... \(4 of 5\); it holds ids such as 'obj0'",
        ),
        ({"ra": [1.0, np.nan], "dec": [0.0, 0.0]}, InputError, "queries.ecsv: row 1 has no position"),
        ({"ra": [4.0, 1.5], "dec": [0.0, 0.0]}, InputError, "no object within 3.0 arcsec of ra=1.5, dec=0.0"),
        ({"ra": [4.0, 361.0], "dec": [0.0, 0.0]}, UsageError, "dec <= 90 degrees, found ra=361.0, dec=0.0"),
        ({"object_id": ["obj1", "obj3"]}, InputError, "object 'obj3' has no image"),
    ],
)
def test_a_table_that_cannot_ask_says_why(store, tmp_path, columns, error, message):
    Table(columns).write(tmp_path / "queries.ecsv")
    with pytest.raises(error, match=message):
        store.search(Query(table=str(tmp_path / "queries.ecsv")), query="image")


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        (Query(), UsageError, "say which object: give either object_id, or ra and dec in degrees, or a file"),
        (Query(like="obj1", coordinates="1 0"), UsageError, "say which object"),
        (Query(like="obj1", file="new.fits"), UsageError, "say which object"),
        (Query(unlike="obj1"), UsageError, "say which object"),
        (Query(table="a.csv", like="obj1"), UsageError, "a table asks by itself: leave out like, unlike, weights"),
        (Query(table="nosuch.csv"), FileError, "nosuch.csv: no such file"),
        (Query(like="obj1,M31"), InputError, r"no one object with the id 'M31' \(1 of 2\)"),
        (Query(like="obj1", unlike="M31"), InputError, "no object with id 'M31'"),
        (Query(like="obj1,obj3"), InputError, "object 'obj3' has no image"),
        (Query(like="obj4,obj5"), InputError, "the examples cancel each other: their sum has no direction"),
        (Query(like="obj1", unlike="obj1"), InputError, "the examples cancel each other"),
        (
            Query(like="obj1,obj2", weights=[1.0]),
            UsageError,
            r"weights: expected 2 positive numbers, .*\(2 like, 0 unl",
        ),
        (Query(like="obj1,obj2", weights=[1.0, -1.0]), UsageError, "weights: expected 2 positive numbers"),
        (Query(like="obj1,obj2", weights=[1.0, np.nan]), UsageError, "weights: expected 2 positive numbers"),
        (Query(file="new.fits"), UsageError, "say with `model` which model folder made"),
        (Query(coordinates="north"), UsageError, "coordinates 'north': expected"),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(store, query, error, message):
    with pytest.raises(error, match=message):
        store.search(query, query="image")


def test_k_counts_who_is_left(store):
    with pytest.raises(InputError, match=r"k: expected 1 to 37 .objects with 'image' to choose from., found 38"):
        store.search("obj1,obj2", query="image", k=38)
    assert len(store.search("obj1,obj2", query="image", k=37)) == 37
