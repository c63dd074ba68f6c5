"""How alike two representations of the same objects are, whatever their dimensions and rotations.

Sources: Huh, Cheung, Wang & Isola 2024, ICML, "The Platonic Representation Hypothesis", arXiv:2405.07987 (mutual
nearest neighbours); Kornblith et al. 2019, ICML, arXiv:1905.00414 (CKA); Nguyen, Raghu & Kornblith 2021, ICLR,
arXiv:2010.15327 (CKA from the unbiased estimator of Song et al. 2012, JMLR 13, 1393).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import metrics
from ..errors import InputError
from .knn import neighbours

__all__ = ["cka", "mutual_neighbours"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
Interval = tuple[float, float, float]
PARTS = 20  # of the objects, left out in turn
ROWS = 8192  # per block
FEWEST = 4  # rows: the unbiased estimator divides by n - 3


def mutual_neighbours(
    one: npt.ArrayLike, two: npt.ArrayLike, groups: npt.ArrayLike, *, k: int = 10, n_boot: int = 1000, seed: int = 0
) -> Interval:
    """Share of the k nearest neighbours that an object has in both representations, mean over objects.

    The interval is over resampled objects that ask; who answers stays the same. Chance is k / (n - 1).

    Args:
        one: Vectors [N, D].
        two: Vectors of the same objects [N, D'].
        groups: Astrophysical object of each row [N]; its other rows are no neighbours.
        k: Number of neighbours, by cosine.
        n_boot: Resamples; whole groups are drawn.
        seed: Of the resampling.

    Returns:
        The share, and the ends of its 95 % interval.

    Raises:
        InputError: If the lengths differ, k is larger than the number of others, or a vector is zero or NaN.

    Example:
        >>> z = np.random.default_rng(0).normal(size=(50, 4))
        >>> mutual_neighbours(z, -z, np.arange(50), n_boot=10)
        (1.0, 1.0, 1.0)
    """
    a, b = _pair(one, two, groups)
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    first, second = (neighbours(z, z, k, "cosine", codes, codes)[0] for z in (a, b))
    share = np.empty(len(a))
    for start in range(0, len(a), ROWS):
        part = slice(start, start + ROWS)
        share[part] = (first[part, :, None] == second[part, None]).any(axis=2).mean(axis=1)
    low, high = metrics.bootstrap(np.mean, [share], n_boot=n_boot, seed=seed, groups=codes)
    return float(share.mean()), low, high


def cka(one: npt.ArrayLike, two: npt.ArrayLike, groups: npt.ArrayLike, *, seed: int = 0) -> Interval:
    """Linear centred kernel alignment, unbiased: 1 for the same up to rotation and scale, about 0 for unrelated ones.

    Resampled objects would count as alike with themselves; the interval is therefore from a jackknife, with a
    twentieth of the groups left out in turn.

    Args:
        one: Vectors [N, D].
        two: Vectors of the same objects [N, D'].
        groups: Astrophysical object of each row [N].
        seed: Of the division into twentieths.

    Returns:
        The number, and the ends of its 95 % interval; NaN where one representation is constant.

    Raises:
        InputError: If the lengths differ, there are fewer than 4 groups, or a vector is NaN.

    Example:
        >>> z = np.random.default_rng(0).normal(size=(50, 4))
        >>> round(cka(z, 3 * z[:, ::-1], np.arange(50))[0], 6)
        1.0
    """
    a, b = _pair(one, two, groups)
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    count = int(codes.max()) + 1
    if count < FEWEST + 1:
        raise InputError(f"cka: expected at least {FEWEST + 1} objects, found {count}.")
    parts = min(PARTS, count)
    part = (np.random.default_rng(seed).permutation(count) % parts)[codes]
    value = _cka(a, b)
    left = np.array([_cka(a[part != one], b[part != one]) for one in range(parts)])
    half = 1.96 * float(np.sqrt((parts - 1) * left.var()))
    return value, value - half, min(1.0, value + half)


def _pair(one: npt.ArrayLike, two: npt.ArrayLike, groups: npt.ArrayLike) -> tuple[Array, Array]:
    a, b = np.asarray(one, np.float32), np.asarray(two, np.float32)
    if a.ndim != 2 or b.ndim != 2 or not len(a) == len(b) == len(np.asarray(groups)):
        raise InputError(f"expected vectors of the same objects, found shapes {a.shape} and {b.shape}.")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("expected finite vectors, found NaN or infinity. Leave out absent rows.")
    return a, b


def _cka(a: Array, b: Array) -> float:
    a, b = (z.astype(np.float64) - z.mean(axis=0, dtype=np.float64) for z in (a, b))
    scale = _hsic(a, a) * _hsic(b, b)
    return _hsic(a, b) / float(np.sqrt(scale)) if scale > 0 else float("nan")


def _hsic(a: Float, b: Float) -> float:
    """Unbiased estimate, up to n (n - 3), from the matrices themselves and not the kernels [N, N]."""
    n = len(a)
    own_a, own_b = np.einsum("ij,ij->i", a, a), np.einsum("ij,ij->i", b, b)
    row_a, row_b = a @ a.sum(axis=0) - own_a, b @ b.sum(axis=0) - own_b
    product = np.square(a.T @ b).sum() - own_a @ own_b
    return float(product + row_a.sum() * row_b.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (row_a @ row_b))
