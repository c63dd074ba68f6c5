"""How many wrong labels of mock surveys each score finds.

    python benchmarks/wrong_labels.py SPACE SURVEY [SPACE SURVEY ...]

SPACE is what `embed` wrote, SURVEY what `simulate variables` wrote: its labels are judged, and its truth says which of
them are wrong.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from astropy.table import Table

from astroclip_kit.downstream import find_anomalies, label_audit
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.metrics import wilson

TOP = 0.03  # of the objects


def labelled(space: Path, survey: Path, out: Path) -> tuple[EmbeddingStore, dict[str, bool]]:
    """The space with the survey's labels, and whose label is wrong."""
    store, truth = EmbeddingStore(space), Table.read(survey / "truth.fits")
    given = Table.read(survey / "labels.csv", converters={"object_id": str})
    classes = dict(zip(given["object_id"], given["class"], strict=True))
    vectors, present = ({name: of(name) for name in store.names} for of in (store.vectors, store.present))
    labels = {"class": [str(classes[one]) for one in store.object_ids]}
    wrong = {str(one): bool(flag) for one, flag in zip(truth["object_id"], truth["flipped"], strict=True)}
    return EmbeddingStore.write(out, vectors, store.object_ids, present=present, labels=labels), wrong


def on_top(table: Table, column: str, wrong: dict[str, bool]) -> int:
    """How many wrong labels are among the highest scores."""
    first = np.argsort(-np.nan_to_num(np.asarray(table[column], dtype=float), nan=-np.inf), kind="stable")
    return sum(wrong[str(one)] for one in table["object_id"][first[: int(np.ceil(TOP * len(table)))]])


def main(folders: list[str]) -> None:
    """Prints the share of all surveys together, with its 95 % interval."""
    found: dict[str, int] = {}
    total = 0
    for space, survey in zip(folders[::2], folders[1::2], strict=True):
        with tempfile.TemporaryDirectory() as folder:
            store, wrong = labelled(Path(space), Path(survey), Path(folder) / "space")
            total += sum(wrong[one] for one in store.object_ids.tolist())
            odd = find_anomalies(store, on="mean", label="class")
            for column in ("label_odds", "label_centroid", "label_neighbours", "class_distance", "score"):
                name = f"mean: {column}" if column != "score" else "all oddities and wrong labels in one ranking"
                found[name] = found.get(name, 0) + on_top(odd, column, wrong)
            for on in store.names:
                table = label_audit(store, "class", on)
                for column in ("label_odds", "own_distance"):
                    found[f"{on}: {column}"] = found.get(f"{on}: {column}", 0) + on_top(table, column, wrong)
    for name, count in found.items():
        low, high = wilson(count / total, total)
        print(f"{name:50s} {count:4d} of {total}  {count / total:.3f} ({low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main(sys.argv[1:])
