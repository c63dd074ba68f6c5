"""What each modality tells: one classifier, asked with every subset of its modalities."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..errors import InputError, UsageError
from ..settings import Hardware
from ..types import Result
from .classifier import Classifier
from .fusion_training import views_of
from .inference import Rows, logits_of
from .judgement import judge
from .temperature import probabilities

__all__ = ["SUBSETS", "subset_logits", "subset_table", "subsets"]

SUBSETS = "modalities"  # the task of the results
KEPT = ("accuracy", "balanced_accuracy", "macro_f1", "recall")


def subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    """All subsets that are not empty, the smallest first.

    Example:
        >>> subsets(["lightcurve", "spectrum"])
        [('lightcurve',), ('spectrum',), ('lightcurve', 'spectrum')]
    """
    return [some for size in range(1, len(names) + 1) for some in combinations(names, size)]


def subset_table(
    classifier: Classifier,
    dataset: Any,
    rows: Rows,
    codes: npt.NDArray[np.int64],
    *,
    n_boot: int = 1000,
    seed: int = 0,
    hardware: Hardware = Hardware(),
) -> list[Result]:
    """How often a classifier is right when objects are shown to it with some of their modalities alone.

    All subsets are judged on the same objects: those whose class is known and that have every modality. Each object is
    encoded once.

    Args:
        classifier: One that copes with objects that lack modalities, such as a fine-tuned one.
        dataset: A `Dataset`.
        rows: n row numbers, of objects that it has not learned from.
        codes: Number of the class of each of these [n], -1 where unknown.
        n_boot: Resamples of the 95 % intervals.
        seed: Of the run, and of the resampling.
        hardware: Where, and at which precision.

    Returns:
        Of each subset ("lightcurve+spectrum" as query) "accuracy", "balanced_accuracy" and "macro_f1", with the label
        as property, and the "recall" of each class, with property "label:class"; task "modalities".

    Raises:
        UsageError: If the classifier needs all of its modalities.
        InputError: If no object has all of them, and a class.
    """
    if not classifier.partial:
        raise UsageError(
            f"{type(classifier.fusion).__name__} needs all of its modalities: there are no subsets to ask."
        )
    present = np.all([np.asarray(dataset.present(name))[rows] for name in classifier.modalities], axis=0)
    chosen = present & (codes >= 0)
    if not chosen.any():
        wanted = " and ".join(classifier.modalities)
        raise InputError(f"none of the {len(rows):,} objects has {wanted} and a class: subsets cannot be compared.")
    judged, names = rows[chosen], np.asarray(classifier.classes)
    manifest = dataset.manifest
    about: dict[str, Any] = {"label": classifier.label, "groups": np.asarray(dataset.groups)[judged], "n_boot": n_boot}
    about |= {"seed": seed, "dataset": manifest["name"], "origin": manifest["origin"], "task": SUBSETS}
    results = []
    for some, logits in subset_logits(classifier, dataset, judged, hardware=hardware).items():
        p = probabilities(logits)
        found = judge(names[codes[chosen]], p, classifier.classes, query="+".join(some), **about)
        results += [one for one in found if one.metric in KEPT]
    return results


def subset_logits(
    classifier: Classifier, dataset: Any, rows: Rows, *, hardware: Hardware = Hardware()
) -> dict[tuple[str, ...], npt.NDArray[np.float32]]:
    """Logits float32 [n, C] of some objects, by what of them the classifier was shown.

    Args:
        classifier: One that copes with objects that lack modalities.
        dataset: A `Dataset`.
        rows: n row numbers, each of which has all modalities.
        hardware: Where, and at which precision.
    """
    read, ask = partial(views_of, dataset, classifier.modalities), partial(_of_subsets, classifier)
    logits = logits_of(classifier, read, rows, hardware=hardware, ask=ask)
    return dict(zip(subsets(classifier.modalities), np.moveaxis(logits, 1, 0), strict=True))


def _of_subsets(classifier: Classifier, views: dict[str, Tensor]) -> Tensor:
    """Logits [B, S, C] of a batch by what is shown of it; what encoders read twice comes and goes together."""
    present = classifier.present(views)
    tokens = classifier.tokens(views, present)
    found = []
    for some in subsets(classifier.modalities):
        shown = [name for name, read in classifier.reads.items() if read in some and name in tokens]
        kept = ({name: given[name] for name in shown} for given in (tokens, present))
        found.append(classifier.fusion(*kept) / classifier.temperature)
    return torch.stack(found, dim=1)
