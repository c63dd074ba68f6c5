"""The steps from a dataset to a classifier, to what it is compared with, and to what they are worth."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from ..models import describe
from ..settings import Classification
from .fine_tuned import fit_alone, is_fine_tuned
from .parts import Encoders, encoder_for, read_by, seeded
from .simulated_spectra import fit_view, other_sources, views
from .step import Step
from .training_notes import absent_once, warm_up_notes

if TYPE_CHECKING:
    from ..data import Dataset, Labelled
    from ..data.labelled import Selection
    from ..features import FeatureSet

__all__ = ["CLASSICAL", "Learner"]

Rows = npt.NDArray[np.int64]
CLASSICAL = ("svm", "xgboost", "random_forest")


@dataclass(frozen=True)
class Learner:
    """One classifier: what it learns from, and the folder that holds all that is trained for it.

    Args:
        data: Dataset folder, which need not be there before the first step.
        out: The folder.
        encoders: Modality to encoder, as a configuration has it.
        settings: Stages, fusion, trainings, split, baselines.
        labels: A table of classes; "" where the dataset has the label.
        name: What the names of the steps begin with: "fold-3/".

    Raises:
        UsageError: If there is no encoder, or a baseline is unknown.
    """

    data: Path
    out: Path
    encoders: Encoders
    settings: Classification
    labels: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        """Refuses what would be found wrong only after hours."""
        from ..classifiers.methods import METHODS
        from ..classifiers.starts import check_tuning
        from ..data.label_shares import check_share

        if not self.encoders:
            raise UsageError("classify.encoders: name the encoder of each modality that the classifier shall see.")
        check_share(self.settings.labelled)
        if is_fine_tuned(self.settings):
            check_tuning(self.settings, self.encoders)
        fusions = [name for name in METHODS if name not in ("linear", self.settings.method)]
        others = [] if is_fine_tuned(self.settings) else [*fusions, *other_sources(self.settings)]
        whole = not is_fine_tuned(self.settings) or len(self.encoders) == 1  # nobody lacks what classical ones see
        known = [*self.encoders, *(CLASSICAL if whole else ()), *others]
        if unknown := [name for name in self.settings.baselines if name not in known]:
            raise UsageError(f"baselines: there is no {unknown[0]!r}. There are: {', '.join(known)}.")

    @cached_property
    def reads(self) -> dict[str, str]:
        """What each encoder is called, to the modality that it reads."""
        return {name: read_by(name, one) for name, one in self.encoders.items()}

    @property
    def modalities(self) -> list[str]:
        """What the encoders read, without repeats."""
        return list(dict.fromkeys(self.reads.values()))

    @property
    def needed(self) -> list[str]:
        """What the classifier needs of a new object."""
        return [self.settings.simulation.image] if self.settings.stages == "simulated" else self.modalities

    @property
    def trained(self) -> dict[str, str]:
        """The folders of the encoders after their first stage, or of those that were given."""
        return self._learned("encoder")

    @property
    def heads(self) -> dict[str, str]:
        """The same with the heads of their first stage."""
        return self._learned()

    def _learned(self, *inside: str) -> dict[str, str]:
        places = {name: self.place("encoders", name, *inside) for name in self.encoders}
        return {name: str(path if path.is_dir() else self.encoders[name]) for name, path in places.items()}

    @cached_property
    def labelled(self) -> Labelled:
        """The dataset with its classes.

        Raises:
            InputError: If it lacks a modality, or no object has a class.
        """
        from ..data import Dataset, Labelled, label_objects
        from .label_tables import label_table

        dataset, label = Dataset(self.data), self.settings.label
        if missing := [name for name in self.modalities if name not in dataset.modalities]:
            raise InputError(f"{self.data} has no {missing[0]!r}: it has {', '.join(dataset.modalities)}.")
        if self.labels:
            return label_objects(dataset, label_table(self.labels, label), label)
        return Labelled.of(dataset, label)

    @property
    def selection(self) -> Selection:
        """How many objects of each class are left, stage by stage."""
        counted: Selection = self.labelled.selection(self.modalities, is_fine_tuned(self.settings))
        return counted

    @cached_property
    def dataset(self) -> Dataset:
        """The objects that have a class and every modality, or any where a classifier is fine-tuned.

        Raises:
            InputError: If there is none, or all are of one class.
            UsageError: If there is no such label.
        """
        return self._with(any_modality=is_fine_tuned(self.settings))

    @property
    def whole(self) -> Dataset:
        """The objects that have a class and every modality; as `dataset`."""
        return self._with(any_modality=False)

    def _with(self, any_modality: bool) -> Dataset:
        from ..classifiers import check_classes, class_codes

        dataset = self.labelled.dataset
        names, codes = class_codes(dataset, self.settings.label)
        if len(names) < 2:  # before the split is: few objects may not fill its sides
            check_classes(names, codes, np.full(len(codes), "train"))
        known = codes >= 0
        present = [dataset.present(name) for name in self.modalities]
        whole = known & (np.any if any_modality else np.all)(present, axis=0)
        if not whole.any():
            wanted = (" or " if any_modality else " and ").join(self.modalities)
            raise InputError(
                f"none of {int(known.sum())} objects of {self.data} that have a {self.settings.label!r} has {wanted}. "
                f"Check how they were matched, and what drops.csv in that folder says."
            )
        return dataset.select(whole)

    def place(self, *parts: str) -> Path:
        """A folder inside: "encoders", "image"; "baselines", "svm"."""
        return self.out.joinpath(*parts)

    @property
    def baselines(self) -> dict[str, Path]:
        """Those that are trained for the comparison, and their folders; an encoder alone may be trained anyway."""
        trained = () if is_fine_tuned(self.settings) else self.encoders
        names = [name for name in self.settings.baselines if name not in (*trained, *views(self))]
        return {name: self.place("baselines", name) / ("" if name in CLASSICAL else "model") for name in names}

    def steps(self) -> Iterator[Step]:
        """In order; each is done once."""
        own = {**describe(asdict(replace(self.settings, baselines=[]))), "encoders": self._described()}
        yield self._step("classifier", self.place("model"), {}, own, self._fit)
        trained = {"model": self.place("model")}
        for name, out in self.baselines.items():
            call = partial(self._fit_classical if name in CLASSICAL else self._fit_fusion, name)
            call = partial(fit_alone, self, name) if name in self.encoders else call
            yield self._step(f"baseline {name}", out, trained, {}, call)
        others = {name: self.place("baselines", name, "model") for name in views(self)}
        for name, out in others.items():
            yield self._step(f"baseline {name}", out, trained, {}, partial(fit_view, self, name))
        judged = {**trained, **self.baselines, **others}
        yield self._step("classify", self.place("results"), judged, {"baselines": self.settings.baselines}, self._judge)

    def _step(
        self,
        name: str,
        out: Path,
        inputs: Mapping[str, Path],
        arguments: Mapping[str, Any],
        call: Callable[[], object],
    ) -> Step:
        arguments = {"labels": self.labels, **arguments}
        call = partial(absent_once, call)
        return Step("classify", f"{self.name}{name}", out, {"data": self.data, **inputs}, arguments, call=call)

    def _described(self) -> dict[str, Any]:
        """The encoders as plain values; of an object its fingerprint, which knows its weights."""
        from ..features import fingerprint

        given = self.encoders.items()
        return {name: one if isinstance(one, (str, dict)) else fingerprint(one) for name, one in given}

    @cached_property
    def divided(self) -> tuple[tuple[str, ...], Rows, npt.NDArray[np.str_]]:
        """Names of the classes, and number of the class and side of the split of each object."""
        from ..classifiers.classes import shown_codes
        from ..data.splits import divide

        return *shown_codes(self.dataset, self.settings), divide(self.dataset, self.settings.split)

    @property
    def absent(self) -> list[str]:
        """What is to be said of classes that a side of the split lacks."""
        from ..classifiers import absent_classes

        notes: list[str] = absent_classes(*self.divided)
        return notes

    def _fit(self) -> None:
        from ..classifiers import fit_classifier
        from ..classifiers.candidates import made_of
        from ..classifiers.seen import check_unseen

        for note in [*self.absent, *warm_up_notes(self.settings)]:
            warnings.warn(f"{self.name.replace('/', ': ')}{note}.", stacklevel=2)
        built = self.built([*self.encoders])
        dataset, split = self.dataset, self.settings.split
        for fold in range(1, split.folds) if self.name and not split.fold else ():
            check_unseen(built, dataset, replace(split, fold=fold))  # what a later fold refuses is refused in the first
        known = made_of(dataset, self.needed, np.flatnonzero(self.divided[2] == "train"))
        fit_classifier(dataset, built, self.settings, self.out, about=known)

    def built(self, names: Sequence[str]) -> dict[str, Any]:
        """Some of the encoders, with random weights of the seed; those of folders as they are given."""
        known = self.dataset.modalities
        with seeded(self.settings.encoder_training.seed):
            made = {n: one if isinstance(one, str) else encoder_for(one, known, n) for n, one in self.encoders.items()}
        return {name: made[name] for name in names}

    def _fit_fusion(self, name: str) -> None:
        """Another fusion on the tokens of the same encoders."""
        from ..classifiers import fit_classifier

        settings = replace(self.settings, method=name, stages="two", fusion={})
        fit_classifier(self.dataset, {}, settings, self.place("baselines", name), tokens=self.features)

    @cached_property
    def features(self) -> FeatureSet:
        """The tokens that the encoders gave after their first stage, which a joint training has no need of."""
        from ..classifiers import extract_tokens
        from ..features import FeatureSet

        folder = self.place("tokens")
        if self.settings.stages == "joint":
            extract_tokens(self.dataset, self.trained, folder, hardware=self.settings.training.hardware)
        return FeatureSet(folder)

    def _fit_classical(self, name: str) -> None:
        """Fits a classical baseline to what the encoder sees."""
        from ..classifiers import write_baseline
        from ..models import load_model

        classifier, sees = cast(Any, load_model(self.place("model"), trusted=True)), self.classical_sees
        known = sees in classifier.encoders  # not where its vectors are simulated
        preprocess = classifier.encoders[sees].preprocess if known else self._of_folder(sees).preprocess
        told = {"out": self.place("baselines", name), "x": self._light_curve_features(sees)}
        write_baseline(name, self.dataset, self.reads[sees], preprocess, self.settings, **told)

    def _light_curve_features(self, sees: str) -> npt.NDArray[np.float32] | None:
        """Those of a light curve, computed once for all folds; None of anything else."""
        from ..encoders import LightCurveFeatures
        from ..features import extract

        modality = self.dataset.modalities[self.reads[sees]]
        if modality.kind != "lightcurve":
            return None
        out = (self.out.parent if self.name else self.out) / "light_curve_features"
        hardware = replace(self.settings.training.hardware, precision="float32")
        encoders = {modality.name: LightCurveFeatures.for_modality(modality)}
        found = extract(self.dataset, encoders, out, hardware=hardware)
        return np.asarray(found.matrix(modality.name), dtype=np.float32)

    def _of_folder(self, name: str) -> Any:
        """An encoder after its first stage."""
        return encoder_for(self.trained[name], self.dataset.modalities, name)

    @property
    def classical_sees(self) -> str:
        """What the classical baselines see: the spectrum where there is one."""
        kinds = {name: self.dataset.modalities[read].kind for name, read in self.reads.items()}
        return next((name for name, kind in kinds.items() if kind == "spectrum"), next(iter(kinds)))

    def _judge(self) -> None:
        from .classifier_results import write_judgement

        write_judgement(self)
