"""What BATMM's experiment runs: for each seed a split, encoders that see its training side alone, and all models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from .batmm_models import FUSION, MODELS, Model
from .recipe import Run, Stage

if TYPE_CHECKING:
    from torch import nn

    from ..data import Dataset
    from ..settings import Classification, Split, Training

__all__ = ["BASELINES", "Repetition", "repetitions", "stages"]

BASELINES = ("svm", "xgboost")
ATTENTION = {"SEResNet": "squeeze_excitation", "VGG1D": "self_attention"}  # what switches it, of each encoder
SIDES = ("test", "valid")


def repetitions(run: Run) -> list[Repetition]:
    """One for each seed.

    Raises:
        UsageError: If a setting makes no sense.
    """
    experiment = run.sections["experiment"]
    if experiment["seeds"] < 1:
        raise UsageError(f"experiment.seeds is {experiment['seeds']}, expected at least 1.")
    if experiment["side"] not in SIDES:
        raise UsageError(f"experiment.side is {experiment['side']!r}, expected one of {', '.join(SIDES)}.")
    if unknown := [name for name in experiment["leave_out"] if name not in MODELS]:
        raise UsageError(f"experiment.leave_out: there is no model {unknown[0]!r}. There are: {', '.join(MODELS)}.")
    if "encoders" not in run.sections["classify"] or set(run.sections["classify"]["encoders"]) != {"image", "spectrum"}:
        raise UsageError("classify.encoders: expected one for image and one for spectrum, which are fused.")
    return [Repetition(run, number) for number in range(experiment["seeds"])]


def stages(run: Run) -> Iterator[Stage]:
    """The stages of all repetitions."""
    for one in repetitions(run):
        yield from one.stages()


class Repetition:
    """One seed: its split, where its folders lie, and what is run.

    Args:
        run: The experiment.
        number: Of the repetition, from 0.
    """

    def __init__(self, run: Run, number: int) -> None:
        self.run, self.number, self.seed = run, number, run.seed + number
        self.name = f"seed-{number}"
        self.folder: Path = run.folders["root"] / self.name
        self.experiment = run.sections["experiment"]
        self.settings: Classification = run.sections["classify"]["classification"]
        self.split: Split = replace(self.settings.split, seed=self.seed)

    @cached_property
    def models(self) -> dict[str, Model]:
        """Those that are run."""
        return {name: model for name, model in MODELS.items() if name not in self.experiment["leave_out"]}

    @cached_property
    def variants(self) -> dict[str, tuple[str, ...]]:
        """Which encoders are trained: for "own", "plain" and "aligned", the modalities that some model reads."""
        found: dict[str, set[str]] = {}
        for model in self.models.values():
            if model.encoders:
                found.setdefault(model.encoders, set()).update(model.sees)
        return {name: tuple(sorted(found[name])) for name in ("own", "plain", "aligned") if name in found}

    @cached_property
    def dataset(self) -> Dataset:
        """The stars."""
        from ..data import Dataset

        return Dataset(self.run.folders["dataset"])

    def seeded(self, training: Training) -> Training:
        """The same training with the seed of the repetition."""
        return replace(training, seed=self.seed)

    def place(self, *parts: str) -> Path:
        """A folder of the repetition: "own", "image" for an encoder, "models", "batmm" for a model."""
        return self.folder.joinpath(*parts)

    def stages(self) -> Iterator[Stage]:
        """Encoders, their tokens, the models on them, and how good they are."""
        for variant, modalities in self.variants.items():
            if variant == "aligned":
                yield self._aligning(modalities)
            for modality in modalities:
                yield self._encoder(variant, modality)
            folders = {name: self.place(variant, name) for name in modalities}
            yield self._stage(f"{variant}/tokens", folders, {}, partial(self._extract, folders))
        for name, model in self.models.items():
            if model.method in BASELINES:
                yield self._baseline(name)
            elif model.method:
                yield self._fusion(name, model)
        yield self._judgement()

    def _stage(self, name: str, inputs: Mapping[str, Path], arguments: Mapping[str, Any], run: Any) -> Stage:
        out = self.place(*name.split("/"))
        known = {"seed": self.seed, "split": self.split, "label": self.settings.label, **arguments}
        read = {"dataset": self.run.folders["dataset"], **inputs}
        return Stage(f"{self.name}/{name}", out, read, known, partial(run, out))

    def description(self, variant: str, modality: str) -> Any:
        """An encoder as the configuration names it, for "plain" without attention."""
        given = self.run.sections["classify"]["encoders"][modality]
        if variant != "plain":
            return given
        switch = ATTENTION.get(str(given.get("class_path", "")).rpartition(".")[2]) if isinstance(given, dict) else None
        if switch is None:
            rows = ", ".join(name for name, model in MODELS.items() if model.encoders == "plain")
            raise UsageError(
                f"classify.encoders.{modality} has no attention to leave out: set experiment.leave_out to [{rows}]."
            )
        return {**given, "init_args": {**(given.get("init_args") or {}), switch: False}}

    def built(self, variant: str, modality: str) -> nn.Module:
        """The encoder before it is trained on classes: of random weights, or aligned."""
        import torch

        from ..models import build_for, load_model

        if variant == "aligned":
            aligned: Any = load_model(self.place("aligned", "space"))
            found: nn.Module = aligned.encoders[modality]
            return found
        given = self.description(variant, modality)
        if not isinstance(given, dict):
            return load_model(given)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            found = build_for(given, self.dataset.modalities[modality])
        return found

    def _aligning(self, modalities: tuple[str, ...]) -> Stage:
        training = self.seeded(self.settings.alignment_training)
        described = {name: self.description("own", name) for name in modalities}
        arguments = {"alignment": self.settings.alignment, "training": training, "encoders": described}
        return self._stage("aligned/space", {}, arguments, partial(self._align, training))

    def _align(self, training: Training, out: Path) -> None:
        from ..alignment import align

        encoders = {name: self._measured(name, out) for name in self.variants["aligned"]}
        trainable = self.settings.alignment.trainable or dict.fromkeys(encoders, "all")
        alignment = replace(self.settings.alignment, trainable=trainable)
        align(self.dataset, out, encoders=encoders, alignment=alignment, training=training, split=self.split)

    def _measured(self, name: str, out: Path) -> nn.Module:
        """An encoder with random weights, the numbers of its preprocessing from training objects."""
        from ..pretraining import Pretraining

        settings, training = self.settings.alignment, self.seeded(self.settings.alignment_training)
        course = Pretraining.of("aligned", self.dataset, out, name, settings, training, self.split)
        found: nn.Module = course.own(self.built("own", name))
        return found

    def _encoder(self, variant: str, modality: str) -> Stage:
        training = self.seeded(self.settings.encoder_training)
        arguments = {"training": training, "class_weights": self.settings.class_weights}
        inputs = {"space": self.place("aligned", "space")} if variant == "aligned" else {}
        if variant != "aligned":
            arguments["encoder"] = self.description(variant, modality)
        return self._stage(
            f"{variant}/{modality}", inputs, arguments, partial(self._train, variant, modality, training)
        )

    def _train(self, variant: str, modality: str, training: Training, out: Path) -> None:
        from ..classifiers import train_encoder

        train_encoder(
            self.dataset,
            out,
            modality=modality,
            encoder=self.built(variant, modality),
            label=self.settings.label,
            training=training,
            split=self.split,
            class_weights=self.settings.class_weights,
        )

    def _extract(self, folders: Mapping[str, Path], out: Path) -> None:
        from ..classifiers import extract_tokens

        encoders = {name: folder / "encoder" for name, folder in folders.items()}
        extract_tokens(self.dataset, encoders, out, hardware=self.settings.encoder_training.hardware)

    def _fusion(self, name: str, model: Model) -> Stage:
        training = self.seeded(self.settings.training)
        given = dict(self.settings.fusion.get("init_args", {})) if model.method == FUSION else {}
        arguments = {**given, **self.experiment["methods"].get(model.method, {}), **model.arguments}
        known = {"method": model.method, "arguments": arguments, "training": training, "sees": list(model.sees)}
        known["class_weights"] = self.settings.class_weights
        run = partial(self._fuse, model, arguments, training)
        return self._stage(f"models/{name}", {"tokens": self.place(model.encoders, "tokens")}, known, run)

    def _fuse(self, model: Model, arguments: Mapping[str, Any], training: Training, out: Path) -> None:
        from ..classifiers import class_codes, make_fusion, token_shape, train_fusion
        from ..features import FeatureSet

        features = FeatureSet(self.place(model.encoders, "tokens"))
        shapes = {name: token_shape(features, name) for name in model.sees}
        classes = class_codes(features, self.settings.label)[0]
        train_fusion(
            features,
            out,
            fusion=make_fusion(shapes, len(classes), model.method, {"init_args": arguments}, self.seed),
            label=self.settings.label,
            training=training,
            split=self.split,
            class_weights=self.settings.class_weights,
        )

    def _baseline(self, name: str) -> Stage:
        known = {"method": MODELS[name].method, "encoder": self.description("own", "spectrum")}
        known["class_weights"] = self.settings.class_weights
        return self._stage(
            f"models/{name}", {"encoder": self.place("own", "spectrum")}, known, partial(self._fit, name)
        )

    def _fit(self, name: str, out: Path) -> None:
        """Fits a baseline to what the spectrum encoder sees, and keeps what it says of all stars."""
        import numpy as np

        from ..classifiers import class_codes, fit_baseline, spectra_matrix
        from ..data.splits import divide
        from ..models import load_model
        from ..storage import new_folder, write_manifest

        codes = class_codes(self.dataset, self.settings.label)[1]
        rows = np.flatnonzero(self.dataset.present("spectrum"))
        preprocess = load_model(self.place("own", "spectrum", "encoder")).preprocess
        x = spectra_matrix(self.dataset, "spectrum", rows, preprocess)
        trained = (divide(self.dataset, self.split)[rows] == "train") & (codes[rows] >= 0)
        weights = self.settings.class_weights
        fitted = fit_baseline(name, x[trained], codes[rows][trained], seed=self.seed, class_weights=weights)
        said = np.full((len(codes), int(codes.max()) + 1), np.nan)
        said[rows] = fitted.predict_proba(x)
        with new_folder(out, "results") as folder:
            np.save(folder / "probabilities.npy", said)
            write_manifest(folder, "results", {"model": name, "trained_on": int(trained.sum())})

    def _judgement(self) -> Stage:
        from .batmm_judging import judge_models

        inputs = {name: self.place("models", name) for name, model in self.models.items() if model.method}
        inputs |= {f"{one}/{name}": self.place(one, name) for one, names in self.variants.items() for name in names}
        known = {"side": self.experiment["side"], "n_boot": self.experiment["n_boot"], "models": list(self.models)}
        return self._stage("results", inputs, known, lambda out: judge_models(self, out))
