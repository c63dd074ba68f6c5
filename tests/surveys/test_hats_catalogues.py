"""HATS catalogues: read as hats-import and lsdb write them, written so that lsdb opens them."""

import numpy as np
import pyarrow as pa
import pytest
from layout_multimodal import (
    IMAGE,
    LIGHTCURVE,
    SPECTRUM,
    everything,
    nested_images,
    nested_lightcurves,
    nested_spectra,
    samples_of,
    structure,
    write_catalogue,
)
from pyarrow import parquet

from astroclip_kit.errors import FileError
from astroclip_kit.surveys import HATSCatalogue, write_hats
from astroclip_kit.types import Modality, Sample

# What hats-import and lsdb write


@pytest.mark.parametrize("collection", [True, False])
def test_a_release_is_read_with_its_ids_cleaned(tmp_path, collection):
    write_catalogue(tmp_path, collection=collection, spectrum=nested_spectra())
    reader = HATSCatalogue(tmp_path, kind="spectrum", labels=["Z"])
    assert [path.name for path in reader.files()] == ["Npix=17.parquet", "Npix=18.parquet"]
    samples = samples_of(reader)
    assert [one.object_id for one in samples] == ["25750", "25751", "25752"]
    assert [one.labels for one in samples] == [{"Z": 0.1}, {}, {"Z": 0.3}] and samples[0].ra == 10.0
    assert reader.modality.shape == (2, 7781)  # its pixels are those of DESI
    np.testing.assert_allclose(samples[1].views["spectrum"][0, :60], nested_spectra()[1].as_py()["flux"], rtol=1e-6)


def test_spectra_may_differ_in_length_and_pixels_may_be_masked(tmp_path):
    spectra = [one.as_py() for one in nested_spectra()]
    spectra[1] = {name: values[:40] for name, values in spectra[1].items()}
    spectra[2]["ivar"].pop()
    spectra[0]["mask"][7] = True
    spectra[0]["flux"][8] = None
    write_catalogue(tmp_path, spectrum=structure(SPECTRUM, [[one[name] for one in spectra] for name in SPECTRUM]))
    samples, drops = everything(HATSCatalogue(tmp_path, kind="spectrum", grid=(3600, 3640, 0.8)))
    assert [(one.views["spectrum"][1] > 0).sum() for one in samples] == [49, 40]
    assert (samples[0].views["spectrum"][1, 7:9] == 0).all() and np.isfinite(samples[0].views["spectrum"]).all()
    assert [(drop.source.rpartition(" ")[2], drop.reason) for drop in drops] == [
        ("25752", "its lists differ in length")
    ]


def test_images_have_inverse_variances_and_may_differ_in_size(tmp_path):
    images = [one.as_py() for one in nested_images()]
    images[1] = nested_images(1, size=4)[0].as_py()
    images[2]["flux"][0][0].pop()
    write_catalogue(tmp_path, image=structure(IMAGE, [[one[name] for one in images] for name in IMAGE]))
    reader = HATSCatalogue(tmp_path, bands=["r"], ivar=True)
    assert reader.modality.channels == ("r", "ivar_r") and reader.modality.pixel_scale_arcsec == 0.168
    samples, drops = everything(reader)
    np.testing.assert_allclose(samples[0].views["image"][0], images[0]["flux"][1])
    assert samples[0].views["image"][1, 0, 0] == 0 and (samples[0].views["image"][1, 1:] > 0).all()
    assert [drop.reason[:18] for drop in drops] == ["(4, 4) pixels, exp", "its lists differ i"]


def test_light_curves_leave_their_padding_out(tmp_path):
    write_catalogue(tmp_path, lightcurve=nested_lightcurves())
    one = samples_of(HATSCatalogue(tmp_path, kind="lightcurve"))[0]
    np.testing.assert_allclose(one.views["lightcurve"], [[0, 1, 0.1, 0], [2, 3, 0.1, 1], [4, 2, 0.1, 0]], rtol=1e-6)
    assert one.labels == {"time_zero_mjd": 59000.0, "Z": 0.1}
    columns = [[one[name] for one in nested_lightcurves().to_pylist()] for name in ("time", "flux")]
    types = {name: LIGHTCURVE[name] for name in ("time", "flux")}
    write_catalogue(tmp_path / "tess", lightcurve=structure(types, columns))
    reader = HATSCatalogue(tmp_path / "tess", kind="lightcurve", bands=["TESS"])
    assert samples_of(reader)[0].labels == {"time_zero": 0.0, "Z": 0.1} and reader.modality.bands == ("TESS",)


def test_objects_without_the_modality_are_passed_over(tmp_path):
    columns = [
        [None if number else one[name] for number, one in enumerate(nested_spectra().to_pylist())] for name in SPECTRUM
    ]
    spectra = pa.StructArray.from_arrays(
        [pa.array(values, kind) for values, kind in zip(columns, SPECTRUM.values(), strict=True)],
        list(SPECTRUM),
        mask=pa.array([False, True, True]),
    )
    write_catalogue(tmp_path, spectrum=spectra)
    samples, drops = everything(HATSCatalogue(tmp_path, kind="spectrum"))
    assert [one.object_id for one in samples] == ["25750"] and drops == []


def test_tables_take_flat_columns_lists_and_fields_of_structures(tmp_path):
    columns = {
        "photometry": pa.array([{"g": 1.0}, {"g": None}, {"g": 3.0}]),
        "flag": pa.array([True, None, False]),
        "THETA": pa.array([[1.0, 2.0]] * 3, pa.list_(pa.float32(), 2)),
        "NAME": pa.array(["a ", None, "c"]).dictionary_encode(),
        "big": pa.array([2**60 + 1, None, 3]),
    }
    write_catalogue(tmp_path, **columns)
    reader = HATSCatalogue(
        tmp_path, kind="table", columns=["photometry.g", "THETA"], labels=["flag", "NAME", "THETA_1", "big"]
    )
    assert reader.modality.channels == ("photometry.g", "THETA_0", "THETA_1")
    first, second, _ = samples_of(reader)
    np.testing.assert_array_equal(second.views["table"], [np.nan, 1, 2])
    assert first.labels == {"flag": 1.0, "NAME": "a", "THETA_1": 2.0, "big": float(2**60)}
    assert second.labels == {"THETA_1": 2.0}


def test_ids_may_be_bytes_or_integers(tmp_path):
    for ids, expected in (([b" x ", b"y", b"z"], ["x", "y", "z"]), ([2**60 + 1, None, 5], [str(2**60 + 1), "5"])):
        write_catalogue(tmp_path, Z=[1, 2, 3], object_id=pa.array(ids))
        samples, drops = everything(HATSCatalogue(tmp_path, kind="table", columns=["Z"]))
        assert [one.object_id for one in samples] == expected
    assert [drop.reason for drop in drops] == ["no id"]


def test_the_catalogue_says_which_columns_are_coordinates(tmp_path):
    folder = write_catalogue(tmp_path, ALPHA=[1.0, 2.0, 3.0], DELTA=[4.0, 5.0, 6.0])
    said = (folder / "hats.properties").read_text().replace("_ra=ra", "_ra=ALPHA").replace("_dec=dec", "_dec=DELTA")
    (folder / "hats.properties").write_text(said)
    assert [(one.ra, one.dec) for one in samples_of(HATSCatalogue(tmp_path, "table", ["Z"]))] == [
        (1.0, 4.0),
        (3.0, 6.0),
    ]


def test_pixels_may_be_folders_and_the_list_of_them_may_be_missing(tmp_path):
    folder = write_catalogue(tmp_path)
    (folder / "partition_info.csv").unlink()
    assert len(HATSCatalogue(tmp_path, "table", ["Z"]).files()) == 2
    (folder / "partition_info.csv").write_text("Norder,Npix\n1,17\n1,18\n")
    said = (folder / "hats.properties").read_text()
    (folder / "hats.properties").write_text(said.replace("suffix=.parquet", "suffix=/"))
    for pixel in (17, 18):
        old = folder / "dataset" / "Norder=1" / "Dir=0" / f"Npix={pixel}.parquet"
        old.with_suffix("").mkdir()
        old.rename(old.with_suffix("") / "part0.parquet")
    assert len(samples_of(HATSCatalogue(tmp_path, "table", ["Z"]))) == 2


def test_a_pixel_that_was_not_downloaded_is_not_silent(tmp_path):
    folder = write_catalogue(tmp_path)
    (folder / "dataset" / "Norder=1" / "Dir=0" / "Npix=18.parquet").unlink()
    reader = HATSCatalogue(tmp_path, "table", ["Z"])
    assert len(reader.files()) == 2
    with pytest.raises(FileError, match=r"Npix=18\.parquet: no such file"):
        list(reader.read(reader.files()[1]))


def test_one_file_is_enough(tmp_path):
    write_catalogue(tmp_path, spectrum=nested_spectra())
    path = HATSCatalogue(tmp_path, kind="spectrum").files()[0]
    assert len(samples_of(HATSCatalogue(path, kind="spectrum"))) == 2


def test_row_groups_are_streamed_in_small_batches(tmp_path, monkeypatch):
    write_catalogue(tmp_path, image=nested_images())
    whole = samples_of(HATSCatalogue(tmp_path))
    monkeypatch.setattr("astroclip_kit.surveys.multimodal.hats_columns.BLOCK_BYTES", 1)
    for one, other in zip(whole, samples_of(HATSCatalogue(tmp_path)), strict=True):
        np.testing.assert_array_equal(one.views["image"], other.views["image"])


# What can be wrong


def test_a_folder_that_is_no_catalogue(tmp_path):
    with pytest.raises(FileError, match=r"no hats\.properties nor collection\.properties"):
        HATSCatalogue(tmp_path).files()
    folder = write_catalogue(tmp_path)
    said = (folder / "hats.properties").read_text()
    (folder / "hats.properties").write_text(said.replace("=object", "=margin"))
    with pytest.raises(FileError, match="is a margin catalogue, expected one of objects"):
        HATSCatalogue(tmp_path).files()
    (folder / "hats.properties").write_bytes(b"\xff\xfe")
    with pytest.raises(FileError, match=r"hats\.properties: cannot be read .*Download it again"):
        HATSCatalogue(tmp_path).files()


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({}, {}, "no column 'image' \\(found _healpix_29, Z"),
        ({"image": [1.0, 2.0, 3.0]}, {}, "column 'image' has no field 'flux' \\(found double\\)"),
        ({"image": pa.array([{"band": ["g"]}] * 3)}, {}, "column 'image' has no field 'flux' \\(found band\\)"),
        ({"image": pa.array([{"flux": [[[1.0]]]}] * 3)}, {"ivar": True}, "has no field 'ivar' \\(found flux\\)"),
        ({"image": pa.array([{"flux": [1.0]}] * 3)}, {}, "images have 1 axes, expected bands, rows and columns"),
        ({"image": pa.array([{"flux": [[[1.0]]]}] * 3)}, {}, "images \\(1, 1, 1\\), bands \\(0,\\), .*do not agree"),
        ({"image": nested_images(), "object_id": [1.5, 2.5, 3.5]}, {"labels": ["nope"]}, "no column 'nope'"),
        ({"spectrum": pa.array([{"flux": [1.0]}] * 3)}, {"kind": "spectrum"}, "has no field 'lambda' \\(found flux\\)"),
        (
            {"spectrum": pa.array([{"flux": [1.0], "lambda": [1.0]}] * 3)},
            {"kind": "spectrum"},
            "has no field 'ivar' \\(found flux, lambda\\)",
        ),
        ({"w": pa.array([{"a": 1.0}] * 3)}, {"kind": "table", "columns": ["w"]}, "column 'w' holds struct.*one value"),
        (
            {"w": pa.array([[], [], []], pa.list_(pa.float32()))},
            {"kind": "table", "columns": ["w"]},
            "'w' holds no value",
        ),
        ({"w": ["a", "b", "c"]}, {"kind": "table", "columns": ["w"]}, "column 'w' holds text, expected numbers"),
    ],
)
def test_a_catalogue_with_wrong_columns_is_one_clear_error(tmp_path, columns, options, message):
    write_catalogue(tmp_path, **columns)
    with pytest.raises(FileError, match=message):
        _ = HATSCatalogue(tmp_path, **options).modality


def test_a_catalogue_without_ids_is_one_clear_error(tmp_path):
    path = tmp_path / "x.parquet"
    parquet.write_table(pa.table({"Z": [1.0]}), path)
    with pytest.raises(FileError, match=r"no column 'object_id' \(found Z\)"):
        list(HATSCatalogue(path, "table", ["Z"]).read(path))


def test_a_file_without_its_footer_is_one_clear_error(tmp_path):
    write_catalogue(tmp_path)
    reader = HATSCatalogue(tmp_path, "table", ["Z"])
    path = reader.files()[0]
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(FileError, match=r"cannot be read as Parquet .*download it again"):
        list(reader.read(path))


def test_labels_are_all_columns_of_one_value_and_of_nothing_else(tmp_path):
    partition = {"Norder": [1, 1, 1], "Dir": [0, 0, 0], "Npix": [17, 17, 18]}
    more = {"CLASS": ["STAR", "", "QSO"], "EBV": [1.0, 2.0, 3.0], "WIDE": [[1.0, 2.0]] * 3, "GOOD": [True, False, None]}
    write_catalogue(tmp_path, spectrum=nested_spectra(), **partition, **more)
    one, two, _ = samples_of(HATSCatalogue(tmp_path, kind="spectrum"))
    assert one.labels == {"Z": 0.1, "CLASS": "STAR", "EBV": 1.0, "GOOD": 1.0} and two.labels == {
        "EBV": 2.0,
        "GOOD": 0.0,
    }
    assert samples_of(HATSCatalogue(tmp_path, kind="spectrum", labels=[]))[0].labels == {}
    table = HATSCatalogue(tmp_path, kind="table", columns=["EBV"])
    assert set(samples_of(table)[0].labels) == {"Z", "CLASS", "GOOD"}


def test_the_channels_of_an_exported_table_are_no_labels(tmp_path):
    modalities = {
        "image": Modality("image", "image", ("g",), (1, 2, 2), "nmgy"),
        "colours": Modality("colours", "table", ("g_r",), (1,)),
    }
    views = {"image": np.ones((1, 2, 2), np.float32), "colours": np.ones(1, np.float32)}
    write_hats(tmp_path / "out", [Sample("a", views, 10.0, 20.0, {"z": 0.5, "class": "GALAXY"})], modalities)
    [sample] = samples_of(HATSCatalogue(tmp_path / "out", kind="image"))
    assert sample.labels == {"z": 0.5, "class": "GALAXY"}
