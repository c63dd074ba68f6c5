"""Published numbers of BATMM, blue horizontal branch stars among other A-type stars, as shares from 0 to 1."""

from __future__ import annotations

from collections.abc import Iterator

from .published import Published

__all__ = ["BATMM", "BHB", "LABEL", "OTHER"]

LABEL, BHB, OTHER = "class", "bhb", "other"  # the label and its classes, as the mock and the configuration call them
PAPER = "Wei et al. 2023"
DATA = "SDSS DR16 ugriz and spectra of 12,032 stars of Xue et al. 2008, 2011; mean and standard deviation of 5 splits"
ABOUT = f"Identification of Blue Horizontal Branch Stars with Multimodal Fusion, PASP 135, 084501 ({DATA})"
METRICS = ("precision", "recall", "f1")
Percent = tuple[float, float, float]
IMAGE, SPECTRUM, BOTH = "image", "spectrum", "image+spectrum"
ROWS: tuple[tuple[str, str, str, Percent, Percent], ...] = (  # precision, recall and F1 in percent, and their spreads
    ("batmm", BOTH, LABEL, (94.45, 95.18, 94.78), (0.45, 0.29, 0.38)),
    ("batmm", BOTH, f"{LABEL}:{BHB}", (91.58, 95.78, 93.63), (0.95, 0.19, 0.52)),
    ("batmm", BOTH, f"{LABEL}:{OTHER}", (97.33, 94.59, 95.94), (0.19, 0.48, 0.25)),
    ("vgg1d", SPECTRUM, LABEL, (91.15, 91.05, 91.00), (1.08, 1.41, 1.12)),
    ("vgg1d_sa", SPECTRUM, LABEL, (92.18, 91.93, 92.02), (0.39, 0.51, 0.20)),
    ("resnet", IMAGE, LABEL, (72.58, 72.60, 72.57), (1.09, 1.09, 1.09)),
    ("resnet_se", IMAGE, LABEL, (72.96, 73.12, 73.01), (1.25, 0.88, 1.10)),
    ("transformer_spectrum", SPECTRUM, LABEL, (93.84, 93.78, 93.80), (0.22, 0.11, 0.06)),
    ("transformer_image", BOTH, LABEL, (93.66, 93.50, 93.58), (0.67, 0.69, 0.69)),
    ("transformer_sem", BOTH, LABEL, (93.73, 94.23, 93.95), (0.39, 0.12, 0.17)),
    ("transformer_ca", BOTH, LABEL, (94.27, 94.45, 94.35), (0.83, 0.83, 0.83)),
    ("svm", SPECTRUM, LABEL, (75.80, 89.41, 82.04), (0.49, 0.32, 0.33)),
    ("xgboost", SPECTRUM, LABEL, (84.46, 88.91, 86.63), (0.38, 0.53, 0.19)),
    ("early_add", BOTH, LABEL, (92.59, 91.99, 92.25), (0.34, 0.24, 0.25)),
    ("early_concat", BOTH, LABEL, (93.12, 92.49, 92.77), (0.70, 0.76, 0.72)),
    ("vgg1d_fusion", BOTH, LABEL, (94.15, 93.81, 93.96), (0.61, 0.59, 0.57)),
)


def _numbers() -> Iterator[Published]:
    for task, seen, name, values, spreads in ROWS:
        for metric, value, spread in zip(METRICS, values, spreads, strict=True):
            shares = round(value / 100, 4), round(spread / 100, 4)
            of_all = f"macro_{metric}" if name == LABEL else metric
            yield Published(PAPER, task, seen, seen, name, of_all, shares[0], ABOUT, spread=shares[1])
    yield Published(PAPER, "batmm", BOTH, BOTH, LABEL, "auc", 0.99, "its ROC curve")
    yield Published(PAPER, "shares", IMAGE, IMAGE, "", "share of u", 0.32, "its figure of weights, about 32 %")


BATMM: tuple[Published, ...] = tuple(_numbers())
