import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from astroclip_kit.downstream.calibration import binned_error
from astroclip_kit.downstream.tally import Tally, binned_errors

RNG = np.random.default_rng(0)
TRUE, SAID, SURE = RNG.integers(0, 3, 80), RNG.integers(0, 3, 80), RNG.uniform(0.3, 1, 80)
ROWS = RNG.integers(0, 80, (5, 80))
DRAWN = np.stack([np.bincount(rows, minlength=80) for rows in ROWS], axis=1).astype(float)


def test_the_counts_of_all_resamples_are_those_of_each():
    counts = Tally(TRUE, SAID, 4).counts(DRAWN)  # a class that nobody has
    expected = [confusion_matrix(TRUE[rows], SAID[rows], labels=range(4)) for rows in ROWS]
    np.testing.assert_array_equal(counts, expected)
    scores = Tally(TRUE, SAID, 4).scores(DRAWN)
    assert scores["recall"].shape == (5, 4) and scores["accuracy"] == pytest.approx(
        [np.mean(TRUE[rows] == SAID[rows]) for rows in ROWS]
    )


def test_the_calibration_errors_of_all_resamples_are_those_of_each():
    right = TRUE == SAID
    expected = [binned_error(SURE[rows], right[rows]) for rows in ROWS]
    np.testing.assert_allclose(binned_errors(SURE, right, DRAWN), expected)
