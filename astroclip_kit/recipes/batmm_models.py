"""The rows of BATMM's tables: which models are compared, what each sees and how it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .published_stars import BHB, LABEL, OTHER
from .side_by_side import Layout

__all__ = ["BATMM_TABLES", "CLAIMS", "FITTED", "FUSION", "MODELS", "Model"]

FUSION, BOTH = "fusion", ("image", "spectrum")


@dataclass(frozen=True)
class Model:
    """A row of the tables.

    Args:
        name: What it is called.
        sees: The modalities.
        encoders: Whose tokens it reads: "own" (with attention to bands and wavelengths), "plain" (without), "aligned"
            (first aligned with each other), or "" where it reads the spectrum itself.
        method: What puts tokens together, as `classifiers.make_fusion` names it; "" for the linear head that the
            encoder was trained with; or a baseline, "svm" or "xgboost".
        arguments: Of the method, beside its size.

    Example:
        >>> MODELS["batmm"].query
        'image+spectrum'
    """

    name: str
    sees: tuple[str, ...]
    encoders: str = "own"
    method: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def query(self) -> str:
        """What it sees, as in results."""
        return "+".join(self.sees)


def _switched(name: str, semantic: bool, cross_attention: bool, sees: tuple[str, ...] = BOTH) -> Model:
    return Model(name, sees, method=FUSION, arguments={"semantic": semantic, "cross_attention": cross_attention})


MODELS: dict[str, Model] = {
    "resnet": Model("ResNet", ("image",), "plain"),
    "resnet_se": Model("ResNet with squeeze and excitation", ("image",)),
    "vgg1d": Model("VGG1D", ("spectrum",), "plain"),
    "vgg1d_sa": Model("VGG1D with self-attention", ("spectrum",)),
    "svm": Model("SVM", ("spectrum",), "", "svm"),
    "xgboost": Model("XGBoost", ("spectrum",), "", "xgboost"),
    "early_add": Model("Early Add", BOTH, method="early_add"),
    "early_concat": Model("Early Concat", BOTH, method="early_concat"),
    "vgg1d_fusion": Model("VGG1D on the concatenation", BOTH, method="vgg1d"),
    "transformer_spectrum": _switched("transformer, spectrum alone", False, False, ("spectrum",)),
    "transformer_image": _switched("transformer, image and spectrum", False, False),
    "transformer_sem": _switched("transformer, semantic embedding", True, False),
    "transformer_ca": _switched("transformer, cross-attention", False, True),
    "batmm": _switched("BATMM", True, True),
    "aligned": Model("BATMM on aligned encoders", BOTH, "aligned", FUSION),
    "joint": Model("BATMM, all trained together", BOTH, "joint", FUSION),
}
FITTED = {"batmm": "own", "aligned": "aligned", "joint": "joint"}  # whole classifiers, to their folder
ALL = {"BATMM, both classes": ("batmm", LABEL)}
ONE = {f"BATMM, {name}": ("batmm", f"{LABEL}:{name}") for name in (BHB, OTHER)}
OF_ONE_CLASS = (
    "Published precision, recall and F1 of SVM and XGBoost obey F1 = 2 P R / (P + R), which means over both classes do "
    "not: they may be those of the class bhb alone, whose measured values stand below them."
)


def _rows(*names: str) -> dict[str, tuple[str, str]]:
    return {MODELS[name].name: (name, LABEL) for name in names}


BATMM_TABLES = (
    Layout("BATMM by class", {**ALL, **ONE}),
    Layout("Encoders with and without attention", _rows("vgg1d", "vgg1d_sa", "resnet", "resnet_se")),
    Layout(
        "What the parts of the transformer add",
        _rows(
            "transformer_spectrum",
            "transformer_image",
            "transformer_sem",
            "transformer_ca",
            "batmm",
            "aligned",
            "joint",
        ),
    ),
    Layout(
        "BATMM and other methods",
        {
            **_rows("svm", "xgboost"),
            **{f"{MODELS[name].name}, {BHB}": (name, f"{LABEL}:{BHB}") for name in ("svm", "xgboost")},
            **_rows("early_add", "early_concat", "vgg1d_fusion", "batmm"),
        },
        note=OF_ONE_CLASS,
    ),
)
CLAIMS = (  # pairs of rows that stand beside each other in the paper's tables; which is better is read off those
    ("vgg1d_sa", "resnet_se"),
    ("vgg1d_sa", "vgg1d"),
    ("resnet_se", "resnet"),
    ("transformer_image", "transformer_spectrum"),
    ("transformer_sem", "transformer_image"),
    ("transformer_ca", "transformer_image"),
    ("transformer_ca", "transformer_sem"),
    ("batmm", "transformer_sem"),
    ("batmm", "transformer_ca"),
    ("batmm", "transformer_spectrum"),
    ("xgboost", "svm"),
    ("vgg1d_sa", "xgboost"),
    ("early_add", "resnet_se"),
    ("early_add", "vgg1d_sa"),
    ("early_concat", "early_add"),
    ("vgg1d_fusion", "early_concat"),
    *((one, "resnet_se") for one in ("early_concat", "vgg1d_fusion", "transformer_image", "transformer_ca")),
    *(
        ("batmm", one)
        for one in ("resnet_se", "vgg1d_sa", "svm", "xgboost", "early_add", "early_concat", "vgg1d_fusion")
    ),
)
