"""What BATMM's experiment runs: for each seed a split, encoders that see its training side alone, and all models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from .batmm_models import FITTED, FUSION, MODELS, Model
from .recipe import Run, Stage

if TYPE_CHECKING:
    from torch import nn

    from ..data import Dataset
    from ..settings import Classification

__all__ = ["Repetition", "repetitions", "stages"]

ATTENTION = {"SEResNet": "squeeze_excitation", "VGG1D": "self_attention"}  # what switches it, of each encoder
SIDES = ("test", "valid")
SEEN = ("image", "spectrum")
STAGES: dict[str, Any] = {"own": "two", "aligned": "aligned", "joint": "joint"}  # of the classifier of each folder


def stages(run: Run) -> Iterator[Stage]:
    """The stages of all repetitions."""
    for one in repetitions(run):
        yield from one.stages()


def repetitions(run: Run) -> list[Repetition]:
    """One for each seed.

    Raises:
        UsageError: If a setting makes no sense.
    """
    experiment, encoders = run.sections["experiment"], run.sections["classify"]["encoders"] or {}
    if experiment["seeds"] < 1:
        raise UsageError(f"experiment.seeds is {experiment['seeds']}, expected at least 1.")
    if experiment["side"] not in SIDES:
        raise UsageError(f"experiment.side is {experiment['side']!r}, expected one of {', '.join(SIDES)}.")
    if unknown := [name for name in experiment["leave_out"] if name not in MODELS]:
        raise UsageError(f"experiment.leave_out: there is no model {unknown[0]!r}. There are: {', '.join(MODELS)}.")
    if set(encoders) != set(SEEN):
        raise UsageError(f"classify.encoders: expected image and spectrum, found {', '.join(encoders) or 'none'}.")
    return [Repetition(run, number) for number in range(experiment["seeds"])]


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
        self.encoders: dict[str, Any] = run.sections["classify"]["encoders"]
        given: Classification = run.sections["classify"]["classification"]
        seeded = {
            name: replace(getattr(given, name), seed=self.seed)
            for name in ("encoder_training", "training", "alignment_training", "split")
        }
        self.settings = replace(given, **seeded)

    @cached_property
    def models(self) -> dict[str, Model]:
        """Those that are run."""
        left = {*self.experiment["leave_out"], *(() if find_spec("xgboost") else ("xgboost",))}
        return {name: model for name, model in MODELS.items() if name not in left}

    @cached_property
    def dataset(self) -> Dataset:
        """The stars that have a class, an image and a spectrum."""
        found: Dataset = self.run.objects()
        return found

    def place(self, *parts: str) -> Path:
        """A folder of the repetition.

        "own", "aligned" and "joint" are those of `fit_classifier`, "plain" holds encoders without attention, "models"
        what else was trained.
        """
        return self.folder.joinpath(*parts)

    def encoder_place(self, model: Model, name: str) -> Path:
        """The folder of an encoder with its linear head."""
        return self.place("plain", name) if model.encoders == "plain" else self.place(model.encoders, "encoders", name)

    def model_place(self, name: str) -> Path:
        """The folder of what was trained for a model alone."""
        model = self.models[name]
        if name in FITTED:
            return self.place(FITTED[name], "joint" if name == "joint" else "fusion")
        return self.place("models", name) if model.method else self.encoder_place(model, model.sees[0])

    def stages(self) -> Iterator[Stage]:
        """BATMM with its encoders, what shares their tokens, encoders without attention, and how good all are."""
        own = {"own": self.place("own", "model")}
        yield self._stage("own/model", {}, self._fitting("own"), partial(self._fit, "own"))
        for name, model in self.models.items():
            of: dict[str, Any] = {"method": model.method, "sees": list(model.sees)}
            if name in FITTED:
                if FITTED[name] != "own":
                    folder = FITTED[name]
                    yield self._stage(f"{folder}/model", own, self._fitting(folder), partial(self._fit, folder))
            elif model.encoders == "plain":
                of["encoder"] = self.without_attention(model.sees[0])
                of["training"] = self.settings.encoder_training
                yield self._stage(f"plain/{model.sees[0]}", {}, of, partial(self._train, model.sees[0]))
            elif model.method in ("svm", "xgboost"):
                yield self._stage(f"models/{name}", own, of, partial(self._fit_baseline, name))
            elif model.method:
                of |= {"arguments": self.arguments(model), "training": self.settings.training}
                yield self._stage(f"models/{name}", own, of, partial(self._fuse, name))
        yield self._judgement()

    def _stage(
        self, name: str, inputs: Mapping[str, Path], of: Mapping[str, Any], run: Callable[[Path], object]
    ) -> Stage:
        out, settings = self.place(*name.split("/")), self.settings
        shared = {"split": settings.split, "label": settings.label, "class_weights": settings.class_weights}
        shared["labels"] = self.run.sections["classify"]["labels"]
        read = {"dataset": self.run.folders["dataset"], **inputs}
        return Stage(f"{self.name}/{name}", out, read, {**shared, **of}, partial(run, out))

    def _fitting(self, folder: str) -> dict[str, Any]:
        return {"encoders": self.encoders, "settings": replace(self.settings, stages=STAGES[folder])}

    def _fit(self, folder: str, out: Path) -> None:
        """A classifier from raw views, of which an interrupted part goes on."""
        from ..classifiers import fit_classifier

        settings = replace(self.settings, stages=STAGES[folder])
        given: dict[str, Any] = {name: self._built(one, name) for name, one in self.encoders.items()}
        if folder == "joint":
            given = {name: self.place("own", "encoders", name) for name in self.encoders}
        fit_classifier(self.dataset, given, settings, out.parent)

    def _built(self, given: Any, name: str) -> nn.Module:
        """An encoder with random weights, or of a folder."""
        import torch

        from ..models import build_for, load_model

        if not isinstance(given, dict):
            return load_model(given)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            found: nn.Module = build_for(given, self.dataset.modalities[name])
        return found

    def without_attention(self, name: str) -> dict[str, Any]:
        """An encoder as the configuration describes it, without attention to bands or wavelengths.

        Raises:
            UsageError: If it has none.
        """
        given = self.encoders[name]
        switch = ATTENTION.get(str(given.get("class_path", "")).rpartition(".")[2]) if isinstance(given, dict) else None
        if switch is None:
            [row] = [row for row, model in MODELS.items() if (model.encoders, model.sees) == ("plain", (name,))]
            raise UsageError(
                f"classify.encoders.{name} has no attention to switch off: leave out {row!r} (experiment.leave_out)."
            )
        return {**given, "init_args": {**(given.get("init_args") or {}), switch: False}}

    def _train(self, name: str, out: Path) -> None:
        from ..classifiers import train_encoder

        encoder = self._built(self.without_attention(name), name)
        train_encoder(self.dataset, out, modality=name, encoder=encoder, settings=self.settings)

    def arguments(self, model: Model) -> dict[str, Any]:
        """What the method of a model is made with."""
        given = self.settings.fusion.get("init_args", {}) if model.method == FUSION else {}
        return {**given, **self.experiment["methods"].get(model.method, {}), **model.arguments}

    def _fuse(self, name: str, out: Path) -> None:
        from ..classifiers import class_codes, make_fusion, token_shape, train_fusion
        from ..features import FeatureSet

        model, features = self.models[name], FeatureSet(self.place("own", "tokens"))
        shapes = {one: token_shape(features, one) for one in model.sees}
        classes = class_codes(features, self.settings.label)[0]
        part = {"init_args": self.arguments(model)}
        fusion = make_fusion(shapes, len(classes), model.method, part, self.seed)
        train_fusion(features, out, fusion=fusion, settings=self.settings)

    def _fit_baseline(self, name: str, out: Path) -> None:
        """Fits a baseline to what the spectrum encoder sees."""
        from ..classifiers import write_baseline
        from ..models import load_model

        encoder: Any = load_model(self.place("own", "encoders", "spectrum", "encoder"))
        write_baseline(name, self.dataset, "spectrum", encoder.preprocess, self.settings, out)

    def _judgement(self) -> Stage:
        from .batmm_judging import judge_models

        own = {name: self.model_place(name) for name in self.models}
        known = {"side": self.experiment["side"], "n_boot": self.experiment["n_boot"], "models": list(self.models)}
        return self._stage("results", own, known, lambda out: judge_models(self, out))
