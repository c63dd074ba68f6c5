"""Classes of new objects: where there are none to tell, and where they lack modalities."""

import numpy as np
import pytest
import torch
from small_stars import ONE_CORE
from variable_stars import SIZES, VariableStars, make_encoders

from astroclip_kit.classifiers import Classifier, MeanEmbedding, view_logits
from astroclip_kit.classifiers.candidates import classify_objects
from astroclip_kit.errors import InputError
from astroclip_kit.types import Drop, Sample


@pytest.mark.parametrize(
    ("objects", "problem"),
    [([Drop("a", "has no image."), Drop("b", "is blank.")], r"a: has no image\."), ([], r"there is none\.")],
)
def test_without_one_object_that_can_be_classified_the_first_reason_is_told(objects, problem):
    with pytest.raises(InputError, match=f"no object can be classified; the first: {problem}"):
        classify_objects(None, objects, {})  # nobody asks it


@pytest.fixture
def classifier():
    torch.manual_seed(0)
    return Classifier(make_encoders(), MeanEmbedding(SIZES, 3, 5), ["EW", "M", "RRAB"], "class", pooled=True).eval()


def test_new_objects_may_lack_modalities_and_light_curves_are_of_any_length(classifier):
    stars = VariableStars(30)
    whole = {name: np.flatnonzero(stars.presence[name]) for name in SIZES}
    objects = [
        Sample(str(stars.object_ids[row]), {name: stars.views(name, [row])[0] for name in SIZES if row in whole[name]})
        for row in range(30)
    ]
    found = classify_objects(classifier, [*objects, Drop("x", "is blank.")], stars.modalities, hardware=ONE_CORE)
    p = np.array([list(row) for row in found.table["p_EW", "p_M", "p_RRAB"]])
    logits = view_logits(classifier, stars, np.arange(30), hardware=ONE_CORE)
    np.testing.assert_allclose(p, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), atol=1e-5)
    seen = found.table["seen"].tolist()
    assert seen[0] == "metadata" and seen[7] == "lightcurve+metadata" and seen[9] == "spectrum+metadata"
    assert [one.source for one in found.left_out] == ["x"]
