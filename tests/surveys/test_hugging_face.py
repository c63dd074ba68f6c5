"""Hugging Face datasets on disk."""

import io
import json

import numpy as np
import pyarrow as pa
import pytest
from layout_hugging_face import CURVE, GRID, MORE, PLACE, SPECTRUM, make, table, write_dataset
from PIL import Image
from pyarrow import parquet

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import HuggingFaceDataset
from astroclip_kit.types import Sample


def samples_of(reader):
    return [item for path in reader.files() for item in reader.read(path)]


def test_rows_of_all_shards_in_order(tmp_path):
    reader = make("image")(tmp_path)
    samples = samples_of(reader)
    assert [one.object_id for one in samples] == [str(39627835000000000 + row) for row in range(3)]
    np.testing.assert_allclose(samples[2].views["image"], np.array(table()["image"][2].as_py(), dtype="f4"))
    assert (samples[1].ra, samples[1].dec) == (151.0, -1.5)
    assert samples[0].labels == {"z": 0.0} and samples[1].labels == {"z": 0.1, "class": "GALAXY"}
    assert reader.modality.channels == ("g", "r", "z") and reader.modality.unit == "nmgy"


def test_spectra_of_any_length_come_to_one_grid(tmp_path):
    reader = make("spectrum")(tmp_path)
    flux, ivar = samples_of(reader)[0].views["spectrum"]
    assert flux.shape == (101,) and (ivar > 0).all()
    own = np.array(table()["spectrum"][0].as_py()["flux"])
    assert flux.mean() == pytest.approx(own[25:150].mean(), rel=0.05)


def test_light_curves_as_lists_of_structures(tmp_path):
    first = samples_of(make("lightcurve")(tmp_path))[0]
    expected = [[0, 18, 0.1, 0], [2, 19, 0.1, 1], [4, 20, 0.1, 0], [6, 21, 0.1, 1]]
    np.testing.assert_allclose(first.views["lightcurve"], expected, rtol=1e-6)
    assert first.labels["time_zero_mjd"] == 58000.0


def test_splits_become_a_label(tmp_path):
    for seed, name in enumerate(("train", "test")):
        write_dataset(tmp_path / name, table(seed=seed))
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    samples = samples_of(HuggingFaceDataset(tmp_path, **MORE["image"]))
    assert [one.labels["published_split"] for one in samples] == ["test"] * 3 + ["train"] * 3


def test_parquet_of_the_hub_and_null_views(tmp_path):
    rows = table().to_pylist()
    rows[1]["image"] = None
    (tmp_path / "data").mkdir()
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "data" / "train-00000-of-00001.parquet")
    samples = samples_of(HuggingFaceDataset(tmp_path, **MORE["image"]))
    assert [one.object_id[-1] for one in samples] == ["0", "2"] and len(samples_of(make("table")(tmp_path))) == 3


def test_images_with_the_channel_last_and_encoded_ones(tmp_path):
    cube = np.arange(3 * 8 * 8, dtype="f4").reshape(8, 8, 3)
    coded = io.BytesIO()
    Image.fromarray(cube.astype("u1")).save(coded, "PNG")
    for name, value in (("last", cube.tolist()), ("png", {"bytes": coded.getvalue(), "path": None})):
        root = write_dataset(tmp_path / name, pa.Table.from_pylist([{"id": "a", "rgb": value}]), shards=1)
        [sample] = samples_of(HuggingFaceDataset(root, {"id": "id", "image": "rgb"}, bands=["R", "G", "B"]))
        np.testing.assert_array_equal(sample.views["image"], np.moveaxis(cube, 2, 0))


def test_pixels_on_a_known_grid_need_no_wavelengths(tmp_path):
    content = pa.Table.from_pylist([{"id": 7, "flux": [1.0] * 101}])
    root = write_dataset(tmp_path / "s", content, shards=1)
    reader = HuggingFaceDataset(root, {"id": "id", "flux": "flux"}, kind="spectrum", grid=GRID)
    [sample] = samples_of(reader)
    assert sample.object_id == "7"
    np.testing.assert_allclose(sample.views["spectrum"], np.ones((2, 101)), rtol=1e-5)


def test_folders_of_the_library_itself(tmp_path):
    datasets = pytest.importorskip("datasets")
    rows = {"id": ["a", "b"], "image": np.arange(2 * 3 * 4 * 4, dtype="f4").reshape(2, 3, 4, 4) + 1}
    features = datasets.Features({"id": datasets.Value("string"), "image": datasets.Array3D((3, 4, 4), "float32")})
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(tmp_path / "saved")
    reader = HuggingFaceDataset(tmp_path / "saved", {"id": "id", "image": "image"}, bands=["g", "r", "z"])
    np.testing.assert_array_equal(np.stack([one.views["image"] for one in samples_of(reader)]), rows["image"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"columns": {"image": "image"}, "bands": ["g"]}, "columns: id missing, nothing unknown"),
        ({"columns": {**PLACE, "image": "image", "flux": "x"}, "bands": ["g"]}, "flux unknown"),
        ({"columns": {**PLACE, "image": "image"}}, "bands: the files do not name the channels"),
        ({"columns": {**PLACE, "flux": "spectrum.flux"}, "kind": "spectrum"}, "grid: no column gives the wavelengths"),
    ],
)
def test_what_has_to_be_said(tmp_path, arguments, message):
    with pytest.raises(UsageError, match=message):
        HuggingFaceDataset(tmp_path, **arguments)


def spectrum(**changes):
    return {"columns": {**SPECTRUM, **changes}, "kind": "spectrum", "grid": GRID}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({**MORE["image"], "columns": {**PLACE, "image": "picture"}}, r"no column 'picture' \(found"),
        ({**MORE["image"], "bands": ["g", "r"]}, r"arrays of shape \(3, 16, 16\), expected 2 bands"),
        (spectrum(flux="spectrum.fluxx"), "no column 'spectrum.fluxx': 'fluxx' is not in struct"),
        ({"columns": {"id": "mags", "z": "mags"}, "kind": "table"}, "column 'mags' holds no number per row"),
        ({"columns": {"id": "targetid", "z": "class"}, "kind": "table"}, "column 'class' holds no number per row"),
        ({"columns": {**CURVE, "value": "mags"}, "kind": "lightcurve"}, "'mags' and the times differ in length"),
        ({"columns": {"id": "targetid", "flux": "mags"}, "kind": "spectrum", "grid": GRID}, "spectra of 2 pixels"),
        (spectrum(ivar="mags"), "ivar of 2 pixels for a flux of"),
        ({"columns": {"id": "targetid", "image": "class"}, "bands": ["g"]}, "expected 1 bands"),
    ],
)
def test_what_a_file_lacks_is_one_clear_error(tmp_path, arguments, message):
    root = write_dataset(tmp_path / "saved", table(), shards=1)
    reader = HuggingFaceDataset(root, **arguments)
    with pytest.raises(FileError, match=message):
        samples_of(reader)


def test_damaged_folders(tmp_path):
    root = write_dataset(tmp_path / "saved", table(), shards=1)
    reader = HuggingFaceDataset(root, **MORE["image"])
    assert isinstance(samples_of(reader)[0], Sample)
    (root / "state.json").write_text("{")
    with pytest.raises(FileError, match=r"state.json: damaged .* Save the dataset again"):
        reader.files()
    content = table().drop_columns("image")
    empty = write_dataset(tmp_path / "none", content.append_column("image", pa.nulls(3, pa.list_(pa.float32()))), 1)
    with pytest.raises(FileError, match="holds no row with a image"):
        samples_of(HuggingFaceDataset(empty, **MORE["image"]))
    mixed = pa.Table.from_pylist([{"id": 1, "image": np.ones((1, 4, 4)).tolist()}, {"id": 2, "image": [[[1.0]]]}])
    with pytest.raises(FileError, match="images of several sizes"):
        samples_of(
            HuggingFaceDataset(write_dataset(tmp_path / "m", mixed, 1), {"id": "id", "image": "image"}, bands=["g"])
        )
    coded = pa.Table.from_pylist([{"id": 1, "image": b"<html>"}])
    with pytest.raises(FileError, match="bytes that are no image"):
        samples_of(
            HuggingFaceDataset(write_dataset(tmp_path / "b", coded, 1), {"id": "id", "image": "image"}, bands=["g"])
        )
