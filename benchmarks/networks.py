"""What IICNet and the networks that it was compared with cost, at the same input sizes, beside what is published.

    python benchmarks/networks.py [--sizes 80 224] [--bands 3] [--threads 1] [--no-rate]

Counted are multiplications, and what the program thop counts, which is what the paper prints (see `network_cost`);
measured are images per second of one process that classifies, and of IICNet also of one that trains it, in both
precisions and layouts: with one thread by the processor's own clock, as by the other one what else runs would be
measured too; with more by the wall clock, of the best batch.
"""

from __future__ import annotations

import argparse
import math
import os
import time

import torch
from torch import nn

from astroclip_kit.classifiers import comparison_table
from astroclip_kit.encoders import IICNet
from astroclip_kit.recipes.published_wise import COSTS
from astroclip_kit.settings import Hardware
from astroclip_kit.training import autocast
from astroclip_kit.training.hardware import processor_threads

BATCH, STEPS = 64, 5


def train_rate(size: int, bands: int, precision: str, layout: torch.memory_format) -> float:
    """Images per second of the fastest step."""
    torch.manual_seed(0)
    encoder = IICNet(bands=bands, size=size)
    network = nn.Sequential(encoder, nn.Linear(encoder.out_features, 3)).to(memory_format=layout)
    optimizer = torch.optim.Adam(network.parameters(), 1e-4, fused=True)
    x, y = torch.randn(BATCH, bands, size, size).contiguous(memory_format=layout), torch.randint(0, 3, (BATCH,))
    clock, best = time.process_time if torch.get_num_threads() == 1 else time.perf_counter, math.inf
    for _ in range(STEPS):
        begun = clock()
        with autocast(x.device, precision):
            loss = nn.functional.cross_entropy(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        best = min(best, clock() - begun)
    return BATCH / best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[80, 224], help="pixels along the side")
    parser.add_argument("--bands", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of the processor")
    parser.add_argument("--no-rate", action="store_true", help="count alone")
    options = parser.parse_args()
    table = comparison_table(options.sizes, options.bands, not options.no_rate, Hardware(threads=options.threads))
    print(f"{options.threads} threads, {table.meta.get('rate', 'not timed')}, load {os.getloadavg()[0]:.1f}")
    print("| network | pixels | M weights (published) | M MACs | M by thop (published) | images / s bf16 | float32 |")
    print("|---|---|---|---|---|---|---|")
    for row in table:
        weights, operations = COSTS.get(row["network"], (math.nan, math.nan))
        rates = [row[name] for name in table.colnames if name.startswith("images")] or [math.nan] * 2
        print(
            f"| {row['network']} ({row['name']}) | {row['size']} | {row['parameters'] / 1e6:.2f} ({weights:.2f}) "
            f"| {row['macs'] / 1e6:,.2f} | {row['thop'] / 1e6:,.2f} ({operations:,.2f}) "
            f"| {rates[0]:.0f} | {rates[1]:.0f} |"
        )
    if options.no_rate:
        return
    print("\n| IICNet trained in | pixels | images / s |\n|---|---|---|")
    settings = {
        "bfloat16, by pixel": ("bfloat16", torch.channels_last),
        "float32": ("float32", torch.contiguous_format),
    }
    with processor_threads(options.threads):
        for name, (precision, layout) in settings.items():
            rate = train_rate(options.sizes[0], options.bands, precision, layout)
            print(f"| {name} | {options.sizes[0]} | {rate:.0f} |", flush=True)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
