import gzip

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from layout_lamost import N_PIX, WAVELENGTH, write_lamost
from synthetic_survey import write_spectrum

from astroclip_kit.data import crossmatch
from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import LAMOSTSpectra

LAYOUTS = ("v2.6.4", "v2.9.8", "table")


def read(path, **settings):
    [sample] = LAMOSTSpectra(path, **settings).read(path)
    return sample


@pytest.mark.parametrize("release", LAYOUTS)
def test_every_layout_gives_the_same_spectrum_and_labels(tmp_path, release):
    sample = read(write_lamost(tmp_path, release))
    flux = np.random.default_rng(232).normal(100, 1, N_PIX).astype("f4")
    np.testing.assert_array_equal(sample.views["spectrum"][:, :N_PIX], [flux, np.full(N_PIX, 0.5)])
    assert not sample.views["spectrum"][1, N_PIX:].any()
    assert (sample.ra, sample.dec, sample.group) == (330.909453, -0.17471, "LAMOST J220338.26-001028.9")
    assert sample.labels["class"] == "STAR" and sample.labels["subclass"] == "F4" and sample.labels["z"] == 3.402e-05
    assert sample.labels["snr_g"] == (71.41 if release == "v2.6.4" else 94.11)
    assert sample.labels["mag_g"] == 15.09 and sample.labels["mag_r"] == 14.75 and "mag_i" not in sample.labels


def test_ids_are_those_of_the_visit(tmp_path):
    assert read(write_lamost(tmp_path)).object_id == "103232"
    old = read(write_lamost(tmp_path, "v2.6.4"))
    assert old.object_id == "55859-F5902-3-232" and "obsid" not in old.labels
    assert read(write_lamost(tmp_path, OBSID=-9999)).object_id == "55859-F5902-3-232"
    alone = read(write_lamost(tmp_path, DESIG=None))
    assert alone.group == alone.object_id


def test_missing_values_are_no_labels(tmp_path):
    sample = read(write_lamost(tmp_path, Z=-9999.0, SUBCLASS="", MAGTYPE="fibermagr", SNRG=-9999))
    assert not {"z", "subclass", "snr_g", "mag_g"} & set(sample.labels) and sample.labels["magtype"] == "fibermagr"


@pytest.mark.parametrize("release", LAYOUTS)
def test_masks(tmp_path, release):
    bad = {"and": np.eye(1, N_PIX, 7)[0], "or": np.eye(1, N_PIX, 7)[0] + 4 * np.eye(1, N_PIX, 9)[0]}
    path = write_lamost(tmp_path, release, bad)
    assert np.flatnonzero(read(path).views["spectrum"][1, :N_PIX] == 0).tolist() == [7]
    assert np.flatnonzero(read(path, mask="or").views["spectrum"][1, :N_PIX] == 0).tolist() == [7, 9]
    assert np.isfinite(read(path).views["spectrum"]).all()


def test_other_grids(tmp_path):
    path = write_lamost(tmp_path)
    boss = read(path, grid="boss").views["spectrum"]
    np.testing.assert_array_equal(boss[:, 192 : 192 + N_PIX], read(path).views["spectrum"][:, :N_PIX])
    linear = read(path, grid=(3750, 3900, 5)).views["spectrum"]
    assert linear.shape == (2, 31) and abs(linear[0] - 100).max() < 2


@pytest.mark.parametrize(
    "arrays", [{"flux": np.full(N_PIX, np.nan)}, {"ivar": np.zeros(N_PIX)}, {"and": np.ones(N_PIX)}]
)
def test_no_good_pixel(tmp_path, arrays):
    with pytest.raises(FileError, match="no good pixel: flux is NaN, inverse variance 0 or the mask set everywhere"):
        read(write_lamost(tmp_path, arrays=arrays))


def test_nothing_on_the_grid(tmp_path):
    with pytest.raises(FileError, match="no good pixel on the grid: the file covers 3700-3964 Angstrom"):
        read(write_lamost(tmp_path), grid=(6000, 7000, 10))


def test_headers_that_are_wrong(tmp_path):
    for changes, message in (
        ({"RA": 400.0}, "coordinates out of range: ra 400.0, dec -0.17471 degrees"),
        ({"RA": "unknown"}, "damaged header"),
        ({"VACUUM": False}, "VACUUM is F: its wavelengths are in air, expected vacuum"),
        ({"COEFF0": 3700.0, "COEFF1": 1.0}, "COEFF0 3700.0 and COEFF1 1.0 are no log10 of Angstrom that ascends"),
        ({"COEFF1": 0.0}, "the wavelengths do not ascend, or are not in Angstrom. It is damaged"),
        ({"COEFF1": None}, "damaged header"),
        ({"PLANID": None, "DEC": None}, "is no LAMOST spectrum: its header has no PLANID, DEC"),
    ):
        path = write_lamost(tmp_path) if "PLANID" not in changes else tmp_path / "spec-1.fits"
        with fits.open(write_lamost(tmp_path)) as hdus:
            for key, value in changes.items():
                hdus[0].header[key] = value if value is not None else 0
                if value is None:
                    del hdus[0].header[key]
            hdus.writeto(path, overwrite=True)
        with pytest.raises(FileError, match=message):
            read(path)


def test_other_files_in_the_folder(tmp_path):
    with pytest.raises(FileError, match="is no LAMOST spectrum: its header has no LMJD, PLANID, SPID"):
        read(write_spectrum(tmp_path))
    with fits.open(write_lamost(tmp_path)) as hdus:
        fits.PrimaryHDU(np.ones((3, 9), "f4"), hdus[0].header).writeto(tmp_path / "spec-3.fits")
    with pytest.raises(FileError, match=r"HDU 0 has shape \(3, 9\), expected the five rows of a LAMOST spectrum"):
        read(tmp_path / "spec-3.fits")


def test_tables_that_are_wrong(tmp_path):
    content = gzip.decompress(write_lamost(tmp_path, "table").read_bytes())
    path = tmp_path / "spec-1.fits"
    path.write_bytes(content.replace(b"'ANDMASK '", b"'MASK    '"))
    with pytest.raises(FileError, match="HDU 1 has no column 'ANDMASK'"):
        read(path)
    path.write_bytes(content[: len(content) // 2880 // 2 * 2880 - 1000])
    with pytest.raises(FileError, match="truncated inside the header of HDU 1"):
        read(path)


def test_settings_that_make_no_sense(tmp_path):
    with pytest.raises(UsageError, match="mask is 'all', expected 'and' or 'or'"):
        LAMOSTSpectra(tmp_path, mask="all")
    with pytest.raises(UsageError, match="grid 'lrs' is unknown"):
        LAMOSTSpectra(tmp_path, grid="lrs")


@pytest.fixture(scope="module")
def real(shared_data):
    reader = LAMOSTSpectra(shared_data / "lamost-spectra" / "spectra")
    return {path.name.removesuffix(".gz"): reader.read(path)[0] for path in reader.files()}


@pytest.mark.shared_data
def test_all_real_spectra_agree_with_the_catalogue(shared_data, real):
    published = pd.read_csv(shared_data / "lamost-spectra" / "catalog.csv")
    published.index = published["file"].str.removesuffix(".gz")
    rows = published.loc[list(real)]
    samples = list(real.values())
    assert len(samples) == len({sample.object_id for sample in samples}) == 315
    letters = pd.Series([str(sample.labels["subclass"])[0] for sample in samples])
    assert letters.value_counts().to_dict() == {"F": 121, "G": 98, "A": 45, "K": 35, "M": 16}
    assert [sample.labels["subclass"] for sample in samples] == rows["subclass"].tolist()
    np.testing.assert_allclose([sample.labels["z"] for sample in samples], rows["z"], atol=1e-9)
    np.testing.assert_allclose([(sample.ra, sample.dec) for sample in samples], rows[["ra", "dec"]], atol=1e-6)
    views = np.stack([sample.views["spectrum"] for sample in samples])
    assert views.shape == (315, 2, 3909) and np.isfinite(views).all() and (views[:, 1] >= 0).all()


@pytest.mark.shared_data
def test_real_visits_of_a_star_are_a_group(real):
    samples = list(real.values())
    ra, dec = ([getattr(sample, name) for sample in samples] for name in ("ra", "dec"))
    assert len(set(zip(ra, dec, strict=True))) == 269  # as many positions, to the last digit
    assert len({sample.group for sample in samples}) == 257  # as many designations
    for radius in (1.5, 3, 30):  # as many stars: input catalogues differ by up to 1.5 arcsec, neighbours are far off
        assert len(set(crossmatch.groups(ra, dec, radius).tolist())) == 216


@pytest.mark.shared_data
def test_real_pixels_and_wavelengths_of_both_pipelines_equal_astropy(shared_data, real):
    grid = LAMOSTSpectra("").modality.wavelength_angstrom
    for path in sorted((shared_data / "lamost-spectra" / "spectra").glob("*.gz"))[::20]:
        view = real[path.name.removesuffix(".gz")].views["spectrum"]
        with fits.open(path) as hdus:
            header, image = hdus[0].header, hdus[0].data
        start = round((header["COEFF0"] - 3.5682) / header["COEFF1"])
        here = slice(start, start + image.shape[1])
        good = (image[1] > 0) & (image[3] == 0)
        np.testing.assert_array_equal(view[0, here][good], image[0][good])
        np.testing.assert_array_equal(view[1, here], np.where(good, image[1], 0))
        if header["VERSPIPE"] == "v2.9.8":  # which also lists the wavelengths
            np.testing.assert_allclose(grid[here], image[2], rtol=1e-5)
    assert WAVELENGTH[0] == grid[0]


def test_a_spectrum_that_is_short_of_its_grid_is_left_out_where_that_is_wanted(tmp_path):
    path = write_lamost(tmp_path)
    low, high = (sample.views["spectrum"][1] > 0 for sample in (read(path), read(path, grid="lamost 3700-9000")))
    assert not low.all() and not high.all()
    with pytest.raises(FileError, match="is short of 3700-9099 Angstrom: it covers less than 100% of them"):
        read(path, min_coverage=1.0)
    with pytest.raises(UsageError, match="min_coverage: expected a share between 0 and 1, found -1"):
        LAMOSTSpectra(tmp_path, min_coverage=-1)
