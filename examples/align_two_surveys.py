"""Align two surveys: cutouts of one and spectra of another, which know each other's galaxies by position alone.

The whole chain from survey files to honest numbers: `ingest` matches the observations on the sky, `align` trains a
small network for each modality, `embed` makes the space, `evaluate` measures it on the galaxies that were held out.
Every step is a folder, and a command too: ``astroclip-kit ingest data --images cutouts --matching.by position ...``.

The surveys are mock ones; put your own folders in their place. Takes about 15 seconds of a processor. What it makes
goes with the script, unless you name a folder: ``python align_two_surveys.py out``, then open out/results/report.html.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import torch
from astropy.table import Table

import astroclip_kit as ak
from astroclip_kit.encoders import ImageConvNet, SpectrumConvNet
from astroclip_kit.settings import Matching, Optimizer, Schedule
from astroclip_kit.transforms import RandomFlipRotate


def two_surveys(folder: Path) -> Path:
    """One mock survey whose cutouts get names of their own, and of which a tenth has no cutout."""
    survey = ak.simulate("galaxies", folder / "survey", count=500)
    (folder / "cutouts").mkdir(exist_ok=True)
    for number, cutout in enumerate(sorted((survey / "cutouts").glob("*.fits"))):
        if number % 10:
            shutil.copy(cutout, folder / "cutouts" / f"sky-{number:05d}.fits")
    return survey


def main(folder: Path) -> Table:
    survey = two_surveys(folder)
    data = ak.ingest(
        folder / "data",
        images=folder / "cutouts",
        spectra=survey / "spectra",
        catalogue=survey / "catalogue.fits",
        labels=["z", "logmstar"],
        matching=Matching(by="position", radius_arcsec=1, require=["image", "spectrum"]),
    )
    print(data)

    # Small networks that are trained together with the heads; a survey's description gives their sizes.
    networks = {"image": ImageConvNet, "spectrum": SpectrumConvNet}
    torch.manual_seed(0)  # so that the networks begin at the same weights each time
    model = ak.align(
        data,
        folder / "model",
        encoders={name: network.for_modality(data.modalities[name]) for name, network in networks.items()},
        alignment=ak.Alignment(trainable=dict.fromkeys(networks, "all"), augmentations={"image": RandomFlipRotate()}),
        training=ak.Training(
            epochs=12, batch_size=128, optimizer=Optimizer(learning_rate=2e-3), schedule=Schedule(warmup_steps=10)
        ),
    )
    space = ak.embed(model, data, folder / "embeddings")

    results = ak.evaluate(space, ["z"], folder / "results")
    across = results[(results["query"] == "image") & (results["target"] == "spectrum")]
    chosen = across[[metric in ("recall@1", "recall@10", "r2", "nmad") for metric in across["metric"]]]
    chosen["task", "metric", "value", "low", "high", "n", "chance"].pprint(max_lines=-1, max_width=-1)
    [found] = chosen[chosen["metric"] == "recall@10"]
    print(
        f"The spectrum of a held-out image is among the first ten: {found['value']:.2f}, guessing {found['chance']:.2f}"
    )
    assert found["value"] > 3 * found["chance"], "images should find the spectra of their galaxies"
    return chosen


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(sys.argv[1] if sys.argv[1:] else temporary))
