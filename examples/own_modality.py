"""Your own modality and encoder, from a file outside the package: in Python, and named in the YAML of a run.

You learn the three contracts, which `radio_cubes.py` beside this script meets without inheriting from anything. A
reader is a function from a path to an array, and `ak.reader` makes it a source of `ingest`; a transform is a function
from a batch of views to a batch of views; an encoder is any `torch.nn.Module` with ``out_features``, whose
``preprocess``, where it has one, is applied to raw views first. `ak.check_reader` says what is wrong before a long run.

The mock survey: radio cubes and a table of fluxes, both made by the same two hidden properties. Takes about 15 seconds
of a processor. ``python own_modality.py out`` keeps what it makes, with the configuration out/radio.yaml.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import radio_cubes
import torch

import astroclip_kit as ak
from astroclip_kit.encoders import TableValues
from astroclip_kit.surveys import TableReader

FLUXES = ["f_low", "f_mid", "f_high"]
CONFIG = """
ingest:
  sources:
    radio: {{class_path: radio_cubes.cubes, init_args: {{folder: {survey}}}}}
    fluxes:
      class_path: astroclip_kit.surveys.TableReader
      init_args: {{path: {survey}/fluxes.csv, columns: [f_low, f_mid, f_high], id_column: name, name: fluxes}}
  labels: width
  catalogue: {survey}/fluxes.csv
align:
  encoders:
    radio: {{class_path: radio_cubes.RadioEncoder}}
    fluxes: {{class_path: astroclip_kit.encoders.TableValues}}
  alignment: {{trainable: {{radio: all}}}}
  training: {{epochs: 20, batch_size: 64}}
embed: {{}}
"""


def in_python(survey: Path, folder: Path) -> ak.EmbeddingStore:
    sources = {
        "radio": radio_cubes.cubes(str(survey)),
        "fluxes": TableReader(survey / "fluxes.csv", FLUXES, id_column="name", name="fluxes"),
        "truth": TableReader(survey / "fluxes.csv", labels=["width"], id_column="name"),
    }
    ak.check_reader(sources["radio"])  # says what is wrong with a reader, if something is
    data = ak.ingest(folder / "data", **sources)
    torch.manual_seed(0)  # so that the networks begin at the same weights each time
    encoders = {"radio": radio_cubes.RadioEncoder(), "fluxes": TableValues(FLUXES)}
    learn, training = ak.Alignment(trainable={"radio": "all"}), ak.Training(epochs=20, batch_size=64)
    model = ak.align(data, folder / "model", encoders=encoders, alignment=learn, training=training)
    return ak.embed(model, data, folder / "embeddings")


def by_name(survey: Path, folder: Path) -> ak.EmbeddingStore:
    """The same from the command line, in the folder of the module: or put that folder into PYTHONPATH."""
    (folder / "radio.yaml").write_text(CONFIG.format(survey=survey))
    command = [sys.executable, "-m", "astroclip_kit", "run", str(folder / "radio.yaml"), str(folder / "run")]
    subprocess.run(command, check=True, cwd=Path(__file__).parent)
    return ak.EmbeddingStore(folder / "run" / "embeddings")


def main(folder: Path) -> list[float]:
    survey = folder.resolve() / "survey"
    radio_cubes.write_survey(survey)
    found = []
    for way in (in_python, by_name):
        results = ak.evaluate(way(survey, folder.resolve()), ["width"], folder / "results" / way.__name__)
        across = (results["query"] == "radio") & (results["target"] == "fluxes") & (results["metric"] == "r2")
        found.append(float(results[across]["value"][0]))
    print(f"Width of a held-out source from its cube, through the fluxes: R2 {found[0]:.2f}, by YAML {found[1]:.2f}")
    assert min(found) > 0.5, "the width should be readable from the cubes through the fluxes"
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(sys.argv[1] if sys.argv[1:] else temporary))
