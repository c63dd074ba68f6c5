import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from layout_images import STAMP_COLUMNS, gzipped, make_cubes, make_hst_stamps, wcs_of, write_stamps

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import ImageCubes
from astroclip_kit.types import Drop, Sample

BANDS = ["F115W", "F150W", "F200W"]


def write_cube(path, images, header=(), ivar=None, name="IVAR"):
    keywords = wcs_of(np.shape(images)[-2:], 0.2).to_header()
    keywords.update(dict(header))
    hdus = [fits.PrimaryHDU(np.asarray(images, "f4"), keywords)]
    hdus += [] if ivar is None else [fits.ImageHDU(np.asarray(ivar, "f4"), name=name)]
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path


def stamps_reader(folder, sizes=(20, 12, 31), **arguments):
    path, catalogue = write_stamps(folder, sizes)
    table = {"path": str(catalogue), **STAMP_COLUMNS, **arguments.pop("columns", {})}
    return ImageCubes(path, ["F814W"], hdu="each", table=table, **{"size": 16, "ivar": True, "unit": "ct", **arguments})


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(size=(3, 20, 24)).astype("f4")


def test_stamps_are_cut_or_set_into_zeros_around_their_middle(tmp_path):
    reader = make_hst_stamps(tmp_path)
    first, small, odd = reader.read(reader.files()[0])
    stored = [fits.getdata(tmp_path / "galaxy_images.fits", number).astype("f4") for number in range(3)]
    np.testing.assert_array_equal(first.views["image"][0], stored[0][2:18, 2:18])
    np.testing.assert_array_equal(small.views["image"][0], np.pad(stored[1], 2))
    np.testing.assert_array_equal(odd.views["image"][0], stored[2][7:23, 7:23])
    np.testing.assert_array_equal(small.views["image"][1], np.pad(np.full((12, 12), 4), 2))
    assert [(one.object_id, one.ra, one.dec) for one in (first, small)] == [("100", 150.0, 2.5), ("101", 150.01, 2.5)]
    assert reader.modality.pixel_scale_arcsec == 0.03 and reader.modality.unit == "ct"


def test_stamps_without_a_table_are_numbered(tmp_path):
    path, _ = write_stamps(tmp_path)
    found = list(ImageCubes(path, ["F814W"], size=16, hdu="each").read(path))
    assert [sample.object_id for sample in found] == [f"galaxy_images-{number}" for number in range(3)]
    assert np.isnan(found[0].ra) and found[0].views["image"].shape == (1, 16, 16)


def test_stamps_that_cannot_be_used_are_drops(tmp_path):
    reader = stamps_reader(tmp_path, sizes=(20, 20, 31, 20, 20), size=None)
    table = Table.read(tmp_path / "catalog.cat", format="fits")
    table["NOISE_VARIANCE"][3], table["DEC"][1] = 0, 95
    table[:4].write(tmp_path / "catalog.cat", format="fits", overwrite=True)
    with fits.open(tmp_path / "galaxy_images.fits", mode="update") as hdus:
        assert len(hdus) == 5
    items = list(reader.read(reader.files()[0]))
    assert [item.reason for item in items if isinstance(item, Drop)] == [
        f"its row of the table {tmp_path}/catalog.cat: coordinates out of range.",
        "(31, 31) pixels, expected (20, 20) of the first image. Give a `size`.",
        "its variance in the table is 0.0, expected more than 0.",
        f"the table {tmp_path}/catalog.cat has no row for it (looked for ('galaxy_images.fits', 4)).",
    ]
    assert [item.object_id for item in items if isinstance(item, Sample)] == ["100"]


def test_cubes_with_their_inverse_variance_in_another_unit(tmp_path):
    reader = make_cubes(tmp_path)
    path = reader.files()[0]
    (sample,) = reader.read(path)
    factor = 1 / 3.631  # of microjansky to nanomaggies
    np.testing.assert_allclose(sample.views["image"][:3], fits.getdata(path) * factor, rtol=1e-5)
    np.testing.assert_allclose(sample.views["image"][3:], fits.getdata(path, 1) / factor**2, rtol=1e-5)
    assert (sample.object_id, sample.ra, sample.dec) == ("cube-0", pytest.approx(150), pytest.approx(2))
    assert reader.modality.channels == (*BANDS, *(f"ivar_{band}" for band in BANDS))
    assert reader.modality.pixel_scale_arcsec == pytest.approx(0.2)


def test_bands_by_the_names_of_the_header(tmp_path, images):
    path = write_cube(tmp_path / "a.fits", images, {"BAND0": "r", "BAND1": "g", "BAND2": "z"})
    (sample,) = ImageCubes(tmp_path, ["g", "r"]).read(path)
    np.testing.assert_array_equal(sample.views["image"], images[[1, 0]])
    path = write_cube(tmp_path / "a.fits", images, {"BANDS": "zgr"})
    (sample,) = ImageCubes(tmp_path, ["r"], size=20).read(path)
    np.testing.assert_array_equal(sample.views["image"][0], images[2, :, 2:22])


def test_bad_pixels_are_zero(tmp_path, images):
    ivar = np.full_like(images, 2)
    images[0, 3, 3], ivar[1, 4, 4], ivar[2, 5, 5] = np.nan, 0, np.nan
    path = write_cube(tmp_path / "a.fits", images, ivar=ivar, name="WHT")
    (sample,) = ImageCubes(tmp_path, BANDS, ivar=True).read(path)
    view = sample.views["image"]
    for band, at in ((0, 3), (1, 4), (2, 5)):
        assert view[band, at, at] == view[band + 3, at, at] == 0
    assert (view[3:] == 2).sum() == view[3:].size - 3


@pytest.mark.parametrize("packing", ["", ".gz", ".fz"])
def test_one_plane_packed_or_not(tmp_path, images, packing):
    path = write_cube(tmp_path / "größe 星 1.fits", images[0])
    if packing == ".gz":
        path = gzipped(path)
    if packing == ".fz":
        fits.CompImageHDU(fits.getdata(path), quantize_level=0, compression_type="GZIP_2").writeto(
            tmp_path / "a.fits.fz"
        )
        path = tmp_path / "a.fits.fz"
    (sample,) = ImageCubes(str(tmp_path / f"*.fits{packing}"), ["F814W"]).read(path)
    np.testing.assert_array_equal(sample.views["image"][0], images[0])


def test_a_table_by_id_with_groups(tmp_path, images):
    for name in ("a", "b"):
        write_cube(tmp_path / f"{name}.fits", images, {"OBJID": f"obj-{name}"})
    (tmp_path / "t.csv").write_text("name,ra,dec,galaxy\nobj-a,10,20,G1\nobj-a,1,2,G2\n")
    table = {"path": str(tmp_path / "t.csv"), "id": "name", "ra": "ra", "dec": "dec", "group": "galaxy"}
    reader = ImageCubes(tmp_path, BANDS, table=table)
    with pytest.raises(FileError, match=r"b.fits: the table .*t.csv has no row for it \(looked for \('obj-b', 0\)\)"):
        list(reader.read(tmp_path / "b.fits"))
    (tmp_path / "t.csv").write_text("name,ra,dec,galaxy\nobj-a,10,20,G1\nobj-b,1,2,G1\n")
    found = [next(iter(ImageCubes(tmp_path, BANDS, table=table).read(tmp_path / f"{name}.fits"))) for name in "ab"]
    assert [(one.object_id, one.group, one.ra, one.dec) for one in found] == [
        ("obj-a", "G1", 10.0, 20.0),
        ("obj-b", "G1", 1.0, 2.0),
    ]


@pytest.mark.parametrize(
    ("change", "arguments", "problem"),
    [
        (
            {"images": np.ones((2, 20, 24))},
            {},
            r"HDU 0 has \(2, 20, 24\) pixels, expected the bands F115W, F150W, F200W",
        ),
        ({"header": {"BANDS": "grz"}}, {}, r"pixels of bands g, r, z, expected the bands F115W"),
        ({"images": np.zeros((3, 20, 24))}, {}, r"band 'F115W' is blank \(0 or bad everywhere\)"),
        ({"images": np.ones((3, 9, 9))}, {}, r"\(9, 9\) pixels, expected \(20, 24\) of the first image"),
        ({"header": {"CDELT1": 2.0, "CDELT2": 2.0}}, {}, r"0\.4000 arcsec per pixel, expected 0\.2000"),
        ({"header": {"BUNIT": "K"}}, {"unit": "nmgy"}, "pixels in 'K' cannot be converted to 'nmgy'"),
        ({}, {"ivar": True}, "no HDU is called IVAR, INVVAR, WHT, WEIGHT"),
        ({"ivar": np.ones((3, 2, 2))}, {"ivar": True}, r"inverse variance of \(3, 2, 2\) pixels for an image of"),
        ({}, {"hdu": 3}, "has 1 HDUs, HDU . was expected"),
    ],
)
def test_cubes_that_do_not_fit(tmp_path, images, change, arguments, problem):
    hdus = {"ivar": np.ones_like(images)}
    write_cube(tmp_path / "a.fits", images, **hdus)
    path = write_cube(tmp_path / "b.fits", **{"images": images, **change})
    reader = ImageCubes(tmp_path, BANDS, **arguments)
    with pytest.raises(FileError, match=problem):
        list(reader.read(path))


def test_nothing_to_read(tmp_path):
    with pytest.raises(FileError, match="no FITS file is there"):
        _ = ImageCubes(tmp_path, BANDS).modality
    (tmp_path / "a.fits").write_bytes(b"<html>")
    with pytest.raises(FileError, match=r"no image can be read; the last problem: .*a.fits"):
        _ = ImageCubes(tmp_path, BANDS).modality
    fits.BinTableHDU.from_columns([fits.Column("a", "J", array=[1])]).writeto(tmp_path / "a.fits", overwrite=True)
    with pytest.raises(FileError, match="no HDU holds an image"):
        list(ImageCubes(tmp_path, BANDS, hdu="each").read(tmp_path / "a.fits"))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"bands": []}, "bands: name at least one band"),
        ({"hdu": "all"}, "hdu is 'all', expected a number, 'each' or none"),
        ({"hdu": "each", "ivar": True}, "it comes from the column `variance` of the table"),
        ({"unit": "furlong"}, "unit 'furlong' is no unit"),
    ],
)
def test_arguments_that_make_no_sense(arguments, problem):
    with pytest.raises(UsageError, match=problem):
        ImageCubes(**{"root": "cubes", "bands": BANDS, **arguments})


def test_a_table_that_is_not_described(tmp_path):
    path, catalogue = write_stamps(tmp_path)
    with pytest.raises(UsageError, match="table: `path` is missing"):
        list(ImageCubes(path, ["F814W"], hdu="each", table={"id": "IDENT", "hdu": "GAL_HDU"}).read(path))
    with pytest.raises(UsageError, match="hdu missing, nothing unknown"):
        list(ImageCubes(path, ["F814W"], hdu="each", table={"path": str(catalogue), "id": "IDENT"}).read(path))


@pytest.mark.shared_data
def test_real_hst_stamps(shared_data):
    folder = shared_data / "cosmos-hst"
    table = {"path": str(folder / "real_galaxy_catalog_26_extension_example.fits"), **STAMP_COLUMNS}
    reader = ImageCubes(folder / "real_galaxy_images_extension.fits", ["F814W"], 64, "each", table, True, "ct")
    samples = [item for item in reader.read(reader.files()[0]) if isinstance(item, Sample)]
    assert [sample.object_id for sample in samples] == [str(row["IDENT"]) for row in fits.getdata(table["path"])]
    assert reader.modality.pixel_scale_arcsec == 0.03
    stored = fits.getdata(reader.files()[0], 4).astype("f4")  # 92 x 92 pixels
    np.testing.assert_array_equal(samples[4].views["image"][0], stored[14:78, 14:78])
    corner = np.concatenate([sample.views["image"][0, :4, :4].ravel() for sample in samples])
    ivar = np.concatenate([sample.views["image"][1, :4, :4].ravel() for sample in samples])
    assert np.std((corner * np.sqrt(ivar))[ivar > 0]) == pytest.approx(1, abs=0.3)  # of the sky
