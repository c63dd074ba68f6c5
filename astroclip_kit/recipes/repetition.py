"""A supervised experiment that is repeated over seeds: each divides the objects anew and trains all models anew.

The rows of one seed are judged by the same objects, which nothing that was trained for it has seen. A recipe makes a
`Repetition` of its own that yields its stages; `judged` says how good the models of a seed are, `paired` compares them
over the seeds, and `repetition_figures` draws them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..results import combine, read_results
from ..types import Result
from .recipe import Run, Stage

if TYPE_CHECKING:
    from torch import nn

    from ..data import Dataset
    from ..settings import Classification

__all__ = ["Repetition", "Row", "not_as_published", "repeated", "tested_share", "together", "with_arguments"]

R = TypeVar("R", bound="Repetition")
SIDES = ("test", "valid")
TRAININGS = ("encoder_training", "training", "alignment_training")


class Row(Protocol):
    """A model as the tables know it."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def query(self) -> str:
        """What it sees, as in results: "image+spectrum"."""


class Repetition:
    """One seed: its split, where its folders lie, and its objects.

    Args:
        run: The experiment, with the sections "classify" and "experiment".
        number: Of the repetition, from 0.
    """

    def __init__(self, run: Run, number: int) -> None:
        self.run, self.number, self.seed = run, number, run.seed + number
        self.name = f"seed-{number}"
        self.folder: Path = run.folders["root"] / self.name
        self.experiment = run.sections["experiment"]
        self.encoders: dict[str, Any] = run.sections["classify"]["encoders"]
        given: Classification = run.sections["classify"]["classification"]
        self.settings = replace(
            given, **{name: replace(getattr(given, name), seed=self.seed) for name in (*TRAININGS, "split")}
        )

    @property
    def models(self) -> Mapping[str, Row]:
        """Those that are run, by their task."""
        raise NotImplementedError

    def stages(self) -> Iterator[Stage]:
        """What is run, in order; the last writes "results"."""
        raise NotImplementedError

    @cached_property
    def dataset(self) -> Dataset:
        """The objects that have a class and every modality."""
        found: Dataset = self.run.objects()
        return found

    @cached_property
    def divided(self) -> tuple[tuple[str, ...], npt.NDArray[np.int64], dict[str, npt.NDArray[np.int64]]]:
        """Classes, the number of the class of each object, and the rows of each side."""
        from ..classifiers import class_codes
        from ..data.splits import divide

        names, codes = class_codes(self.dataset, self.settings.label)
        sides = divide(self.dataset, self.settings.split)
        return names, codes, {side: np.flatnonzero(sides == side) for side in ("train", "valid", "test")}

    def place(self, *parts: str) -> Path:
        """A folder of the repetition."""
        return self.folder.joinpath(*parts)

    def stage(
        self, name: str, inputs: Mapping[str, Path], of: Mapping[str, Any], run: Callable[[Path], object]
    ) -> Stage:
        """A stage that writes the folder of its name.

        Args:
            name: "own/model".
            inputs: Folders that it reads, beside the dataset.
            of: What its result depends on, beside split, label, weights of classes and table of labels.
            run: Takes the folder and writes it.
        """
        out, settings = self.place(*name.split("/")), self.settings
        shared = {"split": settings.split, "label": settings.label, "class_weights": settings.class_weights}
        shared["labels"] = self.run.sections["classify"]["labels"]
        read = {"dataset": self.run.folders["dataset"], **inputs}
        return Stage(f"{self.name}/{name}", out, read, {**shared, **of}, partial(run, out))

    def fit(
        self, encoders: Mapping[str, Any], settings: Classification, out: Path, data: Dataset | None = None
    ) -> None:
        """A classifier from raw views that knows what it was made of, as `classify` writes it.

        Args:
            encoders: As for `classifiers.fit_classifier`; each is called as the modality that it reads.
            settings: How.
            out: The folder that gets "model".
            data: By default the dataset.
        """
        from ..classifiers import fit_classifier
        from ..classifiers.candidates import made_of

        shown = self.dataset if data is None else data
        needed = [settings.simulation.image] if settings.stages == "simulated" else list(encoders)
        about = made_of(shown, needed, self.divided[2]["train"])
        fit_classifier(shown, encoders, settings, out, about=about)

    def train(self, given: Any, modality: str, out: Path, settings: Classification | None = None) -> None:
        """An encoder with a linear head, from random weights of this seed.

        Args:
            given: As for `built`.
            modality: What it encodes.
            out: The folder that is written.
            settings: How; by default those of the repetition.
        """
        from ..classifiers import train_encoder

        about = {"modality": modality, "encoder": self.built(given, modality), "settings": settings or self.settings}
        train_encoder(self.dataset, out, **about)

    def fuse(self, tokens: Path, names: Sequence[str], method: str, part: Mapping[str, Any], out: Path) -> None:
        """What puts cached tokens together, from random weights of this seed.

        Args:
            tokens: The folder of the tokens.
            names: Which of them it reads.
            method: As `classifiers.make_fusion` names it.
            part: What it is made with, as for `classifiers.make_fusion`.
            out: The folder that is written.
        """
        from ..classifiers import class_codes, make_fusion, token_shape, train_fusion
        from ..features import FeatureSet

        features = FeatureSet(tokens)
        shapes = {name: token_shape(features, name) for name in names}
        classes = class_codes(features, self.settings.label)[0]
        fusion = make_fusion(shapes, len(classes), method, part, self.seed)
        train_fusion(features, out, fusion=fusion, settings=self.settings)

    def built(self, given: Any, modality: str) -> nn.Module:
        """An encoder with random weights of this seed, or that of a folder, fitted to the modality."""
        import torch

        from ..classifiers.seen import encoder_folder
        from ..encoders.fitted import load_encoder
        from ..models import build_for

        seen = self.dataset.modalities[modality]
        if not isinstance(given, dict):
            return load_encoder(encoder_folder(given), seen)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            found: nn.Module = build_for(given, seen)
        return found


def with_arguments(described: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A part of a configuration with some of its arguments changed.

    Args:
        described: ``class_path``, and ``init_args`` or none.
        changes: The arguments.

    Example:
        >>> with_arguments({"class_path": "VGG1D"}, dropout=0.1)
        {'class_path': 'VGG1D', 'init_args': {'dropout': 0.1}}
    """
    return {**described, "init_args": {**(described.get("init_args") or {}), **changes}}


def repeated(run: Run, make: Callable[[Run, int], R], models: Iterable[str], sees: Sequence[str]) -> list[R]:
    """One repetition for each seed.

    Args:
        run: The experiment, with the settings "seeds", "side" and "leave_out".
        make: From the run and the number of the repetition.
        models: All that there are.
        sees: The modalities that need an encoder.

    Raises:
        UsageError: If a setting makes no sense.
    """
    experiment, encoders = run.sections["experiment"], run.sections["classify"]["encoders"] or {}
    if experiment["seeds"] < 1:
        raise UsageError(f"experiment.seeds is {experiment['seeds']}, expected at least 1.")
    if experiment["side"] not in SIDES:
        raise UsageError(f"experiment.side is {experiment['side']!r}, expected one of {', '.join(SIDES)}.")
    known = list(models)
    if unknown := [name for name in experiment["leave_out"] if name not in known]:
        raise UsageError(f"experiment.leave_out: there is no model {unknown[0]!r}. There are: {', '.join(known)}.")
    if set(encoders) != set(sees):
        raise UsageError(f"classify.encoders: expected {' and '.join(sees)}, found {', '.join(encoders) or 'none'}.")
    return [make(run, number) for number in range(experiment["seeds"])]


def tested_share(one: Repetition) -> float:
    """Share of the judged objects among those that train or are judged."""
    split = one.settings.split
    return split.tested_share if one.experiment["side"] == "test" else split.valid


def together(several: Sequence[Repetition]) -> list[Result]:
    """The results of all repetitions: their mean and standard deviation, and those of each; of one alone its own."""
    each = [read_results(one.place("results")) for one in several]
    return combine(each, tested_share(several[0])) if len(each) > 1 else each[0]


def not_as_published(first: Repetition, models: Mapping[str, Row]) -> Iterator[str]:
    """What is not as published in every run of it.

    Args:
        first: Any repetition.
        models: All that there are, by their task.
    """
    if left := [model.name for name, model in models.items() if name not in first.models]:
        yield f"not run: {', '.join(left)}"
    if first.experiment["side"] == "valid":
        yield "judged by the validation side, which chose the epochs: numbers to choose settings by, not to report"
