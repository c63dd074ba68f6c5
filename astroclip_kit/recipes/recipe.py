"""What a published experiment is to the kit: a configuration, its published numbers, and a way to measure them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..types import Result
from .comparison import Comparison
from .published import Published

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..settings import Evaluation

__all__ = ["RECIPES", "Measured", "Recipe", "find_recipe"]

RECIPES = ("astroclip",)  # each a module of this room with a RECIPE


@dataclass(frozen=True)
class Measured:
    """What a recipe measured.

    Args:
        results: The numbers, with intervals.
        figures: Caption to figure.
        clusters: Summaries of clusters, as `Clusters.summary`.
        notes: What else there is to say, a sentence each.
    """

    results: list[Result]
    figures: Mapping[str, Figure]
    clusters: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Recipe:
    """A published experiment.

    Args:
        name: What it is called on the command line.
        title: What the page is called.
        configurations: Name to file of this room: settings as they were published, the default first.
        mock: File of this room with the sections that simulate and read a survey, where no data is given.
        small: File of this room with what is made smaller, so that it runs in minutes.
        measure: From the folders of a run to numbers and figures, see `astroclip.measure`.
        published: The numbers to compare with.
        sections: What its configuration must have.
        encoders: Modalities whose encoder takes weights.
        more: Task and metric of what else belongs in the table.
        differences: What is not as published in every run, a line each.
        about: How it is measured, a sentence or two under the table.
        labels: Name of a property in the data to its name among the published numbers, where they differ.
        citations: What to cite.
    """

    name: str
    title: str
    configurations: Mapping[str, str]
    mock: str
    small: str
    measure: Callable[..., Measured]
    published: Sequence[Published]
    sections: Sequence[str] = ("extract", "align", "embed", "evaluate")
    encoders: Sequence[str] = ("image", "spectrum")
    more: Sequence[tuple[str, str]] = ()
    citations: Sequence[str] = ()
    about: str = ""
    differences: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return Path(__file__).parent

    def file(self, name: str = "") -> Path:
        """The path of a configuration of the recipe, the first by default.

        Raises:
            UsageError: If there is none of that name.
        """
        name = name or next(iter(self.configurations))
        if name not in self.configurations:
            known = ", ".join(self.configurations)
            raise UsageError(f"{self.name} has no configuration {name!r}. One of: {known}, or a file of your own.")
        return self.folder / self.configurations[name]

    def compare(self, results: Sequence[Result], evaluation: Evaluation, remark: str = "") -> Comparison:
        """What was published by the same protocol, beside what was measured.

        Args:
            results: What was measured.
            evaluation: How.
            remark: What a reader has to know of all that was measured.
        """
        fitting = [one for one in self.published if one.protocol in ("", evaluation.protocol)]
        renamed = [replace(one, property=self.labels.get(one.property, one.property)) for one in results]
        return Comparison(self.title, fitting, renamed, remark, self.more)


def find_recipe(name: str) -> Recipe:
    """The recipe of a name.

    Raises:
        UsageError: If there is none.

    Example:
        >>> find_recipe("astroclip").title
        'AstroCLIP with frozen encoders'
    """
    if name not in RECIPES:
        raise UsageError(f"there is no recipe {name!r}. One of: {', '.join(RECIPES)}.")
    recipe: Recipe = importlib.import_module(f".{name}", __package__).RECIPE
    return recipe
