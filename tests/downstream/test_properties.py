import numpy as np
import pytest

from astroclip_kit.downstream.knn import average
from astroclip_kit.downstream.properties import Property, known
from astroclip_kit.errors import UsageError

LABELS = {"z": np.array([0.1, -1.0, np.inf]), "angle": np.array([10.0, 190.0, np.nan]), "class": np.array(["QSO", ""])}


def test_a_name_says_its_scale():
    assert Property.parse(" z ") == Property("z", "z")
    assert Property.parse("log10( z )") == Property("log10( z )", "z", logarithm=True)
    assert Property.parse("circular(angle , 180.)") == Property("circular(angle , 180.)", "angle", period=180)
    assert Property.parse("circular(angle, 180)").column == "angle" and Property.parse("log10(z)").column == "log10(z)"


def test_values_are_on_the_scale_and_what_cannot_be_is_missing():
    np.testing.assert_array_equal(Property.parse("z").values(LABELS), [0.1, -1, np.nan])
    np.testing.assert_allclose(Property.parse("log10(z)").values(LABELS), [-1, np.nan, np.nan])
    np.testing.assert_allclose(Property.parse("circular(angle,180)").values(LABELS), [10, 10, np.nan])
    assert known(Property.parse("class").values(LABELS)).tolist() == [True, False]
    beyond = {"z": np.array([np.finfo(float).max, -1e300, 1e150])}
    np.testing.assert_array_equal(Property.parse("z").values(beyond), [np.nan, np.nan, 1e150])


def test_angles_differ_by_the_short_way_round():
    angle = Property.parse("circular(angle,180)")
    np.testing.assert_allclose(angle.difference([1, 179, 100], [179, 1, 10]), [2, -2, -90])
    assert Property.parse("z").difference(1, 3) == -2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mass", "no property 'mass' among the labels: z, angle, class"),
        ("log10(class)", "'class' is text and has no logarithm"),
        ("circular(class, 360)", "'class' is text and has no period"),
        ("circular(angle)", "expected the name of an angle and its period"),
        ("circular(angle, 0)", "expected the name of an angle and its period"),
    ],
)
def test_a_property_that_cannot_be(name, message):
    with pytest.raises(UsageError, match=message):
        Property.parse(name).values(LABELS)


def test_the_mean_of_angles_goes_round_and_their_deviation_is_small_across_zero():
    from astropy.stats import circmean

    y, weight = np.array([[178.0, 2.0, 6.0], [0.0, 90.0, 90.0]]), np.array([[0.25, 0.25, 0.5], [0.5, 0.25, 0.25]])
    value, spread, _ = average(y, weight, period=180)
    wanted = circmean(np.radians(2 * y[0]), weights=weight[0]) % (2 * np.pi)
    assert value[0] == pytest.approx(np.degrees(wanted) / 2) and spread[0] < 4
    assert spread[1] == pytest.approx(np.degrees(np.sqrt(2)) / 2)  # no direction at all
    np.testing.assert_allclose(average(y + 50, weight, period=180)[1], spread)
