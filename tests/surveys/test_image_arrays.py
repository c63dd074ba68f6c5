import numpy as np
import pandas as pd
import pytest
from layout_images import ALERT_COLUMNS, make_stack, make_ztf_stamps, write_alerts

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import ImageArrays
from astroclip_kit.surveys.files import array_files
from astroclip_kit.types import Drop, Sample

BANDS = ["science", "template", "difference"]


def read(reader):
    return [item for path in reader.files() for item in reader.read(path)]


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(size=(4, 3, 9, 11)).astype("f4")


def test_stamps_of_alerts_with_their_table(tmp_path):
    reader = make_ztf_stamps(tmp_path)
    samples = read(reader)
    with np.load(tmp_path / "cutouts.npz") as stored:
        np.testing.assert_array_equal(
            [sample.views["image"] for sample in samples], np.nan_to_num(stored["cutouts"], nan=0)
        )
        assert [sample.object_id for sample in samples] == [str(candid) for candid in stored["candid"]]
    assert samples[0].group == samples[2].group == "ZTF18abadigg" and samples[1].group == "ZTF18abjtlqo"
    assert (samples[3].ra, samples[3].dec) == (323.0, -5.0)
    assert reader.modality.shape == (3, 21, 21) and reader.modality.pixel_scale_arcsec == 1.01


def test_bands_last_in_npy_files_with_ids_beside_them(tmp_path):
    reader = make_stack(tmp_path)
    assert [path.name for path in reader.files()] == ["north.npy", "south.npy"]
    samples = read(reader)
    assert [sample.object_id for sample in samples] == ["north-0", "north-1", "south-0", "south-1"]
    stored = np.load(tmp_path / "south.npy")
    np.testing.assert_array_equal(samples[3].views["image"], np.moveaxis(stored[1], -1, 0).astype("f4"))
    assert reader.modality.unit == "adu" and samples[0].views["image"].flags.c_contiguous


def test_files_larger_than_a_block_and_in_fortran_order(tmp_path, images, monkeypatch):
    monkeypatch.setattr(array_files, "BLOCK_BYTES", 3 * images[0].nbytes)
    np.savez(tmp_path / "a.npz", images)
    np.save(tmp_path / "b.npy", np.asfortranarray(images.astype("f8")))
    np.save(tmp_path / "c.npy", np.round(images * 100).astype("i2"))
    found = np.array([item.views["image"] for item in read(ImageArrays(tmp_path, BANDS))]).reshape(3, *images.shape)
    np.testing.assert_array_equal(found[0], images)
    np.testing.assert_array_equal(found[1], images)
    np.testing.assert_array_equal(found[2], np.round(images * 100))


def test_one_band_needs_no_axis_and_rows_without_ids_are_numbered(tmp_path, images):
    np.save(tmp_path / "a.npy", images[:, 0])
    samples = read(ImageArrays(tmp_path / "a.npy", ["r"]))
    assert [sample.object_id for sample in samples] == ["a-1", "a-2", "a-3", "a-4"]
    np.testing.assert_array_equal(samples[2].views["image"], images[2, :1])


@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_inverse_variances(tmp_path, images, suffix):
    ivar = np.full(images.shape, 4.0)
    images[0, 0, 1, 1], ivar[0, 1, 2, 2], ivar[0, 2, 3, 3] = np.nan, 0, np.nan
    if suffix == ".npz":
        np.savez(tmp_path / "a.npz", x=images, w=ivar)
        reader = ImageArrays(tmp_path, BANDS, {"image": "x", "ivar": "w"})
    else:
        np.save(tmp_path / "a.npy", images)
        np.save(tmp_path / "a-weight.npy", ivar)
        reader = ImageArrays(tmp_path, BANDS, {"ivar": "{stem}-weight.npy"})
    view = read(reader)[0].views["image"]
    assert reader.modality.channels == (*BANDS, *(f"ivar_{band}" for band in BANDS))
    for band in range(3):
        assert view[band, band + 1, band + 1] == view[band + 3, band + 1, band + 1] == 0
    assert (view[3:] == 4).sum() == view[3:].size - 3


def test_rows_that_cannot_be_used_are_drops(tmp_path):
    cutouts = np.ones((6, 3, 5, 5), "f4")
    cutouts[5, 1] = np.nan
    ids = np.array(["a", "b", "a", "", "elsewhere", "c"])
    pd.DataFrame({"name": ["a", "b", "c"], "ra": [1.0, 500.0, 3.0], "dec": [0.0, 0.0, 0.0]}).to_csv(tmp_path / "t.csv")
    np.savez(tmp_path / "x.npz", cutouts=cutouts, ids=ids)
    table = {"path": str(tmp_path / "t.csv"), "id": "name", "ra": "ra", "dec": "dec"}
    items = read(ImageArrays(tmp_path / "x.npz", BANDS, table=table))
    path = tmp_path / "x.npz"
    assert [(item.source, item.reason) for item in items if isinstance(item, Drop)] == [
        (f"{path}: row 2 b", "coordinates out of range."),
        (f"{path}: row 3 a", "duplicated id."),
        (f"{path}: row 4", "no id."),
        (f"{path}: row 5 elsewhere", f"not in the table {tmp_path / 't.csv'}."),
        (f"{path}: row 6 c", "band 'template' has no finite pixel."),
    ]
    assert [item.object_id for item in items if isinstance(item, Sample)] == ["a"]


def test_a_table_row_by_row(tmp_path, images):
    np.save(tmp_path / "a.npy", images)
    _, table = write_alerts(tmp_path)
    reader = ImageArrays(tmp_path / "a.npy", BANDS, table={"path": str(table), **ALERT_COLUMNS})
    assert next(sample.object_id for sample in read(reader)) == "1786104593715015000"
    np.save(tmp_path / "a.npy", images[:3])
    with pytest.raises(FileError, match=r"3 images, and 4 rows in .*candidates.csv. Name the ids"):
        read(reader)


@pytest.mark.parametrize(
    ("arrays", "arguments", "problem"),
    [
        ({"a": np.ones((2, 4, 5, 5))}, {}, r"shape \(2, 4, 5, 5\) has no 3 bands \(science, template, difference\)"),
        ({"a": np.ones((2, 5, 5, 3))}, {}, "Check `bands` and `layout`"),
        ({"a": np.ones((2, 3, 5, 5)), "b": np.ones((2, 3, 5, 5))}, {}, r"which array holds the images\? .*a \(2, 3, 5"),
        ({"a": np.ones((2, 3, 5, 5))}, {"arrays": {"image": "b"}}, r"which array holds the images\?"),
        ({"a": np.ones((2, 3, 5, 5)), "i": np.ones(3)}, {"arrays": {"ids": "i"}}, r"\(3,\) ids for 2 images"),
        (
            {"a": np.ones((2, 3, 5, 5))},
            {"arrays": {"ids": "i"}},
            r"cannot be read as NumPy arrays, .*no item named 'i.npy'",
        ),
        (
            {"a": np.ones((2, 3, 5, 5)), "w": np.ones((2, 3, 4, 5))},
            {"arrays": {"image": "a", "ivar": "w"}},
            r"inverse variance of shape \(2, 3, 4, 5\) for images of \(2, 3, 5, 5\)",
        ),
        ({"a": np.ones((2, 3, 5, 5), complex)}, {}, "array 'a' holds complex128, expected real numbers"),
        ({"a": np.ones((2, 3, 5, 5)), "i": np.array([{}, {}])}, {}, "cannot be read as NumPy arrays, .*allow_pickle"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, arrays, arguments, problem):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(FileError, match=problem):
        read(ImageArrays(tmp_path, BANDS, **arguments))


def test_another_size_than_the_first_file(tmp_path, images):
    np.save(tmp_path / "a.npy", images)
    np.save(tmp_path / "b.npy", images[..., :8])
    with pytest.raises(FileError, match=r"b.npy: images of another size than \(9, 11\)"):
        read(ImageArrays(tmp_path, BANDS))


def test_nothing_to_read(tmp_path):
    with pytest.raises(FileError, match=r"no .npy or .npz file is there"):
        _ = ImageArrays(tmp_path, BANDS).modality
    (tmp_path / "a.npz").write_bytes(b"<html>")
    with pytest.raises(FileError, match=r"no array can be read; the last problem: .*truncated or damaged"):
        _ = ImageArrays(tmp_path, BANDS).modality


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"bands": []}, "bands: name at least one band"),
        ({"layout": "WHC"}, "layout is 'WHC', expected 'CHW' or 'HWC'"),
        ({"arrays": {"labels": "y"}}, "arrays: labels unknown. Name image, ids and ivar"),
        ({"unit": "furlong"}, "unit 'furlong' is no unit"),
    ],
)
def test_arguments_that_make_no_sense(arguments, problem):
    with pytest.raises(UsageError, match=problem):
        ImageArrays(**{"root": "a.npz", "bands": BANDS, **arguments})


@pytest.mark.shared_data
def test_real_ztf_stamps(shared_data):
    folder = shared_data / "ztf-alerts"
    table = {"path": str(folder / "candidates.csv"), **ALERT_COLUMNS}
    samples = read(ImageArrays(folder / "cutouts.npz", BANDS, table=table))
    assert len(samples) == 263 and len({sample.group for sample in samples}) == 236
    candidates = pd.read_csv(folder / "candidates.csv", dtype={"candid": str}).set_index("candid")
    with np.load(folder / "cutouts.npz") as stored:
        off = np.isnan(stored["cutouts"])
        views = np.array([sample.views["image"] for sample in samples])
        assert off.mean() == pytest.approx(0.0143, abs=1e-4) and (views[off] == 0).all()
        np.testing.assert_array_equal(views[~off], stored["cutouts"][~off])
    for sample in samples[::50]:
        row = candidates.loc[sample.object_id]
        assert (sample.ra, sample.dec, sample.group) == (row["ra"], row["dec"], row["objectId"])
