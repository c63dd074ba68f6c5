"""Extraction: `extract` from a dataset on disk to features on disk, against the model alone on tensors in memory.

Images of 152 x 152 pixels through a ResNet (`--backbone resnet50` for the size of published survey encoders), and
spectra of 7,781 pixels with inverse variances through Spender's encoder. The plain way is what a script does: float32,
eager, a loop over batches. The two ways with tensors in memory read and write nothing, so `extract` has to hide its
files behind the computation to come near the one in bfloat16.

    python benchmarks/extract.py [--modality image] [--objects 256] [--batch-size 64] [--backbone resnet18]
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
from astroclip_kit.encoders import ImageBackbone, SpenderEncoder
from astroclip_kit.features import extract
from astroclip_kit.settings import Hardware
from astroclip_kit.training import resolve_hardware

SIZE = 152
WAVELENGTH = np.linspace(3600.0, 9824.0, 7781)


def make_dataset(folder: Path, modality: str, count: int) -> Dataset:
    rng, files = np.random.default_rng(0), folder / "files"
    files.mkdir()
    for number in range(count):
        if modality == "image":
            view = rng.normal(size=(3, SIZE, SIZE))
        else:  # a continuum of its own, noise, and gaps
            continuum = 3 + np.sin(WAVELENGTH / rng.uniform(300, 3000)) + rng.normal(size=WAVELENGTH.shape)
            view = np.stack([continuum, rng.random(WAVELENGTH.shape) > 0.02])
        np.save(files / f"{number:06d}.npy", view.astype(np.float32))
    grid = WAVELENGTH if modality == "spectrum" else ()
    data = ingest({modality: reader(np.load, files / "*.npy", grid=grid)}, folder / "data", quiet=True)
    shutil.rmtree(files)
    return data


def make_encoder(dataset: Dataset, modality: str, backbone: str) -> torch.nn.Module:
    if modality == "image":
        return ImageBackbone(backbone, in_channels=3).eval()
    return SpenderEncoder.for_modality(dataset.modalities[modality]).eval()


@torch.inference_mode()
def bare(encoder: torch.nn.Module, views: torch.Tensor, batch_size: int, precision: str) -> np.ndarray:
    """The model on tensors in memory; in bfloat16 with the memory layout that suits the processor."""
    fast = precision == "bfloat16"
    if views.ndim == 4:
        layout = torch.channels_last if fast else torch.contiguous_format
        encoder, views = encoder.to(memory_format=layout), views.to(memory_format=layout)
    with torch.autocast("cpu", torch.bfloat16, enabled=fast):
        return torch.cat([encoder(encoder.preprocess(part)).float() for part in views.split(batch_size)]).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--modality", choices=("image", "spectrum"), default="image")
    parser.add_argument("--objects", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--backbone", default="resnet18")
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    torch.manual_seed(0)
    name, precision = options.modality, resolve_hardware(Hardware("cpu"))[1]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        dataset = make_dataset(folder, name, options.objects)
        encoder = make_encoder(dataset, name, options.backbone)
        views = torch.from_numpy(dataset.views(name, np.arange(len(dataset))))

        def kit() -> np.ndarray:
            shutil.rmtree(folder / "features", ignore_errors=True)
            features = extract(
                dataset,
                {name: encoder},
                folder / "features",
                batch_size=options.batch_size,
                hardware=Hardware("cpu"),
            )
            return np.asarray(features.matrix(name), dtype=np.float32)

        ways = {
            "extract, files to files": kit,
            f"bare model, {precision}": lambda: bare(encoder, views, options.batch_size, precision),
            "bare model, float32 eager": lambda: bare(encoder, views, options.batch_size, "float32"),
        }
        seconds, given = {way: float("inf") for way in ways}, {}
        for _ in range(options.repeats):
            for way, run in ways.items():
                start = time.perf_counter()
                given[way] = run()
                seconds[way] = min(seconds[way], time.perf_counter() - start)

    exact = given["bare model, float32 eager"]
    what = (
        f"images {SIZE} x {SIZE}, {options.backbone}" if name == "image" else f"spectra of {len(WAVELENGTH)}, Spender"
    )
    print(f"{len(dataset)} {what}, batch {options.batch_size}, ", end="")
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    print(f"{'':28}{'seconds':>9}{'objects/s':>11}{'extract is':>14}{'lowest cosine':>15}")
    for way, h in given.items():
        cosine = (h * exact).sum(1) / np.linalg.norm(h, axis=1) / np.linalg.norm(exact, axis=1)
        ratio = f"{seconds[way] / seconds['extract, files to files']:.2f} x"
        print(f"{way:28}{seconds[way]:9.2f}{len(dataset) / seconds[way]:11.0f}{ratio:>14}{cosine.min():15.5f}")
        assert cosine.min() > 0.99, "the features differ by more than rounding"


if __name__ == "__main__":
    main()
