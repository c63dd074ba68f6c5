"""Encoders and projections of a model that was aligned learn classes: as a whole, in part, or the head alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from ..alignment.model import ContrastiveModel
from ..contracts import check_alike, check_encoder
from ..errors import UsageError
from ..features import FeatureSet, extract, fingerprint
from ..models import describe, load_model
from ..pretraining import Pretraining
from ..settings import Classification
from ..storage import open_folder
from ..training.processes import on_first_process
from ..types import Modality
from .classifier import Classifier
from .fusion_training import token_logits, train_fusion, train_joint, view_logits
from .learning import Learning
from .mean_embedding import MeanEmbedding
from .projected import Projected
from .seen import check_start
from .starts import check_tuning, unlike

__all__ = ["FineTuned", "Tuned"]


class Tuned(NamedTuple):
    """What a fine-tuning gave.

    Args:
        classifier: Not calibrated yet.
        learning: Its objects.
        of: What it depends on, as plain values.
        logits: Gives those of the validation side.
    """

    classifier: Classifier
    learning: Learning
    of: Any
    logits: Callable[[], Any]


class _Begun(NamedTuple):
    """Encoders, and the projections and the standardisation before them where there was a start."""

    encoders: dict[str, nn.Module]
    heads: dict[str, nn.Module]
    scalers: dict[str, nn.Module]


@dataclass(frozen=True)
class FineTuned:
    """One fine-tuning.

    Args:
        dataset: A `Dataset`.
        settings: Stages "fine_tuned".
        out: Gets ``fine_tuned``, or ``tokens`` and ``fusion`` where encoders are frozen.
        once: Makes a model of a folder below `out`, unless it was made of the same before.
        quiet: Shows no progress.
    """

    dataset: Any
    settings: Classification
    out: Path
    once: Callable[[str, Any, Callable[[], Any]], Any]
    quiet: bool

    def check(self, given: Mapping[str, Any]) -> list[str]:
        """What is to be said of the start; refuses what would be found wrong only after the training.

        Raises:
            UsageError: If a setting makes no sense, or the start has seen held-out objects.
        """
        settings, tuning = self.settings, self.settings.fine_tuning
        check_tuning(settings, given)
        folders = {name: str(one) for name, one in given.items() if not isinstance(one, nn.Module)}
        if not tuning.start:
            if unnamed := [name for name, folder in folders.items() if not folder]:
                raise UsageError(f"there is no encoder of {unnamed[0]!r}: give its class, or fine_tuning.start.")
            return []
        if others := [name for name, folder in folders.items() if folder]:
            raise UsageError(
                f"the encoder of {others[0]!r} is a folder, and fine_tuning.start has one: give its class."
            )
        return check_start(tuning.start, self.dataset, settings.split)

    def fit(
        self, given: Mapping[str, nn.Module | None], tokens: FeatureSet | None = None, trained: Collection[str] = ()
    ) -> Tuned:
        """The classifier, which is trained on cached features where all encoders are frozen.

        Args:
            given: Modality to encoder, whose weights are those of the start where there is one; None for its own.
            tokens: Those of a classifier of the same encoders, all frozen, where there is one already.
            trained: Which of the encoders are of a folder, and are begun with as they are.
        """
        tuning = self.settings.fine_tuning
        if tuning.start:
            begin = _begun(tuning.start, given, self.dataset)
        else:
            known = {name: one for name, one in given.items() if one is not None}
            fresh = {name: one for name, one in known.items() if name not in trained}
            begin = _Begun({**known, **self._measured(fresh)}, {}, {})
        fusion = self._head(begin, len(Learning.of(self.dataset, [*given], self.settings, partial=True).classes))
        trainable = {name: tuning.trainable_of(name) for name in given}
        for name, head in fusion.heads.items():
            head.requires_grad_(not (name in begin.heads and trainable[name] == "frozen"))
        if set(trainable.values()) == {"frozen"}:
            return self._frozen(begin.encoders, fusion, tokens)
        return self._trained(begin.encoders, fusion, trainable)

    def _measured(self, given: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
        """Encoders whose preprocessing is measured on training objects."""
        training, split = self.settings.training, self.settings.split
        about = ("fine_tuned", self.dataset, self.out / "fine_tuned")
        return {name: Pretraining.of(*about, name, None, training, split).own(one) for name, one in given.items()}

    def _head(self, begin: _Begun, classes: int) -> MeanEmbedding:
        tuning, widths = self.settings.fine_tuning, {name: _width(one) for name, one in begin.encoders.items()}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.settings.training.seed)
            fusion = MeanEmbedding(
                widths,
                classes,
                tuning.out_features,
                tuning.combine,
                tuning.head,
                tuning.modality_dropout,
                begin.heads,
            )
        for name, scaler in begin.scalers.items():
            if name in fusion.scalers:
                fusion.scalers[name].load_state_dict(scaler.state_dict())
        return fusion

    def _about(self, learning: Learning, fusion: nn.Module, encoders: Mapping[str, nn.Module]) -> list[Any]:
        settings = self.settings
        begin = [fingerprint(one) for one in (fusion, *encoders.values())]
        plain = [asdict(settings.training), asdict(settings.fine_tuning)]
        return [learning.about(), describe(fusion), *plain, begin]

    def _frozen(self, encoders: dict[str, nn.Module], fusion: MeanEmbedding, tokens: FeatureSet | None) -> Tuned:
        """On cached unit vectors where the projections are frozen too, else on cached features."""
        settings, hardware = self.settings, self.settings.training.hardware
        whole = any(weight.requires_grad for weight in fusion.heads.parameters()) or not fusion.projected
        seen, head = encoders, fusion
        if not whole:
            parts = {name: (fusion.scalers[name], fusion.heads[name]) for name in encoders}
            seen, head = {name: Projected(one, *parts[name]) for name, one in encoders.items()}, fusion.of_vectors()
        features = self._features(seen) if tokens is None else _same(tokens, seen)
        learning = Learning.of(features, [*encoders], settings, partial=True)
        of = self._about(learning, head, seen)
        train = partial(train_fusion, features, self.out / "fusion", fusion=head, settings=settings, quiet=self.quiet)
        trained = self.once("fusion", of, train)
        if not whole:
            fusion.to_classes.load_state_dict(trained.to_classes.state_dict())
        classifier = Classifier(encoders, trained if whole else fusion, learning.classes, settings.label, pooled=True)
        logits = partial(token_logits, trained, features, learning.valid, hardware=hardware)
        return Tuned(classifier, learning, of, logits)

    def _features(self, encoders: Mapping[str, nn.Module]) -> FeatureSet:
        folder, hardware = self.out / "tokens", self.settings.training.hardware
        on_first_process(lambda: extract(self.dataset, encoders, folder, hardware=hardware, quiet=self.quiet))
        return FeatureSet(folder)

    def _trained(self, encoders: dict[str, nn.Module], fusion: MeanEmbedding, trainable: dict[str, str]) -> Tuned:
        settings = replace(self.settings, encoder_rate=self.settings.fine_tuning.encoder_rate)
        learning = Learning.of(self.dataset, [*encoders], settings, partial=True)
        of = [*self._about(learning, fusion, encoders), describe(settings.augmentations_of(encoders))]
        how: dict[str, Any] = {"encoders": encoders, "fusion": fusion, "settings": settings, "trainable": trainable}
        train = partial(train_joint, self.dataset, self.out / "fine_tuned", **how, pooled=True, quiet=self.quiet)
        trained = self.once("fine_tuned", of, train)
        logits = partial(view_logits, trained, self.dataset, learning.valid, hardware=settings.training.hardware)
        return Tuned(trained, learning, of, logits)


def _width(encoder: nn.Module) -> int:
    return int(encoder.out_features)  # type: ignore[arg-type]


def _same(tokens: FeatureSet, encoders: Mapping[str, nn.Module]) -> FeatureSet:
    """Features that were made by these very encoders.

    Raises:
        UsageError: If they were not.
    """
    for name, one in encoders.items():
        if name not in tokens.names or tokens.encoders[name]["fingerprint"] != fingerprint(one):
            raise UsageError(
                f"{tokens.root} holds no vectors of {name!r} by the encoder of fine_tuning.start. Give the tokens of a "
                f"classifier that began with the same."
            )
    return tokens


def _begun(start: str | Path, given: Mapping[str, nn.Module | None], dataset: Any) -> _Begun:
    """Encoders, as they are given, with the weights and the preprocessing of a model that was aligned.

    Args:
        start: Its folder.
        given: Modality to encoder, left as it is: dropout and the like are its own; None for the model's.
        dataset: What they shall encode.

    Raises:
        FolderError: If the folder holds no model.
        InputError: If the data are not like those that were aligned.
        UsageError: If it is a model of another kind, or its encoders are others.
    """
    folder = Path(start)
    model: Any = load_model(folder)
    if not isinstance(model, ContrastiveModel):
        raise UsageError(f"fine_tuning.start: {folder} holds {type(model).__name__}, expected what align writes.")
    if unknown := [name for name in given if name not in model.names]:
        raise UsageError(f"fine_tuning.start: {folder} has no {unknown[0]!r}; it has {', '.join(model.names)}.")
    trained_on = open_folder(folder, "model").get("modalities", {})
    encoders = {}
    for name, one in given.items():
        source = model.encoders[name] if name in model.encoders else load_model(folder / "encoders" / name)
        encoders[name] = _with_weights(source if one is None else one, source, f"{folder}, the encoder of {name!r}")
        if name in trained_on:
            check_alike(
                Modality.from_dict(trained_on[name]), dataset.modalities[name], f"the start's encoder of {name!r}"
            )
        check_encoder(encoders[name], dataset.modalities[name])
    heads, scalers = ({name: deepcopy(parts[name]) for name in given} for parts in (model.heads, model.scalers))
    return _Begun(encoders, heads, scalers)


def _with_weights(given: nn.Module, source: nn.Module, where: str) -> nn.Module:
    own: Any = deepcopy(given)
    if told := unlike(given, source):
        raise UsageError(f"fine_tuning.start: {where} {told}")
    own.load_state_dict(source.state_dict())
    if hasattr(source, "preprocess"):
        own.preprocess = deepcopy(source.preprocess)
    encoder: nn.Module = own.requires_grad_(True)
    return encoder
