"""IICnet: galaxies, quasars and stars told apart by their infrared images, beside colours, spectra and other networks.

Each seed divides the objects anew and trains encoders of images, colours and spectra, each with a linear head, and
images with colours on their features. What the paper chose its settings by (input size, stem, bands) and the networks
that it compares with are trained alike among themselves, as long and on as many objects as the settings say.

Source: Zhao et al. 2023, RAA 23, 085010, arXiv:2305.10217.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from ..report.lists import bullets
from ..results import read_results
from ..types import Result
from .iicnet_costs import costs_stage
from .iicnet_figures import GROUPS, draw
from .iicnet_judging import UNSURE, sureness
from .iicnet_models import BANDS, BRIEF, MODELS, NETWORKS, SIZES, STATED, STEMS, TABLES
from .iicnet_stages import repetitions, stages
from .judged import Judged
from .paired import Paired
from .published_wise import ALL, FINDING, IICNET, RIGHT
from .published_wise import UNSURE as UNSURE_PUBLISHED
from .recipe import Measured, Recipe, Run, Stage
from .repetition import Repetition, not_as_published, tested_share, together

if TYPE_CHECKING:
    from .iicnet_stages import IICNetSeed

__all__ = ["RECIPE", "measure"]

SIZE_TASKS = tuple(f"size_{side}" for side in SIZES)
OTHERS = (BRIEF, *NETWORKS)
SURE = 0.05  # adjusted p, below which a difference is told
ONCE = (
    "Each row of the sweeps was trained once, on one seed: how much two trainings of the same network differ is not "
    "known, so their order is not resolved. The intervals in the tables are those of the objects alone."
)


def measure(run: Run) -> Measured:
    """Puts the repetitions together: numbers, paired differences, errors, figures, and what they say in words.

    Args:
        run: With the stages of all repetitions done.
    """
    several = repetitions(run)
    judged, share = [Judged(one.place("results")) for one in several], tested_share(several[0])
    results = together(several)
    results += sureness(judged, results[0], share)
    parts = {"What the published confusion matrix is of": f"<p>{escape(FINDING)}</p>"}
    parts |= _paired(several, results, share) if len(several) > 1 else {}
    parts["What the sweeps tell"] = _swept(results, several[0].settings.label)
    parts["Errors of IICnet"] = _errors(judged[0])
    costs = read_results(run.folders["costs"]) if "costs" in run.folders else []
    notes = [*not_as_published(several[0], MODELS), *_brief(several[0])]
    return Measured([*results, *costs], draw(several, judged, results), notes=notes, parts=parts)


def _stages(run: Run) -> Iterator[Stage]:
    """Those of all repetitions, and what the networks cost."""
    yield from stages(run)
    yield costs_stage(run)


def _paired(several: Sequence[Repetition], results: list[Result], share: float) -> dict[str, str]:
    """Heading to HTML of what holds; the differences are added to the results."""
    names = {name: model.name for name, model in MODELS.items()}
    own = [name for name, model in MODELS.items() if not model.brief]
    label = several[0].settings.label
    paired = Paired(results, label, share, names, "accuracy", "accuracy")
    parts = {"Which of the published statements hold": paired.stated(STATED)}
    for first, among in (("iicnet", own), (BRIEF, [name for name in MODELS if name not in own])):
        some = Paired(results, label, share, {name: names[name] for name in among}, "accuracy", "accuracy")
        if any(some.compares(first, name) for name in some.values if name != first):
            against = "colours, spectra and both" if first == "iicnet" else "other settings and networks"
            heading = f"IICnet on images against {against}"
            parts[heading], differences = some.against(first)
            results += differences
    return {heading: html for heading, html in parts.items() if html}


def _swept(results: Sequence[Result], label: str) -> str:
    """Which accuracies of the sweeps differ beyond their scatter from that of IICNet trained as they are, in words."""
    of = [one for one in results if (one.property, one.metric) == (label, "accuracy") and MODELS[one.task].brief]
    if len({one.task for one in of}) < 2:
        return ""
    seeds = max(one.fold + 1 for one in of)
    if seeds < 2:
        return f"<p>{ONCE}</p>"
    found = {(one.target, one.metric): one for one in results if (one.task, one.query) == ("paired", BRIEF)}
    lines = []
    for what, tasks in (("sizes", SIZE_TASKS), ("kernels of the stem", STEMS), ("bands", BANDS), ("networks", OTHERS)):
        others = [task for task in tasks if (task, "p_adjusted") in found]
        clear = [task for task in others if found[task, "p_adjusted"].value < SURE]
        told = [f"{MODELS[task].name} {-found[task, 'accuracy_difference'].value:+.3f}" for task in clear]
        if others:
            listed = f" ({'; '.join(told)})" if told else ""
            lines.append(f"{what}: {len(told)} of {len(others)}{listed}.")
    about = (
        f"Beyond the scatter of {seeds} seeds (adjusted p below {SURE:g}) differ in accuracy from {MODELS[BRIEF].name}"
    )
    return f"<p>{escape(about)}:</p>{bullets(lines)}" if lines else ""


def _errors(judged: Judged) -> str:
    """How many are wrong, and right without being sure, in words; of one seed, in which each object comes once."""
    p, count = judged.said["iicnet"], len(judged.codes)
    right = p.argmax(axis=1) == judged.codes
    unsure = right & (p.max(axis=1) < UNSURE)
    return bullets(
        [
            f"wrong: {int((~right).sum()):,} of the {count:,} held-out objects of the first seed, "
            f"{(~right).mean():.1%}; published {ALL - RIGHT} of {ALL:,}, {1 - RIGHT / ALL:.1%}.",
            f"right with a probability below {UNSURE:g}: {int(unsure.sum()):,}, {unsure.mean():.1%}; published "
            f"{UNSURE_PUBLISHED}, {UNSURE_PUBLISHED / ALL:.1%}. The probabilities are calibrated here, on the "
            "validation side; the published ones are those of the softmax.",
            f"the misclassified are shown below in {GROUPS} groups of alike images (k-means).",
        ]
    )


def _brief(first: IICNetSeed) -> Iterator[str]:
    """How the sweeps differ from what they are the sweeps of."""
    if first.is_whole:
        return
    objects, count = first.experiment["sweep_objects"], first.brief.epochs
    among = f"{objects:,} training objects" if objects else "all training objects"
    yield (
        f"sweeps and other networks are trained on {among} for {count} epoch{'s' * (count != 1)}, "
        f"in {first.experiment['sweep_seeds']} of {first.experiment['seeds']} seeds: compare them with each other alone"
    )


RECIPE = Recipe(
    name="iicnet",
    title="IICnet: galaxies, quasars and stars from WISE images",
    configurations={"full": "iicnet_full.yaml"},
    mock="iicnet_mock.yaml",
    small="iicnet_small.yaml",
    measure=measure,
    published=IICNET,
    sections=("classify",),
    stages=_stages,
    experiment={
        "seeds": 5,
        "side": "test",
        "leave_out": ["joint"],
        "n_boot": 200,
        "colour_epochs": 0,
        "spectrum_epochs": 0,
        "sweep_seeds": 5,
        "sweep_objects": 0,
        "sweep_epochs": 0,
        "speeds": True,
    },
    encoders=(),
    space="supervised",
    tables=TABLES,
    then="astroclip-kit classify --model {root}/seed-0/fused/model --input NEW",
    about="All values but those of the cost are shares from 0 to 1, mean and standard deviation over the seeds; "
    "intervals are widened for the objects that the seeds share (Nadeau & Bengio 2003). Precision, recall and F1 are "
    "means over the classes, or of the one that is named. The paper prints no scatter.",
    differences=(
        "objects are divided by a hash of their name: 80, 10 and 10 % on average, not exactly and not by class",
        "all numbers are of the test side (experiment.side=valid judges by the other); the published ones are of the "
        "side that the settings were chosen by",
        "the encoder of spectra and how the images are scaled are the kit's own: the paper does not describe them",
        "channels and other sizes that the paper does not print are chosen to fit the counts that it prints",
    ),
    citations=(
        "Zhao et al. 2023, RAA 23, 085010 (IICnet)",
        "Wright et al. 2010, AJ 140, 1868 (WISE)",
    ),
)
