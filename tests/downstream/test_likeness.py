"""Likeness of representations against its definition."""

import numpy as np
import pytest

from astroclip_kit.downstream.likeness import cka, mutual_neighbours
from astroclip_kit.errors import InputError

N = 80
rng = np.random.default_rng(0)
Z = rng.normal(size=(N, 6))
TURN = np.linalg.qr(rng.normal(size=(6, 6)))[0]


def hsic(k, m):
    """Song et al. 2012, eq. 5, with kernels written out."""
    n, one = len(k), np.ones(len(k))
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    return (np.trace(k @ m) + one @ k @ one * (one @ m @ one) / (n - 1) / (n - 2) - 2 / (n - 2) * one @ k @ m @ one) / (
        n * (n - 3)
    )


def test_cka_is_that_of_the_kernels():
    other = Z @ rng.normal(size=(6, 9)) + rng.normal(size=(N, 9))
    a, b = (z.astype(np.float32).astype(float) for z in (Z, other))
    a, b = a - a.mean(0), b - b.mean(0)
    k, m = a @ a.T, b @ b.T
    value, low, high = cka(Z, other, np.arange(N))
    assert value == pytest.approx(hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m)), rel=1e-6)
    assert low < value < high <= 1


def test_rotated_spaces_are_alike_and_unrelated_ones_are_not():
    assert cka(Z, 2 * Z @ TURN, np.arange(N))[0] == pytest.approx(1, abs=1e-6)
    assert mutual_neighbours(Z, 2 * Z @ TURN, np.arange(N), n_boot=20)[0] > 0.99
    values = [cka(Z, np.random.default_rng(100 + i).normal(size=(N, 6)), np.arange(N))[0] for i in range(20)]
    assert abs(np.mean(values)) < 0.03
    share, low, high = mutual_neighbours(Z, rng.normal(size=(N, 6)), np.arange(N), n_boot=200)
    assert low < share < high and abs(share - 10 / (N - 1)) < 0.06
    assert np.isnan(cka(Z, np.ones((N, 3)), np.arange(N))[0])


def test_visits_of_the_same_object_are_no_neighbours():
    twice, groups = np.repeat(Z, 2, axis=0), np.repeat(np.arange(N), 2)
    unlike = np.repeat(rng.normal(size=(N, 6)), 2, axis=0)
    assert mutual_neighbours(twice, unlike, groups, k=1, n_boot=10)[0] < 0.2


def test_what_cannot_be_compared():
    with pytest.raises(InputError, match=r"expected vectors of the same objects, found shapes \(80, 6\) and \(79, 6\)"):
        cka(Z, Z[1:], np.arange(N))
    with pytest.raises(InputError, match="expected finite vectors, found NaN or infinity"):
        mutual_neighbours(Z, np.full((N, 2), np.nan), np.arange(N))
    with pytest.raises(InputError, match="cka: expected at least 5 objects, found 2"):
        cka(Z[:4], Z[:4], [0, 0, 1, 1])
    with pytest.raises(InputError, match="k: expected 1 to 79, found 80"):
        mutual_neighbours(Z, Z, np.arange(N), k=80)
