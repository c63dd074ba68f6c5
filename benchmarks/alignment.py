"""Alignment at the size of AstroCLIP: heads on cached features, against the public way and the machine itself.

Random but structured features of ``--pairs`` galaxies, 2048 of each image and 256 of each spectrum, are written once by
`extract` as a features folder in float16; `align` trains the heads of AstroCLIP on it (2048-2048-128 and
256-256-256-256-128, batches of 512, Adam). In the same run and with the same threads:

* the public way, which encodes every object again in each step, in float32: ResNet-50 on 96 x 96 pixels and Spender on
  7,781 pixels, for a few steps, by the same `align` on raw views that are in memory;
* the products of bfloat16 matrices of 2048 x 2048 that the machine does, and those of the shape of the widest layer.
  The operations of a step are counted by torch's `FlopCounterMode` in one forward and backward pass of model and loss:
  two for each multiplication and addition in a matrix product, nothing else.

    python benchmarks/alignment.py [--pairs 20000] [--epochs 3] [--batch-size 512] [--public-steps 2] [--folder DIR]
    python benchmarks/alignment.py --pairs 197976 --epochs 80
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import astroclip_kit as ak
from astroclip_kit.alignment import ContrastiveModel, MocoHead, ProjectionHead
from astroclip_kit.encoders import MocoResNet50, SpenderEncoder
from astroclip_kit.losses import InfoNCE
from astroclip_kit.settings import Alignment, Hardware, Optimizer, Schedule, Split, Training
from astroclip_kit.training import resolve_hardware
from astroclip_kit.types import Batch, Modality

WIDTHS = {"image": 2048, "spectrum": 256}
LATENT = 64  # half of it shared by the modalities of an object
WAVELENGTH = np.linspace(3600.0, 9824.0, 7781)


class Galaxies:
    """Objects made in memory, as `extract` and `align` read them."""

    def __init__(self, views: dict[str, np.ndarray], modalities: dict[str, Modality]) -> None:
        self.arrays, self.modalities = views, modalities
        count = len(next(iter(views.values())))
        self.object_ids = self.groups = np.array([f"{number:07d}" for number in range(count)])
        self.ra, self.dec = np.linspace(0, 360, count, endpoint=False), np.zeros(count)
        self.labels: dict[str, Any] = {}
        self.manifest = {"name": "alignment benchmark", "origin": "mock"}

    def __len__(self) -> int:
        return len(self.object_ids)

    def present(self, name: str) -> np.ndarray:
        return np.ones(len(self), dtype=bool)

    def data_hash(self, name: str) -> str:
        return f"{name} of {len(self)}"

    def views(self, name: str, rows: np.ndarray) -> np.ndarray:
        return self.arrays[name][rows]

    def batch(self, rows: np.ndarray) -> Batch:
        views = {name: torch.from_numpy(array[rows]) for name, array in self.arrays.items()}
        ids = self.object_ids[rows].tolist()
        return Batch(ids, ids, views, {name: torch.arange(len(rows)) for name in views})


class RandomFeatures(nn.Module):
    """Features [B, out_features] of latent vectors [B, 64]: a random layer, as of an encoder not below zero."""

    def __init__(self, out_features: int) -> None:
        super().__init__()
        self.out_features, self.layer = out_features, nn.Linear(LATENT, out_features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x).relu()


def make_features(folder: Path, pairs: int) -> ak.FeatureSet:
    rng = np.random.default_rng(0)
    shared, names = rng.normal(size=(pairs, LATENT // 2)), tuple(f"z{number}" for number in range(LATENT))
    latents = {name: np.hstack([shared, rng.normal(size=shared.shape)]).astype(np.float32) for name in WIDTHS}
    data = Galaxies(latents, {name: Modality(name, "table", names, (LATENT,)) for name in WIDTHS})
    encoders = {name: RandomFeatures(width) for name, width in WIDTHS.items()}
    return ak.extract(data, encoders, folder, batch_size=4096, hardware=Hardware("cpu", "float32"))


def raw_galaxies(count: int) -> Galaxies:
    rng = np.random.default_rng(0)
    spectra = np.stack([rng.normal(3, 1, (count, 7781)), np.ones((count, 7781))], axis=1).astype(np.float32)
    views = {"image": rng.normal(size=(count, 3, 96, 96)).astype(np.float32), "spectrum": spectra}
    image = Modality("image", "image", ("g", "r", "z"), (3, 96, 96), "nmgy", (0.262,))
    spectrum = Modality("spectrum", "spectrum", ("flux", "ivar"), (2, 7781), grid=tuple(WAVELENGTH.tolist()))
    return Galaxies(views, {"image": image, "spectrum": spectrum})


def make_heads() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {"image": MocoHead(), "spectrum": ProjectionHead(256, 128, (256, 256, 256), "relu")}


def training(options: argparse.Namespace, epochs: int, precision: str = "auto", valid: bool = False) -> Training:
    return Training(
        epochs=epochs,
        batch_size=options.batch_size,
        optimizer=Optimizer("adam", 5e-4, 0.0, 0.0),
        schedule=Schedule("plateau" if valid else "constant"),
        hardware=Hardware("cpu", precision),
    )


def operations(count: int) -> int:
    """Of one step with `count` objects: forward and backward pass of heads and loss."""
    model = ContrastiveModel(make_heads())
    batch = Batch([], [], {name: torch.randn(count, width) for name, width in WIDTHS.items()}, {})
    with FlopCounterMode(display=False) as counter:
        z = model(batch)
        InfoNCE()(z["image"], z["spectrum"], 15.5).backward()
    return int(counter.get_total_flops())


def matmul_rate(rows: int, precision: str, seconds: float = 2.0) -> float:
    """Operations per second of products of [rows, 2048] with [2048, 2048], kept up for some seconds.

    Not of the best product: on a busy machine a single one may have the core for itself, a training never has.
    """
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    a, b, out = (torch.randn(shape, 2048).to(dtype) for shape in (rows, 2048, rows))
    torch.mm(a, b, out=out)
    start, count = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - start) < seconds:
        torch.mm(a, b, out=out)
        count += 1
    return count * 2 * rows * 2048 * 2048 / elapsed


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return call(), time.perf_counter() - start


def seconds_per_step(history: Sequence[dict[str, float]]) -> float:
    """Of the fastest epoch."""
    return min(row["seconds"] for row in history) / history[0]["step"]


def load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--public-steps", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where the features are kept; by default a temporary folder")
    options = parser.parse_args()
    precision = resolve_hardware(Hardware("cpu"))[1]
    print(f"{options.pairs} pairs, batches of {options.batch_size}, {precision}, {torch.get_num_threads()} threads")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        features = make_features(options.folder or folder / "features", options.pairs)
        whole(options, features, folder)
        against(options, features, folder, precision)


def whole(options: argparse.Namespace, features: ak.FeatureSet, folder: Path) -> None:
    """The whole training, validated after each epoch on a tenth of the pairs."""
    before = load()
    model, seconds = timed(
        lambda: ak.align(
            features,
            folder / "model",
            heads=make_heads(),
            training=training(options, options.epochs, valid=True),
            split=Split(test=0.0, valid=0.1),
        )
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    last, weights = model.history[-1], sum(weight.numel() for weight in model.heads.parameters())
    print(f"{weights:,} weights, {options.epochs} epochs: {seconds / 60:.1f} minutes with validation, ", end="")
    print(f"peak memory {peak:.2f} GB with the mapped features, {before} before, {load()} after")
    print(f"validation: loss {last['val_loss']:.3f}, recall@10 {last['val_recall@10']:.3f}")


def against(options: argparse.Namespace, features: ak.FeatureSet, folder: Path, precision: str) -> None:
    """A step on cached features, the same step with the encoders, and the products alone."""
    split, raw = Split(test=0.0, valid=0.0), raw_galaxies(options.batch_size * options.public_steps)
    encoders = {
        "image": MocoResNet50.for_modality(raw.modalities["image"]),
        "spectrum": SpenderEncoder.for_modality(raw.modalities["spectrum"]),
    }
    cached, rates = [], {2048: 0.0, options.batch_size: 0.0}

    def train_cached(number: int) -> None:
        for rows in rates:
            rates[rows] = max(rates[rows], matmul_rate(rows, precision))
        model = ak.align(features, folder / f"cached-{number}", heads=make_heads(), training=two, split=split)
        cached.append(seconds_per_step(model.history))

    two = training(options, 2)
    train_cached(0)
    again = ak.align(
        raw,
        folder / "again",
        heads=make_heads(),
        encoders=encoders,
        alignment=Alignment(),
        training=training(options, 2, "float32"),
        split=split,
    )
    train_cached(1)
    step, public = min(cached), seconds_per_step(again.history)
    count = len(features) / np.ceil(len(features) / options.batch_size)
    work = operations(round(count))
    print(f"{load()}\n{'':34}{'ms/step':>10}{'pairs/s':>10}{'ratio':>9}")
    for name, value in (("cached features", step), ("encoders again, float32", public)):
        print(f"{name:34}{1e3 * value:10.1f}{count / value:10.0f}{value / step:9.1f}")
    print(f"{work / 1e9:.2f} billion operations a step: {work / step / 1e12:.2f} Tflop/s", end="")
    for rows, rate in rates.items():
        print(f", {work / step / rate:.0%} of the {rate / 1e12:.2f} of [{rows}, 2048] x [2048, 2048]", end="")
    print()


if __name__ == "__main__":
    main()
