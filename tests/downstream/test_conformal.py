import numpy as np
import pytest

from astroclip_kit.downstream.conformal import class_sets, half_widths, parts, smallest
from astroclip_kit.downstream.properties import Property

NUMBER, ANGLE = Property.parse("z"), Property.parse("circular(angle,180)")


def draw(count, seed):
    """Predictions with a spread that says how wrong they are."""
    rng = np.random.default_rng(seed)
    spread = rng.uniform(0.1, 2, count)
    value = rng.uniform(0, 180, count)
    return value, spread, (value + spread * rng.normal(size=count)) % 180


@pytest.mark.parametrize("coverage", [0.5, 0.68, 0.9, 0.95])
def test_intervals_hold_the_truth_as_often_as_wanted(coverage):
    value, spread, true = draw(3000, seed=0)
    new, new_spread, new_true = draw(20_000, seed=1)
    half = half_widths(value, spread, true, new_spread, coverage, ANGLE)
    held = np.abs(ANGLE.difference(new_true, new)) <= half
    assert held.mean() == pytest.approx(coverage, abs=0.03)
    assert np.corrcoef(half, new_spread)[0, 1] > 0.99  # wider where the neighbours disagree


def test_the_quantile_is_that_of_the_definition():
    value, spread, true = np.zeros(19), np.ones(19), np.arange(19.0)
    half = half_widths(value, spread, true, np.ones(1), 0.9, NUMBER)
    assert half == pytest.approx([17])  # the ceil(0.9 * 20) = 18th smallest of 0 .. 18
    assert half_widths(value, np.zeros(19), true, np.zeros(1), 0.9, NUMBER) == pytest.approx([17])


@pytest.mark.parametrize("coverage", [0.5, 0.6, 0.68, 0.8, 0.9, 0.95, 0.99, 0.995])
def test_the_smallest_calibration_is_just_enough(coverage):
    for count, fits in ((smallest(coverage), True), (smallest(coverage) - 1, False)):
        if fits:
            assert np.isfinite(half_widths(*[np.ones(count)] * 3, np.ones(2), coverage, NUMBER)).all()
        else:
            with pytest.raises((ValueError, IndexError)):
                half_widths(*[np.ones(count)] * 3, np.ones(2), coverage, NUMBER)
    count = smallest(coverage, themselves=True)
    ids = np.arange(count)
    assert min(by.sum() for by, _ in parts(ids, ids, seed=0)) >= smallest(coverage)


def test_an_interval_of_an_angle_is_no_wider_than_the_circle():
    value, spread = np.zeros(50), np.ones(50)
    true = np.random.default_rng(0).uniform(0, 180, 50)
    assert half_widths(value, spread, true, np.array([1.0, 50]), 0.95, ANGLE)[1] == 90


def test_sets_hold_the_class_as_often_as_wanted_and_are_never_empty():
    rng = np.random.default_rng(2)
    probabilities = rng.dirichlet([1, 1, 0.3], 9000)
    true = np.array([rng.choice(3, p=row) for row in probabilities])
    told, asked = slice(2000), slice(2000, None)
    sets = class_sets(probabilities[told], true[told], probabilities[asked], 0.9)
    assert sets[np.arange(7000), true[asked]].mean() == pytest.approx(0.9, abs=0.03)
    assert sets.any(axis=1).all() and 1 < sets.sum(axis=1).mean() < 3


def test_one_class_and_a_class_that_does_not_calibrate():
    assert class_sets(np.ones((9, 1)), np.zeros(9, int), np.ones((4, 1)), 0.9).tolist() == [[True]] * 4
    probabilities = np.tile([0.8, 0.2, 0.0], (20, 1))
    assert class_sets(probabilities, np.zeros(20, int), probabilities[:1], 0.9).tolist() == [[True, False, False]]


def test_no_object_calibrates_itself():
    calibrating, asked = np.array(["d", "a", "c", "b", "e", "f"]), np.array(["a", "x", "c", "a", "d"])
    seen = np.zeros(5, int)
    for by, on in parts(calibrating, asked, seed=0):
        assert not set(calibrating[by]) & set(asked[on])
        seen += on
    assert seen.tolist() == [1] * 5
