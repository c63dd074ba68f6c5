"""How a space is trained, and on what machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Alignment", "Hardware", "Head", "Objective", "Optimizer", "Sampling", "Schedule", "Training"]


@dataclass(frozen=True)
class Optimizer:
    """How weights follow gradients.

    Args:
        name: The algorithm.
        learning_rate: Peak learning rate.
        weight_decay: Decoupled for AdamW, L2 for Adam and SGD.
        clip_norm: Largest norm of the gradient; 0 for no clipping.
        factors: Part of what is trained, by its name in it ("encoders", "encoders.image"), to what its learning rate
            is multiplied with; of several that fit a weight the longest name counts.
        betas: Of Adam and AdamW: how long the means of the gradient and of its square last.
    """

    name: Literal["adamw", "adam", "sgd"] = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    factors: dict[str, float] = field(default_factory=dict)
    betas: list[float] = field(default_factory=lambda: [0.9, 0.999])


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes.

    Args:
        name: "cosine" (per step, to `floor` at the end), "plateau" (per epoch, on the validation value), "step" (at
            `step_epochs`) or "constant".
        warmup_steps: Optimizer steps of linear warm-up from nearly 0, with any schedule; a plateau waits for its end.
        factor: Plateau and step: what the learning rate is multiplied with.
        patience: Plateau: epochs without improvement before that.
        floor: Cosine: share of the peak rate that is left at the end.
        warmup_epochs: The warm-up in epochs; the longer of the two counts.
        step_epochs: Step: after how many epochs the learning rate falls, once or several times.
    """

    name: Literal["cosine", "plateau", "step", "constant"] = "cosine"
    warmup_steps: int = 0
    factor: float = 0.5
    patience: int = 5
    floor: float = 0.0
    warmup_epochs: float = 0.0
    step_epochs: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Hardware:
    """Where and how the numbers are computed.

    Args:
        device: "auto" (CUDA, else MPS, else CPU) or a torch device such as "cpu" or "cuda:1".
        precision: "auto" is bfloat16 where the processor multiplies it natively, else float32.
        num_workers: Processes that load data.
        threads: Processor threads of a training; 0 for what torch chooses. Small networks on a machine that is not
            theirs alone are fastest with 1, because two threads wait for each other.
        checkpoint_seconds: Time between two checkpoints of a training; 0 for one after each step.
    """

    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    num_workers: int = 0
    threads: int = 0
    checkpoint_seconds: float = 60.0


@dataclass(frozen=True)
class Training:
    """One training run.

    Args:
        epochs: Passes over the training objects.
        batch_size: Objects per batch, over all processes.
        accumulate: Batches per optimizer step.
        early_stopping: Epochs without improvement of the validation value before stopping; 0 for never.
        keep: Which epoch's weights are kept: "loss", that of the lowest validation value, or the name of another number
            that is validated ("accuracy"), that of the highest. Stopping and a plateau go by the validation value.
        optimizer: See `Optimizer`.
        schedule: See `Schedule`.
        hardware: See `Hardware`.
        seed: Of weights, order, dropout and augmentation.
    """

    epochs: int = 50
    batch_size: int = 256
    accumulate: int = 1
    early_stopping: int = 0
    keep: str = "loss"
    optimizer: Optimizer = field(default_factory=Optimizer)
    schedule: Schedule = field(default_factory=Schedule)
    hardware: Hardware = field(default_factory=Hardware)
    seed: int = 0


@dataclass(frozen=True)
class Head:
    """The projection head that each modality gets where none is passed.

    Args:
        out_features: Width of the shared space.
        hidden_features: Widths of the hidden layers; empty for a linear head.
        activation: Between layers.
        dropout: Share of hidden values set to zero in training.
        standardise: Whether features (cached, or of a frozen encoder) are first centred and scaled by their mean
            and standard deviation over the training objects.
    """

    out_features: int = 128
    hidden_features: list[int] = field(default_factory=list)
    activation: Literal["gelu", "relu", "silu", "tanh"] = "gelu"
    dropout: float = 0.0
    standardise: bool = True


@dataclass(frozen=True)
class Objective:
    """What is minimised.

    Args:
        loss: "infonce" or "siglip".
        logit_scale: What cosine similarities are multiplied with (inverse temperature), at the start.
        learnable_scale: Whether each pair learns its own scale (at most 100).
        logit_bias: SigLIP's bias at the start; it is always learned.
        symmetric: InfoNCE: whether both modalities of a pair ask for the other, or only the first for the second.
        pair_weights: What the loss of each pair is multiplied with, in the order of `Alignment.pairs` (where those
            are empty: of the modalities, the first with each later one, then the second); empty for 1 each.
        reduction: How the losses of the pairs that a batch has become one: "mean" (weighted), "sum", or
            "published", AstroM3's plain sum over pairs and both directions, each of which counts a half otherwise.
    """

    loss: Literal["infonce", "siglip"] = "infonce"
    logit_scale: float = 15.5
    learnable_scale: bool = False
    logit_bias: float = -10.0
    symmetric: bool = True
    pair_weights: list[float] = field(default_factory=list)
    reduction: Literal["mean", "sum", "published"] = "mean"


@dataclass(frozen=True)
class Sampling:
    """What one training batch is made of; everything drawn is a function of (seed, epoch, object).

    Args:
        one_per_group: Whether each epoch draws one row of every object, where objects have several.
        feature_noise: Gaussian noise on cached features, in standard deviations of each feature.
        feature_dropout: Share of cached feature values replaced by their mean.
        modality_dropout: Share of views left out, of objects that have more than two.
        memory_gb: Cached features up to this size are held in memory, on the device.
    """

    one_per_group: bool = False
    feature_noise: float = 0.0
    feature_dropout: float = 0.0
    modality_dropout: float = 0.0
    memory_gb: float = 4.0


@dataclass(frozen=True)
class Alignment:
    """How several modalities are brought into one space.

    Args:
        modalities: Which to align; empty for all that there are.
        pairs: Which pairs to contrast, e.g. ``[["image", "spectrum"]]``; empty for every pair.
        trainable: What is trained of each modality's encoder: "frozen" (the default: only the head learns),
            "last:2" (also its last two blocks) or "all".
        head: Size and shape of the projection heads, see `Head`.
        objective: The loss and its temperature, see `Objective`.
        sampling: What a batch is made of, see `Sampling`.
        augmentations: Augmentation of each modality's raw views (``class_path``, ``init_args``, or the object).
        members: Models trained with different seeds, whose unit vectors are concatenated. They differ in the heads'
            starting weights, order, dropout and augmentation; encoders start from the same weights in all of them.
    """

    modalities: list[str] = field(default_factory=list)
    pairs: list[list[str]] = field(default_factory=list)
    trainable: dict[str, str] = field(default_factory=dict)
    head: Head = field(default_factory=Head)
    objective: Objective = field(default_factory=Objective)
    sampling: Sampling = field(default_factory=Sampling)
    augmentations: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: int = 1
