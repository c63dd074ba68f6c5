"""Published numbers of IICnet, galaxies, quasars and stars by their WISE images, as shares from 0 to 1.

The published confusion matrix reproduces the table of scores, so it is what the table was computed from: its columns
add up to the validation column of the table of the data, and its three-class accuracy is the best value of the sweep
over input sizes, by which the size was chosen.
"""

from __future__ import annotations

from collections.abc import Iterator

from .published import Published

__all__ = ["CLASSES", "COSTS", "FINDING", "GALAXY", "IICNET", "LABEL", "LIKE_PRINTED", "MATRIX", "QSO", "SIDES", "STAR"]

LABEL, GALAXY, QSO, STAR = "class", "galaxy", "qso", "star"  # as the mock and the configuration call them
CLASSES = (GALAXY, QSO, STAR)
PAPER = "Zhao et al. 2023"
WHERE = "Deep Learning Applications Based on WISE Infrared Data, RAA 23, 085010, arXiv:2305.10217"
DATA = "W1 to W3 of 21,736 sources with SDSS classes, 80, 10 and 10 %; no spreads are printed"
TABLE = f"{WHERE}, Table 2 ({DATA})"
METRICS = ("precision", "recall", "specificity", "f1", "one_vs_rest_accuracy")
LIKE_PRINTED = {  # percent, as Table 2 prints them; the last column is called accuracy there
    GALAXY: (95.4, 93.2, 97.7, 94.3, 96.2),
    QSO: (96.6, 97.1, 98.3, 96.8, 97.9),
    STAR: (93.7, 95.4, 96.8, 94.5, 96.4),
}
MATRIX = ((680, 16, 34), (9, 700, 12), (24, 9, 689))  # true by predicted class, decoded from Figure 18
SIDES = {"validation": (730, 721, 722), "test": (730, 722, 723)}  # objects of each class, Table 1
RIGHT, ALL = sum(MATRIX[k][k] for k in range(3)), sum(map(sum, MATRIX))
UNSURE = 14  # right, with a probability below 0.6
SAMPLES = {GALAXY: 0.999486, STAR: 0.999814, QSO: 0.975557}  # of the true class, of one object each
COSTS = {  # parameters and operations in millions
    "iicnet": (1.75, 218.66),
    "vgg16": (134.27, 15_500.0),
    "googlenet": (5.98, 1_590.0),
    "resnet34": (46.99, 12_250.0),
    "mobilenet": (3.22, 587.94),
    "efficientnet_v2": (24.18, 2_970.0),
    "repvgg": (30.07, 3_830.0),
}
FINDING = (
    f"The published confusion matrix (Figure 18) gives the {ALL - RIGHT} errors and every number of Table 2. (F1 is "
    "there of precision and recall as they are rounded: from the counts themselves that of galaxies is 94.2 %, printed "
    "94.3, and that of stars 94.6 %, printed 94.5.) Its columns hold 730, 721 and 722 objects, which are those of the "
    "validation side in Table 1; the test side has 730, 722 and 723. So the headline numbers are of the side that "
    "chose the settings, or that side is labelled wrongly. What the table calls accuracy, 96.2, 97.9 and 96.4 %, is "
    f"that of each class against the rest; the accuracy over three classes is {RIGHT:,} of {ALL:,}, {RIGHT / ALL:.4f}, "
    "exactly the best value of the sweep over input sizes (Figure 12)."
)


def _numbers() -> Iterator[Published]:
    about = PAPER, "iicnet", "image", "image"
    for name, values in LIKE_PRINTED.items():
        for metric, value in zip(METRICS, values, strict=True):
            yield Published(*about, f"{LABEL}:{name}", metric, round(value / 100, 4), TABLE)
    best = f"{WHERE}, Figure 12 at 80 x 80 pixels, and Figure 18: {RIGHT:,} of {ALL:,}"
    yield Published(*about, LABEL, "accuracy", round(RIGHT / ALL, 4), best)
    yield Published(*about, LABEL, "auc", 0.99, f"{WHERE}, abstract: more than 99 %")
    yield Published(*about, LABEL, "share_wrong", round(1 - RIGHT / ALL, 4), f"{WHERE}: {ALL - RIGHT} wrong")
    few = f"{WHERE}: {UNSURE} right with a probability below 0.6, here of the {ALL:,} of Figure 18"
    yield Published(*about, LABEL, "share_right_but_unsure", round(UNSURE / ALL, 4), few)
    for name, value in SAMPLES.items():
        seen = "samples", "image", "image", f"{LABEL}:{name}"
        yield Published(PAPER, *seen, "probability", value, f"{WHERE}, Table 4: of one object of each class")
    gain = f"{WHERE}, Figures 16 and 17: colours add about 1 %; the bars are not printed as numbers"
    yield Published(PAPER, "paired", "iicnet", "fused", LABEL, "accuracy_difference", -0.01, gain)
    for task, (parameters, operations) in COSTS.items():
        own = PAPER, task, "image", "image", ""
        side = 80 if task == "iicnet" else 224  # what the printed counts fit, see the page
        source = f"{WHERE}, Table 3 (FLOPs by thop: multiplications, and four for each value that is normalised)"
        yield Published(*own, "parameters", parameters * 1e6, source)
        yield Published(*own, f"thop_at_{side}_px", operations * 1e6, source)


IICNET: tuple[Published, ...] = tuple(_numbers())
