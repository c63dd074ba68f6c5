"""What the repetitions of the star / QSO experiment look like: numbers, curves, confusion, vectors, trainings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..storage import open_folder
from ..types import Result
from .judged import Judged
from .published import Published
from .published_point_sources import LABEL, QSO
from .repetition_figures import Captioned, beside, confusion, curves, trainings
from .spectral_gan_judging import DRAWN
from .spectral_gan_models import MODELS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .spectral_gan_stages import SpectralSeed

__all__ = ["draw"]

CURVES = ("image", "gan", "retrieved", "real", "spectrum", "magnitudes", "permuted")
TITLES = {"gan": "simulated (GAN)", "retrieved": "retrieved"}


def draw(
    several: Sequence[SpectralSeed], results: Sequence[Result], published: Sequence[Published]
) -> dict[str, Figure]:
    """Caption to figure.

    Args:
        several: The repetitions.
        results: What they gave, put together.
        published: The numbers to compare with.
    """
    judged = [Judged(one.place("results")) for one in several]
    told = {one.task: one for one in published if (one.property, one.metric) == (LABEL, "macro_f1")}
    return {
        **dict(beside(results, told, MODELS)),
        **dict(curves(judged, CURVES, MODELS, QSO)),
        **dict(confusion(judged, ("image", "gan"), MODELS)),
        **dict(_vectors(judged[0])),
        **dict(trainings(_trained(several[0]))),
    }


def _vectors(first: Judged) -> Captioned:
    """The real vectors of the first seed beside the simulated ones."""
    from ..report.figures import vectors_side_by_side

    shown = {"real": first.array("vectors-real")}
    shown |= {TITLES[name]: first.array(f"vectors-{name}") for name in DRAWN if name in first.about["sources"]}
    if len(shown) > 1:
        caption = (
            "Vectors of real spectra of the judged objects of the first seed, and those that come from images alone, "
            "on the principal axes of the real ones."
        )
        yield caption, vectors_side_by_side(shown, first.true, title=f"{len(first.true):,} objects, first seed")


def _trained(first: SpectralSeed) -> dict[str, Path]:
    """What was trained for the image with the simulated vector."""
    places = {f"the {name} encoder": first.encoder_place(name) for name in first.encoders}
    if "gan" in first.models:
        places |= {"the generator": first.generator_place("gan"), "the classifier": first.place("gan", "fusion")}
    return {name: folder for name, folder in places.items() if "history" in open_folder(folder, "model")}
