"""Tests of survey files to a dataset folder: what is left out, what is refused, what `datasets` reads."""

import csv
import json

import datasets
import numpy as np
import pytest

from astroclip_kit import storage
from astroclip_kit.data import Dataset, ingest
from astroclip_kit.errors import FileError, FolderError, InputError, UsageError
from astroclip_kit.settings import Matching
from astroclip_kit.types import Sample


def drops(folder):
    with (folder / "drops.csv").open() as file:
        return list(csv.DictReader(file))


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_bad_files_are_counted_and_listed(survey, tmp_path):
    dataset = ingest(survey, tmp_path / "data", quiet=True)
    assert [(drop["source"], drop["dropped"]) for drop in drops(tmp_path / "data")] == [
        ("image", str(tmp_path / "i" / "bad.json")),
        ("spectrum", str(tmp_path / "s" / "bad.json")),
    ]
    assert dataset.manifest["dropped"] == 2
    assert dataset.manifest["drops"][0]["reason"] == "this is a web page, expected JSON. Download it again."
    assert "JSONDecodeError" in dataset.manifest["drops"][1]["reason"]
    assert dataset.manifest["sources"]["image"] == {"files": 13, "observations": 12, "unread": 1}
    assert dataset.manifest["unmatched"] == {"catalogue": 1}


def test_the_number_of_workers_changes_nothing(survey, tmp_path, monkeypatch):
    monkeypatch.setattr("astroclip_kit.data.staging.FILES_PER_CHUNK", 2)
    for workers in (1, 3):
        ingest(survey, tmp_path / str(workers), name="same", workers=workers, quiet=True)
    assert contents(tmp_path / "1") == contents(tmp_path / "3")


def test_nothing_but_the_dataset_is_left(survey, tmp_path):
    inputs = ingest(survey, tmp_path / "data", quiet=True).manifest["inputs"]
    files = {"manifest.json", "state.json", "dataset_info.json", "drops.csv", "ambiguous.csv"}
    assert {str(path) for path in contents(tmp_path / "data")} == {*files, f"data-{inputs[:8]}-00000-of-00001.arrow"}


@pytest.mark.parametrize("shard_bytes", [2000, 10**9])
def test_the_datasets_package_opens_the_folder(survey, tmp_path, monkeypatch, shard_bytes):
    monkeypatch.setattr("astroclip_kit.data.gathering.SHARD_BYTES", shard_bytes)
    dataset = ingest(survey, tmp_path / "data", quiet=True)
    loaded = datasets.load_from_disk(tmp_path / "data")
    assert (len(dataset.manifest["shards"]) > 1) == (shard_bytes == 2000)
    assert loaded["object_id"][:] == dataset.object_ids.tolist()
    assert loaded.column_names == ["object_id", "group", "ra", "dec", "z", "class", "image", "spectrum", "lightcurve"]
    np.testing.assert_array_equal(loaded[4]["spectrum"], dataset[4].views["spectrum"].ravel())
    assert loaded[5]["spectrum"] is None and loaded[11]["class"] is None
    first = datasets.Dataset.from_file(str(tmp_path / "data" / dataset.manifest["shards"][0]["file"]))
    assert first[0]["object_id"] == "o00"


def test_what_most_rows_lack_takes_no_room(survey, tmp_path):
    ingest(survey, tmp_path / "data", quiet=True)
    schema = datasets.load_from_disk(tmp_path / "data").data.schema
    assert str(schema.field("image").type) == "fixed_size_list<item: float>[32]"
    assert str(schema.field("spectrum").type) == "fixed_size_list<item: float>[10]"  # exactly half have one
    assert str(schema.field("lightcurve").type) == "list<item: float>"
    del survey["lightcurve"]
    (tmp_path / "s" / "00000.json").unlink()
    dataset = ingest(survey, tmp_path / "less", quiet=True)
    schema = datasets.load_from_disk(tmp_path / "less").data.schema
    assert str(schema.field("spectrum").type) == "list<item: float>"
    assert dataset.views("spectrum", [10, 2]).shape == (2, 2, 5) and dataset[10].views["spectrum"].shape == (2, 5)


def test_strict_makes_a_bad_file_fatal(survey, tmp_path):
    with pytest.raises(FileError, match=r"bad.json: this is a web page"):
        ingest(survey, tmp_path / "data", strict=True, workers=2, quiet=True)
    assert not (tmp_path / "data" / "manifest.json").exists()
    assert len(ingest(survey, tmp_path / "data", quiet=True)) == 12


def test_only_bad_files(survey, tmp_path, fake):
    for path in (tmp_path / "s").iterdir():
        path.write_text("<html>")
    with pytest.raises(
        InputError, match=r"source 'spectrum': nothing in its 7 files can be used: .*: this is a web page"
    ):
        ingest(survey, tmp_path / "data", quiet=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "none.json").write_text("[]")
    with pytest.raises(InputError, match=r"nothing in its 1 files can be used: They are empty"):
        ingest({"image": fake.JsonReader(tmp_path / "empty", fake.IMAGE)}, tmp_path / "data", quiet=True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"view": [[[0.0]]]}, r"view 'image' has shape \(1, 1, 1\), expected \(2, 4, 4\)"),
        ({"view": np.full((2, 4, 4), np.nan).tolist()}, "holds no finite value"),
        ({"id": ""}, "the object has no id"),
        ({"ra": 400.0}, "coordinates out of range: ra = 400.0, dec = nan degrees"),
        ({"ra": 1.0, "dec": -91.0}, "coordinates out of range: ra = 1.0, dec = -91.0 degrees"),
        ({"reason": "too faint"}, "too faint"),
    ],
)
def test_a_bad_row_is_left_out_alone(tmp_path, write, fake, change, reason):
    rows = [{"id": "good", "view": fake.image(0)}, {"id": "bad", "view": fake.image(1), **change}]
    reader = fake.JsonReader(write(tmp_path / "i", rows, per_file=2), fake.IMAGE)
    dataset = ingest({"image": reader}, tmp_path / "data", quiet=True)
    assert dataset.object_ids.tolist() == ["good"]
    with pytest.raises(FileError, match=reason):
        ingest({"image": reader}, tmp_path / "strict", strict=True, quiet=True)


def test_a_file_that_breaks_off_keeps_what_came_before(tmp_path, fake):
    class Breaks(fake.JsonReader):
        def read(self, path):
            yield Sample("first", {"image": np.zeros((2, 4, 4), np.float32)})
            raise RuntimeError("the compressed data ended early")

    (tmp_path / "a.json").write_text("")
    dataset = ingest({"image": Breaks(tmp_path, fake.IMAGE)}, tmp_path / "data", quiet=True)
    assert dataset.object_ids.tolist() == ["first"]
    assert dataset.manifest["drops"][0]["reason"] == "RuntimeError: the compressed data ended early"


def test_duplicated_ids_are_dropped_unless_each_makes_a_row(tmp_path, write, fake):
    rows = [{"id": "a", "view": fake.spectrum(0, snr)} for snr in (1.0, 7.0, 3.0)]
    reader = {"spectrum": fake.JsonReader(write(tmp_path / "s", rows), fake.SPECTRUM)}
    first = ingest(reader, tmp_path / "first", quiet=True)
    assert len(first) == 1 and first.manifest["dropped"] == 2
    assert "occurs more than once; kept by rule: first" in drops(tmp_path / "first")[0]["reason"]
    best = ingest(reader, tmp_path / "best", matching=Matching(repeats={"spectrum": "highest_snr"}), quiet=True)
    np.testing.assert_allclose(best.views("spectrum")[0, 1], 49.0)
    every = ingest(reader, tmp_path / "every", matching=Matching(rows="spectrum"), quiet=True)
    assert every.object_ids.tolist() == ["a", "a#2", "a#3"] and set(every.groups) == {"a"}


def test_ambiguous_matches_are_listed(tmp_path, write, fake):
    near = [{"id": f"s{i}", "view": fake.spectrum(i), "ra": 10 + i / 36000, "dec": 0.0} for i in (1, 2)]
    sources = {
        "image": fake.JsonReader(
            write(tmp_path / "i", [{"id": "x", "view": fake.image(0), "ra": 10.0, "dec": 0.0}]), fake.IMAGE
        ),
        "spectrum": fake.JsonReader(write(tmp_path / "s", near), fake.SPECTRUM),
    }
    dataset = ingest(sources, tmp_path / "data", matching=Matching(by="position"), quiet=True)
    assert dataset.manifest["ambiguous"] == 1
    assert (tmp_path / "data" / "ambiguous.csv").read_text().splitlines()[1].startswith("spectrum,s1,x,0.09999")


def test_a_simulated_survey_is_called_mock(survey, tmp_path):
    assert ingest(survey, tmp_path / "real", quiet=True).manifest["origin"] == "real"
    storage.write_manifest(tmp_path, "survey", {"origin": "mock"})
    assert ingest(survey, tmp_path / "mock", quiet=True).manifest["origin"] == "mock"


@pytest.mark.parametrize("text", ["not JSON", "[1, 2]", '{"origin": "mock"}', '"text"', ""])
def test_a_manifest_of_others_beside_the_survey_files_says_nothing(survey, tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    assert ingest(survey, tmp_path / "data", quiet=True).manifest["origin"] == "real"
    assert (tmp_path / "manifest.json").read_text() == text
    with pytest.raises(FolderError, match=r"manifest.json was not written by astroclip_kit, or it is damaged.$"):
        ingest(survey, tmp_path, quiet=True)


def test_run_again_nothing_is_done(survey, tmp_path, capsys):
    ingest(survey, tmp_path / "data", quiet=True)
    before = (tmp_path / "data" / "manifest.json").stat().st_mtime_ns
    ingest(survey, tmp_path / "data")
    assert (tmp_path / "data" / "manifest.json").stat().st_mtime_ns == before
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("change", ["a file", "a new file", "the settings", "the reader"])
def test_changed_inputs_start_again_and_say_so(survey, tmp_path, write, fake, change, capsys):
    ingest(survey, tmp_path / "data", quiet=True)
    matching = Matching(group="position") if change == "the settings" else Matching()
    if change == "a file":
        (tmp_path / "i" / "00003.json").write_text(json.dumps([{"id": "new", "view": fake.image(7)}]))
    elif change == "a new file":
        (tmp_path / "i" / "99999.json").write_text(json.dumps([{"id": "new", "view": fake.image(7)}]))
    elif change == "the reader":
        survey["image"] = fake.JsonReader(tmp_path / "i", fake.replace(fake.IMAGE, unit="Jy"))
    dataset = ingest(survey, tmp_path / "data", matching=matching)
    assert "files or settings have changed since it was written; starting again" in capsys.readouterr().err
    assert ("new" in dataset.object_ids) == ("file" in change)
    assert contents(tmp_path / "data") == contents(ingest(survey, tmp_path / "2", name="data", matching=matching).root)


def test_what_is_refused(survey, tmp_path, fake):
    image = survey["image"]
    for sources, message in (
        ({}, "ingest needs at least one source"),
        ({"catalogue": survey["catalogue"]}, "every source is a catalogue of labels"),
        ({"ra": image}, r"source 'ra': choose another name; object_id, group, ra, dec are columns already"),
        ({"a/b": image}, r"source 'a/b': choose another name"),
        ({"image": object()}, "source 'image': object is no reader. See"),
    ):
        with pytest.raises(UsageError, match=message):
            ingest(sources, tmp_path / "data")
    with pytest.raises(UsageError, match="workers is -1, expected 0"):
        ingest(survey, tmp_path / "data", workers=-1)
    with pytest.raises(InputError, match=r"source 'image': JsonReader finds no files. Check its path"):
        ingest({"image": fake.JsonReader(tmp_path / "nowhere", fake.IMAGE)}, tmp_path / "data")
    with pytest.raises(UsageError, match="matching names 'radio'"):
        ingest(survey, tmp_path / "data", matching=Matching(rows="radio"))
    assert not (tmp_path / "data").exists()


def test_a_foreign_folder_is_left_alone(survey, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("")
    with pytest.raises(FolderError, match="home exists and was not written by astroclip_kit"):
        ingest(survey, tmp_path / "home")
    for manifest, message in (
        (
            {"kind": "model", "format_version": 1, "astroclip_kit": "1.0"},
            "is a model folder, expected a dataset folder",
        ),
        ({"kind": "dataset", "format_version": 99, "astroclip_kit": "9.0"}, "written by a newer astroclip_kit"),
    ):
        (tmp_path / "home" / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(FolderError, match=message):
            ingest(survey, tmp_path / "home")
    assert (tmp_path / "home" / "thesis.tex").exists()


def test_a_dataset_is_replaced_but_not_what_lies_beside_it(survey, tmp_path):
    ingest(survey, tmp_path / "data", quiet=True)
    (tmp_path / "data" / "notes.txt").write_text("mine")
    ingest(survey, tmp_path / "data", matching=Matching(group="position"), quiet=True)
    assert (tmp_path / "data" / "notes.txt").read_text() == "mine"


def test_views_of_a_large_file_are_written_in_parts(tmp_path, write, fake, monkeypatch):
    monkeypatch.setattr("astroclip_kit.data.chunks.PART_ROWS", 7)
    rows = [{"id": f"o{i}", "view": fake.light_curve(i, i % 5 + 1)} for i in range(50)]
    reader = {"lightcurve": fake.JsonReader(write(tmp_path / "l", rows, per_file=50), fake.LIGHTCURVE)}
    dataset = ingest(reader, tmp_path / "data", quiet=True)
    for row in (0, 6, 7, 49):
        np.testing.assert_allclose(dataset[row].views["lightcurve"], rows[row]["view"], rtol=1e-6)
    assert len(Dataset(tmp_path / "data")) == 50
