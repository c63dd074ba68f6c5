"""Published numbers: as they stand in their sources, each once."""

import math

import pytest

from astroclip_kit.recipes.published import ASTROCLIP


def numbers(by, name, protocol):
    return [
        one.value for one in ASTROCLIP if (one.by, one.property, one.metric, one.protocol) == (by, name, "r2", protocol)
    ]


@pytest.mark.parametrize(
    ("by", "name", "protocol", "image_spectrum_across"),
    [
        ("AstroCLIP", "z", "astroclip-k16", [0.71, 0.97, 0.64]),
        ("thesis", "z", "astroclip-k16", [0.65, 0.87, 0.59]),
        ("AstroCLIP", "logmstar", "astroclip-k16", [0.66, 0.86, 0.58]),
        ("thesis", "logmstar", "astroclip-k16", [0.57, 0.74, 0.50]),
        ("AstroCLIP v2", "z", "astroclip-k16", [0.8011, 0.9857]),
        ("AstroCLIP v2", "logmstar", "astroclip-k16", [0.7376, 0.8793]),
        ("AstroCLIP v2", "z", "astroclip-k64", [0.79, 0.99]),
    ],
)
def test_the_numbers_are_those_of_their_tables(by, name, protocol, image_spectrum_across):
    assert numbers(by, name, protocol) == image_spectrum_across


def test_the_cross_modal_row_asks_with_images_and_answers_with_spectra():
    across = {(one.query, one.target) for one in ASTROCLIP if one.query != one.target}
    assert across == {("image", "spectrum")}


def test_every_number_says_where_it_stands_and_is_there_once():
    assert all(one.source and math.isfinite(one.value) for one in ASTROCLIP)
    places = [(one.by, one.protocol, one.key) for one in ASTROCLIP]
    assert len(set(places)) == len(places)
