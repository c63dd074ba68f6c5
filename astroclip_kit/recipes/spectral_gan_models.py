"""The rows of the star / QSO tables: which classifiers are compared, and what each of them sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .published_point_sources import LABEL, QSO, STAR, UNCLEAR
from .side_by_side import Layout

__all__ = ["CLAIMS", "MODELS", "TABLES", "Model"]

BOTH = "image+spectrum"


@dataclass(frozen=True)
class Model:
    """A row of the tables.

    Args:
        name: What it is called.
        kind: "encoder" (with the linear head of its own training), "fusion" (image features and a vector of 128
            numbers), "alone" (that vector alone), "neighbours" (of an aligned space) or "magnitudes".
        query: What it sees of a new object, as in results.
        vectors: Where the vector comes from: "gan" and its variants, "retrieved", or "real".
        settings: What is different in the generator of a variant, see `settings.SpectralGAN`.
        arguments: Of a space: its views, who asks and who answers.

    Example:
        >>> MODELS["wgan_gp"].settings
        {'loss': 'wgan_gp'}
    """

    name: str
    kind: str
    query: str = "image"
    vectors: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)


def _simulated(name: str, vectors: str, **settings: Any) -> Model:
    return Model(name, "fusion", vectors=vectors, settings=settings)


def _space(name: str, views: tuple[str, ...], asks: str, answers: str) -> Model:
    return Model(name, "neighbours", arguments={"views": views, "asks": asks, "answers": answers})


TWO, THREE = ("image", "spectrum"), ("image", "spectrum", "simulated")
MODELS: dict[str, Model] = {
    "image": Model("image", "encoder"),
    "gan": _simulated("image + simulated vector (GAN, hinge)", "gan"),
    "wgan_gp": _simulated("image + simulated vector (WGAN-GP)", "wgan_gp", loss="wgan_gp"),
    "regression": _simulated("image + simulated vector (regression, no critic)", "regression", loss="regression"),
    "no_noise": _simulated("image + simulated vector (GAN without noise)", "no_noise", noise=0),
    "projection": _simulated("image + simulated vector (projection critic)", "projection", projection=True),
    "retrieved": _simulated("image + retrieved vector (contrastive)", "retrieved"),
    "permuted": _simulated("image + simulated vector (images permuted inside the class)", "permuted"),
    "real": Model("image + real vector", "fusion", BOTH, "real"),
    "gan_alone": Model("simulated vector alone (GAN, hinge)", "alone", vectors="gan"),
    "retrieved_alone": Model("retrieved vector alone (contrastive)", "alone", vectors="retrieved"),
    "spectrum": Model("spectrum (ResNet1d)", "encoder", "spectrum"),
    "magnitudes": Model("magnitudes of the catalogue (SVM)", "magnitudes", "magnitudes"),
    "two_image": _space("two views: images near the image", TWO, "image", "image"),
    "two_spectrum": _space("two views: spectra near the image", TWO, "image", "spectrum"),
    "three_image": _space("three views: images near the image", THREE, "image", "image"),
    "three_spectrum": _space("three views: spectra near the image", THREE, "image", "spectrum"),
    "three_simulated": _space("three views: spectra near the simulated vector", THREE, "simulated", "spectrum"),
}
CLAIMS = (("gan", "image"),)  # what is published of which model is better


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
    Layout("Variants of the generator", _rows("gan", "wgan_gp", "regression", "no_noise", "projection"), METRICS),
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
