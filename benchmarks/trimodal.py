"""Training on light curves, spectra and metadata: objects per second, against a plain way and a library.

    python benchmarks/trimodal.py runs/trimodal [--count 640] [--batch-size 64] [--steps 6] [--rounds 3]

A mock survey of variable stars is made in the folder and ingested. In one run and in turn, `--rounds` times:

* *end to end*: `align` on the dataset, all three encoders of AstroM3 at their published sizes trained, with Informer's
  attention "prob" and "full", in the precision that it takes by itself and in float32; and the plain way: a loop in
  PyTorch, in float32, whose objects are in memory beforehand, each preprocessed in NumPy when it is asked for,
  attention written out as the formula has it;
* *heads on cached features*: the same three linear heads, by `align` on extracted features; and the plain loop over
  tensors of float32 that are in memory;
* *the loss*: three pairs of vectors [n, 512], forward and backward, by `BatchLoss`'s parts; and open_clip's `ClipLoss`
  of each pair, times two.

A step is timed between two ends of optimizer steps, data and preprocessing included, in seconds of the process on all
cores, so that other work on the machine counts little. Each line is printed as it is measured: the median of all steps
so far but the first of each round.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from plain_astrom3 import PlainHeads, PlainModel, PlainStars
from torch import Tensor, nn
from torch.nn import functional

import astroclip_kit as ak
from astroclip_kit.alignment import ContrastiveModel, ProjectionHead, align
from astroclip_kit.alignment.objective import combined, pair_losses
from astroclip_kit.losses import InfoNCE
from astroclip_kit.models import build_for
from astroclip_kit.pipeline import simulate
from astroclip_kit.settings import Alignment, Hardware, Head, Objective, Optimizer, Schedule, Split, Training
from astroclip_kit.surveys import ASASSNLightCurves, LAMOSTSpectra, TableReader, WithCovariates
from astroclip_kit.transforms.astrom3_columns import METADATA, PHOTOMETRY

ENCODERS = {"lightcurve": "Informer", "spectrum": "GalSpecNet", "metadata": "MetadataMLP"}
PAIRS = [["lightcurve", "spectrum"], ["spectrum", "metadata"], ["metadata", "lightcurve"]]


def dataset(folder: Path, count: int) -> ak.Dataset:
    survey = folder / "survey"
    if not survey.exists():
        simulate("variables", survey, count=count)
    metadata, curves = survey / "metadata.csv", ASASSNLightCurves(survey / "lightcurves", "**/*.dat*", bands=["V"])
    readers = {
        "lightcurve": WithCovariates(curves, PHOTOMETRY, {"path": str(metadata), "id": "object_id"}),
        "spectrum": LAMOSTSpectra(survey / "spectra"),
        "metadata": TableReader(metadata, list(METADATA), id_column="object_id", name="metadata"),
    }
    labels = TableReader(survey / "labels.csv", id_column="object_id", labels=["class"])
    return ak.ingest(folder / "data", sources=readers, catalogue=labels, labels=["class"])


@contextmanager
def stamped() -> Iterator[list[float]]:
    """Seconds of the process at the end of each step of `align`, which clamps the scales there."""
    stamps, clamp = [], ContrastiveModel.clamp_scales

    def after_step(model: ContrastiveModel) -> None:
        clamp(model)
        stamps.append(time.process_time())

    ContrastiveModel.clamp_scales = after_step
    try:
        yield stamps
    finally:
        ContrastiveModel.clamp_scales = clamp


def settings(epochs: int, batch: int, precision: str) -> Training:
    optimizer, hardware = Optimizer("adam", 1e-3, 1e-3, 45.0), Hardware("cpu", precision)
    return Training(epochs, batch, optimizer=optimizer, schedule=Schedule("constant"), hardware=hardware)


def by_kit(
    data: Any, folder: Path, steps: int, batch: int, attention: str = "", precision: str = "auto"
) -> list[float]:
    """Seconds of each step of `align`: end to end with an attention, else on cached features."""
    objective = Objective("infonce", 100.0, learnable_scale=True, reduction="published")
    trainable = dict.fromkeys(ENCODERS, "all") if attention else {}
    alignment = Alignment(list(ENCODERS), PAIRS, trainable, Head(512), objective)
    epochs = -(-(steps + 1) // (len(data) // batch))
    with stamped() as stamps:
        shutil.rmtree(folder, ignore_errors=True)
        given = {"encoders": built(data, attention)} if attention else {}
        everyone = Split(test=0.0, valid=0.0)
        align(
            data,
            folder,
            alignment=alignment,
            training=settings(epochs, batch, precision),
            split=everyone,
            quiet=True,
            **given,
        )
    return np.diff(stamps[: steps + 1]).tolist()


def plain_steps(model: nn.Module, batches: Callable[[], Iterator[Any]], steps: int) -> list[float]:
    """Seconds of each step of the loop that one would write."""
    adam, stamps, done = torch.optim.Adam(model.parameters(), 1e-3, weight_decay=1e-3), [], 0
    model.train()
    while done <= steps:
        for batch in batches():
            adam.zero_grad()
            model(*batch).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 45.0)
            adam.step()
            stamps.append(time.process_time())
            done += 1
            if done > steps:
                break
    return np.diff(stamps).tolist()


def loss_seconds(count: int, repeats: int = 5) -> tuple[float, float]:
    """Of forward and backward of the published sum: of the kit, and by open_clip."""
    from open_clip.loss import ClipLoss

    names = ["lightcurve", "spectrum", "metadata"]
    heads = {name: ProjectionHead(512, 512) for name in names}
    model = ContrastiveModel(heads, pairs=PAIRS, logit_scale=100.0, learnable_scale=True)
    z = functional.normalize(torch.randn(count, 3, 512), dim=2).requires_grad_()
    present, groups = torch.ones(count, 3, dtype=torch.bool), torch.arange(count)
    objective, clip = Objective(reduction="published"), ClipLoss()

    def ours() -> Tensor:
        return combined(pair_losses(model, InfoNCE(), z, present, groups), model.pairs, objective)

    def library() -> Tensor:
        scales = model.scales()
        pairs = [(names.index(a), names.index(b)) for a, b in model.pairs]
        return sum(2 * clip(z[:, a], z[:, b], scales[i]) for i, (a, b) in enumerate(pairs))

    torch.testing.assert_close(ours(), library())
    times: dict[Callable[[], Tensor], list[float]] = {ours: [], library: []}
    for _ in range(repeats):
        for one, taken in times.items():
            start = time.process_time()
            one().backward()
            taken.append(time.process_time() - start)
    return float(np.median(times[ours])), float(np.median(times[library]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder for survey, dataset, features and models")
    parser.add_argument("--count", type=int, default=640)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=6, help="that are timed in each round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    root, batch, steps = options.root, options.batch_size, options.steps
    if options.count < batch:
        parser.error(f"--count is {options.count}, expected at least one batch: --batch-size is {batch}.")
    data = dataset(root, options.count)
    if len(data) < batch:
        parser.error(f"{root} holds {len(data)} objects, expected at least one batch of {batch}. Take another folder.")
    tell = partial(print, flush=True)
    tell(f"{len(data)} objects, batches of {batch}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    stars, found = PlainStars(data), dict[str, list[float]]()
    features = ak.extract(data, encoders_of(data), root / "features", batch_size=batch)
    cached = [torch.from_numpy(np.asarray(features.matrix(name), dtype=np.float32)) for name in data.modalities]

    def raw() -> Iterator[Any]:
        return iter(torch.utils.data.DataLoader(stars, batch, shuffle=True, drop_last=True))

    def held() -> Iterator[Any]:
        order = torch.randperm(len(data))
        return ([h[order[start : start + batch]] for h in cached] for start in range(0, len(order) - batch + 1, batch))

    def timed(name: str, seconds: list[float]) -> None:
        found.setdefault(name, []).extend(seconds)
        tell(f"{name:22}{batch / np.median(seconds):9.1f} objects per second of the processor")

    for number in range(options.rounds):
        tell(f"round {number + 1} of {options.rounds}")
        for kind in ("prob", "full"):
            timed(f"{kind}, kit", by_kit(data, root / "model", steps, batch, kind))
            timed(f"{kind}, kit in float32", by_kit(data, root / "model", steps, batch, kind, "float32"))
            timed(f"{kind}, plain", plain_steps(PlainModel(kind), raw, steps))
        timed("cached heads, kit", by_kit(features, root / "heads", 4 * steps, batch))
        timed("cached heads, plain", plain_steps(PlainHeads(), held, 4 * steps))
    tell("all rounds")
    for name, seconds in found.items():
        tell(f"{name:22}{batch / np.median(seconds):9.1f} objects per second of the processor")
    for name in (name for name in found if "kit" in name):
        ratio = np.median(found[f"{name.split(', ')[0]}, plain"]) / np.median(found[name])
        tell(f"{name}: {ratio:.2f} times the plain way")
    for count in (512, 2048):
        ours, library = loss_seconds(count)
        tell(f"loss of {count}: {1e3 * ours:.1f} ms, open_clip {1e3 * library:.1f} ms: ratio {library / ours:.2f}")
    tell(f"load {os.getloadavg()[0]:.1f}")


def built(data: ak.Dataset, attention: str = "prob") -> dict[str, nn.Module]:
    """The encoders, with random weights."""
    parts: dict[str, dict[str, Any]] = {
        name: {"class_path": f"astroclip_kit.encoders.{one}"} for name, one in ENCODERS.items()
    }
    parts["lightcurve"]["init_args"] = {"attention": attention}
    return {name: build_for(part, data.modalities[name]) for name, part in parts.items()}


def encoders_of(data: ak.Dataset) -> dict[str, nn.Module]:
    views = {name: torch.from_numpy(data.views(name, np.arange(min(256, len(data))))) for name in ENCODERS}
    return {
        name: one.measured_on(views[name]) if hasattr(one, "measured_on") else one for name, one in built(data).items()
    }


if __name__ == "__main__":
    main()
