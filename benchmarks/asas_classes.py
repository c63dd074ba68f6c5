"""Classes of ASAS variables: AstroM3's encoder of light curves from scratch, after contrastive pretraining, and others.

    python benchmarks/asas_classes.py runs/asas_classes --data ../shared/data

Five folds by star of what configs/asas_classes.yaml describes. Pretraining tells parts of one light curve from parts of
others (momentum contrast, `RandomPart`), on every light curve of ASAS and of supernovae of ZTF that is not of the test
side of the fold: the encoder has not seen the test stars, not even without their class. The random forest and the
probes of the period-folded light curve learn from the same training stars; the validation stars choose the epoch of
the networks and are used by nothing else.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import astroclip_kit as ak
from astroclip_kit.classifiers import class_codes, fit_baseline, judge
from astroclip_kit.data.splits import divide
from astroclip_kit.downstream.probes import probe
from astroclip_kit.encoders import FoldedLightCurve, LightCurveFeatures
from astroclip_kit.features import extract
from astroclip_kit.pipeline import classify, ingest, pretrain
from astroclip_kit.pipeline.configuration import Configuration, load_configuration
from astroclip_kit.results import combine, read_results
from astroclip_kit.settings import Classification, Hardware, Methods, MoCo, Optimizer, Schedule, Split, Training
from astroclip_kit.types import Result

HARDWARE = Hardware(precision="float32", threads=1)
FIXED = {"standard": LightCurveFeatures, "folded": FoldedLightCurve}
METRICS = ("accuracy", "balanced_accuracy", "macro_f1")
AUGMENTATION = {
    "class_path": "astroclip_kit.transforms.RandomPart",
    "init_args": {"least": 0.3, "most": 0.6, "band": 0.5},
}
MOCO = MoCo(queue=2048, momentum=0.99, out_features=64, hidden_features=256, augmentation=AUGMENTATION)


def splits(configuration: Configuration, folds: int) -> Iterator[tuple[int, Split, Classification]]:
    settings = configuration.sections["classify"]["classification"]
    for fold in range(folds):
        split = replace(settings.split, folds=configuration.folds, fold=fold, by=configuration.by)
        yield fold, split, replace(settings, split=split)


def pretrained(data: Path, out: Path, encoder: dict[str, Any], split: Split, options: argparse.Namespace) -> str:
    training = Training(
        options.pretraining_epochs,
        options.batch_size,
        optimizer=Optimizer("adamw", options.rate, 1e-3),
        schedule=Schedule("cosine", warmup_epochs=2.0),
        hardware=HARDWARE,
    )
    told: Any = {"encoder": encoder, "settings": Methods(moco=MOCO), "training": training, "split": split}
    pretrain(data, "moco", out, modality="lightcurve", **told)
    return str(out)


def fixed_features(dataset: ak.Dataset, root: Path) -> dict[str, np.ndarray]:
    """What is the same in all folds: the standard features, and the folded light curve."""
    modality, z = dataset.modalities["lightcurve"], {}
    for name, one in FIXED.items():
        features = extract(
            dataset, {"lightcurve": one.for_modality(modality)}, root / name, hardware=HARDWARE, quiet=True
        )
        z[name] = features.matrix("lightcurve").astype(np.float32)
    return z


def of_features(dataset: ak.Dataset, z: dict[str, np.ndarray], split: Split, seed: int) -> Iterator[Result]:
    """A random forest on the standard features, and probes of the folded light curve."""
    names, codes = class_codes(dataset, "class")
    sides = divide(dataset, split)
    train, test = np.flatnonzero(sides == "train"), np.flatnonzero(sides == "test")
    true = np.asarray(names)[codes[test]]
    told = {"dataset": "asas", "origin": "real", "groups": dataset.groups[test], "seed": seed, "label": "class"}
    forest = fit_baseline("random_forest", z["standard"][train], codes[train], seed=seed, class_weights="balanced")
    p = np.asarray(forest.predict_proba(z["standard"][test]))
    yield from judge(true, p, names, task="random forest", query="standard features", **told)
    x = z["folded"]
    for kind in ("linear", "mlp"):
        found = probe(kind, x[train], np.asarray(names)[codes[train]], x[test], groups=dataset.groups[train])
        p = np.zeros((len(test), len(names)))
        p[:, [names.index(name) for name in found.classes]] = found.probabilities
        yield from judge(true, p, names, task=f"{kind} probe", query="folded light curve", **told)


def without_period(sources: dict[str, Any]) -> dict[str, Any]:
    return {**sources, "lightcurve": sources["lightcurve"]["init_args"]["reader"]}


def table(title: str, folds: list[list[Result]]) -> None:
    rows: dict[tuple[str, str], dict[str, Result]] = {}
    for one in combine(folds):
        if one.metric in METRICS:
            rows.setdefault((one.task, one.query), {}).setdefault(one.metric, one)  # all folds come first
    for (task, query), found in rows.items():
        told = " | ".join(
            f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})" for one in map(found.get, METRICS) if one
        )
        chance = " ".join(f"{one.chance:.3f}" for one in map(found.get, METRICS) if one)
        print(f"| {title}: {task} | {query} | {told} | chance {chance}, n {found['accuracy'].n} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder for datasets and models")
    parser.add_argument("--data", default="../shared/data", help="folder of asas-variables and ztf-sn-ia")
    parser.add_argument("--config", default="configs/asas_classes.yaml")
    parser.add_argument("--folds", type=int, default=5, help="how many of the five are run")
    parser.add_argument("--pretraining-epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=128, help="of the pretraining")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate of the pretraining")
    parser.add_argument("--only", nargs="*", default=["features", "scratch", "pretrained", "without period"])
    parser.add_argument("--set", nargs="*", default=[], help="changes to the configuration")
    options = parser.parse_args()
    configuration = load_configuration(options.config, overrides=[f"data={options.data}", *options.set])
    given, encoders = configuration.sections["ingest"], configuration.sections["classify"]["encoders"]
    parts = {"with": given["sources"], "without": without_period(given["sources"])}
    data = {name: options.root / f"data-{name}-period" for name in parts}
    for name, sources in parts.items():
        if name == "with" or "without period" in options.only:
            ingest(data[name], sources=sources, matching=given["matching"])
    found: dict[str, list[list[Result]]] = {name: [] for name in options.only}
    labelled = ak.Dataset(data["with"])
    labelled = labelled.select(class_codes(labelled, "class")[1] >= 0)
    z = fixed_features(labelled, options.root) if "features" in options.only else {}
    for fold, split, settings in splits(configuration, options.folds):
        for name in options.only:
            out = options.root / name.replace(" ", "-") / f"fold-{fold}"
            if name == "features":
                found[name].append([*of_features(labelled, z, split, fold)])
                continue
            source = data["without" if name == "without period" else "with"]
            begin = encoders
            if name == "pretrained":
                begin = {"lightcurve": pretrained(source, out / "moco", encoders["lightcurve"], split, options)}
            classify(source, out / "classifier", encoders=begin, classification=replace(settings, baselines=[]))
            found[name].append(read_results(out / "classifier" / "results"))
    for name, folds in found.items():
        table(name, folds)


if __name__ == "__main__":
    main()
