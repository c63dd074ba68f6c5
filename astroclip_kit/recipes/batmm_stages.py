"""What BATMM's experiment runs: for each seed a split, encoders that see its training side alone, and all models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .batmm_models import FITTED, FUSION, MODELS, Model
from .recipe import Run, Stage
from .repetition import Repetition, repeated, with_arguments

__all__ = ["BATMMSeed", "repetitions", "stages"]

ATTENTION = {"SEResNet": "squeeze_excitation", "VGG1D": "self_attention"}  # what switches it, of each encoder
SEEN = ("image", "spectrum")
STAGES: dict[str, Any] = {"own": "two", "aligned": "aligned", "joint": "joint"}  # of the classifier of each folder


def stages(run: Run) -> Iterator[Stage]:
    """The stages of all repetitions."""
    for one in repetitions(run):
        yield from one.stages()


def repetitions(run: Run) -> list[BATMMSeed]:
    """One for each seed.

    Raises:
        UsageError: If a setting makes no sense.
    """
    return repeated(run, BATMMSeed, MODELS, SEEN)


class BATMMSeed(Repetition):
    """One seed of BATMM's experiment.

    Its folders: "own", "aligned" and "joint" are those of `fit_classifier`, "plain" holds encoders without attention,
    "models" what else was trained.
    """

    @cached_property
    def models(self) -> dict[str, Model]:
        """Those that are run."""
        left = {*self.experiment["leave_out"], *(() if find_spec("xgboost") else ("xgboost",))}
        return {name: model for name, model in MODELS.items() if name not in left}

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
        yield self.stage("own/model", {}, self._fitting("own"), partial(self._fit, "own"))
        for name, model in self.models.items():
            of: dict[str, Any] = {"method": model.method, "sees": list(model.sees)}
            if name in FITTED:
                if FITTED[name] != "own":
                    folder = FITTED[name]
                    yield self.stage(f"{folder}/model", own, self._fitting(folder), partial(self._fit, folder))
            elif model.encoders == "plain":
                of["encoder"] = self.without_attention(model.sees[0])
                of["training"] = self.settings.encoder_training
                yield self.stage(f"plain/{model.sees[0]}", {}, of, partial(self.train, of["encoder"], model.sees[0]))
            elif model.method in ("svm", "xgboost"):
                yield self.stage(f"models/{name}", own, of, partial(self._fit_baseline, name))
            elif model.method:
                of |= {"arguments": self.arguments(model), "training": self.settings.training}
                part = {"init_args": of["arguments"]}
                fuse = partial(self.fuse, self.place("own", "tokens"), model.sees, model.method, part)
                yield self.stage(f"models/{name}", own, of, fuse)
        yield self._judgement()

    def _fitting(self, folder: str) -> dict[str, Any]:
        return {"encoders": self.encoders, "settings": replace(self.settings, stages=STAGES[folder])}

    def _fit(self, folder: str, out: Path) -> None:
        """A classifier from raw views, of which an interrupted part goes on."""
        settings = replace(self.settings, stages=STAGES[folder])
        given: dict[str, Any] = {name: self.built(one, name) for name, one in self.encoders.items()}
        if folder == "joint":
            given = {name: self.place("own", "encoders", name) for name in self.encoders}
        self.fit(given, settings, out.parent)

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
        return with_arguments(given, **{switch: False})

    def arguments(self, model: Model) -> dict[str, Any]:
        """What the method of a model is made with."""
        given = self.settings.fusion.get("init_args", {}) if model.method == FUSION else {}
        return {**given, **self.experiment["methods"].get(model.method, {}), **model.arguments}

    def _fit_baseline(self, name: str, out: Path) -> None:
        """Fits a baseline to what the spectrum encoder sees."""
        from ..classifiers import write_baseline
        from ..models import load_model

        encoder: Any = load_model(self.place("own", "encoders", "spectrum", "encoder"))
        write_baseline(name, self.dataset, "spectrum", encoder.preprocess, self.settings, out)

    def _judgement(self) -> Stage:
        from .batmm_judging import judge_seed

        own = {name: self.model_place(name) for name in self.models}
        known = {"side": self.experiment["side"], "n_boot": self.experiment["n_boot"], "models": list(self.models)}
        return self.stage("results", own, known, partial(judge_seed, self))
