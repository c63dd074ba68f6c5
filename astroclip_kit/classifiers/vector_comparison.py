"""How near simulated vectors of spectra are to the real ones, and what they tell beyond the class."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict, Unpack

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..metrics import bootstrap, weighted_bootstrap
from ..types import Result

__all__ = ["BeyondClass", "compare_vectors", "frechet_distance", "tell_beyond_class"]

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
FEWEST = 4  # objects of a comparison: two halves of two
RESAMPLES = 100  # of a distance between distributions, each of which takes two decompositions
PERMUTATIONS = 200


class About(TypedDict):
    """What was compared.

    Args:
        task: What simulated the vectors; "simulation" by default.
        query: What it sees; "image" by default.
        dataset: Name of the data set.
        origin: "mock" or "real".
    """

    task: NotRequired[str]
    query: NotRequired[str]
    dataset: str
    origin: Literal["mock", "real"]


class BeyondClass(NamedTuple):
    """What vectors tell of objects beyond their class.

    Args:
        cosine: Mean cosine of simulated and real vectors after the means of their classes are taken off each; 0 is what
            the class alone tells.
        low: Lower end of what 95 % of the permutations inside the classes give.
        high: Upper end.
        p: Probability of so high a cosine where the vectors tell nothing but the class.
    """

    cosine: float
    low: float
    high: float
    p: float


def compare_vectors(
    simulated: npt.ArrayLike,
    real: npt.ArrayLike,
    codes: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    n_boot: int = 1000,
    seed: int = 0,
    **about: Unpack[About],
) -> list[Result]:
    """Compares simulated with real vectors of the same objects.

    Args:
        simulated: Vectors [n, D], standardised as the generator's are.
        real: Real ones [n, D], standardised alike.
        codes: Number of the class of each object [n].
        groups: Astrophysical object of each row [n]; whole groups are drawn for the intervals.
        n_boot: Resamples of the 95 % intervals; of the Fréchet distance at most 100.
        seed: Of the run, of resampling and permutations.
        about: `task`, `query`, `dataset` and `origin` of the results.

    Returns:
        With property "vector": "cosine", the mean over the objects, whose chance is the mean real vector of all others
        of the class; "cosine_permuted", the same of simulated vectors permuted inside the classes, which is what they
        tell of the class (its interval is that of the permutations); "frechet", whose chance is the class means
        again, and whose interval is that of resamples about their own mean, as few objects alone add to it; and
        "frechet_real", that of two random halves of the real vectors, below which nothing can be told.

    Raises:
        InputError: If shapes do not fit, a number is not finite, or there are fewer than four objects.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> real, codes = rng.normal(size=(60, 8)), np.arange(60) % 2
        >>> found = compare_vectors(real, real, codes, n_boot=10, dataset="stars", origin="mock")
        >>> [(one.metric, round(one.value, 3)) for one in found[:3:2]]
        [('cosine', 1.0), ('frechet', 0.0)]
    """
    said, true, classes = _checked(simulated, real, codes)
    rng, drawn = np.random.default_rng(seed), None if groups is None else np.asarray(groups)
    guess, cosines = _others(true, classes), _cosines(said, true)
    permuted = _permuted(said, true, classes, rng, PERMUTATIONS)
    order = rng.permutation(len(true))
    task, query, nothing = about.get("task", "simulation"), about.get("query", "image"), (math.nan, math.nan)

    def result(metric: str, value: float, ends: tuple[float, float], chance: float = math.nan) -> Result:
        named = (task, query, "spectrum", "vector", metric, value, *ends, len(true), seed)
        return Result(*named, about["dataset"], about["origin"], chance, "supervised")

    low, high = weighted_bootstrap(
        lambda times: cosines @ times / times.sum(axis=0), len(true), n_boot=n_boot, seed=seed, groups=drawn
    )
    distance, ends = _distance(said, true, n_boot=min(n_boot, RESAMPLES), seed=seed, groups=drawn)
    return [
        result("cosine", float(cosines.mean()), (float(low), float(high)), float(_cosines(guess, true).mean())),
        result("cosine_permuted", float(np.mean(permuted)), _middle(permuted)),
        result("frechet", distance, ends, frechet_distance(guess, true)),
        result("frechet_real", frechet_distance(true[order[::2]], true[order[1::2]]), nothing),
    ]


def tell_beyond_class(
    simulated: npt.ArrayLike, real: npt.ArrayLike, codes: npt.ArrayLike, *, permutations: int = 1000, seed: int = 0
) -> BeyondClass:
    """Whether simulated vectors tell more of an object than its class: the check that permuted images must fail.

    Vectors that were simulated from the images of other objects of the class, or by a generator that learned from
    such, tell nothing beyond it; where they do, something of the objects leaks.

    Args:
        simulated: Vectors [n, D].
        real: Those of the same objects [n, D].
        codes: Number of the class of each object [n].
        permutations: Random exchanges of the simulated vectors inside the classes that they are compared with.
        seed: Of these.

    Raises:
        InputError: If shapes do not fit, a number is not finite, or there are fewer than four objects.

    Example:
        >>> real, codes = np.random.default_rng(0).normal(size=(100, 8)), np.arange(100) % 2
        >>> found = tell_beyond_class(real + 3, real, codes)
        >>> round(found.cosine, 3), found.high < 0.1, found.p < 0.01
        (1.0, True, True)
    """
    said, true, classes = _checked(simulated, real, codes)
    rng = np.random.default_rng(seed)
    said, true = (one - _means(one, classes)[classes] for one in (said, true))
    found = float(_cosines(said, true).mean())
    guessed = _permuted(said, true, classes, rng, permutations)
    return BeyondClass(found, *_middle(guessed), float((1 + (guessed >= found).sum()) / (1 + permutations)))


def frechet_distance(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """How far apart two clouds of vectors are, each described by its mean and its covariance.

    Covariances are shrunk towards a multiple of the unit matrix as far as Ledoit & Wolf (2004) find best: without it
    few vectors, above all fewer than dimensions, have directions without any scatter. What few vectors add is not
    taken off, so compare distances of as many objects only.

    Args:
        one: Vectors [n, D].
        other: Vectors [m, D].

    Returns:
        ``|m - m'|^2 + tr(S + S' - 2 (S S')^(1/2))``, at least 0 (Heusel et al. 2017, arXiv:1706.08500).

    Example:
        >>> round(frechet_distance(np.eye(3)[[0, 1, 0, 1]], np.eye(3)[[0, 1, 0, 1]] + 2), 6)
        12.0
    """
    from sklearn.covariance import ledoit_wolf

    first, second = (np.asarray(vectors, dtype=np.float64) for vectors in (one, other))
    shift = float(np.square(first.mean(axis=0) - second.mean(axis=0)).sum())
    (cov, _), (other_cov, _) = ledoit_wolf(first), ledoit_wolf(second)
    values, axes = np.linalg.eigh(cov)
    root = (axes * np.sqrt(values.clip(min=0))) @ axes.T
    mixed = np.linalg.eigvalsh(root @ other_cov @ root).clip(min=0)
    return max(0.0, shift + float(np.trace(cov) + np.trace(other_cov) - 2 * np.sqrt(mixed).sum()))


def _distance(said: Floats, true: Floats, **how: Any) -> tuple[float, tuple[float, float]]:
    """The Fréchet distance, and its interval: that of resamples, moved by as much as their mean is too high."""
    values: list[float] = []

    def measured(one: Floats, other: Floats) -> float:
        values.append(frechet_distance(one, other))
        return values[-1]

    distance, (low, high) = frechet_distance(said, true), bootstrap(measured, [said, true], **how)
    excess = float(np.mean(values)) - distance
    return distance, (max(0.0, low - excess), max(0.0, high - excess))


def _checked(simulated: npt.ArrayLike, real: npt.ArrayLike, codes: npt.ArrayLike) -> tuple[Floats, Floats, Codes]:
    said, true = (np.asarray(one, dtype=np.float64) for one in (simulated, real))
    classes = np.asarray(codes)
    if said.ndim != 2 or said.shape != true.shape or classes.shape != said.shape[:1]:
        found = f"{said.shape}, {true.shape} and {classes.shape}"
        raise InputError(f"expected simulated and real vectors [n, D] and a class for each [n], found {found}.")
    if len(said) < FEWEST:
        raise InputError(f"expected at least {FEWEST} objects to compare vectors of, found {len(said)}.")
    for name, one in (("simulated", said), ("real", true)):
        if bad := int((~np.isfinite(one)).any(axis=1).sum()):
            raise InputError(f"{bad} of {len(one)} {name} vectors are not finite. Leave these objects out.")
    return said, true, np.unique(classes, return_inverse=True)[1].astype(np.int64)


def _unit(vectors: Floats) -> Floats:
    """Vectors of length 1; one of length 0 stays so."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = vectors / np.where(length > 0, length, 1)
    return unit


def _cosines(one: Floats, other: Floats) -> Floats:
    """Cosine of the angle between each pair [n]; 0 where one has no length."""
    cosines: Floats = (_unit(one) * _unit(other)).sum(axis=1)
    return cosines


def _permuted(said: Floats, true: Floats, classes: Codes, rng: np.random.Generator, count: int) -> Floats:
    """Mean cosine of each of some permutations inside the classes of the vectors that were said [count]."""
    said, true = _unit(said), _unit(true)
    return np.array([(said[_inside(classes, rng)] * true).sum(axis=1).mean() for _ in range(count)])


def _means(vectors: Floats, classes: Codes) -> Floats:
    """Of each class [C, D]."""
    return np.stack([vectors[classes == one].mean(axis=0) for one in range(int(classes.max()) + 1)])


def _others(true: Floats, classes: Codes) -> Floats:
    """The mean real vector [n, D] of all other objects of the class; of all of any class, where there is no other."""
    count = np.bincount(classes)[classes][:, None]
    others = (_means(true, classes)[classes] * count - true) / np.maximum(count - 1, 1)
    return np.where(count > 1, others, (true.sum(axis=0) - true) / (len(true) - 1))


def _inside(classes: Codes, rng: np.random.Generator) -> Codes:
    """A permutation of the rows [n] that exchanges objects of one class alone."""
    order = np.empty(len(classes), dtype=np.int64)
    order[np.argsort(classes, kind="stable")] = np.lexsort((rng.random(len(classes)), classes))
    return order


def _middle(values: Floats) -> tuple[float, float]:
    """Ends of the middle 95 %."""
    low, high = np.percentile(values, [2.5, 97.5]).tolist()
    return low, high
