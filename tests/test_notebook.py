"""The chain in a real Jupyter kernel, with an encoder, a reader and a transform that the notebook itself defines."""

import pytest
from peers import library

OWN_PARTS = """
import numpy as np
import torch
from astropy.io import fits

import astroclip_kit as ak
from astroclip_kit.encoders import SpectralShape
from astroclip_kit.report import figures


def read_cutout(path):
    return fits.getdata(path)


def flip(x, seeds):
    return torch.where((seeds % 2 == 0)[:, None, None, None], x.flip(-1), x)


class Small(torch.nn.Module):
    def __init__(self, in_channels, out_features=16):
        super().__init__()
        self.in_channels, self.out_features = in_channels, out_features
        self.preprocess = lambda x: (x / 0.01).asinh()
        self.convolution = torch.nn.Conv2d(in_channels, out_features, 5, stride=4)

    def forward(self, x):
        return self.convolution(x).relu().mean((2, 3))


survey = ak.simulate("galaxies", "survey", count=120)
"""

DATA = """
data = ak.ingest("data", images=ak.reader(read_cutout, "survey/cutouts/*.fits"), spectra="survey/spectra",
                 catalogue="survey/catalogue.fits", labels=["z"])
data
"""
FEATURES = """
encoders = {"image": Small(3), "spectrum": SpectralShape.for_modality(data.modalities["spectrum"])}
features = ak.extract(data, encoders, "features", augmentations={"image": flip}, views=2)
features
"""
MODEL = """
model = ak.align(features, "model", training=ak.Training(epochs=2))
model
"""
SPACE = """
space = ak.embed(model, features, "embeddings")
space
"""
RESULTS = 'ak.evaluate(space, ["z"], "results", features=features)'
SEARCH = 'found = space.search(space.object_ids[3], query="image", target="spectrum", k=5)\nfound'
PREDICT = 'ak.predict(space, ["z"], query="image", memory="spectrum")'
ENSEMBLE = 'ak.align(features, "ensemble", alignment=ak.Alignment(members=2), training=ak.Training(epochs=2))'

OWN_ENCODER_TRAINED = """
settings = ak.Alignment(trainable={"image": "all"}, augmentations={"image": flip})
trained = ak.align(data, "trained", encoders=encoders, alignment=settings, training=ak.Training(epochs=2))
trained
"""
OWN_MODEL_EMBEDS = """
first, again = ak.embed(trained, data, "space"), ak.embed("trained", data, "again", trusted=True)
assert np.array_equal(first.vectors("image"), again.vectors("image"))
assert not torch.distributed.is_initialized()
try:
    ak.embed("trained", data, "third")
except ak.KitError as error:
    print(error)
print(ak.info("trained"))
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A function that runs cells in a fresh kernel and gives the outputs of each."""
    nbformat, nbclient = (library(name) for name in ("nbformat", "nbclient"))
    library("ipykernel")

    def run(*cells):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells])
        folder = tmp_path_factory.mktemp("notebook")
        nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
        return [cell.outputs for cell in notebook.cells]

    return run


def shown(outputs):
    """What the last line of a cell shows, by kind."""
    [result] = [output for output in outputs if output.output_type == "execute_result"]
    return result.data


def text(outputs, name):
    return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == name)


@pytest.mark.slow
def test_the_ten_lines_show_themselves(run):
    cells = {
        "dataset": (DATA, "<td>spectrum</td>"),
        "features": (FEATURES, "<td>Small</td>"),
        "model": (MODEL, "<td>image</td><td>features</td>"),
        "space": (SPACE, "has_spectrum"),
        "search": (SEARCH, "similarity"),
        "predict": (PREDICT, "z_spread"),
        "results": (RESULTS, "recall@10"),
        "ensemble": (ENSEMBLE, "Ensemble of 2"),
        "history": ("model.history", "val_loss"),
    }
    outputs = run(OWN_PARTS, *(cell for cell, _ in cells.values()), "figures.search_panel(found, data)")
    for (_, expected), output in zip(cells.values(), outputs[1:], strict=False):
        assert expected in shown(output)["text/html"] and shown(output)["text/plain"]
    assert shown(outputs[-1])["image/png"]
    for output in outputs:  # a bar writes over itself, and says nothing of a missing package
        bars = text(output, "stderr")
        assert "Warning" not in bars and bars.count("\n") < 10 and len(bars) < 10_000


@pytest.mark.slow
def test_a_model_with_an_encoder_of_the_notebook_is_trained_saved_and_used(run):
    *_, trained, used = run(OWN_PARTS, DATA, FEATURES, OWN_ENCODER_TRAINED, OWN_MODEL_EMBEDS)
    assert "views, through Small</td><td>all</td>" in shown(trained)["text/html"]
    assert "uses __main__.Small" in text(used, "stdout") and "trusted=True" in text(used, "stdout")
    assert "ContrastiveModel, " in text(used, "stdout")
