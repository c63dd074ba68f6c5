"""Processor time of fine-tuning a run of configs/astrom3_mock.yaml: the head alone, a part of the encoders, and all.

    python benchmarks/fine_tuning.py RUN [--ways frozen last:1 all] [--epochs 1] [--fraction 1.0] [--scratch]

RUN is the folder of the run, of which dataset, space and settings are taken. Of a frozen space the linear map is
trained for 200 epochs at most, and the time includes that of encoding all objects.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from astroclip_kit.classifiers import fit_classifier, view_logits
from astroclip_kit.metrics import accuracy, balanced_accuracy
from astroclip_kit.pipeline.classifier_steps import Learner
from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.settings import Classification, LabelShare

LONGEST, PATIENCE = 200, 20  # epochs of a linear map


def settings_of(given: Classification, way: str, start: str, asked: argparse.Namespace) -> Classification:
    """Those of the run, with another part of the encoders trained, for as long as asked for."""
    training = replace(given.training, epochs=asked.epochs)
    if way == "frozen":
        rates = replace(training.optimizer, learning_rate=1e-2, factors={})
        training = replace(training, optimizer=rates, epochs=LONGEST, early_stopping=PATIENCE)
    tuning = replace(given.fine_tuning, start=start, trainable=way)
    labelled = LabelShare(asked.fraction, "capped")
    return replace(given, fine_tuning=tuning, training=training, labelled=labelled, baselines=[])


def measure(run: Path, way: str, asked: argparse.Namespace, out: Path) -> str:
    """Trains one classifier and says what it cost and is worth."""
    section: Any = load_configuration(run / "config.yaml").sections["classify"]
    start = "" if asked.scratch else str(run / "model")
    settings = settings_of(section["classification"], way, start, asked)
    learner = Learner(run / "data", out, section["encoders"], settings, str(section["labels"]))
    encoders, dataset, (_, codes, sides) = learner.built([*section["encoders"]]), learner.dataset, learner.divided
    processor, clock = time.process_time(), time.perf_counter()
    model = fit_classifier(dataset, encoders, settings, out, quiet=True)
    processor, clock = time.process_time() - processor, time.perf_counter() - clock
    rows = np.flatnonzero((sides == "test") & (codes >= 0))
    said = view_logits(model, dataset, rows, hardware=settings.training.hardware).argmax(axis=1)
    trained = int(((sides == "train") & (codes >= 0)).sum())
    worth = f"accuracy {accuracy(codes[rows], said):.3f}, balanced {balanced_accuracy(codes[rows], said):.3f}"
    return f"{way:8s} {processor:6.1f} s of a processor, {clock:6.1f} s; {trained} train, {len(rows)} judged: {worth}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--ways", nargs="+", default=["frozen", "last:1", "all"])
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--fraction", type=float, default=1.0)
    parser.add_argument("--scratch", action="store_true")
    asked = parser.parse_args(arguments)
    for way in asked.ways:
        with tempfile.TemporaryDirectory() as folder:
            print(measure(asked.run, way, asked, Path(folder) / "tuned"), flush=True)


if __name__ == "__main__":
    main()
