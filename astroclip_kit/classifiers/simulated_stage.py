"""From images and spectra to what a classifier of images alone learns from: images, and simulated spectral vectors.

The vector of a training object is always simulated by a generator that did not learn from it. One that did would give
it a sharper vector than any new object gets, and the classifier would trust vectors more than they deserve.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import numpy.typing as npt
from torch import nn

from ..data import splits
from ..errors import UsageError
from ..features import FeatureSet, fingerprint
from ..features.substitution import substituted
from ..settings import Classification, SpectralGAN
from ..storage import hash_ids, hash_text
from ..training.processes import on_first_process
from .classes import class_codes
from .inference import Rows
from .retrieval import train_retriever
from .simulated_spectra import check_generator, train_generator
from .tokens import extract_tokens, tokens_of

__all__ = ["SIMULATED", "Simulation", "check_simulation", "folds_of"]

SIMULATED = "simulated"  # what the fusion calls the simulated vector
SOURCES = get_args(get_type_hints(SpectralGAN)["source"])
Once = Callable[[str, Any, Callable[[], nn.Module]], nn.Module]


def folds_of(groups: npt.ArrayLike, rows: Rows, folds: int, seed: int = 0) -> npt.NDArray[np.int64]:
    """The fold of each training object, -1 of all others: folds of (almost) equally many objects, by a hash.

    Args:
        groups: Astrophysical object of each row [N]; all rows of one are of one fold.
        rows: The training objects.
        folds: How many.
        seed: Another one divides otherwise.

    Raises:
        UsageError: If there are fewer than two folds, or fewer objects than folds.

    Example:
        >>> folds_of(["a", "b", "a", "c", "d"], np.array([0, 1, 2, 4]), 2).tolist()
        [1, 0, 1, -1, 0]
    """
    names, own = np.unique(np.asarray(groups).astype(str)[rows], return_inverse=True)
    if not 2 <= folds <= len(names):
        raise UsageError(f"simulation.folds is {folds}, expected 2 to {len(names)}, the number of training objects.")
    place = np.empty(len(names), dtype=np.int64)
    place[np.argsort(hash_ids(names, seed), kind="stable")] = np.arange(len(names)) % folds
    found = np.full(len(np.asarray(groups)), -1)
    found[rows] = place[own.reshape(-1)]
    return found


def check_simulation(simulation: SpectralGAN, encoders: Sequence[str], modalities: Collection[str]) -> None:
    """Refuses what would be found wrong only after encoders are trained.

    Args:
        simulation: How vectors are simulated.
        encoders: Names of the encoders that a classifier is given.
        modalities: Names of what objects have.

    Raises:
        UsageError: If they are not those of image and spectrum, or a setting makes no sense.
    """
    wanted = (simulation.image, simulation.spectrum)
    if set(encoders) != set(wanted):
        raise UsageError(
            f"stages 'simulated' takes an encoder for {' and '.join(wanted)} each, found {', '.join(encoders)}. Name "
            f"them in simulation.image and simulation.spectrum."
        )
    if SIMULATED in modalities:
        raise UsageError(f"a modality is called {SIMULATED!r}, as the simulated vector is. Call it otherwise.")
    if simulation.source not in SOURCES:
        raise UsageError(f"simulation.source is {simulation.source!r}, expected one of {', '.join(SOURCES)}.")
    if simulation.folds < 2:
        raise UsageError(f"simulation.folds is {simulation.folds}, expected 2 or more.")
    if simulation.neighbours < 1:
        raise UsageError(f"simulation.neighbours is {simulation.neighbours}, expected at least 1.")
    check_generator(simulation, "simulation")


@dataclass(frozen=True)
class Simulation:
    """The generators of one classification, each of which is trained once, and the vectors that they simulate.

    Args:
        dataset: A `Dataset`.
        settings: Of the classification.
        out: The folder that holds the generators, and tokens.
        target: The spectrum's encoder with its head, as `train_encoder` gave it, or a bare encoder.
        once: Makes the model of a folder beside `out` where it was not yet made of the same.
        quiet: Shows no progress.
    """

    dataset: Any
    settings: Classification
    out: Path
    target: nn.Module
    once: Once
    quiet: bool = False

    @cached_property
    def folds(self) -> npt.NDArray[np.int64]:
        """The fold of each object of the training side that has an image [N]; -1 of all others."""
        sides = splits.divide(self.dataset, self.settings.split)
        train = np.flatnonzero((sides == "train") & np.asarray(self.dataset.present(self.settings.simulation.image)))
        count = self.settings.simulation.folds
        return folds_of(self.dataset.groups, train, count, self.settings.split.seed)

    def generator(self, fold: int = -1) -> nn.Module:
        """That which learned from all training objects, or from those outside of a fold alone."""
        settings, out = self.settings, self.out / ("whole" if fold < 0 else f"fold-{fold}")
        simulation = replace(settings.simulation, label=settings.label)
        rows = np.flatnonzero((self.folds >= 0) & (self.folds != fold))
        how: dict[str, Any] = {"target": self.target, "rows": rows, "quiet": self.quiet}
        make: Callable[[], nn.Module]
        if simulation.source == "retrieved":
            training, aligned = settings.alignment_training, [settings.alignment]
            make = partial(train_retriever, self.dataset, out, settings=settings, **how)
        else:
            training, aligned = settings.simulation_training, []
            how |= {"training": training, "split": settings.split}
            make = partial(train_generator, self.dataset, out, settings=simulation, **how)
        of = [asdict(training), asdict(settings.split), fingerprint([simulation, *aligned, self.target])]
        return self.once(f"{self.out.name}/{out.name}", [*of, self.seen, hash_text(rows.tobytes())], make)

    @cached_property
    def seen(self) -> list[str]:
        """Hashes of all that is read of the objects."""
        simulation, codes = self.settings.simulation, class_codes(self.dataset, self.settings.label)[1]
        hashes = [self.dataset.data_hash(one) for one in (simulation.image, simulation.spectrum)]
        return [*hashes, hash_text(codes.tobytes())]

    def tokens(self, image: nn.Module, out: Path) -> tuple[nn.Module, FeatureSet]:
        """The generator for new objects, and the tokens of the image beside the simulated vectors of all objects.

        Args:
            image: The image's own encoder.
            out: The features folder; its training objects have vectors out of fold.
        """
        whole: Any = self.generator()
        encoders = {self.settings.simulation.image: image, SIMULATED: whole}
        seen = self._extract(encoders, "seen", None)
        rows, values = [], []
        for fold in range(self.settings.simulation.folds):
            generator: Any = self.generator(fold)
            some = np.flatnonzero(self.folds == fold)
            own = self._extract({SIMULATED: generator}, f"fold-{fold}-tokens", some)
            h = tokens_of(own, SIMULATED, np.arange(len(some)))[:, 0]
            rows.append(some)
            values.append(whole.standardise(generator.restore(h)).numpy())  # each has its own mean and scale
        about = {"out_of_fold": {"name": SIMULATED, "folds": self.settings.simulation.folds}}
        held, vectors = np.concatenate(rows), np.concatenate(values).astype(np.float32)
        on_first_process(lambda: substituted(seen, SIMULATED, held, vectors, out, about))
        return whole, FeatureSet(out)

    def _extract(self, encoders: Mapping[str, nn.Module], name: str, rows: Rows | None) -> FeatureSet:
        """Tokens of all objects, or of some."""
        dataset = self.dataset if rows is None else self.dataset.select(rows)
        place, hardware = self.out / name, self.settings.training.hardware
        on_first_process(lambda: extract_tokens(dataset, encoders, place, hardware=hardware, quiet=self.quiet))
        return FeatureSet(place)
