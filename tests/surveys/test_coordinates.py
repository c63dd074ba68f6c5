import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import Angle

from astroclip_kit.surveys.files.coordinates import angles, degrees, in_range, wrapped


@pytest.mark.parametrize("text", ["16:16:34.06", "16 16 34.06", "16h16m34.06s", "00:00:00.5", "23:59:59.999", "1:2:3"])
def test_hours_equal_astropy(text):
    assert degrees([text], hours=True)[0] == pytest.approx(Angle(text, unit="hourangle").deg, abs=1e-10)


@pytest.mark.parametrize("text", ["-00:35:27.4", "+06:30:36.87", "-89 59 59", "12d30m00s", "05:30"])
def test_degrees_equal_astropy(text):
    assert degrees([text])[0] == pytest.approx(Angle(text, unit="deg").deg, abs=1e-10)


def test_decimal_text_and_numbers_are_degrees_also_for_hours():
    np.testing.assert_array_equal(degrees(["244.5", " 10 ", "-1e-3"], hours=True), [244.5, 10, -1e-3])
    np.testing.assert_array_equal(degrees(np.array([1.5, np.nan], dtype=">f8")), [1.5, np.nan])


@pytest.mark.parametrize("text", ["", None, "somewhere", "10:61:00", "10:00:60", "--"])
def test_what_cannot_be_read_is_nan(text):
    assert np.isnan(degrees(np.array([text], dtype=object))).all()


def test_range():
    ra, dec = [0, 360, -1, 361, 10, 10, np.nan], [90, -90, 0, 0, 91, -91, 0]
    assert in_range(ra, dec).tolist() == [True, True, False, False, False, False, False]


def test_right_ascensions_from_minus_180_are_turned_unless_others_are_above_180():
    np.testing.assert_array_equal(wrapped(np.array([-180, -0.5, 0, 180, np.nan])), [180, 359.5, 0, 180, np.nan])
    for others in ([-1.0, 200], [-999.0, 5], [-180.5, 5], [10.0, 350]):
        np.testing.assert_array_equal(wrapped(np.array(others)), others)
    table = pd.DataFrame({"ra": [-10.0, 5], "dec": [-10.0, 5]})
    assert angles("a.csv", table, "ra", hours=True).tolist() == [350, 5]
    assert angles("a.csv", table, "dec").tolist() == [-10, 5]
    table = table / 100
    table.attrs["units"] = {"ra": "rad"}
    assert angles("a.csv", table, "ra", hours=True)[0] == pytest.approx(360 - np.degrees(0.1))
