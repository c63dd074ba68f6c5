import gzip

import numpy as np
import pandas as pd
import pytest
from astropy.time import Time

from astroclip_kit.surveys.files.table_files import column_names, modified_julian_date, numbers, text


@pytest.mark.filterwarnings("ignore:ERFA function")
def test_dates_equal_astropy():
    dates = ["2013/08/30", "1987-02-24", "1572/11/11", "2000-01-01.25"]
    expected = [*Time([date.replace("/", "-") for date in dates[:3]]).mjd, 51544.25]
    np.testing.assert_allclose(modified_julian_date(pd.Series(dates)), expected)


@pytest.mark.parametrize(
    "date", ["", "2013/08", "2013/13/01", "yesterday", None, "1987", 1987, "2013-08-30T25:00:00", "2013-08-30T1"]
)
def test_no_date_is_nan(date):
    assert np.isnan(modified_julian_date(pd.Series([date], dtype=object)))


@pytest.mark.filterwarnings("ignore:ERFA function")
def test_times_of_day_equal_astropy():
    dates = ["2013-08-30T12:00:00", "2013-08-30 06:30", "1987-02-24T23:59:59.25Z", "2013-08-30T12:00:00+00:00"]
    expected = Time(["2013-08-30T12:00:00", "2013-08-30T06:30", "1987-02-24T23:59:59.25", "2013-08-30T12:00:00"]).mjd
    np.testing.assert_allclose(modified_julian_date(pd.Series(dates)), expected, rtol=0, atol=1e-9)
    times = pd.Series(pd.to_datetime(["2013-08-30T12:00:00", None], utc=True))
    np.testing.assert_allclose(modified_julian_date(times), [56534.5, np.nan])


def test_numbers_are_taken_as_mjd_or_jd():
    found = modified_julian_date(pd.Series([56533.5, 2456535.0, 1987.0, np.nan]))
    np.testing.assert_array_equal(found, [56533.5, 56534.5, 1987.0, np.nan])
    np.testing.assert_array_equal(modified_julian_date(pd.Series(["2456535.0", "56533.5"])), [56534.5, 56533.5])


def test_a_column_of_years_has_no_dates():
    assert np.isnan(modified_julian_date(pd.Series([1987.0, 2013.0, np.nan]))).all()
    found = modified_julian_date(pd.Series(["1987", "1987/02/24"]))
    np.testing.assert_array_equal(found, [np.nan, 46850.0])


def test_numbers_drop_markers_text_and_infinity():
    values = pd.Series(["1.5", "99.0", "inf", "x", None], dtype=object)
    np.testing.assert_array_equal(numbers(values, [99.0]), [1.5, np.nan, np.nan, np.nan, np.nan])


def test_text_of_bytes_numbers_and_nothing():
    assert text(pd.Series([1.0, 2.0, np.nan])).tolist() == ["1", "2", ""]
    assert text(pd.Series([1.5, 2.0])).tolist() == ["1.5", "2.0"]
    assert text(pd.Series([2**62 + 1, 7])).tolist() == [str(2**62 + 1), "7"]
    assert text(pd.Series([" a ", None], dtype=object)).tolist() == ["a", ""]


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ("# from X\n## ra dec  mag\n1 2 3\n4 5 6\n", ["ra", "dec", "mag"]),
        ("# ra dec\n1 2 3\n4 5 6\n", ["col1", "col2", "col3"]),
        ("ra dec mag\n1 2 3\n4 5 6\n", ["ra", "dec", "mag"]),
        ("1 2 3\n4 5 6\n", ["col1", "col2", "col3"]),
    ],
)
def test_ascii_tables_are_read_with_the_names_above_them(tmp_path, lines, names):
    (tmp_path / "stars.dat.gz").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "stars.dat").write_text(lines)
    assert column_names(tmp_path / "stars.dat.gz") == column_names(tmp_path / "stars.dat") == names
