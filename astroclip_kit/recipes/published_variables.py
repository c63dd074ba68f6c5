"""Published numbers of AstroM3, classes of variable stars from light curves, spectra and metadata, as shares.

Of the paper only what its abstracts say could be read; its tables are not quoted from memory. The numbers of the
authors' notebooks are from the time of development: a few runs, on test sides that are capped as the training sides.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..transforms.astrom3_columns import CLASSES
from .published import Published

__all__ = [
    "ASTROM3",
    "COUNTS",
    "KEPT",
    "LABEL",
    "MODES",
    "OBJECTS",
    "PARAMETERS",
    "SUBSETS",
    "task_of",
]

LABEL = "class"
MODES = {
    "photometry": ("lightcurve",),
    "spectra": ("spectrum",),
    "metadata": ("metadata",),
    "all": ("lightcurve", "spectrum", "metadata"),
}
PAPER, FIRST, NOTEBOOKS = "AstroM3", "AstroM3, first version", "notebooks, in development"
JOURNAL = "Rizhko & Bloom 2025, AstroM3, AJ, doi:10.3847/1538-3881/adcbad, abstract"
PREPRINT = "Rizhko & Bloom, AstroM3, arXiv:2411.08842, first version, abstract: all labels, five seeds"
RELEASE = "github.com/MeriDK/AstroM3, dev/notebooks"
RUNS = f"{RELEASE}/038: few runs, of settings in development, test sides capped as the training sides"
ABLATION = f"{RELEASE}/048: the tuned model of all modalities at 50 % of the labels, one run, macro recall"
GAINS = {"photometry": 0.1020, "spectra": 0.1429, "metadata": 0.0227}  # largest, at any number of labels
RECHECKED = {  # percent and standard deviation at 50, 25 and 10 % of the labels
    ("photometry", False): ((87.2, 0.3), (71.0, 0.5), (68.8, 3.5)),
    ("photometry", True): ((90.2, 1.1), (88.3, 1.1), (88.2, 1.7)),
    ("spectra", False): ((68.0, 5.6), (68.3, 1.0), (45.9, 0.8)),
    ("spectra", True): ((70.6, 4.5), (68.3, 3.3), (63.1, 0.9)),
    ("metadata", False): ((82.6, 0.6), (80.0, 0.6), (76.2, 0.5)),
    ("metadata", True): ((83.5, 0.4), (83.2, 0.7), (78.2, 0.3)),
    ("all", False): ((92.2, 0.1), (91.3, 0.7), (87.7, 1.3)),
    ("all", True): ((90.9, 0.2), (91.4, 0.0), (89.0, 0.9)),
}
KEPT = {  # modalities at test time, to macro recall in percent
    ("lightcurve",): 88.8,
    ("spectrum",): 61.6,
    ("metadata",): 80.3,
    ("lightcurve", "spectrum"): 92.2,
    ("spectrum", "metadata"): 82.3,
    ("lightcurve", "metadata"): 93.0,
    ("lightcurve", "spectrum", "metadata"): 93.1,
}
RECALLED = (91.7, 85.6, 76.9, 90.0, 96.2, 95.5, 100.0, 100.0, 94.9, 100.0)  # of each class, all modalities kept
PARAMETERS = {
    "informer": ("lightcurve", 1_589_888),
    "galspecnet": ("spectrum", 22_272),
    "metadata_mlp": ("metadata", 280_576),
    "lightcurve_projection": ("lightcurve", 13_107_712),
    "spectrum_projection": ("spectrum", 606_720),
    "metadata_projection": ("metadata", 262_656),
    "whole": ("lightcurve+spectrum+metadata", 15_869_827),
}
COUNTS = {  # objects that train, validate and test with seed 42
    "EW": (4890, 597, 681),
    "SR": (3647, 479, 464),
    "EA": (2343, 272, 301),
    "RRAB": (1886, 231, 234),
    "EB": (1571, 207, 198),
    "ROT": (1454, 189, 196),
    "RRC": (624, 93, 79),
    "HADS": (226, 29, 26),
    "M": (216, 30, 22),
    "DSCT": (206, 25, 24),
}
OBJECTS = sum(map(sum, COUNTS.values()))
SUBSETS = {100: OBJECTS, 50: 10_708, 25: 5_347, 10: 2_090}  # percent of the labels to objects, with seed 42


def task_of(mode: str, pretrained: bool, percent: int) -> str:
    """What a row of the tables is called in results.

    Example:
        >>> task_of("photometry", True, 10)
        'photometry_clip_10'
    """
    return f"{mode}{'_clip' * pretrained}_{percent}"


def _numbers() -> Iterator[Published]:
    for pretrained, value in ((False, 0.846), (True, 0.915)):
        about = task_of("photometry", pretrained, 100), "lightcurve", "lightcurve", LABEL
        yield Published(FIRST, *about, "capped_accuracy", value, PREPRINT)
    for (mode, pretrained), values in RECHECKED.items():
        sees = "+".join(MODES[mode])
        for percent, (value, spread) in zip((50, 25, 10), values, strict=True):
            about = task_of(mode, pretrained, percent), sees, sees, LABEL
            shares = round(value / 100, 4), RUNS, "", round(spread / 100, 4)
            yield Published(NOTEBOOKS, *about, "capped_accuracy", *shares)
    for mode, value in GAINS.items():
        yield Published(PAPER, "paired", mode, mode, LABEL, "largest_gain", value, f"{JOURNAL}: up to")
    yield from _ablation()
    for task, (sees, count) in PARAMETERS.items():
        source = f"{RELEASE.partition('/dev')[0]}, counted in the released model"
        yield Published(PAPER, task, sees, sees, "", "parameters", count, source)


def _ablation() -> Iterator[Published]:
    for kept, value in KEPT.items():
        sees = "+".join(kept)
        own = "modalities", sees, sees, LABEL
        yield Published(NOTEBOOKS, *own, "balanced_accuracy", round(value / 100, 4), ABLATION)
    for name, value in zip(CLASSES, RECALLED, strict=True):
        own = "modalities", sees, sees, f"{LABEL}:{name}"
        yield Published(NOTEBOOKS, *own, "recall", round(value / 100, 4), ABLATION)


ASTROM3: tuple[Published, ...] = tuple(_numbers())
