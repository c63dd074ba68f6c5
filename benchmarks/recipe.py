"""What the settings change in which AstroCLIP's first version, the thesis and its public code differ.

    python benchmarks/recipe.py runs/astroclip

takes the dataset and the encoders of a run of `astroclip-kit reproduce astroclip`, encodes every view of every object
once, and trains the heads with one setting changed at a time, each with several seeds of the training; the split is
that of the run, in which the encoders were pretrained. Judged by the recipe's protocol; the answers of all seeds are
put together. A difference is that from the recipe itself, over the same objects (paired bootstrap over objects, 95 %).
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from astroclip_kit import metrics
from astroclip_kit.downstream import rank
from astroclip_kit.downstream.held_out import by_neighbours
from astroclip_kit.downstream.space import Space
from astroclip_kit.features import FeatureSet
from astroclip_kit.pipeline import align, embed, extract
from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.settings.evaluation import PROTOCOLS

AMONG = "split != 'train'"
K = 10
Answers = dict[str, tuple[np.ndarray, ...]]  # measurement to its arrays, one entry per query


class OneView(FeatureSet):
    """The features without the augmented views."""

    def views(self, name: str) -> int:
        return 1


def objective(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def changed(section: dict[str, Any]) -> dict[str, Any]:
        alignment = section["alignment"]
        return {**section, "alignment": replace(alignment, objective=replace(alignment.objective, **changes))}

    return changed


def decay(section: dict[str, Any]) -> dict[str, Any]:
    training = section["training"]
    return {**section, "training": replace(training, optimizer=replace(training.optimizer, weight_decay=0.2))}


def standardised(section: dict[str, Any]) -> dict[str, Any]:
    alignment = section["alignment"]
    return {**section, "alignment": replace(alignment, head=replace(alignment.head, standardise=True))}


VARIANTS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "the recipe": dict,
    "scale 2.74": objective(logit_scale=2.74),
    "learnable scale": objective(learnable_scale=True),
    "image asks only": objective(symmetric=False),
    "one view": dict,
    "L2 0.2": decay,
    "standardised features": standardised,
}


def answers(store: Any, properties: list[str]) -> Iterator[tuple[str, tuple[np.ndarray, ...]]]:
    """Object, truth and prediction, or object and rank, of every query of every measurement."""
    space = Space.aligned(store, AMONG)
    for wanted in properties:
        for one in by_neighbours(space, wanted, **PROTOCOLS["astroclip-k16"]):
            yield f"R2 {wanted}, {one.query} from {one.target}", (space.groups[one.rows], one.true, one.value)
    for query, target in (("image", "spectrum"), ("spectrum", "image")):
        asked, held = space.rows(query, held_out=True), space.rows(target, held_out=True)
        vectors, groups = space.vectors, space.groups
        found = rank(vectors[query][asked], vectors[target][held], groups[asked], groups[held])
        yield f"recall@{K} {query} to {target}", (groups[asked][found.queries], found.rank)


def number(*arrays: np.ndarray) -> float:
    return metrics.r2(*arrays) if len(arrays) == 2 else metrics.recall_at_k(arrays[0], K)


def compared(base: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> list[float]:
    """Value with interval, and difference from the recipe with interval."""
    groups, count = base[0], len(base) - 1

    def statistic(*drawn: np.ndarray) -> list[float]:
        one, two = number(*drawn[:count]), number(*drawn[count:])
        return [two, two - one]

    arrays = [*base[1:], *other[1:]]
    low, high = metrics.bootstrap(statistic, arrays, n_boot=1000, groups=groups)
    value, difference = statistic(*arrays)
    return [value, low[0], high[0], difference, low[1], high[1]]


def trained(root: Path, features: FeatureSet, section: Mapping[str, Any], name: str, seed: int) -> Any:
    """The space of one setting and seed; what is there already is not trained again."""
    folder = root / name.replace(" ", "-").replace(".", "") / str(seed)
    if not (folder / "space" / "manifest.json").exists():
        changed = VARIANTS[name](dict(section))
        align(features, folder / "model", **{**changed, "training": replace(changed["training"], seed=seed)})
        return embed(folder / "model", features, folder / "space")
    from astroclip_kit.embeddings import EmbeddingStore

    return EmbeddingStore(folder / "space")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of `reproduce astroclip`")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--properties", default="z,logmstar")
    parser.add_argument("--out", type=Path, default=Path("recipe"), help="folder for features and models")
    arguments = parser.parse_args()
    os.environ["TQDM_DISABLE"] = "1"
    sections = load_configuration(arguments.run / "config.yaml").sections
    features = extract(arguments.run / "data", **{**sections["extract"], "out": arguments.out / "features"})
    few = OneView(features.root)
    found: dict[str, list[Answers]] = {name: [] for name in VARIANTS}
    for seed in range(arguments.seeds):
        for name in VARIANTS:
            source = few if name == "one view" else features
            store = trained(arguments.out, source, sections["align"], name, seed)
            found[name].append(dict(answers(store, arguments.properties.split(","))))
            print(f"seed {seed}: {name}", file=sys.stderr, flush=True)
    together = {
        name: {what: tuple(map(np.concatenate, zip(*(one[what] for one in runs), strict=True))) for what in runs[0]}
        for name, runs in found.items()
    }
    writer = csv.writer(sys.stdout)
    writer.writerow(["setting", "measurement", "value", "low", "high", "difference", "low", "high", "n"])
    for name, measured in together.items():
        for what, arrays in measured.items():
            row = compared(together["the recipe"][what], arrays)
            writer.writerow([name, what, *(f"{value:.3f}" for value in row), len(arrays[0])])


if __name__ == "__main__":
    main()
