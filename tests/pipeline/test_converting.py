"""Checkpoints of others on the command line: used as they are, or converted first."""

import pytest
import torch
from published_checkpoints import Payload, moco_encoder, spender_state, write_moco, write_spender

from astroclip_kit import cli, convert, run
from astroclip_kit.encoders import SpecFormer
from astroclip_kit.encoders.checkpoints import read_checkpoint
from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.features import FeatureSet
from astroclip_kit.models import load_model

CONFIG = """
ingest:
  spectra: {survey}/spectra
extract:
  encoders:
    spectrum:
      class_path: astroclip_kit.encoders.SpenderEncoder
      init_args: {{checkpoint: {file}, normalise: zscore}}
"""


@pytest.fixture(scope="module")
def spender(tmp_path_factory):
    torch.manual_seed(0)
    return write_spender(tmp_path_factory.mktemp("spender") / "spender.pt", spender_state(rest=50))


@pytest.mark.slow
def test_a_file_of_a_configuration_and_a_folder_of_convert_are_resampled_for(chain, spender, tmp_path, capsys):
    """The mock's spectra have the grid of BOSS, the weights that of DESI."""
    (tmp_path / "run.yaml").write_text(CONFIG.format(survey=chain.survey, file=spender))
    run(tmp_path / "run.yaml", tmp_path / "run")
    features = FeatureSet(tmp_path / "run" / "features")
    assert features.matrix("spectrum").shape[1] == 256
    steps = features.encoders["spectrum"]["init_args"]["preprocess"]["init_args"]["steps"]
    assert [step["class_path"].rsplit(".")[-1] for step in steps][:1] == ["Resample"]
    assert features.encoders["spectrum"]["init_args"]["checkpoint"] is None
    assert "random weights" not in capsys.readouterr().err
    assert cli.main(["convert", str(spender), str(tmp_path / "encoder"), "--to", "spender"]) == 0
    words = ["extract", chain.data, "--encoders.spectrum", tmp_path / "encoder", "--out", tmp_path / "features"]
    assert cli.main([str(word) for word in words]) == 0
    steps = FeatureSet(tmp_path / "features").encoders["spectrum"]["init_args"]["preprocess"]["init_args"]["steps"]
    assert steps[0]["class_path"].endswith("Resample") and steps[0]["init_args"]["grid"] == "desi"


@pytest.mark.slow
def test_a_moco_file_becomes_an_encoder_folder_that_extract_takes(tmp_path, capsys):
    file = write_moco(tmp_path / "resnet50.ckpt", moco_encoder(), hidden=Payload(f"touch {tmp_path / 'marker'}"))
    words = ["--to", "moco", "--arguments", '{"head": true}', "--out", str(tmp_path / "encoder")]
    assert cli.main(["convert", str(file), *words]) == 0
    assert "MocoResNet50, which gives 128 features, with the weights of" in capsys.readouterr().out
    assert not (tmp_path / "marker").exists()
    encoder = load_model(tmp_path / "encoder")
    assert (encoder.head, encoder.checkpoint, encoder.pixel_scale_arcsec) == (True, None, 0.262)
    assert encoder.weights_from == "resnet50.ckpt"


def test_a_hidden_payload_is_told_and_the_way_out_works(tmp_path, fails, capsys):
    marker, network = tmp_path / "marker", SpecFormer(12, 1, 2)
    content = {"state_dict": network.state_dict(), "hyper_parameters": {"encoder": Payload(f"touch {marker}")}}
    torch.save(content, tmp_path / "specformer.ckpt")
    with pytest.raises(FileError, match="astroclip-kit convert") as error:
        read_checkpoint(tmp_path / "specformer.ckpt")
    command = str(error.value).split("astroclip-kit ")[1].split()
    assert cli.main([*command[:-1], str(tmp_path / "new")]) == 0
    told = capsys.readouterr().out
    assert "19 tensors" in told and "It looks like a SpecFormer. Not run, left out: " in told and ".system." in told
    assert not marker.exists()
    file = tmp_path / "new" / "weights.safetensors"
    assert set(read_checkpoint(file)) == set(network.state_dict())
    told = convert(file, tmp_path / "encoder", to="specformer", arguments={"heads": 2})
    assert "SpecFormer, which gives 12 features" in told
    assert "specformer.ckpt: does not fit MocoResNet50: it has no 'conv1.weight'" in fails(
        "convert", tmp_path / "specformer.ckpt", tmp_path / "moco", "--to", "moco"
    )


def test_what_convert_cannot_do_is_told(spender, tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2)}, tmp_path / "a.safetensors")
    with pytest.raises(UsageError, match="cannot convert to 'vgg'; there is: moco, specformer, spender"):
        convert(spender, to="vgg")
    with pytest.raises(UsageError, match="arguments belong to an encoder: say with --to which"):
        convert(spender, arguments={"head": True})
    with pytest.raises(UsageError, match=r"a\.safetensors is safetensors already: encoders read it as it is"):
        convert(tmp_path / "a.safetensors", tmp_path / "out")
    with pytest.raises(FileError, match=r"absent\.ckpt: there is no such file"):
        convert(tmp_path / "absent.ckpt", tmp_path / "out")
    with pytest.raises(UsageError, match=r"SpenderEncoder: .*unexpected keyword argument 'wings'.*Check the arguments"):
        convert(spender, tmp_path / "out", to="spender", arguments={"wings": 2})
