"""A whole classification, from raw views to a calibrated classifier, every step of which is done once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar, cast, get_args, get_type_hints

from torch import nn

from ..alignment import align
from ..contracts import modality_read
from ..encoders.fitted import encoder_of
from ..errors import UsageError
from ..features import FeatureSet, fingerprint
from ..models import describe, load_model, save_model
from ..pretraining import Pretraining
from ..settings import Classification
from ..storage import MANIFEST, append_journal, hash_json, read_journal
from ..training.hardware import launch, processes
from ..training.processes import on_first_process, say_once
from ..types import reads_of
from .classifier import Classifier
from .encoder_training import EncoderClassifier, train_encoder
from .fine_tuning import FineTuned
from .fusion_training import token_logits, train_fusion, train_joint, view_logits
from .learning import Learning
from .methods import make_fusion
from .seen import check_unseen, encoder_folder
from .simulated_stage import SIMULATED, Simulation, check_simulation
from .temperature import calibrate
from .tokens import Tokens, encoders_of, extract_tokens, token_shape

__all__ = ["fit_classifier"]

STAGES = get_args(get_type_hints(Classification)["stages"])
Encoders = Mapping[str, "nn.Module | str | PathLike[str]"]
M = TypeVar("M", bound=nn.Module)


def fit_classifier(
    dataset: Any,
    encoders: Encoders,
    settings: Classification,
    out: str | Path,
    *,
    tokens: FeatureSet | None = None,
    about: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> Classifier:
    """Trains encoders and their fusion, sets the temperature on the validation side, and writes the classifier.

    Run again, it goes on where it was interrupted; what is done with the same data and settings is not done again.

    Args:
        dataset: A `Dataset`.
        encoders: Modality to encoder, which is trained here, or to the folder of one that is trained: that of
            `train_encoder` or of a bare encoder; or "" for that of a start. One that names its modality in ``reads``
            may be called otherwise.
        settings: Label, method, stages, trainings, split.
        out: Gets ``encoders/<modality>``, ``tokens``, ``fusion`` and ``model``, the folder of the classifier;
            aligned also ``aligned``, simulated ``simulation``, and fine-tuned ``fine_tuned`` where encoders learn.
        tokens: What `extract_tokens` gave for this dataset. The encoders that they were extracted with are used as they
            are, those of `encoders` alone where it names any: so several fusions share them. Fine-tuned: those
            of a classifier that began with the same, all frozen.
        about: What else the manifest of the classifier keeps.
        quiet: Shows no progress.

    Returns:
        The classifier, on the CPU and in eval mode.

    Raises:
        UsageError: If a setting is unknown or out of range, or an encoder learned labels of held-out objects.
        InputError: If the classes cannot be learned, or an encoder does not fit.
        FolderError: If a folder holds something else, or an interrupted run with other settings.
        TrainingError: If no training object has all modalities.
    """
    if settings.stages not in STAGES:
        raise UsageError(f"stages is {settings.stages!r}, expected one of {', '.join(STAGES)}.")
    if not encoders and tokens is None:
        raise UsageError("a classifier needs an encoder for each modality that it reads. Give encoders.")
    if processes() > 1:
        launch(settings.training.hardware)
    fitting = _Fitting(dataset, settings, Path(out), quiet, about or {})
    if settings.stages == "fine_tuned":
        return fitting.fine_tuned(encoders, tokens)
    if tokens is None:
        fitting.check(encoders)
    trained = fitting.encoders(encoders) if tokens is None else encoders_of(tokens, list(encoders) or tokens.names)
    if settings.stages == "joint":
        return fitting.joint(trained)
    if tokens is None and settings.stages == "simulated":
        return fitting.two_stage(*fitting.simulated(encoders, trained))
    if tokens is None:
        hardware = settings.training.hardware
        on_first_process(
            lambda: extract_tokens(dataset, trained, fitting.out / "tokens", hardware=hardware, quiet=quiet)
        )
        tokens = FeatureSet(fitting.out / "tokens")
    return fitting.two_stage(trained, tokens)


@dataclass(frozen=True)
class _Fitting:
    """One call of `fit_classifier`."""

    dataset: Any
    settings: Classification
    out: Path
    quiet: bool
    about: Mapping[str, Any]

    def once(self, name: str, of: Any, make: Callable[[], M]) -> M:
        """The model of a folder below `out`: as it is, if the journal knows that it was made of the same, or made anew.

        Args:
            name: The folder.
            of: All that the model depends on, as plain values.
            make: Makes the model and writes its folder.
        """
        state = hash_json(of)
        known = {entry["made"]: entry["of"] for entry in read_journal(self.out) if "made" in entry}
        if known.get(name) == state and (self.out / name / MANIFEST).exists():
            return cast(M, load_model(self.out / name, trusted=True))
        self.out.mkdir(parents=True, exist_ok=True)
        model = make()
        on_first_process(lambda: append_journal(self.out, {"made": name, "of": state}))
        return model

    def check(self, encoders: Encoders) -> None:
        """Refuses what would be found wrong only after the encoders are trained."""
        self._tell(check_unseen(encoders, self.dataset, self.settings.split))
        Learning.of(self.dataset, self.read(encoders), self.settings)
        widths = {name: int(one.out_features) for name, one in encoders.items() if isinstance(one, nn.Module)}  # type: ignore[arg-type]
        if self.settings.stages == "simulated":
            check_simulation(self.settings.simulation, list(encoders), self.dataset.modalities)
        if len(widths) == len(encoders):
            self._new_fusion({name: (1, width) for name, width in widths.items()}, 2)

    def _tell(self, notes: Sequence[str]) -> None:
        for note in notes:
            say_once(note)

    def fine_tuned(self, encoders: Encoders, tokens: FeatureSet | None) -> Classifier:
        """The classifier of encoders that were aligned, or begin with random weights, and a head on their mean."""
        tuning = FineTuned(self.dataset, self.settings, self.out, self.once, self.quiet)
        self._tell([*tuning.check(encoders), *check_unseen(encoders, self.dataset, self.settings.split)])
        given = self.opened({name: one for name, one in encoders.items() if isinstance(one, nn.Module) or one})
        folders = [name for name, one in encoders.items() if not isinstance(one, nn.Module)]
        return self._calibrated(*tuning.fit({name: given.get(name) for name in encoders}, tokens, folders))

    def read(self, encoders: Encoders) -> list[str]:
        """The modalities that encoders read, without repeats."""
        return list(dict.fromkeys(reads_of(name, one) for name, one in self.opened(encoders).items()))

    def opened(self, encoders: Encoders) -> dict[str, nn.Module]:
        """Encoders as modules: those of folders are read, and fitted to what they encode."""
        seen = self.dataset.modalities
        return {
            name: one if isinstance(one, nn.Module) else encoder_of(encoder_folder(Path(one)), name, seen)
            for name, one in encoders.items()
        }

    def encoders(self, given: Encoders) -> dict[str, nn.Module]:
        """The trained encoders: those of folders as they are, the others after their first stage."""
        modules = {name: one for name, one in given.items() if isinstance(one, nn.Module)}
        if self.settings.stages == "aligned":
            if len(modules) < len(given):
                raise UsageError("stages 'aligned' begins with encoders that are not trained yet: give no folders.")
            modules = self._aligned(modules)
        trained = {name: self._supervised(name, one) for name, one in modules.items()}
        return self.opened({**given, **trained})

    def _supervised(self, name: str, encoder: nn.Module) -> nn.Module:
        """An encoder after its first stage."""
        settings, out, modality = self.settings, self.out / "encoders" / name, reads_of(name, encoder)
        learning = Learning.of(self.dataset, [modality], settings)
        augmentation = describe(settings.augmentations.get(modality))
        of = [learning.about(), asdict(settings.encoder_training), fingerprint(encoder), augmentation]

        def train() -> EncoderClassifier:
            about: dict[str, Any] = {"modality": modality, "encoder": encoder, "settings": settings}
            return train_encoder(self.dataset, out, **about, quiet=self.quiet)

        trained: nn.Module = self.once(f"encoders/{name}", of, train).encoder
        return trained

    def _aligned(self, encoders: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
        """Encoders aligned with each other without labels, all their weights free to learn."""
        settings, names = self.settings, list(encoders)
        alignment, training = settings.alignment, settings.alignment_training
        augmentations = alignment.augmentations or settings.augmentations_of(names)
        alignment = replace(
            alignment,
            modalities=alignment.modalities or names,
            trainable=alignment.trainable or dict.fromkeys(names, "all"),
            augmentations=augmentations,
        )
        plain = asdict(replace(alignment, augmentations={}))
        hashes = [[fingerprint(one), self.dataset.data_hash(name)] for name, one in encoders.items()]
        of = [plain, describe(augmentations), asdict(training), asdict(settings.split), hashes]

        def train() -> nn.Module:
            folder = self.out / "aligned"
            own = {
                name: Pretraining.of("aligned", self.dataset, folder, name, None, training, settings.split).own(one)
                for name, one in encoders.items()
            }
            about: dict[str, Any] = {"alignment": alignment, "training": training, "split": settings.split}
            model: nn.Module = align(self.dataset, folder, encoders=own, **about, quiet=self.quiet)
            return model

        model = self.once("aligned", of, train)
        aligned: Any = model.encoders
        return {name: deepcopy(aligned[name]).requires_grad_(True) for name in names}

    def simulated(self, given: Encoders, trained: Mapping[str, nn.Module]) -> tuple[dict[str, nn.Module], FeatureSet]:
        """The image's own encoder beside a generator of spectral vectors, and the tokens of both."""
        image, spectrum = self.settings.simulation.image, self.settings.simulation.spectrum
        one = given[spectrum]
        own = isinstance(one, nn.Module)
        target = load_model(self.out / "encoders" / spectrum if own else Path(str(one)), trusted=own)  # with its head
        simulation = Simulation(self.dataset, self.settings, self.out / "simulation", target, self.once, self.quiet)
        generator, tokens = simulation.tokens(trained[image], self.out / "tokens")
        return {image: trained[image], SIMULATED: generator}, tokens

    def two_stage(self, encoders: Mapping[str, nn.Module], tokens: FeatureSet) -> Classifier:
        """The classifier of a fusion on cached tokens."""
        settings, training, names = self.settings, self.settings.training, list(encoders)
        learning = Learning.of(tokens, names, settings)
        fusion = self._new_fusion({name: token_shape(tokens, name) for name in names}, len(learning.classes))
        of = [learning.about(), describe(fusion), asdict(training)]

        def train() -> nn.Module:
            return train_fusion(tokens, self.out / "fusion", fusion=fusion, settings=settings, quiet=self.quiet)

        def logits() -> Any:
            return token_logits(trained, tokens, learning.valid, hardware=training.hardware)

        trained = self.once("fusion", of, train)
        classifier = Classifier(dict(encoders), trained, learning.classes, settings.label)
        return self._calibrated(classifier, learning, of, logits)

    def joint(self, encoders: Mapping[str, nn.Module]) -> Classifier:
        """The classifier of encoders that are trained on with their fusion."""
        settings, training, names = self.settings, self.settings.training, list(encoders)
        learning = Learning.of(self.dataset, self.read(encoders), settings)
        seen = self.dataset.modalities
        sized = {name: Tokens.of(one, modality_read(name, one, seen)) for name, one in encoders.items()}
        fusion = self._new_fusion({name: (one.count, one.width) for name, one in sized.items()}, len(learning.classes))
        plain = [asdict(training), settings.encoder_rate, describe(settings.augmentations_of(names))]
        of = [learning.about(), describe(fusion), plain, [fingerprint(one) for one in encoders.values()]]

        def train() -> Classifier:
            out = self.out / "joint"
            return train_joint(self.dataset, out, encoders=encoders, fusion=fusion, settings=settings, quiet=self.quiet)

        def logits() -> Any:
            return view_logits(classifier, self.dataset, learning.valid, hardware=training.hardware)

        classifier = self.once("joint", of, train)
        return self._calibrated(classifier, learning, of, logits)

    def _new_fusion(self, shapes: Mapping[str, tuple[int, int]], classes: int) -> nn.Module:
        settings = self.settings
        return make_fusion(shapes, classes, settings.method, settings.fusion, settings.training.seed)

    def _calibrated(self, classifier: Classifier, learning: Learning, of: Any, logits: Callable[[], Any]) -> Classifier:
        """The classifier in its folder, as sure as it is right of the validation objects."""
        method = "fine_tuned" if self.settings.stages == "fine_tuned" else self.settings.method

        def make() -> Classifier:
            found = calibrate(logits, learning.codes[learning.valid], method, learning.classes)
            classifier.temperature = found.temperature
            about = {
                "method": method,
                **learning.about(),
                "settings": _plain(self.settings),
                "temperature": classifier.temperature,
                "calibration": found._asdict(),
                **self.about,
            }
            on_first_process(lambda: save_model(classifier, self.out / "model", about))
            classifier.root = self.out / "model"  # type: ignore[assignment]
            return classifier.eval()

        return self.once("model", of, make)


def _plain(settings: Classification) -> dict[str, Any]:
    """Settings without the parts that they name, which the folders of encoders and generators describe."""
    alignment = replace(settings.alignment, augmentations={})
    simulation = replace(settings.simulation, augmentation={}, generator=describe(settings.simulation.generator))
    return asdict(replace(settings, alignment=alignment, simulation=simulation, augmentations={}))
