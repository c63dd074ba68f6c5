"""What the space of AstroM3's pretraining is good for: classes by likeness, wrong labels, subclasses, search."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from ..report.lists import bullets
from ..report.tables import table_html
from ..results import read_results, write_results
from ..settings import Evaluation
from ..storage import new_folder, open_folder, write_manifest
from ..types import Result
from .astrom3_models import LEAST_FLIPS, SHOTS
from .recipe import Measured

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.figure import Figure

    from ..embeddings import EmbeddingStore
    from .astrom3_stages import AstroM3Seed

__all__ = ["area_interval", "judge_space", "show_space"]

TOP = 0.03  # of the objects, by mislabel score
SCORES = {"mislabelled": "label_odds", "far": "own_distance"}
ANSWERS = 10
SHOWN = 5  # columns that separate subclasses
MIXED = ("ROT", "SR", "M")  # classes in which subclasses are looked for
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """What is true of the objects of a mock survey.

    Args:
        flipped: Whose label is wrong [N].
        subclass: "" where there is none [N].
    """

    flipped: npt.NDArray[np.bool_]
    subclass: npt.NDArray[np.str_]

    @classmethod
    def of(cls, path: str | Path, ids: npt.NDArray[np.str_]) -> Truth | None:
        """From ``truth.fits``, for objects of some ids [N]; None where there is no such file."""
        from astropy.table import Table

        if not Path(path).is_file():
            return None
        table = Table.read(path)
        place = {str(one): row for row, one in enumerate(table["object_id"])}
        rows = [place[one] for one in ids.tolist()]
        return cls(np.asarray(table["flipped"])[rows].astype(bool), np.asarray(table["subclass"]).astype(str)[rows])


def judge_space(repetition: AstroM3Seed, out: Path) -> None:
    """Measures the space of a seed, and keeps what the page shows.

    Args:
        repetition: The seed.
        out: The folder: ``results.jsonl``, and the subclasses of each class as `Clusters`.
    """
    from ..downstream import find_subclasses
    from ..embeddings import EmbeddingStore

    store = EmbeddingStore(repetition.place("space", "embeddings"))
    settings = Evaluation(n_boot=repetition.experiment["n_boot"], seed=repetition.seed)
    truth, label = Truth.of(_truth(repetition), store.object_ids), repetition.settings.label
    results = [*_by_likeness(store, label, settings), *_searches(store, label, settings)]
    results += _mislabelled(store, label, truth, settings) if truth is not None else []
    notes: list[str] = []
    with new_folder(out, "results") as folder:
        for value in MIXED:
            try:
                found = find_subclasses(store, label, value, properties=_columns(repetition), seed=repetition.seed)
            except (InputError, UsageError) as error:
                notes.append(f"{value}: {error}")
                continue
            found.write(folder / value)
            results += _agreement(store, found.table, value, truth, settings) if truth is not None else []
        write_results(folder / "results.jsonl", results)
        write_manifest(folder, "results", {"notes": notes})


def _truth(repetition: AstroM3Seed) -> str | Path:
    """Where a mock says what is true: as the settings say, or where the recipe simulates."""
    return repetition.experiment["truth"] or repetition.run.folders["root"] / "survey" / "truth.fits"


def _columns(repetition: AstroM3Seed) -> dict[str, Floats]:
    """The columns of the catalogue, which may separate subclasses: name to values [N]."""
    dataset = repetition.dataset
    values = dataset.views("metadata", np.arange(len(dataset)))
    return dict(zip(dataset.modalities["metadata"].channels, values.T.astype(np.float64), strict=True))


def _source(store: EmbeddingStore) -> dict[str, Any]:
    return {name: store.manifest[name] for name in ("seed", "dataset", "origin")}


def _by_likeness(store: EmbeddingStore, label: str, settings: Evaluation) -> Iterator[Result]:
    """Classes of the held-out objects from few examples, by modality, of the mean and by vote."""
    from ..downstream import few_shot

    known = store.labels[label][store.split != "test"]
    fewest = int(np.unique(known[known != ""], return_counts=True)[1].min())
    shots = [count for count in SHOTS if count <= fewest]
    for method in ("centroid", "1nn"):
        yield from few_shot(store, label, shots=shots, method=method, settings=settings)


def _searches(store: EmbeddingStore, label: str, settings: Evaluation) -> Iterator[Result]:
    """Whether held-out objects find themselves by another modality, and whether they find their class."""
    from ..downstream.evaluation import retrieval_results
    from ..downstream.space import Space

    space = Space.aligned(store, "")
    yield from retrieval_results(space, n_boot=settings.n_boot, seed=settings.seed)
    for query, target in permutations(store.names, 2):
        yield _of_class(store, label, query, target, settings)


def _of_class(store: EmbeddingStore, label: str, query: str, target: str, settings: Evaluation) -> Result:
    """Share of the nearest other held-out objects that are of the class of who asks."""
    from ..metrics import bootstrap

    rows = np.flatnonzero((store.split == "test") & store.present(query) & store.present(target))
    classes, groups = store.labels[label][rows], store.groups[rows]
    likeness = store.vectors(query)[rows] @ store.vectors(target)[rows].T
    likeness[groups[:, None] == groups] = -np.inf
    nearest = np.argpartition(-likeness, min(ANSWERS, len(rows) - 1) - 1, axis=1)[:, :ANSWERS]
    same = (classes[nearest] == classes[:, None]).mean(axis=1)
    low, high = bootstrap(np.mean, [same], n_boot=settings.n_boot, seed=settings.seed, groups=groups)
    chance = float(np.square(np.unique(classes, return_counts=True)[1] / len(rows)).sum())
    about = "retrieval", query, target, "", "share_of_class"
    return Result(*about, float(same.mean()), low, high, len(rows), **_source(store), chance=chance)


def _mislabelled(store: EmbeddingStore, label: str, truth: Truth, settings: Evaluation) -> Iterator[Result]:
    """How many of the labels that are wrong are among the highest scores, by modality and of the mean.

    Scores are the odds of another class, and the distance from the own centroid, which the paper ranks by. n of the
    share counts the wrong labels, n of the area under the ROC curve the objects that are ranked.
    """
    from ..downstream import label_audit
    from ..metrics import Sweep, wilson

    place = {str(one): row for row, one in enumerate(store.object_ids)}
    for on in store.choices:
        table = label_audit(store, label, on, seed=settings.seed)
        wrong = truth.flipped[[place[str(one)] for one in table["object_id"]]]
        for task, column in SCORES.items():
            score = np.nan_to_num(np.asarray(table[column], dtype=np.float64), nan=-np.inf)
            if not (count := int(wrong.sum())):
                continue
            top = np.argsort(-score, kind="stable")[: math.ceil(TOP * len(score))]
            share = float(wrong[top].sum() / count)
            about = task, on, on, label
            given: dict[str, Any] = {**_source(store), "chance": TOP}
            yield Result(*about, "share_of_flips_on_top", share, *wilson(share, count), count, **given)
            area = float(Sweep.of(score, wrong).area())
            interval = area_interval(area, count, len(score) - count)
            yield Result(*about, "auc", area, *interval, len(score), **{**given, "chance": 0.5})


def area_interval(area: float, wrong: int, right: int) -> tuple[float, float]:
    """95 % interval of an area under the ROC curve (Hanley & McNeil 1982, Radiology 143, 29); NaN of few wrong labels.

    Of an area of 0 or 1, where that has no width, Wilson's of a share of the wrong labels.

    Args:
        area: The area.
        wrong: Number of wrong labels.
        right: Number of other objects.

    Example:
        >>> [round(end, 3) for end in area_interval(0.9, 20, 1380)]
        [0.809, 0.991]
    """
    from ..metrics import share_interval

    if wrong < LEAST_FLIPS:
        return math.nan, math.nan
    both_wrong, both_right = area / (2 - area), 2 * area**2 / (1 + area)
    spread = (wrong - 1) * (both_wrong - area**2) + (right - 1) * (both_right - area**2)
    half = 1.959964 * math.sqrt(max(area * (1 - area) + spread, 0.0) / (wrong * right))
    return share_interval(area, max(area - half, 0.0), min(area + half, 1.0), wrong)


def _agreement(store: EmbeddingStore, table: Table, value: str, truth: Truth, settings: Evaluation) -> Iterator[Result]:
    """How far the groups that were found in a class agree with its true subclasses, of objects that are of it."""
    from ..downstream.agreement import agreement

    groups = np.asarray(table["cluster"])
    rows = np.flatnonzero((groups >= 0) & (truth.subclass != "") & ~truth.flipped)
    if not len(rows):
        return
    how: dict[str, Any] = {"groups": store.groups[rows], "n_boot": settings.n_boot, "seed": settings.seed}
    for metric, numbers in agreement(groups[rows], truth.subclass[rows], **how).items():
        about = "clustering", "mean", "mean", f"true subclass of {value}", metric
        yield Result(*about, *numbers, len(rows), **_source(store), chance=0.0)


def show_space(first: AstroM3Seed) -> Measured:
    """What `judge_space` wrote, for the page: numbers, what the subclasses are, and their figures.

    Args:
        first: The seed.
    """
    from ..downstream import Clusters
    from ..report import cluster_figures

    folder = first.place("space", "results")
    figures: dict[str, Figure] = {}
    parts = []
    for value in (value for value in MIXED if (folder / value).is_dir()):
        found = Clusters(folder / value)
        parts.append(_subclass_html(found.summary))
        drawn = cluster_figures(found.table, found.summary["clusters"], summary=found.summary)
        figures |= {f"Subclasses of {value}, first seed: {caption}": figure for caption, figure in drawn.items()}
    notes = open_folder(folder, "results")["notes"]
    html = "".join(parts) + bullets(f"not looked at: {note}" for note in notes)
    return Measured(read_results(folder), figures, parts={"Subclasses (first seed)": html} if html else {})


def _subclass_html(summary: Mapping[str, Any]) -> str:
    """What is said of the groups of a class, and the columns that separate them most."""
    from ..downstream.separation import Separation

    rows = []
    for one in summary["columns"][:SHOWN]:
        told = Separation(**{key: value for key, value in one.items() if key not in ("chance", "p_any")})
        apart = one["p_any"] is not None  # of one group there is nothing to test
        tested = (f"{one['chance']:.2f}", f"{one['p_any']:.3f}") if apart else ("", "")
        cells = told.property, f"{told.value:+.2f} ({told.low:+.2f} to {told.high:+.2f})", *tested
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    heads = ("column", "effect (95 %)", "chance, 5 %", "p")
    title = f"{summary['within']}: {summary['subclasses']} subclass{'es' * (summary['subclasses'] != 1)}"
    return f"<h3>{escape(title)}</h3>{bullets(summary['notes'])}" + (table_html(heads, rows) if rows else "")
