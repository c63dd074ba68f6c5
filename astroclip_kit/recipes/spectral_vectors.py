"""How much other numbers tell of the vectors of spectra beyond the class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["explained_within"]

Rows = npt.NDArray[np.int64]
STRENGTHS = np.logspace(-1, 5, 13)


def explained_within(x: npt.ArrayLike, real: npt.ArrayLike, codes: npt.ArrayLike, train: Rows, asked: Rows) -> float:
    """The share of the variance of vectors inside their classes that follows from other numbers of the same objects.

    A ridge regression for each class reads the vectors off the numbers, so that nothing is gained, or lost, by telling
    the classes; its strength is chosen among the training objects.

    Args:
        x: What is known of all objects [N, F], finite.
        real: Their vectors [N, D].
        codes: Number of the class of each [N].
        train: Rows that are fitted.
        asked: Rows that are judged.

    Returns:
        At most 1; 0 is what the means of the classes reach, below 0 is worse.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(200, 3))
        >>> codes, real = np.arange(200) % 2, np.hstack([x[:, :1], -x[:, :1]])
        >>> round(explained_within(x, real, codes, np.arange(100), np.arange(100, 200)), 2)
        1.0
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    inputs, vectors, classes = np.asarray(x, np.float64), np.asarray(real, np.float64), np.asarray(codes)
    wrong = total = 0.0
    for one in np.unique(classes[asked]):
        known, told = train[classes[train] == one], asked[classes[asked] == one]
        model = make_pipeline(StandardScaler(), RidgeCV(STRENGTHS)).fit(inputs[known], vectors[known])
        wrong += float(np.square(model.predict(inputs[told]) - vectors[told]).sum())
        total += float(np.square(vectors[told] - vectors[known].mean(axis=0)).sum())
    return 1 - wrong / total
