"""Tests of catalogues that cannot be matched as they are asked to be, or that match nothing."""

import pytest

from astroclip_kit.data import Dataset, describe, ingest, render
from astroclip_kit.errors import FileError, InputError, UsageError
from astroclip_kit.settings import Matching, Motion
from astroclip_kit.surveys import TableReader, catalogue

BY_POSITION = Matching(by="position")


@pytest.fixture
def images(tmp_path, write, fake):
    rows = [{"id": f"o{i}", "view": fake.image(i), "ra": 10.0 + i, "dec": 0.0} for i in range(3)]
    return fake.JsonReader(write(tmp_path / "i", rows), fake.IMAGE)


@pytest.fixture
def table(tmp_path):
    def function(text, **columns):
        (tmp_path / "c.csv").write_text(text)
        return TableReader(tmp_path / "c.csv", **columns) if columns else catalogue(tmp_path / "c.csv")

    return function


def test_a_catalogue_that_matches_nothing_is_pointed_out(images, table, tmp_path, capsys):
    sources = {"image": images, "catalogue": table("id,ra,dec,z\n7,50,0,0.1\n8,60,0,0.2\n")}
    dataset = ingest(sources, tmp_path / "data", workers=1)
    note = "none of 2 rows of catalogue belongs to an observation by id; if it has other ids, match by position with"
    assert f"{note} --matching.by position.\n" in capsys.readouterr().err and note in render(describe(dataset))
    ingest(sources, tmp_path / "data", workers=1, matching=BY_POSITION)
    note = "none of 2 rows of catalogue belongs to an observation within 1 arcsec; check its coordinates.\n"
    assert note in capsys.readouterr().err
    sources["catalogue"] = table("id,ra,dec,z\no1,50,0,0.1\n8,60,0,0.2\n")
    ingest(sources, tmp_path / "data", workers=1)
    assert "none of" not in capsys.readouterr().err


def test_a_catalogue_without_ids_is_not_matched_by_id(images, table, tmp_path):
    sources = {"image": images, "catalogue": table("ra,dec,z\n10,0,0.5\n")}
    message = r"source 'catalogue': .*c.csv has no known column of ids, .* with --matching.by position, or pass a"
    with pytest.raises(UsageError, match=message):
        ingest(sources, tmp_path / "data", quiet=True)
    assert not (tmp_path / "data").exists()
    assert ingest(sources, tmp_path / "data", matching=BY_POSITION, quiet=True).labels["z"][0] == 0.5
    alone = table("ra,dec,z\n10,0,0.5\n", columns=["z"], ra_column="ra", dec_column="dec")
    assert ingest({"table": alone}, tmp_path / "alone", quiet=True).object_ids.tolist() == ["0"]


def test_repeated_ids_do_not_matter_by_position(images, table, tmp_path):
    rows = "".join(f"1.237E+18,{10 + i},{arcsec / 3600},{i}\n" for i in range(3) for arcsec in (0, 0.1))
    sources = {"image": images, "catalogue": table(f"id,ra,dec,z\n{rows}")}
    dataset = ingest(sources, tmp_path / "data", matching=BY_POSITION, quiet=True)
    assert dataset.labels["z"].tolist() == [0, 1, 2] and dataset.manifest["unmatched"] == {"catalogue": 0}
    assert dataset.object_ids.tolist() == ["o0", "o1", "o2"] and dataset.manifest["ambiguous"] == 0
    reasons = [(one["count"], one["reason"]) for one in dataset.manifest["drops"]]
    assert reasons == [(3, "the object occurs more than once; kept by rule: first.")]


def test_proper_motions_as_desi_spells_them(images, table, tmp_path):
    text = "id,ra,dec,PMRA,PMDEC,REF_EPOCH\na,10,0,1000,0,2006\nb,11,0,0,0,2006\n"
    sources = {"image": images, "catalogue": table(text.replace("a,10,", f"a,{10 - 10 / 3600:.8f},"))}
    matching = Matching(by="position", motion=Motion(epoch=2016.0))
    dataset = ingest(sources, tmp_path / "data", matching=matching, quiet=True)
    assert dataset.labels["PMRA"][:2].tolist() == [1000, 0] and dataset.manifest["moved"] == {"catalogue": 1}
    said = "1 positions of catalogue were moved by their proper motions before they were compared"
    assert said in render(describe(dataset)).splitlines()


def test_strict_finds_what_a_finished_dataset_left_out(images, tmp_path):
    (tmp_path / "i" / "00001.json").write_text("<html>")
    for strict in (False, False):
        assert len(ingest({"image": images}, tmp_path / "data", strict=strict, quiet=True)) == 2
    with pytest.raises(FileError, match=r"00001.json: this is a web page, expected JSON"):
        ingest({"image": images}, tmp_path / "data", strict=True, quiet=True)
    assert len(Dataset(tmp_path / "data")) == 2
    (tmp_path / "i" / "00001.json").unlink()
    for _ in range(2):
        assert len(ingest({"image": images}, tmp_path / "data", strict=True, quiet=True)) == 2


def test_a_dataset_in_the_making_is_mentioned(images, tmp_path):
    dataset = ingest({"image": images}, tmp_path / "data", quiet=True)
    with pytest.raises(UsageError, match=r"matching.group is 'nope'"):
        ingest({"image": images}, tmp_path / "data", matching=Matching(group="nope"), quiet=True)
    assert describe(dataset)["notes"] == [
        "an ingest of other files or settings into this folder was begun; the same command goes on with it"
    ]


def test_nothing_is_left_without_coordinates(tmp_path, write, fake):
    reader = fake.JsonReader(write(tmp_path / "i", [{"id": "a", "view": fake.image(0)}]), fake.IMAGE)
    with pytest.raises(InputError, match="no observation is left to make a dataset of: none has coordinates"):
        ingest({"image": reader}, tmp_path / "data", matching=BY_POSITION, quiet=True)
