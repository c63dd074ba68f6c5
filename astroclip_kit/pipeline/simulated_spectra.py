"""What a classifier with simulated spectra is held against: the same head on other inputs, and the real vectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ..features import FeatureSet
    from ..types import Result
    from .classifier_steps import Learner

__all__ = ["fit_view", "vector_results", "view_models", "views"]

Rows = npt.NDArray[np.int64]
SIMULATED = "simulated"
POOLED = ("concat_linear", "concat_mlp", "early_add", "early_concat")  # methods that one input is enough for
OUT_OF_FOLD, SEEN = " (training, out of fold)", " (training, seen)"


def views(learner: Learner) -> dict[str, tuple[str, ...]]:
    """Folder of a baseline to what it sees: the image alone, the simulated vector alone, and the real vector.

    Args:
        learner: Of any stages; without simulated spectra there is none.
    """
    if learner.settings.stages != "simulated":
        return {}
    image, spectrum = learner.settings.simulation.image, learner.settings.simulation.spectrum
    alone = {"image-alone": (image,), "simulated-alone": (SIMULATED,)} if learner.settings.method in POOLED else {}
    return {**alone, "real": (image, spectrum)}


def fit_view(learner: Learner, name: str) -> None:
    """Trains the head of the classifier on other inputs."""
    from ..classifiers import fit_classifier

    settings, out = replace(learner.settings, stages="two"), learner.place("baselines", name)
    seen = dict.fromkeys(views(learner)[name], "")
    fit_classifier(learner.dataset, seen, settings, out, tokens=_tokens(learner, name))


def _tokens(learner: Learner, name: str) -> FeatureSet:
    """What it is trained on: of the real vector those of the encoders, else those of the classifier."""
    from ..classifiers import extract_tokens

    if name != "real":
        return learner.features
    out, hardware = learner.place("baselines", name, "tokens"), learner.settings.training.hardware
    return extract_tokens(learner.dataset, learner.trained, out, hardware=hardware)


def view_models(learner: Learner) -> Iterator[tuple[str, str, Any]]:
    """Name, what it sees, and logits [n, C] of some rows, of each."""
    from ..classifiers import token_logits
    from ..models import load_model

    for name, seen in views(learner).items():
        model: Any = load_model(learner.place("baselines", name, "model"), trusted=True)
        hardware = learner.settings.training.hardware
        said = partial(token_logits, model.fusion, _tokens(learner, name), hardware=hardware)
        yield learner.settings.method, "+".join(seen), said


def vector_results(learner: Learner, **about: Any) -> list[Result]:
    """How near simulated vectors are to the real ones, and what the spectrum's own head reads in them.

    Three kinds are told apart: those of held-out objects; those of training objects, out of fold, which are to be alike
    (else something leaks); and those of training objects by a generator that learned from them, which show what a
    leak looks like.

    Args:
        learner: What was trained.
        about: ``dataset`` and ``origin`` of the results.
    """
    if learner.settings.stages != "simulated":
        return []
    from ..features import FeatureSet
    from ..models import load_model

    sides = learner.divided[2]
    test, train = (np.flatnonzero(sides == side) for side in ("test", "train"))
    seen = FeatureSet(learner.place("simulation", "seen"))
    kinds = {
        "": (learner.features, test),
        OUT_OF_FOLD: (learner.features, train),
        SEEN: (seen, train),
    }
    spectrum = learner.settings.simulation.spectrum
    own = learner.place("encoders", spectrum)
    teacher: Any = load_model(own if own.is_dir() else Path(str(learner.encoders[spectrum])), trusted=own.is_dir())
    return [one for told, kind in kinds.items() for one in _compared(learner, teacher, told, *kind, **about)]


def _compared(
    learner: Learner, teacher: Any, told: str, features: FeatureSet, rows: Rows, **about: Any
) -> Iterator[Result]:
    """The numbers of one kind of vectors."""
    import torch

    from ..classifiers import compare_vectors, judge, probabilities, spectral_vectors, tokens_of
    from ..classifiers.real_vectors import Head
    from ..models import load_model

    dataset, (names, codes, _) = learner.dataset, learner.divided
    image, spectrum = learner.settings.simulation.image, learner.settings.simulation.spectrum
    classifier: Any = load_model(learner.place("model"), trusted=True)
    generator = classifier.encoders[SIMULATED]
    simulated = tokens_of(features, SIMULATED, rows)[:, 0]
    hardware = learner.settings.training.hardware
    real = torch.from_numpy(spectral_vectors(teacher, dataset, rows, spectrum, hardware=hardware))
    whose: dict[str, Any] = {"groups": dataset.groups[rows], "seed": learner.settings.split.seed, **about}
    real = generator.standardise(real)
    yield from compare_vectors(simulated.numpy(), real.numpy(), codes[rows], query=f"{image}{told}", **whose)
    if tuple(getattr(teacher, "classes", ())) == tuple(names):
        with torch.inference_mode():
            p = probabilities(Head(teacher)(generator.restore(simulated)).double().numpy())
        true, label = np.asarray(names)[codes[rows]], learner.settings.label
        yield from judge(true, p, names, label=label, task="spectrum_head", query=f"{SIMULATED}{told}", **whose)
