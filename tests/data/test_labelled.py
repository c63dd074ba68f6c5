"""Classes from a table, joined to the objects of a dataset."""

import pickle

import numpy as np
import pytest

from astroclip_kit.data import ingest
from astroclip_kit.data.labelled import Labelled, label_objects
from astroclip_kit.errors import InputError
from astroclip_kit.surveys import catalogue


@pytest.fixture
def dataset(survey, tmp_path):
    return ingest(survey, tmp_path / "data", workers=1, quiet=True)


@pytest.fixture
def table(tmp_path):
    def write(text):
        (tmp_path / "labels.csv").write_text(text)
        return catalogue(tmp_path / "labels.csv")

    return write


def test_labels_by_id_take_the_place_of_those_of_the_same_name(dataset, table):
    found = label_objects(dataset, table("object_id,class\no03,bhb\no00,other\nunknown,bhb\no07,bhb\n"), "class")
    expected = ["other", "", "", "bhb", "", "", "", "bhb", "", "", "", ""]
    assert found.dataset.labels["class"].tolist() == expected and "z" in found.dataset.labels
    assert dataset.labels["class"][0] == "STAR"
    assert found.entries.tolist() == [1, -1, -1, 0, -1, -1, -1, 3, -1, -1, -1, -1]


def test_who_has_no_id_in_the_table_is_found_by_position(dataset, table):
    text = "id,ra,dec,type\nelsewhere,13.00010,-5.0,2\no05,200,0,1\nnowhere,,,1\n"
    found = label_objects(dataset, table(text), "type", radius_arcsec=1.0)
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(found.dataset.labels["type"])), [3, 5])
    assert found.dataset.labels["type"][[3, 5]].tolist() == [2.0, 1.0]
    only = table("ra,dec,class\n10.0,-5.0,a\n11.0,-5.001,b\n")
    assert label_objects(dataset, only, "class").dataset.labels["class"].tolist() == ["a", *[""] * 11]
    assert label_objects(dataset, only, "class", 5.0).dataset.labels["class"][:2].tolist() == ["a", "b"]


def test_the_selection_counts_what_every_stage_leaves(dataset, table):
    text = "object_id,class\no00,a\no01,a\no02,b\no04,b\nunknown,b\n"
    found = label_objects(dataset, table(text), "class").selection(["image", "spectrum", "lightcurve"])
    assert found.stages == (
        "labelled",
        "with image",
        "with image and spectrum",
        "with image and spectrum and lightcurve",
    )
    assert found.classes == ("a", "b")
    assert found.counts.tolist() == [[2, 3], [2, 2], [1, 2], [1, 1]]
    own = Labelled.of(dataset, "class").selection(["spectrum"])
    assert own.classes == ("QSO", "STAR") and own.counts.tolist() == [[5, 5], [0, 5]]
    assert Labelled.of(dataset, "z").selection(["image"]).counts.sum(axis=1).tolist() == [10, 10]
    assert Labelled.of(dataset, "nothing").selection(["image"]).counts.shape == (2, 0)


def test_further_labels_stay_with_their_rows(dataset):
    more = dataset.with_labels({"type": np.array(list("abcdefghijkl"))})
    part = more.select([4, 2, 9]).select([2, 0])
    assert part.labels["type"].tolist() == ["j", "e"] and part.object_ids.tolist() == ["o09", "o04"]
    assert pickle.loads(pickle.dumps(part)).labels["type"].tolist() == ["j", "e"]
    assert part[0].labels["type"] == "j" and part.data_hash("image") == dataset.select([9, 4]).data_hash("image")
    assert more.data_hash("image") == dataset.data_hash("image")
    with pytest.raises(InputError, match=r"label 'type' has shape \(3,\), expected one value for each row"):
        dataset.with_labels({"type": np.array(list("abc"))})


def test_labels_that_belong_to_nobody(dataset, table):
    with pytest.raises(InputError, match=r"none of 1 rows of .*labels.csv belongs to an object .*'x' and 'o00'\), nor"):
        label_objects(dataset, table("object_id,class\nx,a\n"), "class")
    with pytest.raises(InputError, match=r"\(no ids\), nor lies within 1 arcsec of one. Give the ids of the objects"):
        label_objects(dataset, table("ra,dec,class\n77,1,a\n"), "class")
    with pytest.raises(InputError, match="'o00' is there as 'a' and as 'b'"):
        label_objects(dataset, table("object_id,class\no00,a\no00,b\n"), "class")
    with pytest.raises(InputError, match="no row has a 'class'"):
        label_objects(dataset, table("object_id,class\no00,\n"), "class")
