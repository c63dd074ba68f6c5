"""What is refused before an alignment starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import nn

from ..contracts import check_encoder
from ..data.seen import seen_before, split_told
from ..errors import InputError, UsageError
from ..settings import Alignment, Objective, Split
from ..types import reads_of
from .model import check_pairs

__all__ = ["check_inputs", "chosen_modalities", "seen_by_encoders"]


def chosen_modalities(data: Any, alignment: Alignment) -> tuple[list[str], list[tuple[str, str]]]:
    """The modalities and the pairs of them that are aligned.

    Args:
        data: A `FeatureSet` or `Dataset`.
        alignment: Which are wanted.

    Raises:
        UsageError: If one is unknown or there are fewer than two.
    """
    known = list(data.names if hasattr(data, "matrix") else data.modalities)
    if unknown := [name for name in alignment.modalities if name not in known]:
        raise UsageError(f"alignment.modalities: unknown modality {unknown[0]!r}. The data have: {', '.join(known)}.")
    pairs = check_pairs(alignment.pairs, alignment.modalities or known)
    paired = {name for pair in pairs for name in pair}
    names = list(alignment.modalities or [name for name in known if name in paired])
    if len(names) < 2:
        raise UsageError(f"a shared space needs at least two modalities, found {names or known}.")
    if alone := [name for name in names if name not in paired]:
        raise UsageError(f"alignment.pairs leave out the modality {alone[0]!r}. Pair it, or leave it out altogether.")
    return names, pairs


def check_inputs(
    data: Any,
    names: list[str],
    heads: Mapping[str, nn.Module],
    encoders: Mapping[str, nn.Module],
    alignment: Alignment,
) -> None:
    """Says which head, encoder or setting does not fit the data.

    Raises:
        UsageError: If a modality or a setting is unknown, or an encoder is missing or has no use.
        InputError: If features and head differ in width, or an encoder cannot encode its modality.
    """
    cached = hasattr(data, "matrix")
    _check_objective(alignment.objective, check_pairs(alignment.pairs, names))
    _check_settings(alignment)
    if cached and (encoders or alignment.trainable or alignment.augmentations):
        raise UsageError(
            "encoders, alignment.trainable and alignment.augmentations have no use on cached features. "
            "Pass the dataset to train encoders."
        )
    for name, encoder in encoders.items():
        if (reads := reads_of(name, encoder)) != name:
            raise UsageError(
                f"the encoder {name!r} reads {reads!r}: several encoders of one modality are aligned by features. "
                f"Extract them, and pass the features."
            )
    given: dict[str, Mapping[str, Any]] = {"heads": heads, "encoders": encoders}
    given |= {"alignment.trainable": alignment.trainable, "alignment.augmentations": alignment.augmentations}
    for argument, values in given.items():
        if unknown := sorted(set(values) - set(names)):
            raise UsageError(f"{argument}: unknown modality {unknown[0]!r}. Aligned are: {', '.join(names)}.")
    if not cached and (missing := [name for name in names if name not in encoders]):
        raise UsageError(f"modality {missing[0]!r} has no encoder. Pass one, or leave it out of alignment.modalities.")
    for name in heads if cached else ():
        found, width = data.out_features(name), getattr(heads[name], "in_features", None)
        if width is not None and width != found:
            raise InputError(f"the head of {name!r} takes {width} features, the feature set has {found}.")
    for name, encoder in encoders.items():
        check_encoder(encoder, data.modalities[name])


def seen_by_encoders(data: Any, names: list[str], split: Split) -> list[str]:
    """A note for each encoder of cached features that was trained on objects which are held out now.

    Args:
        data: A `FeatureSet`; of a `Dataset` there is none.
        names: The modalities that are aligned.
        split: Who is held out.
    """
    parts = data.manifest.get("modalities", {}) if hasattr(data, "matrix") else {}
    notes = []
    for name in names:
        if learned := parts.get(name, {}).get("learned"):
            earlier = Split(**learned["split"])
            count, held_out = seen_before(data, earlier, split)
            if count:
                notes.append(
                    f"the encoder of {name!r} was trained ({learned.get('method', 'unknown')}, "
                    f"{split_told(earlier, split)}) on the side of {count} of {held_out} objects that "
                    f"{split_told(split, earlier)} holds out: what is measured on them flatters it. Give "
                    f"the same split."
                )
    return notes


def _check_objective(objective: Objective, pairs: list[tuple[str, str]]) -> None:
    where, weights = "alignment.objective", objective.pair_weights
    if objective.loss not in ("infonce", "siglip"):
        raise UsageError(f"{where}.loss is {objective.loss!r}, expected 'infonce' or 'siglip'.")
    if objective.reduction not in ("mean", "sum", "published"):
        raise UsageError(f"{where}.reduction is {objective.reduction!r}, expected 'mean', 'sum' or 'published'.")
    if objective.reduction == "published" and objective.loss == "siglip":
        raise UsageError(f"{where}.reduction 'published' is of infonce, which has two directions. Use 'sum'.")
    if weights and len(weights) != len(pairs):
        listed = ", ".join(f"{a} and {b}" for a, b in pairs)
        raise UsageError(f"{where}.pair_weights has {len(weights)} numbers for {len(pairs)} pairs ({listed}).")
    if not all(0 < weight < np.inf for weight in weights):
        raise UsageError(
            f"{where}.pair_weights is {weights}, expected numbers above 0. List the pairs that count in "
            f"alignment.pairs, to leave one out."
        )


def _check_settings(alignment: Alignment) -> None:
    sampling = alignment.sampling
    if alignment.members < 1:
        raise UsageError(f"alignment.members is {alignment.members}, expected at least 1.")
    for name in ("feature_dropout", "modality_dropout"):
        if not 0 <= getattr(sampling, name) < 1:
            raise UsageError(f"alignment.sampling.{name} is {getattr(sampling, name)}, expected 0 to below 1.")
    if not 0 <= sampling.feature_noise < np.inf:
        raise UsageError(f"alignment.sampling.feature_noise is {sampling.feature_noise}, expected 0 or more.")
