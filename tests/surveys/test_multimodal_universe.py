"""The Multimodal Universe in HDF5: every modality of it, and the defects of its own loaders that are not repeated."""

import subprocess
import sys

import numpy as np
import pytest
from layout_multimodal import (
    DEC,
    PLASTICC_BANDS,
    RA,
    WAVELENGTH,
    everything,
    image_columns,
    plasticc_columns,
    samples_of,
    sdss_columns,
    write_hdf5,
    write_manga,
    write_supernova,
)

from astroclip_kit.surveys import MultimodalUniverse
from astroclip_kit.surveys.multimodal.multimodal_columns import clean_text, pixel_of
from astroclip_kit.transforms.resampling import GRIDS


def file_in(folder, pixel=12, name="001-of-001.hdf5"):
    return folder / f"healpix={pixel}" / name


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


def test_labels_are_all_columns_of_one_value_and_of_nothing_else(tmp_path):
    write_hdf5(tmp_path / "sdss" / "healpix=1" / "a.hdf5", **sdss_columns(), CLASS=np.array([b"STAR", b"", b"QSO"]))
    one, two, _ = samples_of(MultimodalUniverse(tmp_path, kind="spectrum"))
    assert one.labels == {"Z": 0.1, "ZWARNING": 0.0, "CLASS": "STAR"} and set(two.labels) == {"Z", "ZWARNING"}
    assert samples_of(MultimodalUniverse(tmp_path, kind="spectrum", labels=()))[0].labels == {}
    write_supernova(tmp_path / "sn", "2016W1")
    [sample] = samples_of(MultimodalUniverse(tmp_path / "sn", kind="lightcurve"))
    assert set(sample.labels) == {"obj_type", "redshift", "time_zero_mjd"}
