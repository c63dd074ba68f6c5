"""How long a checkpoint of full size takes to read, and to convert without running it.

    python benchmarks/checkpoints.py

The file has the layout of Stein et al. (both encoders, the queues of 65,536, the momentum of the optimiser) with random
weights, once with plain hyper-parameters and once with a pickled module among them, which only `convert` can read.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from astroclip_kit.encoders import MocoResNet50
from astroclip_kit.encoders.conversion import convert


def write(path: Path, hidden: Any) -> None:
    torch.manual_seed(0)
    network = MocoResNet50(head=True)
    state = {f"encoder_{which}.{name}": one.clone() for which in "qk" for name, one in network.state_dict().items()}
    for split in ("", "val_"):
        state |= {f"{split}queue": torch.rand(128, 65536), f"{split}queue_ptr": torch.zeros(1, dtype=torch.long)}
    momentum = [torch.zeros_like(one) for one in network.parameters()]
    torch.save({"state_dict": state, "optimizer_states": momentum, "hyper_parameters": {"encoder": hidden}}, path)


def seconds(action: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="the quickest counts")
    repeats = range(parser.parse_args().repeats)
    with tempfile.TemporaryDirectory() as folder:
        plain, hiding, safe = (Path(folder) / name for name in ("plain.ckpt", "hiding.ckpt", "weights.safetensors"))
        write(plain, "resnet50")
        write(hiding, nn.Linear(3, 2))
        print(f"a file of {plain.stat().st_size / 1e6:.0f} MB", f"{'seconds':>30}", sep="")
        for name, action in {
            "an encoder without a file": MocoResNet50,
            "from_checkpoint": lambda: MocoResNet50.from_checkpoint(plain),
            "convert, of one that hides a module": lambda: convert(hiding, safe),
            "from_checkpoint of what it wrote": lambda: MocoResNet50.from_checkpoint(safe),
        }.items():
            print(f"{name:<38}{min(seconds(action) for _ in repeats):8.2f}")
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"the converting process took at most {memory:.2f} GB of memory")


if __name__ == "__main__":
    main()
