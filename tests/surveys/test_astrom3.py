"""AstroM3Processed: the encoders' preprocessing gives the published numbers again."""

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
import torch
from layout_astrom3 import CLASSES, make, processed, raw, scaling, write_parquet, write_subset
from pyarrow import parquet

from astroclip_kit.data import Dataset, ingest, splits
from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.settings import Split
from astroclip_kit.surveys import AstroM3Parquet
from astroclip_kit.transforms import CatalogueColumns, LightCurveSteps, SpectrumChannels
from astroclip_kit.transforms.astrom3_columns import METADATA, PHOTOMETRY
from astroclip_kit.types import Drop, Sample

ORDER = ("train-0", "train-1", "train-2", "train-3", "train-4", "validation-0", "validation-1", "test-0", "test-1")


def samples_of(reader):
    items = [item for path in reader.files() for item in reader.read(path)]
    return {one.object_id: one for one in items if isinstance(one, Sample)}


def transform_of(reader, info=None):
    statistics = {}
    if info is not None:
        names = METADATA if reader.kind == "table" else PHOTOMETRY
        statistics = {key: [info[key][name] for name in names] for key in ("mean", "std")}
    if reader.kind == "spectrum":
        return SpectrumChannels.for_modality(reader.modality)
    if reader.kind == "table":
        return CatalogueColumns.for_modality(reader.modality, **statistics)
    return LightCurveSteps.for_modality(reader.modality, length=400, **statistics)


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("kind", ["lightcurve", "spectrum", "table"])
def test_the_published_numbers_come_back(tmp_path, kind, told):
    rows = write_subset(tmp_path)
    reader = AstroM3Parquet(tmp_path / "full_42", kind, tmp_path / "info.json" if told else "")
    samples = samples_of(reader)
    transform = transform_of(reader, json.loads((tmp_path / "info.json").read_text()) if told else None)
    column = {"lightcurve": "photometry", "spectrum": "spectra", "table": "metadata"}[kind]
    assert list(samples) == sorted(ORDER, key=lambda name: name.split("-")[0])
    for object_id, row in zip(ORDER, rows, strict=True):
        one = samples[object_id]
        got = transform(torch.from_numpy(one.views[kind])[None])[0].numpy()
        got = got[np.isfinite(got[:, 0])] if kind == "lightcurve" else got
        np.testing.assert_allclose(got, row[column], rtol=2e-5, atol=5e-6)
        assert one.labels == {"class": CLASSES[row["label"]], "published_split": object_id.split("-")[0]}


def test_what_is_known_is_physical(tmp_path):
    write_subset(tmp_path)
    stars = dict(zip(ORDER, raw(9), strict=True))
    info = tmp_path / "info.json"
    curves = samples_of(AstroM3Parquet(tmp_path / "full_42", statistics=info))
    tables = samples_of(AstroM3Parquet(tmp_path / "full_42", "table", info, name="gaia"))
    spectra = samples_of(AstroM3Parquet(tmp_path / "full_42", "spectrum"))
    for object_id, star in stars.items():
        view, points = curves[object_id].views["lightcurve"], star["photometry"]
        np.testing.assert_allclose(view[:, 0], points[:, 0] - points[0, 0], atol=2e-3)
        np.testing.assert_allclose(view[:, 1], points[:, 1] - points[:, 1].mean(), atol=1e-5)
        np.testing.assert_allclose(view[:, 2], points[:, 2], rtol=1e-5)
        np.testing.assert_allclose(view[0, 4:], star["photo_cols"], rtol=1e-5)
        columns = tables[object_id].views["gaia"]
        np.testing.assert_allclose(columns[:32], star["metadata"][:32], rtol=1e-4, atol=1e-5)
        assert columns[33] == pytest.approx(star["metadata"][33], abs=1e-2)
        assert np.cos(np.radians(columns[32])) == pytest.approx(np.cos(np.radians(star["metadata"][32])), abs=1e-5)
    zeros = spectra["train-0"].views["spectrum"][0] == 0
    assert zeros.sum() > 100 and (spectra["train-1"].views["spectrum"][0] != 0).all()
    assert AstroM3Parquet(tmp_path, statistics=info).modality.covariates == PHOTOMETRY


def test_the_published_division_is_that_of_the_experiment(tmp_path):
    write_subset(tmp_path)
    sources = {kind: AstroM3Parquet(tmp_path / "full_42", kind) for kind in ("lightcurve", "spectrum", "table")}
    ingest(sources, tmp_path / "data", quiet=True)
    dataset = Dataset(tmp_path / "data")
    assert len(dataset) == 9 and all(dataset.present(kind).all() for kind in sources)
    sides = splits.divide(dataset, Split(column="published_split"))
    called = {"train": "train", "valid": "validation", "test": "test"}
    ids = dataset.object_ids
    assert all(name.startswith(called[side]) for name, side in zip(ids, sides, strict=True))


def test_files_of_datasets_itself(tmp_path):
    datasets = pytest.importorskip("datasets")
    stars = raw(4)
    rows = processed(stars, scaling(stars))
    features = datasets.Features(
        {
            "photometry": datasets.Array2D((None, 9), "float32"),
            "spectra": datasets.Array2D((3, 2575), "float32"),
            "metadata": datasets.Sequence(datasets.Value("float32"), 34),
            "label": datasets.ClassLabel(names=CLASSES[::-1]),
        }
    )
    (tmp_path / "sub10_0" / "test").mkdir(parents=True)
    written = datasets.Dataset.from_list(rows, features=features)
    written.to_parquet(str(tmp_path / "sub10_0" / "test" / "0000.parquet"))
    write_parquet(tmp_path / "plain" / "test.parquet", rows, features=False)
    for kind in ("lightcurve", "spectrum", "table"):
        found = samples_of(AstroM3Parquet(tmp_path / "sub10_0", kind))
        plain = samples_of(AstroM3Parquet(tmp_path / "plain", kind))
        assert list(found) == list(plain) == [f"test-{row}" for row in range(4)]
        for name in found:
            np.testing.assert_array_equal(found[name].views[kind], plain[name].views[kind])
            assert found[name].labels["class"] == CLASSES[9 - CLASSES.index(plain[name].labels["class"])]


def spoilt(number, row):
    """A row in which something is wrong, and what is said of it."""
    steps, spectra = row["photometry"], row["spectra"]
    uneven, narrow, nan = steps.copy(), steps[:, :3], steps.copy()
    uneven[1, 5], nan[0, 1] = 7, np.nan
    huge, dark = steps.copy(), spectra.copy()
    huge[:, 7], dark[1] = 60, -1
    return [
        ("lightcurve", {"photometry": narrow}, "photometry has 3 numbers in a row, expected 9"),
        ("lightcurve", {"photometry": nan}, "the light curve holds numbers that are not finite"),
        ("lightcurve", {"photometry": uneven}, "what is constant in a light curve differs from step to step"),
        ("lightcurve", {"photometry": huge}, "the light curve holds numbers that are too large"),
        ("lightcurve", {"photometry": steps[:0]}, "the light curve has no point"),
        ("spectrum", {"spectra": spectra[:2]}, r"spectra has 2 rows or values, expected 3"),
        ("spectrum", {"spectra": spectra[:, :99]}, "spectra has 99 numbers in a row, expected 2575"),
        ("spectrum", {"spectra": spectra * np.nan}, "the spectrum holds numbers that are not finite"),
        ("spectrum", {"spectra": dark}, "the inverse variance of the spectrum is 0 everywhere"),
        ("table", {"metadata": row["metadata"] * np.nan}, "no column of the metadata has a value"),
        ("table", {"label": 10}, "its label is no class"),
    ][number]


@pytest.mark.parametrize("number", range(11))
def test_a_bad_row_is_left_out_and_a_bad_file_is_an_error(tmp_path, number):
    stars = raw(3)
    rows = processed(stars, scaling(stars))
    kind, change, reason = spoilt(number, rows[1])
    reader = AstroM3Parquet(tmp_path, kind)
    path = write_parquet(tmp_path / "train-00000-of-00001.parquet", [rows[0], {**rows[1], **change}, rows[2]])
    first, drop, last = reader.read(path)
    assert (first.object_id, last.object_id) == ("train-0", "train-2")
    assert isinstance(drop, Drop) and (drop.source, drop.reason) == (f"{path}: train-1", reason)
    write_parquet(path, [{**rows[1], **change}])
    with pytest.raises(FileError, match=f"none of its 1 rows can be used; the first: {reason}. Download it again"):
        list(reader.read(path))


def test_rows_without_a_view_or_a_label(tmp_path):
    stars = raw(3)
    rows = processed(stars, scaling(stars))
    rows[1]["photometry"], rows[2]["label"], rows[0]["label"] = None, -1, None
    path = write_parquet(tmp_path / "train.parquet", rows)
    first, last = AstroM3Parquet(path).read(path)
    assert (first.object_id, last.object_id) == ("train-0", "train-2") and "class" not in first.labels | last.labels
    write_parquet(path, [rows[1]])
    with pytest.raises(FileError, match=r"holds no row\. Download"):
        list(AstroM3Parquet(path).read(path))


def test_what_is_no_such_folder(tmp_path):
    write_subset(tmp_path)
    write_parquet(tmp_path / "sub10_0" / "train-00000-of-00001.parquet", [])
    with pytest.raises(FileError, match=r"holds several subsets \(full_42, sub10_0\): name one"):
        AstroM3Parquet(tmp_path).files()
    other = tmp_path / "full_42" / "other.parquet"
    (tmp_path / "full_42" / "test-00000-of-00001.parquet").rename(other)
    with pytest.raises(FileError, match=r"other.parquet: neither its name nor that of its folder says train"):
        list(AstroM3Parquet(tmp_path / "full_42").read(other))
    with pytest.raises(UsageError, match="AstroM3Parquet kind is 'image', expected one of lightcurve, spectrum, table"):
        AstroM3Parquet(tmp_path, "image")
    (tmp_path / "info.json").write_text('{"mean": {"period": 1}, "std": {}}')
    with pytest.raises(FileError, match=r"is no info.json of AstroM3Dataset \(KeyError: 'mean_vmag'\)"):
        repr(AstroM3Parquet(tmp_path / "full_42", statistics=tmp_path / "info.json").modality)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("lightcurve", r"column 'photometry' holds list<.*, not the numbers of AstroM3Processed"),
        ("spectrum", r"no column 'spectra' \(found"),
        ("table", "column 'label' holds double, expected numbers or names of classes"),
    ],
)
def test_columns_of_another_data_set(tmp_path, kind, words):
    rows = [{"photometry": [["a"]], "metadata": [1.0] * 34, "label": 0.5}]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "test.parquet")
    with pytest.raises(FileError, match=words):
        list(AstroM3Parquet(tmp_path, kind).read(tmp_path / "test.parquet"))


def test_classes_may_be_names(tmp_path):
    rows = [{"metadata": [1.0] * 34, "label": name} for name in ("EW", None)]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "test.parquet")
    found = samples_of(AstroM3Parquet(tmp_path, "table"))
    assert [one.labels.get("class") for one in found.values()] == ["EW", None]


def test_a_broken_shard_takes_the_numbers_of_those_behind_it(tmp_path):
    reader = make("table")(tmp_path)
    first, second = reader.files()[1:3]
    first.write_bytes(b"PAR1")
    with pytest.raises(FileError, match=r"train-00000-of-00002.parquet: no whole Parquet file"):
        list(reader.read(second))


def test_reading_needs_no_torch():
    code = "import astroclip_kit.surveys.astrom3, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
