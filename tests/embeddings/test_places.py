"""Positions are read in the forms that people and archives give them."""

import pytest

from astroclip_kit.embeddings.places import place_of
from astroclip_kit.errors import UsageError


@pytest.mark.parametrize(
    "text",
    [
        "150.1 2.2",
        "150.1, 2.2",
        "150.1\t2.2",
        "150.1d 2.2d",
        "150.1deg 2.2deg",
        "10h00m24s +02d12m00s",
        "10h00m24s+02d12m00s",
        "10:00:24 +02:12:00",
        "10:00:24+02:12:00",
        "10 00 24 +02 12 00",
        "J100024.00+021200.0",
        (150.1, 2.2),
        "150.1;2.2",
        "(150.1, 2.2)",
        "[150.1 +2.2]",
        "1.501e2 2.2E0",
        "150,1 2,2",
        "150,1; +2,2",
        "150.1° +2.2°",
        "150.1 deg, 2.2 deg",
        "RA=150.1 Dec=2.2",
        "RA: 10:00:24 DEC: +02:12:00",
        "ra 150.1 dec 2.2",
        "RA_ICRS 150.1 DE_ICRS 2.2",
        "ICRS 10 00 24.000 +02 12 00.00",
        "150.1, 2.2 (J2000)",
        "10:00:24.0 +02:12:00 J2000.0",
        "10ʰ00ᵐ24ˢ +02°12\N{PRIME}00\N{DOUBLE PRIME}",
        "10h00m24.000s, +02d12m00.00s",
        "SDSS J100024.00+021200.0",
        "SDSSJ100024.00+021200.0",
        "2MASS J10002400+0212000",
        "WISEA J100024.00+021200.0",
        "J100024+021200",
    ],
)
def test_positions_are_read_as_they_are_written(text):
    assert place_of(text) == pytest.approx((150.1, 2.2))


@pytest.mark.parametrize(
    "text",
    [
        "57000-11",
        "150.1+2.2",
        "1000+0212",
        "J1000+0212",
        "PSR J1000+02",
        "B1000+021",
        "Gaia DR3 150 2",
        "nan nan",
        "M 31",
        "galaxy",
        "150.1 95",
        "",
    ],
)
def test_digits_that_only_a_sign_parts_are_no_position(text):
    with pytest.raises(UsageError, match=r'expected "150.1 2.2" \(degrees\) or "10h00m24s \+02d12m00s"'):
        place_of(text)


@pytest.mark.parametrize(
    ("text", "range_"),
    [
        ("360 0", "360 degrees"),
        ("-181 0", "360 degrees"),
        ("400d +10d", "360 degrees"),
        ("24:00:00 +10:00:00", "24 hours"),
        ("-10:00:00 +10:00:00", "24 hours"),
        ("1000 +21 3", "24 hours"),
        ("J250000+100000", "24 hours"),
        ("370.5; 3", "360 degrees"),
        ("RA=-210.5 Dec=3", "360 degrees"),
    ],
)
def test_a_right_ascension_is_within_a_circle_in_every_form(text, range_):
    with pytest.raises(UsageError, match=f"expected a right ascension of 0 to {range_}"):
        place_of(text)


@pytest.mark.parametrize("text", ["-10.5 3", "RA=-10.5 Dec=3", "-10.5d +3d"])
def test_a_right_ascension_may_be_counted_from_minus_180(text):
    assert place_of(text) == pytest.approx((349.5, 3))


def test_the_sign_of_small_declinations_and_of_every_minus_counts():
    for minus in ("-", "\N{MINUS SIGN}", "\N{EN DASH}"):
        assert place_of(f"10 00 24 {minus}00 12 00") == pytest.approx((150.1, -0.2))
    assert place_of("J100024-001200") == pytest.approx((150.1, -0.2))
