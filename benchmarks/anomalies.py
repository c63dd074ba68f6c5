"""How many planted artifacts and mislabels the scores of `astroclip-kit anomalies` find.

    astroclip-kit quickstart demo
    python benchmarks/anomalies.py demo

Artifacts are those of the mock survey's cutouts, each kind against the clean ones. Mislabels are planted here: the
morphology of some objects is changed to another one, drawn evenly from the others.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from astropy.table import Table

from astroclip_kit.downstream import find_anomalies, measure_detection
from astroclip_kit.downstream.mislabels import label_scores
from astroclip_kit.embeddings import EmbeddingStore

SCORES = ("score", "neighbours", "isolation", "disagreement", "disagreement_rank")
MISLABELS = ("score", "class_distance", "label_centroid", "label_neighbours")


def artifacts(store: EmbeddingStore, survey: Path, seed: int) -> None:
    truth = Table.read(survey / "catalogue.fits")
    kinds = dict(zip(map(str, truth["object_id"]), map(str, truth["artifact"]), strict=True))
    table = find_anomalies(store, on="image")
    kind = np.array([kinds[str(one)] for one in table["object_id"]])
    for name in ("saturated", "trail", "cosmic_ray", "bad_columns", "any artifact"):
        planted = kind != "none" if name == "any artifact" else kind == name
        shown(table, planted, planted | (kind == "none"), name, SCORES, seed)


def mislabels(store: EmbeddingStore, label: str, fraction: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    names, codes = np.unique(store.labels[label], return_inverse=True)
    planted = rng.random(len(codes)) < fraction
    wrong = np.where(planted, (codes + rng.integers(1, len(names), len(codes))) % len(names), codes)
    with TemporaryDirectory() as folder:
        vectors = {name: np.asarray(store.vectors(name)) for name in store.names}
        changed = EmbeddingStore.write(Path(folder) / "s", vectors, store.object_ids, labels={label: names[wrong]})
        for on in store.names:
            table = find_anomalies(changed, on=on, label=label)
            where = np.isin(table["object_id"], store.object_ids[planted])
            shown(table, where, np.ones(len(table), bool), f"mislabelled, {on}", MISLABELS, seed)
            true = label_scores(store.vectors(on), store.labels[label], store.groups).label_neighbours
            print(f"  {on}: {100 * (true > 0).mean():.0f} % of objects lie among another class although labelled right")


def shown(table: Table, planted: np.ndarray, keep: np.ndarray, what: str, scores: tuple[str, ...], seed: int) -> None:
    for by in scores:
        auc, recall = measure_detection(table[keep], planted[keep], by=by, what=what, seed=seed)
        numbers = [f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})" for one in (recall, auc)]
        print(
            f"{what:<24}{by:<18}{planted[keep].sum():>5}{keep.sum():>7}  {numbers[0]:<26}{recall.chance:.3f}  "
            f"{numbers[1]}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a quickstart")
    parser.add_argument("--survey", type=Path, help="folder of its survey, where it lies elsewhere")
    parser.add_argument("--label", default="morphology", help="label in which mislabels are planted")
    parser.add_argument("--fraction", type=float, default=0.05, help="of the objects that get a wrong label")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    store = EmbeddingStore(given.run / "embeddings")
    print(f"{'what':<24}{'by':<18}{'P':>5}{'n':>7}  {'recall among P':<26}chance  area under the curve")
    artifacts(store, given.survey or given.run / "survey", given.seed)
    mislabels(store, given.label, given.fraction, given.seed)


if __name__ == "__main__":
    main()
