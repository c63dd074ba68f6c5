"""Settings that travel from a configuration file to the function that uses them.

Plain dataclasses of built-in types, so that the command line reads them without importing torch.
Each is saved, as it was resolved, in the folder of the run that it shaped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Hardware", "Optimizer", "Part", "Schedule", "Split", "Training"]


@dataclass(frozen=True)
class Part:
    """An exchangeable part (encoder, head, reader, transform), named by its dotted path.

    Args:
        class_path: Where the class or function is imported from, e.g. ``astroclip_kit.encoders.TabularMLP``.
        init_args: Its keyword arguments.
    """

    class_path: str
    init_args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Split:
    """How objects are divided; the same object always falls on the same side.

    Args:
        by: "group" (the astrophysical object), "object_id", or the name of a label column.
        test: Share of the groups held out for evaluation; ignored when ``folds`` is set.
        valid: Share of the remaining groups used for early stopping.
        folds: Number of folds; 0 for a single split.
        fold: Which fold is the test set, 0 .. folds - 1.
        seed: Another seed gives another division.
    """

    by: str = "group"
    test: float = 0.2
    valid: float = 0.1
    folds: int = 0
    fold: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Optimizer:
    """How weights follow gradients.

    Args:
        name: The algorithm.
        learning_rate: Peak learning rate.
        weight_decay: Decoupled for AdamW, L2 for Adam and SGD.
        clip_norm: Largest norm of the gradient; 0 for no clipping.
    """

    name: Literal["adamw", "adam", "sgd"] = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    clip_norm: float = 1.0


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes.

    Args:
        name: "cosine" (per step, to zero at the end), "plateau" (per epoch, on the validation value) or "constant".
        warmup_steps: Optimizer steps of linear warm-up, with any schedule.
        factor: Plateau: what the learning rate is multiplied with.
        patience: Plateau: epochs without improvement before that.
    """

    name: Literal["cosine", "plateau", "constant"] = "cosine"
    warmup_steps: int = 0
    factor: float = 0.5
    patience: int = 5


@dataclass(frozen=True)
class Hardware:
    """Where and how the numbers are computed.

    Args:
        device: "auto" (CUDA, else MPS, else CPU) or a torch device such as "cpu" or "cuda:1".
        precision: "auto" is bfloat16 where the processor multiplies it natively, else float32.
        num_workers: Processes that load data.
    """

    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    num_workers: int = 0


@dataclass(frozen=True)
class Training:
    """One training run.

    Args:
        epochs: Passes over the training objects.
        batch_size: Objects per batch, over all processes.
        accumulate: Batches per optimizer step.
        early_stopping: Epochs without improvement of the validation value before stopping; 0 for never.
        optimizer: See `Optimizer`.
        schedule: See `Schedule`.
        hardware: See `Hardware`.
        seed: Of weights, order, dropout and augmentation.
    """

    epochs: int = 50
    batch_size: int = 256
    accumulate: int = 1
    early_stopping: int = 0
    optimizer: Optimizer = field(default_factory=Optimizer)
    schedule: Schedule = field(default_factory=Schedule)
    hardware: Hardware = field(default_factory=Hardware)
    seed: int = 0
