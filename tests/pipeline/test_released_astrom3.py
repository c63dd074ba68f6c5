"""The released AstroM3 on the command line: converted once, then used as a model that `align` wrote."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from released_astrom3 import write_released

from astroclip_kit import cli, convert
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.models import load_model

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
