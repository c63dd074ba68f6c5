"""Which of a paper's orderings hold: paired differences of models over the same repetitions, in plain words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ..report.lists import bullets
from .published import Published

__all__ = ["Difference", "orderings_html", "verdicts"]

Compared = Callable[[Sequence[float], Sequence[float]], tuple[float, float, float, float]]
SURE, MEAN, EVEN, REVERSED, NEVER = "holds", "holds on average", "is level", "is reversed on average", "is reversed"
VERDICTS = {
    SURE: "hold beyond the scatter of the repetitions",
    MEAN: "hold on average, within the scatter",
    EVEN: "are level to three digits",
    REVERSED: "are reversed on average, within the scatter",
    NEVER: "are reversed beyond the scatter",
}
LEVEL = 5e-4  # a difference that is smaller is 0.000


@dataclass(frozen=True)
class Difference:
    """One model against another.

    Args:
        better: The one that is better as published.
        worse: The other.
        published: Published difference of the two; NaN where only its sign is.
        spread: Of the published difference: both published standard deviations, added in quadrature; NaN for none.
        value: Mean of the measured difference over the repetitions.
        low: Lower end of its 95 % interval, NaN where it cannot be told.
        high: Upper end.
        p: Probability of at least such a difference where there is none.
    """

    better: str
    worse: str
    published: float
    spread: float
    value: float
    low: float
    high: float
    p: float

    @property
    def verdict(self) -> str:
        """Whether what was published holds here.

        Example:
            >>> Difference("a", "b", 0.02, 0.01, 0.03, 0.01, 0.05, 0.02).verdict
            'holds'
            >>> Difference("a", "b", 0.02, 0.01, -0.03, -0.07, 0.01, 0.1).verdict
            'is reversed on average'
        """
        if self.low > 0 or self.high < 0:
            return SURE if self.low > 0 else NEVER
        if abs(self.value) < LEVEL:
            return EVEN
        return MEAN if self.value > 0 else REVERSED


def verdicts(
    pairs: Iterable[tuple[str, str]],
    published: Mapping[str, Published],
    measured: Mapping[str, Sequence[float]],
    paired: Compared,
) -> Iterator[Difference]:
    """The differences of pairs that were published and measured, the better one as published first.

    Args:
        pairs: Names of two models each.
        published: Model to its published value.
        measured: Model to its value in each repetition, all in the same order.
        paired: From values of two models to mean difference, its interval and p.
    """
    for pair in pairs:
        if any(name not in published or name not in measured for name in pair):
            continue
        better, worse = sorted(pair, key=lambda name: -published[name].value)
        told = [published[name] for name in (better, worse)]
        spread = math.hypot(*(one.spread if math.isfinite(one.spread) else 0.0 for one in told))
        found = paired(measured[better], measured[worse])
        yield Difference(better, worse, told[0].value - told[1].value, spread, *found)


def orderings_html(differences: Sequence[Difference], names: Mapping[str, str], metric: str, stated: int) -> str:
    """What holds and what does not in plain words, and the differences as a table.

    Args:
        differences: As `verdicts` gives them.
        names: Of the models.
        metric: In words.
        stated: How many orderings were published, measured here or not.
    """
    sentences = []
    for verdict, words in VERDICTS.items():
        own = [one for one in differences if one.verdict == verdict]
        listed = "; ".join(_told(one, names) for one in own)
        if own or verdict != EVEN:
            sentences.append(f"{words}: {len(own)}{f' ({listed})' if own else ''}.")
    count = len(differences)
    among = f"of which {count} {'was' if count == 1 else 'were'} measured"
    page = (
        f"<p>The published tables state {stated} ordering{'s' * (stated != 1)} by {escape(metric)}, {among}. Here</p>"
    )
    page += bullets(sentences)
    if narrow := [one for one in differences if one.published < one.spread]:
        those = "difference is smaller than its" if len(narrow) == 1 else "differences are smaller than their"
        page += f"<p>{len(narrow)} published {those} own published scatter.</p>"
    heads = ("better as published", "worse", "published difference", "measured", "95 % interval", "p", "")
    head = "".join(f"<th>{one}</th>" for one in heads)
    rows = "".join(_row(one, names) for one in differences)
    return f"{page}<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _told(one: Difference, names: Mapping[str, str]) -> str:
    better, worse = names[one.better], names[one.worse]
    return f"{better} level with {worse}" if one.verdict == EVEN else f"{better} above {worse} {one.value:+.3f}"


def _row(one: Difference, names: Mapping[str, str]) -> str:
    told = math.isfinite(one.p)
    printed = f"{one.published:+.4f}" if math.isfinite(one.published) else "not printed"
    cells = (
        names[one.better],
        names[one.worse],
        printed + (f" ± {one.spread:.4f}" if math.isfinite(one.spread) else ""),
        f"{one.value:+.4f}",
        f"{one.low:+.4f} to {one.high:+.4f}" if told else "cannot be told",
        f"{one.p:.2g}" if told else "-",
        one.verdict,
    )
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
