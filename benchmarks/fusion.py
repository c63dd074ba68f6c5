"""Stars per second of BATMM's fusion on cached tokens, against computing the encoders anew in each step.

    python benchmarks/fusion.py [--sizes full small] [--threads 1]

Random cutouts (5 bands, 64 pixels) and spectra (3522 pixels, 4000 to 9000 Angstrom) stand for a survey. Tokens are
cached once with `extract_tokens` and read back from the disk in random order, as a training reads them. A step of
training is forward, backward and AdamW; frozen encoders run in inference mode before it where they are computed anew.
Contestants take turns within each round, so that a busy machine slows all of them; given are medians over the rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from astroclip_kit.classifiers import Classifier, CrossAttentionFusion, extract_tokens, tokens_of
from astroclip_kit.classifiers.classes import class_loss
from astroclip_kit.encoders import VGG1D, SEResNet
from astroclip_kit.settings import Hardware, Optimizer
from astroclip_kit.storage import hash_text
from astroclip_kit.training import autocast, make_optimizer, resolve_hardware
from astroclip_kit.transforms import Compose, ScaleImages, wavelength_grid
from astroclip_kit.types import Modality

COUNT, BATCH = 256, 64


class Survey:
    """What `extract_tokens` uses of a dataset."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        spectra = Modality.spectrum("spectrum", wavelength_grid("sdss 4000-9000"))
        self.modalities = {"image": Modality("image", "image", tuple("ugriz"), (5, 64, 64)), "spectrum": spectra}
        self.values = {name: rng.random((COUNT, *one.shape), dtype=np.float32) for name, one in self.modalities.items()}
        self.object_ids = self.groups = np.array([f"star-{number}" for number in range(COUNT)])
        self.ra = self.dec = np.full(COUNT, np.nan)
        self.labels: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return COUNT

    def present(self, name: str) -> np.ndarray:
        return np.ones(COUNT, dtype=bool)

    def views(self, name: str, rows: np.ndarray) -> np.ndarray:
        return self.values[name][rows]

    def data_hash(self, name: str) -> str:
        return hash_text(name)


def full() -> dict[str, torch.nn.Module]:
    return {"image": SEResNet(), "spectrum": VGG1D()}


def small() -> dict[str, torch.nn.Module]:
    """Encoders of a laptop: cutouts are not enlarged, a tenth of the channels."""
    image = SEResNet(name="resnet18", width=64, preprocess=Compose((ScaleImages(),)))
    return {"image": image, "spectrum": VGG1D(widths=(8, 16, 32, 64, 64), depths=(1, 1, 2, 2, 2))}


SIZES = {
    "full": (full, {"width": 512, "blocks": 8, "heads": 8, "hidden_features": 2048}),
    "small": (small, {"width": 64, "blocks": 8, "heads": 4, "hidden_features": 256}),
}


@dataclass
class Contest:
    """The fusion of one size, its encoders, and cached tokens."""

    survey: Survey
    classifier: Classifier
    features: Any
    hardware: Hardware

    def __post_init__(self) -> None:
        """Gets ready to train."""
        self.device, self.precision = resolve_hardware(self.hardware)
        self.classifier.to(self.device)
        self.fusion = self.classifier.fusion
        self.optimizer = make_optimizer(self.fusion, Optimizer("adamw", 1e-4, 5e-2), fused=self.device.type == "cpu")
        self.rng, self.codes = np.random.default_rng(1), torch.arange(BATCH, device=self.device) % 2

    def rows(self) -> np.ndarray:
        return self.rng.permutation(COUNT)[:BATCH]

    def check(self) -> float:
        """How much the logits of both ways differ, in standard deviations over the stars."""
        rows = np.arange(BATCH)
        one, other = self.infer(lambda: self.cached(rows)), self.infer(lambda: self.computed(rows))
        return float(((one - other).std(dim=0) / one.std(dim=0)).max())

    def cached(self, rows: np.ndarray | None = None) -> dict[str, torch.Tensor]:
        rows = self.rows() if rows is None else rows
        return {name: tokens_of(self.features, name, rows).to(self.device) for name in self.features.names}

    def computed(self, rows: np.ndarray | None = None) -> dict[str, torch.Tensor]:
        rows = self.rows() if rows is None else rows
        views = {name: torch.from_numpy(x[rows]).to(self.device) for name, x in self.survey.values.items()}
        self.classifier.encoders.eval()
        with torch.no_grad(), autocast(self.device, self.precision):
            return self.classifier.tokens(views)

    def train(self, tokens: Callable[[], dict[str, torch.Tensor]]) -> None:
        given = tokens()
        self.fusion.train()
        self.optimizer.zero_grad()
        with autocast(self.device, self.precision):
            logits = self.fusion(given)
        class_loss(logits.float(), self.codes).backward()
        self.optimizer.step()

    def infer(self, tokens: Callable[[], dict[str, torch.Tensor]]) -> torch.Tensor:
        given = tokens()
        self.fusion.eval()
        with torch.inference_mode(), autocast(self.device, self.precision):
            logits: torch.Tensor = self.fusion(given).float().cpu()
        return logits

    def seconds(self, rounds: int) -> dict[str, list[float]]:
        """Of each contestant, per step."""
        steps = {
            "training, cached tokens": lambda: self.train(self.cached),
            "training, encoders anew": lambda: self.train(self.computed),
            "inference, cached tokens": lambda: self.infer(self.cached),
            "inference, encoders anew": lambda: self.infer(self.computed),
        }
        taken: dict[str, list[float]] = {name: [] for name in steps}
        for number in range(rounds + 1):
            for name, step in steps.items():
                begun = time.perf_counter()
                step()
                if self.device.type == "cuda":
                    torch.cuda.synchronize(self.device)
                if number:  # the first warms up
                    taken[name].append(time.perf_counter() - begun)
        return taken


def contest(size: str, survey: Survey, folder: Path, hardware: Hardware) -> tuple[Contest, float]:
    """And how many stars a second the encoders gave while the tokens were cached."""
    make, sizes = SIZES[size]
    torch.manual_seed(0)
    encoders = make()
    encoders["image"].measured_on(torch.from_numpy(survey.values["image"][:64]))  # type: ignore[operator]
    begun = time.perf_counter()
    features = extract_tokens(survey, encoders, folder / size, hardware=hardware, quiet=True)
    rate = COUNT / (time.perf_counter() - begun)
    widths = {name: int(one.out_features) for name, one in encoders.items()}  # type: ignore[arg-type]
    fusion = CrossAttentionFusion(widths, 2, size=sizes)
    return Contest(survey, Classifier(encoders, fusion, ["bhb", "other"]), features, hardware), rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.filterwarnings("ignore", message=".*not finite")
    hardware, survey = Hardware(precision=options.precision), Survey()
    device, precision = resolve_hardware(hardware)
    print(f"{device}, {precision}, {options.threads} threads, batches of {BATCH}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            one, rate = contest(size, survey, Path(folder), hardware)
            parts = {"encoders": one.classifier.encoders, "fusion": one.fusion}
            weights = [f"{sum(w.numel() for w in part.parameters()):,} {name}" for name, part in parts.items()]
            print(f"\n{size}: weights {', '.join(weights)}; tokens cached at {rate:.1f} stars/s")
            apart = one.check()
            assert apart < 0.05, "the two ways differ"
            print(f"logits of both ways agree to {apart:.4f} of their standard deviation over the stars")
            taken = one.seconds(options.rounds)
            for what in ("training", "inference"):
                cached, anew = (taken[f"{what}, {how}"] for how in ("cached tokens", "encoders anew"))
                ratio = [slow / fast for fast, slow in zip(cached, anew, strict=True)]
                rates = [BATCH / statistics.median(one) for one in (cached, anew)]
                print(
                    f"{what:10} {rates[0]:9.1f} stars/s on cached tokens, {rates[1]:8.1f} with encoders anew: "
                    f"{statistics.median(ratio):.1f} times ({min(ratio):.1f} to {max(ratio):.1f})"
                )
    print(f"\nload {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
