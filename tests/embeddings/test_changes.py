"""New stores from old ones keep what is true, say where they came from, and never mix models."""

import os

import numpy as np
import pytest

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import FolderError, InputError, UsageError

N = 12
rng = np.random.default_rng(0)
Z = {name: rng.normal(size=(N, 4)) for name in ("image", "spectrum")}
IDS = np.array([f"o{i}" for i in range(N)])
CATALOG = {
    "group": np.array([f"g{i // 2}" for i in range(N)]),
    "ra": np.arange(N) * 10.0,
    "dec": np.arange(N) - 5.0,
    "split": np.where(np.arange(N) < 8, "train", "test"),
}
LABELS = {
    "z": np.where(np.arange(N) == 3, np.nan, np.arange(N) / 10),
    "class": np.where(np.arange(N) % 2, "QSO", "STAR"),
}
VALUES = {"dataset": "sdss", "origin": "mock", "seed": 5, "model": "m1", "units": {"z": "km / s"}}


def write(root, rows=slice(None), names=("image", "spectrum"), present=None, labels=LABELS, **values):
    at = np.arange(N)[rows]
    return EmbeddingStore.write(
        root,
        {name: Z[name][at] for name in names},
        IDS[at],
        present={name: flags[at] for name, flags in (present or {}).items()},
        catalog={name: column[at] for name, column in CATALOG.items()},
        labels={name: column[at] for name, column in labels.items()},
        values={**VALUES, **values},
    )


def same(one, other):
    assert one.object_ids.tolist() == other.object_ids.tolist() and one.names == other.names
    for name in one.names:
        np.testing.assert_allclose(one.vectors(name), other.vectors(name), atol=1e-6)
        np.testing.assert_array_equal(one.present(name), other.present(name))
    for name, column in one.catalog.items():
        np.testing.assert_array_equal(column, other.catalog[name])


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ("z > 0.5 and `class` == 'QSO'", [7, 9, 11]),
        (np.arange(N) < 2, [0, 1]),
        ([5, 2], [5, 2]),
    ],
)
def test_some_rows(tmp_path, rows, kept):
    store = write(tmp_path / "a", model_folder="../model")
    new = store.select(rows, tmp_path / "deep" / "b")
    same(new, write(tmp_path / "c", kept))
    assert new.manifest["made_from"] == [{"folder": str(store.root), "content": store.manifest["content"]}]
    assert new.manifest["change"] == {"select": rows if isinstance(rows, str) else len(kept)}
    assert os.path.realpath(new.root / new.manifest["model_folder"]) == os.path.realpath(tmp_path / "model")
    assert (new.manifest["model"], new.manifest["origin"], new.units["z"]) == ("m1", "mock", "km / s")


def test_one_modality_less_takes_rows_that_had_nothing_else(tmp_path):
    store = write(tmp_path / "a", present={"spectrum": np.arange(N) > 1})
    new = store.without("image", tmp_path / "b")
    assert new.names == ["spectrum"] and new.object_ids.tolist() == IDS[2:].tolist()
    assert store.without("spectrum", tmp_path / "c").names == ["image"] and len(store) == N
    assert store.select("object_id in ['o0', 'o1']", tmp_path / "d").names == ["image"]


def test_rows_and_modalities_are_put_together_again(tmp_path):
    whole = write(tmp_path / "whole")
    first, second = write(tmp_path / "a", slice(0, 7)), write(tmp_path / "b", slice(5, N))
    new = first.merged(second, tmp_path / "ab")
    same(new, whole)
    assert [one["content"] for one in new.manifest["made_from"]] == [s.manifest["content"] for s in (first, second)]
    assert new.manifest["dataset"] == "sdss" and new.manifest["change"] == "merged"
    images, spectra = write(tmp_path / "i", names=["image"]), write(tmp_path / "s", slice(2, N), names=["spectrum"])
    both = images.merged(spectra, tmp_path / "is")
    assert both.names == ["image", "spectrum"] and both.present("spectrum").tolist() == [False] * 2 + [True] * 10
    same(both, write(tmp_path / "x", present={"spectrum": np.arange(N) > 1}))


def test_labels_are_filled_from_the_other(tmp_path):
    one = write(tmp_path / "a", slice(0, 6), labels={"z": LABELS["z"], "plate": np.arange(N)})
    other = write(
        tmp_path / "b", slice(3, N), labels={"z": np.full(N, 7.0), "class": LABELS["class"]}, dataset="lamost"
    )
    new = one.merged(other, tmp_path / "c")
    np.testing.assert_array_equal(new.labels["z"], [0, 0.1, 0.2, 7, 0.4, 0.5, *[7] * 6])
    np.testing.assert_array_equal(new.labels["plate"], [*range(6), *[np.nan] * 6])
    assert new.labels["class"].tolist() == [""] * 3 + LABELS["class"][3:].tolist()
    assert new.manifest["dataset"] == "sdss+lamost"
    assert one.merged(write(tmp_path / "d", slice(3, N), labels={"plate": np.arange(N)}), tmp_path / "e").labels[
        "plate"
    ].tolist() == list(range(N))


def test_what_must_not_be_put_together(tmp_path, monkeypatch):
    one = write(tmp_path / "a", slice(0, 6))
    cases = {
        "are of different models \\(m1 and m2\\)": {"model": "m2"},
        "does not say which model made it": {"model": ""},
        "has origin 'mock', .* has 'real'": {"origin": "real"},
        "has pool '', .* has 'group'": {"pool": "group"},
        "label 'z' is in 'km / s' in .* and in 'm / s' in": {"units": {"z": "m / s"}},
        "label 'z' is text in one store and a number in the other": {"labels": {"z": LABELS["class"]}},
    }
    for number, (match, change) in enumerate(cases.items()):
        other = write(tmp_path / f"b{number}", slice(4, N), **change)
        with pytest.raises(InputError, match=match):
            one.merged(other, tmp_path / "c")
    monkeypatch.setitem(CATALOG, "split", np.full(N, "test"))
    with pytest.raises(InputError, match="2 objects cannot be put together: 'o4' is on two sides of the split"):
        one.merged(write(tmp_path / "s", slice(4, N)), tmp_path / "c")
    monkeypatch.undo()
    monkeypatch.setitem(CATALOG, "group", IDS)
    with pytest.raises(InputError, match="'o4' belongs to two groups"):
        one.merged(write(tmp_path / "g", slice(4, N)), tmp_path / "c")
    monkeypatch.undo()
    monkeypatch.setitem(Z, "image", Z["image"][::-1])
    with pytest.raises(InputError, match="2 objects have two different vectors of image: 'o4' is one"):
        one.merged(write(tmp_path / "v", slice(4, N)), tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_vectors_that_were_changed_by_hand_are_noticed(tmp_path):
    store = write(tmp_path / "a")
    np.save(store.root / "image.npy", store.vectors("image")[::-1])
    for change in (lambda: store.select([0], tmp_path / "b"), lambda: store.merged(store, tmp_path / "b")):
        with pytest.raises(FolderError, match="its ids or vectors were changed after they were written"):
            change()


def test_rows_and_names_that_are_none(tmp_path):
    store = write(tmp_path / "a")
    for rows in ([N], [-1], [0.5], np.ones(3, bool), [[1]]):
        with pytest.raises(InputError, match="rows: expected row numbers 0 to 11 or 12 flags, found"):
            store.select(rows, tmp_path / "b")
    with pytest.raises(InputError, match="rows: found a row twice"):
        store.select([1, 1], tmp_path / "b")
    with pytest.raises(InputError, match=r"no object of .* is left with z > 9"):
        store.select("z > 9", tmp_path / "b")
    with pytest.raises(InputError, match=r"no object of .* is left with these rows"):
        store.select(np.zeros(N, bool), tmp_path / "b")
    with pytest.raises(UsageError, match="There are the columns object_id"):
        store.select("redshift > 9", tmp_path / "b")
    with pytest.raises(UsageError, match="no modality 'radio'"):
        store.without("radio", tmp_path / "b")
    with pytest.raises(InputError, match="has no modality but 'image'"):
        write(tmp_path / "i", names=["image"]).without("image", tmp_path / "b")
