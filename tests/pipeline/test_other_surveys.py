"""Encoders that were trained on one survey and are given the data of another: by the verbs, from end to end."""

import numpy as np
import pytest

import astroclip_kit as ak
from astroclip_kit.errors import InputError
from astroclip_kit.models import load_model
from astroclip_kit.settings import Hardware, Reading
from astroclip_kit.surveys import LegacySurveyCutouts, SDSSSpectra

QUICK = ak.Training(epochs=1, batch_size=32, hardware=Hardware("cpu", "float32"))
CPU = Hardware("cpu", "float32")
SMALL = {"class_path": "astroclip_kit.encoders.SpecFormer", "init_args": {"width": 8, "depth": 1, "heads": 2}}


@pytest.fixture(scope="module")
def trained(chain, tmp_path_factory):
    """Encoder folders of images and of spectra of one survey."""
    root = tmp_path_factory.mktemp("trained")
    ak.pretrain(chain.data, "moco", root / "image", training=QUICK)
    ak.pretrain(chain.data, "masked", root / "spectrum", encoder=SMALL, training=QUICK)
    return {"image": str(root / "image"), "spectrum": str(root / "spectrum")}


@pytest.fixture(scope="module")
def other(chain, tmp_path_factory):
    """The same sky in other bands, and spectra on other wavelengths."""
    out = tmp_path_factory.mktemp("other") / "data"
    images = LegacySurveyCutouts(chain.survey / "cutouts", bands=("z", "g", "r"))
    spectra = SDSSSpectra(chain.survey / "spectra", grid=(3600.0, 10300.0, 2.0))
    ak.ingest(out, images=images, spectra=spectra, reading=Reading(workers=1))
    return out


def test_extract_fits_encoder_folders_to_the_data(chain, trained, other, tmp_path):
    at_home = ak.extract(chain.data, trained, tmp_path / "home", hardware=CPU)
    away = ak.extract(other, trained, tmp_path / "away", hardware=CPU)
    assert away.object_ids.tolist() == at_home.object_ids.tolist()
    np.testing.assert_allclose(away.matrix("image"), at_home.matrix("image"), atol=1e-4)
    h, other_h = (np.asarray(one.matrix("spectrum"), np.float64) for one in (at_home, away))
    assert 0 < np.abs(other_h - h).mean() < 0.5 * np.abs(h - h.mean(axis=0)).mean()  # noise is averaged on the way


def test_an_encoder_itself_is_refused(chain, trained, other, tmp_path):
    encoder = load_model(trained["spectrum"])
    with pytest.raises(
        InputError, match=r"has 3351 pixels from 3600\.0 to 10300\.0 Angstrom, and SpecFormer was trained on"
    ):
        ak.extract(other, {"spectrum": encoder}, tmp_path / "features")


def test_a_model_with_encoders_refuses_to_embed_other_data(chain, other, tmp_path):
    ak.align(chain.data, tmp_path / "model", encoders=chain.encoders, training=QUICK)
    message = "'image' has the channels z, g, r, and the model's encoder of 'image' was trained on the channels g, r, z"
    with pytest.raises(InputError, match=rf"{message}\. Make the data alike, or train on them\."):
        ak.embed(tmp_path / "model", other, tmp_path / "embeddings")
