"""What the star / QSO experiment shows, in words that follow from its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape

from ..results import combine
from ..types import Result
from .paired import Paired
from .published_point_sources import AFTER, BEFORE, LABEL
from .spectral_gan_judging import BEYOND, EXPLAINED, INFORMATION, OUT_OF_FOLD, TRAINED_ON
from .spectral_gan_models import MODELS, VARIANTS

__all__ = ["leaks", "reductions", "vectors_table", "verdict", "why"]

NEARLY = 0.02  # macro F1 that is nearly the same
ALIKE = 0.05  # cosine beyond the class that is
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
        if paired.compares(name, "image"):
            better, text = _told(paired, name, "image")
            told = {1: "help", -1: "harm", 0: "make no difference beyond the scatter of the seeds"}[better]
            sentences.append(f"Vectors {called} {told}: macro F1 less that of the image alone is {text}.")
    if paired.compares("gan", "image"):
        sentences.append(f"Published is {AFTER - BEFORE:+.4f}, from {BEFORE} to {AFTER}.")
    if paired.compares("gan", "retrieved"):
        better, text = _told(paired, "gan", "retrieved")
        who = {1: "The GAN wins", -1: "The contrastive way wins", 0: "Neither the GAN nor the contrastive way wins"}
        sentences.append(f"{who[better]}: macro F1 with the one less that with the other is {text}.")
    return _paragraph(sentences)


def _told(paired: Paired, a: str, b: str) -> tuple[int, str]:
    """1 if a is better than b beyond the scatter, -1 if worse, 0 if neither; and the difference in words."""
    mean, low, high, p = paired.difference(a, b)
    if not math.isfinite(p):
        return (mean > 0) - (mean < 0), f"{mean:+.4f} in every seed"
    return (low > 0) - (high < 0), f"{mean:+.4f} ({low:+.4f} to {high:+.4f}, p = {p:.2g})"


def why(paired: Paired, results: Sequence[Result]) -> str:
    """In words: what of a spectrum the image tells at all, and what is left for a simulated vector to add."""
    return _paragraph([*_bounds(paired), *_explained(results)])


def _bounds(paired: Paired) -> Iterator[str]:
    """What macro F1 is with all of the spectrum, with all of the colours, and with the simulated vector alone."""
    f1 = {name: sum(values.values()) / len(values) for name, values in paired.values.items()}
    yield (
        "A simulated vector is computed from the image: it can hold nothing that is not there, and helps only where it "
        "teaches the classifier to look for what spectra show to matter."
    )
    if "real" in f1:
        yield (
            f"With the real vectors macro F1 is {f1['real']:.3f}, with the image alone {f1['image']:.3f}: the "
            f"{f1['real'] - f1['image']:.3f} between them are all there is to gain."
        )
    if "magnitudes" in f1:
        yield (
            f"The magnitudes of the catalogue alone reach {f1['magnitudes']:.3f}; those of a mock have no noise, so "
            "that is what the colours would tell in images of any depth."
        )
    if "gan_alone" in f1:
        share = "nearly all of" if f1["gan_alone"] > f1["image"] - NEARLY else "less than"
        yield f"The simulated vector alone reaches {f1['gan_alone']:.3f}, {share} what the image tells of the class."


def _explained(results: Sequence[Result]) -> Iterator[str]:
    """How much of the scatter of real vectors inside the classes follows from image, or from magnitudes."""
    told = {(one.task, one.query): one.value for one in _of_all(results) if one.metric == EXPLAINED}
    sources = [name for name in VARIANTS if (name, "image") in told and name != "permuted"]
    if not sources or (INFORMATION, "image") not in told:
        return
    best = max(sources, key=lambda name: told[name, "image"])
    line = (
        f"Of the variance of the real vectors inside the classes, {_share(told[best, 'image'])} follows from the best "
        f"vectors that come from the image ({MODELS[best].name}), {_share(told[INFORMATION, 'image'])} from the "
        f"features of the image classifier"
    )
    if (INFORMATION, "magnitudes") in told:
        line += f", and {_share(told[INFORMATION, 'magnitudes'])} from the magnitudes of the catalogue"
    yield f"{line} (ridge regressions inside each class). The rest of the spectrum was not found in the image."


def _share(value: float) -> str:
    """A share of variance; nothing where the mean of the class would be nearer."""
    return f"{value:.0%}" if value > 0 else "nothing"


def vectors_table(results: Sequence[Result]) -> str:
    """How near the vectors of each source are to the real ones, beside the mean of the true class, as HTML."""
    found = {(one.task, one.metric): one for one in _of_all(results)}
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


def leaks(paired: Paired, results: Sequence[Result]) -> str:
    """In words: whether vectors out of fold know their object, and what is left of permuted images."""
    found = {(one.task, one.metric): one.value for one in _of_all(results)}
    sentences = [_out_of_fold(found)] if ("gan", OUT_OF_FOLD) in found else []
    if ("permuted", OUT_OF_FOLD) in found:
        seeds = sorted(one.value for one in results if (one.task, one.metric) == ("permuted", f"{OUT_OF_FOLD}_p"))
        left = found["permuted", OUT_OF_FOLD]
        leaking = left > 0 and sum(p < 0.05 for p in seeds) > len(seeds) / 2
        sentences.append(
            f"Where the images of training objects were permuted inside the classes, {left:.3f} is left of that "
            f"(p from {seeds[0]:.2f} to {seeds[-1]:.2f}): {'objects leak' if leaking else 'nothing leaks'}."
        )
    if paired.compares("permuted", "gan"):
        more, text = _told(paired, "gan", "permuted")
        counts = f"what vectors tell beyond the class {'counts' if more > 0 else 'does not count'}"
        sentences.append(f"Macro F1 with images in their places less that with permuted ones is {text}: {counts}.")
    return _paragraph(sentences)


def _out_of_fold(found: Mapping[tuple[str, str], float]) -> str:
    """Whether the classifier learns from vectors like those that it will see."""
    own, new = found["gan", OUT_OF_FOLD], found["gan", BEYOND]
    line = (
        "Beyond the class, vectors of training objects of a generator that has not seen them have a cosine of "
        f"{own:.3f} to the real ones, those of test objects {new:.3f}"
    )
    if ("gan", TRAINED_ON) in found:
        line += f", and those of objects that the generator was trained on {found['gan', TRAINED_ON]:.3f}"
    if own > new + ALIKE:
        return f"{line}: the classifier learns from better vectors than it will see, as where something leaks."
    if own < new - ALIKE:
        return (
            f"{line}: the classifier learns from worse vectors than it will see, as generators of the folds have fewer "
            "objects to learn from."
        )
    return f"{line}: the classifier learns from vectors like those that it will see."


def _of_all(results: Iterable[Result]) -> list[Result]:
    return [one for one in results if one.fold < 0]


def _paragraph(sentences: Sequence[str]) -> str:
    return f"<p>{escape(' '.join(sentences))}</p>" if sentences else ""
