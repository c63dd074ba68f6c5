"""How good the classifiers of star / QSO are, and how much of the spectra their simulated vectors hold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..types import Result
from .judged import Besides, Logits, judge_models
from .spectral_gan_models import Model
from .spectral_vectors import explained_within

if TYPE_CHECKING:
    from .spectral_gan_stages import SpectralSeed

__all__ = ["BEYOND", "DRAWN", "EXPLAINED", "INFORMATION", "OUT_OF_FOLD", "TRAINED_ON", "judge_seed"]

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
DRAWN = ("gan", "retrieved")  # sources whose vectors are kept for a figure
VECTOR, INFORMATION = "vector", "information"
EXPLAINED, BEYOND = "explained_within_class", "cosine_beyond_class"
OUT_OF_FOLD, TRAINED_ON = f"{BEYOND}_out_of_fold", f"{BEYOND}_trained_on"
PERMUTATIONS, RESAMPLES = 200, 20  # the scatter over the seeds is what counts


def judge_seed(repetition: SpectralSeed, out: Path) -> None:
    """Judges all models by the same objects, and keeps what a figure needs of them.

    The folder is that of `judged.judge_models`, with the real and the simulated vectors of the judged objects
    (``vectors-real.npy`` [n, 128], ``vectors-gan.npy``, ``vectors-retrieved.npy``).

    Args:
        repetition: The seed.
        out: The results folder.
    """
    known = {task: _logits(repetition, task, model) for task, model in repetition.models.items()}
    says = {task: logits for task, logits in known.items() if logits is not None}
    judge_models(repetition, says, out, partial(_besides, repetition))


def _logits(one: SpectralSeed, task: str, model: Model) -> Logits | None:
    """What gives the logits [n, C] of a model; None for magnitudes that the data lack."""
    from ..classifiers import encoder_logits, token_logits, view_logits
    from ..features import FeatureSet
    from ..models import load_model

    if model.kind == "magnitudes":
        return _by_magnitudes(one)
    place, told = one.model_place(task), {"hardware": one.settings.training.hardware}
    assert place is not None
    if model.kind == "neighbours":
        return partial(_by_neighbours, one, place, model)
    trained: Any = load_model(place)
    if model.kind == "encoder":
        return partial(encoder_logits, trained, task, one.dataset, **told)
    if model.kind == "alone" or model.vectors == "real":
        tokens = FeatureSet(one.place(model.vectors, "tokens"))
        return partial(token_logits, trained, tokens, **told)
    return partial(view_logits, trained, one.dataset, **told)


def _no_magnitudes(one: SpectralSeed) -> str:
    """Why magnitudes cannot be classified; "" where they can be."""
    names, labels, train = one.experiment["magnitudes"], one.dataset.labels, one.divided[2]["train"]
    if not names:
        return "experiment.magnitudes names none"
    if lacking := [name for name in names if name not in labels]:
        return f"the data have no {', '.join(lacking)}"
    known = {name: np.isfinite(np.asarray(labels[name], dtype=np.float64)[train]).any() for name in names}
    unknown = [name for name in names if not known[name]]
    return f"no training object has {', '.join(unknown)}" if unknown else ""


def _magnitudes(one: SpectralSeed) -> Floats | None:
    """Magnitudes, the colours of neighbouring bands, and which are missing [N, F]; None where there are none.

    What is missing is the median of the training objects.
    """
    if _no_magnitudes(one):
        return None
    labels, train = one.dataset.labels, one.divided[2]["train"]
    found = np.stack([np.asarray(labels[name], dtype=np.float64) for name in one.experiment["magnitudes"]], axis=1)
    missing = ~np.isfinite(found)
    found = np.where(missing, np.nanmedian(np.where(missing, np.nan, found)[train], axis=0), found)
    return np.hstack([found, -np.diff(found, axis=1), missing[:, missing[train].any(axis=0)]])


def _by_magnitudes(one: SpectralSeed) -> Logits | None:
    from ..classifiers import fit_baseline

    if (x := _magnitudes(one)) is None:
        return None
    _, codes, rows = one.divided
    train, weights = rows["train"], one.settings.class_weights
    fitted = fit_baseline("svm", x[train], codes[train], seed=one.seed, class_weights=weights)
    return lambda asked: np.log(np.maximum(fitted.predict_proba(x[asked]), 1e-12))


def _by_neighbours(one: SpectralSeed, place: Path, model: Model, asked: Rows) -> Floats:
    """The share of each class among the training objects that are nearest, no share being 0."""
    from ..downstream.knn import predict
    from ..embeddings import EmbeddingStore

    store, (names, codes, rows) = EmbeddingStore(place), one.divided
    train, (asks, answers), k = rows["train"], model.ways, one.experiment["neighbours"]
    classes = np.asarray(names)[codes[train]]
    memory, queries = store.vectors(answers)[train], store.vectors(asks)[asked]
    shares = predict(memory, classes, queries, k=min(k, len(train))).probabilities
    return np.asarray(np.log((k * shares + 1) / (k + len(names))))


class _Vectors:
    """Real and simulated vectors of all objects of a seed, standardised as the generators' are."""

    def __init__(self, one: SpectralSeed) -> None:
        from ..features import FeatureSet

        self.one = one
        _, self.codes, self.rows = one.divided
        own: Any = FeatureSet(one.place("real", "tokens"))
        self.image = np.asarray(own.matrix("image"), dtype=np.float64)
        self.real = np.asarray(own.matrix("real"), dtype=np.float64)

    def explained(self, x: Floats, judged: Rows) -> float:
        """The share of the variance of the real vectors inside the classes that follows from other numbers [N, F]."""
        return explained_within(x[judged], self.real[judged], self.codes[judged], self.one.seed)

    def simulated(self, source: str) -> Floats:
        """Of a source [N, D]: of training objects out of fold."""
        from ..features import FeatureSet

        return np.asarray(FeatureSet(self.one.place(source, "tokens")).matrix("simulated"), dtype=np.float64)

    def seen(self) -> Floats:
        """Of the generator that was trained on all training objects [N, D]."""
        from ..features import FeatureSet

        return np.asarray(FeatureSet(self.one.place("space", "features")).matrix("simulated"), dtype=np.float64)


def _besides(one: SpectralSeed, judged: Rows, source: Mapping[str, Any]) -> Besides:
    """What the vectors hold, what the image and the magnitudes know of the real ones, and whether anything leaks."""
    found = _Vectors(one)
    results = [result for name in one.sources for result in _compared(found, name, judged, source)]
    results += [*_information(found, judged, source), *_leaks(found, source)]
    drawn = {"real": found.real} | {name: found.simulated(name) for name in one.sources if name in DRAWN}
    arrays = {f"vectors-{name}": vectors[judged].astype(np.float32) for name, vectors in drawn.items()}
    not_run = {"magnitudes": reason} if "magnitudes" in one.models and (reason := _no_magnitudes(one)) else {}
    return Besides(results, arrays, {"sources": list(one.sources), "not_run": not_run})


def _number(task: str, asks: str, metric: str, value: float, n: int, source: Mapping[str, Any]) -> Result:
    about = task, asks, "spectrum", VECTOR, metric, value, math.nan, math.nan, n
    return Result(*about, **source, chance=0.0, space="supervised")


def _compared(found: _Vectors, name: str, judged: Rows, source: Mapping[str, Any]) -> Iterator[Result]:
    """How near simulated vectors are to the real ones, of all and inside the classes."""
    from ..classifiers import compare_vectors, tell_beyond_class

    simulated = found.simulated(name)
    vectors = simulated[judged], found.real[judged], found.codes[judged]
    groups = found.one.dataset.groups[judged]
    yield from compare_vectors(*vectors, groups=groups, n_boot=RESAMPLES, task=name, **source)
    yield _number(name, "image", EXPLAINED, found.explained(simulated, judged), len(judged), source)
    beyond = tell_beyond_class(*vectors, permutations=PERMUTATIONS, seed=source["seed"])
    yield _number(name, "image", BEYOND, beyond.cosine, len(judged), source)


def _information(found: _Vectors, judged: Rows, source: Mapping[str, Any]) -> Iterator[Result]:
    """What follows from image features, and from magnitudes, of the real vectors inside the classes."""
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    inputs = {"image": found.image}
    if (x := _magnitudes(found.one)) is not None:
        scaler = StandardScaler().fit(x[found.rows["train"]])
        usual = scaler.transform(x).clip(-3, 3)  # in u quasars at high redshift have hardly any light
        inputs["magnitudes"] = PolynomialFeatures(2).fit_transform(usual)
    for name, known in inputs.items():
        yield _number(INFORMATION, name, EXPLAINED, found.explained(known, judged), len(judged), source)


def _leaks(found: _Vectors, source: Mapping[str, Any]) -> Iterator[Result]:
    """What vectors of training objects tell beyond the class, of generators that have not seen them, and that have.

    Of "permuted", out of fold, nothing but a leak can tell anything: the image is that of another object.
    """
    from ..classifiers import tell_beyond_class

    train, one = found.rows["train"], found.one
    of = {(name, OUT_OF_FOLD): found.simulated(name) for name in ("gan", "permuted") if name in one.sources}
    if one.place("space", "features").is_dir():
        of["gan", TRAINED_ON] = found.seen()
    for (name, metric), vectors in of.items():
        given = vectors[train], found.real[train], found.codes[train]
        told = tell_beyond_class(*given, permutations=PERMUTATIONS, seed=one.seed)
        yield _number(name, "image", metric, told.cosine, len(train), source)
        yield _number(name, "image", f"{metric}_p", told.p, len(train), source)
