"""What AstroM3's experiment runs: for each seed a split, a contrastive pretraining, fine-tuning with and without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..settings import Alignment, Classification, LabelShare, Optimizer, Training
from .astrom3_models import LEAST_FLIPS, MODELS, Model
from .published_variables import MODES, SUBSETS
from .recipe import Run, Stage
from .repetition import Repetition, repeated, with_arguments

__all__ = ["AstroM3Seed", "repetitions", "stages"]

SEEN = MODES["all"]
TUNED = ("learning_rate", "beta1", "weight_decay", "factor", "clip_norm", "dropout")


def stages(run: Run) -> Iterator[Stage]:
    """The stages of all repetitions."""
    for one in repetitions(run):
        yield from one.stages()


def repetitions(run: Run) -> list[AstroM3Seed]:
    """One for each seed.

    Raises:
        UsageError: If a setting makes no sense.
    """
    experiment = run.sections["experiment"]
    percents = experiment["percents"]
    if not percents or not set(percents) <= set(SUBSETS):
        raise UsageError(f"experiment.percents is {percents}, expected some of {', '.join(map(str, SUBSETS))}.")
    for name in ("pretrained_rates", "last_rates"):
        for mode, rate in experiment[name].items():
            if mode not in MODES or not rate > 0:
                raise UsageError(
                    f"experiment.{name}: expected numbers above 0 of {', '.join(MODES)}; found {mode}: {rate}."
                )
    if experiment["few_epochs"] < 0:
        raise UsageError(f"experiment.few_epochs is {experiment['few_epochs']}, expected 0 or more.")
    for task, tuned in experiment["rows"].items():
        if task not in MODELS:
            raise UsageError(f"experiment.rows: there is no model {task!r}. There are: {', '.join(MODELS)}.")
        if unknown := [name for name in tuned if name not in TUNED]:
            raise UsageError(
                f"experiment.rows.{task}: there is no setting {unknown[0]!r}; there is: {', '.join(TUNED)}."
            )
    return repeated(run, AstroM3Seed, MODELS, SEEN)


class AstroM3Seed(Repetition):
    """One seed of AstroM3's experiment.

    Its folders: "clip" holds the space of the contrastive pretraining, "tuned" a classifier for each row.
    """

    @cached_property
    def models(self) -> dict[str, Model]:
        """Those that are run."""
        left, percents = self.experiment["leave_out"], self.experiment["percents"]
        return {task: one for task, one in MODELS.items() if task not in left and one.percent in percents}

    def model_place(self, task: str) -> Path:
        """The folder of the classifier of a row."""
        return self.place("tuned", task, "model")

    def stages(self) -> Iterator[Stage]:
        """The pretraining, the rows of the tables, how good all are; of the first seed what its space is good for."""
        clip = {"clip": self.place("clip")}
        if self.pretrains:
            of = {"encoders": self.encoders, "alignment": self.alignment, "training": self.settings.alignment_training}
            yield self.stage("clip", {}, of, self._align)
        for task, model in self.models.items():
            of = {"encoders": self.encoders_of(task), "settings": self.settings_of(task)}
            yield self.stage(f"tuned/{task}/model", clip if model.pretrained else {}, of, partial(self._tune, task))
        yield self._judgement()
        if self.shows_space:
            yield self.stage("space/embeddings", clip, {}, self._embed)
            yield self._space()

    @property
    def pretrains(self) -> bool:
        """Whether the space is needed."""
        return self.shows_space or any(model.pretrained for model in self.models.values())

    @property
    def shows_space(self) -> bool:
        """Whether it is looked at what the space is good for."""
        return self.number == 0 and bool(self.experiment["space"])

    @cached_property
    def alignment(self) -> Alignment:
        """That of the settings, of all modalities, with every weight free to learn."""
        given = self.settings.alignment
        return replace(
            given,
            modalities=list(SEEN),
            trainable=given.trainable or dict.fromkeys(SEEN, "all"),
            augmentations=given.augmentations or self.settings.augmentations_of(SEEN),
        )

    def _align(self, out: Path) -> None:
        """Trains the space on the training side, without labels, from random weights of this seed."""
        from ..alignment import align
        from ..pretraining import Pretraining

        training, split = self.settings.alignment_training, self.settings.split
        own = {}
        for name, given in self.encoders.items():
            course = Pretraining.of("aligned", self.dataset, out, name, None, training, split)
            own[name] = course.own(self.built(given, name))
        align(self.dataset, out, encoders=own, alignment=self.alignment, training=training, split=split)

    def tuned(self, task: str) -> Mapping[str, Any]:
        """What a row was tuned to; nothing where all rows are trained alike."""
        found: Mapping[str, Any] = self.experiment["rows"].get(task, {}) if self.experiment["tuned"] else {}
        return found

    def encoders_of(self, task: str) -> dict[str, Any]:
        """The encoders of a row as they are described, each with the dropout of the row."""
        dropout = self.tuned(task).get("dropout", {})
        given = {name: self.encoders[name] for name in self.models[task].sees}
        return {
            name: with_arguments(one, dropout=dropout[name]) if name in dropout and isinstance(one, dict) else one
            for name, one in given.items()
        }

    def settings_of(self, task: str) -> Classification:
        """How a row is trained."""
        model, settings = self.models[task], self.settings
        start = str(self.place("clip")) if model.pretrained else ""
        return replace(
            settings,
            stages="fine_tuned",
            fine_tuning=replace(settings.fine_tuning, start=start),
            labelled=self.labelled(model.percent),
            augmentations=settings.augmentations_of(model.sees),
            training=self.training_of(task),
        )

    def labelled(self, percent: int) -> LabelShare:
        """Whose labels are learned from."""
        return replace(self.settings.labelled, fraction=percent / 100)

    def training_of(self, task: str) -> Training:
        """Optimizer and schedule of a row."""
        training, tuned = self.settings.training, self.tuned(task)
        model = self.models[task]
        few = self.experiment["few_epochs"] if model.percent < 100 else 0
        rate = self.experiment["pretrained_rates"].get(model.mode, 1.0) if model.pretrained and not tuned else 1.0
        known: dict[str, Any] = {"learning_rate": rate * training.optimizer.learning_rate}
        known |= {name: tuned[name] for name in ("learning_rate", "weight_decay", "clip_norm") if name in tuned}
        if "beta1" in tuned:
            known["betas"] = [tuned["beta1"], training.optimizer.betas[1]]
        if (last := self.experiment["last_rates"].get(model.mode)) and not tuned:
            known["factors"] = {**training.optimizer.factors, "fusion.to_classes": last}
        optimizer: Optimizer = replace(training.optimizer, **known)
        schedule = replace(training.schedule, factor=tuned.get("factor", training.schedule.factor))
        return replace(training, optimizer=optimizer, schedule=schedule, epochs=few or training.epochs)

    def _tune(self, task: str, out: Path) -> None:
        """Trains the classifier of a row."""
        encoders = {name: self.built(one, name) for name, one in self.encoders_of(task).items()}
        self.fit(encoders, self.settings_of(task), out.parent)

    def _judgement(self) -> Stage:
        from .astrom3_judging import judge_seed, kept_model

        read = {task: self.model_place(task) for task in self.models}
        known = {"side": self.experiment["side"], "n_boot": self.experiment["n_boot"], "models": list(self.models)}
        known |= {"labelled": self.settings.labelled, "kept": kept_model(self)}
        return self.stage("results", read, known, partial(judge_seed, self))

    def _embed(self, out: Path) -> None:
        from ..embeddings import embed

        embed(self.place("clip"), self.dataset, out, hardware=self.settings.training.hardware)

    def _space(self) -> Stage:
        from .astrom3_space import judge_space

        read = {"embeddings": self.place("space", "embeddings")}
        known = {"n_boot": self.experiment["n_boot"], "truth": self.experiment["truth"], "flips": LEAST_FLIPS}
        return self.stage("space/results", read, known, partial(judge_space, self))
