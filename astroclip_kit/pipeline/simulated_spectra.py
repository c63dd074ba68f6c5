"""What a classifier with simulated spectra is held against: the same head on other inputs, and the real vectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_type_hints

import numpy as np
import numpy.typing as npt

from ..settings import Classification, SpectralGAN

if TYPE_CHECKING:
    from ..features import FeatureSet
    from ..types import Result
    from .classifier_steps import Learner

__all__ = ["cited", "fit_view", "other_sources", "vector_results", "view_models", "views"]

Rows = npt.NDArray[np.int64]
SIMULATED = "simulated"
POOLED = ("concat_linear", "concat_mlp", "early_add", "early_concat")  # methods that one input is enough for
WANG = "Wang et al. 2023, PASP, doi 10.1088/1538-3873/acfbb9 (GAN-simulated spectral vectors)"
LEAK_METRICS = ("macro_f1", "accuracy", "auc", "ece")
JUDGED = ("test", "train")  # sides whose vectors are compared
OUT_OF_FOLD, SEEN = " (training, out of fold)", " (training, seen)"


def other_sources(settings: Classification) -> list[str]:
    """Sources of simulated vectors that there are besides the one of the classifier."""
    known = get_args(get_type_hints(SpectralGAN)["source"]) if settings.stages == "simulated" else ()
    return [name for name in known if name != settings.simulation.source]


def cited(settings: Classification) -> dict[str, Any]:
    """What a report has to cite of simulated spectra, and whether a contrastive space is part of it."""
    simulated = settings.stages == "simulated"
    retrieved = simulated and "retrieved" in (settings.simulation.source, *settings.baselines)
    return {"citations": (WANG,) if simulated else (), "contrastive": retrieved or settings.stages == "aligned"}


def views(learner: Learner) -> dict[str, tuple[str, ...]]:
    """Folder of a baseline to what it sees: image or simulated vector alone, the real one, or one of another source.

    Args:
        learner: Of any stages; without simulated spectra there is none.
    """
    settings = learner.settings
    if settings.stages != "simulated":
        return {}
    image, spectrum = settings.simulation.image, settings.simulation.spectrum
    alone = {"image-alone": (image,), "simulated-alone": (SIMULATED,)} if settings.method in POOLED else {}
    others = {name: (image, name) for name in other_sources(settings) if name in settings.baselines}
    return {**alone, "real": (image, spectrum), **others}


def fit_view(learner: Learner, name: str) -> None:
    """Trains the head of the classifier on other inputs."""
    from ..classifiers import fit_classifier

    if name == "real":
        _extract_real(learner)
    settings, out = learner.settings, learner.place("baselines", name)
    if name in other_sources(settings):
        changed: Any = {"source": name}
        settings = replace(settings, simulation=replace(settings.simulation, **changed))
        fit_classifier(learner.dataset, learner.heads, settings, out)
        return
    seen = dict.fromkeys(views(learner)[name], "")
    fit_classifier(learner.dataset, seen, replace(settings, stages="two"), out, tokens=_tokens(learner, name))


def _tokens(learner: Learner, name: str) -> FeatureSet:
    """What it is trained on: of the real vector, and of another source, its own."""
    from ..features import FeatureSet

    own = name == "real" or name in other_sources(learner.settings)
    return FeatureSet(learner.place("baselines", name, "tokens")) if own else learner.features


def _extract_real(learner: Learner) -> None:
    """The vectors of the real spectra, standardised as simulated ones are, beside the features of the images."""
    from ..classifiers import extract_tokens, standardised

    settings, dataset = learner.settings, learner.dataset
    image, spectrum = settings.simulation.image, settings.simulation.spectrum
    train, hardware = np.flatnonzero(learner.divided[2] == "train"), settings.training.hardware
    real = standardised(_teacher(learner), dataset, train, spectrum, hardware=hardware)
    encoders = {image: learner.trained[image], spectrum: real}
    extract_tokens(dataset, encoders, learner.place("baselines", "real", "tokens"), hardware=hardware)


def _teacher(learner: Learner) -> Any:
    """The encoder of spectra, with its head where it has one."""
    from ..models import load_model

    spectrum = learner.settings.simulation.spectrum
    return load_model(learner.heads[spectrum], trusted=learner.place("encoders", spectrum).is_dir())


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
    leak looks like. What the head reads in the vectors of all three is of the task "leakage", as two of them are not of
    held-out objects.

    Args:
        learner: What was trained.
        about: ``dataset`` and ``origin`` of the results.
    """
    if learner.settings.stages != "simulated":
        return []
    from ..classifiers import spectral_vectors

    teacher, dataset = _teacher(learner), learner.dataset
    rows, hardware = np.flatnonzero(np.isin(learner.divided[2], JUDGED)), learner.settings.training.hardware
    found = spectral_vectors(teacher, dataset, rows, learner.settings.simulation.spectrum, hardware=hardware)
    real = np.full((len(dataset), found.shape[1]), np.nan, dtype=np.float32)
    real[rows] = found
    others = [name for name in other_sources(learner.settings) if name in views(learner)]
    places = {SIMULATED: learner.out, **{name: learner.place("baselines", name) for name in others}}
    return [
        result
        for source, place in places.items()
        for vectors in _kinds(learner, source, place)
        for result in _compared(learner, teacher, real[vectors.rows], vectors, **about)
    ]


class _Vectors(NamedTuple):
    """Vectors of one kind: where they are from, what is said of them, what made and what holds them, and whose."""

    source: str
    told: str
    generator: Any
    features: FeatureSet
    rows: Rows


def _kinds(learner: Learner, source: str, place: Path) -> Iterator[_Vectors]:
    """Those of a source, from the folder of the classifier that has them."""
    from ..features import FeatureSet
    from ..models import load_model

    classifier: Any = load_model(place / "model", trusted=True)
    generator = classifier.encoders[SIMULATED]
    held, seen = FeatureSet(place / "tokens"), FeatureSet(place / "simulation" / "seen")
    test, train = (np.flatnonzero(learner.divided[2] == side) for side in JUDGED)
    for told, features, rows in (("", held, test), (OUT_OF_FOLD, held, train), (SEEN, seen, train)):
        yield _Vectors(source, told, generator, features, rows)


def _compared(
    learner: Learner, teacher: Any, expected: npt.NDArray[np.float32], vectors: _Vectors, **about: Any
) -> Iterator[Result]:
    """The numbers of one kind of vectors, beside the real ones of the same objects [n, D]."""
    import torch

    from ..classifiers import compare_vectors, judge, probabilities, tokens_of
    from ..classifiers.real_vectors import Head

    (names, codes, _), rows, generator = learner.divided, vectors.rows, vectors.generator
    simulated = tokens_of(vectors.features, SIMULATED, rows)[:, 0]
    whose: dict[str, Any] = {"groups": learner.dataset.groups[rows], "seed": learner.settings.split.seed, **about}
    real, query = generator.standardise(torch.from_numpy(expected)), f"{vectors.source}{vectors.told}"
    yield from compare_vectors(simulated.numpy(), real.numpy(), codes[rows], query=query, **whose)
    if tuple(getattr(teacher, "classes", ())) == tuple(names):
        with torch.inference_mode():
            p = probabilities(Head(teacher)(generator.restore(simulated)).double().numpy())
        true, label = np.asarray(names)[codes[rows]], learner.settings.label
        found = judge(true, p, names, label=label, task="spectrum_head", query=query, **whose)
        yield from found if not vectors.told else ()
        yield from (
            replace(one, task="leakage") for one in found if one.property == label and one.metric in LEAK_METRICS
        )
