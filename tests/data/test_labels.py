"""Tests of the labels of observations, from JSON to the columns of a dataset."""

import json

import numpy as np
import pandas as pd
import pytest

from astroclip_kit.data import objects
from astroclip_kit.data.labels import Labels, parse
from astroclip_kit.errors import InputError
from astroclip_kit.settings import Matching


def texts(*rows):
    return pd.Series([json.dumps(row) for row in rows])


def sources(**rows):
    """Source to observations of the objects 0, 1, ... with these labels; None for no observation."""
    tables = {}
    for name, labels in rows.items():
        ids = [f"{i}" for i, row in enumerate(labels) if row is not None]
        own = texts(*(row for row in labels if row is not None))
        tables[name] = pd.DataFrame(
            {"object_id": ids, "group": ids, "ra": np.nan, "dec": np.nan, "labels": own, "snr": np.nan}
        )
    return tables


def merged(modalities, **rows):
    return objects.plan(sources(**rows), modalities, Matching()).labels


def test_json_becomes_columns():
    columns = parse(texts({"z": 0.5, "class": "QSO"}, {}, {"class": 'a\n"b", ü 🜨', "plate": 3586}))
    assert columns["class"].tolist() == ["QSO", None, 'a\n"b", ü 🜨']
    np.testing.assert_equal(columns["z"], [0.5, np.nan, np.nan])
    np.testing.assert_equal(columns["plate"], [np.nan, np.nan, 3586.0])
    assert columns["z"].dtype == columns["plate"].dtype == np.float64


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1.0, "M4", 2.5), ["1.0", "M4", "2.5"]),
        (("2024-01-05", "2024-01-06T10:00:00Z"), ["2024-01-05", "2024-01-06T10:00:00Z"]),
        ((float("inf"), 1.0), [np.inf, 1.0]),
        ((0.1 + 0.2, 1e-300, 2.994e18, 5e300), [0.1 + 0.2, 1e-300, 2.994e18, 5e300]),
        (("1.5", "2"), ["1.5", "2"]),
    ],
)
def test_values_that_a_parser_may_take_for_something_else(values, expected):
    assert parse(texts(*({"x": value} for value in values)))["x"].tolist() == expected


def test_many_long_rows_keep_their_order():
    rows = [{"number": float(i), "note": "x" * 700, f"only{i // 30000}": 1.0} for i in range(60_000)]
    columns = parse(texts(*rows))
    assert (columns["number"] == np.arange(60_000)).all() and np.isnan(columns["only1"]).sum() == 30_000


def test_no_labels():
    assert parse(texts({}, {})) == {} and parse(texts()) == {}


def test_what_one_source_gives_keeps_its_name():
    labels = merged(["spectrum"], spectrum=[{"mjd": 5.0}, {}], catalogue=[{"mass": 1.0}, None])
    assert list(labels) == ["mass", "mjd"]


def test_what_several_sources_give_is_kept_for_each_of_them():
    spectrum, catalogue = [{"z": 0.1}, {"z": 0.2}, None, {"z": 0.4}], [{"z": 0.1}, {"z": 0.3}, {"z": 0.5}, None]
    labels = merged(["image", "spectrum"], image=[{}, {}, {}, {}], spectrum=spectrum, catalogue=catalogue)
    assert labels["z"].tolist() == [0.1, 0.3, 0.5, 0.4]  # the catalogue first
    np.testing.assert_equal(labels["catalogue_z"].to_numpy(), [0.1, 0.3, 0.5, np.nan])
    np.testing.assert_equal(labels["spectrum_z"].to_numpy(), [0.1, 0.2, np.nan, 0.4])
    assert sorted(labels) == ["catalogue_z", "spectrum_z", "z"]


def test_sources_that_agree_share_one_column():
    spectrum = [{"z": float(np.float32(0.1)), "class": "QSO"}, {"z": 0.2}]
    labels = merged(["spectrum"], spectrum=spectrum, catalogue=[{"z": 0.1, "class": "QSO"}, {"class": "STAR"}])
    assert list(labels) == ["z", "class"] and labels["z"].tolist() == [0.1, 0.2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("QSO", "GALAXY"),
        (58000.1, 58000.6),  # half a day is 8e-6 of a modified Julian date
        (0.0, 1e-9),
        (np.inf, 5.0),
        ("2.0", 3.0),
    ],
)
def test_sources_that_differ_lose_nothing(one, other):
    labels = merged(["spectrum"], spectrum=[{"x": one}], catalogue=[{"x": other}])
    values = [labels[name].tolist() for name in ("spectrum_x", "catalogue_x", "x")]
    both = isinstance(one, str) or isinstance(other, str)
    assert values == [[str(one) if both else one], [str(other) if both else other], [str(other) if both else other]]


def test_infinite_values_that_agree():
    assert list(merged(["spectrum"], spectrum=[{"x": np.inf}], catalogue=[{"x": np.inf}])) == ["x"]


def test_names_that_are_taken():
    with pytest.raises(InputError, match=r"no name for one of them: 'spectrum_z' is .* Rename the label"):
        merged(["spectrum"], spectrum=[{"z": 1.0}], catalogue=[{"z": 2.0, "spectrum_z": 3.0}])
    with pytest.raises(InputError, match=r"it is called like a column, and there is no name for .*: 'catalogue_ra' is"):
        merged(["spectrum"], spectrum=[{}], catalogue=[{"ra": 2.0, "catalogue_ra": 3.0}])


@pytest.mark.parametrize("name", ["group", "ra", "object_id", "spectrum", "catalogue"])
def test_labels_that_are_called_like_another_column_get_the_name_of_their_source(name):
    labels = merged(["spectrum"], spectrum=[{}], catalogue=[{name: 1.0, "z": 2.0}])
    assert {key: column.tolist() for key, column in labels.items()} == {"z": [2.0], f"catalogue_{name}": [1.0]}
    labels = merged(["spectrum"], spectrum=[{name: 5.0}], catalogue=[{name: 5.0}])
    assert sorted(labels) == [f"catalogue_{name}", f"spectrum_{name}"]


def test_one_label_of_all_observations():
    labels = Labels.of(sources(a=[{"z": 1.0}, {}], b=[{"z": 2.0, "class": "x"}], c=[{}]))
    np.testing.assert_equal(labels.everywhere("z"), [1.0, np.nan, 2.0, np.nan])
    assert labels.everywhere("class").tolist() == [None, None, "x", None]
    assert np.isnan(labels.everywhere("absent")).all()
    mixed = Labels.of(sources(a=[{"z": 1.0}], b=[{"z": "high"}]))
    assert mixed.everywhere("z").tolist() == ["1.0", "high"]
