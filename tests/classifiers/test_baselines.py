import sys
import warnings

import numpy as np
import pytest
import torch
from small_stars import SPLIT, Stars

from astroclip_kit.classifiers import class_codes, fit_baseline, spectra_matrix, write_baseline
from astroclip_kit.classifiers.baselines import BASELINES, FOREST
from astroclip_kit.data.splits import divide
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings import Classification

RNG = np.random.default_rng(0)
CENTRES = 0.6 * RNG.normal(size=(3, 40))


def stars(count, share=(1 / 3, 1 / 3, 1 / 3), seed=0):
    rng = np.random.default_rng(seed)
    codes = np.append(np.arange(3), rng.choice(3, count - 3, p=share))
    return (1e3 + 5 * (CENTRES[codes] + rng.normal(size=(count, 40)))).astype(np.float32), codes


X, Y = stars(300)
ASKED, TRUE = stars(200, seed=1)


@pytest.fixture(autouse=True)
def small_forest(monkeypatch):
    monkeypatch.setitem(FOREST, "n_estimators", 40)


@pytest.mark.parametrize("kind", BASELINES)
def test_a_baseline_learns_and_says_how_sure_it_is(kind):
    p = np.asarray(fit_baseline(kind, X, Y, seed=0).predict_proba(ASKED))
    assert p.shape == (200, 3) and np.allclose(p.sum(axis=1), 1, atol=1e-5)
    assert (p.argmax(axis=1) == TRUE).mean() > 0.8
    again = np.asarray(fit_baseline(kind, X.astype(np.float64), Y, seed=0).predict_proba(ASKED))
    np.testing.assert_array_equal(p, again)
    other = np.asarray(fit_baseline(kind, X, Y, seed=1).predict_proba(ASKED))
    assert not np.array_equal(p, other)


def test_the_support_vector_machine_is_that_of_scikit_learn_on_standardised_inputs():
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    scale = StandardScaler().fit(X)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    plain = CalibratedClassifierCV(SVC(gamma=1 / 40), ensemble=False, cv=folds).fit(scale.transform(X), Y)
    found = fit_baseline("svm", X, Y, seed=0).predict_proba(ASKED)
    np.testing.assert_allclose(found, plain.predict_proba(scale.transform(ASKED)), atol=2e-3)


@pytest.mark.parametrize("kind", BASELINES)
def test_balanced_weights_find_more_of_a_rare_class(kind):
    x, y = stars(400, (0.55, 0.4, 0.05))
    rare = [
        (np.asarray(fit_baseline(kind, x, y, seed=0, class_weights=how).predict_proba(ASKED)).argmax(axis=1) == 2).sum()
        for how in ("", "balanced")
    ]
    assert rare[1] > rare[0]


def test_what_does_not_vary_says_nothing():
    x, asked = X.copy(), ASKED.copy()
    x[:, 3], asked[:, 3] = 7.1, 1e6
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p = fit_baseline("svm", x, Y, seed=0).predict_proba(asked)
    assert (p.argmax(axis=1) == TRUE).mean() > 0.8


def test_without_xgboost_the_way_out_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(UsageError, match=r"pip install astroclip_kit\[baselines\]"):
        fit_baseline("xgboost", X, Y, seed=0)


@pytest.mark.parametrize(
    ("x", "codes", "message"),
    [
        (X, Y[:-1], r"svm: expected inputs \[n, F\] and a class for each, found \(300, 40\) and \(299,\)"),
        (X[0], Y, r"found \(40,\)"),
        (X, Y.astype(float), "a class for each"),
        (np.where(X > 1010, np.nan, X), Y, "svm: found NaN or infinity"),
        (X, Y - 1, r"every class from 0 to C - 1, two or more, found \[-1, 0, 1\]"),
        (X, 2 * Y, r"found \[0, 2, 4\]"),
        (X, 0 * Y, r"found \[0\]"),
        (X[:5], np.array([0, 0, 0, 0, 1]), "a class has one training object only"),
    ],
)
def test_bad_input_is_refused(x, codes, message):
    with pytest.raises(InputError, match=message):
        fit_baseline("svm", x, codes, seed=0)


def test_what_it_sees_may_be_given(tmp_path):
    stars = Stars()
    stars.labels["class"] = np.where(stars.labels["class"] == "", "other", stars.labels["class"])
    codes = class_codes(stars, "class")[1]
    given = np.eye(codes.max() + 1, dtype=np.float32)[codes]
    settings = Classification(split=SPLIT)
    write_baseline("random_forest", stars, "spectrum", torch.nn.Identity(), settings, tmp_path / "forest", given)
    assert (np.load(tmp_path / "forest" / "probabilities.npy").argmax(axis=1) == codes).all()


def test_an_unknown_name_is_refused():
    with pytest.raises(UsageError, match="there is no baseline 'forest'"):
        fit_baseline("forest", X, Y, seed=0)
    with pytest.raises(UsageError, match="class_weights is 'equal'"):
        fit_baseline("svm", X, Y, seed=0, class_weights="equal")


class Survey:
    """What `spectra_matrix` needs of a Dataset."""

    object_ids = np.array([f"star{i}" for i in range(700)])

    def views(self, name, rows):
        if name == "table":
            return np.arange(700, dtype=np.float32)[rows, None] * np.ones(5, np.float32)
        spectra = np.ones((len(rows), 2, 12), np.float32)
        spectra[:, 0] = np.asarray(rows)[:, None]
        spectra[np.asarray(rows) == 600, 0, 3] = np.nan
        return spectra


def test_spectra_are_a_row_each_as_an_encoder_sees_them():
    survey, rows = Survey(), np.arange(599, 0, -1)
    flux = spectra_matrix(survey, "spectrum", rows)
    assert flux.shape == (599, 12) and flux.dtype == np.float32 and (flux == rows[:, None]).all()
    cut = spectra_matrix(survey, "spectrum", rows, lambda x: 2 * x[:, :1, :6].reshape(-1, 3, 2).double())
    assert cut.shape == (599, 6) and cut.dtype == np.float32 and (cut == 2 * rows[:, None]).all()
    assert spectra_matrix(survey, "table", [3, 1]).tolist() == [[3.0] * 5, [1.0] * 5]
    filled = spectra_matrix(survey, "spectrum", [600], torch.nan_to_num)
    assert filled.shape == (1, 24) and np.isfinite(filled).all()


def test_spectra_that_cannot_be_used_are_named():
    with pytest.raises(InputError, match="spectrum of 'star600': found NaN or infinity"):
        spectra_matrix(Survey(), "spectrum", np.arange(700))
    with pytest.raises(InputError, match="spectrum: expected at least one row, found none"):
        spectra_matrix(Survey(), "spectrum", [])


def test_what_a_baseline_says_of_all_objects_is_kept_and_the_training_side_alone_was_learned(tmp_path):
    stars = Stars()
    stars.labels["class"] = np.where(stars.labels["class"] == "", "other", stars.labels["class"])
    settings = Classification(split=SPLIT)
    write_baseline("svm", stars, "spectrum", torch.nn.Identity(), settings, tmp_path / "svm")
    said = np.load(tmp_path / "svm" / "probabilities.npy")
    codes, trained = class_codes(stars, "class")[1], divide(stars, SPLIT) == "train"
    x = spectra_matrix(stars, "spectrum", np.arange(len(stars)), torch.nn.Identity())
    fitted = fit_baseline("svm", x[trained], codes[trained], seed=0)
    np.testing.assert_allclose(said, fitted.predict_proba(x), atol=1e-12)
    assert (said.argmax(axis=1) == codes)[~trained].mean() > 0.8
