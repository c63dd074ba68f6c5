"""Stars told from quasars by images and spectral vectors that are simulated from them: a GAN, or contrastive retrieval.

Each seed divides the objects anew and trains encoders of image and spectrum, generators of spectral vectors (those of
training objects by generators that have not seen them) and classifiers of the image with such a vector, which need no
spectrum of a new object. Beside them stand what bounds the gain, and spaces of two and three aligned views.

Source: Wang et al. 2023, PASP, doi 10.1088/1538-3873/acfbb9, of which the abstract alone is public.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..types import Result
from .judged import Judged
from .paired import Paired
from .published_point_sources import SPECTRAL_GAN
from .recipe import Measured, Recipe, Run
from .repetition import Repetition, not_as_published, tested_share, together
from .spectral_gan_leaks import leaks
from .spectral_gan_models import MODELS, TABLES
from .spectral_gan_stages import repetitions, stages
from .spectral_gan_words import division, reductions, vectors_table, verdict, why

__all__ = ["RECIPE", "measure"]


def measure(run: Run) -> Measured:
    """Puts the repetitions together: numbers, paired differences, figures, and what they say in words.

    Args:
        run: With the stages of all repetitions done.
    """
    from .spectral_gan_figures import draw

    several = repetitions(run)
    results = together(several)
    results += reductions(results, tested_share(several[0]))
    parts = _parts(several, results)
    first = Judged(several[0].place("results")).about
    notes = [*not_as_published(several[0], MODELS), division(several[0].settings.split, first["counts"])]
    notes += [f"not run: {MODELS[name].name}, as {reason}" for name, reason in first.get("not_run", {}).items()]
    return Measured(results, draw(several, results, SPECTRAL_GAN), notes=notes, parts=parts)


def _parts(several: Sequence[Repetition], results: list[Result]) -> dict[str, str]:
    """Heading to HTML; the differences are added to the results."""
    names = {name: model.name for name, model in MODELS.items()}
    paired = Paired(results, several[0].settings.label, tested_share(several[0]), names)
    parts = {
        "Which wins: GAN or contrastive": verdict(paired),
        "Why: what is in the image": why(paired, results),
        "How near simulated vectors are to real ones": vectors_table(results),
        "Whether anything leaks": leaks(paired, results),
    }
    if paired.compares("gan", "image"):
        parts["GAN against each other classifier"], differences = paired.against("gan")
        results += differences
    return {heading: html for heading, html in parts.items() if html}


RECIPE = Recipe(
    name="spectral_gan",
    title="Stars and quasars from images with simulated spectra",
    configurations={"full": "spectral_gan_full.yaml"},
    mock="spectral_gan_mock.yaml",
    small="spectral_gan_small.yaml",
    measure=measure,
    published=SPECTRAL_GAN,
    sections=("classify",),
    stages=stages,
    experiment={
        "seeds": 5,
        "side": "test",
        "leave_out": [],
        "n_boot": 200,
        "neighbours": 16,
        "magnitudes": ["mag_u", "mag_g", "mag_r", "mag_i", "mag_z"],
    },
    encoders=(),
    space="supervised",
    tables=TABLES,
    then="astroclip-kit classify --model {root}/seed-0/gan/model --input NEW",
    about="All values are shares from 0 to 1, mean and standard deviation over the seeds; intervals are widened "
    "for the objects that the seeds share (Nadeau & Bengio 2003).",
    differences=(
        "beyond the four facts of the abstract (3700 pixels to 128 numbers, a GAN from the image, a classifier of "
        "both, no spectrum of a new object) all settings are the kit's own",
    ),
    citations=("Wang et al. 2023, PASP, doi 10.1088/1538-3873/acfbb9 (GAN-simulated spectral vectors)",),
)
