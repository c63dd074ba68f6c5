"""What a trained classifier, and each of those that it is compared with, says of objects; and what it weighs."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..types import reads_of
from .classifier_steps import CLASSICAL, Learner
from .fine_tuned import is_fine_tuned, labelled_rows, said_of_views, with_all
from .simulated_spectra import view_models

if TYPE_CHECKING:
    from ..report.classifier_figures import Said, Shares

__all__ = ["judged_models", "weighed"]

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def judged_models(learner: Learner) -> Iterator[Said]:
    """What every model says of the test side; first the classifier."""
    from ..classifiers import calibrate, probabilities
    from ..report.classifier_figures import Said

    dataset, (names, codes, _) = learner.dataset, learner.divided
    sided = [labelled_rows(learner, side) for side in ("valid", "test")]
    for model, query, said in _logits(learner):
        seen = query.split("+") if is_fine_tuned(learner.settings) and "+" not in query else []
        valid, test = (with_all(dataset, seen, rows) if seen else rows for rows in sided)
        whose = (dataset.object_ids[test], dataset.groups[test], np.asarray(names)[codes[test]], names)
        logits = said(test)
        if model in CLASSICAL:
            yield Said(model, query, *whose, logits)
            continue
        with warnings.catch_warnings():
            if model != "encoder":
                warnings.simplefilter("ignore")  # it was said when it was trained
            temperature = calibrate(partial(said, valid), codes[valid], f"{model} of the {query}", names).temperature
        yield Said(model, query, *whose, probabilities(logits, temperature), probabilities(logits))


def _logits(learner: Learner) -> Iterator[tuple[str, str, Any]]:
    """Name, what it sees, and logits [n, C] of some rows (of classical ones probabilities), of every model."""
    from ..classifiers import token_logits
    from ..models import load_model
    from ..storage import read_array

    settings, hardware = learner.settings, learner.settings.training.hardware
    classifier: Any = load_model(learner.place("model"), trusted=True)
    query = "+".join(classifier.fusion.modalities)

    def whole(rows: Rows) -> Floats:
        if settings.stages in ("joint", "fine_tuned"):
            return said_of_views(learner, classifier, rows)
        return of_tokens(classifier.fusion, rows)

    def of_tokens(fusion: Any, rows: Rows) -> Floats:
        return np.asarray(token_logits(fusion, learner.features, rows, hardware=hardware), dtype=np.float64)

    yield "fine_tuned" if is_fine_tuned(settings) else settings.method, query, whole
    for name in learner.encoders:
        if learner.place("encoders", name).is_dir():
            yield "encoder", name, partial(_encoder_logits, learner, name)
    for name, folder in learner.baselines.items():
        if name in CLASSICAL:
            said = read_array(folder / "probabilities.npy")
            yield name, learner.classical_sees, said.__getitem__
        elif is_fine_tuned(settings):
            yield f"{name}_alone", name, partial(said_of_views, learner, load_model(folder, trusted=True))
        else:
            baseline: Any = load_model(folder, trusted=True)
            yield name, query, partial(of_tokens, baseline.fusion)
    yield from view_models(learner)


def _encoder_logits(learner: Learner, name: str, rows: Rows) -> Floats:
    """What the head of the first stage says of the features."""
    from ..classifiers import encoder_logits
    from ..models import load_model

    trained: Any = load_model(learner.place("encoders", name), trusted=True)
    hardware = learner.settings.encoder_training.hardware
    read = learner.reads[name]
    return np.asarray(encoder_logits(trained, read, learner.dataset, rows, hardware=hardware), dtype=np.float64)


def weighed(learner: Learner, said: Said) -> Iterator[Shares]:
    """What the encoders weigh of the objects judged; nothing of those that do not say."""
    from ..classifiers import encoder_shares
    from ..models import load_model
    from ..report.classifier_figures import Shares

    dataset = learner.dataset
    number = {object_id: row for row, object_id in enumerate(dataset.object_ids.tolist())}
    rows = np.array([number[one] for one in said.object_ids.tolist()], dtype=np.int64)
    classifier: Any = load_model(learner.place("model"), trusted=True)
    for name, encoder in classifier.encoders.items():
        here = np.asarray(dataset.present(reads_of(name, encoder)))[rows]
        if (found := encoder_shares(dataset, reads_of(name, encoder), encoder, rows[here])) is not None:
            yield Shares(name, found[0], found[1].astype(np.float64), said.true[here])
