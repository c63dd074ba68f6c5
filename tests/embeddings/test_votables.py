"""Binary VOTables hold what astropy's own writer would have written, and other readers read them."""

import subprocess

import numpy as np
import pytest
from astropy.io.fits.verify import VerifyWarning
from astropy.io.votable import parse_single_table, validate
from astropy.table import Column, MaskedColumn, Table
from peers import program

from astroclip_kit.embeddings import export
from astroclip_kit.embeddings.votables import ROWS, write_votable

HOSTILE = '"><img onerror=x> & <script>\x07'


def table(count=7):
    rng = np.random.default_rng(0)
    found = Table({"object_id": [f"obj-{i}" for i in range(count)]})
    found["z"] = Column(np.where(np.arange(count) == 2, np.nan, rng.random(count)), description=HOSTILE)
    found["ra"] = Column(rng.random(count) * 360, unit="deg", meta={"ucd": "pos.eq.ra;meta.main"})
    found["star"] = np.arange(count) % 3 == 0
    found["name"] = ["Étoile", "", "b", "星", "e", "f", "g"] * (count // 7)
    found["few"] = MaskedColumn(np.arange(count, dtype=np.int32), mask=np.arange(count) == 1)
    found["vector"] = rng.normal(size=(count, 3)).astype(np.float32)
    for kind in ("u1", "i1", "i2", "u2", "u4", "i8", "u8", "f2"):
        found[kind] = np.arange(count).astype(kind)
    found["none"] = np.full(count, "", dtype=str)
    found[HOSTILE] = 1
    return found


def same(found, wanted):
    assert len(found) == len(wanted) and len(found.colnames) == len(wanted.colnames)
    for one, other in zip(found.itercols(), wanted.itercols(), strict=True):
        known = ~np.ma.getmaskarray(other)
        if other.dtype.kind == "f":
            known &= ~np.isnan(np.asarray(other))
        np.testing.assert_array_equal(np.asarray(one)[known], np.asarray(other)[known])


def test_every_kind_of_column_comes_back(tmp_path):
    write_votable(table(), tmp_path / "t.vot")
    found = parse_single_table(tmp_path / "t.vot")
    same(found.to_table(), table())
    fields = {field.name: field for field in found.fields}
    assert fields["ra"].ucd == "pos.eq.ra;meta.main" and str(fields["ra"].unit) == "deg"
    assert fields["z"].description == HOSTILE[:-1] and HOSTILE[:-1] in fields  # but for the bell, which XML cannot hold
    assert fields["object_id"].datatype == "char" and fields["name"].datatype == "unicodeChar"
    assert found.to_table()["few"].mask.tolist() == [False, True, *[False] * 5]


def test_rows_of_several_blocks_are_one_stream(tmp_path):
    wanted = Table({"a": np.arange(2 * ROWS + 5), "b": np.arange(2 * ROWS + 5) % 2 == 0})
    write_votable(wanted, tmp_path / "t.vot")
    same(Table.read(tmp_path / "t.vot"), wanted)


@pytest.mark.parametrize("most", [0, 100], ids=["binary", "text"])
@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"])
def test_numbers_of_every_size_come_back_to_the_last_digit(tmp_path, monkeypatch, kind, most):
    monkeypatch.setattr(export, "MOST_TEXT", most)
    info = np.iinfo(kind) if kind[0] in "iu" else np.finfo(kind)
    wanted = Table(
        {"x": Column(np.array([info.min, 1, info.max], kind), unit="m", description="told", meta={"ucd": "a"})}
    )
    few = np.array([1, 2, 3], kind.replace("f2", "f4"))  # astropy masks none of two bytes
    wanted["few"] = MaskedColumn(few, mask=[False, True, False])
    export.write_export(wanted, tmp_path / "t.vot")
    found = Table.read(tmp_path / "t.vot")
    assert [float(one) if kind[0] == "f" else int(one) for one in found["x"]] == wanted["x"].tolist()
    assert (found["x"].unit, found["x"].description, found["x"].meta["ucd"]) == ("m", "told", "a")
    assert found["few"].tolist() == [1, None, 3] and wanted["x"].dtype == kind


def test_a_table_without_rows_is_one(tmp_path):
    write_votable(table()[:0], tmp_path / "t.vot")
    assert len(Table.read(tmp_path / "t.vot")) == 0


def test_astropy_finds_nothing_to_complain_of(tmp_path, capsys):
    plain = table()
    plain.remove_columns([HOSTILE])
    write_votable(plain, tmp_path / "t.vot")
    assert validate(tmp_path / "t.vot"), capsys.readouterr().out


def test_stilts_reads_the_same(tmp_path):
    write_votable(table(), tmp_path / "t.vot")
    command = [program("stilts"), "tpipe", "in=t.vot", "out=t.fits", "ofmt=fits", "ifmt=votable"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=600)
    with pytest.warns(VerifyWarning, match="column names contain only"):
        found = Table.read(tmp_path / "t.fits")
    np.testing.assert_array_equal(found["vector"], table()["vector"])
    np.testing.assert_array_equal(found["star"], table()["star"])
    assert [str(one).strip() for one in found["object_id"]] == table()["object_id"].tolist()
    assert found["ra"].unit == "deg" and np.ma.is_masked(found["few"][1])
