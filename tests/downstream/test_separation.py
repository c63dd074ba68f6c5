import numpy as np
import pytest
from scipy.stats import mannwhitneyu
from scipy.stats.contingency import association

from astroclip_kit.downstream.separation import cliffs_delta, cramers_v, separate
from astroclip_kit.errors import InputError

rng = np.random.default_rng(0)


def counted(a, b):
    levels, codes = np.unique(np.concatenate([a, b]), return_inverse=True)
    return tuple(np.bincount(part, minlength=len(levels)) for part in (codes[: len(a)], codes[len(a) :]))


@pytest.mark.parametrize("digits", [8, 0])
def test_delta_is_that_of_all_pairs(digits):
    a, b = rng.normal(0.5, 1, 40).round(digits), rng.normal(0, 1.5, 70).round(digits)
    signs = np.sign(a[:, None] - b)
    delta, low, high, p = cliffs_delta(*counted(a, b))
    assert delta == pytest.approx(signs.mean())
    assert p == pytest.approx(mannwhitneyu(a, b, method="asymptotic", use_continuity=False).pvalue)
    n, m = signs.shape
    rows, columns = signs.mean(1) - delta, signs.mean(0) - delta
    variance = (m**2 * (rows**2).sum() + n**2 * (columns**2).sum() - ((signs - delta) ** 2).sum()) / (
        n * m * (n - 1) * (m - 1)
    )
    assert low < delta < high
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(variance), rel=0.1)  # the interval is slightly skewed


@pytest.mark.parametrize("shift", [0.0, 0.8])
def test_intervals_of_delta_hold_the_truth_as_often_as_they_say(shift):
    from scipy.stats import norm

    truth = 2 * norm.cdf(shift / np.sqrt(2)) - 1
    inside = 0
    for _ in range(300):
        _, low, high, _ = cliffs_delta(*counted(rng.normal(shift, 1, 40), rng.normal(0, 1, 90)))
        inside += low <= truth <= high
    assert inside >= 270


def test_no_overlap_still_has_an_interval():
    delta, low, high, p = cliffs_delta([20, 0], [0, 30])
    assert (delta, low) == (-1, -1) and -0.9 < high < -0.5 and p < 1e-9
    assert cliffs_delta([0, 20], [30, 0])[0] == 1


def test_v_is_that_of_scipy_but_for_its_bias():
    table = np.array([[60, 20, 5], [30, 80, 50]])
    v, low, high, p = cramers_v(*table)
    assert v == pytest.approx(association(table, "cramer"), abs=0.02) and low < v < high and p < 1e-6
    assert cramers_v([30, 0, 20], [0, 50, 0])[0] == pytest.approx(1, abs=0.01)


def test_names_of_objects_separate_nothing():
    inside = np.arange(80) < 40
    v, low, _, p = cramers_v(inside.astype(int), (~inside).astype(int))
    assert v == 0 == low and p > 0.4


def test_the_planted_property_leads_and_noise_is_no_discovery():
    n = 600
    clusters = rng.integers(-1, 3, n)
    mass = np.where(clusters == 1, 2.0, 0.0) + rng.normal(size=n)
    kind = np.where((clusters == 2) & (rng.random(n) < 0.9), "QSO", "GALAXY")
    mass[:50], kind[50:90] = np.nan, ""
    found = separate(clusters, {"noise": rng.normal(size=n), "mass": mass, "class": kind, "constant": np.ones(n)})
    assert [one.cluster for one in found] == sorted(one.cluster for one in found)
    first = {number: next(one for one in found if one.cluster == number) for number in (0, 1, 2)}
    heavy, quasars = first[1], first[2]
    assert heavy.property == "mass" and heavy.effect == "cliffs_delta" and 0.7 < heavy.low < heavy.value < heavy.high
    assert heavy.inside == pytest.approx(np.nanmedian(mass[clusters == 1]))
    assert heavy.outside == pytest.approx(np.nanmedian(mass[clusters != 1]))
    assert heavy.missing_inside + heavy.missing_outside == 50
    assert heavy.n_inside + heavy.missing_inside == (clusters == 1).sum()
    assert quasars.property == "class" and quasars.level == "QSO" and quasars.inside > 0.8 > 0.1 > quasars.outside
    assert quasars.missing_inside + quasars.missing_outside == 40 and quasars.value > 0.8
    assert str(quasars).startswith("class=QSO 9") and "d=+0." in str(heavy)
    assert all(one.q >= one.p for one in found) and {one.property for one in found} == {"noise", "mass", "class"}
    assert all(one.q > 0.01 for one in found if one.property == "noise")


def test_few_false_discoveries_among_many_properties():
    clusters = rng.integers(0, 5, 400)
    found = separate(clusters, {f"p{i}": rng.normal(size=400) for i in range(40)})
    assert len(found) == 200 and sum(one.p < 0.05 for one in found) >= 2 and sum(one.q < 0.05 for one in found) <= 1


def test_repeated_rows_of_an_object_count_once_in_a_cluster():
    clusters, values = np.repeat([0, 1], 30), rng.normal(size=60)
    values[:30] += 1
    groups = np.arange(60)
    once = separate(clusters, {"x": values}, groups=groups)
    often = separate(np.tile(clusters, 5), {"x": np.tile(values, 5)}, groups=np.tile(groups, 5))
    assert once == often


def test_rare_properties_and_rare_texts_are_no_trouble():
    clusters = np.arange(300) % 2
    rare = np.full(300, np.nan)
    rare[[0, 2, 4, 6, 1]] = [1, 2, 3, 4, 5]  # known for a single object of cluster 1
    names = np.array([f"n{i}" for i in range(300)])
    found = separate(clusters, {"rare": rare, "name": names, "unknown": np.full(300, np.nan), "empty": [""] * 300})
    assert {one.property for one in found} == {"name"} and all(one.value < 0.3 for one in found)
    assert separate(np.full(9, -1), {"x": np.arange(9)}) == []


def test_another_length_is_refused():
    with pytest.raises(InputError, match=r"property 'x': expected 3 values, found shape \(2,\)"):
        separate([0, 1, 1], {"x": np.ones(2)})
