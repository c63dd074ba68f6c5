"""The published numbers of IICnet hang together: its table follows from its confusion matrix."""

import numpy as np
import pytest

from astroclip_kit.metrics import class_scores
from astroclip_kit.recipes.published_wise import CLASSES, COSTS, FINDING, IICNET, LIKE_PRINTED, MATRIX, SIDES

METRICS = ("precision", "recall", "specificity", "f1", "one_vs_rest_accuracy")


def test_the_confusion_matrix_gives_every_cell_of_the_table():
    """F1 of precision and recall as they are printed; from the counts two of three are another."""
    scores = class_scores(MATRIX)
    exact = []
    for number, name in enumerate(CLASSES):
        printed = dict(zip(METRICS, LIKE_PRINTED[name], strict=True))
        found = {metric: round(100 * float(scores[metric][number]), 1) for metric in METRICS}
        exact.append(found.pop("f1"))
        precision, recall = printed["precision"], printed["recall"]
        assert {**found, "f1": round(2 * precision * recall / (precision + recall), 1)} == printed, name
    assert exact == [94.2, 96.8, 94.6]


def test_the_confusion_matrix_is_of_the_validation_side():
    counts = np.array(MATRIX)
    assert counts.T.tolist() == [[680, 9, 24], [16, 700, 9], [34, 12, 689]]  # as Figure 18 shows it
    assert tuple(counts.sum(axis=1).tolist()) == SIDES["validation"] != SIDES["test"]
    assert counts.sum() - np.trace(counts) == 104
    assert round(np.trace(counts) / counts.sum(), 4) == 0.9521


def test_the_finding_says_so_in_words():
    for words in ("104 errors", "94.6 %, printed 94.5", "730, 721 and 722", "0.9521", "against the rest"):
        assert words in FINDING


@pytest.mark.parametrize(
    ("task", "name", "metric", "value"),
    [
        ("iicnet", "class:galaxy", "precision", 0.954),
        ("iicnet", "class:qso", "one_vs_rest_accuracy", 0.979),
        ("iicnet", "class:star", "f1", 0.945),
        ("iicnet", "class", "accuracy", 0.9521),
        ("iicnet", "class", "auc", 0.99),
        ("iicnet", "class", "share_wrong", 0.0479),
        ("iicnet", "class", "share_right_but_unsure", 0.0064),
        ("iicnet", "", "thop_at_80_px", 218.66e6),
        ("vgg16", "", "thop_at_224_px", 15.5e9),
        ("mobilenet", "", "parameters", 3.22e6),
        ("samples", "class:qso", "probability", 0.975557),
        ("paired", "class", "accuracy_difference", -0.01),
    ],
)
def test_every_row_of_the_paper_is_there(task, name, metric, value):
    [found] = [one for one in IICNET if (one.task, one.property, one.metric) == (task, name, metric)]
    assert found.value == pytest.approx(value) and np.isnan(found.spread)


def test_numbers_are_there_once_and_say_where_they_stand():
    assert len({one.key for one in IICNET}) == len(IICNET) == 15 + 4 + 3 + 1 + 2 * len(COSTS)
    assert all("arXiv:2305.10217" in one.source for one in IICNET)
