"""Tests of an open dataset."""

import json
import multiprocessing
import os
import pickle

import numpy as np
import pytest
import torch

from astroclip_kit.data import Dataset, ingest
from astroclip_kit.errors import FolderError, InputError


@pytest.fixture
def dataset(survey, tmp_path):
    return ingest(survey, tmp_path / "data", workers=1, quiet=True)


def test_catalogue_of_all_rows(dataset):
    assert len(dataset) == 12 and dataset.object_ids[3] == dataset.groups[3] == "o03"
    assert dataset.ra.tolist() == [10.0 + i for i in range(12)] and dataset.dec.tolist() == [-5.0] * 12
    assert dataset.labels["class"].tolist() == ["STAR", "QSO"] * 5 + ["", ""]
    np.testing.assert_allclose(dataset.labels["z"], [*np.arange(10) * 0.1, np.nan, np.nan])
    assert list(dataset.modalities) == ["image", "spectrum", "lightcurve"]
    assert np.flatnonzero(dataset.present("spectrum")).tolist() == [0, 2, 4, 6, 8, 10]


def test_views_are_what_the_files_hold(dataset, fake):
    np.testing.assert_array_equal(dataset.views("image", [7, 0]), [fake.image(7), fake.image(0)])
    np.testing.assert_allclose(dataset.views("spectrum", [10, 2]), [fake.spectrum(10), fake.spectrum(2)])
    assert dataset.views("image").shape == (12, 2, 4, 4)
    assert dataset.views("image", []).shape == (0, 2, 4, 4)
    np.testing.assert_array_equal(dataset.views("image", [-1]), [fake.image(11)])


def test_light_curves_are_padded_with_nan(dataset, fake):
    views = dataset.views("lightcurve", [2, 0])
    assert views.shape == (2, 3, 4) and views.dtype == np.float32
    np.testing.assert_allclose(views[1, :1], fake.light_curve(0, 1), rtol=1e-6)
    assert np.isnan(views[1, 1:]).all() and not np.isnan(views[0]).any()
    assert dataset.views("lightcurve", []).shape == (0, 0, 4)


def test_a_sample_is_a_view_of_the_file(dataset, fake):
    sample = dataset[2]
    assert sorted(sample.views) == ["image", "lightcurve", "spectrum"] and sample.labels["class"] == "STAR"
    assert not sample.views["image"].flags.writeable and not sample.views["image"].flags.owndata
    np.testing.assert_allclose(sample.views["lightcurve"], fake.light_curve(2, 3), rtol=1e-6)
    last = dataset[-1]
    assert last.object_id == "o11" and list(last.views) == ["image"] and last.labels == {}
    assert [one.object_id for one in dataset] == dataset.object_ids.tolist()


def test_a_batch_says_which_rows_have_what(dataset):
    batch = dataset.batch([4, 3, 0])
    assert batch.object_ids == ["o04", "o03", "o00"] and len(batch) == 3
    assert {name: rows.tolist() for name, rows in batch.rows.items()} == {
        "image": [0, 1, 2],
        "spectrum": [0, 2],
        "lightcurve": [1, 2],
    }
    assert batch.views["spectrum"].dtype == torch.float32 and batch.views["spectrum"].shape == (2, 2, 5)
    assert batch.labels["z"].tolist() == pytest.approx([0.4, 0.3, 0.0])


def test_a_selection_is_a_dataset(dataset, fake):
    some = dataset.select([8, 3, 0]).select(np.array([True, False, True]))
    assert some.object_ids.tolist() == ["o08", "o00"] and some[1].object_id == "o00"
    np.testing.assert_allclose(some.views("spectrum"), [fake.spectrum(8), fake.spectrum(0)], rtol=1e-6)
    assert some.labels["z"].tolist() == pytest.approx([0.8, 0.0])
    assert some.data_hash("image") != dataset.data_hash("image")
    assert some.data_hash("image") == dataset.select([8, 0]).data_hash("image")


def test_a_dataset_travels_between_processes(dataset):
    some = dataset.select([5, 1])
    assert pickle.loads(pickle.dumps(some)).object_ids.tolist() == ["o05", "o01"]
    assert pickle.loads(pickle.dumps(dataset)).data_hash("image") == dataset.data_hash("image")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(some.views, ("image",)), some.views("image"))


def test_the_hash_is_of_one_modality(dataset, survey, tmp_path, write, fake):
    write(tmp_path / "s", [{"id": "o00", "view": fake.spectrum(99)}])
    other = ingest(survey, tmp_path / "other", workers=1, quiet=True)
    assert other.data_hash("image") == dataset.data_hash("image")
    assert other.data_hash("spectrum") != dataset.data_hash("spectrum")


def test_catalogue_is_an_astropy_table(dataset):
    table = dataset.catalogue()
    assert table.colnames == [
        "object_id",
        "group",
        "ra",
        "dec",
        "z",
        "class",
        *(f"has_{m}" for m in dataset.modalities),
    ]
    assert table["has_spectrum"].sum() == 6 and str(table["ra"].unit) == "deg" and table.meta["origin"] == "real"


def test_a_dataset_shows_itself_and_is_a_path(dataset, tmp_path):
    assert "12 objects; image: image [2, 4, 4] x 12 of 12, spectrum: spectrum [2, 5] x 6 of 12" in repr(dataset)
    assert "<td>spectrum</td><td>spectrum [2, 5]</td><td>6 of 12</td>" in dataset._repr_html_()
    assert os.fspath(dataset) == str(tmp_path / "data")
    assert len(Dataset(dataset)) == 12


def test_wrong_rows(dataset):
    with pytest.raises(InputError, match=r"2 of the rows have no 'spectrum' \(first: row 1, object 'o01'\)"):
        dataset.views("spectrum", [0, 1, 3])
    with pytest.raises(InputError, match=r"has no modality 'radio'. It has: image, spectrum, lightcurve"):
        dataset.views("radio", [0])
    with pytest.raises(IndexError, match="row 12 does not exist: the dataset has 12 rows"):
        dataset[12]
    with pytest.raises(InputError, match=r"the mask has shape \(3,\), expected \(12,\)"):
        dataset.select([True, False, True])
    with pytest.raises(InputError, match="rows must be integers or a bool mask, found float64"):
        dataset.views("image", [0.5])


def test_a_folder_that_is_no_dataset(dataset, tmp_path):
    with pytest.raises(FolderError, match=r"no such folder. Expected a dataset folder"):
        Dataset(tmp_path / "nowhere")
    with pytest.raises(FolderError, match=r"is not a complete dataset folder: it has no manifest.json"):
        Dataset(tmp_path / "i")
    manifest = json.loads((dataset.root / "manifest.json").read_text())
    for changes, message in (
        ({"format_version": 99}, "written by a newer astroclip_kit"),
        ({"kind": "features"}, "is a features folder, expected a dataset folder"),
        ({"shards": [{}]}, "the manifest lacks 'file'. Delete the folder and ingest again"),
    ):
        (dataset.root / "manifest.json").write_text(json.dumps({**manifest, **changes}))
        with pytest.raises(FolderError, match=message):
            Dataset(dataset.root)


def test_a_damaged_dataset(dataset):
    shard = dataset.root / dataset.manifest["shards"][0]["file"]
    content = shard.read_bytes()
    shard.write_bytes(content[:-100])
    with pytest.raises(FolderError, match=r"has \d+ bytes, expected \d+: the dataset is damaged"):
        Dataset(dataset.root)
    shard.write_bytes(bytes(len(content)))
    with pytest.raises(FolderError, match="damaged or missing"):
        _ = Dataset(dataset.root).object_ids
    shard.unlink()
    with pytest.raises(FolderError, match="is missing: the dataset is damaged"):
        Dataset(dataset.root)
