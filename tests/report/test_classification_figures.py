import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from astroclip_kit.classifiers import judge
from astroclip_kit.downstream.calibration import calibration_error, confidence
from astroclip_kit.errors import InputError
from astroclip_kit.report import figures
from astroclip_kit.report.classifier_figures import Said, classifier_figures

NAMES = np.array(["GALAXY", "QSO", "STAR"])
RNG = np.random.default_rng(1)
TRUE = NAMES[RNG.integers(0, 3, 300)]
RAW = RNG.uniform(0.1, 1, (300, 3)) + 0.3 * (TRUE[:, None] == NAMES)
SCORES = np.round(RAW / RAW.sum(1, keepdims=True), 2)  # with ties
SCORES /= SCORES.sum(1, keepdims=True)


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_confusion_matrix_counts_true_by_predicted():
    figure = figures.confusion_matrix(["a", "a", "b"], ["a", "b", "b"], title="spectra")
    axes, bar = figure.axes
    assert [text.get_text() for text in axes.texts] == ["1", "1", "0", "1"]
    assert axes.get_title() == "spectra\naccuracy 0.667, balanced 0.750, n = 3"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")
    assert bar.get_ylabel() == "share of the true class"


def test_many_classes_are_drawn_without_numbers_that_would_overlap():
    many = [f"class {number:02d}" for number in range(20)]
    figure = figures.confusion_matrix(many, many)
    assert not figure.axes[0].texts and figure.get_size_inches()[0] <= 6.95
    assert figure.axes[0].get_xticklabels()[0].get_rotation() == 45
    assert len(figures.confusion_matrix(["a"], ["a"]).axes[0].texts) == 1


@pytest.mark.parametrize(
    ("true", "said", "message"),
    [
        (["a"], [], "predicted: expected at least one class"),
        (["a"], ["a", "b"], "equal lengths"),
        (["a", ""], ["a", "b"], "true: found objects without a class"),
        ([1.0, np.nan], ["a", "b"], "true: found objects without a class"),
    ],
)
def test_confusion_is_guarded(true, said, message):
    with pytest.raises(InputError, match=message):
        figures.confusion_matrix(true, said)


def test_roc_curves_say_the_area_and_its_interval():
    figure = figures.roc_curves(TRUE, SCORES, NAMES, n_boot=20, title="spectra")
    assert legend(figure)[-1] == "guessing: 0.500"
    area = roc_auc_score(TRUE == "QSO", SCORES[:, 1])
    low, high = (float(x) for x in legend(figure)[1].split("(")[1].split(")")[0].split(" to "))
    assert legend(figure)[1].startswith(f"QSO: AUC {area:.3f} (") and low <= area <= high
    line = figure.axes[0].lines[1]
    assert np.trapezoid(line.get_ydata(), line.get_xdata()) == pytest.approx(area)
    assert figure.axes[0].get_xlabel() == "false positive rate (others that pass)"
    assert len({line.get_color() for line in figure.axes[0].lines}) == 4


def test_intervals_of_a_classifier_are_those_of_its_results():
    groups = np.repeat(np.arange(150), 2).astype(str)
    about = {"task": "svm", "query": "spectrum", "dataset": "sky", "origin": "mock"}
    found = judge(TRUE, SCORES, NAMES, label="class", groups=groups, seed=3, **about)
    drawn = classifier_figures(Said("svm", "spectrum", groups, groups, TRUE, NAMES, SCORES), seed=3)
    for kind, metric, called in (("ROC", "auc", "AUC"), ("Precision", "average_precision", "AP")):
        lines = legend(next(figure for caption, figure in drawn.items() if caption.startswith(kind)))
        [one] = [one for one in found if (one.property, one.metric) == ("class:QSO", metric)]
        assert f"QSO: {called} {one.value:.3f} ({one.low:.3f} to {one.high:.3f}), n = {one.n}" in lines


def test_whole_groups_are_drawn_for_intervals():
    def width(**more):
        text = legend(figures.roc_curves(TRUE, SCORES, NAMES, n_boot=60, **more))[0]
        low, high = text.split("(")[1].split(")")[0].split(" to ")
        return float(high) - float(low)

    doubled = np.repeat(np.arange(150), 2)
    assert width(groups=doubled) != width()
    with pytest.raises(InputError, match="300 true, 2 groups"):
        figures.roc_curves(TRUE, SCORES, NAMES, groups=[1, 2])


def test_precision_and_recall_with_what_guessing_reaches():
    figure = figures.precision_recall_curves(TRUE, SCORES, NAMES, n_boot=20)
    found = average_precision_score(TRUE == "STAR", SCORES[:, 2])
    assert legend(figure)[2].startswith(f"STAR: AP {found:.3f} (")
    assert figure.axes[0].lines[1].get_ydata()[0] == pytest.approx((TRUE == "GALAXY").mean())
    assert figure.axes[0].get_ylabel() == "precision (members among what passes)"


@pytest.mark.parametrize("draw", [figures.roc_curves, figures.precision_recall_curves])
def test_a_class_that_does_not_occur_has_no_curve_and_one_class_alone_none_at_all(draw):
    rows = TRUE != "STAR"
    assert not any("STAR" in text for text in legend(draw(TRUE[rows], SCORES[rows], NAMES, n_boot=5)))
    with pytest.raises(InputError, match="needs two classes among the objects, found only 'QSO'"):
        draw(["QSO", "QSO"], SCORES[:2], NAMES)


@pytest.mark.parametrize("draw", [figures.roc_curves, figures.precision_recall_curves, figures.reliability_diagram])
@pytest.mark.parametrize(
    ("true", "scores", "message"),
    [
        (["QSO"], [[0.5, 0.5]], r"probabilities: expected shape \(1, 3\), found \(1, 2\)"),
        (["QSO"], [[0.5, 0.6, -0.1]], "below 0 or above 1"),
        (["QSO"], [[0.5, np.nan, 0.5]], "probabilities: found NaN"),
        (["NOVA"], [[0.5, 0.5, 0.0]], "no column for class 'NOVA'; there is: GALAXY, QSO, STAR"),
        ([], np.zeros((0, 3)), "true: expected at least one class"),
    ],
)
def test_curves_are_guarded(draw, true, scores, message):
    with pytest.raises(InputError, match=message):
        draw(true, scores, NAMES)


def test_reliability_says_the_error_that_is_in_the_results():
    figure = figures.reliability_diagram(TRUE, SCORES, NAMES, title="spectra")
    main, below = figure.axes
    error = calibration_error(*confidence(SCORES, NAMES, TRUE))
    assert f"ECE = {error:.3f}" in main.texts[0].get_text() and "n = 300" in main.texts[0].get_text()
    assert sum(bar.get_height() for bar in below.patches) == 300
    assert below.get_xlabel() == "probability of the predicted class" and below.get_ylabel() == "objects"


def test_coverage_measured_against_wanted():
    axes = figures.coverage_curve([0.9, 0.5], [0.88, 0.52], [0.85, 0.45], [0.9, 0.6], title="z").axes[0]
    np.testing.assert_allclose(axes.lines[1].get_xdata(), [0.5, 0.9])  # in order
    assert axes.get_ylabel() == "coverage measured (share of objects)"
    with pytest.raises(InputError, match="measured: expected shares from 0 to 1, found 88 to 88"):
        figures.coverage_curve([0.9], [88], [85], [90])
    with pytest.raises(InputError, match="1 wanted, 2 measured"):
        figures.coverage_curve([0.9], [0.8, 0.9], [0.8], [0.9])


def test_coverage_by_bin_shows_what_was_wanted():
    figure = figures.coverage_by_bin(["a", "b"], [0.9, 0.6], [0.8, 0.5], [0.95, 0.7], wanted=0.9, name="z")
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b"] and axes.get_ylabel() == "z"
    assert legend(figure) == ["wanted: 0.9", "measured, 95 %"]
    with pytest.raises(InputError, match="low: found NaN"):
        figures.coverage_by_bin(["a"], [0.9], [np.nan], [1.0], wanted=0.9)
    with pytest.raises(InputError, match="measured: expected numbers"):
        figures.coverage_by_bin([], [], [], [], wanted=0.9)
