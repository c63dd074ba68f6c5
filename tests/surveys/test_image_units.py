from pathlib import Path

import pytest

from astroclip_kit.errors import FileError
from astroclip_kit.surveys.images.image_units import flux_factor, known_unit, stated_band


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("nanomaggy", "nmgy"), ("nanomaggies", "nmgy"), ("COUNTS/S", "ct / s"), ("ELECTRONS/S", "electron / s"),
        ("electrons / s", "electron / s"), ("ADU", "adu"), ("DN", "DN"), ("MJy/sr", "MJy / sr"), ("K", "K"),
    ],
)  # fmt: skip
def test_units_as_headers_write_them(text, unit):
    assert known_unit(text).to_string() == unit


@pytest.mark.parametrize(
    ("header", "band"),
    [
        ({"FILTER": "r       "}, "r"), ({"FILTER": "z DECam SDSS c0004 9260.0 1520.0"}, "z"), ({"BAND": 1}, "w1"),
        ({"BAND": "NUV"}, "nuv"), ({}, ""), ({"FILTER": "F814W", "BAND": 3}, "f814w"),
    ],
)  # fmt: skip
def test_bands_as_headers_write_them(header, band):
    assert stated_band(header) == band


@pytest.mark.parametrize(
    ("header", "factor"),
    [
        ({"BUNIT": "nanomaggy"}, 1), ({"NMGY": 0.005}, 1), ({"MAGZERO": 22.5}, 1), ({"BUNIT": "Jy"}, 1e9 / 3631),
        ({"MAGZP": 18.0, "BAND": 3, "BUNIT": "DN"}, 10 ** (0.4 * (4.5 - 5.174))),
        ({"UNW_VER": "v3", "BAND": 1}, 10 ** (-0.4 * 2.699)), ({"UNW_VER": "v3", "BAND": 3}, 10 ** (-0.4 * 5.174)),
    ],
)  # fmt: skip
def test_factors_to_nanomaggies(header, factor):
    assert flux_factor(Path("a.fits"), header, "nmgy") == pytest.approx(factor, rel=1e-9)
    assert flux_factor(Path("a.fits"), header, "") == 1


def test_what_states_no_unit_is_taken_at_the_word_of_the_reader_or_refused():
    assert flux_factor(Path("a.fits"), {}, "ct", assumed=True) == 1
    with pytest.raises(FileError, match=r"a.fits: the header states no unit"):
        flux_factor(Path("a.fits"), {}, "ct")
