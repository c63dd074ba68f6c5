import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from astroclip_kit.downstream.agreement import agreement
from astroclip_kit.errors import InputError

rng = np.random.default_rng(0)


@pytest.mark.parametrize("mixed", [0.0, 0.3, 0.8, 1.0])
def test_numbers_are_those_of_sklearn(mixed):
    classes = rng.integers(0, 4, 500)
    clusters = np.where(rng.random(500) < mixed, rng.integers(-1, 5, 500), classes)
    found = agreement(clusters, np.array(list("abcd"))[classes])
    assert found["ami"][0] == pytest.approx(adjusted_mutual_info_score(classes, clusters), abs=1e-9)
    assert found["ari"][0] == pytest.approx(adjusted_rand_score(classes, clusters), abs=1e-9)
    for value, low, high in found.values():
        assert low <= value <= high <= 1


def test_intervals_of_unrelated_divisions_hold_zero_as_often_as_they_say():
    inside = {"ami": 0, "ari": 0}
    for _ in range(200):
        for name, (_, low, high) in agreement(rng.integers(0, 4, 150), rng.integers(0, 5, 150), n_boot=200).items():
            inside[name] += low <= 0 <= high
    assert min(inside.values()) >= 180


def test_rows_of_one_object_are_drawn_together():
    classes = rng.integers(0, 3, 200)
    clusters = np.where(rng.random(200) < 0.3, rng.integers(0, 3, 200), classes)
    once = agreement(clusters, classes)["ari"]
    often = agreement(np.tile(clusters, 4), np.tile(classes, 4), groups=np.tile(np.arange(200), 4))["ari"]
    assert often[2] - often[1] == pytest.approx(once[2] - once[1], rel=0.2)


def test_single_parts_agree_with_each_other_and_with_nothing_else():
    assert agreement(np.zeros(9), np.zeros(9))["ari"][0] == agreement(np.zeros(9), np.zeros(9))["ami"][0] == 1
    assert agreement(np.zeros(9), np.arange(9) % 2)["ami"][0] == pytest.approx(0, abs=1e-12)


def test_what_cannot_be_compared_is_said():
    with pytest.raises(InputError, match=r"expected equal lengths above 0, found \(3,\) and \(2,\)"):
        agreement([0, 1, 1], [0, 1])
    with pytest.raises(InputError, match="expected equal lengths above 0"):
        agreement([], [])
