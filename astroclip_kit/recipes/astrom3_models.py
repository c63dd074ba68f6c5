"""The rows of AstroM3's tables: each mode with and without contrastive pretraining, at each share of the labels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from ..transforms.astrom3_columns import CLASSES
from .published_variables import KEPT, LABEL, MODES, PARAMETERS, SUBSETS, task_of
from .side_by_side import Layout

__all__ = ["LEAST_FLIPS", "MODELS", "NAMES", "SHOTS", "TABLES", "TITLES", "Model"]

TITLES = {"photometry": "Photometry", "spectra": "Spectra", "metadata": "Metadata", "all": "All modalities"}
NAMES = {"lightcurve": "light curve", "spectrum": "spectrum", "metadata": "metadata", "mean": "mean of all"}
SCORES = ("capped_accuracy", "accuracy", "balanced_accuracy", "f1")
WHOSE = (
    "Published of all labels: abstract of the first version, photometry alone. Of fewer: notebooks from the time of "
    "development, few runs, not the paper's numbers."
)
ABLATED = (
    "Published: a notebook from the time of development, one run of the tuned model at 50 % of the labels. Measured: "
    "the model at 50 % where that is run, else that with the most labels, which is not the same quantity."
)
LEAST_FLIPS = 10  # fewer say nothing of how an area scatters
SHOTS = (1, 5, 10, 0)  # 0: all that train


@dataclass(frozen=True)
class Model:
    """A row of the tables.

    Args:
        mode: "photometry", "spectra", "metadata" or "all".
        pretrained: Whether it begins with the encoders of the contrastive pretraining, and not with random weights.
        percent: Share of the labels that it learns from.

    Example:
        >>> MODELS["photometry_clip_10"].name
        'photometry, 10 % of labels, pretrained'
    """

    mode: str
    pretrained: bool
    percent: int

    @property
    def sees(self) -> tuple[str, ...]:
        """The modalities."""
        return MODES[self.mode]

    @property
    def query(self) -> str:
        """What it sees, as in results."""
        return "+".join(self.sees)

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.mode}, {self.percent} % of labels{', pretrained' * self.pretrained}"

    @property
    def counterpart(self) -> str:
        """Its task but for the pretraining: of a pretrained model that of the other, and the other way round."""
        return task_of(self.mode, not self.pretrained, self.percent)


MODELS: dict[str, Model] = {task_of(*one): Model(*one) for one in product(MODES, (False, True), SUBSETS)}
KEPT_NAMES = {kept: " + ".join(NAMES[one] for one in kept) for kept in KEPT}


def _of_mode(mode: str) -> Layout:
    rows = {
        f"{percent} % of the labels, {'pretrained' if pretrained else 'random weights'}": (
            task_of(mode, pretrained, percent),
            LABEL,
        )
        for percent in SUBSETS
        for pretrained in (False, True)
    }
    return Layout(TITLES[mode], rows, SCORES, WHOSE, counts=True)


TABLES = (
    *map(_of_mode, MODES),
    Layout(
        "What pretraining gains at most, at any share of the labels",
        {TITLES[mode]: ("paired", LABEL, mode, mode) for mode in MODES},
        ("largest_gain",),
        note="Differences of accuracy on all test objects, mean over the seeds. The largest of several is biased "
        "upwards, so no interval is given. Published: of capped test sides, at 100, 50, 25 or 10 % of the labels.",
        counts=True,
    ),
    Layout(
        "Modalities at test time, of the model of all modalities",
        {KEPT_NAMES[kept]: ("modalities", LABEL, "+".join(kept)) for kept in KEPT},
        ("balanced_accuracy", "accuracy"),
        note=f"The same trained model, shown some of the modalities. Balanced accuracy is the macro recall. {ABLATED}",
        counts=True,
    ),
    Layout(
        "Recall of each class, all modalities",
        {name: ("modalities", f"{LABEL}:{name}", "+".join(MODES["all"])) for name in CLASSES},
        ("recall",),
        note=ABLATED,
        absent="no test object",
        counts=True,
    ),
    Layout(
        "Classes by likeness, by examples of each class (first seed)",
        {
            f"{name}, {how}": (f"few_shot_{method}", LABEL, on)
            for on, name in {**NAMES, "vote": "majority of the three"}.items()
            for method, how in (("centroid", "nearest centroid"), ("1nn", "nearest example"))
        },
        tuple(f"accuracy@{shots or 'all'}" for shots in SHOTS),
        note="In the space of the pretraining, which knows no labels; examples are drawn 20 times (±: over the draws). "
        "With all examples this is what the paper calls zero-shot.",
        counts=True,
    ),
    Layout(
        "Planted wrong labels (first seed)",
        {
            f"{name}, {how}": (task, LABEL, on)
            for on, name in NAMES.items()
            for task, how in (("mislabelled", "odds of another class"), ("far", "far from its class"))
        },
        ("share_of_flips_on_top", "auc"),
        note="Share of the flipped labels among the 3 % of the objects with the highest score. The odds are of models "
        "that were fitted without the object, with a penalty that was chosen on surveys of this simulation with other "
        "seeds; the paper ranks by the distance from the centroid of the class. n of the share: flipped labels; of the "
        f"AUC: objects that are ranked, with an interval (Hanley & McNeil 1982) from {LEAST_FLIPS} flipped labels on.",
        counts=True,
    ),
    Layout(
        "Found again by another modality (first seed, test side)",
        {
            f"{NAMES[query]} asks, {NAMES[target]} answers": ("retrieval", "", query, target)
            for query, target in product(MODES["all"], MODES["all"])
            if query != target
        },
        ("recall@1", "recall@10", "share_of_class"),
        note="Share of class: how many of the ten nearest other objects are of the class of who asks.",
        counts=True,
    ),
    Layout(
        "Size, as configured",
        {task.replace("_", " ") if task != "metadata_mlp" else "metadata MLP": (task, "") for task in PARAMETERS},
        ("parameters",),
        note="Published: counted in the released model.",
    ),
)
