"""Small models on frozen vectors: how much a linear map, or a small network, reads off a space.

Inputs are standardised over the training objects. What is chosen (the regularisation, the number of epochs) is chosen
on training objects alone, whole groups of which are left out: each fifth in turn for the linear model, and one of them
for the network, which would take four times as long otherwise.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError

__all__ = ["KINDS", "Probed", "probe"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
Score = Callable[[Any, Float, Array], float]
KINDS = ("linear", "mlp")
PENALTIES = tuple(10.0**power for power in range(-2, 6))  # of the ridge, in units of one object
STRENGTHS = tuple(10.0**power for power in range(-3, 3))  # inverse penalties of the logistic regression
DECAYS = (1e-3, 1e-1)  # L2 penalties of the network
HIDDEN = (64, 64)  # that of AstroCLIP's few-shot protocol
FOLDS = 5
MOST = 5000  # training objects that choose the penalty
EPOCHS, PATIENCE = 200, 10


@dataclass(frozen=True)
class Probed:
    """What a probe says of each query.

    Args:
        value: Numbers, or the most probable class [Q].
        classes: Names of the classes [C]; empty for numbers.
        probabilities: Of each class [Q, C].
    """

    value: Array
    classes: Array
    probabilities: Float


def probe(
    kind: Literal["linear", "mlp"],
    memory_z: npt.ArrayLike,
    memory_y: npt.ArrayLike,
    query_z: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    period: float = 0.0,
    seed: int = 0,
) -> Probed:
    """Fits a probe to objects whose property is known, and asks it about others.

    Args:
        kind: "linear" (ridge or logistic regression) or "mlp" (two hidden layers of 64).
        memory_z: Vectors with known property [M, D].
        memory_y: Numbers or classes [M].
        query_z: Vectors to predict for [Q, D].
        groups: Object of each row of the memory [M], kept together when rows are left out; each its own by default.
        period: Of angles, which are then fitted by cosine and sine.
        seed: Of the folds and of the network.

    Raises:
        InputError: If the shapes do not fit, a number is not finite, or all objects have one value or class.
        UsageError: If there is no such kind of probe.

    Example:
        >>> z = np.random.default_rng(0).normal(size=(100, 3))
        >>> bool(np.abs(probe("linear", z, z[:, 0] + 5, z[:4]).value - z[:4, 0] - 5).max() < 0.01)
        True
    """
    if kind not in KINDS:
        raise UsageError(f"expected a linear or mlp probe, found {kind!r}.")
    z, y, q = np.asarray(memory_z, np.float64), np.asarray(memory_y), np.asarray(query_z, np.float64)
    if z.ndim != 2 or y.shape != z.shape[:1] or q.ndim != 2 or q.shape[1] != z.shape[1]:
        raise InputError(
            f"probe: expected vectors of one width and a value each, found shapes {z.shape}, {y.shape} and {q.shape}."
        )
    if not (np.isfinite(z).all() and np.isfinite(q).all() and (y.dtype.kind == "U" or np.isfinite(y).all())):
        raise InputError("probe: found NaN or infinity. Leave out what is missing first.")
    if (y == y[:1]).all():
        raise InputError(f"probe: expected values that differ, found {y[0] if len(y) else 'none'} for all {len(y)}.")
    z, q = _standardised(z, z), _standardised(q, z)
    part = _folds(np.arange(len(y)) if groups is None else np.asarray(groups), seed)
    fit = _linear if kind == "linear" else _network
    if y.dtype.kind == "U":
        model = fit(z, y, part, _log_score, seed)
        shares = np.asarray(model.predict_proba(q), dtype=np.float64)
        return Probed(model.classes_[shares.argmax(axis=1)], model.classes_, shares)
    targets, back = _targets(y.astype(np.float64), period)
    model = fit(z, targets, part, _square_score, seed)
    return Probed(back(model.predict(q).reshape(len(q), -1)), np.empty(0, dtype=str), np.empty((len(q), 0)))


def _standardised(vectors: Float, memory: Float) -> Float:
    mean, std = memory.mean(axis=0), memory.std(axis=0)
    varies = std > 1e-6 * np.abs(mean)  # a constant dimension says nothing, and its rounding error still less
    return np.asarray((vectors - mean) / np.where(varies, std, np.inf))


def _targets(y: Float, period: float) -> tuple[Float, Callable[[Float], Float]]:
    """What is fitted [M, T], and how to get back from it."""
    if period:
        angle = 2 * np.pi * y / period
        return np.stack([np.cos(angle), np.sin(angle)], axis=1), lambda found: np.asarray(
            np.arctan2(found[:, 1], found[:, 0]) * period / (2 * np.pi) % period
        )
    mean, std = y.mean(), y.std()
    return ((y - mean) / std)[:, None], lambda found: np.asarray(found[:, 0] * std + mean)


def _folds(groups: Array, seed: int) -> npt.NDArray[np.int64]:
    """Number of the fold of each row [M]; a group is in one."""
    codes = np.unique(groups, return_inverse=True)[1]
    return np.asarray(np.random.default_rng(seed).permutation(codes.max() + 1)[codes] % FOLDS)


def _square_score(model: Any, z: Float, y: Float) -> float:
    return -float(np.square(model.predict(z).reshape(y.shape) - y).mean())


def _log_score(model: Any, z: Float, y: Array) -> float:
    """Mean logarithm of the probability of the true class, which is small for a class that was not there to learn."""
    place = np.searchsorted(model.classes_, y).clip(max=len(model.classes_) - 1)
    shares = model.predict_proba(z)[np.arange(len(y)), place]
    return float(np.log(np.where(model.classes_[place] == y, shares, 0).clip(min=1e-6)).mean())


def _linear(z: Float, y: Array, part: npt.NDArray[np.int64], score: Score, seed: int) -> Any:
    """The linear model whose penalty does best on left-out groups, fitted to all."""
    from sklearn.linear_model import LogisticRegression, Ridge

    def make(value: float) -> Any:
        return LogisticRegression(C=value, max_iter=500, tol=1e-3) if y.dtype.kind == "U" else Ridge(alpha=value)

    grid = STRENGTHS if y.dtype.kind == "U" else PENALTIES
    rows = np.sort(np.random.default_rng(seed).permutation(len(y))[:MOST])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*failed to converge")  # weak penalties, which left-out groups judge
        best = _best(make, grid, z[rows], y[rows], part[rows], score)
        return make(best).fit(z, y)


def _best(
    make: Callable[[float], Any], grid: Sequence[float], z: Float, y: Array, part: npt.NDArray[np.int64], score: Score
) -> float:
    """Which value of the grid does best, over folds that can be judged."""
    total = np.zeros(len(grid))
    for out in (part == number for number in range(FOLDS)):
        if out.any() and (y[~out] != y[~out][:1]).any():
            total += [score(make(value).fit(z[~out], y[~out]), z[out], y[out]) * out.sum() for value in grid]
    return grid[int(total.argmax())]


def _network(z: Float, y: Array, part: npt.NDArray[np.int64], score: Score, seed: int) -> Any:
    """The network whose penalty and number of epochs do best on left-out groups, fitted to all."""
    out = part == part.max()
    able = (~out).any() and (y[~out] != y[~out][:1]).any()
    inner, judged = (~out, out) if able else (np.ones(len(y), dtype=bool),) * 2
    tried = []
    for decay in DECAYS:
        scores = (score(model, z[judged], y[judged]) for model in _epochs(z[inner], y[inner], decay, seed))
        value, epochs = _stopped(scores)
        tried.append((value, decay, epochs))
    _, decay, epochs = max(tried)
    return deque(islice(_epochs(z, y, decay, seed), epochs), maxlen=1)[0]


def _epochs(z: Float, y: Array, decay: float, seed: int) -> Iterator[Any]:
    """The network after each pass over the objects."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    text = y.dtype.kind == "U"
    model = (MLPClassifier if text else MLPRegressor)(hidden_layer_sizes=HIDDEN, alpha=decay, random_state=seed)
    step = partial(model.partial_fit, classes=np.unique(y)) if text else model.partial_fit
    target = y[:, 0] if not text and y.shape[1] == 1 else y
    for _ in range(EPOCHS):
        yield step(z, target)


def _stopped(scores: Iterator[float]) -> tuple[float, int]:
    """The best score and after how many epochs it is reached; stops when it has not improved for a while."""
    best, epochs = -np.inf, 1
    for number, value in enumerate(scores, start=1):
        if value > best:
            best, epochs = value, number
        elif number - epochs == PATIENCE:
            break
    return best, epochs
