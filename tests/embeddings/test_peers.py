"""Files that the kit writes, read by the programs of others: stilts, LSDB, polars and pandas."""

import io
import json
import subprocess
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
from astropy.table import Table
from peers import program

from astroclip_kit import pipeline
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.embeddings.export import MOST_TEXT, write_export

N, D = 40, 6
MISSING = np.arange(N) == 2
UNITS = {"vdisp": "km / s", "logmstar": "dex(solMass)", "mass": "solMass"}
UCDS = {
    "ra": "pos.eq.ra;meta.main",
    "object_id": "meta.id;meta.main",
    "z": "src.redshift",
    "morphology": "src.morph.type",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    rng = np.random.default_rng(0)
    labels = {
        "z": np.where(MISSING, np.nan, rng.random(N)),
        "morphology": np.where(np.arange(N) % 3 == 0, "", np.where(np.arange(N) % 2, "spiral", "<b>&\"'")),
        "vdisp": rng.random(N),
        "logmstar": rng.random(N) + 10,
        "visits": np.arange(N),
    }
    made = EmbeddingStore.write(
        tmp_path_factory.mktemp("peers") / "space",
        {"image": rng.normal(size=(N, D)), "spectrum": rng.normal(size=(N, D))},
        [f"{i}, of Stern" for i in range(N)],
        present={"spectrum": np.arange(N) != 4},
        catalog={"ra": rng.uniform(0, 360, N), "dec": rng.uniform(-90, 90, N)},
        labels=labels,
        values={"units": {name: unit for name, unit in UNITS.items() if name != "mass"}},
    )
    made.save_column("mass", np.where(np.arange(N) < 5, np.nan, np.arange(N)), unit="solMass")
    made.save_column("mine", np.arange(N) < 7)
    return made


def stilts(folder, *words):
    """What a command of stilts prints; it must end well."""
    ran = subprocess.run([program("stilts"), *words], cwd=folder, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def is_the_store(found, store):
    """Rows of another reader [N], as pandas has them, with true and false as text or flags."""
    assert found["object_id"].tolist() == store.object_ids.tolist()
    for name in ("ra", "dec", "z", "vdisp", "logmstar", "mass", "visits"):
        np.testing.assert_allclose(found[name].to_numpy(dtype=float), store.catalog[name], rtol=1e-12, err_msg=name)
    assert found["morphology"].fillna("").tolist() == store.catalog["morphology"].tolist()
    for name, flags in (("mine", store.catalog["mine"]), ("has_spectrum", store.present("spectrum"))):
        assert found[name].astype(str).str.lower().tolist() == [str(flag).lower() for flag in flags]


@pytest.mark.slow
@pytest.mark.parametrize("vectors", [True, False])
@pytest.mark.parametrize("ending", ["vot", "fits"])
def test_stilts_reads_rows_units_and_ucds(store, tmp_path, ending, vectors):
    pipeline.export(store.root, tmp_path / f"s.{ending}", vectors=vectors)
    rows = stilts(tmp_path, "tpipe", f"in=s.{ending}", *["cmd=delcols 'image spectrum'"] * vectors, "ofmt=csv")
    is_the_store(pd.read_csv(io.StringIO(rows)), store)
    told = stilts(tmp_path, "tpipe", f"in=s.{ending}", "cmd=meta Name Class Shape Units UCD Description", "ofmt=csv")
    columns = pd.read_csv(io.StringIO(told)).set_index("Name").fillna("")
    units = {
        "ra": "deg",
        "dec": "deg",
        "mass": "solMass",
        "logmstar": "dex(solMass)",
    }
    assert {name: columns["Units"][name] for name in units} == units
    assert columns["Units"]["vdisp"] == ("km.s**-1" if ending == "vot" else "km s-1") and columns["Units"]["z"] == ""
    assert {name: columns["UCD"][name] for name in UCDS} == UCDS and columns["UCD"]["vdisp"] == ""
    assert columns["Description"]["has_image"] == "whether the object has image"
    kinds = {name: columns["Class"][name] for name in ("object_id", "z", "visits", "mine", "has_image")}
    assert kinds == {"object_id": "String", "z": "Double", "visits": "Long", "mine": "Boolean", "has_image": "Boolean"}
    if vectors:
        assert columns["Class"]["image"] == "float[]" and str(columns["Shape"]["image"]).strip("()") == str(D)
    summary = stilts(tmp_path, "tpipe", f"in=s.{ending}", "omode=meta")
    assert f"Rows:    {N}" in summary and "ASTROPY" not in summary


@pytest.mark.slow
@pytest.mark.parametrize("copies", [1, MOST_TEXT // N + 1])
@pytest.mark.parametrize("vectors", [True, False])
def test_votlint_finds_nothing_wrong(store, tmp_path, vectors, copies):
    table = store.to_table(vectors=vectors)
    write_export(table[np.tile(np.arange(N), copies)], tmp_path / "s.vot")
    assert stilts(tmp_path, "votlint", "votable=s.vot") == ""


@pytest.mark.slow
def test_what_stilts_writes_is_found_again(store, tmp_path):
    pipeline.export(store.root, tmp_path / "s.vot", vectors=False)
    stilts(tmp_path, "tpipe", "in=s.vot", "cmd=select mine", "cmd=keepcols 'object_id ra dec'", "out=part.fits")
    answers = store.search(list(map(str, Table.read(tmp_path / "part.fits")["object_id"])), k=3)
    assert len(answers) == 3 and not set(answers["object_id"]) & {f"{i}, of Stern" for i in range(7)}


@pytest.mark.slow
def test_lsdb_opens_a_hats_catalogue(store, tmp_path):
    import lsdb

    pipeline.export(store.root, tmp_path / "sky", to="hats")
    opened = lsdb.open_catalog(tmp_path / "sky")
    found = opened.compute().set_index("object_id").loc[store.object_ids.tolist()].reset_index()
    np.testing.assert_allclose(found["dec"].to_numpy(dtype=float), store.dec)
    np.testing.assert_allclose(found["z"].to_numpy(dtype=float), store.labels["z"])
    assert found["morphology"].tolist() == store.labels["morphology"].tolist()
    vectors = found[[f"image_{number}" for number in range(D)]].to_numpy(dtype=np.float32)
    np.testing.assert_allclose(vectors, store.vectors("image"), rtol=1e-6)
    near = opened.cone_search(ra=float(store.ra[3]), dec=float(store.dec[3]), radius_arcsec=5).compute()
    assert near["object_id"].tolist() == [store.object_ids[3]]


def test_the_folder_is_laid_out_as_hats_says(store, tmp_path):
    """As LSDB needs it: https://hats.readthedocs.io; each file holds the rows of its pixel, sorted by place."""
    from astropy_healpix.healpy import ang2pix

    pipeline.export(store.root, tmp_path / "sky", to="hats")
    [catalogue] = [path.parent for path in (tmp_path / "sky").glob("*/hats.properties")]
    lines = (catalogue / "hats.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    said = {key.strip(): value.strip() for key, value in properties.items()}
    assert (said["dataproduct_type"], said["hats_nrows"]) == ("object", str(N))
    assert (said["hats_col_ra"], said["hats_col_dec"]) == ("ra", "dec")
    listed = pd.read_csv(catalogue / "partition_info.csv")
    whole = pq.read_schema(catalogue / "dataset" / "_common_metadata")
    read = 0
    for order, pixel in zip(listed["Norder"], listed["Npix"], strict=True):
        folder = catalogue / "dataset" / f"Norder={order}" / f"Dir={pixel // 10000 * 10000}"
        table = pq.read_table(folder / f"Npix={pixel}.parquet", partitioning=None)
        assert table.schema.names == whole.names
        places = ang2pix(2**order, table["ra"].to_numpy(), table["dec"].to_numpy(), nest=True, lonlat=True)
        assert set(places.tolist()) == {pixel}
        index = table[said["hats_col_healpix"]].to_numpy()
        assert all(a <= b for a, b in pairwise(index))
        read += len(table)
    assert read == N


def test_polars_reads_an_exported_file(store, tmp_path):
    pipeline.export(store.root, tmp_path / "s.parquet")
    found = pl.read_parquet(tmp_path / "s.parquet")
    kinds = {name: found.schema[name] for name in ("object_id", "z", "visits", "mine", "image")}
    wanted = {"object_id": pl.String, "z": pl.Float64, "visits": pl.Int64, "mine": pl.Boolean}
    assert kinds == {**wanted, "image": pl.Array(pl.Float32, D)}
    np.testing.assert_array_equal(found["image"].to_numpy(), store.vectors("image"))
    is_the_store(pd.DataFrame({name: found[name].to_list() for name in found.columns if name != "image"}), store)
    assert found.filter(pl.col("z").is_nan())["object_id"].to_list() == ["2, of Stern"]


def test_pandas_reads_an_exported_file_with_its_units(store, tmp_path):
    pipeline.export(store.root, tmp_path / "s.parquet")
    found = pd.read_parquet(tmp_path / "s.parquet")
    is_the_store(found, store)
    assert (found["mine"].dtype, found["visits"].dtype) == (bool, np.int64)
    np.testing.assert_array_equal(np.stack(found["image"]), store.vectors("image"))
    schema = pq.read_schema(tmp_path / "s.parquet")
    assert str(schema.field("image").type).startswith("fixed_size_list") and schema.field("image").type.list_size == D
    told = schema.metadata[b"table_meta_yaml"].decode()
    assert all(f"unit: {unit}" in told for unit in UNITS.values())


def test_polars_reads_a_saved_column(store):
    path = store.saved_columns["mass"].path
    found = pl.read_parquet(path)
    assert found.schema == {"object_id": pl.String, "value": pl.Float64, "row": pl.Int64} and len(found) == N - 5
    told = json.loads(pq.read_schema(path).metadata[b"astroclip_kit"])
    assert told["unit"] == "solMass"
