"""Images and spectra of the same galaxies in one space: the whole chain in ten lines.

You learn which function makes what: `ingest` a dataset from survey files, `align` a model, `embed` a searchable
space; then `search` asks it for objects, `predict` for properties and `evaluate` for honest numbers. Everything is
a folder, so each step can also be a command: ``astroclip-kit align data --out model ...``.

The survey is a small mock one; put your own folders of cutouts and spectra in its place.
"""

import tempfile
from pathlib import Path

import astroclip_kit as ak
from astroclip_kit.encoders import ImageConvNet, SpectrumConvNet
from astroclip_kit.settings import Optimizer, Schedule
from astroclip_kit.transforms import RandomFlipRotate


def main(folder: Path) -> None:
    survey = ak.simulate("galaxies", folder / "survey", count=500)

    # Survey files to one row per galaxy. Files that cannot be read are left out, counted and listed.
    data = ak.ingest(
        folder / "data",
        images=survey / "cutouts",
        spectra=survey / "spectra",
        catalogue=survey / "catalogue.fits",
        labels=["z", "logmstar"],
    )
    print(data)

    # Small networks that are trained together with the heads; a survey's description gives their sizes.
    image, spectrum = data.modalities["image"], data.modalities["spectrum"]
    model = ak.align(
        data,
        folder / "model",
        encoders={"image": ImageConvNet.for_modality(image), "spectrum": SpectrumConvNet.for_modality(spectrum)},
        alignment=ak.Alignment(
            trainable={"image": "all", "spectrum": "all"},
            augmentations={"image": RandomFlipRotate()},
        ),
        training=ak.Training(
            epochs=12, batch_size=128, optimizer=Optimizer(learning_rate=2e-3), schedule=Schedule(warmup_steps=10)
        ),
    )

    # Unit vectors of every galaxy; those of the test side of the split were never seen in training.
    space = ak.embed(model, data, folder / "embeddings")
    held_out = space.object_ids[space.split == "test"]

    print("\nSpectra most like the image of one held-out galaxy:")
    space.search(held_out[0], query="image", target="spectrum", k=5)["object_id", "similarity", "z"].pprint()

    print("\nIts redshift, read off the spectra of the 16 most similar galaxies:")
    ak.predict(space, ["z"], held_out[0], query="image", memory="spectrum")["object_id", "z", "z_spread"].pprint()

    results = ak.evaluate(space, ["z"], folder / "results")
    across = (results["query"] == "image") & (results["target"] == "spectrum")
    results[across]["task", "metric", "value", "low", "high", "n", "chance"].pprint(max_lines=-1, max_width=-1)

    [found] = results[across & (results["metric"] == "recall@10")]
    assert found["value"] > 3 * found["chance"], "images should find the spectra of their galaxies"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(temporary))
