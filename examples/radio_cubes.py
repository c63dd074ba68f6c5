"""A survey that the kit does not know: its file format, a transform and an encoder, in a file of one's own.

Nothing here inherits from the kit or is registered with it: `own_modality.py` beside this file uses it, in Python and
by name in YAML (``class_path: radio_cubes.RadioEncoder``).
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

import astroclip_kit as ak


def read_cube(path: Path) -> np.ndarray:
    """The reader: an array [channels, y, x] in Jy per beam; the stem of the file is the object's id."""
    return np.load(path)["cube"]


def cubes(folder: str) -> Any:
    """All cubes of a folder, as a source of `ingest` in Python and in YAML."""
    return ak.reader(read_cube, f"{folder}/*.npz", unit="Jy / beam")


def in_millijansky(x: torch.Tensor) -> torch.Tensor:
    """The transform, on a batch [B, channels, y, x]; what is brighter than 2 mJy is cut."""
    return (1e3 * x).clamp(-1, 2)


class RadioEncoder(torch.nn.Module):
    """The encoder: what is kept as an attribute of the same name as its argument describes it in a model folder.

    Args:
        in_channels: Channels of a cube.
        out_features: Numbers that it gives of one.
    """

    def __init__(self, in_channels: int = 16, out_features: int = 32) -> None:
        super().__init__()
        self.in_channels, self.out_features = in_channels, out_features
        self.preprocess = in_millijansky
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(in_channels, 32, 5, stride=2), torch.nn.ReLU(), torch.nn.Conv2d(32, 32, 5, stride=2)
        )
        self.linear = torch.nn.Linear(64, out_features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of cubes [B, channels, y, x]."""
        h = self.layers(x)
        return self.linear(torch.cat([h.mean((2, 3)), h.amax((2, 3))], dim=1))


def write_survey(folder: Path, count: int = 400) -> None:
    """Sources whose width and line are seen in cubes (`source-NNN.npz`) and in a table of fluxes (`fluxes.csv`)."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    width, line = rng.uniform(2, 6, count), rng.uniform(4, 12, count)
    y, x = np.mgrid[-12:12, -12:12]
    channels = np.arange(16)[:, None, None]
    rows = ["name,f_low,f_mid,f_high,width"]
    for i in range(count):
        cube = np.exp(-(x**2 + y**2) / (2 * width[i] ** 2) - (channels - line[i]) ** 2 / 8)
        np.savez(folder / f"source-{i:03d}.npz", cube=1e-3 * (cube + rng.normal(0, 0.05, cube.shape)))
        low, mid, high = np.array([width[i] * line[i], width[i] ** 2, line[i]]) * rng.normal(1, 0.05, 3)
        rows.append(f"source-{i:03d},{low:.5f},{mid:.5f},{high:.5f},{width[i]:.5f}")
    (folder / "fluxes.csv").write_text("\n".join(rows) + "\n")
