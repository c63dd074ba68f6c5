"""What IICnet and the networks that it is compared with cost: weights, multiplications, images per second."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ..types import Result
from .recipe import Run, Stage
from .repetition import Repetition

__all__ = ["costs_stage"]

SIDES = (80, 224)  # pixels: as IICnet was published, and what the published operations of the others fit
TIMED = 80
SPEEDS = ("images_per_second_bfloat16", "images_per_second_float32")


def costs_stage(run: Run) -> Stage:
    """The stage that counts and measures; its folder holds results.

    Args:
        run: The experiment, whose setting ``speeds`` says whether speeds are measured.
    """
    classify = run.sections["classify"]
    known = {"hardware": classify["classification"].encoder_training.hardware, "encoder": classify["encoders"]["image"]}
    known["speeds"] = run.sections["experiment"]["speeds"]
    out = run.folders["root"] / "costs"
    return Stage("costs", out, {"dataset": run.folders["dataset"]}, known, partial(_write, run, out))


def _write(run: Run, out: Path) -> None:
    from ..results import write_results
    from ..storage import new_folder, write_manifest

    with new_folder(out, "results") as folder:
        write_results(folder / "results.jsonl", _costs(run))
        write_manifest(folder, "results", {"sides": list(SIDES)})


def _costs(run: Run) -> Iterator[Result]:
    """Weights and operations at both sizes, images per second at the smaller one; of no data set."""
    from ..classifiers import comparison_table

    classify = run.sections["classify"]
    hardware = classify["classification"].encoder_training.hardware
    own = Repetition(run, 0).built(classify["encoders"]["image"], "image")
    source: dict[str, Any] = {"seed": run.seed, "dataset": "", "origin": run.objects().manifest["origin"]}
    for side in SIDES:
        timed = side == TIMED and run.sections["experiment"]["speeds"]
        for row in comparison_table((side,), rate=timed, hardware=hardware, network=own):
            values = {f"MACs_at_{side}_px": row["macs"], f"thop_at_{side}_px": row["thop"]}
            if side == TIMED:
                values["parameters"] = row["parameters"]
                values |= {name: row[name] for name in SPEEDS if timed and math.isfinite(row[name])}
            for metric, value in values.items():
                about = str(row["network"]), "image", "image", "", metric
                yield Result(*about, float(value), math.nan, math.nan, 1, **source, space="supervised")
