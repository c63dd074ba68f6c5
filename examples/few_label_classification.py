"""Few-label classification: galaxies, quasars and stars from a handful of examples of each.

The space is learned without labels, from infrared cutouts and spectra of the same objects. Then one, five and ten
examples of each class are enough to tell the others: a new object gets the class whose examples lie nearest. You also
learn why `extract` stands between a dataset and `align`: a frozen encoder runs once, and only small heads are trained.

The encoders need no weights: light and spectral shape by fixed formulas. `ak.MocoResNet50` and `ak.SpenderEncoder` with
their published weights go in the same places. The survey is a mock one in the bands of WISE. Takes about 20 seconds
of a processor. ``python few_label_classification.py out`` keeps what it makes, with the figure out/few-labels.pdf.
"""

import sys
import tempfile
import time
from pathlib import Path

import torch
from astropy.table import Table

import astroclip_kit as ak
from astroclip_kit.downstream import few_shot
from astroclip_kit.encoders import SpectralShape
from astroclip_kit.report.figures import few_shot_curves
from astroclip_kit.settings import Head
from astroclip_kit.surveys import LegacySurveyCutouts

SHOTS = (1, 5, 10, 0)  # examples of each class; 0 for all that there are


class Apertures(torch.nn.Module):
    """Fluxes of an image in six square apertures per band, stretched like magnitudes."""

    out_features = 18

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, 18] of images [B, 3, 64, 64]."""
        sums = [x[..., 32 - half : 32 + half, 32 - half : 32 + half].sum((2, 3)) for half in (2, 4, 6, 10, 16, 32)]
        return torch.cat(sums, dim=1).mul(10).asinh()


def make_space(folder: Path) -> ak.EmbeddingStore:
    survey = ak.simulate("wise", folder / "survey", count=600)
    cutouts = LegacySurveyCutouts(survey / "cutouts", bands=["w1", "w2", "w3"])  # a FITS cube for each object
    data = ak.ingest(folder / "data", images=cutouts, spectra=survey / "spectra", catalogue=survey / "labels.csv")

    torch.manual_seed(0)  # so that the networks begin at the same weights each time
    encoders = {"image": Apertures(), "spectrum": SpectralShape.for_modality(data.modalities["spectrum"])}
    for when in ("first", "again, found unchanged"):
        start = time.perf_counter()
        features = ak.extract(data, encoders, folder / "features")
        print(f"extracted in {time.perf_counter() - start:.2f} s ({when})")

    heads = ak.Alignment(head=Head(out_features=32, hidden_features=[128], dropout=0.1))
    model = ak.align(features, folder / "model", alignment=heads, training=ak.Training(epochs=30, batch_size=128))
    return ak.embed(model, features, folder / "embeddings")


def main(folder: Path) -> Table:
    space = make_space(folder)
    results = few_shot(space, "class", shots=SHOTS, method="centroid")

    balanced = [one for one in results if one.metric.startswith("balanced_accuracy")]
    rows = [(one.query, one.metric.split("@")[1], one.value, one.std, one.chance, one.n) for one in balanced]
    found = Table(rows=rows, names=["seen", "examples", "balanced_accuracy", "between_draws", "guessing", "n"])
    for name in ("balanced_accuracy", "between_draws", "guessing"):
        found[name].info.format = ".2f"
    found.pprint(max_lines=-1, max_width=-1)

    few_shot_curves(results, name="class").savefig(folder / "few-labels.pdf")

    spectra = {row["examples"]: row for row in found if row["seen"] == "spectrum"}
    print(
        f"By spectra, one example of each class: {spectra['1']['balanced_accuracy']:.2f}, "
        f"all: {spectra['all']['balanced_accuracy']:.2f}, guessing: {spectra['1']['guessing']:.2f}"
    )
    assert spectra["10"]["balanced_accuracy"] > 2 * spectra["10"]["guessing"], "ten examples should tell the classes"
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(sys.argv[1] if sys.argv[1:] else temporary))
