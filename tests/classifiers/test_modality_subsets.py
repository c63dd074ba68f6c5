"""A classifier that is shown some of the modalities of the objects."""

import numpy as np
import pytest
import torch
from small_stars import ONE_CORE
from variable_stars import SIZES, VariableStars, make_encoders

from astroclip_kit.classifiers import Classifier, EarlyConcat, MeanEmbedding, subset_logits, subset_table, view_logits
from astroclip_kit.errors import InputError, UsageError

NAMES = tuple(SIZES)
HOW = {"hardware": ONE_CORE, "n_boot": 50, "seed": 4}


@pytest.fixture(scope="module")
def stars():
    return VariableStars()


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)
    return Classifier(
        make_encoders(), MeanEmbedding(SIZES, 3, 5), ["EW", "M", "RRAB"], "class", 2.0, pooled=True
    ).eval()


def codes_of(stars, rows):
    names, codes = np.unique(stars.labels["class"], return_inverse=True)
    assert names[0] == ""
    return codes[rows] - 1


def test_every_subset_is_judged_on_the_same_objects_with_intervals(stars, classifier):
    rows = np.arange(20, 150)
    codes = codes_of(stars, rows)
    found = subset_table(classifier, stars, rows, codes, **HOW)
    assert len({one.query for one in found}) == 7 and found[0].query == "lightcurve"
    whole = np.all([stars.present(name)[rows] for name in NAMES], axis=0) & (codes >= 0)
    assert {one.n for one in found if ":" not in one.property} == {whole.sum()}
    assert {(one.task, one.seed, one.origin, one.dataset) for one in found} == {
        ("modalities", 4, "mock", "variables-0")
    }
    assert all(one.low <= one.value <= one.high for one in found)
    metrics = {(one.property, one.metric) for one in found if one.query == "lightcurve+spectrum+metadata"}
    assert metrics == {("class", name) for name in ("accuracy", "balanced_accuracy", "macro_f1")} | {
        (f"class:{name}", "recall") for name in classifier.classes
    }
    logits = view_logits(classifier, stars, rows[whole], hardware=ONE_CORE)
    [accuracy] = [one.value for one in found if (one.query, one.metric) == ("+".join(NAMES), "accuracy")]
    assert accuracy == pytest.approx((logits.argmax(axis=1) == codes[whole]).mean())


def test_what_is_not_shown_is_not_there(stars, classifier):
    rows = np.flatnonzero(np.all([stars.present(name) for name in NAMES], axis=0))
    found = subset_logits(classifier, stars, rows, hardware=ONE_CORE)
    for some, logits in found.items():
        alone = {name: stars.views(name, rows) for name in some}
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(classifier.predict(alone, hardware=ONE_CORE), p, atol=1e-5)


def test_what_cannot_be_asked_is_refused(stars, classifier):
    rows = np.arange(5)
    widths = {"metadata": SIZES["metadata"]}
    whole = Classifier(make_encoders("metadata"), EarlyConcat(widths, 3), classifier.classes)
    with pytest.raises(UsageError, match="EarlyConcat needs all of its modalities: there are no subsets to ask"):
        subset_table(whole, stars, rows, codes_of(stars, rows))
    with pytest.raises(InputError, match="none of the 1 objects has lightcurve and spectrum and metadata and a class"):
        subset_table(classifier, stars, rows[:1], codes_of(stars, rows[:1]))
