"""A store in files of other tools: what is known comes back, what is not is left empty."""

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.io.votable import parse_single_table
from astropy.io.votable.ucd import check_ucd
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning

from astroclip_kit.embeddings import EmbeddingStore, export
from astroclip_kit.embeddings.export import FORMATS, UCDS, format_of, write_export
from astroclip_kit.errors import InputError, UsageError

N, D = 30, 5
rng = np.random.default_rng(0)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    labels = {"z": np.where(np.arange(N) == 2, np.nan, rng.random(N)), "class": np.where(np.arange(N) % 2, "QSO", "")}
    return EmbeddingStore.write(
        tmp_path_factory.mktemp("export") / "space",
        {"image": rng.normal(size=(N, D)), "spectrum": rng.normal(size=(N, D))},
        [f"Stern {i}" for i in range(N)],
        present={"spectrum": np.arange(N) != 4},
        catalog={"ra": rng.uniform(0, 360, N), "dec": rng.uniform(-90, 90, N)},
        labels={**labels, "vdisp": rng.random(N)},
        values={"units": {"vdisp": "km / s"}},
    )


def check(found, store, name="object_id"):
    assert [str(one) for one in found[name]] == store.object_ids.tolist()
    np.testing.assert_allclose(found["ra"], store.ra)
    np.testing.assert_array_equal(np.ma.filled(np.ma.asarray(found["z"], dtype=float), np.nan), store.labels["z"])


@pytest.mark.parametrize("ending", ["fits", "vot", "parquet", "ecsv"])
def test_a_table_comes_back_with_units_and_vectors(store, tmp_path, ending):
    path = tmp_path / f"space.{ending}"
    assert write_export(store.to_table(vectors=True), path) == []
    found = Table.read(path)
    check(found, store)
    assert (found["ra"].unit, found["vdisp"].unit, found["z"].unit) == ("deg", "km / s", None)
    np.testing.assert_array_equal(found["image"], store.vectors("image"))
    np.testing.assert_array_equal(np.asarray(found["has_spectrum"], dtype=bool), store.present("spectrum"))
    write_export(store.to_table(), path)  # an older one is replaced
    assert "image" not in Table.read(path).colnames


def test_ucds_reach_the_files_that_have_them(store, tmp_path):
    write_export(store.to_table(vectors=True), tmp_path / "s.vot")
    fields = {field.name: field for field in parse_single_table(tmp_path / "s.vot").fields}
    assert fields["ra"].ucd == "pos.eq.ra;meta.main" and fields["z"].ucd == "src.redshift"
    assert str(fields["vdisp"].unit) == "km / s" and fields["vdisp"].ucd is None and fields["z"].unit is None
    write_export(store.to_table(), tmp_path / "s.fits")
    header = fits.getheader(tmp_path / "s.fits", 1)
    names = {header[f"TTYPE{i}"]: header.get(f"TUCD{i}") for i in range(1, header["TFIELDS"] + 1)}
    assert names["object_id"] == "meta.id;meta.main" and names["vdisp"] is None
    assert Table.read(tmp_path / "s.vot")["dec"].meta["ucd"] == "pos.eq.dec;meta.main"


@pytest.mark.parametrize("most", [0, 10_000])
def test_files_say_whether_the_data_are_mock_and_where_they_come_from(tmp_path, monkeypatch, most):
    monkeypatch.setattr(export, "MOST_TEXT", most)
    values = {"origin": "mock", "dataset": "a < b", "model": "0ea9"}
    store = EmbeddingStore.write(tmp_path / "space", {"image": np.eye(2)}, ["a", "b"], values=values)
    told = f"mock data, not observed; from space; dataset: a < b; model: 0ea9; content: {store.manifest['content']}"
    table = store.to_table()
    write_export(table, tmp_path / "s.vot")
    assert " ".join(parse_single_table(tmp_path / "s.vot").description.split()).startswith(told)
    write_export(table, tmp_path / "s.fits")
    assert "".join(fits.getheader(tmp_path / "s.fits", 1)["COMMENT"]).startswith(told)
    real = EmbeddingStore.write(tmp_path / "sky", {"image": np.eye(2)}, ["a", "b"])
    assert real.to_table().meta["comments"][0].startswith("from sky; content: ")


def test_answers_of_a_search_say_what_they_are(store):
    found = store.search("Stern 1", k=2)
    assert found["similarity"].meta["ucd"] == "stat.correlation" and found["vdisp"].unit == "km / s"
    assert found["z"].meta["ucd"] == "src.redshift" and found["ra"].unit == "deg"


def test_a_z_with_a_unit_is_no_redshift(tmp_path):
    units = {"units": {"z": "mag"}}
    magnitudes = EmbeddingStore.write(
        tmp_path / "s", {"image": np.eye(2)}, ["a", "b"], labels={"z": [19, 20]}, values=units
    )
    assert "ucd" not in magnitudes.to_table()["z"].meta


def test_every_ucd_is_in_the_controlled_vocabulary():
    assert all(check_ucd(ucd, check_controlled_vocabulary=True) for ucd in UCDS.values())


def test_pandas_reads_parquet_and_csv_without_the_kit(store, tmp_path):
    for name in ("s.parquet", "s.csv"):
        write_export(store.to_table(vectors=True), tmp_path / name)
    frame = pd.read_parquet(tmp_path / "s.parquet")
    check(frame, store)
    np.testing.assert_array_equal(np.stack(frame["image"]), store.vectors("image"))
    flat = pd.read_csv(tmp_path / "s.csv")
    check(flat, store)
    found = flat[[f"spectrum_{i}" for i in range(D)]].to_numpy()
    np.testing.assert_allclose(found, store.vectors("spectrum"), rtol=1e-6)


def test_numpy_opens_without_pickle(store, tmp_path):
    write_export(store.to_table(vectors=True), tmp_path / "s.npz")
    with np.load(tmp_path / "s.npz", allow_pickle=False) as found:
        check(found, store)
        np.testing.assert_array_equal(found["image"], store.vectors("image"))


def test_a_hats_catalogue_holds_ids_labels_and_vectors(store, tmp_path):
    assert write_export(store.to_table(vectors=True), tmp_path / "hats") == []
    files = sorted((tmp_path / "hats").rglob("Npix=*.parquet"))
    frame = pd.concat([pd.read_parquet(path) for path in files]).set_index("object_id").loc[store.object_ids]
    np.testing.assert_allclose(frame["dec"], store.dec)
    np.testing.assert_allclose(frame["z"], store.labels["z"])
    assert frame["class"].tolist() == store.labels["class"].tolist()
    with pytest.warns(AstropyUserWarning, match="Using longest string"):
        texts = [str(one) for path in files for one in Table.read(path)["class"]]
    assert sorted(texts) == sorted(store.labels["class"])  # astropy reads no null
    found = frame[[f"image_{i}" for i in range(D)]].to_numpy()
    np.testing.assert_allclose(found, store.vectors("image"), rtol=1e-6)
    assert frame["spectrum_0"].isna().to_numpy().nonzero()[0].tolist() == [4]


def test_objects_without_a_place_are_left_out_of_a_hats_catalogue(store, tmp_path):
    table = store.to_table(vectors=True)
    table["ra"][7] = np.nan
    assert [str(store.object_ids[7]) in str(drop) for drop in write_export(table, tmp_path / "hats", "hats")] == [True]
    with pytest.raises(InputError, match="a HATS catalogue needs vectors"):
        write_export(store.to_table(), tmp_path / "h")


def test_the_name_says_the_format_unless_it_is_said():
    assert [format_of(f"a.{e}") for e in ("fits", "XML", "npz")] == ["fits", "votable", "numpy"]
    assert format_of("folder") == "hats" and format_of("a.dat", "fits") == "fits"
    assert set(export.ENDINGS.values()) | {"hats"} == set(FORMATS)
    with pytest.raises(UsageError, match=r"a\.doc: expected a name that ends with one of \.fits"):
        format_of("a.doc")
    with pytest.raises(UsageError, match="cannot export embeddings to 'excel'; there is: fits"):
        format_of("a", "excel")


def test_only_fits_is_limited_to_ascii(tmp_path):
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(2)}, ["Étoile", "b"])
    for ending in ("vot", "parquet", "csv", "ecsv"):
        write_export(store.to_table(vectors=True), tmp_path / f"s.{ending}")
        assert Table.read(tmp_path / f"s.{ending}")["object_id"][0] == "Étoile"
    with pytest.raises(InputError, match=r"column 'object_id': FITS holds ASCII only, found 'Étoile'"):
        write_export(store.to_table(), tmp_path / "s.fits")


def test_a_folder_is_no_file(store, tmp_path):
    (tmp_path / "s.fits").mkdir()
    with pytest.raises(UsageError, match=r"s\.fits is a folder, expected the name of a file"):
        write_export(store.to_table(), tmp_path / "s.fits")


def test_how_a_saved_column_was_made_goes_with_it(tmp_path):
    written = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(4)}, list("abcd"), labels={"z": np.arange(4.0)})
    written.save_column("mine", np.arange(4) > 2, about={"made by": "me", "where": "z > 1\nand größe", "plane": ""})
    written.save_column("bare", np.arange(4) > 2)
    table = EmbeddingStore(tmp_path / "s").to_table()
    assert table["mine"].description == "made by: me; where: z > 1 and größe" and table["bare"].description is None
    for name in ("t.vot", "t.fits"):
        write_export(table, tmp_path / name)
    assert parse_single_table(tmp_path / "t.vot").get_field_by_id("mine").description == table["mine"].description
    comments = fits.getheader(tmp_path / "t.fits", 1)["TCOMM*"]
    assert "made by: me; where: z > 1 and gr??e" in comments.values()


@pytest.mark.parametrize("name", ["größe", "a\nb"])
def test_fits_cannot_name_every_column(tmp_path, name):
    with pytest.raises(InputError, match=r"FITS names columns in ASCII only\. Export to \.vot or \.parquet"):
        write_export(Table({name: [1.0]}), tmp_path / "t.fits")
    assert not (tmp_path / "t.fits").exists()
