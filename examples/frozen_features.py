"""Frozen encoders, run once: features on disk, and an alignment that takes seconds.

You learn why `extract` stands between a dataset and `align`. A pretrained encoder is slow and does not change, so
its features are computed once, kept as half-precision matrices, and found again by a key of data, weights and
preprocessing; only small projection heads are trained on them. And you learn to compare: `evaluate` gives the same
numbers for the features before alignment, and for a supervised reference.

The encoders here need no weights file: photometric and spectral shape by fixed formulas. `ak.MocoResNet50` and
`ak.SpenderEncoder` with their published weights go in the same places.
"""

import tempfile
import time
from pathlib import Path

import torch

import astroclip_kit as ak
from astroclip_kit.encoders import SpectralShape
from astroclip_kit.settings import Head


class Apertures(torch.nn.Module):
    """Fluxes of an image in six square apertures per band, stretched like magnitudes."""

    out_features = 18

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, 18] of images [B, 3, 64, 64]."""
        sums = [x[..., 32 - half : 32 + half, 32 - half : 32 + half].sum((2, 3)) for half in (2, 4, 6, 10, 16, 32)]
        return torch.cat(sums, dim=1).mul(10).asinh()


def main(folder: Path) -> None:
    survey = ak.simulate("galaxies", folder / "survey", count=600)
    readers = {"images": survey / "cutouts", "spectra": survey / "spectra", "catalogue": survey / "catalogue.fits"}
    data = ak.ingest(folder / "data", **readers, labels=["z", "logmstar"])

    encoders = {"image": Apertures(), "spectrum": SpectralShape.for_modality(data.modalities["spectrum"])}
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        features = ak.extract(data, encoders, folder / "features")
        seconds.append(time.perf_counter() - start)
    print(features)
    print(f"extracted in {seconds[0]:.1f} s; called again, found unchanged in {seconds[1]:.2f} s")

    heads = ak.Alignment(head=Head(out_features=32, hidden_features=[128], dropout=0.1))
    model = ak.align(features, folder / "model", alignment=heads, training=ak.Training(epochs=30, batch_size=128))
    space = ak.embed(model, features, folder / "embeddings")

    results = ak.evaluate(space, ["z"], folder / "results", features=features)
    regression = results[(results["property"] == "z") & (results["metric"] == "r2")]
    regression["query", "target", "space", "value", "low", "high", "n"].pprint(max_lines=-1, max_width=-1)

    across = (results["query"] == "image") & (results["target"] == "spectrum")
    [found] = results[across & (results["metric"] == "recall@10")]
    print(f"image to spectrum recall@10: {found['value']:.2f}, by chance {found['chance']:.2f}")
    assert found["value"] > 2 * found["chance"], "aligned features should find the spectrum of an image"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(temporary))
