"""How classes are learned from one modality or from several."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

from .data import Split
from .fine_tuning import FineTuning, LabelShare
from .learning import Alignment, Optimizer, Schedule, Training
from .spectral_gan import ADVERSARIAL, SpectralGAN

__all__ = ["Classification"]

SCHEDULE = Schedule("plateau", warmup_epochs=5.0, factor=0.5, patience=5)
ENCODERS = Training(100, 64, optimizer=Optimizer("adam", 1e-4, 0.0), schedule=SCHEDULE)
FUSION = Training(100, 64, optimizer=Optimizer("adamw", 1e-4, 5e-2), schedule=SCHEDULE)
DIVIDED = Split(test=0.1, valid=0.2222)  # 70, 20 and 10 of a hundred
ALIGNING = Training(30, 128, optimizer=Optimizer("adamw", 1e-4, 1e-2), schedule=Schedule("cosine", warmup_epochs=2.0))


@dataclass(frozen=True)
class Classification:
    """How a classifier is made; the defaults are those of BATMM.

    Args:
        label: Which property names the class.
        method: What puts the tokens of the modalities together: "fusion" (cross-attention), "early_add",
            "early_concat", "concat_linear" (the mean tokens one after the other, a linear map), "concat_mlp" (the same
            with a hidden layer of 128 and dropout), "vgg1d", "linear" (one modality alone), or any name for a class
            that `fusion` gives.
        stages: "two" (each encoder with a linear head of its own; then frozen, and the fusion on cached tokens),
            "joint" (and then all together, the encoders at a lower learning rate), "aligned" (two, from encoders
            that were first aligned with each other, without labels), "simulated" (the fusion sees the image, and the
            vector of the spectrum as it is simulated from the image, so that the classifier needs images alone) or
            "fine_tuned" (encoders with their projections, of a model that was aligned, and a linear head on the mean
            of their vectors; objects may lack modalities).
        fusion: Arguments of the method (``init_args``), and its class where it is none of the above (``class_path``).
        class_weights: "balanced" weighs objects by the inverse of the frequency of their class.
        augmentations: Augmentation of each modality's raw views, for encoders (``class_path``, ``init_args``, or the
            object).
        encoder_rate: Joint: what the learning rate is multiplied with for the encoders.
        encoder_training: Of each encoder with its linear head.
        training: Of the fusion, and of all of it together.
        split: Who trains, who validates (which epoch is best, and the temperature), who is held out.
        baselines: What is trained beside it to compare with: "image", "spectrum" (any modality alone), "early_add",
            "early_concat", "vgg1d", "svm", "xgboost"; simulated also "retrieved" or "gan", the other source.
        alignment: Aligned: pairs, heads, loss and augmentations; encoders are trained as a whole where it does not say.
        alignment_training: Aligned: epochs, batch size, optimizer, hardware, seed.
        simulation: Simulated: generator and critic, folds, which modalities. Retrieved vectors are of a space that
            `alignment` and `alignment_training` describe.
        simulation_training: Simulated: of each generator.
        fine_tuning: Fine-tuned: what is begun with, what is trained of it, and the head, in the place of a method.
        labelled: How many of the labels are learned from; what is drawn goes by the seed of the split.
    """

    label: str = "class"
    method: str = "fusion"
    stages: Literal["two", "joint", "aligned", "simulated", "fine_tuned"] = "two"
    fusion: dict[str, Any] = field(default_factory=dict)
    class_weights: Literal["", "balanced"] = ""
    augmentations: dict[str, dict[str, Any]] = field(default_factory=dict)
    encoder_rate: float = 0.1
    encoder_training: Training = ENCODERS
    training: Training = FUSION
    split: Split = DIVIDED
    baselines: list[str] = field(default_factory=list)
    alignment: Alignment = field(default_factory=Alignment)
    alignment_training: Training = ALIGNING
    simulation: SpectralGAN = field(default_factory=SpectralGAN)
    simulation_training: Training = ADVERSARIAL
    fine_tuning: FineTuning = field(default_factory=FineTuning)
    labelled: LabelShare = field(default_factory=LabelShare)

    def augmentations_of(self, names: Collection[str]) -> dict[str, dict[str, Any]]:
        """Those of some modalities."""
        return {name: one for name, one in self.augmentations.items() if name in names}
