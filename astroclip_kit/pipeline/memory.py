"""Whether enough objects are left to be the memory of the neighbours: asked before hours of work, not after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..errors import InputError, UsageError
from ..settings import Split
from .configuration import Configuration
from .parts import words

__all__ = ["check_count", "check_memory", "division"]

SPARE = 1.5  # how many times the neighbours a memory shall hold, as shares are met on average


def division(settings: Configuration) -> Split:
    """Who trains, who is memory and who asks: the same for pretraining, alignment and evaluation.

    Args:
        settings: Of a recipe.
    """
    split: Split = settings.sections["align"]["split"]
    return replace(split, by=settings.by or split.by)


def check_count(settings: Configuration) -> None:
    """Refuses to simulate too few objects where neighbours answer.

    Args:
        settings: Of a recipe.

    Raises:
        UsageError: If the memory would hold little more than the neighbours.
    """
    if not {"simulate", "evaluate"} <= settings.sections.keys():
        return
    count, split = settings.sections["simulate"]["count"], division(settings)
    share, k = (1 - split.test) * split.valid, settings.sections["evaluate"]["settings"].neighbours["k"]
    if share and count * share < SPARE * k:
        raise UsageError(
            f"count is {count}: about {count * share:.0f} objects would be the memory of {k} neighbours. Simulate at "
            f"least {SPARE * k / share:.0f}, or change align.split."
        )


def check_memory(dataset: Path, settings: Configuration) -> None:
    """Refuses a dataset of which too few objects would be memory.

    Args:
        dataset: Its folder.
        settings: Of a recipe.

    Raises:
        InputError: If a property is known for some of the memory, but for fewer than the neighbours.
    """
    from ..data import Dataset
    from ..data.splits import divide
    from ..downstream.properties import Property, known
    from ..filters import rows_where

    data, evaluation = Dataset(dataset), settings.sections["evaluate"]["settings"]
    sides, k = divide(data, division(settings)), evaluation.neighbours["k"]
    memory = rows_where({"split": sides, **data.labels}, evaluation.where) & (sides != "test")
    for name in words(settings.sections["evaluate"]["properties"]):
        if Property.parse(name).label not in data.labels:
            continue
        told = known(Property.parse(name).values(data.labels)) & memory
        for modality in settings.sections["extract"]["encoders"]:
            count = int((told & data.present(modality)).sum())
            if 0 < count < k:
                raise InputError(
                    f"{dataset}: {name} is known for {count} objects of the memory that have {modality}, fewer than "
                    f"the {k} neighbours. Take more objects, another align.split, or a protocol of fewer neighbours."
                )
