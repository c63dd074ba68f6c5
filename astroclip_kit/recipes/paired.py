"""Models compared over the seeds that they share: which published orderings hold, and one against all others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from html import escape
from typing import TYPE_CHECKING, Any

from ..types import Result
from .orderings import Difference, orderings_html, verdicts
from .published import Published

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["Paired"]

HEADS = {
    "model": "{first} against",
    "mean": "its mean",
    "mean_of_first": "{first}",
    "difference": "difference",
    "low": "95 % from",
    "high": "to",
    "p": "p",
    "p_adjusted": "p, adjusted",
    "seeds": "seeds",
}
PAIRED = (
    "{metric} of {first} less that of each other model on the same test {objects}, mean over the seeds. Splits of the "
    "same {objects} share training objects, so intervals and p are those of the corrected resampled t-test (Nadeau & "
    "Bengio 2003); adjusted: for the number of models (Holm 1979). A dash: all seeds give the same difference, which "
    "tells nothing of its scatter."
)


@dataclass(frozen=True)
class Paired:
    """The models of several repetitions, by one metric.

    Args:
        results: Of all repetitions, as `results.combine` numbers them.
        label: The property that the models are compared by.
        share: Of the judged objects among those that train or are judged.
        names: Task to what the model is called.
        metric: By which.
        called: The metric in words.
        objects: What is classified: "stars".
    """

    results: Sequence[Result]
    label: str
    share: float
    names: Mapping[str, str]
    metric: str = "macro_f1"
    called: str = "macro F1"
    objects: str = "objects"

    @cached_property
    def single(self) -> list[Result]:
        """The metric of each model in each repetition."""
        return [
            one
            for one in sorted(self.results, key=lambda one: one.fold)
            if one.fold >= 0 and (one.metric, one.property) == (self.metric, self.label) and one.task in self.names
        ]

    @cached_property
    def values(self) -> dict[str, dict[int, float]]:
        """Task to the metric by the number of the repetition."""
        found: dict[str, dict[int, float]] = {}
        for one in self.single:
            found.setdefault(one.task, {})[one.fold] = one.value
        return found

    def shared(self, *tasks: str) -> list[list[float]]:
        """The metric of each of some models in the repetitions that they share; nothing where one was not run."""
        values = [self.values.get(task, {}) for task in tasks]
        folds = sorted(set.intersection(*map(set, values)))
        return [[one[fold] for fold in folds] for one in values]

    def difference(self, a: str, b: str) -> tuple[float, float, float, float]:
        """Mean of a - b over the repetitions that they share, its interval and p."""
        from ..classifiers import corrected_difference

        first, second = self.shared(a, b)
        found: tuple[float, float, float, float] = corrected_difference(first, second, self.share, self.metric)
        return found

    def compares(self, *tasks: str) -> bool:
        """Whether models share two repetitions or more."""
        return len(self.shared(*tasks)[0]) > 1

    def verdicts(self, claims: Iterable[tuple[str, str]], published: Mapping[str, Published]) -> list[Difference]:
        """The pairs that were published and measured, see `orderings.verdicts`."""
        from ..classifiers import corrected_difference

        paired = partial(corrected_difference, test_share=self.share, metric=self.metric)
        found: list[Difference] = []
        for pair in claims:
            if self.compares(*pair):
                found += verdicts([pair], published, dict(zip(pair, self.shared(*pair), strict=True)), paired)
        return found

    def stated(self, claims: Mapping[tuple[str, str], float]) -> str:
        """Which of the orderings hold that a paper states, as HTML; "" where none was measured.

        Args:
            claims: The better and the worse model, to the published difference; NaN where none is printed.
        """
        found = [
            Difference(*pair, published, math.nan, *self.difference(*pair))
            for pair, published in claims.items()
            if self.compares(*pair)
        ]
        return orderings_html(found, self.names, self.called, len(claims)) if found else ""

    def orderings(self, claims: Iterable[tuple[str, str]], published: Mapping[str, Published]) -> str:
        """Which of the published orderings hold, as HTML; "" where none was measured."""
        stated = [pair for pair in claims if all(name in published for name in pair)]
        found = self.verdicts(stated, published)
        return orderings_html(found, self.names, self.called, len(stated)) if found else ""

    def against(self, first: str) -> tuple[str, list[Result]]:
        """One model against each other: HTML, and the differences as results; what answers is the other model."""
        from ..classifiers import significance_table

        table = significance_table(self.single, first, metric=self.metric, test_share=self.share, names=self.names)
        return self._html(table, first), list(self._differences(table, first))

    def _html(self, table: Table, first: str) -> str:
        words = {"first": self.names[first], "metric": self.called[:1].upper() + self.called[1:]}
        about = PAIRED.format(**words, objects=self.objects)
        head = "".join(f"<th>{escape(HEADS[name].format(**words))}</th>" for name in table.colnames)
        rows = "".join("<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row) + "</tr>" for row in table)
        return f"<p class='about'>{escape(about)}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    def _differences(self, table: Table, first: str) -> Iterator[Result]:
        by_name, like = {name: task for task, name in self.names.items()}, self.single[0]
        source: dict[str, Any] = {name: getattr(like, name) for name in ("seed", "dataset", "origin", "space")}
        for row in table:
            about = "paired", first, by_name[row["model"]], like.property
            low, value, high = (float(row[name]) for name in ("low", "difference", "high"))
            seeds, p = int(row["seeds"]), float(row["p_adjusted"])
            yield Result(*about, f"{self.metric}_difference", value, low, high, seeds, **source)
            yield Result(*about, "p_adjusted", p, math.nan, math.nan, seeds, **source)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return escape(value)
    return f"{value:.4f}".rstrip("0").rstrip(".") if math.isfinite(value) else "-"
