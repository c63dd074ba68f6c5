"""The Multimodal Universe in HDF5: every modality of it, the defects of its own loaders, and what can be wrong."""

import subprocess
import sys

import h5py
import numpy as np
import pytest
from layout_multimodal import (
    DEC,
    IDS,
    PLASTICC_BANDS,
    RA,
    WAVELENGTH,
    image_columns,
    plasticc_columns,
    sdss_columns,
    write_hdf5,
    write_manga,
    write_supernova,
)

from astroclip_kit.errors import FileError, FolderError, InputError, UsageError
from astroclip_kit.surveys import MultimodalUniverse, write_multimodal_universe
from astroclip_kit.surveys.multimodal_columns import clean_text, pixel_of, pixels, unit_of
from astroclip_kit.transforms.resampling import GRIDS
from astroclip_kit.types import Drop, Modality, Sample


def file_in(folder, pixel=12, name="001-of-001.hdf5"):
    return folder / f"healpix={pixel}" / name


def everything(reader):
    items = [item for path in reader.files() for item in reader.read(path)]
    return [one for one in items if isinstance(one, Sample)], [one for one in items if isinstance(one, Drop)]


def samples_of(reader):
    return everything(reader)[0]


# What is read


def test_a_spectrum_is_its_pixels_without_the_padding_and_the_mask(tmp_path):
    columns = sdss_columns()
    columns["spectrum_mask"][0, 5] = True  # True is bad
    write_hdf5(file_in(tmp_path / "sdss"), **columns)
    reader = MultimodalUniverse(tmp_path / "sdss", kind="spectrum", grid=WAVELENGTH)
    first = samples_of(reader)[0].views["spectrum"]
    np.testing.assert_allclose(np.delete(first[0], 5), np.delete(columns["spectrum_flux"][0, :300], 5), rtol=1e-6)
    assert first[1, 5] == 0 and (np.delete(first[1], 5) == 4).all()
    assert reader.modality.unit == "1e-17 erg / (Angstrom s cm2)"


@pytest.mark.parametrize("known", ["desi", "boss"])
def test_the_grid_is_by_default_the_one_that_the_first_spectrum_lies_on(tmp_path, known):
    part = GRIDS[known][100:500]
    flat = np.ones((3, len(part)))
    columns = {"spectrum_flux": flat, "spectrum_ivar": flat, "spectrum_lambda": np.tile(part, (3, 1)).astype("f4")}
    write_hdf5(file_in(tmp_path), **columns)
    assert MultimodalUniverse(tmp_path, kind="spectrum").modality.shape == (2, len(GRIDS[known]))


def test_noise_stands_in_for_inverse_variance(tmp_path):
    columns = {"spectrum_flux": np.ones((3, 300)), "spectrum_noise": np.full((3, 300), 0.5)}
    columns["spectrum_noise"][:, 0] = 0
    write_hdf5(file_in(tmp_path), **columns, spectrum_wave=np.tile(WAVELENGTH, (3, 1)))
    view = samples_of(MultimodalUniverse(tmp_path, kind="spectrum", grid=WAVELENGTH))[0].views["spectrum"]
    assert view[1, 0] == 0 and (view[1, 1:] == 4).all()


def test_images_have_their_bands_scale_and_inverse_variance(tmp_path):
    columns = image_columns()
    columns["image_mask"] = columns["image_mask"][:, 0]  # one for all bands; True is good
    columns["image_array"][0, 1, 3, 3] = np.nan
    write_hdf5(file_in(tmp_path / "legacysurvey"), **columns)
    reader = MultimodalUniverse(tmp_path / "legacysurvey", bands=["DES-Z", "DES-R"], ivar=True, labels=["EBV"])
    assert reader.modality.channels == ("DES-Z", "DES-R", "ivar_DES-Z", "ivar_DES-R")
    assert (reader.modality.unit, reader.modality.pixel_scale_arcsec) == ("nmgy", 0.262)
    first = samples_of(reader)[0]
    np.testing.assert_array_equal(first.views["image"][0], columns["image_array"][0, 2])
    assert (first.views["image"][2:, 0, 0] == 0).all() and (first.views["image"][2, 1:] > 0).all()
    assert first.views["image"][1, 3, 3] == 0 and first.views["image"][3, 3, 3] == 0
    assert first.labels == {"EBV": 0.0}


def test_bands_may_be_in_another_order_in_every_row(tmp_path):
    columns = image_columns()
    columns["image_band"][1] = [b"DES-Z", b"DES-G", b"DES-R"]
    columns["image_band"][2] = [b"DES-G", b"DES-R", b"WISE"]
    write_hdf5(file_in(tmp_path), **columns)
    samples, drops = everything(MultimodalUniverse(tmp_path))
    np.testing.assert_array_equal(samples[1].views["image"], columns["image_array"][1][[1, 2, 0]])
    assert len(samples) == 2 and "band 'DES-Z' is missing (found DES-G, DES-R, WISE)" in drops[0].reason


def test_images_of_jwst_btsbot_galaxy_zoo_and_manga(tmp_path):
    columns = image_columns()
    write_hdf5(file_in(tmp_path / "jwst"), image_flux=columns["image_array"], image_band=columns["image_band"])
    triplet = np.random.default_rng(0).normal(size=(3, 7, 7, 3))
    scale = {"band": np.array([b"g", b"r", b"g"]), "image_scale": np.full(3, 1.01)}
    write_hdf5(file_in(tmp_path / "bts", 7, "train_001-of-001.hdf5"), image_triplet=triplet, **scale)
    rgb = np.arange(3 * 5 * 5 * 3, dtype="u1").reshape(3, 5, 5, 3)
    write_hdf5(file_in(tmp_path / "gz10", 7, "1.h5"), images=rgb, pxscale=np.full(3, 0.262), ans=np.arange(3))
    write_manga(file_in(tmp_path / "manga"))
    assert samples_of(MultimodalUniverse(tmp_path / "jwst"))[0].views["image"].shape == (3, 8, 8)
    bts = MultimodalUniverse(tmp_path / "bts", labels=["band"])
    assert bts.modality.channels == ("science", "reference", "difference")
    assert bts.modality.pixel_scale_arcsec == 1.01 and samples_of(bts)[1].labels == {"band": "r"}
    np.testing.assert_allclose(samples_of(bts)[0].views["image"][1], triplet[0, :, :, 1], rtol=1e-6)
    zoo = MultimodalUniverse(tmp_path / "gz10", labels=["ans"])
    assert zoo.modality.channels == ("red", "green", "blue")
    np.testing.assert_array_equal(samples_of(zoo)[2].views["image"][2], rgb[2, :, :, 2])
    manga = MultimodalUniverse(tmp_path / "manga", labels=["z"])
    assert manga.modality.shape == (4, 9, 9) and manga.modality.pixel_scale_arcsec == 0.5
    one = samples_of(manga)[0]
    assert (one.object_id, one.ra, one.labels) == ("8485-1901", 232.5, {"z": 0.04})


def test_grouped_light_curves_are_points_in_order_of_time(tmp_path):
    write_hdf5(file_in(tmp_path), **plasticc_columns())
    reader = MultimodalUniverse(tmp_path, kind="lightcurve", bands=["Y", "u"], labels=["redshift"])
    assert reader.modality.bands == ("Y", "u")
    one = samples_of(reader)[1]
    assert one.labels == {"redshift": 0.2, "time_zero_mjd": 59000.0}
    np.testing.assert_allclose(one.views["lightcurve"][:, 0], [0, 5, 5, 10, 15])
    np.testing.assert_allclose(one.views["lightcurve"][:, 1], [10, 15, 7, 20, 25])
    np.testing.assert_allclose(one.views["lightcurve"][:, 3], [1, 0, 0, 1, 0])


def test_supernovae_have_a_file_each_and_scalars(tmp_path):
    write_supernova(tmp_path, "2016W")
    reader = MultimodalUniverse(tmp_path, kind="lightcurve", labels=["obj_type", "redshift", "host_log_mass"])
    (one,) = samples_of(reader)
    assert (one.object_id, one.ra, one.dec) == ("2016W", 10.5, -3.0)
    assert one.labels == {"obj_type": "Ia", "redshift": 0.03, "time_zero_mjd": 57000.0}
    expected = [[0, 1, 0.1, 0], [1, 4, 0.1, 1], [2, 2, 0.1, 0], [4, 3, 0.1, 0]]
    np.testing.assert_allclose(one.views["lightcurve"], expected, rtol=1e-6)
    assert reader.modality.bands == ("g", "r")


def test_one_band_missions_count_time_in_their_own_way(tmp_path):
    values = np.array([[1000.0, 1001.0, 0.0], [2000.0, np.nan, 2002.0], [5.0, 6.0, 7.0]])
    flux = np.array([[1.0, 2.0, 0.0], [3.0, 4.0, 5.0], [np.nan, 1.0, 1.0]])
    error = np.array([[0.1, 0.1, 0.0], [0.1, 0.1, 0.1], [0.1, 0.1, 0.1]])
    write_hdf5(file_in(tmp_path / "tess"), time=values, flux=flux, flux_err=error, ra=None, dec=None, RA=RA, DEC=DEC)
    reader = MultimodalUniverse(tmp_path / "tess", kind="lightcurve")
    samples = samples_of(reader)
    assert [len(one.views["lightcurve"]) for one in samples] == [2, 2, 2] and samples[0].ra == 10.0
    assert samples[1].labels == {"time_zero": 2000.0} and reader.modality.bands == ("single",)
    psf = {"psf_flux": flux, "psf_flux_err": np.array([0.5, 0.6, 0.7])}  # one error for all of an object
    write_hdf5(file_in(tmp_path / "tglc"), time=values, **psf)
    reader = MultimodalUniverse(tmp_path / "tglc", kind="lightcurve", bands=["TESS"])
    np.testing.assert_allclose(samples_of(reader)[1].views["lightcurve"][:, 2], 0.6)
    write_hdf5(file_in(tmp_path / "cfa"), time=values, mag=flux, bands=None)
    assert MultimodalUniverse(tmp_path / "cfa", kind="lightcurve").modality.unit == "mag"
    assert np.isnan(samples_of(MultimodalUniverse(tmp_path / "cfa", kind="lightcurve"))[1].views["lightcurve"][0, 2])


def test_tables_and_labels_split_wide_columns(tmp_path):
    columns = {"SPECTROFLUX": np.arange(15.0).reshape(3, 5), "THETA": np.arange(6).reshape(3, 2), "IS_BGS": [True] * 3}
    write_hdf5(file_in(tmp_path), **columns, NAME=np.array([b"a ", b"", b"c"]))
    labels = ["SPECTROFLUX_R", "THETA_1", "NAME", "IS_BGS"]
    reader = MultimodalUniverse(tmp_path, kind="table", columns=["SPECTROFLUX", "THETA_0"], labels=labels)
    assert reader.modality.channels == (*(f"SPECTROFLUX_{band}" for band in "UGRIZ"), "THETA_0")
    first, second, _ = samples_of(reader)
    np.testing.assert_array_equal(first.views["table"], [0, 1, 2, 3, 4, 0])
    assert first.labels == {"SPECTROFLUX_R": 2.0, "THETA_1": 1.0, "NAME": "a", "IS_BGS": 1.0}
    assert "NAME" not in second.labels


# The defects of the original loaders


def test_a_pixel_is_a_number_and_not_a_part_of_a_name(tmp_path):  # (a)
    assert [pixel_of(tmp_path / f"healpix={name}" / "x.hdf5") for name in ("12", "123", "0012", "x12")] == [
        12,
        123,
        12,
        None,
    ]
    for pixel, ids in ((12, [b"1", b"2", b"3"]), (123, [b"4", b"5", b"6"]), ("x12", [b"7", b"8", b"9"])):
        write_hdf5(file_in(tmp_path, pixel), **image_columns(), object_id=np.array(ids))
    assert len(MultimodalUniverse(tmp_path).files()) == 2
    one = MultimodalUniverse(tmp_path / "healpix=12")
    assert [sample.object_id for sample in samples_of(one)] == ["1", "2", "3"]


def test_all_files_of_a_pixel_are_read(tmp_path):  # (b)
    for name, ids in (("train_01.hdf5", [b"1", b"2", b"3"]), ("test_01.hdf5", [b"4", b"5", b"6"])):
        write_hdf5(file_in(tmp_path, 12, name), **plasticc_columns(), object_id=np.array(ids))
    assert len(samples_of(MultimodalUniverse(tmp_path, kind="lightcurve"))) == 6


def test_labels_do_not_overwrite_what_the_object_is(tmp_path):  # (e)
    write_hdf5(file_in(tmp_path), **image_columns(), Z=np.ones(3))
    one = samples_of(MultimodalUniverse(tmp_path, labels=["ra", "object_id", "Z"]))[0]
    assert (one.object_id, one.ra) == ("1237654", 10.0)
    assert one.labels == {"ra": 10.0, "object_id": "1237654", "Z": 1.0}


def test_rows_are_told_apart_by_place_and_not_by_searching_sorted_ids(tmp_path):  # (f)
    columns = image_columns()
    write_hdf5(file_in(tmp_path), **columns, object_id=np.array([b"9", b"10", b"1"]))
    for sample, row in zip(samples_of(MultimodalUniverse(tmp_path)), range(3), strict=True):
        np.testing.assert_array_equal(sample.views["image"], columns["image_array"][row])


def test_ids_are_plain_text_whatever_they_were(tmp_path):  # (g)
    assert clean_text(["b'   2575'", " b'x'", 'b"y"', "plain", "b'"]) == ["2575", "x", "y", "plain", "b'"]
    assert clean_text(np.array([2**62 + 1, 7])) == [str(2**62 + 1), "7"]
    assert clean_text(np.array([7.0, np.nan, 1.5])) == ["7", "", "1.5"]
    assert clean_text([b"a\0", "größe".encode(), None]) == ["a", "größe", ""]
    write_hdf5(file_in(tmp_path), **image_columns(), object_id=np.array([3, 2**60 + 1, 5], dtype=">i8"))
    assert [one.object_id for one in samples_of(MultimodalUniverse(tmp_path))] == ["3", str(2**60 + 1), "5"]


def test_a_warning_is_a_warning(tmp_path):  # (h)
    write_hdf5(file_in(tmp_path), **sdss_columns())
    reader = MultimodalUniverse(tmp_path, kind="spectrum", labels=["ZWARNING"])
    assert [one.labels["ZWARNING"] for one in samples_of(reader)] == [0.0, 1.0, 2.0]


def test_the_last_band_is_neither_lost_nor_filled_with_zeros(tmp_path):  # (i), (j)
    columns = plasticc_columns()
    columns["lightcurve"][0, 5] = 0  # as the release is: nothing in band Y
    write_hdf5(file_in(tmp_path), **columns)
    reader = MultimodalUniverse(tmp_path, kind="lightcurve")
    assert "".join(reader.modality.bands) == PLASTICC_BANDS
    first, second, _ = (one.views["lightcurve"] for one in samples_of(reader))
    assert len(first) == 10 and 5 not in first[:, 3]
    assert (second[:, 3] == 5).sum() == 3 and (second[:, 1] != 0).all()


def test_neither_reading_nor_writing_needs_the_datasets_package(tmp_path):  # (k)
    write_hdf5(file_in(tmp_path), **sdss_columns())
    code = (
        "import sys; sys.modules['datasets'] = None\n"
        "from astroclip_kit.surveys import MultimodalUniverse, write_multimodal_universe\n"
        f"reader = MultimodalUniverse({str(tmp_path)!r}, kind='spectrum')\n"
        "samples, modalities = reader.read(reader.files()[0]), {'spectrum': reader.modality}\n"
        f"write_multimodal_universe({str(tmp_path / 'out')!r}, samples, modalities)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert len(MultimodalUniverse(tmp_path / "out" / "spectrum", kind="spectrum").files()) == 3


# What can be wrong


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"object_id": None}, {}, "no dataset 'object_id' \\(found .*image_array"),
        ({"image_array": None}, {}, "no dataset 'image_array' \\(found .*Is it no image set"),
        ({"image_array": np.ones((2, 3, 8, 8))}, {}, "'image_array' has shape \\(2, 3, 8, 8\\), expected 3 rows"),
        ({"image_array": np.ones((3, 8, 8))}, {}, "'image_array' has 2 axes per object"),
        ({"image_ivar": None}, {"ivar": True}, "no dataset 'image_ivar'. Read it with ivar=False"),
        ({"image_ivar": np.ones((3, 3, 4, 4))}, {"ivar": True}, "'image_ivar' has \\(3, 4, 4\\) values per object"),
        ({"image_band": None}, {}, "3 bands, named \\(0,\\). Give their `bands`"),
        ({}, {"labels": ["NOPE"]}, "no column 'NOPE' \\(found "),
        ({"WIDE": np.ones((3, 2, 2))}, {"labels": ["WIDE"]}, "column 'WIDE' holds \\(2, 2\\) values per object"),
        (
            {"WIDE": np.ones((3, 2))},
            {"labels": ["WIDE_7"]},
            "column 'WIDE' holds \\(2,\\) values per object, asked for",
        ),
        ({"image_scale": np.array([b"x"] * 3)}, {}, "'image_scale' holds .S1, expected numbers"),
    ],
)
def test_a_file_with_wrong_columns_is_one_clear_error(tmp_path, columns, options, message):
    path = write_hdf5(file_in(tmp_path), **{**image_columns(), **columns})
    with pytest.raises(FileError, match=message):
        list(MultimodalUniverse(tmp_path, **options).read(path))


@pytest.mark.parametrize(
    ("kind", "columns", "message"),
    [
        ("spectrum", {**sdss_columns(), "spectrum_ivar": None}, "no dataset 'spectrum_ivar'"),
        (
            "spectrum",
            {**sdss_columns(), "spectrum_ivar": np.ones((3, 7))},
            "'spectrum_ivar' has \\(7,\\) values per obj",
        ),
        ("spectrum", {**sdss_columns(), "spectrum_lambda": -np.ones((3, 320))}, "wavelengths are missing in its first"),
        ("lightcurve", {"lightcurve": np.ones((3, 2, 4, 5))}, "expected \\(objects, bands, 3, times\\)"),
        ("lightcurve", {"lightcurve": np.ones((3, 2, 3, 5))}, "2 bands, named nowhere. Give their `bands`"),
        ("lightcurve", {"time": np.ones((3, 4)), "flux": np.ones((3, 5))}, "times \\(3, 4\\), fluxes \\(3, 5\\) and"),
        ("table", {"x": np.array([b"a"] * 3)}, "column 'x' holds text, expected numbers"),
    ],
)
def test_so_is_one_of_another_kind(tmp_path, kind, columns, message):
    write_hdf5(file_in(tmp_path), **columns)
    with pytest.raises(FileError, match=message):
        _ = MultimodalUniverse(tmp_path, kind=kind, columns=["x"] if kind == "table" else ()).modality


def test_compound_images_without_a_field_are_refused(tmp_path):
    with h5py.File(write_hdf5(file_in(tmp_path)), "a") as file:
        file["images"] = np.zeros(3, np.dtype([("image_array", "f4", (2, 2))]))
    with pytest.raises(FileError, match="'images' has no field for band \\(found image_array\\)"):
        _ = MultimodalUniverse(tmp_path).modality


def test_arguments_that_make_no_sense():
    with pytest.raises(UsageError, match="kind 'cube' is unknown"):
        MultimodalUniverse("x", kind="cube")
    with pytest.raises(UsageError, match="a table needs columns"):
        MultimodalUniverse("x", kind="table")
    with pytest.raises(UsageError, match="nothing else does"):
        MultimodalUniverse("x", kind="image", columns=["Z"])
    with pytest.raises(UsageError, match="grid 'nope' is unknown"):
        MultimodalUniverse("x", kind="spectrum", grid="nope")


def test_a_folder_without_files_and_an_empty_file(tmp_path):
    with pytest.raises(FileError, match="no file found"):
        _ = MultimodalUniverse(tmp_path).modality
    path = write_hdf5(
        file_in(tmp_path), object_id=np.zeros(0, "S3"), ra=np.zeros(0), image_array=np.zeros((0, 1, 2, 2))
    )
    with pytest.raises(FileError, match="holds no object with a image"):
        list(MultimodalUniverse(tmp_path, bands=["g"]).read(path))


def test_rows_that_cannot_be_used_are_listed_with_their_reason(tmp_path):
    columns = image_columns(8)
    columns["image_array"][3, 1] = np.nan
    columns["image_mask"][4, 2] = False
    columns["image_scale"][5] = 0.5
    own = {"object_id": np.array([b"1", b"1", b"", b"3", b"4", b"5", b"6", b"7"]), "ra": np.array([1.0] * 6 + [400, 2])}
    dec = np.array([1.0] * 7 + [np.nan])
    write_hdf5(file_in(tmp_path), **columns, **own, dec=dec)
    samples, drops = everything(MultimodalUniverse(tmp_path, ivar=True))
    assert [one.object_id for one in samples] == ["1"]
    reasons = [drop.reason for drop in drops]
    assert reasons[:2] == ["duplicated id", "no id"] and reasons[5:] == ["coordinates out of range"] * 2
    assert reasons[2] == "'DES-R' is blank: 0, NaN or masked everywhere"
    assert reasons[3] == "'ivar_DES-Z' is blank: 0, NaN or masked everywhere"
    assert reasons[4] == "not 0.2620 arcsec per pixel as the first image"


def test_objects_without_coordinates_are_read_all_the_same(tmp_path):
    write_hdf5(file_in(tmp_path), **image_columns(), ra=None, dec=np.full(3, np.nan))
    assert all(np.isnan([one.ra, one.dec]).all() for one in samples_of(MultimodalUniverse(tmp_path)))
    assert len(samples_of(MultimodalUniverse(tmp_path))) == len(IDS)


def test_spectra_that_hold_nothing_are_listed(tmp_path):
    columns = sdss_columns(4)
    columns["spectrum_mask"][0] = True
    columns["spectrum_lambda"][1] = -1
    columns["spectrum_lambda"][2, :300] += 5000
    write_hdf5(file_in(tmp_path), **columns, object_id=np.arange(4), ra=np.ones(4), dec=np.ones(4))
    drops = everything(MultimodalUniverse(tmp_path, kind="spectrum", grid=WAVELENGTH))[1]
    assert [drop.reason[:20] for drop in drops] == [
        "no good pixel: NaN, ",
        "wavelengths are miss",
        "covers none of the g",
    ]


def test_images_of_another_size_and_bands_of_another_file(tmp_path):
    write_hdf5(file_in(tmp_path), **image_columns())
    other = {**image_columns(), "image_array": np.ones((3, 3, 4, 4))}
    write_hdf5(file_in(tmp_path, 13), **other)
    assert "(4, 4) pixels, expected (8, 8) of the first file" in everything(MultimodalUniverse(tmp_path))[1][0].reason
    for pixel, bands in ((1, "g,r"), (2, "g,Y")):
        path = write_hdf5(file_in(tmp_path / "sn", pixel), **plasticc_columns(bands=2), object_id=[pixel, 8, 9])
        with h5py.File(path, "a") as file:
            file["lightcurve"].attrs["bands"] = bands
    _, drops = everything(MultimodalUniverse(tmp_path / "sn", kind="lightcurve"))
    assert {drop.reason for drop in drops} == {"band 'Y' is not in the first file: give `bands`"}
    chosen, drops = everything(MultimodalUniverse(tmp_path / "sn", kind="lightcurve", bands=["r"]))
    assert len(chosen) == 3 and {drop.reason for drop in drops} == {"no measurement in the bands"}


def test_units_are_stated_or_those_of_the_survey_that_a_folder_is_called_after():
    assert unit_of("image", "x/ssl_legacysurvey/healpix=1/a.hdf5") == "nmgy"
    assert unit_of("image", "x/hsc/a.hdf5") == "" and unit_of("image", "x/legacysurvey/a.hdf5", "Jy") == "Jy"
    assert unit_of("spectrum", "mmu_desi_edr_sv3/a.parquet") == "1e-17 erg / (Angstrom s cm2)"


def test_a_large_file_is_read_in_blocks(tmp_path, monkeypatch):
    write_hdf5(file_in(tmp_path), **image_columns(3))
    whole = samples_of(MultimodalUniverse(tmp_path))
    monkeypatch.setattr("astroclip_kit.surveys.multimodal_hdf5.BLOCK_BYTES", 1)
    for one, other in zip(whole, samples_of(MultimodalUniverse(tmp_path)), strict=True):
        np.testing.assert_array_equal(one.views["image"], other.views["image"])


# Written and read back


GRID = np.linspace(4000, 4300, 151)
IMAGE = Modality("image", "image", ("g", "r", "ivar_g", "ivar_r"), (4, 6, 5), "nmgy", (0.262,))
SPECTRUM = Modality("spectrum", "spectrum", ("flux", "ivar"), (2, 151), "1e-17 erg / (Angstrom s cm2)", tuple(GRID))
LIGHTCURVE = Modality("lc", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mag", bands=("g", "r", "Y"))
TABLE = Modality("photometry", "table", ("mag", "ebv"), (2,))
ALL = {one.name: one for one in (IMAGE, SPECTRUM, LIGHTCURVE, TABLE)}


def make_samples(count=40, seed=0):
    """Objects all over the sky that lack one modality or another."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        image, spectrum = rng.normal(size=(4, 6, 5)), rng.normal(size=(2, 151))
        image[2:], spectrum[1] = np.abs(image[2:]) + 0.1, np.abs(spectrum[1]) + 0.1
        image[2:, 0, 0], spectrum[1, :3], spectrum[0, :3] = 0, 0, spectrum[0, 3]
        points = int(rng.integers(2, 9))
        time = np.sort(rng.uniform(0, 100, points))
        curve = [time - time[0], rng.normal(size=points), rng.uniform(0.1, 1, points), rng.integers(0, 3, points)]
        curve[2][0] = np.nan
        views = {"image": image, "spectrum": spectrum, "lc": np.stack(curve, axis=1)}
        views["photometry"] = np.array([number, np.nan if number % 4 else 1.5])
        views = {name: view.astype("f4") for place, (name, view) in enumerate(views.items()) if (number + place) % 4}
        ra, dec = rng.uniform(0, 360), np.degrees(np.arcsin(rng.uniform(-1, 1)))
        labels = {"z": number / 10, "time_zero_mjd": 50000.25 + number}
        labels |= {"class": "G" * (number % 3 + 1)} if number % 5 else {}
        group = f"group {number // 2}" if number < 10 else ""
        yield Sample(f"object {number} ä", views, float(ra), float(dec), labels, group)


def check_same(read, name, modality):
    """The samples that a reader gave are those that were written."""
    got = {one.object_id: one for one in read}
    want = {one.object_id: one for one in make_samples() if name in one.views}
    assert set(got) == set(want) and len(read) == len(got)
    for object_id, one in want.items():
        view = one.views[name]
        if modality.kind == "lightcurve":
            view = view[np.lexsort((view[:, 3], view[:, 0]))]
        np.testing.assert_allclose(got[object_id].views[name], view, rtol=1e-5, atol=2e-5)
        assert (got[object_id].ra, got[object_id].dec, got[object_id].group) == (one.ra, one.dec, one.group)
        assert {key: got[object_id].labels.get(key) for key in ("z", "class")} == {
            key: one.labels.get(key) for key in ("z", "class")
        }


def reader_options(modality):
    return {"columns": modality.channels} if modality.kind == "table" else {"ivar": modality.kind == "image"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("universe") / "out"
    assert write_multimodal_universe(root, make_samples(), ALL) == []
    return root


@pytest.mark.parametrize("name", ALL)
def test_what_is_written_is_read_back(written, name):
    modality = ALL[name]
    labels = ["z", "class"]
    reader = MultimodalUniverse(written / name, modality.kind, labels=labels, name=name, **reader_options(modality))
    samples, drops = everything(reader)
    assert drops == [] and reader.modality.channels == modality.channels and reader.modality.unit == modality.unit
    assert reader.modality.bands == modality.bands
    np.testing.assert_allclose(reader.modality.grid, modality.grid)
    check_same(samples, name, modality)


def test_each_object_lies_in_its_pixel_and_all_columns_are_there(written):
    for path in (written / "image").glob("healpix=*/*.hdf5"):
        with h5py.File(path) as file:
            assert path.name == "001-of-001.hdf5" and {"object_id", "ra", "dec", "healpix"} <= set(file)
            assert (file["healpix"][:] == pixel_of(path)).all()
            np.testing.assert_array_equal(pixels(file["ra"], file["dec"], 4), file["healpix"])
            assert file["image_band"].dtype.kind == "S" and (file["image_mask"][:] == (file["image_ivar"][:] > 0)).all()
    # As the hats package has it.
    assert pixels([29.99891294634474], [-17.389183343548346]).tolist() == [2570743767726196006]


def test_the_last_band_is_written(written):
    curves = samples_of(MultimodalUniverse(written / "lc", kind="lightcurve"))
    assert any((one.views["lightcurve"][:, 3] == 2).any() for one in curves)


def test_files_grow_block_by_block(tmp_path, monkeypatch):
    near = [Sample(one.object_id, one.views, 10.0, 10.0, one.labels, one.group) for one in make_samples()]
    monkeypatch.setattr("astroclip_kit.surveys.multimodal_runs.RUN_ROWS", 7)
    monkeypatch.setattr("astroclip_kit.surveys.multimodal_runs.BLOCK_BYTES", 1)
    for number, one in enumerate(near):
        one.ra += number / 1000
    write_multimodal_universe(tmp_path / "out", near, ALL)
    for name in ALL:
        reader = MultimodalUniverse(
            tmp_path / "out" / name, ALL[name].kind, labels=["z", "class"], name=name, **reader_options(ALL[name])
        )
        assert len(reader.files()) == 1
        moved = [Sample(*(vars(one) | place(one)).values()) for one in samples_of(reader)]
        check_same(moved, name, ALL[name])


def place(one):
    original = next(other for other in make_samples() if other.object_id == one.object_id)
    return {"ra": original.ra, "dec": original.dec}


def test_objects_that_have_no_place_are_left_out_and_listed(tmp_path):
    lost = Sample("lost", {"photometry": np.ones(2, "f4")})
    empty = Sample("empty", {}, 1.0, 1.0)
    drops = write_multimodal_universe(tmp_path / "out", [*make_samples(3), lost, empty], {"photometry": TABLE})
    listed = [(drop.source, drop.reason) for drop in drops if not drop.source.startswith("object")]
    assert listed == [("lost", "no place on the sky: ra nan, dec nan"), ("empty", "has none of the modalities")]
    assert 'lost,"no place on the sky: ra nan, dec nan"' in (tmp_path / "out" / "skipped.csv").read_text()


@pytest.mark.parametrize(
    ("samples", "modalities", "message"),
    [
        ([Sample("a", {"photometry": np.ones(2, "f4")})], {"photometry": TABLE}, "none of 1 objects .*: a: no place"),
        ([], {"photometry": TABLE}, "none of 0 objects can be written"),
        ([], {}, "nothing to write: there are no modalities"),
        ([], {"mag": IMAGE, "photometry": TABLE}, "two columns would be called 'mag'"),
        ([Sample("a", {"photometry": np.ones(3, "f4")}, 1.0, 1.0)], {"photometry": TABLE}, "shape \\(3,\\), expected"),
        (
            [Sample(str(n), {"photometry": np.ones(2, "f4")}, 1.0, 1.0, {"x": x}) for n, x in enumerate([1.0, "a"])],
            {"photometry": TABLE},
            "label 'x' is text in some objects and a number in others",
        ),
        (
            [Sample("a", {"photometry": np.ones(2, "f4")}, 1.0, 1.0, {"mag": 1.0})],
            {"photometry": TABLE},
            "label 'mag' is called like a column. Choose `labels` without it",
        ),
    ],
)
def test_what_cannot_be_written_leaves_nothing_behind(tmp_path, samples, modalities, message):
    with pytest.raises(InputError, match=message):
        write_multimodal_universe(tmp_path / "out", samples, modalities)
    assert list(tmp_path.iterdir()) == []


def test_a_label_may_not_change_its_type_between_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("astroclip_kit.surveys.multimodal_runs.RUN_ROWS", 1)
    view = {"photometry": np.ones(2, "f4")}
    samples = [Sample("a", view, 1.0, 1.0, {"x": 1.0}), Sample("b", view, 1.0, 1.0, {"x": "text"})]
    with pytest.raises(InputError, match="a label is text in some objects and a number in others"):
        write_multimodal_universe(tmp_path / "out", samples, {"photometry": TABLE})


def test_an_older_set_is_replaced_and_anything_else_refused(tmp_path):
    for count in (10, 4):
        write_multimodal_universe(tmp_path / "out", make_samples(count), ALL, labels=["z", "never"])
    reader = MultimodalUniverse(tmp_path / "out" / "image", labels=["z", "never"])
    assert len(samples_of(reader)) == sum("image" in one.views for one in make_samples(4))
    assert set(samples_of(reader)[0].labels) == {"z"}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(FolderError, match="was not written by astroclip_kit"):
        write_multimodal_universe(tmp_path / "mine", make_samples(2), ALL)


def test_a_killed_writer_leaves_no_half_set(tmp_path):
    code = (
        "import sys, time, numpy as np\n"
        "from astroclip_kit.surveys import write_multimodal_universe\n"
        "from astroclip_kit.types import Modality, Sample\n"
        "def samples():\n"
        "    for number in range(50):\n"
        "        yield Sample(str(number), {'t': np.ones(1, 'f4')}, 1.0 * number, 0.0)\n"
        "    print('taken', flush=True)\n"
        "    time.sleep(60)\n"
        "modalities = {'t': Modality('t', 'table', ('x',), (1,))}\n"
        f"write_multimodal_universe({str(tmp_path / 'out')!r}, samples(), modalities)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"taken\n"
    process.kill()
    process.wait()
    assert not (tmp_path / "out").exists()
    write_multimodal_universe(tmp_path / "out", make_samples(3), ALL)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_spectrum_s_covariates_become_columns(tmp_path):
    channels = ("flux", "ivar", "phase_day")
    modality = Modality("spectrum", "spectrum", channels, (3, 151), "", tuple(GRID))
    view = np.stack([np.arange(151), np.ones(151), np.full(151, 7.5)]).astype("f4")
    write_multimodal_universe(tmp_path / "out", [Sample("a", {"spectrum": view}, 1.0, 1.0)], {"spectrum": modality})
    (one,) = samples_of(MultimodalUniverse(tmp_path / "out", kind="spectrum", labels=["phase_day"]))
    assert one.labels == {"phase_day": 7.5}
    np.testing.assert_allclose(one.views["spectrum"], view[:2], rtol=1e-6)
