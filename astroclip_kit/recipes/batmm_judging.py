"""How good the models of one repetition are, on stars that none of its encoders has seen."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..types import Result
from .batmm_models import Model

if TYPE_CHECKING:
    from ..classifiers import Classifier
    from .batmm_stages import Repetition

__all__ = ["judge_models"]

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
LEAST = 1e-12  # probability, where its logarithm is taken


def judge_models(repetition: Repetition, out: Path) -> None:
    """Judges all models by the same stars, and keeps what a figure needs of them.

    The folder holds ``results.jsonl``, what each model says of each star (``probabilities.npy`` [M, n, C]), the number
    of the true class (``codes.npy`` [n]), which row of the dataset it is (``rows.npy`` [n]) and, for each modality, the
    weights of bands or wavelengths (``shares-<modality>.npy`` [n, S]); names of all of them are in the manifest.

    Args:
        repetition: The seed.
        out: The results folder.
    """
    from ..classifiers import calibrate, encoder_shares, judge, probabilities
    from ..models import load_model
    from ..results import write_results
    from ..storage import new_folder, write_manifest

    names, codes, rows = _rows(repetition)
    dataset, label = repetition.dataset, repetition.settings.label
    judged = rows[repetition.experiment["side"]]
    about: dict[str, Any] = {"dataset": dataset.manifest["name"], "origin": dataset.manifest["origin"]}
    about |= {"label": label, "seed": repetition.seed, "n_boot": repetition.experiment["n_boot"]}
    results, said, temperatures = [], [], {}
    for task, model in repetition.models.items():
        valid, asked = (_logits(repetition, task, model, some) for some in (rows["valid"], judged))
        temperatures[task] = calibrate(partial(np.asarray, valid), codes[rows["valid"]], task).temperature
        p = probabilities(asked, temperatures[task])
        results += judge(
            np.asarray(names)[codes[judged]],
            p,
            names,
            task=task,
            query=model.query,
            uncalibrated=probabilities(asked),
            groups=dataset.groups[judged],
            **about,
        )
        said.append(p)
    encoders = {name: load_model(repetition.place("own", "encoders", name, "encoder")) for name in repetition.encoders}
    weighed = {name: encoder_shares(dataset, name, one, judged) for name, one in encoders.items()}
    shares = {name: found for name, found in weighed.items() if found is not None}
    source = {name: about[name] for name in ("seed", "dataset", "origin")}
    for modality, (parts, weights) in shares.items():
        results += list(_mean_shares(modality, parts, weights, source))
    kept: dict[str, Any] = {"models": list(repetition.models), "classes": list(names), "temperatures": temperatures}
    kept |= {"shares": {name: list(found[0]) for name, found in shares.items()}}
    kept |= {"counts": {side: len(some) for side, some in rows.items()}, "seed": repetition.seed}
    with new_folder(out, "results") as folder:
        write_results(folder / "results.jsonl", results)
        np.save(folder / "probabilities.npy", np.stack(said))
        np.save(folder / "codes.npy", codes[judged])
        np.save(folder / "rows.npy", judged)
        for name, found in shares.items():
            np.save(folder / f"shares-{name}.npy", found[1])
        write_manifest(folder, "results", kept)


def _rows(repetition: Repetition) -> tuple[tuple[str, ...], Rows, dict[str, Rows]]:
    """Classes, the number of the class of each star, and the stars of each side."""
    from ..classifiers import class_codes
    from ..data.splits import divide

    dataset = repetition.dataset
    names, codes = class_codes(dataset, repetition.settings.label)
    sides = divide(dataset, repetition.settings.split)
    return names, codes, {side: np.flatnonzero(sides == side) for side in ("train", "valid", "test")}


def _logits(repetition: Repetition, task: str, model: Model, rows: Rows) -> Floats:
    """What a model says of some stars [n, C]."""
    from ..classifiers import token_logits, view_logits
    from ..features import FeatureSet
    from ..models import load_model
    from ..storage import read_array

    if not model.encoders:
        said = read_array(repetition.place("models", task) / "probabilities.npy")[rows]
        return np.asarray(np.log(np.maximum(said, LEAST)))
    trained, told = load_model(repetition.model_place(task)), {"hardware": repetition.settings.training.hardware}
    if model.method and task != "joint":
        features = FeatureSet(repetition.place(model.encoders, "tokens"))
        return np.asarray(token_logits(trained, features, rows, **told), dtype=np.float64)
    classifier: Any = trained if task == "joint" else _alone(trained, *model.sees)
    return np.asarray(view_logits(classifier, repetition.dataset, rows, **told), dtype=np.float64)


def _alone(trained: Any, name: str) -> Classifier:
    """An encoder with the linear head that it was trained with, as a classifier of one modality."""
    from ..classifiers import Classifier, PooledLinear

    head = PooledLinear({name: trained.encoder.out_features}, len(trained.classes))
    head.head = trained.head
    return Classifier({name: trained.encoder}, head, trained.classes)


def _mean_shares(modality: str, names: tuple[str, ...], shares: Floats, source: Mapping[str, Any]) -> Iterator[Result]:
    """The mean weight of each part."""
    for name, value in zip(names, shares.mean(axis=0), strict=True):
        about = "shares", modality, modality, "", f"share of {name}"
        yield Result(*about, float(value), math.nan, math.nan, len(shares), **source, space="supervised")
