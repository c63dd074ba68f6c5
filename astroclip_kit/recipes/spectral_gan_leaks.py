"""Whether anything leaks in the star / QSO experiment, in words that follow from its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from ..types import Result
from .paired import Paired
from .spectral_gan_judging import BEYOND, OUT_OF_FOLD, TRAINED_ON
from .told import ONE_SEED, difference, of_all, of_seeds, paragraph, told

__all__ = ["leaks"]

ALIKE = 0.05  # difference of cosines that makes none


def leaks(paired: Paired, results: Sequence[Result]) -> str:
    """In words: whether vectors out of fold know their object, and what is left of permuted images."""
    found = {(one.task, one.metric): one.value for one in of_all(results)}
    sentences = [*_out_of_fold(paired, found)] if ("gan", OUT_OF_FOLD) in found else []
    chances = sorted(of_seeds(results, "permuted", f"{OUT_OF_FOLD}_p").values())
    if chances and ("permuted", OUT_OF_FOLD) in found:
        left = found["permuted", OUT_OF_FOLD]
        leaking = left > 0 and sum(one < 0.05 for one in chances) > len(chances) / 2
        many = f"from {chances[0]:.2f} to {chances[-1]:.2f}" if len(chances) > 1 else f"= {chances[0]:.2f} in one seed"
        sentences.append(
            f"Where the images of training objects were permuted inside the classes, {left:.3f} is left of that "
            f"(p {many}): {'objects leak' if leaking else 'no leak is seen'}."
        )
    if more := difference(paired, "gan", "permuted"):
        counts = {
            1: "what vectors tell of the object counts",
            0: "what they tell beyond the class makes no difference beyond the scatter of the seeds",
            -1: "what they tell beyond the class harms",
            None: ONE_SEED,
        }
        of = f"Macro F1 with images in their places less that with permuted ones is {more.text}"
        sentences.append(f"{of}: {counts[more.sign]}.")
    return paragraph(sentences)


def _out_of_fold(paired: Paired, found: Mapping[tuple[str, str], float]) -> Iterator[str]:
    """Whether the classifier learns from vectors like those that it will see, and what those seen would be."""
    seen = ("gan", TRAINED_ON) in found
    line = (
        "Beyond the class, vectors of training objects of a generator that has not seen them have a cosine of "
        f"{found['gan', OUT_OF_FOLD]:.3f} to the real ones, those of test objects {found['gan', BEYOND]:.3f}"
    )
    if seen:
        line += f", and those of objects that the generator was trained on {found['gan', TRAINED_ON]:.3f}"
    if (gap := _gap(paired, BEYOND, OUT_OF_FOLD)) is None:
        yield f"{line}; whether the classifier learns from vectors like those that it will see: {ONE_SEED}."
        return
    yield f"{line}. Test less out of fold is {told(*gap).text}: the classifier learns from {_likeness(*gap)}."
    if seen and (gap := _gap(paired, TRAINED_ON, BEYOND)):
        words: dict[int | None, str] = {
            1: "better ones, which a classifier must not learn from",
            0: "not told apart beyond the scatter of the seeds",
            -1: "worse ones",
        }
        compared = told(*gap)
        yield f"Trained on less test is {compared.text}: {words[compared.sign]}."


def _likeness(mean: float, low: float, high: float, p: float) -> str:
    """What the vectors are that the classifier learns from, by those of test objects less them."""
    if max(abs(end) if math.isfinite(end) else abs(mean) for end in (low, high)) <= ALIKE:
        return "vectors like those that it will see"
    words: dict[int | None, str] = {
        1: "worse vectors than it will see, as may be where generators of the folds have fewer objects to learn from",
        0: "vectors that, by the scatter of the seeds, may be like those that it will see or not",
        -1: "better vectors than it will see, as where something leaks",
    }
    return words[told(mean, low, high, p).sign]


def _gap(paired: Paired, a: str, b: str) -> tuple[float, float, float, float] | None:
    """One number of the GAN's vectors less another over the seeds, as `Paired.difference`; None of one seed."""
    from ..classifiers import corrected_difference

    first, second = (of_seeds(paired.results, "gan", metric) for metric in (a, b))
    folds = sorted(first.keys() & second.keys())
    if len(folds) < 2:
        return None
    found: tuple[float, float, float, float] = corrected_difference(
        [first[one] for one in folds], [second[one] for one in folds], paired.share
    )
    return found
