"""Vectors per second of the generator, and of its training and of ResNet1d, in bfloat16 and float32, by layout.

    python benchmarks/spectral_gan.py [--width 64] [--threads 1]

Random cutouts (5 bands, 32 pixels) and spectra (3700 pixels) stand for a survey. A step of training is the losses of
critic and generator, their gradients and Adam, as `train_generator` takes it; an epoch is told for 8,000 objects.
Contestants take turns within each round, so that a busy machine slows all of them; given are medians over the rounds,
and ratios to the first of their kind. In float32 the layouts must agree, which is checked.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn
from torch.nn import functional

from astroclip_kit.classifiers.adversarial import Adversaries
from astroclip_kit.encoders import ResNet1d, SpectralGenerator, StampResNet
from astroclip_kit.settings import ADVERSARIAL, SpectralGAN
from astroclip_kit.training import autocast, make_optimizer, resolve_hardware

EPOCH = 8000
Step = Callable[[], torch.Tensor | None]


class Line(nn.Module):
    """ResNet1d with convolutions of one dimension and the same weights."""

    def __init__(self, encoder: ResNet1d) -> None:
        super().__init__()
        self.encoder = encoder

    def convolved(self, x: torch.Tensor, layer: nn.Module) -> torch.Tensor:
        assert isinstance(layer, nn.Conv2d)
        return functional.conv1d(x, layer.weight[:, :, 0], stride=layer.stride[1], padding=int(layer.padding[1]))

    def normalised(self, x: torch.Tensor, layer: nn.Module) -> torch.Tensor:
        assert isinstance(layer, nn.BatchNorm2d)
        return functional.batch_norm(x, layer.running_mean, layer.running_var, layer.weight, layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        stem = self.encoder.stem
        x = functional.max_pool1d(self.normalised(self.convolved(x, stem[0]), stem[1]).relu(), 3, 2, 1)
        for block in self.encoder.stages:
            layers = block.layers
            inner = self.normalised(self.convolved(x, layers[0]), layers[1]).relu()
            inner = self.normalised(self.convolved(inner, layers[3]), layers[4])
            if isinstance(block.shortcut, nn.Sequential):
                x = self.normalised(self.convolved(x, block.shortcut[0]), block.shortcut[1])
            x = (inner + x).relu()
        return self.encoder.features(x.mean(dim=2))


class Contest:
    """Networks of one width, random views, and what is measured of them."""

    def __init__(self, width: int, batch: int) -> None:
        torch.manual_seed(0)
        self.device = resolve_hardware(ADVERSARIAL.hardware)[0]
        features = 256 if width >= 64 else 4 * width
        self.generator = SpectralGenerator(StampResNet(5, width, out_features=features)).to(self.device)
        self.spectra = ResNet1d(widths=[width // 2 * 2**stage for stage in range(4)]).to(self.device).eval()
        self.x = torch.randn(batch, 5, 32, 32, device=self.device)
        self.flux = torch.randn(batch, 1, 3700, device=self.device)
        self.real = torch.randn(batch, 128, device=self.device)

    def images(self, precision: str, layout: torch.memory_format) -> Step:
        """Vectors of images."""

        def step() -> torch.Tensor:
            self.generator.eval().to(memory_format=layout)
            x = self.x.contiguous(memory_format=layout)
            with torch.inference_mode(), autocast(self.device, precision):
                return self.generator(x).float()

        return step

    def vectors(self, precision: str, network: nn.Module) -> Step:
        """Vectors of spectra."""

        def step() -> torch.Tensor:
            with torch.inference_mode(), autocast(self.device, precision):
                return network(self.flux).float()

        return step

    def training(self, precision: str, layout: torch.memory_format, **settings: object) -> Step:
        """A step of generator and critic."""
        module = Adversaries(self.generator, replace(SpectralGAN(critic_steps=1), **settings))  # type: ignore[arg-type]
        module.to(self.device)
        optimizer = make_optimizer(module, ADVERSARIAL.optimizer, fused=self.device.type == "cpu")
        seeds, codes = torch.arange(len(self.x), device=self.device), torch.zeros(len(self.x), dtype=torch.int64)

        def step() -> None:
            module.train().to(memory_format=layout)
            optimizer.zero_grad()
            with autocast(self.device, precision):
                features = module(self.x.contiguous(memory_format=layout))
            features = features.float()
            noise = torch.randn(len(self.x), module.generator.noise, device=self.device)
            fake = module.generator.simulate(features, noise)
            loss = module.of_generator(self.real, fake, features, codes)
            if module.critic is not None:
                loss = loss + module.of_critic(self.real, fake, features, seeds)
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                module.follow()

        return step

    def steps(self) -> dict[str, dict[str, Step]]:
        """By kind, the first of each the one that others are compared with."""
        last, rows = torch.channels_last, torch.contiguous_format
        formats = {"bands last": last, "bands first": rows}
        both = [(precision, layout) for precision in ("float32", "bfloat16") for layout in formats]
        lines = {"as images of a row": self.spectra, "of one dimension": Line(self.spectra)}
        return {
            "vectors of images": {f"{p}, {layout}": self.images(p, formats[layout]) for p, layout in both},
            "vectors of spectra": {
                f"{p}, {name}": self.vectors(p, one) for p in ("float32", "bfloat16") for name, one in lines.items()
            },
            "training, hinge": {f"{p}, {layout}": self.training(p, formats[layout]) for p, layout in both},
            "training, bands last, float32": {
                "hinge": self.training("float32", last),
                "projection": self.training("float32", last, projection=True),
                "wgan_gp": self.training("float32", last, loss="wgan_gp"),
                "regression": self.training("float32", last, loss="regression"),
            },
        }


def seconds(steps: dict[str, Step], rounds: int, device: torch.device) -> dict[str, list[float]]:
    """Of each contestant, per step."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            begun = time.perf_counter()
            step()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if number:  # the first warms up
                taken[name].append(time.perf_counter() - begun)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=64, help="channels of the first stage; 64 is ResNet-18")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    one = Contest(options.width, options.batch)
    weights = {name: sum(w.numel() for w in part.parameters()) for name, part in one.generator.named_children()}
    told = ", ".join(f"{count:,} {name}" for name, count in weights.items())
    print(f"{one.device}, {options.threads} threads, batches of {options.batch}, load {os.getloadavg()[0]:.1f}")
    print(f"weights of the generator: {told}; of ResNet1d: {sum(w.numel() for w in one.spectra.parameters()):,}")
    for kind, steps in one.steps().items():
        if kind.startswith("vectors"):
            first, second, *_ = (step() for step in steps.values())
            assert first is not None
            torch.testing.assert_close(first, second, rtol=1e-3, atol=1e-4)
        taken = seconds(steps, options.rounds, one.device)
        before = next(iter(taken.values()))
        print(f"\n{kind}")
        for name, each in taken.items():
            ratio = [slow / fast for slow, fast in zip(before, each, strict=True)]
            middle = statistics.median(each)
            epoch = f"{EPOCH / options.batch * middle:8.1f} s an epoch" if kind.startswith("training") else ""
            print(
                f"  {name:32} {options.batch / middle:9.1f} objects/s {epoch} {statistics.median(ratio):6.2f} times "
                f"({min(ratio):.2f} to {max(ratio):.2f})"
            )
    print(f"\nload {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
