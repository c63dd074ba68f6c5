"""Search with a new spectrum: files that are not in the space find the galaxies that are most like them.

You learn that a query need not be an object of the survey. A file that the kit can read is embedded by the model that
made the space, finds images or spectra, and gets a redshift with an interval from those that it finds; `z_supported`
says whether the space knows objects like it at all.

The survey is a mock one, of which 40 galaxies are set aside: no file of theirs is in the space, and the truth is known.
Takes about 15 seconds of a processor. ``python search_with_a_new_spectrum.py out`` keeps what it makes, to look at with
``astroclip-kit explore out/embeddings``; a file of out/new can be dropped on that page, too.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from astropy.table import Table

import astroclip_kit as ak

LABELS = ["z", "logmstar"]


def set_aside(survey: Path, folder: Path, count: int = 40) -> Table:
    """Moves the files of some galaxies out of the survey; what is true of them."""
    truth = Table.read(survey / "catalogue.fits", unit_parse_strict="silent")[-count:]
    for name in [*truth["cutout_file"], *truth["spectrum_file"]]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (survey / name).rename(folder / name)
    return truth


def make_space(survey: Path, folder: Path) -> ak.EmbeddingStore:
    about = {"images": survey / "cutouts", "spectra": survey / "spectra", "catalogue": survey / "catalogue.fits"}
    data = ak.ingest(folder / "data", **about, labels=LABELS)
    networks = {"image": ak.ImageConvNet, "spectrum": ak.SpectrumConvNet}
    torch.manual_seed(0)  # so that the networks begin at the same weights each time
    model = ak.align(
        data,
        folder / "model",
        encoders={name: network.for_modality(data.modalities[name]) for name, network in networks.items()},
        alignment=ak.Alignment(trainable=dict.fromkeys(networks, "all")),
        training=ak.Training(epochs=15, batch_size=128),
    )
    return ak.embed(model, data, folder / "embeddings")


def main(folder: Path) -> Table:
    survey, new = ak.simulate("galaxies", folder / "survey", count=540), folder / "new"
    truth = set_aside(survey, new)
    space = make_space(survey, folder)
    assert not set(truth["object_id"]) & set(space.object_ids), "what asks is not in the space"
    files = sorted((new / "spectra").glob("*.fits"))

    print(f"Images most like {files[0].name}:")
    answers = space.search(ak.Query(file=files[0]), target="image", k=5)["object_id", "similarity", *LABELS]
    for name in ("similarity", *LABELS):
        answers[name].info.format = ".3f"  # what is shown; the table keeps all digits
    answers.pprint()

    # A whole folder asks at once, each file by itself.
    said = ak.predict(space, LABELS, file=new / "spectra", coverage=0.9)
    truth.add_index("object_id")
    said["true_z"] = [truth.loc[one]["z"] for one in said["object_id"]]
    for name in ("z", "z_low", "z_high", "true_z"):
        said[name].info.format = ".3f"
    said[:8]["object_id", "z", "z_low", "z_high", "true_z", "z_supported"].pprint(max_width=-1)

    error = np.abs(said["z"] - said["true_z"]) / (1 + said["true_z"])
    guess = np.abs(np.median(space.labels["z"]) - said["true_z"]) / (1 + said["true_z"])
    inside = (said["z_low"] <= said["true_z"]) & (said["true_z"] <= said["z_high"])
    print(
        f"Redshifts of {len(said)} new galaxies: median |dz| / (1 + z) {np.median(error):.3f}, of the survey's median "
        f"{np.median(guess):.3f}; in the interval for 90 %: {int(inside.sum())} of {len(said)}"
    )
    assert np.median(error) < 0.7 * np.median(guess), "neighbours of a spectrum should know its redshift"
    return said


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(sys.argv[1] if sys.argv[1:] else temporary))
