"""Informer and GalSpecNet at their published sizes: objects per second, against the same layers of torch.

    python benchmarks/light_curve_encoders.py [--batch-sizes 64 512] [--rounds 2] [--dropout 0.245]

On one thread, in seconds of the process, so that other work on the machine counts little; all ways in turn, the best of
the rounds. *Forward* is in eval mode without gradients; *training* forward and backward with dropout, without an
optimizer. The plain way is `torch.nn.TransformerEncoder` of the same sizes, which attends fully, after a convolution;
and for spectra the convolutions as one would write them. That both give the same numbers is tested in tests/encoders.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from astroclip_kit.encoders import GalSpecNet, Informer

LENGTH, CHANNELS = 200, 9


class PlainTransformer(nn.Module):
    """The layers of Informer with full attention, of torch; features of padding are not zeroed."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Conv1d(CHANNELS, 128, 3, padding=1, padding_mode="circular", bias=False)
        layer = nn.TransformerEncoderLayer(128, 4, 512, dropout, "gelu", batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 8, nn.LayerNorm(128), enable_nested_tensor=False)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.layers(self.embedding(x.mT).mT).flatten(1)
        return features


def plain_convolutions(dropout: float) -> nn.Module:
    layers: list[nn.Module] = []
    for before, after in ((3, 64), (64, 64), (64, 32)):
        layers += [nn.Conv1d(before, after, 3), nn.ReLU(), nn.MaxPool1d(4)]
    return nn.Sequential(*layers, nn.Conv1d(32, 32, 3), nn.ReLU(), nn.Flatten(), nn.Dropout(dropout))


def seconds(encoder: nn.Module, x: Tensor, precision: torch.dtype, training: bool) -> float:
    """Of the process, for one pass."""
    context = torch.autocast("cpu", precision) if precision != torch.float32 else nullcontext()
    encoder.train(training)
    begin = time.process_time()
    with torch.set_grad_enabled(training):
        with context:
            loss = encoder(x).float().square().mean()
        if training:
            loss.backward()
            encoder.zero_grad()
    return time.process_time() - begin


def main() -> None:
    """Prints a line for each encoder, precision and batch size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[64, 512])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.245)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    dropout, curves, spectra = given.dropout, (LENGTH, CHANNELS), (3, 2575)
    encoders: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
        "Informer, prob": (lambda: Informer(dropout=dropout), curves),
        "Informer, full": (lambda: Informer(attention="full", dropout=dropout), curves),
        "torch TransformerEncoder": (lambda: PlainTransformer(dropout), curves),
        "GalSpecNet": (lambda: GalSpecNet(dropout=dropout), spectra),
        "torch convolutions": (lambda: plain_convolutions(dropout), spectra),
    }
    built = {name: make() for name, (make, _) in encoders.items()}
    ways = [(dtype, size) for dtype in (torch.bfloat16, torch.float32) for size in given.batch_sizes]
    views: dict[tuple[tuple[int, ...], int], Tensor] = {
        (shape, size): torch.randn(size, *shape) for shape in (curves, spectra) for size in given.batch_sizes
    }
    best: dict[tuple[str, torch.dtype, int, bool], float] = {}
    for _ in range(given.rounds + 1):  # the first warms up
        for name, (_make, shape) in encoders.items():
            for precision, size in ways:
                for training in (False, True):
                    key = (name, precision, size, training)
                    taken = seconds(built[name], views[shape, size], precision, training)
                    best[key] = min(taken, best.get(key, taken))
    print(f"load {os.getloadavg()[0]:.1f}; objects per second of one core")
    for name in encoders:
        for precision, size in ways:
            forward, trained = (size / best[name, precision, size, training] for training in (False, True))
            print(f"{name:26} {str(precision)[6:]:9} batch {size:4}  forward {forward:6.0f}  training {trained:6.0f}")


if __name__ == "__main__":
    main()
