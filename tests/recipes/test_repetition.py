"""What is repeated over seeds: here what a classifier keeps of the data that it was made of."""

from dataclasses import replace
from functools import cached_property
from types import SimpleNamespace

import numpy as np
import pytest

from astroclip_kit import classifiers
from astroclip_kit.recipes import Run
from astroclip_kit.recipes.repetition import Repetition
from astroclip_kit.settings import Classification
from astroclip_kit.types import Modality

SETTINGS = Classification()
QUALITY = {"image": {"min_good": 0.9, "core": 3}, "sky": {"min_good": 0.5}}
KINDS = {
    "image": Modality("image", "image", ("r",), (1, 4, 4), "nmgy", (0.4,)),
    "spectrum": Modality("spectrum", "spectrum", ("flux", "ivar"), (2, 4), "nmgy", (1.0, 2.0, 3.0, 4.0)),
}


class Seed(Repetition):
    """With a split of its own."""

    @cached_property
    def divided(self):
        return ("a", "b"), np.array([0, 1, 0]), {"train": np.array([0, 2])}


@pytest.mark.parametrize(("stages", "coverage"), [("two", {"spectrum": 0.5}), ("simulated", {})])
def test_a_classifier_knows_what_it_was_made_of(tmp_path, monkeypatch, stages, coverage):
    spectra = np.ones((3, 2, 4), np.float32)
    spectra[2, 1, 2:] = 0  # half of it is not reached; the second object, which reaches less, does not train
    spectra[1, 1, 1:] = 0
    dataset = SimpleNamespace(
        manifest={"name": "wise", "origin": "mock", "quality": QUALITY},
        modalities=KINDS,
        views=lambda name, rows: spectra[rows],
        present=lambda name: np.ones(len(spectra), dtype=bool),
    )
    settings = replace(SETTINGS, stages=stages)
    run = Run({"root": tmp_path}, {"classify": {"encoders": {}, "classification": settings}, "experiment": {}}, dict, 0)
    made = []
    monkeypatch.setattr(classifiers, "fit_classifier", lambda *given, about: made.append((*given, about)))
    encoders = dict.fromkeys(KINDS, "folder")
    Seed(run, 0).fit(encoders, settings, tmp_path / "out", dataset)
    about = {"dataset": "wise", "origin": "mock", "coverage": coverage, "quality": {"image": QUALITY["image"]}}
    assert made == [(dataset, encoders, settings, tmp_path / "out", about)]
