"""What a published experiment is to the kit: a configuration, its published numbers, and a way to measure them.

The sections of its configuration that are verbs from `simulate` to `embed` are run as `run` would; what is between
them and the numbers is the recipe's own: stages, each kept once it is done, and in the end `measure`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..types import Result
from .comparison import Comparison
from .published import Published
from .side_by_side import Layout, SideBySide

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..settings import Evaluation

__all__ = ["RECIPES", "Measured", "Recipe", "Run", "Stage", "find_recipe"]

RECIPES = ("astroclip", "astrom3", "batmm", "iicnet", "spectral_gan")  # each a module of this room with a RECIPE


@dataclass(frozen=True)
class Run:
    """A published experiment that is being repeated, as its recipe sees it.

    Args:
        folders: "root", where the recipe writes, and what the verbs wrote: "dataset", "features", "model",
            "embeddings"; for `measure` also that of each stage, by its name.
        sections: The sections that no verb runs, such as "evaluate", each with all of its arguments; "experiment"
            holds the recipe's own.
        objects: Opens the dataset; where there is a section "classify", its objects that have a class and every
            modality.
        seed: Of everything that is drawn.
    """

    folders: Mapping[str, Path]
    sections: Mapping[str, Mapping[str, Any]]
    objects: Callable[[], Any]
    seed: int = 0


@dataclass(frozen=True)
class Stage:
    """A part of an experiment that writes one folder of the kit, once; an interrupted one is run again.

    Args:
        name: Unique in the run: "seed-0/batmm".
        out: The folder.
        inputs: Folders that it reads, by what they are to it.
        arguments: What else its result depends on: plain values and settings.
        run: Writes the folder.
    """

    name: str
    out: Path
    inputs: Mapping[str, Path]
    arguments: Mapping[str, Any]
    run: Callable[[], Any]


@dataclass(frozen=True)
class Measured:
    """What a recipe measured.

    Args:
        results: The numbers, with intervals.
        figures: Caption to figure.
        clusters: Summaries of clusters, as `Clusters.summary`.
        notes: What is not as published in this run, a sentence each.
        parts: Heading to HTML of what the page says besides.
    """

    results: list[Result]
    figures: Mapping[str, Figure]
    clusters: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = ()
    parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """A published experiment.

    Args:
        name: What it is called on the command line.
        title: What the page is called.
        configurations: Name to file of this room: settings as they were published, the default first.
        mock: File of this room with the sections that simulate and read a survey, where no data is given.
        small: File of this room with what is made smaller, so that it runs in minutes.
        measure: From a run to numbers and figures.
        published: The numbers to compare with.
        sections: What its configuration must have.
        stages: What is run between the verbs and `measure`, if anything.
        experiment: Names and values, as published, of the settings of its own: the section "experiment".
        encoders: Modalities whose encoder takes weights.
        space: Space of the results that are compared; "" for any.
        tables: How the page lays the numbers out; by default a line for each number.
        more: Task and metric of what else belongs in the table.
        then: The command to type next; "{root}" is the folder of the run.
        differences: What is not as published in every run, a line each.
        departures: What else is not as published, a line each: from the sections with all of their arguments, what the
            image encoder is (class_path and init_args), and the pixels along a side of the images (0: not known yet).
        about: How it is measured, a sentence or two under the table.
        labels: Name of a property in the data to its name among the published numbers, where they differ.
        citations: What to cite.
    """

    name: str
    title: str
    configurations: Mapping[str, str]
    mock: str
    small: str
    measure: Callable[[Run], Measured]
    published: Sequence[Published]
    sections: Sequence[str] = ("extract", "align", "embed", "evaluate")
    stages: Callable[[Run], Iterator[Stage]] | None = None
    experiment: Mapping[str, Any] = field(default_factory=dict)
    encoders: Sequence[str] = ("image", "spectrum")
    space: str = "aligned"
    tables: Sequence[Layout] = ()
    more: Sequence[tuple[str, str]] = ()
    then: str = "astroclip-kit search {root}/embeddings --query image --target spectrum OBJECT_ID"
    citations: Sequence[str] = ()
    about: str = ""
    differences: Sequence[str] = ()
    departures: Callable[[Mapping[str, Mapping[str, Any]], Mapping[str, Any], int], Iterator[str]] | None = None
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

    def compare(self, results: Sequence[Result], evaluation: Evaluation | None = None, remark: str = "") -> Comparison:
        """What was published by the same protocol, beside what was measured.

        Args:
            results: What was measured.
            evaluation: How, where published numbers differ in that.
            remark: What a reader has to know of all that was measured.
        """
        protocol = evaluation.protocol if evaluation is not None else ""
        fitting = [one for one in self.published if one.protocol in ("", protocol)]
        renamed = [replace(one, property=self.labels.get(one.property, one.property)) for one in results]
        if self.tables:
            return SideBySide(self.title, fitting, renamed, remark, self.more, self.space, self.tables)
        return Comparison(self.title, fitting, renamed, remark, self.more, self.space)


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
