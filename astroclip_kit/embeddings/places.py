"""Positions on the sky as people write them, and as SIMBAD, NED and VizieR show them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import UsageError

__all__ = ["place_of"]

WRITTEN = re.compile(  # numbers that something parts: a sign alone does not, in "57000-11"
    r"(?=.*(\d *[:hd]|\d +[+-]?\d))(?P<ra>[+-]?\d+\.?\d*) *(?P<degrees>d?)"
)
NAMED = re.compile(r"(?:[\w+.-]+ |[A-Za-z][\w-]*?)?J(\d\d)(\d\d)(\d\d)\.?(\d*)([+-]\d\d)(\d\d)(\d\d)\.?(\d*)")
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
PAIR = re.compile(rf"({NUMBER}) ({NUMBER})", re.IGNORECASE)
COMMAS = re.compile(r"([+-]?\d+),(\d+)[ ;]+([+-]?\d+),(\d+)")  # decimal ones
AROUND = re.compile(
    r"\b(?:ra|r\.a\.|alpha|dec|decl|de|delta)(?:[_ ]?(?:j2000|icrs))?\b\.? *[:=]?|\b(?:icrs|fk5|equinox|epoch)\b"
    r"|\(?\bj2000(?:\.0)?\b\)?|[()\[\]]",
    re.IGNORECASE,
)
SIGNS = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
        "ʰ": "h",
        "ᵐ": "m",
        "ˢ": "s",
        "º": "°",
        "\N{PRIME}": "'",
        "\N{DOUBLE PRIME}": '"',
    }
)
RANGES = {24: "24 hours", 360: "360 degrees"}
NO_POSITION = 'coordinates {!r}: expected "150.1 2.2" (degrees) or "10h00m24s +02d12m00s".'


def place_of(coordinates: str | Sequence[float]) -> tuple[float, float]:
    """Right ascension and declination in degrees.

    Args:
        coordinates: "150.1 2.2" (degrees), "10h00m24s +02d12m00s", "10:00:24, +02:12:00", "RA=150.1 Dec=2.2", a name
            such as "SDSS J100024.00+021200.0", or the two numbers.

    Raises:
        UsageError: If the text is no position, or its right ascension is not from 0 to less than 360 degrees, nor from
            -180 to 0.

    Example:
        >>> place_of("10:00:24 +02:12:00"), place_of("2MASS J10002400+0212000")
        ((150.1, 2.2), (150.1, 2.2))
    """
    if not isinstance(coordinates, str):
        return float(coordinates[0]), float(coordinates[1])
    from astropy.coordinates import SkyCoord

    text = _tidied(coordinates)
    plain, first = PAIR.fullmatch(text), WRITTEN.match(text)
    if plain is not None:
        size, whole = float(plain[1]), 360
    elif first is not None:
        size, whole = float(first["ra"]), 360 if first["degrees"] else 24
    else:
        raise UsageError(NO_POSITION.format(coordinates))
    lowest = -180 if whole == 360 else 0
    if not lowest <= size < whole:
        raise UsageError(f"coordinates {coordinates!r}: expected a right ascension of 0 to {RANGES[whole]}.")
    try:
        place = SkyCoord(text, unit="deg" if plain else ("hourangle", "deg"))
    except ValueError as error:
        raise UsageError(NO_POSITION.format(coordinates)) from error
    return round(float(place.ra.deg), 9), round(float(place.dec.deg), 9)


def _tidied(text: str) -> str:
    """The numbers of a position with what parts them: "10:00:24 +02:12:00", "150.1 2.2"."""
    text = " ".join(text.translate(SIGNS).split())
    if named := NAMED.fullmatch(text):
        hours, minutes, seconds, part, degrees, arcmin, arcsec, rest = named.groups()
        return f"{hours}:{minutes}:{seconds}.{part} {degrees}:{arcmin}:{arcsec}.{rest}"
    text = " ".join(AROUND.sub(" ", text).split())
    if decimal := COMMAS.fullmatch(text):
        return "{}.{} {}.{}".format(*decimal.groups())
    text = " ".join(text.replace(",", " ").replace(";", " ").split())
    pair = re.sub(r" ?(?:°|degrees|deg|d)(?= |$)", "", text)
    return pair if PAIR.fullmatch(pair) else text
