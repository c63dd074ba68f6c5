"""Subclasses that were planted in a mock survey of variable stars: which are found, and what is said of the others.

    python benchmarks/subclasses.py runs/subclasses [--count 6000] [--epochs 20]

A space of light curves, spectra and metadata is trained without any label, on 70 % of the stars, by small encoders. In
each class groups are looked for (`find_subclasses`), by the mean of the modalities and by each. ROT are planted as
giants and dwarfs, SR and M as oxygen- and carbon-rich; the other classes have no subclasses. Said are how many groups
are apart, the smallest q of a valley, how far they agree with the truth (AMI, by the groups' members), and the three
properties that separate them most.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
from trimodal import dataset

import astroclip_kit as ak
from astroclip_kit.alignment import align
from astroclip_kit.downstream import Map, find_subclasses, project
from astroclip_kit.downstream.agreement import agreement
from astroclip_kit.errors import InputError
from astroclip_kit.models import build_for
from astroclip_kit.pipeline.label_tables import table_columns
from astroclip_kit.settings import Alignment, Head, Objective, Optimizer, Schedule, Split, Training

LABEL = "catalogue_class"  # "class" is that of the pipeline of LAMOST where it has one
SMALL = {
    "lightcurve": ("Informer", {"width": 64, "depth": 2}),
    "spectrum": ("GalSpecNet", {"dropout": 0.2}),
    "metadata": ("MetadataMLP", {"hidden_features": 128}),
}


def space(root: Path, count: int, epochs: int) -> ak.EmbeddingStore:
    data = dataset(root, count)
    encoders = {
        name: build_for({"class_path": f"astroclip_kit.encoders.{kind}", "init_args": given}, data.modalities[name])
        for name, (kind, given) in SMALL.items()
    }
    alignment = Alignment(
        trainable=dict.fromkeys(SMALL, "all"),
        head=Head(64, standardise=False),
        objective=Objective(logit_scale=10.0, learnable_scale=True, reduction="published"),
        augmentations={"lightcurve": {"class_path": "astroclip_kit.transforms.RandomWindow"}},
    )
    optimizer, schedule = Optimizer("adamw", 1e-3, 1e-2, 5.0), Schedule("cosine", warmup_epochs=1.0)
    training = Training(epochs, 128, optimizer=optimizer, schedule=schedule)
    if not (root / "model").exists():
        align(
            data,
            root / "model",
            encoders=encoders,
            alignment=alignment,
            training=training,
            split=Split(test=0.2, valid=0.1),
        )
    if not (root / "space").exists():
        ak.embed(root / "model", data, root / "space")
    return ak.EmbeddingStore(root / "space")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder for survey, dataset, model, space and maps")
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    store = space(options.root, options.count, options.epochs)
    truth = table_columns(store, options.root / "survey" / "truth.fits")
    known = table_columns(store, options.root / "survey" / "metadata.csv")
    print(f"{len(store)} stars, load {os.getloadavg()[0]:.1f}")
    for on in ("mean", *store.names):
        place = project(store, options.root / f"map_{on}", on=on, neighbours=45, min_dist=0.7)
        for value in np.unique(store.labels[LABEL]):
            judge(store, str(value), on, place, truth["subclass"], known)


def judge(
    store: ak.EmbeddingStore, value: str, on: str, place: Map, subclass: np.ndarray, known: dict[str, np.ndarray]
) -> None:
    start, classes = time.process_time(), store.labels[LABEL]
    try:
        found = find_subclasses(store, LABEL, value, on=on, place=place, properties=known)
    except InputError as error:
        print(f"{on:11}{value:5} {error}")
        return
    groups = np.asarray(found.table["cluster"])
    rows = (groups >= 0) & (subclass != "") & (classes == value)
    told = "no planted subclass"
    if len(np.unique(subclass[rows])) > 1 and groups.max() > 0:
        ami, low, high = agreement(groups[rows], subclass[rows])["ami"]
        names, counts = np.unique(subclass[rows], return_counts=True)
        told = f"AMI {ami:.2f} ({low:.2f} to {high:.2f}) with " + ", ".join(map("{} {}".format, counts, names))
    q = min((one["q"] for one in found.summary["valleys"]), default=1.0)
    best = ", ".join(f"{one['property']} {one['value']:+.2f}" for one in found.summary["columns"][:3])
    print(
        f"{on:11}{value:5}{found.summary['considered']:6} stars, {found.count} apart of {groups.max() + 1} shown, "
        f"q {q:.1g}; {told}; {best}; {time.process_time() - start:.1f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
