"""What IICnet's experiment runs: for each seed a split, encoders of images, colours and spectra, and sweeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from ..settings import Classification, Training
from .iicnet_models import BRIEF, MODELS, Model
from .recipe import Run, Stage
from .repetition import Repetition, repeated, with_arguments

__all__ = ["IICNetSeed", "repetitions", "stages"]

SEEN = ("image", "colours", "spectrum")
EPOCHS = {"colours": "colour_epochs", "spectrum": "spectrum_epochs"}  # of encoders that may learn for longer
REFERENCE = "iicnet"  # what everything else is compared with


def stages(run: Run) -> Iterator[Stage]:
    """The stages of all repetitions."""
    for one in repetitions(run):
        yield from one.stages()


def repetitions(run: Run) -> list[IICNetSeed]:
    """One for each seed.

    Raises:
        UsageError: If a setting makes no sense.
    """
    experiment = run.sections["experiment"]
    for name in ("sweep_seeds", "sweep_objects", "sweep_epochs", *EPOCHS.values()):
        if experiment[name] < 0:
            raise UsageError(f"experiment.{name} is {experiment[name]}, expected 0 or more.")
    if REFERENCE in experiment["leave_out"]:
        raise UsageError(f"experiment.leave_out: {REFERENCE!r} is what the others are compared with. Keep it.")
    several = repeated(run, IICNetSeed, MODELS, SEEN)
    own = [name for name, model in several[0].models.items() if model.kind == "sweep"]
    if own and not isinstance(several[0].encoders["image"], dict):
        raise UsageError(
            f"classify.encoders.image is a folder: sweeps such as {own[0]!r} need its class_path. Give that, or leave "
            f"them out with experiment.sweep_seeds=0."
        )
    return several


class IICNetSeed(Repetition):
    """One seed of IICnet's experiment.

    Its folders: "encoders" holds encoders with a linear head each, "fused" and "joint" are those of `fit_classifier`,
    "sweep" holds what is trained as briefly as the settings say.
    """

    @cached_property
    def models(self) -> dict[str, Model]:
        """Those that are run."""
        sweeps = self.number < self.experiment["sweep_seeds"]
        left = self.experiment["leave_out"]
        return {name: one for name, one in MODELS.items() if name not in left and (sweeps or not one.brief)}

    @property
    def is_whole(self) -> bool:
        """Whether sweeps are trained as long, and on as many objects, as IICnet itself."""
        return not (self.experiment["sweep_objects"] or self.experiment["sweep_epochs"])

    def model_place(self, name: str) -> Path:
        """The folder of what a row says."""
        model = self.models[name]
        if model.kind == "fusion":
            return self.place("fused", "fusion")
        if model.kind == "joint":
            return self.place("joint", "joint")
        return self.place("sweep", name) if self._is_own(name) else self.place("encoders", *model.sees)

    def _is_own(self, name: str) -> bool:
        """Whether a row of the sweeps is trained for it alone: IICnet itself may be there already."""
        return self.models[name].brief and not (name == BRIEF and self.is_whole)

    def stages(self) -> Iterator[Stage]:
        """The encoders, what puts them together, sweeps, and how good all are."""
        trained = {name: self.place("encoders", name) for name in self.encoders}
        for name in self._needed():
            of = {"encoder": self.encoders[name], "training": self.training(name)}
            yield self.stage(f"encoders/{name}", {}, of, partial(self._train, name))
        both = {name: trained[name] for name in MODELS["fused"].sees}
        for name in ("fused", "joint"):
            if name in self.models:
                of = {"settings": self.fusing(name)}
                yield self.stage(f"{name}/model", both, of, partial(self._fuse, name))
        for name, model in self.models.items():
            if self._is_own(name):
                read = {"image": trained["image"]} if model.kind == "network" else {}
                of = {"encoder": self.encoders["image"], "changes": dict(model.changes), "training": self.brief}
                of["objects"] = self.experiment["sweep_objects"]
                yield self.stage(f"sweep/{name}", read, of, partial(self._sweep, name))
        yield self._judgement()

    def _needed(self) -> list[str]:
        """The modalities of which an encoder is trained."""
        seen = {name for model in self.models.values() if not model.brief for name in model.sees}
        return [name for name in self.encoders if name in seen]

    def training(self, modality: str) -> Training:
        """How the encoder of a modality is trained."""
        return self._for(self.experiment[EPOCHS[modality]] if modality in EPOCHS else 0)

    @property
    def brief(self) -> Training:
        """How sweeps and networks are trained."""
        return self._for(self.experiment["sweep_epochs"])

    def _for(self, epochs: int) -> Training:
        """How encoders are trained for some epochs; 0 for as many as the settings say."""
        training = self.settings.encoder_training
        return replace(training, epochs=epochs) if epochs else training

    def fusing(self, name: str) -> Classification:
        """How images and colours are put together: on features of trained encoders, or all trained together."""
        return replace(self.settings, stages="joint" if name == "joint" else "two")

    def _train(self, modality: str, out: Path) -> None:
        settings = replace(self.settings, encoder_training=self.training(modality))
        self.train(self.encoders[modality], modality, out, settings)

    def _fuse(self, name: str, out: Path) -> None:
        encoders = {one: self.place("encoders", one) for one in MODELS[name].sees}
        self.fit(encoders, self.fusing(name), out.parent)

    def _sweep(self, name: str, out: Path) -> None:
        """Trains IICnet with one thing changed, or another network on what IICnet sees."""
        from ..classifiers import train_encoder

        settings = replace(self.settings, encoder_training=self.brief)
        encoder = self.network(name) if self.models[name].kind == "network" else self.changed(self.models[name].changes)
        train_encoder(self.fewer(), out, modality="image", encoder=encoder, settings=settings)

    def changed(self, changes: Mapping[str, Any]) -> Any:
        """IICnet with other arguments."""
        return self.built(with_arguments(self.encoders["image"], **changes), "image")

    def network(self, name: str) -> Any:
        """Another network, which sees what IICnet sees: the same bands, scaled as those, at the same size."""
        from ..classifiers.network_costs import COMPARED
        from ..models import load_model

        seen: Any = load_model(self.place("encoders", "image", "encoder"))
        described = {"name": COMPARED[name], "in_channels": seen.bands, "preprocess": seen.preprocess}
        part = {"class_path": "astroclip_kit.encoders.ImageBackbone", "init_args": described}
        return self.built(part, "image")

    def fewer(self) -> Any:
        """The objects of the sweeps: as many of those that train as are asked for, and all others."""
        _, codes, rows = self.divided
        count, train = self.experiment["sweep_objects"], rows["train"]
        if not 0 < count < len(train):
            return self.dataset
        order = np.random.default_rng(self.seed).permutation(train)
        kept = np.ones(len(codes), dtype=bool)
        kept[order[count:]] = False
        return self.dataset.select(kept)

    def _judgement(self) -> Stage:
        from .iicnet_judging import judge_seed

        read = {name: self.model_place(name) for name in self.models}
        known = {"side": self.experiment["side"], "n_boot": self.experiment["n_boot"], "models": list(self.models)}
        return self.stage("results", read, known, partial(judge_seed, self))
