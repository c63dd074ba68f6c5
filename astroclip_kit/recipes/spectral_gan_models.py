"""The rows of the star / QSO tables: which classifiers are compared, and what each of them sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .published_point_sources import LABEL, QSO, STAR, UNCLEAR
from .side_by_side import Layout

__all__ = ["MODELS", "SPACES", "TABLES", "VARIANTS", "Model"]

BOTH = "image+spectrum"


@dataclass(frozen=True)
class Model:
    """A row of the tables.

    Args:
        name: What it is called.
        kind: "encoder" (with the linear head of its own training), "fusion" (image features and a vector of 128
            numbers), "alone" (that vector alone), "neighbours" (of an aligned space) or "magnitudes".
        query: What it sees of a new object, as in results.
        vectors: Where the vector comes from: one of `VARIANTS`, or "real"; of neighbours the space, one of `SPACES`.
        settings: What is different in the generator of a variant, see `settings.SpectralGAN`.
        ways: Of neighbours: who asks and who answers.

    Example:
        >>> MODELS["wgan_gp"].settings
        {'loss': 'wgan_gp'}
    """

    name: str
    kind: str
    query: str = "image"
    vectors: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    ways: tuple[str, str] = ("", "")

    @property
    def needs(self) -> set[str]:
        """What must be run before it, as rows of the tables."""
        return {"gan"} if self.kind == "neighbours" else {self.vectors} - {"", "real"}


def _simulated(name: str, vectors: str, **settings: Any) -> Model:
    return Model(name, "fusion", vectors=vectors, settings=settings)


def _near(name: str, space: str, asks: str, answers: str) -> Model:
    return Model(name, "neighbours", vectors=space, ways=(asks, answers))


SPACES = {"two": ("image", "spectrum"), "three": ("image", "spectrum", "simulated")}
MODELS: dict[str, Model] = {
    "image": Model("image alone", "encoder"),
    "gan": _simulated("image + simulated vector (GAN)", "gan"),
    "wgan_gp": _simulated("image + simulated vector (WGAN-GP)", "wgan_gp", loss="wgan_gp"),
    "no_critic": _simulated("image + simulated vector (regression, no critic)", "no_critic", loss="regression"),
    "no_noise": _simulated("image + simulated vector (GAN without noise)", "no_noise", noise=0),
    "projection": _simulated("image + simulated vector (projection critic)", "projection", projection=True),
    "retrieved": _simulated("image + retrieved vector (contrastive)", "retrieved", source="retrieved"),
    "permuted": _simulated("image + vector of permuted images", "permuted"),
    "real": Model("image + real vector", "fusion", BOTH, "real"),
    "gan_alone": Model("simulated vector alone (GAN)", "alone", vectors="gan"),
    "retrieved_alone": Model("retrieved vector alone (contrastive)", "alone", vectors="retrieved"),
    "spectrum": Model("spectrum alone (ResNet1d)", "encoder", "spectrum"),
    "magnitudes": Model("magnitudes alone (SVM)", "magnitudes", "magnitudes"),
    "two_image": _near("two views: images near the image", "two", "image", "image"),
    "two_spectrum": _near("two views: spectra near the image", "two", "image", "spectrum"),
    "three_image": _near("three views: images near the image", "three", "image", "image"),
    "three_spectrum": _near("three views: spectra near the image", "three", "image", "spectrum"),
    "three_simulated": _near("three views: spectra near the simulated vector", "three", "simulated", "spectrum"),
}
VARIANTS = tuple(name for name, model in MODELS.items() if model.vectors == name != "real")  # where vectors come from


def _rows(*names: str, of: str = LABEL) -> dict[str, tuple[str, str]]:
    return {MODELS[name].name: (name, of) for name in names}


def _of_class(name: str, *tasks: str) -> dict[str, tuple[str, str]]:
    return {f"{name}: {MODELS[task].name}": (task, f"{LABEL}:{name}") for task in tasks}


METRICS = ("f1", "accuracy", "auc")
TABLES = (
    Layout(
        "Star or QSO, without and with simulated vectors",
        _rows("image", "gan", "retrieved", "real"),
        (*METRICS, "error_rate_reduction", "f1_shortfall_reduction"),
        note=UNCLEAR + " Reductions are against the image alone.",
    ),
    Layout(
        "Of each class",
        {row: place for name in (QSO, STAR) for row, place in _of_class(name, "image", "gan", "real").items()},
        ("precision", "recall", "f1", "auc"),
    ),
    Layout("Variants of the generator", _rows("gan", "wgan_gp", "no_critic", "no_noise", "projection"), METRICS),
    Layout(
        "What the parts know",
        _rows("spectrum", "magnitudes", "gan_alone", "retrieved_alone", "permuted"),
        METRICS,
        note="The magnitudes are those of the catalogue: of a mock the true ones, without noise.",
    ),
    Layout(
        "Neighbours in an aligned space",
        _rows("two_image", "two_spectrum", "three_image", "three_spectrum", "three_simulated"),
        METRICS,
        note="Encoders as above, aligned with InfoNCE by projection heads on cached features, without labels; the "
        "class is that of the nearest training objects. The third view is the vector that the generator simulates.",
    ),
)
