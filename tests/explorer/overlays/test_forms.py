"""Files as people have them are brought into a form that tables are read from."""

import bz2
import gzip
import io
import lzma

import h5py
import numpy as np
import pyarrow as pa
import pytest
from astropy.io.votable import from_table
from astropy.table import Table
from pyarrow import parquet

from astroclip_kit.errors import FileError
from astroclip_kit.explorer import unpacking
from astroclip_kit.explorer.overlays import forms
from astroclip_kit.explorer.overlays.catalogue_file import CatalogueFile

GERMAN = "größe;ra;dec;mag\na;27,25;-53,5;1,5\nb, c;28;+54,5;\n"
SKY = Table({"name": ["a"], "ra": [27.25], "dec": [-53.5]})


def votable(*tables):
    """One file with some tables, each in a resource of its own."""
    first, *others = (from_table(one) for one in tables)
    first.resources.extend(one.resources[0] for one in others)
    out = io.BytesIO()
    first.to_xml(out)
    return out.getvalue()


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_numbers_with_commas_and_letters_of_any_coding_are_read(coding):
    catalogue = CatalogueFile.read("a.csv", GERMAN.encode(coding))
    assert list(catalogue.frame.columns) == ["größe", "ra", "dec", "mag"]
    assert catalogue.frame["ra"].tolist() == [27.25, 28] and catalogue.frame["dec"].tolist() == [-53.5, 54.5]
    assert catalogue.frame["größe"].tolist() == ["a", "b, c"]


def test_commas_stay_where_points_are_decimal():
    catalogue = CatalogueFile.read("a.tsv", b"ra\tdec\tnote\n27.25\t-53.5\t1,5\n")
    assert catalogue.frame["note"].tolist() == ["1,5"] and catalogue.frame["ra"].tolist() == [27.25]


def test_sexagesimal_positions_may_have_commas():
    catalogue = CatalogueFile.read("a.csv", b"ra;dec\n01 49 00,0;-53:30:00,0\n")
    ra, dec = catalogue.places("ra", "dec")
    assert (ra.tolist(), dec.tolist()) == ([27.25], [-53.5])


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
@pytest.mark.parametrize("name", ["a.vot.gz", "a.gz", "wrong.csv"])
def test_what_is_packed_is_unpacked(name, pack):
    catalogue = CatalogueFile.read(name, pack(votable(SKY)))
    assert (catalogue.ra, len(catalogue), catalogue.note) == ("ra", 1, "")


def test_of_several_tables_that_with_coordinates_is_taken_or_else_the_one_with_ids():
    plain, named = Table({"x": [1.0, 2]}), Table({"object_id": ["a"]})
    found = CatalogueFile.read("a.vot", votable(plain, named, SKY))
    assert found.ra == "ra" and found.note == "It holds 3 tables, of which number 3 was taken."
    assert CatalogueFile.read("a.vot", votable(plain, named)).id_columns == ("object_id",)
    assert len(CatalogueFile.read("a.vot", votable(named["object_id",], plain)).frame) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04abc", "is a spreadsheet or an archive, no table. Save it as CSV, FITS or VOTable"),
        (b"\n<!doctype html><html>", "is a web page, no table"),
        (b'{"a": 1}', "is a JSON file, no table"),
        (b"\x1f\x8bbroken", r"^a\.csv: truncated or damaged gzip file .* Download it again"),
        (gzip.compress(b"ra,dec\n1,2\n")[:-9], r"^a\.csv: truncated or damaged gzip file"),
        (lzma.compress(b"ra,dec\n1,2\n"), "is packed by xz: unpack it, or pack it once by gzip"),
        (bz2.compress(gzip.compress(b"ra,dec\n1,2\n")), "is packed by gzip: unpack it, or pack it once by gzip"),
        (b"27.25,-53.5\n28,54\n", "has no names of columns in its first line. Add one, such as ra,dec"),
        (b"SIMPLE  =                    T", "cannot be read as a table"),
        (b"<?xml version='1.0'?><VOTABLE><TABLE ><TABLE >", "cannot be read as a table"),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(content, message):
    with pytest.raises(FileError, match=message):
        CatalogueFile.read("a.csv", content)


def test_columns_that_would_fill_the_memory_are_refused_by_the_sizes_that_the_file_states(monkeypatch):
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        for name in ("ra", "dec"):
            file.create_dataset(name, (1_000_000_000,), "f8", chunks=(1 << 20,), compression="gzip")
    with pytest.raises(FileError, match=r"^a\.h5: takes 16 GB, expected up to 2\. Cut out what is asked about"):
        CatalogueFile.read("a.h5", out.getvalue())
    monkeypatch.setattr(forms, "ROOM", 1_000_000)
    out = io.BytesIO()
    parquet.write_table(pa.table({"ra": np.zeros(100_000), "dec": np.zeros(100_000)}), out)
    assert len(out.getvalue()) < 2000
    with pytest.raises(FileError, match=r"^a\.parquet: takes 0\.0016 GB, expected up to 0\.001"):
        CatalogueFile.read("a.parquet", out.getvalue())


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_what_unpacks_to_more_than_a_plain_file_may_have_is_refused(monkeypatch, pack):
    monkeypatch.setattr(unpacking, "LARGEST_FILE", 1 << 20)
    with pytest.raises(FileError, match=r"^a\.csv: unpacks to more than 1 MB\. Cut out what is asked about"):
        CatalogueFile.read("a.csv", pack(b"ra,dec\n" + b"1.0,2.0\n" * (1 << 18)))
