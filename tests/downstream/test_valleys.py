"""Whether groups are apart: where there are two, and, at most at the nominal rate, where there is one."""

import numpy as np
import pytest
from scipy.stats import binom

from astroclip_kit.downstream.clustering import Grouping, divide
from astroclip_kit.downstream.valleys import joined, valleys
from astroclip_kit.errors import InputError


def cloud(seed, apart=0.0, count=300, share=0.4, shape="normal"):
    """Vectors with two peaks `apart` standard deviations from each other, and which belong to the second."""
    rng = np.random.default_rng(seed)
    second = rng.random(count) < share
    x = rng.normal(size=(count, 6)) if shape == "normal" else rng.uniform(-1.7, 1.7, (count, 6))
    if shape == "skew":
        x[:, 0] = rng.exponential(size=count) * 3
    x[:, 0] += apart * second
    return x, second


def test_windows_and_p_are_those_of_a_binomial_test():
    x, second = cloud(0, apart=9.0)
    fitted = np.arange(300) % 2 == 0
    [one] = valleys(x, second.astype(int), fitted)
    held = ~fitted
    assert (one.groups, one.others, one.n) == ([0], [1], held.sum())
    assert one.between == 0 and one.inside > 40 and one.beyond > 30
    assert one.p == pytest.approx(binom.cdf(0, min(one.inside, one.beyond), 0.5)) and one.q == one.p
    assert [sum(window) / 2 for window in (one.windows[0], one.windows[2])] == pytest.approx([0, 1])
    assert np.diff(one.windows, axis=1) == pytest.approx(1 / 3) and len(one.edges) == len(one.counts) + 1
    assert 0.9 * held.sum() < sum(one.counts) <= held.sum()
    other = valleys(x + 7, second.astype(int), fitted)[0]  # where the origin lies is nothing to it
    assert (other.inside, other.between, other.beyond) == (one.inside, one.between, one.beyond)


@pytest.mark.parametrize(("shape", "k"), [("normal", 2), ("uniform", 3), ("skew", 2)])
def test_one_group_is_said_to_be_two_at_most_at_the_nominal_rate(shape, k):
    fitted, wrong = np.arange(300) % 3 > 0, 0
    for seed in range(40):
        x, _ = cloud(seed, shape=shape)
        labels = np.searchsorted(np.quantile(x[fitted, 0], np.arange(1, k) / k), x[:, 0])  # as k-means would
        found = valleys(x, labels, fitted)
        assert len(found) == k - 1
        wrong += int(joined(labels, found).max()) > 0
    assert wrong <= binom.ppf(0.99, 40, 0.05)


def test_the_counted_objects_choose_nothing():
    x, second = cloud(1, apart=8.0)
    fitted = np.arange(300) % 2 == 0
    before = valleys(x, second.astype(int), fitted)[0]
    x[~fitted] = x[~fitted][0]
    after = valleys(x, np.where(fitted, second, -1), fitted)[0]
    assert after.windows == before.windows and max(after.inside, after.between, after.beyond) == after.n


def test_pieces_of_two_groups_are_joined_to_two():
    x, second = cloud(2, apart=12.0, count=600)
    fitted = np.arange(600) % 3 > 0
    labels = np.full(600, -1)
    labels[fitted] = divide(x[fitted], Grouping("kmeans", k=5)).labels
    found = valleys(x, labels, fitted)
    merged = joined(labels, found)
    assert len(found) == 4 and set(merged[fitted].tolist()) == {0, 1} and (merged[~fitted] == -1).all()
    assert (merged[fitted] == second[fitted]).mean() > 0.99  # the larger is the first
    assert np.bincount(merged[fitted]).tolist() == sorted(np.bincount(merged[fitted]).tolist(), reverse=True)


def test_without_two_groups_or_without_others_nothing_is_apart():
    x, second = cloud(3, apart=12.0)
    assert valleys(x, np.zeros(300), np.ones(300, bool)) == []
    assert valleys(x, np.full(300, -1), np.ones(300, bool)) == []
    [one] = valleys(x, second.astype(int), np.ones(300, bool))
    assert (one.n, one.p, one.q) == (0, 1.0, 1.0) and joined(second.astype(int), [one]).max() == 0


def test_what_does_not_fit_is_said():
    x, second = cloud(0)
    x[4, 1] = np.nan
    with pytest.raises(
        InputError, match=r"expected finite \[N, D\] with a cluster each, found \(300, 6\) and \(300,\)"
    ):
        valleys(x, second, np.ones(300, bool))
    with pytest.raises(InputError, match=r"found \(300, 6\) and \(3,\)"):
        valleys(np.zeros((300, 6)), [0, 1, 1], np.ones(300, bool))
