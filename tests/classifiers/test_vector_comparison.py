"""Simulated against real vectors where the answer is known."""

import numpy as np
import pytest

from astroclip_kit.classifiers import compare_vectors, frechet_distance, tell_beyond_class
from astroclip_kit.errors import InputError
from astroclip_kit.results import combine

SOURCE = {"dataset": "stars", "origin": "mock"}


@pytest.fixture
def stars():
    """Real vectors of two classes, and simulated ones that know the class alone, or half of the rest too."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, 400)
    of_class = 2.0 * codes[:, None] - 1 + np.zeros((400, 6))
    own, other = rng.normal(size=(2, 400, 6))
    return codes, of_class + own, {"class": of_class + other, "more": of_class + 0.7 * own + 0.7 * other}


def numbers(found):
    return {one.metric: one for one in found}


def compare(simulated, real, codes, **more):
    return numbers(compare_vectors(simulated, real, codes, n_boot=60, **{**SOURCE, **more}))


def test_vectors_that_know_more_than_the_class_are_nearer_than_it(stars):
    codes, real, simulated = stars
    more, of_class = (compare(simulated[name], real, codes) for name in ("more", "class"))
    assert more["cosine"].low > of_class["cosine"].high
    assert more["cosine"].low > more["cosine_permuted"].high
    assert of_class["cosine_permuted"].low - 0.02 < of_class["cosine"].value < of_class["cosine_permuted"].high + 0.02
    assert of_class["cosine"].chance == more["cosine"].chance > 0.5
    assert {one.property for one in more.values()} == {"vector"} and more["cosine"].n == 400


def test_what_vectors_tell_beyond_the_class_is_gone_when_images_are_permuted(stars):
    codes, real, simulated = stars
    found = tell_beyond_class(simulated["more"], real, codes, permutations=200)
    assert found.cosine == pytest.approx(0.7, abs=0.05) and found.p < 0.01 and found.high < 0.1
    rng, permuted = np.random.default_rng(3), np.arange(400)
    for code in (0, 1):
        permuted[codes == code] = rng.permutation(permuted[codes == code])
    for told in (simulated["more"][permuted], simulated["class"]):
        nothing = tell_beyond_class(told, real, codes, permutations=200)
        assert nothing.low <= nothing.cosine <= nothing.high and nothing.p > 0.02


def test_permutations_stay_inside_the_class():
    codes = np.array([0, 0, 1, 1, 2, 2])
    real = np.eye(3)[codes]
    found = compare(real, real, codes)
    assert found["cosine"].value == found["cosine_permuted"].value == found["cosine"].chance == 1


def test_a_class_of_one_object_has_the_mean_of_all_others_as_chance():
    real = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert compare(real, real, [0, 0, 0, 1])["cosine"].chance == pytest.approx(0.75)


def test_the_frechet_distance_of_gaussians():
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(2, 40_000, 3)) * np.array([1.0, 2.0, 3.0])
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    assert frechet_distance(one, other * 2 + [1, 0, 2]) == pytest.approx(5 + 1 + 4 + 9, rel=0.03)
    assert frechet_distance(one @ turn, (other * 2 + [1, 0, 2]) @ turn) == pytest.approx(19, rel=0.03)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("count", [4, 20, 127])
def test_few_vectors_of_many_dimensions_have_a_finite_distance(count):
    rng = np.random.default_rng(2)
    one, other = rng.normal(size=(2, count, 128))
    one[:, 5] = other[:, 5] = 1.0
    near, far = frechet_distance(one, other), frechet_distance(one, other + 3)
    assert 0 <= near < 128 * 3 and far - near == pytest.approx(9 * 128, rel=0.3)


def test_the_distance_is_judged_by_real_halves_and_class_means(stars):
    codes, real, simulated = stars
    found = compare(simulated["class"], real, codes)
    assert found["frechet"].value < 0.2 < 3 < found["frechet"].chance
    assert found["frechet_real"].value < 0.4
    assert 0 <= found["frechet"].low <= found["frechet"].value <= found["frechet"].high
    far = compare(simulated["class"] + 1, real, codes)["frechet"]
    assert far.low <= far.value <= far.high and far.low > 4


def test_groups_widen_intervals_and_seeds_combine(stars):
    codes, real, simulated = stars
    own = compare(simulated["more"], real, codes)["cosine"]
    few, groups = (np.repeat(one[:40], 10, axis=0) for one in (simulated["more"], np.arange(40)))
    twice = compare(few, np.repeat(real[:40], 10, axis=0), np.repeat(codes[:40], 10), groups=groups)
    assert twice["cosine"].high - twice["cosine"].low > 1.5 * (own.high - own.low)
    seeds = [compare_vectors(simulated["more"], real, codes, n_boot=5, seed=seed, **SOURCE) for seed in (0, 1)]
    together = combine(seeds)
    assert [one.metric for one in together[:4]] == ["cosine", "cosine_permuted", "frechet", "frechet_real"]
    assert together[0].high <= 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"real": np.zeros((5, 3))}, r"expected simulated and real vectors \[n, D\] and a class for each \[n\], found"),
        ({"codes": [0, 1]}, r"found \(5, 2\), \(5, 2\) and \(2,\)"),
        ({"simulated": np.full((5, 2), np.nan)}, "5 of 5 simulated vectors are not finite. Leave these objects out"),
        ({"real": np.full((5, 2), np.inf)}, "5 of 5 real vectors are not finite"),
    ],
)
def test_what_cannot_be_compared(changes, message):
    given = {"simulated": np.ones((5, 2)), "real": np.ones((5, 2)), "codes": np.zeros(5, int), **changes}
    for function, more in ((compare_vectors, SOURCE), (tell_beyond_class, {})):
        with pytest.raises(InputError, match=message):
            function(**given, **more)


def test_three_objects_are_too_few():
    with pytest.raises(InputError, match="expected at least 4 objects to compare vectors of, found 3"):
        tell_beyond_class(np.ones((3, 2)), np.ones((3, 2)), np.zeros(3, int))
