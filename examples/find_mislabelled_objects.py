"""Find mislabelled objects: one label in twenty of a catalogue is wrong; most stand at the top of the list.

A class is a region of a space that was learned without labels, and a wrong label stands out there. `label_audit` ranks
all objects by the odds of another class against the one that they were given, says which, and keeps apart the strange
members of a class. The command is ``astroclip-kit anomalies embeddings --on spectrum --label class --by labels``.

The survey is a mock one of galaxies, quasars and stars, whose wrong labels are planted, so that it is known how many
of them are found. Takes about 30 seconds of a processor. ``python find_mislabelled_objects.py out`` keeps what it
makes, with the figure out/mislabelled.pdf.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from astropy.table import Table

import astroclip_kit as ak
from astroclip_kit.downstream import label_audit
from astroclip_kit.report.figures import mislabel_plane
from astroclip_kit.surveys import LegacySurveyCutouts


def plant(labels: Table, count: int, seed: int = 0) -> set[str]:
    """Gives some objects another class; who they are."""
    rng, classes = np.random.default_rng(seed), np.unique(labels["class"])
    rows = rng.choice(len(labels), count, replace=False)
    for row in rows:
        labels["class"][row] = rng.choice(classes[classes != labels["class"][row]])
    return set(labels["object_id"][rows].tolist())


def make_space(survey: Path, catalogue: Path, folder: Path) -> ak.EmbeddingStore:
    cutouts = LegacySurveyCutouts(survey / "cutouts", bands=["w1", "w2", "w3"])  # a FITS cube for each object
    data = ak.ingest(folder / "data", images=cutouts, spectra=survey / "spectra", catalogue=catalogue)
    networks = {"image": ak.ImageConvNet, "spectrum": ak.SpectrumConvNet}
    torch.manual_seed(0)  # so that the networks begin at the same weights each time
    model = ak.align(
        data,
        folder / "model",
        encoders={name: network.for_modality(data.modalities[name]) for name, network in networks.items()},
        alignment=ak.Alignment(trainable=dict.fromkeys(networks, "all")),
        training=ak.Training(epochs=12, batch_size=128),
    )
    return ak.embed(model, data, folder / "embeddings")


def main(folder: Path, count: int = 600, wrong: int = 30) -> list[int]:
    survey = ak.simulate("wise", folder / "survey", count=count)
    labels = Table.read(survey / "labels.csv")
    planted = plant(labels, wrong)
    labels.write(folder / "labels.csv", overwrite=True)

    space = make_space(survey, folder / "labels.csv", folder)
    audit = label_audit(space, "class", on="spectrum")
    audit["planted"] = [one in planted for one in audit["object_id"]]
    audit[:10]["object_id", "class", "suggested", "kind", "planted"].pprint(max_width=-1)
    mislabel_plane(audit).savefig(folder / "mislabelled.pdf")

    found = [int(audit["planted"][:first].sum()) for first in (wrong, 2 * wrong)]
    by_chance = [first * wrong / count for first in (wrong, 2 * wrong)]
    print(
        f"{wrong} of {count} labels are wrong: {found[0]} of them are among the first {wrong} "
        f"(by chance {by_chance[0]:.1f}), {found[1]} among the first {2 * wrong} (by chance {by_chance[1]:.1f})"
    )
    assert found[1] > wrong // 2, "most wrong labels should stand at the top of the list"
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(sys.argv[1] if sys.argv[1:] else temporary))
