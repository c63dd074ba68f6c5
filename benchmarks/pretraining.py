"""Each pretraining against the same architecture with random weights: k-NN R2 of redshift and of stellar mass.

    python benchmarks/pretraining.py runs/pretraining [--methods moco] [--data DATASET] [--query valid]

A mock of 6,000 galaxies is made in the folder unless a dataset is given. An encoder is pretrained on the images or
spectra of its training side, without labels (but the decoder of the autoencoder is told their redshifts); it and fresh
copies of the same architecture then encode all objects. The memory of the k-NN (k = 16, distance weights, cosine) is
the training side; the queries are the held-out side, which nothing has seen and on which no setting was chosen.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import astroclip_kit as ak
from astroclip_kit import metrics
from astroclip_kit.data import splits
from astroclip_kit.downstream import knn
from astroclip_kit.encoders import SpenderEncoder
from astroclip_kit.models import build, describe
from astroclip_kit.pipeline import simulate
from astroclip_kit.pretraining import pretrain_autoencoder, pretrain_masked_spectra, pretrain_moco
from astroclip_kit.settings import Autoencoder, Hardware, MaskedSpectra, MoCo, Optimizer, Schedule, Split, Training

PROPERTIES = ("z", "logmstar")
SPLIT = Split()
ONE_CORE = Hardware(threads=1)


@dataclass(frozen=True)
class Method:
    """One pretraining as it is measured."""

    function: Callable[..., torch.nn.Module]
    modality: str
    settings: Any
    training: Training
    encoder: Callable[[], torch.nn.Module | None] = lambda: None


def all_pixels() -> torch.nn.Module:
    torch.manual_seed(0)
    return SpenderEncoder()


def training(epochs: int, rate: float, decay: float, batch_size: int = 256) -> Training:
    return Training(epochs, batch_size, 1, 0, Optimizer("adamw", rate, decay), Schedule(warmup_steps=20), ONE_CORE)


METHODS = {
    "moco": Method(pretrain_moco, "image", MoCo(momentum=0.99), training(18, 1e-3, 1e-4)),
    "autoencoder": Method(pretrain_autoencoder, "spectrum", Autoencoder(), training(2, 1e-3, 1e-2, 64), all_pixels),
    "autoencoder, joined": Method(pretrain_autoencoder, "spectrum", Autoencoder(), training(12, 1e-3, 1e-2, 64)),
    "autoencoder, latent": Method(
        pretrain_autoencoder, "spectrum", Autoencoder(features="latent"), training(12, 1e-3, 1e-2, 64)
    ),
    "masked": Method(pretrain_masked_spectra, "spectrum", MaskedSpectra(), training(15, 1e-3, 0.1, 64)),
}


def mock(folder: Path, count: int) -> ak.Dataset:
    survey = folder / "survey"
    if not survey.exists():
        simulate(out=survey, count=count, seed=7)
    files = {"images": survey / "cutouts", "spectra": survey / "spectra", "catalogue": survey / "catalogue.fits"}
    return ak.ingest(folder / "data", **{name: str(path) for name, path in files.items()}, labels=list(PROPERTIES))


def fresh(encoder: torch.nn.Module, seed: int) -> torch.nn.Module:
    """The same architecture with random weights."""
    torch.manual_seed(seed)
    built: torch.nn.Module = build(describe(encoder), trusted=True)
    return built


def scores(data: ak.Dataset, features: Any, modality: str, query: str) -> Iterator[tuple[float, float, float, int]]:
    """R2 of each property with its interval and number of queries."""
    h, sides = np.asarray(features.matrix(modality)), splits.divide(data, SPLIT)
    memory, asked = sides == "train", sides == query
    for name in PROPERTIES:
        true = data.labels[name]
        rows = asked & np.isfinite(true)
        given = knn.predict(h[memory], true[memory], h[rows], k=16, weights="distance").value
        low, high = metrics.bootstrap(metrics.r2, [true[rows], given], seed=0)
        yield metrics.r2(true[rows], given), low, high, int(rows.sum())


def measure(data: ak.Dataset, folder: Path, name: str, query: str, epochs: int, seeds: int) -> None:
    method = METHODS[name]
    epochs = epochs or method.training.epochs
    here = folder / name.replace(", ", "-").lower()
    wall, processor = time.perf_counter(), time.process_time()
    encoder = method.function(
        data,
        here / "encoder",
        modality=method.modality,
        encoder=method.encoder(),
        settings=method.settings,
        training=replace(method.training, epochs=epochs),
        split=SPLIT,
    )
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    weights = sum(weight.numel() for weight in encoder.parameters())
    print(f"\n{name}: {type(encoder).__name__}, {weights:,} weights, {epochs} epochs, ", end="")
    print(f"{processor / 60:.1f} min of processor time, {wall / 60:.1f} min, load {os.getloadavg()[0]:.1f}")
    contestants = {
        "pretrained": encoder,
        **{f"random weights, seed {one}": fresh(encoder, one) for one in range(seeds)},
    }
    best, lowest = [-np.inf] * 2, [np.inf] * 2
    for label, one in contestants.items():
        features = ak.extract(data, {method.modality: one}, here / label.replace(" ", "-").replace(",", ""))
        found = list(scores(data, features, method.modality, query))
        cells = "".join(f"   {value:.3f} ({low:.3f} to {high:.3f})" for value, low, high, _ in found)
        print(f"{label:24}{cells}   n = {found[0][3]}", flush=True)
        if one is encoder:
            lowest = [low for _, low, _, _ in found]
        else:
            best = [max(old, high) for old, (_, _, high, _) in zip(best, found, strict=True)]
    for label, low, high in zip(PROPERTIES, lowest, best, strict=True):
        print(f"  {label}: intervals {'apart' if low > high else 'OVERLAP'} ({low:.3f} against {high:.3f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where mock, encoders and features are written")
    parser.add_argument("--data", type=Path, help="dataset folder; a mock is made without")
    parser.add_argument("--count", type=int, default=6000, help="galaxies of the mock")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--query", choices=("valid", "test"), default="test", help="whose properties are predicted")
    parser.add_argument("--epochs", type=int, default=0, help="other than those that the method was given here")
    parser.add_argument("--random-seeds", type=int, default=3, help="copies with random weights")
    options = parser.parse_args()
    data = ak.Dataset(options.data) if options.data else mock(options.folder, options.count)
    about = f"{len(data)} galaxies, {data.manifest['origin']}, split seed {SPLIT.seed}"
    print(f"{about}; R2 of {' and of '.join(PROPERTIES)} by k-NN (k = 16) on the {options.query} side")
    for name in options.methods:
        measure(data, options.folder, name, options.query, options.epochs, options.random_seeds)


if __name__ == "__main__":
    main()
