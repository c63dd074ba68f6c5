"""A property in the selection against the rest."""

import numpy as np
import pytest

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.embeddings.catalog import Catalog
from astroclip_kit.explorer.columns import Column
from astroclip_kit.explorer.selection import comparing
from astroclip_kit.explorer.selection.comparing import Sides, compare, most_different

N = 1000
rng = np.random.default_rng(0)
SELECTED = np.arange(N) < 200


def column(name, values, unit=""):
    values = np.asarray(values)
    return Column(name, unit, lambda: values, values.dtype.kind in "UOb")


def test_numbers_are_counted_in_bins_that_hold_both_sides():
    values = np.where(SELECTED, rng.normal(5, 1, N), rng.normal(0, 1, N))
    values[:3], values[-10:], values[300] = np.nan, np.nan, 1e6
    found = compare(column("z", values), Sides.of(SELECTED))
    assert (found.known, found.missing) == ((197, 790), (3, 10)) and not found.sampled and not found.classes
    assert found.outside[1] >= 1 and found.edges[0] < 0 and 5 < found.edges[-1] < 20
    inside = (values[SELECTED] >= found.edges[4]) & (values[SELECTED] < found.edges[5])
    assert found.shares[0, 4] == pytest.approx(100 * inside.sum() / 197)
    assert found.shares[0].sum() == pytest.approx(100 * (197 - found.outside[0]) / 197)


@pytest.mark.parametrize("value", [np.nan, 0.0, 57000.0, -1e9])
def test_one_value_or_none_has_bins_too(value):
    found = compare(column("mjd", np.full(N, value)), Sides.of(SELECTED))
    assert (np.diff(found.edges) > 0).all() and np.isfinite(found.shares).all()
    assert found.shares.sum() == pytest.approx(0 if np.isnan(value) else 200)


def test_classes_are_shares_with_the_rare_ones_together():
    names = np.array([f"c{i % 12}" for i in range(N)])
    names[:5] = ""
    found = compare(column("class", names), Sides.of(SELECTED))
    assert len(found.classes) == 8 and found.classes[-1] == "5 others" and found.missing == (5, 0)
    assert found.shares.sum(axis=1) == pytest.approx([100, 100]) and found.edges.tolist() == list(range(9))
    flags = compare(column("flag", SELECTED), Sides.of(SELECTED))
    assert sorted(flags.classes) == ["False", "True"] and sorted(flags.shares[0]) == [0, 100]


def test_too_many_objects_are_sampled_and_it_is_said(monkeypatch):
    monkeypatch.setattr(comparing, "MOST", 100)
    found = compare(column("z", np.arange(N, dtype=float)), Sides.of(SELECTED))
    assert found.sampled and found.known == (100, 100)


def test_what_differs_most_is_first_and_repetitions_and_flags_are_left_out():
    z = np.where(SELECTED, 5, 0) + rng.normal(size=N)
    names = np.where(SELECTED & (rng.random(N) < 0.5), "QSO", "STAR")
    columns = {"noise": rng.normal(size=N), "class": names, "z": z, "catalogue_z": z, "mine": SELECTED}
    found = most_different({name: column(name, values) for name, values in columns.items()}, Sides.of(SELECTED))
    assert [one.property for one in found] == ["z", "class", "noise"]
    assert found[0].value > 0.95 and found[0].n_inside == 200 and found[1].level == "QSO"


def test_how_objects_were_observed_comes_last():
    noise = rng.normal(size=N)
    columns = {"z_err": SELECTED + 0.01 * noise, "mass": SELECTED + 2 * noise, "plate": SELECTED + 0.01 * noise + 1}
    found = most_different({name: column(name, values) for name, values in columns.items()}, Sides.of(SELECTED))
    assert found[0].property == "mass" and {one.property for one in found[1:]} <= {"plate", "z_err"}


def test_all_or_one_selected_leaves_nothing_to_compare():
    columns = {"z": column("z", rng.normal(size=N))}
    assert (
        most_different(columns, Sides.of(np.ones(N, bool)))
        == []
        == most_different(columns, Sides.of(np.arange(N) == 3))
    )
    assert compare(columns["z"], Sides.of(np.ones(N, bool))).known == (N, 0)


def test_text_of_many_classes_is_left_out_where_it_would_be_read_for_long(tmp_path, monkeypatch):
    kind = np.where(SELECTED, "QSO", "STAR")
    names = np.array([f"a long name of the object {number} of a survey {number % 7}" for number in range(N)])
    labels = {"kind": kind, "name": names, "z": SELECTED + rng.normal(size=N)}
    ids = [f"o{number}" for number in range(N)]
    store = EmbeddingStore.write(tmp_path / "s", {"image": rng.normal(size=(N, 4))}, ids, labels=labels)
    columns = {name: Column.of(store.catalog, name) for name in labels}
    few = Column.of_classes("mine", np.where(SELECTED, 0, -1).astype(np.int32), ["yes"])
    rows = np.array([3, 700])
    assert few.is_quick and few.some(rows).tolist() == ["yes", ""]
    assert [columns[name].some(rows).tolist() for name in ("kind", "name")] == [["QSO", "STAR"], names[rows].tolist()]
    monkeypatch.setattr(Catalog, "has_few_classes", lambda catalog, name: name == "kind")
    assert columns["kind"].some(rows).tolist() == ["QSO", "STAR"] and not columns["name"].is_quick
    monkeypatch.setattr(comparing, "LONG", N - 1)
    read = []
    monkeypatch.setattr(Catalog, "at", lambda catalog, rows, names: read.append(names))
    assert [one.property for one in most_different(columns, Sides.of(SELECTED))] == ["kind", "z"] and read == []
