"""Classical classifiers to compare with: a support vector machine, gradient-boosted trees and a random forest.

Of spectra they take what `spectra_matrix` makes of a dataset with the preprocessing of an encoder, so that they see
what it sees; of light curves, the features of `encoders.LightCurveFeatures`. They are fitted in seconds: what they say
is kept (`write_baseline`), they are not. Principal components before the support vector machine would cost more than
they save, and tell less (benchmarks/README.md, which also says why the trees are as they are).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from .classes import class_weighting, shown_codes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import torch

    from ..data import Dataset
    from ..settings import Classification

__all__ = ["BASELINES", "Baseline", "fit_baseline", "spectra_matrix", "write_baseline"]

BASELINES = ("svm", "xgboost", "random_forest")
BATCH = 512  # spectra that are preprocessed at once
FOLDS = 5  # of the probabilities of the support vector machine
TREES: dict[str, Any] = {"n_estimators": 200, "learning_rate": 0.1, "max_depth": 4, "subsample": 0.8, "max_bin": 64}
FOREST: dict[str, Any] = {"n_estimators": 300, "min_samples_leaf": 2}
COLUMNS = 100  # inputs that each tree sees at least, of more than 1,000 a tenth
Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]


class Baseline(Protocol):
    """What was fitted."""

    def predict_proba(self, x: Any) -> Any:
        """Probability of each class [n, C] of inputs [n, F]."""


def fit_baseline(
    kind: str, x: npt.NDArray[np.floating[Any]], codes: npt.ArrayLike, *, seed: int, class_weights: str = ""
) -> Baseline:
    """Fits a classical classifier.

    Args:
        kind: "svm" (radial basis functions on standardised inputs, C = 1; probabilities by Platt's sigmoid over five
            folds), "xgboost" (the extra `baselines`) or "random_forest" (300 trees).
        x: Inputs of the training objects [n, F], finite.
        codes: Number of the class of each [n], from 0 to C - 1, each of which occurs.
        seed: Of the folds and of the trees.
        class_weights: "balanced" weighs objects by the inverse of the frequency of their class.

    Returns:
        An object with ``predict_proba(x)``, [n, C].

    Raises:
        InputError: If shapes do not fit, a value is not finite, a class does not occur, or has too few objects.
        UsageError: If there is no such baseline or weighting, or xgboost is not installed.
    """
    if kind not in BASELINES:
        raise UsageError(f"there is no baseline {kind!r}. One of: {', '.join(BASELINES)}.")
    inputs, y = np.asarray(x, dtype=np.float32), np.asarray(codes)
    if inputs.ndim != 2 or y.shape != inputs.shape[:1] or not len(y) or y.dtype.kind not in "iu":
        raise InputError(f"{kind}: expected inputs [n, F] and a class for each, found {inputs.shape} and {y.shape}.")
    if not np.isfinite(inputs).all():
        raise InputError(f"{kind}: found NaN or infinity in the inputs. Leave such objects out first.")
    if y.min() < 0 or y.max() < 1 or not (counts := np.bincount(y)).all():
        raise InputError(f"{kind}: expected every class from 0 to C - 1, two or more, found {np.unique(y).tolist()}.")
    weights = class_weighting(y.astype(np.int64), len(counts), class_weights)
    each = None if weights is None else weights.numpy()[y]
    return {"svm": _svm, "xgboost": _xgboost, "random_forest": _forest}[kind](inputs, y, each, seed)


def spectra_matrix(
    dataset: Dataset,
    modality: str,
    rows: npt.ArrayLike,
    preprocess: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> Floats:
    """Spectra as an encoder sees them, a row of numbers each.

    Args:
        dataset: Where they are.
        modality: Their name; a table of numbers does as well.
        rows: Row numbers [n], each of which has the modality.
        preprocess: What prepares raw views [B, ...], as the encoder's ``preprocess``; by default the first channel of
            a spectrum (its flux), or the view as it is.

    Returns:
        Float32 [n, F].

    Raises:
        InputError: If there is no such modality, a row lacks it, or a number is not finite.
    """
    import torch

    numbers = np.asarray(rows, dtype=np.int64)
    parts = []
    for start in range(0, len(numbers), BATCH):
        some = numbers[start : start + BATCH]
        views = torch.from_numpy(np.ascontiguousarray(dataset.views(modality, some)))
        with torch.inference_mode():
            seen = preprocess(views) if preprocess is not None else views[:, 0] if views.ndim == 3 else views
        x = seen.flatten(1).float().numpy()
        if not (finite := np.isfinite(x).all(axis=1)).all():
            first = str(dataset.object_ids[some[~finite][0]])
            raise InputError(f"{modality} of {first!r}: found NaN or infinity. Fill or leave it out first.")
        parts.append(x)
    if not parts:
        raise InputError(f"{modality}: expected at least one row, found none.")
    return np.concatenate(parts)


def write_baseline(
    kind: str,
    dataset: Dataset,
    modality: str,
    preprocess: Callable[[torch.Tensor], torch.Tensor],
    settings: Classification,
    out: Path,
    x: Floats | None = None,
) -> None:
    """Fits a classical classifier to the training side of a dataset, and keeps what it says of all objects.

    Args:
        kind: As of `fit_baseline`.
        dataset: All of whose objects have the modality and the class.
        modality: What it sees.
        preprocess: Of the encoder that it is compared with.
        settings: Label, split, weights of the classes, and the seed of ``training``.
        out: Gets ``probabilities.npy`` float64 [N, C].
        x: Other inputs [N, F] than what the encoder sees: features of light curves, which are no matrix.

    Raises:
        InputError: As `fit_baseline`.
        UsageError: As `fit_baseline`.
    """
    from ..data.splits import divide
    from ..storage import new_folder, write_manifest

    codes, trained = shown_codes(dataset, settings)[1], divide(dataset, settings.split) == "train"
    x = spectra_matrix(dataset, modality, np.arange(len(codes)), preprocess) if x is None else x
    seed, weights = settings.training.seed, settings.class_weights
    fitted = fit_baseline(kind, x[trained], codes[trained], seed=seed, class_weights=weights)
    with new_folder(out, "probabilities") as folder:
        np.save(folder / "probabilities.npy", np.asarray(fitted.predict_proba(x), dtype=np.float64))
        about = {"method": kind, "modality": modality, "counts": {"train": int(trained.sum())}}
        write_manifest(folder, "probabilities", about)


@dataclass(frozen=True)
class _Machine:
    """A support vector machine on the kernel between inputs and training objects, which BLAS computes.

    libsvm computes the same kernel one row at a time.

    Args:
        mean: Of the training objects [F].
        std: Of the training objects [F]; infinite for what does not vary.
        memory: Standardised training objects [n, F].
        model: Fitted to the kernel [n, n] of the training objects.
    """

    mean: Floats
    std: Floats
    memory: Floats
    model: Any

    def predict_proba(self, x: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Probability of each class [n, C] of inputs [n, F]."""
        z = (np.asarray(x, dtype=np.float32) - self.mean) / self.std
        return np.asarray(self.model.predict_proba(_kernel(z, self.memory)), dtype=np.float64)


def _kernel(z: Floats, memory: Floats) -> Floats:
    from sklearn.metrics.pairwise import rbf_kernel

    return np.asarray(rbf_kernel(z, memory, gamma=1 / memory.shape[1]), dtype=np.float32)


def _svm(x: Floats, y: Codes, weights: Floats | None, seed: int) -> Baseline:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import SVC

    if (least := int(np.bincount(y).min())) < 2:
        raise InputError("svm: a class has one training object only, expected two or more to calibrate probabilities.")
    mean, std = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
    std = np.where(std > 1e-6 * np.abs(mean), std, np.inf)  # what does not vary says nothing
    mean, std = mean.astype(np.float32), std.astype(np.float32)
    memory = (x - mean) / std
    folds = StratifiedKFold(min(FOLDS, least), shuffle=True, random_state=seed)
    model = CalibratedClassifierCV(SVC(kernel="precomputed"), ensemble=False, cv=folds)
    return _Machine(mean, std, memory, model.fit(_kernel(memory, memory), y, sample_weight=weights))


def _xgboost(x: Floats, y: Codes, weights: Floats | None, seed: int) -> Baseline:
    try:
        from xgboost import XGBClassifier
    except ImportError as error:
        message = "xgboost is not installed: pip install astroclip_kit[baselines], or leave this baseline out."
        raise UsageError(message) from error
    share = min(1.0, max(0.1, COLUMNS / x.shape[1]))
    model: Baseline = XGBClassifier(random_state=seed, colsample_bytree=share, **TREES).fit(x, y, sample_weight=weights)
    return model


def _forest(x: Floats, y: Codes, weights: Floats | None, seed: int) -> Baseline:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.feature_selection import VarianceThreshold
    from sklearn.pipeline import Pipeline

    varying, forest = VarianceThreshold(), RandomForestClassifier(random_state=seed, **FOREST)
    model = Pipeline([("varying", varying), ("forest", forest)])  # features of a band that nobody has are all the same
    fitted: Baseline = model.fit(x, y, forest__sample_weight=weights)
    return fitted
