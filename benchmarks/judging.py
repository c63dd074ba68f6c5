"""The classical baselines beside their plain ways on a dataset of spectra, and `judge` beside scikit-learn in a loop.

The support vector machine is that of `fit_baseline` (one kernel from BLAS for all folds of its probabilities), libsvm
on the same inputs (which must say the same), and on principal components; XGBoost is that of `fit_baseline` and as it
comes. Spectra are scaled to 0 .. 1, a random part trains and the others are judged: macro F1 and the logarithmic loss,
mean over the splits, and processor time, which does not count what waits for other work.

    python benchmarks/judging.py DATASET [--label class] [--train 0.7] [--splits 2] [--seed 0]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn import metrics as sk
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from xgboost import XGBClassifier

import astroclip_kit as ak
from astroclip_kit.classifiers import class_codes, fit_baseline, judge, spectra_matrix
from astroclip_kit.metrics import bootstrap
from astroclip_kit.transforms import MinMax

COMPONENTS = (30, 100, 300)
LOOPED = 20  # resamples of the loop, whose time is multiplied up
Fit = Callable[[np.ndarray, np.ndarray, int], Any]


def plain_machine(x: np.ndarray, y: np.ndarray, seed: int, components: int = 0) -> Any:
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    kernel = SVC(gamma="scale" if components else 1 / x.shape[1], cache_size=500)
    machine = CalibratedClassifierCV(kernel, ensemble=False, cv=folds)
    reduce = [PCA(components, random_state=seed)] if components else []
    return make_pipeline(StandardScaler(), *reduce, machine).fit(x, y)


def ways(train: int) -> Iterator[tuple[str, Fit]]:
    yield "svm", lambda x, y, seed: fit_baseline("svm", x, y, seed=seed)
    yield "svm, libsvm alone", plain_machine
    for count in COMPONENTS:
        if count < 0.8 * train:
            yield f"svm, {count} components", lambda x, y, seed, k=count: plain_machine(x, y, seed, k)
    yield "xgboost", lambda x, y, seed: fit_baseline("xgboost", x, y, seed=seed)
    yield "xgboost as it comes", lambda x, y, seed: XGBClassifier(random_state=seed).fit(x, y)


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    return call(), time.process_time() - start


def looped(true: np.ndarray, p: np.ndarray) -> list[float]:
    """The numbers of `judge`, each of scikit-learn, of one resample."""
    said = p.argmax(axis=1)
    of_class = sk.precision_recall_fscore_support(true, said, zero_division=0)
    macro = sk.precision_recall_fscore_support(true, said, average="macro", zero_division=0)
    rest = [(true == k, p[:, k]) for k in np.unique(true)]
    areas = [score(*one) for score in (sk.roc_auc_score, sk.average_precision_score) for one in rest]
    plain = sk.accuracy_score(true, said), sk.balanced_accuracy_score(true, said)
    return [*np.concatenate(of_class[:3]), *macro[:3], *plain, *areas]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--modality", default="spectrum")
    parser.add_argument("--label", default="class")
    parser.add_argument("--train", type=float, default=0.7, help="share of the objects that trains")
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dataset = ak.Dataset(options.dataset)
    names, codes = class_codes(dataset, options.label)
    rows = np.flatnonzero((codes >= 0) & dataset.present(options.modality))
    x, y = spectra_matrix(dataset, options.modality, rows, lambda views: MinMax()(views)[:, 0]), codes[rows]
    groups = np.unique(dataset.groups[rows], return_inverse=True)[1]
    drawn = [
        np.random.default_rng(options.seed + k).random(groups.max() + 1) < options.train for k in range(options.splits)
    ]
    train = int(drawn[0][groups].sum())
    print(f"{len(y)} objects, {train} train; {x.shape[1]} pixels; load {os.getloadavg()[0]:.1f}\n")
    print(f"{'':24} macro F1   log loss    fit [s]  predict [s]")
    said: dict[str, np.ndarray] = {}
    for name, fit in ways(train):
        numbers = []
        for k, chosen in enumerate(drawn):
            inside = chosen[groups]
            model, fitting = timed(lambda: fit(x[inside], y[inside], k))  # noqa: B023
            p, asking = timed(lambda: np.asarray(model.predict_proba(x[~inside]), dtype=np.float64))  # noqa: B023
            p /= p.sum(axis=1, keepdims=True)
            said[name] = p
            f1 = sk.f1_score(y[~inside], p.argmax(axis=1), average="macro")
            numbers.append((f1, sk.log_loss(y[~inside], p, labels=range(len(names))), fitting, asking))
        print("{:24} {:8.4f} {:10.4f} {:10.1f} {:12.2f}".format(name, *np.mean(numbers, axis=0)), flush=True)
    assert np.abs(said["svm"] - said["svm, libsvm alone"]).max() < 0.02
    p, true = said["svm"], y[~inside]
    about: dict[str, Any] = {"task": "svm", "query": "spectrum", "dataset": "", "origin": "mock"}
    found, ours = timed(lambda: judge(np.asarray(names)[true], p, names, label=options.label, **about))
    _, loop = timed(lambda: bootstrap(looped, [true, p], n_boot=LOOPED))
    loop *= 1000 / LOOPED
    print(f"\njudge: {len(found)} numbers of {len(p)} objects, 1,000 resamples: {ours:.2f} s; in a loop {loop:.1f} s")


if __name__ == "__main__":
    main()
