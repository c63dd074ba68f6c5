"""How much of a mock galaxy's redshift its image gives away to a network that is trained on just that.

The mock must not be easier than the sky: R2 of a supervised network on the image alone stays below 0.9.

    python benchmarks/mock_difficulty.py --seeds 0 1 2 3 4
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import mse_loss

import astroclip_kit as ak
from astroclip_kit.data import divide
from astroclip_kit.metrics import bootstrap, r2
from astroclip_kit.settings import Hardware, Optimizer, Schedule
from astroclip_kit.storage import hash_ids
from astroclip_kit.training import fit
from astroclip_kit.transforms import RandomFlipRotate
from astroclip_kit.transforms.randomness import object_seeds


class Labelled:
    """Images flipped and turned anew in every epoch, with their redshifts in units of the training spread."""

    def __init__(self, data: ak.Dataset, rows: np.ndarray, z: np.ndarray, seed: int) -> None:
        self.images = torch.from_numpy(np.array(data.views("image", rows)))
        self.z, self.seed = torch.from_numpy(z.astype(np.float32)), seed
        self.hashes, self.augment = hash_ids(data.object_ids[rows]), RandomFlipRotate()

    def __len__(self) -> int:
        return len(self.z)

    def batch(self, rows: np.ndarray, epoch: int) -> tuple[torch.Tensor, torch.Tensor]:
        seeds = object_seeds(self.seed, epoch, self.hashes[rows])
        return self.augment(self.images[rows], seeds), self.z[rows]


class Regressor(nn.Module):
    """The quickstart's image encoder under one linear layer."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.last = encoder, nn.Linear(encoder.out_features, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.encoder(self.encoder.preprocess(x)))[:, 0]


def loss(model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    return mse_loss(model(batch[0]).float(), batch[1])


def measure(folder: Path, count: int, seed: int) -> tuple[float, float, float, int]:
    """R2 with its 95 % interval, and the number of held-out galaxies."""
    ak.simulate("galaxies", folder / "survey", count=count, seed=seed)
    catalogue = folder / "survey" / "catalogue.fits"
    data = ak.ingest(folder / "data", images=folder / "survey" / "cutouts", catalogue=catalogue, labels="z")
    sides = divide(data, ak.Split(valid=0.0, seed=seed))
    train, test = np.flatnonzero(sides == "train"), np.flatnonzero(sides == "test")
    z = data.labels["z"]
    mean, spread = z[train].mean(), z[train].std()
    torch.manual_seed(seed)
    model = Regressor(ak.ImageConvNet.for_modality(data.modalities["image"]))
    optimizer, schedule = Optimizer(learning_rate=2e-3, weight_decay=0.05), Schedule(warmup_steps=20)
    settings = ak.Training(40, 256, optimizer=optimizer, schedule=schedule, hardware=Hardware(threads=1), seed=seed)
    fit(model, Labelled(data, train, (z[train] - mean) / spread, seed), loss, settings, folder / "training")
    with torch.no_grad():
        predicted = model(torch.from_numpy(np.array(data.views("image", test)))).numpy() * spread + mean
    low, high = bootstrap(r2, [z[test], predicted], seed=seed)
    return r2(z[test], predicted), float(low), float(high), len(test)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--count", type=int, default=3000)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"redshift R2 of a supervised network on images alone, mock, {given.count} galaxies, load {load:.1f}")
    for seed in given.seeds:
        with tempfile.TemporaryDirectory() as folder:
            value, low, high, n = measure(Path(folder), given.count, seed)
        print(f"seed {seed}: {value:.3f} ({low:.3f} to {high:.3f}), n = {n}")


if __name__ == "__main__":
    main()
