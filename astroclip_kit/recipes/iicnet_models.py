"""The rows of IICnet's tables and figures: which models are compared, what each sees and how it is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .published_wise import CLASSES, LABEL
from .side_by_side import Layout

__all__ = ["BANDS", "BRIEF", "MODELS", "NETWORKS", "SIZES", "STATED", "STEMS", "TABLES", "Model"]

SIZES = tuple(range(64, 129, 8))


@dataclass(frozen=True)
class Model:
    """A row of the tables.

    Args:
        name: What it is called.
        sees: The modalities.
        kind: "encoder" (trained with a linear head of its own), "fusion" (of features of such encoders), "joint" (all
            trained together), "sweep" (IICnet with one thing changed) or "network" (another network).
        changes: What is not as in IICnet's ``init_args``; of a network its name.

    Example:
        >>> MODELS["fused"].query
        'image+colours'
    """

    name: str
    sees: tuple[str, ...] = ("image",)
    kind: str = "encoder"
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def query(self) -> str:
        """What it sees, as in results."""
        return "+".join(self.sees)

    @property
    def brief(self) -> bool:
        """Whether it is trained as the sweeps are."""
        return self.kind in ("sweep", "network")


def _size(pixels: int) -> Model:
    return Model(f"IICnet, {pixels} x {pixels} pixels", kind="sweep", changes={"size": pixels})


BRIEF = "size_80"  # what the other sweeps and the networks are compared with: IICnet itself, trained as they are
BOTH = ("image", "colours")
NETWORKS = {
    "vgg16": "VGG16",
    "googlenet": "GoogLeNet",
    "resnet34": "ResNet34",
    "mobilenet": "MobileNet",
    "efficientnet_v2": "EfficientNetV2",
    "repvgg": "RepVGG",
}
DEPLOYED = "repvgg_deployed"  # its branches put together, which is how it is used
STEMS, BANDS = ("stem_3", BRIEF), (BRIEF, "bands_4")
MODELS: dict[str, Model] = {
    "iicnet": Model("IICnet, images"),
    "colours": Model("colours W1-W2, W2-W3", ("colours",)),
    "spectrum": Model("spectra", ("spectrum",)),
    "fused": Model("IICnet, images + colours", BOTH, "fusion"),
    "joint": Model("IICnet, images + colours, all trained together", BOTH, "joint"),
    **{f"size_{side}": _size(side) for side in SIZES},
    "stem_3": Model("IICnet, stem 3 x 3", kind="sweep", changes={"stem": 3}),
    "bands_4": Model("IICnet, W1 to W4", kind="sweep", changes={"bands": 4}),
    **{task: Model(name, kind="network", changes={"name": task}) for task, name in NETWORKS.items()},
}
STATED = {  # better and worse as the paper says or chose, and by how much it is better where that is printed
    ("fused", "iicnet"): 0.01,
    (BRIEF, "stem_3"): math.nan,
    (BRIEF, "bands_4"): math.nan,
    **{(BRIEF, f"size_{side}"): math.nan for side in SIZES if f"size_{side}" != BRIEF},
}
OVERALL = ("accuracy", "balanced_accuracy", "f1", "auc")
COST = (
    "parameters",
    "MACs_at_80_px",
    "thop_at_80_px",
    "MACs_at_224_px",
    "thop_at_224_px",
    "images_per_second_bfloat16",
    "images_per_second_float32",
)


def _rows(*names: str) -> dict[str, tuple[str, str]]:
    return {MODELS[name].name: (name, LABEL) for name in names}


TABLES = (
    Layout(
        "IICnet by class (Table 2)",
        {f"IICnet, {name}": ("iicnet", f"{LABEL}:{name}") for name in CLASSES},
        ("precision", "recall", "specificity", "f1", "one_vs_rest_accuracy", "auc"),
        intervals=True,
        note="The paper calls the accuracy of each class against the rest its accuracy.",
    ),
    Layout(
        "Images, spectra and colours (Figure 17)",
        _rows("iicnet", "colours", "spectrum", "fused", "joint"),
        OVERALL,
        note="The bars of the figure are not printed as numbers.",
        intervals=True,
    ),
    Layout("Size of the input (Figure 12)", _rows(*(f"size_{side}" for side in SIZES)), OVERALL, intervals=True),
    Layout("Kernel of the stem (Figure 8)", _rows(BRIEF, "stem_3"), OVERALL, intervals=True),
    Layout("Three or four bands (Figure 15b)", _rows(BRIEF, "bands_4"), OVERALL, intervals=True),
    Layout(
        "Other networks, trained on the same images at the same size", _rows(BRIEF, *NETWORKS), OVERALL, intervals=True
    ),
    Layout(
        "What the networks cost (Table 3)",
        {name: (task, "") for task, name in {"iicnet": "IICnet", **NETWORKS, DEPLOYED: "RepVGG as deployed"}.items()},
        COST,
        note="Published operations are thop's: multiplications, and four for each value that is normalised. Those of "
        "VGG16, GoogLeNet, MobileNet and EfficientNetV2 fit images of 224 x 224 pixels, that of IICnet 80 x 80, and no "
        "standard ResNet34 or RepVGG has the published size. Here all are counted at both sizes and both ways, as "
        "multiplications (MACs) and as thop does, with three classes; IICNet as it is configured. Speeds are of this "
        "machine at 80 x 80, one process.",
    ),
    Layout(
        "Errors, and right answers that are not sure",
        {"IICnet": ("iicnet", LABEL)},
        ("share_wrong", "share_right_but_unsure"),
        note="Unsure: the probability of the class is below 0.6.",
    ),
    Layout(
        "Probability of the true class (Table 4)",
        {name: ("samples", f"{LABEL}:{name}") for name in CLASSES},
        ("probability",),
        note="Published for one object of each class; measured: the median of those that are classified rightly.",
        intervals=True,
        absent="none right",
    ),
)
