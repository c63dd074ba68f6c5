import warnings

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from astroclip_kit.classifiers import calibrate, fit_temperature, probabilities
from astroclip_kit.errors import InputError

RNG = np.random.default_rng(0)
LOGITS = 2 * RNG.normal(size=(3000, 3))
CODES = (LOGITS + RNG.gumbel(size=LOGITS.shape)).argmax(axis=1)  # drawn from softmax(LOGITS)


def loss(temperature, logits, codes):
    return -log_softmax(logits / temperature, axis=1)[np.arange(len(codes)), codes].mean()


def test_probabilities_add_up_and_keep_their_order():
    for temperature in (0.05, 1.0, 30.0):
        p = probabilities(1000 * LOGITS, temperature)  # no overflow
        np.testing.assert_allclose(p.sum(axis=1), 1)
        assert (p.argmax(axis=1) == LOGITS.argmax(axis=1)).all()


@pytest.mark.parametrize("scale", [0.02, 1.0, 7.0])
def test_the_temperature_undoes_a_scale_and_is_that_of_a_slow_search(scale):
    found = fit_temperature(scale * LOGITS, CODES)
    slow = minimize_scalar(loss, args=(scale * LOGITS, CODES), bounds=(0.01, 20), method="bounded").x
    assert found == pytest.approx(scale, rel=0.05) and found == pytest.approx(slow, rel=1e-3)


def test_objects_that_are_all_right_do_not_say_how_sure_to_be():
    with pytest.warns(UserWarning, match="all 3000 validation objects are classified rightly"):
        assert fit_temperature(LOGITS, LOGITS.argmax(axis=1)) == 1.0


def test_logits_worse_than_a_guess_become_equal():
    with pytest.warns(UserWarning, match="tell no more of the validation objects than a guess"):
        assert fit_temperature(-LOGITS, CODES) == 100.0
    np.testing.assert_allclose(probabilities(LOGITS, 100), 1 / 3, atol=0.03)


def test_errors_by_a_hair_do_not_lead_beyond_the_bounds():
    logits = np.where(np.eye(2)[[0, 1] * 50] > 0, 1e-4, 0.0)
    codes = np.array([0, 1] * 49 + [0, 0])
    assert fit_temperature(logits, codes) == 0.01


def test_a_class_that_is_absent_is_told():
    rows = CODES < 2
    with pytest.warns(UserWarning, match="no validation object is of the class number 2"):
        found = fit_temperature(LOGITS[rows], CODES[rows])
    assert found == pytest.approx(minimize_scalar(loss, args=(LOGITS[rows], CODES[rows]), bounds=(0.1, 9)).x, rel=1e-3)
    with pytest.warns(UserWarning, match="svm: no validation object is of the class 'M'; how sure to be of it"):
        assert "number" not in calibrate(lambda: LOGITS[rows], CODES[rows], "svm", ["EW", "RRAB", "M"]).note
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_temperature(LOGITS, CODES)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (LOGITS.argmax(axis=1), "svm: not calibrated: all 3000 validation objects are classified rightly"),
        (np.ones(30, dtype=int), "svm: not calibrated: all 30 validation objects are of one class"),
        (np.ones(0, dtype=int), "svm: not calibrated: no validation object has a class"),
    ],
)
def test_what_could_not_be_fitted_is_said_of_the_model(codes, message):
    with pytest.warns(UserWarning, match=message):
        found = calibrate(lambda: LOGITS, codes, "svm")
    assert found.temperature == 1.0 and not found.fitted and message.removeprefix("svm: not calibrated: ") in found.note


def test_a_temperature_that_was_fitted_is_marked():
    assert calibrate(lambda: LOGITS, CODES, "svm") == (fit_temperature(LOGITS, CODES), True, "")
    with pytest.warns(UserWarning, match="svm: the logits tell no more"):
        assert calibrate(lambda: -LOGITS, CODES, "svm").fitted


@pytest.mark.parametrize(
    ("logits", "codes", "message"),
    [
        (LOGITS[:3], CODES[:2], r"codes: expected 3 whole numbers, one for each row of logits, found shape \(2,\)"),
        (LOGITS[:3], [0.5, 1, 2], "codes: expected 3 whole numbers"),
        (LOGITS[:3], [0, 1, -1], "codes: expected numbers from 0 to 2. Leave out objects without a class"),
        (LOGITS[:3], [0, 1, 3], "codes: expected numbers from 0 to 2"),
        (LOGITS[:3], [1, 1, 1], "all 3 validation objects are of one class"),
        (LOGITS[:0], [], r"logits: expected finite numbers .* found \(0, 3\)"),
        (LOGITS[:, :1], CODES, "of two classes or more"),
        (np.where(LOGITS > 3, np.nan, LOGITS), CODES, "logits: expected finite numbers"),
    ],
)
def test_bad_input_is_refused(logits, codes, message):
    with pytest.raises(InputError, match=message):
        fit_temperature(logits, codes)


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan])
def test_no_temperature_is_refused(temperature):
    with pytest.raises(InputError, match="temperature: expected a number above 0"):
        probabilities(LOGITS, temperature)
