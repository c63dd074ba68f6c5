"""A file format, a transform and an encoder of your own, without inheriting from or registering with anything.

You learn the three contracts. A reader is a function from a path to an array; `ak.reader` makes it one source of
`ingest`. A transform is a function from a batch of views to a batch of views. An encoder is any `torch.nn.Module`
with ``out_features``; if it has a ``preprocess``, the kit applies it to raw views first.

The survey here: radio cubes in NumPy files and a table of fluxes, both driven by the same two hidden properties.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from astropy.table import Table

import astroclip_kit as ak
from astroclip_kit.encoders import TableValues
from astroclip_kit.surveys import TableReader


def write_survey(folder: Path, count: int = 400) -> None:
    rng = np.random.default_rng(0)
    width, line = rng.uniform(2, 6, count), rng.uniform(4, 12, count)
    y, x = np.mgrid[-12:12, -12:12]
    channels = np.arange(16)[:, None, None]
    for i in range(count):
        cube = np.exp(-(x**2 + y**2) / (2 * width[i] ** 2) - (channels - line[i]) ** 2 / 8)
        np.savez(folder / f"source-{i:03d}.npz", cube=1e-3 * (cube + rng.normal(0, 0.05, cube.shape)))
    names = [f"source-{i:03d}" for i in range(count)]
    flux = {"f_low": width * line, "f_mid": width**2, "f_high": line}
    noisy = {name: values * rng.normal(1, 0.05, count) for name, values in flux.items()}
    Table({"name": names, **noisy, "width": width}).write(folder / "fluxes.fits")


def read_cube(path: Path) -> np.ndarray:
    """One's own format: an array [channels, y, x]; the stem of the file is the object's id."""
    return np.load(path)["cube"]


def in_millijansky(x: torch.Tensor) -> torch.Tensor:
    """One's own transform, on a batch [B, channels, y, x]."""
    return (1e3 * x).clamp(-1, 2)


class RadioEncoder(torch.nn.Module):
    """One's own encoder. Arguments kept as attributes of the same name let a model folder describe it."""

    def __init__(self, in_channels: int, out_features: int = 32) -> None:
        super().__init__()
        self.in_channels, self.out_features = in_channels, out_features
        self.preprocess = in_millijansky
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(in_channels, 32, 5, stride=2), torch.nn.ReLU(), torch.nn.Conv2d(32, 32, 5, stride=2)
        )
        self.linear = torch.nn.Linear(64, out_features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features]."""
        h = self.layers(x)
        return self.linear(torch.cat([h.mean((2, 3)), h.amax((2, 3))], dim=1))


def main(folder: Path) -> None:
    write_survey(folder)
    fluxes = TableReader(folder / "fluxes.fits", ["f_low", "f_mid", "f_high"], id_column="name", name="fluxes")
    truth = TableReader(folder / "fluxes.fits", labels=["width"], id_column="name")
    data = ak.ingest(folder / "data", radio=ak.reader(read_cube, folder / "*.npz"), fluxes=fluxes, truth=truth)
    print(data)

    encoders = {"radio": RadioEncoder(16), "fluxes": TableValues(["f_low", "f_mid", "f_high"])}
    settings = ak.Alignment(trainable={"radio": "all"})
    training = ak.Training(epochs=20, batch_size=64)
    model = ak.align(data, folder / "model", encoders=encoders, alignment=settings, training=training)

    # A model with parts of your own is used as the object, or from its folder if you say that you trust it.
    ak.embed(model, data, folder / "embeddings")
    space = ak.embed(folder / "model", data, folder / "again", trusted=True)

    results = ak.evaluate(space, ["width"], folder / "results")
    across = (results["query"] == "radio") & (results["target"] == "fluxes")
    results[across]["task", "property", "metric", "value", "low", "high", "n"].pprint(max_lines=-1, max_width=-1)
    [found] = results[across & (results["metric"] == "r2")]
    assert found["value"] > 0.5, "the width should be readable from the cubes through the fluxes"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(temporary))
