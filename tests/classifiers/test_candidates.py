"""Classes of new objects: where there are none to tell."""

import pytest

from astroclip_kit.classifiers.candidates import classify_objects
from astroclip_kit.errors import InputError
from astroclip_kit.types import Drop


@pytest.mark.parametrize(
    ("objects", "problem"),
    [([Drop("a", "has no image."), Drop("b", "is blank.")], r"a: has no image\."), ([], r"there is none\.")],
)
def test_without_one_object_that_can_be_classified_the_first_reason_is_told(objects, problem):
    with pytest.raises(InputError, match=f"no object can be classified; the first: {problem}"):
        classify_objects(None, objects, {})  # nobody asks it
