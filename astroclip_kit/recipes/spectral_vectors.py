"""How much other numbers tell of the vectors of spectra beyond the class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["explained_within"]

FOLDS = 5
STRENGTHS = np.logspace(0, 6, 13)


def explained_within(x: npt.ArrayLike, real: npt.ArrayLike, codes: npt.ArrayLike, seed: int = 0) -> float:
    """The share of the variance of vectors inside their classes that follows from other numbers of the same objects.

    A ridge regression for each class reads the vectors off the numbers, so that nothing is gained, or lost, by telling
    the classes; each object is predicted from the other folds.

    Args:
        x: What is known of n objects that nothing was trained on [n, F], finite.
        real: Their vectors [n, D].
        codes: Number of the class of each [n]; classes of fewer than two objects per fold are left out.
        seed: Of the folds.

    Returns:
        At most 1; 0 is what the means of the classes reach, below 0 is worse. NaN where no class is large enough.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(200, 3))
        >>> codes, real = np.arange(200) % 2, np.hstack([x[:, :1], -x[:, :1]])
        >>> round(explained_within(x, real, codes), 2), explained_within(x, real, np.arange(200))
        (1.0, nan)
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import KFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    inputs, vectors, classes = np.asarray(x, np.float64), np.asarray(real, np.float64), np.asarray(codes)
    wrong = total = 0.0
    for one in np.unique(classes):
        own = np.flatnonzero(classes == one)
        if len(own) < 2 * FOLDS:
            continue
        for known, asked in KFold(FOLDS, shuffle=True, random_state=seed).split(own):
            model = make_pipeline(StandardScaler(), RidgeCV(STRENGTHS)).fit(inputs[own[known]], vectors[own[known]])
            wrong += float(np.square(model.predict(inputs[own[asked]]) - vectors[own[asked]]).sum())
            total += float(np.square(vectors[own[asked]] - vectors[own[known]].mean(axis=0)).sum())
    return 1 - wrong / total if total else float("nan")
