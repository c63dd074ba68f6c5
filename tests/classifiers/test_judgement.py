import math

import numpy as np
import pytest
from sklearn import metrics as sk

from astroclip_kit import metrics
from astroclip_kit.classifiers import judge
from astroclip_kit.classifiers.judgement import CLASS_METRICS, METRICS
from astroclip_kit.downstream.calibration import calibration_interval, confidence
from astroclip_kit.errors import InputError

RNG = np.random.default_rng(2)
CLASSES = ["a", "bs", "bhb"]  # not in alphabetical order
TRUE = RNG.choice(CLASSES, 240, p=[0.6, 0.3, 0.1])
RAW = RNG.uniform(0.1, 1, (240, 3)) + 0.5 * (TRUE[:, None] == CLASSES)
P = RAW / RAW.sum(axis=1, keepdims=True)
SAID = np.array(CLASSES)[P.argmax(axis=1)]
GROUPS = np.arange(240) // 2
ABOUT = {"label": "class", "task": "batmm", "query": "image+spectrum", "dataset": "stars", "origin": "mock"}
FOUND = {(one.property, one.metric): one for one in judge(TRUE, P, CLASSES, groups=GROUPS, n_boot=60, seed=4, **ABOUT)}


def one_vs_rest(score, true, p):
    return np.mean([score(true == name, p[:, CLASSES.index(name)]) for name in CLASSES])


SLOW = {
    "macro_precision": lambda y, p, s: sk.precision_score(y, s, average="macro", zero_division=0),
    "macro_recall": lambda y, p, s: sk.recall_score(y, s, average="macro", zero_division=0),
    "macro_f1": lambda y, p, s: sk.f1_score(y, s, average="macro", zero_division=0),
    "accuracy": lambda y, p, s: sk.accuracy_score(y, s),
    "balanced_accuracy": lambda y, p, s: sk.balanced_accuracy_score(y, s),
    "auc": lambda y, p, s: one_vs_rest(sk.roc_auc_score, y, p),
    "average_precision": lambda y, p, s: one_vs_rest(sk.average_precision_score, y, p),
    "brier": lambda y, p, s: np.square(p - (y[:, None] == CLASSES)).sum(axis=1).mean(),
}
OF_CLASS = {
    "precision": lambda y, p, s: sk.precision_score(y, s),
    "recall": lambda y, p, s: sk.recall_score(y, s),
    "f1": lambda y, p, s: sk.f1_score(y, s),
    "specificity": lambda y, p, s: sk.recall_score(~y, ~s),
    "one_vs_rest_accuracy": lambda y, p, s: sk.accuracy_score(y, s),
    "auc": lambda y, p, s: sk.roc_auc_score(y, p),
    "average_precision": lambda y, p, s: sk.average_precision_score(y, p),
}


@pytest.mark.parametrize("metric", SLOW)
def test_all_classes_together_are_judged_as_by_scikit_learn_in_a_loop(metric):
    one = FOUND["class", metric]
    assert one.value == pytest.approx(SLOW[metric](TRUE, P, SAID))
    loop = metrics.bootstrap(SLOW[metric], [TRUE, P, SAID], n_boot=60, seed=4, groups=GROUPS)
    assert (one.low, one.high) == pytest.approx(loop) and one.n == 240 and one.low < one.value < one.high


@pytest.mark.parametrize("metric", CLASS_METRICS)
def test_each_class_is_judged_as_by_scikit_learn_in_a_loop(metric):
    one = FOUND["class:bhb", metric]
    arrays = [TRUE == "bhb", P[:, 2], SAID == "bhb"]
    assert one.value == pytest.approx(OF_CLASS[metric](*arrays)) and one.n == (TRUE == "bhb").sum()
    loop = metrics.bootstrap(OF_CLASS[metric], arrays, n_boot=60, seed=4, groups=GROUPS)
    assert (one.low, one.high) == pytest.approx(loop)


def test_the_calibration_error_is_that_of_every_other_prediction():
    sure, right = confidence(P, np.array(CLASSES), TRUE)
    ends = metrics.bootstrap(lambda s, r: calibration_of(s, r), [sure, right], n_boot=60, seed=4, groups=GROUPS)
    expected = calibration_interval(sure, right, GROUPS, (ends[1] - ends[0]) / 2)
    one = FOUND["class", "ece"]
    assert (one.value, one.low, one.high) == pytest.approx(expected) and math.isnan(one.chance)


def calibration_of(sure, right):
    place = np.clip(np.ceil(sure * 15).astype(int) - 1, 0, 14)
    return sum(abs((right - sure)[place == k].sum()) for k in range(15)) / len(sure)


def test_temperature_scaling_is_seen_before_and_after():
    sharp = P**6 / (P**6).sum(axis=1, keepdims=True)  # as sure as it is right
    both = {one.metric: one for one in judge(TRUE, sharp, CLASSES, uncalibrated=P, n_boot=20, **ABOUT)[:10]}
    assert tuple(both) == METRICS and both["ece_uncalibrated"].value > both["ece"].value + 0.1
    alone = {one.metric: one for one in judge(TRUE, P, CLASSES, n_boot=20, **ABOUT)[:9]}
    assert alone["ece"].value == both["ece_uncalibrated"].value and "ece_uncalibrated" not in alone


def test_results_say_what_was_judged():
    one = FOUND["class", "macro_f1"]
    assert (one.task, one.query, one.target, one.space) == ("batmm", "image+spectrum", "image+spectrum", "supervised")
    assert (one.seed, one.dataset, one.origin) == (4, "stars", "mock")
    assert {name for name, _ in FOUND} == {"class", *(f"class:{name}" for name in CLASSES)}
    other = judge(TRUE, P, CLASSES, n_boot=5, **ABOUT, space="aligned")[0]
    assert other.space == "aligned"


def test_chance_is_whoever_knows_only_how_frequent_classes_are():
    share = {name: float((TRUE == name).mean()) for name in CLASSES}
    constant = np.full(len(TRUE), "a")
    assert FOUND["class", "macro_f1"].chance == pytest.approx(sk.f1_score(TRUE, constant, average="macro"))
    assert FOUND["class", "accuracy"].chance == pytest.approx(share["a"])
    assert FOUND["class", "balanced_accuracy"].chance == pytest.approx(1 / 3)
    assert FOUND["class", "auc"].chance == FOUND["class:bs", "auc"].chance == 0.5
    frequent = np.tile([share[name] for name in CLASSES], (len(TRUE), 1))
    assert FOUND["class", "brier"].chance == pytest.approx(SLOW["brier"](TRUE, frequent, None))
    guessed = {name: FOUND["class:bhb", name].chance for name in ("precision", "recall", "f1", "average_precision")}
    assert guessed == pytest.approx(dict.fromkeys(guessed, share["bhb"]))
    assert FOUND["class:bhb", "specificity"].chance == pytest.approx(1 - share["bhb"])
    at_random = sum(part**2 for part in (share["bhb"], 1 - share["bhb"]))
    assert FOUND["class:bhb", "one_vs_rest_accuracy"].chance == pytest.approx(at_random)


def test_what_is_always_right_is_not_certain():
    sure = (TRUE[:, None] == CLASSES).astype(float)
    found = {(one.property, one.metric): one for one in judge(TRUE, sure, CLASSES, n_boot=20, **ABOUT)}
    assert found["class", "accuracy"].value == 1 and found["class", "accuracy"].low == metrics.wilson(1, 240)[0]
    count = int((TRUE == "bhb").sum())
    assert found["class:bhb", "recall"].low == pytest.approx(metrics.wilson(1, count)[0])
    assert found["class:bhb", "specificity"].low == pytest.approx(metrics.wilson(1, 240 - count)[0])
    assert found["class:bhb", "one_vs_rest_accuracy"].low == metrics.wilson(1, 240)[0]
    assert found["class", "auc"].value == 1


def test_a_class_that_does_not_occur_is_not_judged_but_may_be_said_wrongly():
    rows = TRUE != "bhb"
    found = {(one.property, one.metric): one for one in judge(TRUE[rows], P[rows], CLASSES, n_boot=20, **ABOUT)}
    assert ("class:bhb", "recall") not in found and ("class:bs", "recall") in found
    expected = sk.f1_score(TRUE[rows], SAID[rows], average="macro", zero_division=0)
    assert found["class", "macro_f1"].value == pytest.approx(expected)


def test_one_class_alone_has_no_curve():
    found = judge(["a"] * 4, [[0.7, 0.2, 0.1]] * 4, CLASSES, n_boot=5, **ABOUT)
    assert not {one.metric for one in found} & {"auc", "average_precision", "specificity"}
    assert {one.value for one in found if one.metric in ("accuracy", "recall")} == {1.0}


@pytest.mark.parametrize(
    ("true", "p", "message"),
    [
        (["a", "nova"], P[:2], "true: the class 'nova' is none of those judged: a, bs, bhb"),
        (["a"], P[:2], r"probabilities: expected \(1, 3\) \(objects, classes\), found \(2, 3\)"),
        (["a", "a"], 2 * P[:2], "probabilities: expected numbers from 0 that add up to 1"),
        ([], P[:0], r"found \(0, 3\)"),
    ],
)
def test_bad_input_is_refused(true, p, message):
    with pytest.raises(InputError, match=message):
        judge(true, p, CLASSES, **ABOUT)
    with pytest.raises(InputError, match="found 240 rows and 3 groups"):
        judge(TRUE, P, CLASSES, groups=[1, 2, 3], **ABOUT)
