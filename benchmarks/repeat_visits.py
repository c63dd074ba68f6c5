"""Whether observations of one object find each other within a modality, before alignment and after.

    astroclip-kit run configs/lamost_photometry.yaml
    python benchmarks/repeat_visits.py runs/lamost_photometry
    python benchmarks/repeat_visits.py runs/lamost_photometry --across

Every held-out observation of an object that was observed more than once asks among the held-out observations of its
fold; right is any other observation of the object. With --across one modality asks for another, and right is the very
same observation alone, not another one of the same object.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from astroclip_kit.downstream.evaluation import retrieval_results
from astroclip_kit.downstream.space import Space
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.features import FeatureSet
from astroclip_kit.results import combine
from astroclip_kit.types import Result


def within(space: Space, seed: int) -> list[Result]:
    """Retrieval within each modality of a space, one at a time: unaligned ones share no dimensions."""
    found = []
    for name in space.names:
        alone = replace(space, vectors={name: _unit(space, name)}, together="")
        found += [replace(one, space=space.name) for one in retrieval_results(alone, n_boot=100, seed=seed)]
    return found


def across(space: Space, ids: np.ndarray, seed: int) -> list[Result]:
    """Retrieval from one modality to another; another visit is a wrong answer."""
    return list(retrieval_results(replace(space, groups=ids), n_boot=100, seed=seed))


def _unit(space: Space, name: str) -> np.ndarray:
    vectors = space.vectors[name]
    return vectors / (vectors**2).sum(axis=1, keepdims=True).clip(1e-12) ** 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a run with folds")
    parser.add_argument("--across", action="store_true", help="the same observation in another modality")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    folds = sorted(arguments.run.glob("fold-*/embeddings"))
    if not folds:
        raise SystemExit(f"{arguments.run}: no folds here. Run a configuration with folds first.")
    features, found = FeatureSet(arguments.run / "features"), []
    for folder in folds:
        store = EmbeddingStore(folder)
        spaces = Space.unaligned(features, store), Space.aligned(store)
        if arguments.across:
            found.append(across(spaces[1], store.object_ids, arguments.seed))
        else:
            found.append([one for space in spaces for one in within(space, arguments.seed)])
    print(f"{'modality':26}{'space':10}{'metric':12}{'mean +- std':18}{'95 %':18}{'chance':>8}{'n':>6}")
    for one in combine(found):
        if one.fold < 0:
            asked = f"{one.query} -> {one.target}"
            print(f"{asked:26}{one.space:10}{one.metric:12}{one.value:.3f} +- {one.std:.3f}    ", end="")
            print(f"{f'{one.low:.3f} to {one.high:.3f}':18}{one.chance:8.3f}{one.n:6d}")


if __name__ == "__main__":
    main()
