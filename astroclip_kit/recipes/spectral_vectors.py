"""How much of a spectrum a simulated vector holds, beyond the class: what the image tells, and what it leaks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Within", "explained_by", "within_class"]

Floats = npt.NDArray[np.float64]


class Within(NamedTuple):
    """What vectors tell of objects beyond the mean of their class.

    Args:
        explained: Share of the variance of the real vectors inside the classes that the simulated ones explain; 0 is
            what the class means reach, below 0 is worse.
        cosine: Mean cosine of both after the mean of the real training vectors of the class is subtracted; 0 is chance.
        cosines: Of each object [n].
    """

    explained: float
    cosine: float
    cosines: Floats


def within_class(simulated: npt.ArrayLike, real: npt.ArrayLike, codes: npt.ArrayLike, means: npt.ArrayLike) -> Within:
    """Compares simulated with real vectors inside the classes.

    Args:
        simulated: Vectors [n, D].
        real: Vectors of the same objects [n, D].
        codes: Number of the class of each [n].
        means: Mean real vector of the training objects of each class [C, D].

    Example:
        >>> real, means = [[1.0, 2.0], [1.0, 0.0]], [[1.0, 1.0]]
        >>> within_class(real, real, [0, 0], means)[:2]
        (1.0, 1.0)
        >>> round(within_class([[1.0, 1.5], [1.0, 0.5]], real, [0, 0], means).explained, 3)
        0.75
    """
    centre = np.asarray(means, dtype=np.float64)[np.asarray(codes)]
    said, true = (np.asarray(one, dtype=np.float64) - centre for one in (simulated, real))
    lengths = np.linalg.norm(said, axis=1) * np.linalg.norm(true, axis=1)
    cosines = (said * true).sum(axis=1) / np.where(lengths > 0, lengths, 1)
    explained = 1 - float(np.square(said - true).sum() / np.square(true).sum())
    return Within(explained, float(cosines.mean()), cosines)


def explained_by(
    x: npt.ArrayLike, real: npt.ArrayLike, train: npt.NDArray[np.int64], asked: npt.NDArray[np.int64]
) -> Floats:
    """Vectors as a ridge regression reads them off other numbers, its strength chosen among the training objects.

    Args:
        x: What is known of all objects [N, F], finite.
        real: Their vectors [N, D].
        train: Rows that are fitted.
        asked: Rows that are predicted [n].

    Returns:
        Float64 [n, D].
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    inputs, vectors = np.asarray(x, dtype=np.float64), np.asarray(real, dtype=np.float64)
    model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 4, 11)))
    found: Floats = model.fit(inputs[train], vectors[train]).predict(inputs[asked])
    return found
