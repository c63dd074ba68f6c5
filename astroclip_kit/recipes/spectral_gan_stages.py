"""What the star / QSO experiment runs: for each seed a split, encoders, generators, classifiers and aligned spaces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..settings import Alignment
from .permuted import PermutedViews, permutation_inside
from .recipe import Run, Stage
from .repetition import Repetition, repeated
from .spectral_gan_models import MODELS, SPACES, VARIANTS, Model

if TYPE_CHECKING:
    from torch import nn

    from ..data import Dataset
    from ..settings import Classification, SpectralGAN

__all__ = ["SpectralSeed", "repetitions", "stages"]

SEEN = ("image", "spectrum")
REFERENCE = "image"  # what all other models are compared with


def stages(run: Run) -> Iterator[Stage]:
    """The stages of all repetitions."""
    for one in repetitions(run):
        yield from one.stages()


def repetitions(run: Run) -> list[SpectralSeed]:
    """One for each seed.

    Raises:
        UsageError: If a setting makes no sense.
    """
    if REFERENCE in run.sections["experiment"]["leave_out"]:
        raise UsageError(f"experiment.leave_out: {REFERENCE!r} cannot be left out, as all others are compared with it.")
    return repeated(run, SpectralSeed, MODELS, SEEN)


class SpectralSeed(Repetition):
    """One seed of the experiment; generators encode images by a network like the image classifier's, or their own.

    Its folders: "encoders" holds those of image and spectrum with their heads, each of `VARIANTS` is one of
    `fit_classifier`, "real" holds tokens and fusion of the real vectors, "models" what reads the vector alone, "space"
    the features of all three views and, for each of `SPACES`, model and embeddings.
    """

    def __init__(self, run: Run, number: int) -> None:
        super().__init__(run, number)
        training, simulation = replace(self.settings.simulation_training, seed=self.seed), self.settings.simulation
        if isinstance(image := self.encoders["image"], dict):  # described, so that each generator begins anew
            simulation = replace(simulation, generator={"encoder": image, **simulation.generator})
        changed: dict[str, Any] = {"simulation": simulation, "simulation_training": training}
        self.settings = replace(self.settings, stages="simulated", **changed)

    @cached_property
    def models(self) -> dict[str, Model]:
        """Those that are run: what reads the vectors of a source that is left out is left out, too."""
        left = set(self.experiment["leave_out"])
        left |= {name for name, model in MODELS.items() if model.needs & left}
        return {name: model for name, model in MODELS.items() if name not in left}

    @property
    def sources(self) -> list[str]:
        """Where simulated vectors come from."""
        return [name for name in VARIANTS if name in self.models]

    def encoder_place(self, name: str) -> Path:
        """The folder of an encoder with its head."""
        return self.place("encoders", name)

    def simulation(self, source: str) -> SpectralGAN:
        """The settings of a source."""
        found: SpectralGAN = replace(self.settings.simulation, **MODELS[source].settings)
        return found

    def stages(self) -> Iterator[Stage]:
        """Encoders, classifiers of each source of vectors, spaces, and how good all are."""
        encoders = {name: self.encoder_place(name) for name in SEEN}
        for name in SEEN:
            of = {"encoder": self.encoders[name], "training": self.settings.encoder_training}
            yield self.stage(f"encoders/{name}", {}, of, partial(self.train, self.encoders[name], name))
        for source in self.sources:
            settings = self.classification(source)
            yield self.stage(f"{source}/model", encoders, {"settings": settings}, partial(self._fit, source))
        training = {"training": self.settings.training, "fusion": self.settings.fusion}
        yield self.stage("real/tokens", encoders, {}, self._extract_real)
        if "real" in self.models:
            fuse = partial(self._fuse, "real", ("image", "real"))
            yield self.stage("real/fusion", {"tokens": self.place("real", "tokens")}, training, fuse)
        for name, model in self.models.items():
            if model.kind == "alone":
                read = {"source": self.place(model.vectors, "model")}
                yield self.stage(f"models/{name}", read, training, partial(self._fuse, model.vectors, ("simulated",)))
        yield from self._spaces()
        yield self._judgement()

    def classification(self, source: str) -> Classification:
        """How a classifier of image and simulated vectors is made."""
        return replace(self.settings, simulation=self.simulation(source))

    def shown(self, source: str) -> Dataset:
        """The dataset, of "permuted" one in which each training image is that of another object of the class."""
        if source != "permuted":
            return self.dataset
        _, codes, rows = self.divided
        return PermutedViews(self.dataset, "image", permutation_inside(codes, rows["train"], self.seed))

    def _fit(self, source: str, out: Path) -> None:
        encoders = {name: self.encoder_place(name) for name in SEEN}
        self.fit(encoders, self.classification(source), out.parent, self.shown(source))

    def _extract_real(self, out: Path) -> None:
        """The vectors of the real spectra, standardised as simulated ones are, beside the features of the images."""
        from ..classifiers import extract_tokens, standardised

        (image, spectrum), train = (self.encoder(name) for name in SEEN), self.divided[2]["train"]
        hardware = self.settings.training.hardware
        real = standardised(spectrum, self.dataset, train, hardware=hardware)
        extract_tokens(self.dataset, {"image": image, "real": real}, out, hardware=hardware)

    def encoder(self, name: str) -> nn.Module:
        """A trained encoder without its head."""
        from ..models import load_model

        return load_model(self.encoder_place(name) / "encoder")

    def generator_place(self, source: str) -> Path:
        """The folder of the generator that learned from all training objects."""
        return self.place(source, "simulation", "whole")

    def _fuse(self, source: str, names: tuple[str, ...], out: Path) -> None:
        """The head of the classifier on other tokens."""
        self.fuse(self.place(source, "tokens"), names, self.settings.method, self.settings.fusion, out)

    def _spaces(self) -> Iterator[Stage]:
        """Features of image, spectrum and simulated vector, and what alignment makes of two or three of them."""
        spaces = dict.fromkeys(model.vectors for model in self.models.values() if model.kind == "neighbours")
        if not spaces:
            return
        inputs = {**{name: self.encoder_place(name) for name in SEEN}, "gan": self.place("gan", "model")}
        features = {"features": self.place("space", "features")}
        yield self.stage("space/features", inputs, {}, self._extract_all)
        for name in spaces:
            alignment = replace(self.settings.alignment, modalities=list(SPACES[name]))
            of = {"alignment": alignment, "training": self.settings.alignment_training}
            yield self.stage(f"space/{name}", features, of, partial(self._align, alignment))
            model = {**features, "model": self.place("space", name)}
            yield self.stage(f"space/{name}-embeddings", model, {}, partial(self._embed, name))

    def _extract_all(self, out: Path) -> None:
        from ..features import extract
        from ..models import load_model

        encoders = {name: self.encoder(name) for name in SEEN} | {"simulated": load_model(self.generator_place("gan"))}
        extract(self.dataset, encoders, out, hardware=self.settings.training.hardware)

    def _align(self, alignment: Alignment, out: Path) -> None:
        from ..alignment import align
        from ..features import FeatureSet

        training, split = self.settings.alignment_training, self.settings.split
        align(FeatureSet(self.place("space", "features")), out, alignment=alignment, training=training, split=split)

    def _embed(self, name: str, out: Path) -> None:
        from ..embeddings import embed
        from ..features import FeatureSet

        embed(self.place("space", name), FeatureSet(self.place("space", "features")), out)

    def _judgement(self) -> Stage:
        from .spectral_gan_judging import judge_seed

        places = {name: place for name in self.models if (place := self.model_place(name)) is not None}
        places["tokens"] = self.place("real", "tokens")
        known = {name: self.experiment[name] for name in ("side", "n_boot", "neighbours", "magnitudes")}
        return self.stage("results", places, {**known, "models": list(self.models)}, partial(judge_seed, self))

    def model_place(self, name: str) -> Path | None:
        """The folder of what was trained for a model; None where nothing was."""
        model = self.models[name]
        places = {
            "encoder": self.encoder_place(name),
            "fusion": self.place(name, "fusion" if name == "real" else "model"),
            "alone": self.place("models", name),
            "neighbours": self.place("space", f"{model.vectors}-embeddings"),
        }
        return places.get(model.kind)
