"""Whether a fine-tuning fits what it begins with, as far as encoders and settings tell: asked before hours of work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

from ..alignment.trainable import check_trainable, trained_parts
from ..errors import UsageError
from ..models import describe
from ..settings import Classification

__all__ = ["check_like_start", "check_tuning", "unlike"]

METHODS = ("fusion", "mean_embedding")  # the default of a method, and what there is
HARMLESS = ("dropout", "preprocess", "seed")  # what an encoder may have of its own


def check_tuning(settings: Classification, names: Iterable[str]) -> None:
    """Refuses settings that make no sense, whatever the data are.

    Args:
        settings: Stages "fine_tuned".
        names: The encoders.

    Raises:
        UsageError: If one makes none.
    """
    tuning, known = settings.fine_tuning, list(names)
    if settings.method not in METHODS or settings.fusion:
        raise UsageError("stages 'fine_tuned' has its own head: leave out method and fusion, and see fine_tuning.")
    given = [] if isinstance(tuning.trainable, str) else list(tuning.trainable)
    if unknown := [name for name in given if name not in known]:
        raise UsageError(f"fine_tuning.trainable: there is no encoder {unknown[0]!r}, only {', '.join(known)}.")
    for name in known:
        check_trainable(tuning.trainable_of(name))


def check_like_start(given: Mapping[str, nn.Module | None], source: Mapping[str, nn.Module], settings: Any) -> None:
    """Refuses encoders that cannot take the weights of a start, and parts to train that they do not have.

    Args:
        given: Name to encoder; None for that of the start.
        source: Name to encoder of the start; one that is not known yet is not there.
        settings: A `FineTuning`.

    Raises:
        UsageError: If one does not fit.
    """
    for name, one in given.items():
        start = source.get(name)
        if one is not None and start is not None and (told := unlike(one, start)):
            raise UsageError(f"classify.encoders.{name} {told}")
        if (own := one if one is not None else start) is not None:
            trained_parts(own, settings.trainable_of(name))


def unlike(given: nn.Module, source: nn.Module) -> str:
    """Why an encoder cannot take the weights of another, and what to do; "" if it can.

    Args:
        given: The encoder.
        source: That of the start.
    """
    what, do = f"is not the {type(given).__name__} that is given", "Give the same, or leave classify.encoders out: "
    do += "those of the start are then taken."
    if type(given) is not type(source):
        return f"{what}: that of the start is {type(source).__name__}. {do}"
    if _shapes(given) == _shapes(source):
        return ""
    try:
        own, before = (describe(one)["init_args"] for one in (given, source))
    except (TypeError, ValueError, KeyError):  # of a user's own class, which need not be describable
        own = before = {}
    told = [
        f"{name} is {own.get(name)!r}, and {before.get(name)!r} in the start"
        for name in dict.fromkeys([*own, *before])
        if own.get(name) != before.get(name) and not any(word in name for word in HARMLESS)
    ]
    return f"{what}: {'; '.join(told) or 'its weights have other shapes'}. {do}"


def _shapes(encoder: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in encoder.state_dict().items()}
