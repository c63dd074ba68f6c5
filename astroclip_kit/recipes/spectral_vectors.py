"""How much of the vectors of spectra simulated ones hold beyond the class, and how much other numbers tell of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["explained_by", "explained_within"]

Floats = npt.NDArray[np.float64]


def explained_within(
    simulated: npt.ArrayLike, real: npt.ArrayLike, codes: npt.ArrayLike, means: npt.ArrayLike
) -> float:
    """The share of the variance of real vectors inside the classes that simulated ones explain.

    Args:
        simulated: Vectors [n, D].
        real: Vectors of the same objects [n, D].
        codes: Number of the class of each [n].
        means: Mean real vector of the training objects of each class [C, D].

    Returns:
        At most 1; 0 is what the class means reach, below 0 is worse.

    Example:
        >>> real, means = [[1.0, 2.0], [1.0, 0.0]], [[1.0, 1.0]]
        >>> explained_within(real, real, [0, 0], means), explained_within([[1.0, 1.5], [1.0, 0.5]], real, [0, 0], means)
        (1.0, 0.75)
    """
    said, true = (np.asarray(one, dtype=np.float64) for one in (simulated, real))
    centre = np.asarray(means, dtype=np.float64)[np.asarray(codes)]
    return 1 - float(np.square(said - true).sum() / np.square(true - centre).sum())


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
