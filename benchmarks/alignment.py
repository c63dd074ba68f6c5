"""Alignment: a training step on cached features, against the same step with the frozen encoders run again.

Both train the same heads by `align` on the same objects: once from a features folder, once from the dataset with
the encoders frozen. The plain way pays for the encoders in every epoch; the cache pays once, in `extract`.

    python benchmarks/alignment.py [--objects 512] [--epochs 5] [--batch-size 128] [--backbone resnet18]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import astroclip_kit as ak
from astroclip_kit.encoders import ImageBackbone, SpectrumConvNet

WAVELENGTH = np.linspace(3600.0, 9800.0, 4000)


def make_dataset(folder: Path, count: int) -> ak.Dataset:
    rng, files = np.random.default_rng(0), {name: folder / name for name in ("image", "spectrum")}
    for path in files.values():
        path.mkdir()
    for number in range(count):
        np.save(files["image"] / f"{number:05d}.npy", rng.normal(size=(3, 96, 96)).astype(np.float32))
        spectrum = np.stack([rng.normal(3, 1, len(WAVELENGTH)), np.ones(len(WAVELENGTH))])
        np.save(files["spectrum"] / f"{number:05d}.npy", spectrum.astype(np.float32))
    spectra = ak.reader(np.load, files["spectrum"] / "*.npy", grid=WAVELENGTH)
    return ak.ingest(folder / "data", images=ak.reader(np.load, files["image"] / "*.npy"), spectra=spectra)


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return call(), time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--objects", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--backbone", default="resnet18")
    options = parser.parse_args()
    torch.manual_seed(0)
    train = {
        "training": ak.Training(epochs=options.epochs, batch_size=options.batch_size),
        "split": ak.Split(valid=0.0),
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = make_dataset(folder, options.objects)
        spectrum = SpectrumConvNet.for_modality(data.modalities["spectrum"])
        encoders = {"image": ImageBackbone(options.backbone, in_channels=3), "spectrum": spectrum}
        features, extraction = timed(lambda: ak.extract(data, encoders, folder / "features"))
        cached, _ = timed(lambda: ak.align(features, folder / "cached", **train))
        again, _ = timed(lambda: ak.align(data, folder / "again", encoders=encoders, **train))
        histories = {"cached features": cached.history, "encoders run again": again.history}

    steps = histories["cached features"][0]["step"]  # of one epoch; the best epoch counts
    per_step = {name: min(history.column("seconds")) / steps for name, history in histories.items()}
    print(f"{options.objects} objects, {options.backbone} and SpectrumConvNet, {options.epochs} epochs of ", end="")
    print(f"{steps:.0f} steps of ", end="")
    print(f"{options.batch_size}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    print(f"{'':22}{'ms/step':>10}{'ratio':>9}")
    for name, value in per_step.items():
        print(f"{name:22}{1e3 * value:10.1f}{value / per_step['cached features']:9.1f}")
    saved = (per_step["encoders run again"] - per_step["cached features"]) * steps
    print(f"extract took {extraction:.1f} s, once: it pays from epoch {np.ceil(extraction / saved):.0f} on")
    first, other = (history.column("loss")[0] for history in histories.values())
    assert abs(first - other) < 0.1, f"the two trainings differ: {first:.3f} and {other:.3f}"


if __name__ == "__main__":
    main()
