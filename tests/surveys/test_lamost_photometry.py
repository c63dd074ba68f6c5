import re

import numpy as np
import pytest
from layout_lamost import make_lamost, write_lamost

from astroclip_kit.contracts import check_reader
from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import LAMOSTPhotometry, LAMOSTSpectra
from astroclip_kit.types import Sample

NAN = float("nan")
MAGNITUDES = {f"MAG{number}": 10.0 + number for number in range(1, 8)}


@pytest.mark.parametrize(
    ("magtype", "expected"),
    [
        ("ugriz", [11, 12, 13, 14, 15]),
        ("ugrizjh", [11, 12, 13, 14, 15]),
        ("gri", [NAN, 11, 12, 13, NAN]),
        ("grizyjh", [NAN, 11, 12, 13, 14]),
    ],
)
def test_a_column_is_the_band_that_magtype_names(tmp_path, magtype, expected):
    path = write_lamost(tmp_path, MAGTYPE=magtype, **MAGNITUDES)
    reader = LAMOSTPhotometry(tmp_path, bands=("u", "g", "r", "i", "z"))
    [sample] = reader.read(path)
    np.testing.assert_array_equal(sample.views["photometry"], np.float32(expected))
    [star] = LAMOSTSpectra(tmp_path).read(path)
    assert (sample.object_id, sample.group, sample.ra, sample.dec) == (star.object_id, star.group, star.ra, star.dec)
    assert sample.labels == {}


def test_the_reader_meets_the_protocol(tmp_path):
    make_lamost(tmp_path)
    check_reader(LAMOSTPhotometry(tmp_path))


def test_99_is_a_missing_magnitude(tmp_path):
    [sample] = LAMOSTPhotometry(tmp_path).read(write_lamost(tmp_path))
    np.testing.assert_array_equal(sample.views["photometry"], np.float32([15.09, 14.75, NAN]))


@pytest.mark.parametrize("magtype", ["BR1R2I", "fibermagr", None])
def test_a_star_without_the_bands_is_left_out(tmp_path, magtype):
    path = write_lamost(tmp_path, MAGTYPE=magtype)
    with pytest.raises(FileError, match=rf"no magnitude in g, r, i: its MAGTYPE is {magtype or 'missing'}\."):
        LAMOSTPhotometry(tmp_path).read(path)


@pytest.mark.parametrize("bands", [(), ("g", "V")])
def test_unknown_bands_are_refused(tmp_path, bands):
    message = re.escape(f"bands are {list(bands)}, expected some of u, g, r, i, z, j, h, y.")
    with pytest.raises(UsageError, match=message):
        LAMOSTPhotometry(tmp_path, bands=bands)


@pytest.mark.shared_data
def test_every_real_star_with_these_bands(shared_data):
    reader = LAMOSTPhotometry(shared_data / "lamost-spectra" / "spectra")
    views, reasons = [], []
    for path in reader.files():
        try:
            [sample] = reader.read(path)
            assert isinstance(sample, Sample)
            views.append(sample.views["photometry"])
        except FileError as error:
            reasons.append(str(error).rpartition(" ")[2])
    assert len(views) == 296 and sorted(set(reasons)) == ["BR1R2I.", "fibermagr."]
    colours = -np.diff(np.stack(views), axis=1)
    assert 0.2 < np.nanmedian(colours[:, 0]) < 0.7 and np.nanmedian(colours[:, 1]) < 0.3
