"""AstroCLIP with frozen encoders: Stein's ResNet-50 and Spender, aligned by two small networks.

Judged among the objects that training did not see. Half of them are the memory of the nearest neighbours, the other
half asks: no object answers about itself, and none of those that ask had a part in the training, not even in its
schedule.

Sources: Parker et al. 2024, MNRAS 531, 4990; the thesis that freezes both encoders (its numbers: `published`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..downstream.answers import answer_differences
from ..downstream.clustering import Grouping
from ..errors import InputError
from ..types import Result
from .published import ASTROCLIP
from .recipe import Measured, Recipe, Run
from .structure import show_structure

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore

__all__ = ["RECIPE", "measure"]

ON_MAPS = Grouping("dbscan", radius=0.2, min_size=5)  # of the thesis, on maps by UMAP
ALSO = ("ssfr_astroclip",)  # published; in catalogues with AstroCLIP's own columns alone
CROP = 96  # pixels along a side that the published image encoder sees
IN_SPACE = Grouping("kmeans")  # as many as the silhouette says


def measure(run: Run) -> Measured:
    """Retrieval in four directions, properties by neighbours and probes, intervals, maps and clusters.

    The properties are those of the section "evaluate" and the published ones (`ALSO`); what no held-out object has is
    left out.

    Args:
        run: With a dataset, features, a model and embeddings; maps are written in its root.

    Raises:
        InputError: If nothing was held out.
    """
    from ..data import Dataset
    from ..downstream.evaluation import coverage_results, evaluate
    from ..downstream.space import Space
    from ..embeddings import EmbeddingStore
    from ..features import FeatureSet
    from ..report import evaluation_figures
    from ..storage import open_folder

    folders, evaluation = run.folders, run.sections["evaluate"]["settings"]
    store, dataset = EmbeddingStore(folders["embeddings"]), Dataset(folders["dataset"])
    model, features = open_folder(folders["model"], "model"), FeatureSet(folders["features"])
    asked = list(dict.fromkeys([*run.sections["evaluate"]["properties"], *ALSO]))
    names = _known(store, asked)
    absent = [f"{name}: known for no held-out object, so it is not run" for name in asked if name not in names]
    results = evaluate(store, names, features=features, settings=replace(evaluation, coverage=0.0))
    space = Space.of(store, evaluation.where)
    try:
        results += coverage_results(store, space, names, evaluation) if evaluation.coverage else []
    except InputError as error:
        absent.append(f"coverage of intervals: not run, {error}")
    drawn: dict[str, Any] = {"n_boot": evaluation.n_boot, "seed": evaluation.seed}
    results += [one for name in names for one in answer_differences(space, name, **drawn)]
    results += _sizes(folders["model"], model, store)
    figures = evaluation_figures(store, names, dataset=dataset, history=model["history"], settings=evaluation)
    held_out = store.select("split != 'train'", folders["root"] / "held-out")
    found = show_structure(
        held_out, dataset, folders["root"], names, on_maps=ON_MAPS, in_space=IN_SPACE, seed=evaluation.seed
    )
    return Measured([*results, *found.results], {**figures, **found.figures}, found.clusters, absent + found.notes)


def _known(store: EmbeddingStore, properties: Sequence[str]) -> list[str]:
    """Properties that objects on both halves have."""
    from ..downstream.properties import Property, known

    there = [name for name in properties if Property.parse(name).label in store.labels]
    sides = [store.split == side for side in ("valid", "test")]
    return [
        name for name in there if all(known(Property.parse(name).values(store.labels))[rows].any() for rows in sides)
    ]


def _sizes(folder: Path, model: Mapping[str, Any], store: EmbeddingStore) -> Iterator[Result]:
    """How many weights of each modality were trained, with how many objects (`n`)."""
    from safetensors import safe_open

    source = {name: store.manifest[name] for name in ("seed", "dataset", "origin")}
    with safe_open(folder / "weights.safetensors", "np") as weights:
        sizes = {name: math.prod(weights.get_slice(name).get_shape()) for name in weights.keys()}
    for name in store.names:
        count = sum(size for key, size in sizes.items() if f".heads.{name}." in f".{key}")
        yield Result(
            "model", name, name, "", "parameters", count, math.nan, math.nan, model["counts"]["train"], **source
        )


def departures(sections: Mapping[str, Mapping[str, Any]], encoder: Mapping[str, Any], side: int) -> Iterator[str]:
    """What is not as published in the spectrum head, the views and the cutouts, a line each.

    Args:
        sections: Verb to all of its arguments.
        encoder: What the image encoder is: class_path and init_args.
        side: Pixels along a side of the images, 0 where they have not been read yet.
    """
    if head := (sections["align"]["heads"] or {}).get("spectrum"):
        own = head.get("init_args") or {}
        if head.get("class_path", "").endswith(".ProjectionHead"):
            yield (
                f"spectrum head: {own.get('activation', 'gelu')} between its layers and a dropout of "
                f"{own.get('dropout', 0.0)}, where the thesis's public code has PReLU and 0.1"
            )
    else:
        yield (
            "spectrum head: a network takes one vector per spectrum (of SpecFormer, the mean of its tokens), where the "
            "first version attended over all tokens"
        )
    views = sections["extract"]["views"] if sections["extract"]["augmentations"] else 1
    kept = f"one of {views} that are kept is drawn" if views > 1 else "the same, as it was observed, is taken"
    yield f"image views: {kept} at each epoch, not a new one at each step"
    crop = min(_crop(encoder) or math.inf, side or math.inf)
    if crop == side or crop == math.inf:
        if side != CROP:
            yield f"cutouts{f' of {side} pixels' if side else ''} are encoded whole, not cropped to {CROP}"
    elif crop != CROP:
        yield f"cutouts are cropped to {crop} pixels, not to {CROP}"


def _crop(encoder: Mapping[str, Any]) -> int:
    """Pixels along the side that an image encoder keeps; 0 for all."""
    arguments = encoder.get("init_args") or {}
    if preprocess := arguments.get("preprocess"):
        parts = (preprocess.get("init_args") or {}).get("steps") or [preprocess]
        return next(
            (int(one["init_args"]["size"]) for one in parts if one.get("class_path", "").endswith(".CenterCrop")), 0
        )
    return int(arguments.get("crop", CROP)) if encoder.get("class_path", "").endswith(".MocoResNet50") else 0


RECIPE = Recipe(
    name="astroclip",
    title="AstroCLIP with frozen encoders",
    configurations={"thesis": "astroclip_thesis.yaml", "v1": "astroclip_v1.yaml"},
    mock="astroclip_mock.yaml",
    small="astroclip_small.yaml",
    measure=measure,
    published=ASTROCLIP,
    more=(
        ("regression", "r2"),
        ("probe_linear", "r2"),
        ("probe_mlp", "r2"),
        ("coverage", "coverage@0.9"),
        ("retrieval", "recall@1"),
        ("retrieval", "recall@10"),
        ("answers", "difference@10"),
    ),
    about="The memory of the nearest neighbours, and of probes and intervals, is one half of the objects that were not "
    "trained on; it also tells when the learning rate falls and which epoch is kept. The other half asks, and had no "
    "part in anything; recall and the differences of answers are among it.",
    departures=departures,
    labels={"log_mstar": "logmstar"},  # as PROVABGS and as the mock call it
    citations=(
        "Stein et al. 2021, arXiv:2110.13151 (image encoder)",
        "Melchior et al. 2023, AJ 166, 74 (Spender, spectrum encoder)",
        "Hahn et al. 2023, ApJ 945, 16 (PROVABGS, stellar masses)",
    ),
)
