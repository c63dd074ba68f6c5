"""What the star / QSO experiment shows, in words that follow from its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from ..results import combine
from ..types import Result
from .paired import Paired
from .published_point_sources import AFTER, BEFORE, LABEL
from .spectral_gan_judging import BEYOND, EXPLAINED, INFORMATION
from .spectral_gan_models import MODELS, VARIANTS
from .told import ONE_SEED, Told, difference, mean_f1, of_all, paragraph

if TYPE_CHECKING:
    from ..settings import Split

__all__ = ["division", "reductions", "vectors_table", "verdict", "why"]

COLUMNS = {
    "cosine": "cosine",
    "frechet": "Fréchet distance",
    EXPLAINED: "variance inside the classes that follows from them",
    BEYOND: "cosine beyond the class",
}


def reductions(results: Sequence[Result], share: float, reference: str = "image") -> list[Result]:
    """By how much each classifier has fewer errors than a reference: of single seeds and of all together.

    "error_rate_reduction" is 1 less the ratio of the shares of wrong objects, "f1_shortfall_reduction" that of 1 - F1
    (macro). A seed in which the reference makes no error is left out.

    Args:
        results: Of all repetitions, as `results.combine` numbers them, or of one alone.
        share: Of the judged objects among those that train or are judged.
        reference: Task of the classifier that is compared with.
    """
    wanted = {"accuracy": "error_rate_reduction", "macro_f1": "f1_shortfall_reduction"}
    folds: dict[int, dict[tuple[str, str], Result]] = {}
    single = [one for one in results if one.metric in wanted and one.property == LABEL and one.task in MODELS]
    several = any(one.fold >= 0 for one in single)
    for one in single:
        if one.fold >= 0 or not several:
            folds.setdefault(one.fold, {})[one.task, one.metric] = one
    each = [list(_reduced(found, wanted, reference)) for _, found in sorted(folds.items())]
    return combine(each, share) if several else [one for found in each for one in found]


def _reduced(found: Mapping[tuple[str, str], Result], wanted: Mapping[str, str], reference: str) -> Iterable[Result]:
    for (task, metric), one in found.items():
        other = found.get((reference, metric))
        if task == reference or other is None:
            continue
        value = 1 - (1 - one.value) / (1 - other.value) if other.value < 1 else math.nan
        yield replace(one, metric=wanted[metric], value=value, low=math.nan, high=math.nan, chance=0.0, fold=-1)


def verdict(paired: Paired) -> str:
    """In words: whether simulated vectors help, and whether those of the GAN or the retrieved ones are better."""
    sentences = []
    for name, called in (("gan", "simulated by the GAN"), ("retrieved", "retrieved the contrastive way")):
        if found := difference(paired, name, "image"):
            told = {1: "help", -1: "harm", 0: "make no difference beyond the scatter of the seeds"}
            of = f"macro F1 less that of the image alone is {found.text}"
            said = f" {told[found.sign]}" if found.sign is not None else f" ({ONE_SEED})"
            sentences.append(f"Vectors {called}{said}: {of}.")
    if sentences and "gan" in mean_f1(paired):
        sentences.append(f"Published is {AFTER - BEFORE:+.4f}, from {BEFORE} to {AFTER}.")
    if found := difference(paired, "gan", "retrieved"):
        who: dict[int | None, str] = {
            1: "The GAN wins",
            -1: "The contrastive way wins",
            None: "Who wins has no verdict",
        }
        wins = who.get(found.sign, "Neither the GAN nor the contrastive way wins")
        sentences.append(f"{wins}: macro F1 with the one less that with the other is {found.text}.")
    return paragraph(sentences)


def why(paired: Paired, results: Sequence[Result]) -> str:
    """In words: what of a spectrum the image tells at all, and what is left for a simulated vector to add."""
    return paragraph([*_bounds(paired), *_explained(results)])


def _bounds(paired: Paired) -> Iterator[str]:
    """What macro F1 is with all of the spectrum, with all of the colours, and with the simulated vector alone."""
    f1 = mean_f1(paired)
    yield (
        "A simulated vector is computed from the image: it can hold nothing that is not there, and helps only where it "
        "teaches the classifier to look for what spectra show to matter."
    )
    if found := difference(paired, "real", "image"):
        gained = {
            1: "so much would vectors gain that are simulated without error",
            0: "even vectors that are simulated without error would gain nothing beyond the scatter of the seeds",
            -1: "even vectors that are simulated without error would harm",
            None: ONE_SEED,
        }
        yield (
            f"With the real vectors macro F1 is {f1['real']:.3f}, with the image alone {f1['image']:.3f}: the "
            f"difference is {found.text}, {gained[found.sign]}."
        )
    if found := difference(paired, "magnitudes", "image"):
        line = f"The magnitudes of the catalogue alone reach {f1['magnitudes']:.3f}, {_beside(found)}"
        above = difference(paired, "magnitudes", "real")
        if above and above.sign == 1:
            line += (
                f", and more than image and real vectors together, by {above.text}, which do not bound what is to gain"
            )
        mock = any(one.task == "magnitudes" and one.origin == "mock" for one in paired.results)
        yield f"{line}; those of a mock have no noise." if mock else f"{line}."
    if found := difference(paired, "gan_alone", "image"):
        yield f"The simulated vector alone reaches {f1['gan_alone']:.3f}, {_beside(found)}."


def _beside(found: Told) -> str:
    """How what has a difference to the image stands to it."""
    words = {
        1: "more than the image",
        0: "not told from the image beyond the scatter of the seeds",
        -1: "less than the image",
        None: f"to be seen beside the image, {ONE_SEED}",
    }
    return f"{words[found.sign]} (difference {found.text})"


def _explained(results: Sequence[Result]) -> Iterator[str]:
    """How much of the scatter of real vectors inside the classes follows from image, or from magnitudes."""
    known = [one for one in of_all(results) if one.metric == EXPLAINED and math.isfinite(one.value)]
    told = {(one.task, one.query): one for one in known}
    sources = [name for name in VARIANTS if (name, "image") in told and name != "permuted"]
    if not sources or (INFORMATION, "image") not in told:
        return
    best = max(sources, key=lambda name: told[name, "image"].value)
    line = (
        f"Of the variance of the real vectors inside the classes, {_share(told[best, 'image'])} follows from the best "
        f"vectors that come from the image ({MODELS[best].name}), {_share(told[INFORMATION, 'image'])} from the "
        f"features of the image classifier"
    )
    if (INFORMATION, "magnitudes") in told:
        line += f", and {_share(told[INFORMATION, 'magnitudes'])} from the magnitudes of the catalogue"
    most = max(told[best, "image"].value, told[INFORMATION, "image"].value)
    rest = f"{1 - most:.0%} were found in the image by neither" if most > 0 else "none of it was found in the image"
    yield f"{line} (ridge regressions inside each class): {rest}."


def _share(one: Result) -> str:
    """A share of variance; nothing where the mean of the class would be nearer."""
    spread = f" ± {one.std:.0%}" if math.isfinite(one.std) else ""
    return f"{one.value:.0%}{spread}" if one.value > 0 else "nothing"


def vectors_table(results: Sequence[Result]) -> str:
    """How near the vectors of each source are to the real ones, beside the mean of the true class, as HTML."""
    found = {(one.task, one.metric): one for one in of_all(results)}
    shown = [name for name in VARIANTS if any((name, metric) in found for metric in COLUMNS)]
    if not shown:
        return ""
    metrics = [metric for metric in COLUMNS if any((name, metric) in found for name in shown)]
    head = "".join(f"<th>{escape(COLUMNS[metric])}</th>" for metric in metrics)
    rows = "".join(
        f"<tr><td>{escape(MODELS[name].name)}</td>"
        f"{''.join(_cell(found.get((name, metric))) for metric in metrics)}</tr>"
        for name in shown
    )
    about = (
        "Simulated against real vectors of the test objects, standardised; mean and standard deviation over the seeds. "
        "Below, what the mean vector of the true class reaches, which is known of no new object."
    )
    return f"<p class='about'>{about}</p><table><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(one: Result | None) -> str:
    if one is None:
        return "<td>—</td>"
    spread = f" ± {one.std:.3f}" if math.isfinite(one.std) else ""
    guess = f"<small><br>class mean {one.chance:.3f}</small>" if math.isfinite(one.chance) else ""
    return f"<td><b>{one.value:.3f}{spread}</b>{guess}</td>"


def division(split: Split, counts: Mapping[str, int]) -> str:
    """In words: how objects were divided.

    Args:
        split: Of any seed.
        counts: Objects of each side in the first seed.
    """
    by = {"object_id": "name", "healpix": f"part of the sky (HEALPix, nside {split.healpix_nside})"}
    valid = (1 - split.test) * split.valid
    shares = f"{1 - split.test - valid:.0%}, {valid:.0%} and {split.test:.0%}"
    found = ", ".join(f"{counts[side]:,} {side}" for side in ("train", "valid", "test"))
    how = f"objects are divided by a hash of their {by.get(split.by, split.by)}"
    return f"{how}: {shares} on average, not exactly and not by class (first seed: {found})"
