"""How hard the mock infrared images are: classes by colours, by magnitudes and by a small network on images.

    OMP_NUM_THREADS=1 python benchmarks/wise_difficulty.py [--count 4000] [--epochs 16] [--seed 0] [--figure cc.png]

Four fifths train, the rest is judged; of the accuracy sqrt(p (1 - p) / n) is uncertain.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from astropy.table import Table
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import nn

from astroclip_kit.mock import simulate_wise
from astroclip_kit.settings import Observing
from astroclip_kit.surveys import LegacySurveyCutouts

CLASSES = ("galaxy", "qso", "star")
COLOURS = ("w1_w2", "w2_w3")
MEASURED = (*(f"w{band}{kind}" for kind in ("mpro", "snr") for band in (1, 2, 3)), *COLOURS)
SIZE = 36


def images_of(folder: Path) -> torch.Tensor:
    """Cutouts [N, 3, 36, 36] in units of the noise, arcsinh."""
    reader = LegacySurveyCutouts(folder / "cutouts", bands=("w1", "w2", "w3"), size=SIZE)
    by_id = {one.object_id: one.views["image"] for path in reader.files() for one in reader.read(path)}
    ids = [str(name) for name in Table.read(folder / "catalogue.fits")["object_id"]]
    images = np.stack([by_id[name] for name in ids])
    images -= np.median(images, axis=(2, 3), keepdims=True)
    noise = 1.4826 * np.median(np.abs(images), axis=(0, 2, 3))
    return torch.from_numpy(np.arcsinh(images / (2 * noise[:, None, None])))


def block(before: int, after: int) -> nn.Sequential:
    """A convolution at half the size."""
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2))


def by_network(images: torch.Tensor, codes: torch.Tensor, train: int, epochs: int, seed: int) -> Any:
    """Classes of the objects after the first `train`, by a network of three convolutions."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = nn.Sequential(block(3, 16), block(16, 32), block(32, 64), nn.Flatten(), nn.Dropout(0.3), nn.Linear(1024, 3))
    optimizer = torch.optim.Adam(net.parameters(), weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=epochs * (train // 64))
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(train), train // 64):
            x = torch.rot90(images[rows], int(rng.integers(4)), (2, 3))
            loss = nn.functional.cross_entropy(net(x.flip(3) if rng.random() < 0.5 else x), codes[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    with torch.no_grad():
        return net.eval()(images[train:]).argmax(1).numpy()


def figure(table: Table, path: str) -> None:
    """Colour against colour of the classes: true, and measured."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 5), sharex=True, sharey=True)
    pairs = [(table["w2"] - table["w3"], table["w1"] - table["w2"]), (table["w2_w3"], table["w1_w2"])]
    for ax, (x, y), title in zip(axes, pairs, ("true", "measured, where detected"), strict=True):
        for name in CLASSES:
            rows = table["class"] == name
            ax.plot(x[rows], y[rows], ".", markersize=2, label=name)
        ax.set(xlim=(-1, 6), ylim=(-0.8, 2.2), xlabel="W2 - W3", title=title)
    axes[0].set_ylabel("W1 - W2")
    axes[0].legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Prints accuracies, the confusion matrix of the network, and objects per second."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("count", 4000), ("epochs", 16), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--figure", default="")
    told = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        simulate_wise(f"{folder}/warm", 1, observing=Observing(size=40), workers=1, quiet=True)
        start = time.process_time()
        survey = simulate_wise(
            f"{folder}/wise", told.count, told.seed, observing=Observing(size=40), workers=1, quiet=True
        )
        print(f"{told.count / (time.process_time() - start):.0f} objects a second of one core")
        table, images = Table.read(survey / "catalogue.fits"), images_of(survey)
    codes, train = np.array([CLASSES.index(str(name)) for name in table["class"]]), int(0.8 * told.count)
    for name, columns in (("colours", COLOURS), ("magnitudes and colours", MEASURED)):
        values = np.stack([np.ma.filled(table[column], np.nan) for column in columns], axis=1)
        model = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.06).fit(values[:train], codes[:train])
        print(f"{name}: {(model.predict(values[train:]) == codes[train:]).mean():.3f}")
    found = by_network(images, torch.from_numpy(codes), train, told.epochs, told.seed)
    print(f"network on images: {(found == codes[train:]).mean():.3f}")
    confusion = np.zeros((3, 3), dtype=int)
    np.add.at(confusion, (found, codes[train:]), 1)
    print("rows predicted, columns true:", *CLASSES, "\n", confusion)
    wrong, kinds = found != codes[train:], table["kind"][train:]
    print({str(kind): f"{wrong[kinds == kind].mean():.0%} of {(kinds == kind).sum()}" for kind in sorted(set(kinds))})
    if told.figure:
        figure(table, told.figure)


if __name__ == "__main__":
    main()
