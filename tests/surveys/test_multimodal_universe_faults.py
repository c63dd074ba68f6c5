"""Files of the Multimodal Universe that cannot be used, or not all of them: what is said of each."""

import h5py
import numpy as np
import pytest
from layout_multimodal import (
    IDS,
    WAVELENGTH,
    everything,
    image_columns,
    plasticc_columns,
    samples_of,
    sdss_columns,
    write_hdf5,
)

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import MultimodalUniverse
from astroclip_kit.surveys.multimodal.multimodal_columns import unit_of


def file_in(folder, pixel=12, name="001-of-001.hdf5"):
    return folder / f"healpix={pixel}" / name


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
    with pytest.raises(FileError, match="holds no object"):
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
    monkeypatch.setattr("astroclip_kit.surveys.multimodal.multimodal_hdf5.BLOCK_BYTES", 1)
    for one, other in zip(whole, samples_of(MultimodalUniverse(tmp_path)), strict=True):
        np.testing.assert_array_equal(one.views["image"], other.views["image"])


def test_a_damaged_file_and_a_missing_one_are_told_apart(tmp_path):
    path = write_hdf5(file_in(tmp_path), **image_columns())
    reader = MultimodalUniverse(tmp_path)
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"<html>404 Not Found</html>"):
        path.write_bytes(damaged)
        with pytest.raises(FileError, match=r"cannot be read as HDF5 .*If it is damaged, download it again"):
            list(reader.read(path))
    path.unlink()
    with pytest.raises(FileError, match="no such file"):
        list(reader.read(path))
