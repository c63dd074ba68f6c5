"""Models of one seed that are judged by the same objects."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from astroclip_kit.recipes.judged import Judged, judge_models

NAMES, COUNT = ("a", "b", "c"), 60


@pytest.fixture
def seed():
    """A repetition whose validation side holds no object of the first class."""
    codes = np.arange(COUNT) % 3
    rows = {"train": np.arange(20), "valid": np.flatnonzero(codes[:40]), "test": np.arange(40, COUNT)}
    dataset = SimpleNamespace(manifest={"name": "stars", "origin": "mock"}, groups=np.arange(COUNT).astype(str))
    return SimpleNamespace(
        divided=(NAMES, codes, rows),
        dataset=dataset,
        experiment={"side": "test", "n_boot": 20},
        settings=SimpleNamespace(label="class"),
        models={name: SimpleNamespace(query="spectrum") for name in ("one", "two")},
        seed=0,
    )


def test_what_is_to_be_said_of_the_calibration_is_said_once_of_all_models(seed, tmp_path):
    rng, codes = np.random.default_rng(0), seed.divided[1]
    logits = rng.normal(size=(COUNT, 3)) + 2 * np.eye(3)[codes]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        judge_models(seed, dict.fromkeys(seed.models, lambda rows: logits[rows]), tmp_path / "results")
    [told] = [str(one.message) for one in caught if "calibration" in str(one.message)]
    assert told.startswith("calibration of one, two: no validation object is of the class 'a'")
    judged = Judged(tmp_path / "results")
    assert (judged.predicted("one") == judged.predicted("two")).all() and len(judged.codes) == 20
