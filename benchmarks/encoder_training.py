"""How fast the encoders of BATMM learn a class, and how well, one after the other with one processor thread.

    python benchmarks/encoder_training.py runs/encoders [--names vgg16 "se18, 2 stages"] [--epochs 10]

A mock survey of 4,000 stars is made in the folder unless a dataset with a label "class" is given. Each encoder is
trained with a linear head on 70 % of the stars; the epoch is chosen on 20 %, and the other 10 % are classified.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

import astroclip_kit as ak
from astroclip_kit import metrics
from astroclip_kit.classifiers import train_encoder
from astroclip_kit.data import splits
from astroclip_kit.models import build_for
from astroclip_kit.pipeline import simulate
from astroclip_kit.settings import Classification, Hardware, Observing, Optimizer, Schedule, Split, Training
from astroclip_kit.storage import open_folder
from astroclip_kit.surveys import LegacySurveyCutouts, SDSSSpectra, TableReader

SPLIT = Split(test=0.1, valid=2 / 9)
TURNED = {"class_path": "astroclip_kit.transforms.RandomFlipRotate"}


@dataclass(frozen=True)
class Setting:
    """An encoder as it is trained."""

    modality: str
    encoder: str
    arguments: dict[str, Any] = field(default_factory=dict)
    epochs: int = 12
    rate: float = 1e-3
    augmentation: Any = None


SETTINGS = {
    "vgg16": Setting("spectrum", "VGG1D", {"widths": [16, 32, 64, 64, 128]}),
    "vgg32": Setting("spectrum", "VGG1D", {"widths": [32, 64, 128, 128, 128]}),
    "vgg32, one convolution": Setting(
        "spectrum", "VGG1D", {"widths": [32, 64, 128, 128, 128], "depths": [1, 1, 1, 1, 1]}
    ),
    "vgg64": Setting("spectrum", "VGG1D", epochs=1),
    "se18, 3 stages": Setting(
        "image", "SEResNet", {"name": "resnet18", "size": 0, "width": 128, "stages": 3}, augmentation=TURNED
    ),
    "se18, 2 stages": Setting(
        "image", "SEResNet", {"name": "resnet18", "size": 0, "width": 128, "stages": 2}, augmentation=TURNED
    ),
    "se18": Setting("image", "SEResNet", {"name": "resnet18", "size": 0, "width": 128}, augmentation=TURNED),
    "se50": Setting("image", "SEResNet", epochs=1),
}


def mock(folder: Path, count: int) -> ak.Dataset:
    survey = folder / "survey"
    if not survey.exists():
        simulate("stars", survey, count=count, observing=Observing(size=48))
    labels = TableReader(survey / "labels.csv", id_column="object_id", labels=["class"])
    images = LegacySurveyCutouts(survey / "cutouts", bands="ugriz")
    spectra = SDSSSpectra(survey / "spectra", grid="sdss 4000-9000")
    return ak.ingest(folder / "data", images=images, spectra=spectra, catalogue=labels, labels=["class"])


def measure(data: ak.Dataset, out: Path, name: str, epochs: int) -> str:
    setting = SETTINGS[name]
    path = {"class_path": f"astroclip_kit.encoders.{setting.encoder}", "init_args": setting.arguments}
    torch.manual_seed(0)
    encoder = build_for(path, data.modalities[setting.modality])
    optimizer, schedule = Optimizer("adam", setting.rate, 0.0), Schedule("cosine", warmup_epochs=1.0)
    hardware = Hardware(threads=1, checkpoint_seconds=600)
    training = Training(epochs or setting.epochs, 64, optimizer=optimizer, schedule=schedule, hardware=hardware)
    turned = {setting.modality: setting.augmentation} if setting.augmentation else {}
    settings = Classification(encoder_training=training, split=SPLIT, augmentations=turned)
    begun = time.process_time()
    classifier = train_encoder(data, out, modality=setting.modality, encoder=encoder, settings=settings)
    processor = time.process_time() - begun
    manifest = open_folder(out, "model")
    wall, stars = sum(row["seconds"] for row in manifest["history"]), manifest["counts"]["train"]
    true = data.labels["class"]
    rows = np.flatnonzero((splits.divide(data, SPLIT) == "test") & (true != "") & data.present(setting.modality))
    with torch.inference_mode():
        parts = np.array_split(rows, max(1, len(rows) // 64))
        views = (torch.from_numpy(data.views(setting.modality, part)) for part in parts)
        guessed = np.array(classifier.classes)[torch.cat([classifier(x).argmax(dim=1) for x in views]).numpy()]
    losses = [row["val_loss"] for row in manifest["history"]]
    weights = sum(weight.numel() for weight in encoder.parameters())
    f1 = metrics.macro_f1(true[rows], guessed)
    return (
        f"| {name} | {weights / 1e6:.2f} M | {len(losses)} "
        f"| {processor / len(losses) / stars * 1000:.2f} | {processor:.0f} | {wall:.0f} "
        f"| {int(np.argmin(losses)) + 1} | {f1:.3f} | {os.getloadavg()[0]:.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where mock and encoders are written")
    parser.add_argument("--data", type=Path, help="dataset folder; a mock is made without")
    parser.add_argument("--count", type=int, default=4000, help="stars of the mock")
    parser.add_argument("--names", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--epochs", type=int, default=0, help="other than those of the setting")
    options = parser.parse_args()
    data = ak.Dataset(options.data) if options.data else mock(options.folder, options.count)
    print(f"{len(data)} stars, {data.manifest['origin']}, split seed {SPLIT.seed}")
    print("s: seconds of the processor, of which those of 1,000 stars in one epoch are told, and by the clock")
    print("| encoder | weights | epochs | s / 1,000 | s | s by the clock | best epoch | macro F1 | load |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in options.names:
        folder = options.folder / name.replace(", ", "-").replace(" ", "-")
        print(measure(data, folder, name, options.epochs), flush=True)


if __name__ == "__main__":
    main()
