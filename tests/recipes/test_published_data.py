"""The recipe on files in the layouts of the published data and weights; what is in them is random."""

import numpy as np
import pytest
import torch
from layout_astroclip import write_joint
from layout_provabgs import FIRST, write_provabgs
from published_checkpoints import moco_encoder, spender_state, write_moco, write_spender

from astroclip_kit import pipeline
from astroclip_kit.features import FeatureSet
from astroclip_kit.models import load_model
from astroclip_kit.settings import Material

CHANGES = [
    "extract.views=2",
    "align.training.epochs=1",
    "align.split={test: 0.3, valid: 0.5}",
    "evaluate.settings={k: 3, n_boot: 20, where: split != 'train'}",
]


def galaxies(count):
    """Round blobs [count, 152, 152, 3] of different sizes, brightnesses and colours, in nanomaggies."""
    rng = np.random.default_rng(0)
    radius = np.hypot(*np.mgrid[-76:76, -76:76])
    size, flux = rng.uniform(3, 15, (count, 1, 1, 1)), rng.uniform(0.02, 0.4, (count, 1, 1, 3))
    return (flux * np.exp(-radius[..., None] / size) + rng.normal(0, 0.005, (count, 152, 152, 3))).astype("f4")


@pytest.mark.slow
def test_the_joint_file_with_released_weights_and_provabgs(tmp_path, monkeypatch):
    monkeypatch.setattr("astroclip_kit.recipes.structure.METHOD", "pca")
    torch.manual_seed(0)
    encoder = moco_encoder().eval()
    joint, masses = write_joint(tmp_path, (40,), images=galaxies(40)), write_provabgs(tmp_path, count=35)
    weights = write_moco(tmp_path / "resnet50.ckpt", encoder), write_spender(tmp_path / "spender.pt", spender_state())
    table = pipeline.reproduce(
        "astroclip", tmp_path / "run", material=Material(*map(str, (joint, masses, *weights))), overrides=CHANGES
    )
    assert set(table["data"]) == {"real"} and not any(table["remark"])
    counts = {row["query"]: row["measured"] for row in table if row["metric"] == "parameters"}
    assert counts == {"image": 4_458_624, "spectrum": 230_272}
    known = table[(table["metric"] == "r2") & (table["data"] == "real")]
    assert set(known["property"]) == {"z", "logmstar"}
    features = FeatureSet(tmp_path / "run" / "features")
    assert (features.out_features("image"), features.out_features("spectrum")) == (2048, 256)
    row = list(features.object_ids).index(str(FIRST + 3))
    assert features.labels["log_mstar"][row] > 8 and features.labels["z"][row] == pytest.approx(
        0.1 + 0.4 * 3 / 34
    )  # of PROVABGS
    head = load_model(tmp_path / "run" / "model").heads["image"]
    moved = np.abs(head.layers[0].weight.detach().numpy() - encoder.fc[0].weight.detach().numpy()).max()
    assert 0 < moved < 0.01  # it went on from the released weights


@pytest.mark.slow
def test_a_mock_arrives_on_the_grid_of_the_released_spectrum_encoder(tmp_path, monkeypatch):
    from astroclip_kit.data import Dataset

    monkeypatch.setattr("astroclip_kit.recipes.structure.METHOD", "pca")
    weights = write_spender(tmp_path / "spender.pt", spender_state())
    material = Material(image_weights="random", spectrum_weights=str(weights), count=60)
    table = pipeline.reproduce("astroclip", tmp_path / "run", material=material, overrides=CHANGES)
    assert Dataset(tmp_path / "run" / "data").modalities["spectrum"].shape == (2, 7781)
    assert FeatureSet(tmp_path / "run" / "features").encoders["spectrum"]["init_args"]["grid"] == "desi"
    assert set(table["data"]) == {"mock"} and "untrained image encoder" in table["remark"]
