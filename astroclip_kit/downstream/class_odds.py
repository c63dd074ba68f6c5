"""What each class makes of an object that it has not seen: linear models fitted to the others, added over modalities.

Source of judging labels by what models say that were fitted without the object, each class against its own usual
confidence: Northcutt, Jiang & Chuang 2021, JAIR 70, 1373, arXiv:1911.00068.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["class_factors", "class_odds", "label_odds"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
FOLDS = 5
STRENGTH = 0.3  # inverse penalty of the logistic regression on standardised dimensions; see `class_factors`
MOST = 20_000  # objects that a model is fitted to
LEAST = 1e-12  # probability


def class_factors(views: Sequence[npt.ArrayLike], codes: Rows, groups: npt.ArrayLike, seed: int = 0) -> list[Float]:
    """By what factor each modality of an object changes the odds of every class, by models fitted without its group.

    The strength of the penalty was chosen on labels, flipped anew, of a survey of `simulate variables` (of a seed of
    its own): on mocks of that kind it may do better than on the sky.

    Args:
        views: Vectors of each modality [N, D]; zero where an object lacks it.
        codes: Class of each object, from 0 [N].
        groups: Astrophysical object of each row [N].
        seed: Of the folds.

    Returns:
        Logarithms [N, C] of each modality, by logistic regression: 0 where the modality is missing, NaN where the class
        of the object is known to no model, because it has no other group.
    """
    count, fold = int(codes.max()) + 1, _folds(codes, np.asarray(groups), seed)
    members = np.bincount(fold * count + codes, minlength=FOLDS * count).reshape(FOLDS, count)
    alone = members[fold, codes] == members.sum(axis=0)[codes]
    found = []
    for view in views:
        z = np.asarray(view)
        here = np.flatnonzero(z.any(axis=1))
        factors = np.zeros((len(z), count))
        factors[here] = _factors(z[here], codes[here], fold[here], count, seed)
        factors[alone] = np.nan
        found.append(factors)
    return found


def class_odds(factors: Sequence[Float], codes: Rows) -> Float:
    """Probability of every class [N, C]: how frequent it is times the factors of all modalities of the object.

    Factors are multiplied as if modalities were independent given the class. They are not, and the probabilities are
    too sure of themselves; their order is what matters here.

    Args:
        factors: What `class_factors` gave.
        codes: Class of each object [N].
    """
    prior = np.bincount(codes, minlength=factors[0].shape[1]) / len(codes)
    total = np.log(np.maximum(prior, LEAST)) + np.sum(factors, axis=0)
    shares = np.exp(total - total.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def label_odds(shares: Float, codes: Rows) -> tuple[Float, Rows]:
    """Logarithm of the odds of the likeliest other class against the own one [N], and that class [N].

    Each probability is taken relative to its mean over the objects of that class, which keeps classes that are
    recognised with less confidence, mostly the rare ones, from crowding the top.

    Args:
        shares: What `class_odds` gave [N, C].
        codes: Class of each object [N].
    """
    at, known = np.arange(len(codes)), np.isfinite(shares).all(axis=1)
    sums = np.bincount(codes[known], shares[known, codes[known]], shares.shape[1])
    usual = sums / np.maximum(np.bincount(codes[known], minlength=shares.shape[1]), 1)
    relative = np.log(np.maximum(shares, LEAST)) - np.log(np.maximum(usual, LEAST))
    own = relative[at, codes]
    relative[:, usual == 0] = -np.inf
    relative[at, codes] = -np.inf
    return relative.max(axis=1) - own, relative.argmax(axis=1)


def _folds(codes: Rows, groups: Array, seed: int) -> Rows:
    """Number of the fold of each row [N]: a group is in one, and a class in as many as it can be."""
    first, number = np.unique(groups, return_index=True, return_inverse=True)[1:]
    order = np.lexsort((np.random.default_rng(seed).permutation(len(first)), codes[first]))
    fold = np.empty(len(first), np.int64)
    fold[order] = np.arange(len(first)) % FOLDS
    return np.asarray(fold[number])


def _factors(z: Array, codes: Rows, fold: Rows, count: int, seed: int) -> Float:
    """Logarithm of the factor by which a modality changes the odds of every class [n, C]; 0 where nothing is known."""
    from sklearn.linear_model import LogisticRegression

    found = np.zeros((len(z), count))
    for out in (fold == number for number in range(FOLDS)):
        rows = np.random.default_rng(seed).permutation(np.flatnonzero(~out))[:MOST]
        known = np.unique(codes[rows])
        if len(known) < 2 or not out.any():
            continue
        mean, std = z[rows].mean(axis=0), z[rows].std(axis=0)
        std = np.where(std > 1e-6, std, np.inf)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*failed to converge")  # near enough for a score
            model = LogisticRegression(C=STRENGTH, max_iter=100).fit((z[rows] - mean) / std, codes[rows])
        shares = np.maximum(model.predict_proba((z[out] - mean) / std), LEAST)
        base = np.bincount(codes[rows], minlength=count)[known] / len(rows)
        found[np.ix_(out, known)] = np.log(shares) - np.log(base)
    return found
