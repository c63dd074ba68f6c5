"""Published numbers of star / QSO classification from images with simulated spectral vectors, as shares from 0 to 1."""

from __future__ import annotations

from .published import Published

__all__ = ["AFTER", "BEFORE", "LABEL", "QSO", "SPECTRAL_GAN", "STAR", "UNCLEAR"]

LABEL, QSO, STAR = "class", "qso", "star"  # the label and its classes, as the mock and the configuration call them
PAPER = "Wang et al. 2023"
ABSTRACT = "PASP, doi 10.1088/1538-3873/acfbb9, abstract (point sources of a survey that it does not name)"
BEFORE, AFTER, REDUCTION = 0.93, 0.9777, 0.40
UNCLEAR = (
    f"The abstract does not say of which class F1 is, nor of what the error rate is reduced by {REDUCTION:.0%}: from "
    f"an F1 of {BEFORE} to {AFTER}, 1 - F1 falls from {1 - BEFORE:.4f} to {1 - AFTER:.4f}, by "
    f"{1 - (1 - AFTER) / (1 - BEFORE):.0%}, so the {REDUCTION:.0%} are of another quantity or against another model. "
    "F1 is here the mean over both classes (macro), and that of each class stands below; both reductions are measured."
)


def _number(task: str, metric: str, value: float) -> Published:
    return Published(PAPER, task, "image", "image", LABEL, metric, value, ABSTRACT)


SPECTRAL_GAN: tuple[Published, ...] = (
    _number("image", "macro_f1", BEFORE),
    _number("gan", "macro_f1", AFTER),
    _number("gan", "error_rate_reduction", REDUCTION),
)
