"""The released AstroM3 on the command line: converted once, then used as a model that `align` wrote."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from released_astrom3 import write_released

from astroclip_kit import cli, convert, extract
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.models import load_model, save_model

sys.path.insert(0, str(Path(__file__).parents[1] / "surveys"))
from layout_astrom3 import write_subset

SMALL = {"width": 8, "depth": 1, "channels": (4, 4, 4, 4), "hidden": 6, "out": 5}
CONFIG = """
ingest:
  sources:
    lightcurve: {{class_path: {reader}, init_args: {{path: {data}, kind: lightcurve{told}}}}}
    spectrum: {{class_path: {reader}, init_args: {{path: {data}, kind: spectrum}}}}
    metadata: {{class_path: {reader}, init_args: {{path: {data}, kind: table{told}}}}}
"""

ALIGN = """
align:
  encoders:
    lightcurve: {class_path: astroclip_kit.encoders.Informer, init_args: {length: 24, width: 8, depth: 1}}
    spectrum: {class_path: astroclip_kit.encoders.GalSpecNet, init_args: {channels: [4, 4, 4]}}
    metadata: {class_path: astroclip_kit.encoders.MetadataMLP, init_args: {hidden_features: 8}}
  split: {column: published_split}
  alignment:
    trainable: {lightcurve: all, spectrum: all, metadata: all}
    head: {out_features: 4, standardise: false}
    objective: {logit_scale: 100.0, learnable_scale: true, reduction: published}
  training: {epochs: 2, batch_size: 4}
embed: {}
"""


@pytest.fixture
def published(tmp_path):
    torch.manual_seed(0)
    write_released(tmp_path / "model.safetensors", **SMALL)
    write_subset(tmp_path)
    return tmp_path


def words(*given):
    return [str(word) for word in given]


def test_the_published_data_go_through_the_released_model(published, capsys):
    reader, stores = "astroclip_kit.surveys.AstroM3Parquet", []
    for told in ("", str(published / "info.json")):
        statistics, model = f", statistics: {told}" if told else "", published / f"astrom3{bool(told)}"
        config = CONFIG.format(reader=reader, data=published / "full_42", told=statistics)
        (published / "run.yaml").write_text(config)
        assert cli.main(words("run", published / "run.yaml", model / "run")) == 0
        more = ["--arguments", json.dumps({"statistics": told})] if told else []
        folders = (published / "model.safetensors", model / "model")
        assert cli.main(words("convert", *folders, "--to", "astrom3", *more)) == 0
        out = capsys.readouterr().out
        assert "AstroM3, 5 features" in out and f"metadata ({'' if told else 'scaled_'}mean_vmag" in out
        assert f"astroclip-kit embed {model / 'model'} DATASET" in out
        assert cli.main(words("embed", model / "model", model / "run" / "data", "--out", model / "embeddings")) == 0
        stores.append(EmbeddingStore(model / "embeddings"))
        assert stores[-1].names == ["lightcurve", "spectrum", "metadata"] and stores[-1].out_features == 5
    for name in stores[0].names:  # scaled when they were published, or scaled here
        one, other = (np.asarray(store.vectors(name)) for store in stores)
        np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1, rtol=1e-5)
        assert (one * other).sum(axis=1).min() > 0.99
    assert cli.main(words("info", model / "model")) == 0
    assert capsys.readouterr().out.count("model.safetensors") == 3
    assert load_model(model / "model").encoders["lightcurve"].attention == {"kind": "prob", "mask_padding": False}


@pytest.mark.slow
def test_its_encoders_are_aligned_from_random_weights_and_extract_what_they_learned(published):
    reader, folder = "astroclip_kit.surveys.AstroM3Parquet", published / "run"
    (published / "run.yaml").write_text(
        CONFIG.format(reader=reader, data=published / "full_42", told=f", statistics: {published / 'info.json'}")
        + ALIGN
    )
    assert cli.main(words("run", published / "run.yaml", folder)) == 0
    model = load_model(folder / "model")
    assert model.encoders["lightcurve"].preprocess.mean and model.encoders["metadata"].preprocess.mean  # measured
    assert model.encoders["lightcurve"].in_channels == 9 and EmbeddingStore(folder / "embeddings").out_features == 4
    save_model(model.encoders["lightcurve"], published / "encoder")
    features = extract(folder / "data", {"lightcurve": published / "encoder"}, published / "features")
    assert features.matrix("lightcurve").shape == (9, 24 * 8)


def test_what_is_wrong_is_said(published):
    with pytest.raises(UsageError, match=r"astrom3 takes no argument 'head'; it takes statistics, an info.json"):
        convert(published / "model.safetensors", published / "out", to="astrom3", arguments={"head": True})
    with pytest.raises(FileError, match=r"is no info.json of AstroM3Dataset"):
        convert(published / "model.safetensors", published / "out", to="astrom3", arguments={"statistics": "none.json"})
    with pytest.raises(UsageError, match="cannot convert to 'clip'; there is: moco, specformer, spender, astrom3"):
        convert(published / "model.safetensors", published / "out", to="clip")
    write_released(published / "photo.safetensors", "photometry", **SMALL)
    with pytest.raises(
        FileError, match=r"it has no 'photometry_proj.weight'. It looks like AstroM3's encoder of light"
    ):
        convert(published / "photo.safetensors", published / "out", to="astrom3")
