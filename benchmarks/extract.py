"""Extraction: `extract` from a dataset on disk to features on disk, against the model alone on tensors in memory.

The encoder is a ResNet-18 on 152 x 152 pixels (`--backbone resnet50` for the size of published survey encoders).
The plain way is what a script does: float32, eager, a loop over batches. The two ways with tensors in memory read
and write nothing, so `extract` has to hide its files behind the computation to come near the one in bfloat16.

    python benchmarks/extract.py [--objects 256] [--batch-size 64] [--backbone resnet18] [--repeats 2]
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from astroclip_kit import reader
from astroclip_kit.data import Dataset, ingest
from astroclip_kit.encoders import ImageBackbone
from astroclip_kit.features import extract
from astroclip_kit.settings import Hardware
from astroclip_kit.training import resolve_hardware

SIZE = 152


def make_dataset(folder: Path, count: int) -> Dataset:
    rng, files = np.random.default_rng(0), folder / "images"
    files.mkdir()
    for number in range(count):
        np.save(files / f"{number:05d}.npy", rng.normal(size=(3, SIZE, SIZE)).astype(np.float32))
    return ingest({"image": reader(np.load, files / "*.npy")}, folder / "data", quiet=True)


@torch.inference_mode()
def bare(encoder: torch.nn.Module, images: torch.Tensor, batch_size: int, precision: str) -> np.ndarray:
    """The model on tensors in memory; in bfloat16 with the memory layout that suits the processor."""
    fast = precision == "bfloat16"
    layout = torch.channels_last if fast else torch.contiguous_format
    encoder, images = encoder.to(memory_format=layout), images.to(memory_format=layout)
    with torch.autocast("cpu", torch.bfloat16, enabled=fast):
        return torch.cat([encoder(encoder.preprocess(part)).float() for part in images.split(batch_size)]).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--objects", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--backbone", default="resnet18")
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    torch.manual_seed(0)
    encoder = ImageBackbone(options.backbone, in_channels=3).eval()
    precision = resolve_hardware(Hardware("cpu"))[1]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        dataset = make_dataset(folder, options.objects)
        images = torch.from_numpy(dataset.views("image", np.arange(len(dataset))))

        def kit() -> np.ndarray:
            shutil.rmtree(folder / "features", ignore_errors=True)
            features = extract(
                dataset,
                {"image": encoder},
                folder / "features",
                batch_size=options.batch_size,
                hardware=Hardware("cpu"),
            )
            return np.asarray(features.matrix("image"), dtype=np.float32)

        ways = {
            "extract, files to files": kit,
            f"bare model, {precision}": lambda: bare(encoder, images, options.batch_size, precision),
            "bare model, float32 eager": lambda: bare(encoder, images, options.batch_size, "float32"),
        }
        seconds, given = {name: float("inf") for name in ways}, {}
        for _ in range(options.repeats):
            for name, way in ways.items():
                start = time.perf_counter()
                given[name] = way()
                seconds[name] = min(seconds[name], time.perf_counter() - start)

    exact = given["bare model, float32 eager"]
    print(f"{len(dataset)} images {SIZE} x {SIZE}, {options.backbone}, batch {options.batch_size}, ", end="")
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    print(f"{'':28}{'seconds':>9}{'images/s':>10}{'extract is':>14}{'lowest cosine':>15}")
    for name, h in given.items():
        cosine = (h * exact).sum(1) / np.linalg.norm(h, axis=1) / np.linalg.norm(exact, axis=1)
        ratio = f"{seconds[name] / seconds['extract, files to files']:.2f} x"
        print(f"{name:28}{seconds[name]:9.2f}{len(dataset) / seconds[name]:10.0f}{ratio:>14}{cosine.min():15.5f}")
        assert cosine.min() > 0.99, "the features differ by more than rounding"


if __name__ == "__main__":
    main()
