import bz2
import gzip

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from astroclip_kit.errors import FileError
from astroclip_kit.surveys.files.fits_files import find_files, read_hdus
from astroclip_kit.surveys.files.fits_maps import map_hdus, release


@pytest.fixture
def path(tmp_path):
    rows = Table({"NAME": ["a'b", "c"], "X": np.array([1.5, 2.5], ">f4"), "N": [2**40, -1], "V": np.ones((2, 3))})
    hdus = fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(rows, name="ROWS"), fits.ImageHDU(np.eye(3))])
    hdus[1].header["OWNER"] = "O'Neil / Co"
    hdus[1].header["FLAG"], hdus[1].header["TINY"] = True, 1.5e-7
    hdus.writeto(tmp_path / "a.fits")
    return tmp_path / "a.fits"


def test_columns_in_native_byte_order_whatever_their_case(path):
    (hdu,) = read_hdus(path, (1,))
    columns = hdu.columns(("name", "x", "n", "v"), optional=("nothing",))
    assert columns["name"].tolist() == ["a'b", "c"] and columns["n"].tolist() == [2**40, -1]
    assert columns["x"].dtype == np.float32 and columns["x"].dtype.isnative and columns["v"].shape == (2, 3)
    assert "nothing" not in columns


def test_header_values(path):
    header = read_hdus(path, (1,))[0].header
    assert (header["OWNER"], header["FLAG"], header["TINY"], header["NAXIS2"]) == ("O'Neil / Co", True, 1.5e-7, 2)


def test_scaled_and_unsigned_columns(tmp_path):
    columns = [
        fits.Column("u", "I", bzero=32768, array=np.array([1, 65535], "u2")),
        fits.Column("k", "K", bzero=2**63, array=np.array([2**64 - 1, 7], "u8")),
        fits.Column("s", "J", array=np.array([2, 5], "i4")),
    ]
    hdu = fits.BinTableHDU.from_columns(columns)
    hdu.writeto(tmp_path / "a.fits")
    fits.setval(tmp_path / "a.fits", "TSCAL3", value=0.5, ext=1)
    fits.setval(tmp_path / "a.fits", "TZERO3", value=10, ext=1)
    found = read_hdus(tmp_path / "a.fits", (1,))[0].columns(("u", "k", "s"))
    assert found["u"].tolist() == [1, 65535] and found["k"].tolist() == [2**64 - 1, 7]
    assert found["s"].tolist() == [11, 12.5]


@pytest.mark.parametrize("zero", ["32768", "32768.", "3.2768E4"])
def test_unsigned_columns_however_their_zero_is_written(tmp_path, zero):
    column = fits.Column("u", "I", bzero=32768, array=np.array([1, 65535], "u2"))
    fits.BinTableHDU.from_columns([column]).writeto(tmp_path / "a.fits")
    content = (tmp_path / "a.fits").read_bytes()
    card = b"TZERO1  = " + b"32768".rjust(20)
    assert content.count(card) == 1
    (tmp_path / "a.fits").write_bytes(content.replace(card, b"TZERO1  = " + zero.encode().rjust(20)))
    assert read_hdus(tmp_path / "a.fits", (1,))[0].columns(("u",))["u"].tolist() == [1, 65535]


def test_image_extension(path):
    np.testing.assert_array_equal(read_hdus(path, (2,))[0].image(), np.eye(3))


def test_blank_and_finely_scaled_integer_images_equal_astropy(tmp_path):
    image = fits.ImageHDU(np.array([[1, -32768], [20000001, 20000003]], "i4"))
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(tmp_path / "a.fits")
    for keyword, value in (("BLANK", -32768), ("BZERO", -20000000), ("BSCALE", 0.5)):
        fits.setval(tmp_path / "a.fits", keyword, value=value, ext=1)
    expected = np.array([[0.5 - 2e7, np.nan], [-9999999.5, -9999998.5]], "f4")
    np.testing.assert_array_equal(read_hdus(tmp_path / "a.fits", (1,))[0].image(), expected)
    np.testing.assert_array_equal(fits.getdata(tmp_path / "a.fits").astype("f4"), expected)


@pytest.mark.parametrize(("name", "number"), [("a.fits.fz", 0), ("a.fits.fz", 1), ("a.fits", 1)])
def test_a_tile_compressed_image_says_so(tmp_path, name, number):
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(np.ones((8, 8), "f4"))]).writeto(tmp_path / name)
    with pytest.raises(FileError, match=f"HDU {number} is tile-compressed: uncompress it with funpack first"):
        read_hdus(tmp_path / name, (number,))[0].image()


def test_column_format_that_is_not_read(tmp_path):
    Table({"c": np.ones(2, complex)}).write(tmp_path / "a.fits")
    with pytest.raises(FileError, match="HDU 1: column 1 has format 'M', which is not read"):
        read_hdus(tmp_path / "a.fits", (1,))[0].columns(("c",))


def test_damaged_column_formats(path):
    content = path.read_bytes()
    path.write_bytes(content.replace(b"TFORM2  = 'E       '", b"TFORM2  = '        '"))
    with pytest.raises(FileError, match="HDU 1: column 2 has no TFORM"):
        read_hdus(path, (1,))[0].columns(("x",))
    path.write_bytes(content.replace(b"TFORM2  = 'E       '", b"TFORM2  = 'D       '"))
    with pytest.raises(FileError, match="HDU 1: columns of 43 bytes in rows of another length"):
        read_hdus(path, (1,))[0].columns(("x",))


def test_truncated_in_data_and_in_header(path):
    content = path.read_bytes()
    path.write_bytes(content[: 3 * 2880 + 10])
    with pytest.raises(FileError, match="truncated inside the header of HDU 2"):
        read_hdus(path, (2,))
    path.write_bytes(content[: content.index(b"a'b") + 20])
    with pytest.raises(FileError, match=r"truncated: HDU 1 needs 78 bytes, 20 are there\. Download again"):
        read_hdus(path, (1,))


def test_empty_file_and_folder(tmp_path):
    (tmp_path / "a.fits").write_bytes(b"")
    with pytest.raises(FileError, match="not a FITS file: it is empty"):
        read_hdus(tmp_path / "a.fits", (0,))
    with pytest.raises(FileError, match="cannot be read"):
        read_hdus(tmp_path, (0,))


def test_files_are_sorted_and_hidden_ones_left_out(tmp_path):
    for name in ("b.fits", "a.fits", ".c.fits", "d.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in find_files(tmp_path, "*.fits")] == ["a.fits", "b.fits"]
    assert find_files(tmp_path / "d.txt", "*.fits") == [tmp_path / "d.txt"]
    with pytest.raises(FileError, match=r"no such folder\. Check the reader's `root`"):
        find_files(tmp_path / "nowhere", "*.fits")


@pytest.mark.parametrize("small", [0, 1 << 17])
@pytest.mark.parametrize(("pack", "name"), [(gzip.compress, "gzip"), (bz2.compress, "bzip2")])
def test_packed_files_are_read_whatever_they_are_called(path, pack, name, small, monkeypatch):
    monkeypatch.setattr("astroclip_kit.surveys.files.fits_files.SMALL", small)
    content = path.read_bytes()
    path.write_bytes(pack(content))
    np.testing.assert_array_equal(read_hdus(path, (2,))[0].image(), np.eye(3))
    path.write_bytes(pack(content)[:-20])
    with pytest.raises(FileError, match=f"truncated or damaged {name} file"):
        map_hdus(path, "nothing")


@pytest.mark.parametrize("small", [0, 1 << 17])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_hdus_by_name(path, pack, small, monkeypatch):
    monkeypatch.setattr("astroclip_kit.surveys.files.fits_files.SMALL", small)
    content = path.read_bytes()
    path.write_bytes(pack(content))
    hdus = map_hdus(path, "ROW.|IMAGES?")
    assert list(hdus) == ["PRIMARY", "ROWS"] and hdus["ROWS"].number == 1
    assert hdus["ROWS"].columns(("N",))["N"].tolist() == [2**40, -1]
    np.testing.assert_array_equal(map_hdus(path, "")[""].pixels(), np.eye(3))
    path.write_bytes(pack(content[:-2850]))
    for names in ("", "nothing"):
        with pytest.raises(FileError, match=r"truncated: HDU 2 needs 72 bytes, 30 are there"):
            map_hdus(path, names)


def test_hdus_by_name_of_what_is_no_fits_file(tmp_path):
    (tmp_path / "a.fits").write_bytes(b"")
    with pytest.raises(FileError, match="not a FITS file: it is empty"):
        map_hdus(tmp_path / "a.fits", "A")
    with pytest.raises(FileError, match="cannot be read"):
        map_hdus(tmp_path, "A")


def test_the_memory_of_a_mapped_file_can_be_given_back(path):
    hdus = map_hdus(path, "")
    before = hdus[""].image()
    release(hdus["PRIMARY"])
    np.testing.assert_array_equal(hdus[""].image(), before)
    path.write_bytes(gzip.compress(path.read_bytes()))
    release(map_hdus(path, "")["PRIMARY"])  # nothing to do
    np.testing.assert_array_equal(map_hdus(path, "")[""].image(), before)
