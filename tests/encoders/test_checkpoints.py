"""Files with the layouts that others have published, read into the encoders of the kit."""

import warnings
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from published_checkpoints import moco_encoder, older, spender_state, write_moco, write_spender

from astroclip_kit.contracts import check_encoder
from astroclip_kit.encoders import ImageBackbone, MocoResNet50, SpenderEncoder
from astroclip_kit.encoders.checkpoints import hyperparameters, read_checkpoint
from astroclip_kit.models import build_for, load_model, save_model
from astroclip_kit.types import Modality

IMAGE = Modality("image", "image", ("g", "r", "z"), (3, 100, 100), "nmgy", (0.262,))
DESI = Modality.spectrum("spectrum", np.linspace(3600.0, 9824.0, 7781))
LAYOUTS = ("current", "several states", "mlp.mlp", "redshift as input", "several old states", "line spread function",
           "sky-line mask", "no instrument", "encoder alone")  # fmt: skip


@pytest.fixture(scope="module")
def moco(tmp_path_factory):
    """The network of Stein et al. with random weights, and its Lightning file."""
    torch.manual_seed(0)
    encoder = moco_encoder().eval()
    for name, buffer in encoder.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.1)
    return encoder, write_moco(tmp_path_factory.mktemp("moco") / "resnet50.ckpt", encoder)


@pytest.fixture(scope="module")
def spender():
    """The state dict of a spender autoencoder with random weights."""
    torch.manual_seed(1)
    return spender_state(rest=200)


def same(encoder, reference, x):
    with torch.inference_mode():
        torch.testing.assert_close(encoder.eval()(x), reference(x), rtol=1e-5, atol=1e-5)


def test_the_file_of_stein_has_the_published_keys(moco):
    tensors = read_checkpoint(moco[1])
    trunk = [name for name in tensors if name.startswith("encoder_q.") and ".fc." not in name]
    assert sum(name.startswith("encoder_q.") for name in tensors) == 322 and len(trunk) == 318
    assert tensors["encoder_q.fc.0.weight"].shape == (2048, 2048) and tensors["encoder_q.fc.2.bias"].shape == (128,)
    assert hyperparameters(moco[1])["softmax_temperature"] == 0.2


def test_the_query_encoder_gives_its_2048_or_its_128_features(moco):
    reference, path = moco
    x = torch.rand(2, 3, 64, 64)
    head = MocoResNet50.from_checkpoint(path, head=True)
    same(head, reference, x)
    assert head.out_features == 128 and sum(one.numel() for one in head.parameters()) == 27_966_656
    trunk = MocoResNet50.from_checkpoint(path)
    assert trunk.out_features == 2048 and sum(one.numel() for one in trunk.parameters()) == 23_508_032
    with torch.inference_mode():
        torch.testing.assert_close(reference.fc(trunk.eval()(x)), reference(x), rtol=1e-5, atol=1e-5)


def test_a_configuration_names_the_file_and_the_saved_encoder_needs_it_no_more(moco, tmp_path):
    part = {
        "class_path": "astroclip_kit.encoders.MocoResNet50",
        "init_args": {"checkpoint": str(moco[1]), "rgb": "viewer"},
    }
    encoder = build_for(part, IMAGE).eval()
    assert encoder.checkpoint is None and encoder.preprocess.steps[-1].variant == "viewer"
    torch.testing.assert_close(encoder.conv1.weight, moco[0].conv1.weight)
    save_model(encoder, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.checkpoint is None and loaded.pixel_scale_arcsec == 0.262
    same(loaded, encoder, torch.rand(1, 3, 64, 64))


@pytest.mark.parametrize("source, classes", [("torchvision", 1000), ("timm", 10)])
def test_a_plain_resnet_loses_its_classifier(source, classes, tmp_path):
    import timm
    import torchvision

    make = {"torchvision": torchvision.models.resnet50, "timm": lambda **more: timm.create_model("resnet50", **more)}
    reference = make[source](num_classes=classes).eval()
    torch.save(reference.state_dict(), tmp_path / "resnet50.pth")
    reference.fc = torch.nn.Identity()
    x = torch.rand(1, 3, 64, 64)
    same(MocoResNet50.from_checkpoint(tmp_path / "resnet50.pth"), reference, x)
    same(ImageBackbone.from_checkpoint("resnet50", tmp_path / "resnet50.pth"), reference, x)


def test_a_backbone_takes_weights_for_other_bands_and_under_any_prefix(tmp_path):
    trained = ImageBackbone("resnet18", in_channels=5).eval()
    state = {f"model.{name}": one for name, one in trained.state_dict().items()}
    torch.save({"state_dict": {**state, "loss.weight": torch.ones(3)}}, tmp_path / "bands.ckpt")
    same(
        ImageBackbone.from_checkpoint("resnet18", tmp_path / "bands.ckpt", in_channels=5),
        trained,
        torch.rand(1, 5, 64, 64),
    )
    mean = trained.network.conv1.weight.mean(dim=1, keepdim=True) * 5 / 2
    two = ImageBackbone.from_checkpoint("resnet18", tmp_path / "bands.ckpt", in_channels=2)
    torch.testing.assert_close(two.network.conv1.weight, mean.expand(-1, 2, -1, -1))


def test_a_backbone_takes_the_query_encoder_of_a_moco_file(moco):
    encoder = ImageBackbone.from_checkpoint("resnet50", moco[1])
    torch.testing.assert_close(encoder.network.conv1.weight, moco[0].conv1.weight)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("activation", ["speculator", "leaky_relu"])
def test_every_layout_of_spender_gives_the_same_encoder(spender, layout, activation, tmp_path):
    state = spender_state(rest=200, activation=activation)
    state |= {name: one for name, one in spender.items() if name.startswith("encoder.")}
    path = write_spender(tmp_path / "spender.pt", older(state)[layout])
    with pytest.warns(match="does not say which wavelengths") if layout == "no instrument" else nullcontext():
        attended, latent = SpenderEncoder.from_checkpoint(path), SpenderEncoder.from_checkpoint(path, latent=True)
    assert (attended.out_features, latent.out_features) == (256, 6)
    for name in ("conv1.0.weight", "conv3.2.weight", "mlp.0.weight", "mlp.7.weight", "mlp.9.bias"):
        torch.testing.assert_close(latent.state_dict()[name], spender[f"encoder.{name}"])
    x = torch.rand(2, 400)
    same(latent, lambda flux: latent.mlp(attended(flux)), x)
    assert attended.grid == (None if layout == "no instrument" else "desi")


def test_a_file_without_wavelengths_says_so_unless_they_are_given(tmp_path):
    state = older(spender_state(rest=200))["no instrument"]
    path = write_spender(tmp_path / "spender.pt", state)
    message = (
        r"spender\.pt does not say which wavelengths its weights are for, .*: give grid, 'desi', 'sdss' or the wave"
    )
    with pytest.warns(UserWarning, match=message):
        assert SpenderEncoder.from_checkpoint(path).grid is None
    with warnings.catch_warnings(action="error"):
        assert SpenderEncoder.from_checkpoint(path, grid="desi").grid == "desi"
        assert SpenderEncoder(checkpoint=path, grid="sdss").grid == "sdss"


@pytest.mark.parametrize("latent, count", [(10, 3_159_178), (6, 3_159_046)])
def test_the_size_of_the_latent_vector_is_read_off_the_file(latent, count, tmp_path):
    state = spender_state(latent, rest=100)
    encoders = [name for name in state if name.startswith("encoder.")]
    assert len(encoders) == 21 and len([name for name in encoders if "instrument" not in name]) == 20
    encoder = SpenderEncoder.from_checkpoint(write_spender(tmp_path / "spender.pt", state), latent=True)
    assert encoder.out_features == latent and sum(one.numel() for one in encoder.parameters()) == count


def test_spender_computes_what_the_package_spender_computes(spender, tmp_path):
    from spender import SpectrumAutoencoder
    from spender.instrument import BaseInstrument

    wavelength = torch.linspace(3600, 9824, 7781, dtype=torch.float64)
    reference = SpectrumAutoencoder(BaseInstrument(wavelength), spender["decoder.wave_rest"], n_latent=6).eval()
    assert set(reference.state_dict()) == set(spender)
    reference.load_state_dict(spender)
    encoder = SpenderEncoder.from_checkpoint(write_spender(tmp_path / "spender.pt", spender), latent=True)
    generator = torch.Generator().manual_seed(2)
    for pixels in (7781, 3921, 4686):
        same(encoder, reference.encode, 1 + 0.3 * torch.randn(2, pixels, generator=generator))


def test_what_the_package_spender_saves_can_be_read(tmp_path):
    from spender import SpectrumAutoencoder
    from spender.instrument import LSF, BaseInstrument

    instrument = BaseInstrument(torch.linspace(3600, 9824, 7781), lsf=LSF(torch.ones(5)))
    model = SpectrumAutoencoder(instrument, torch.linspace(2000, 9824, 300), n_latent=8, act=[torch.nn.LeakyReLU()] * 4)
    path = write_spender(tmp_path / "spender.pt", [model.state_dict()])
    encoder = SpenderEncoder.from_checkpoint(path, latent=True)
    assert encoder.out_features == 8 and encoder.grid == "desi"
    same(encoder, model.eval().encode, torch.rand(2, 7781))


def test_a_spectrum_encoder_of_a_configuration_is_saved_with_its_grid(spender, tmp_path):
    path = write_spender(tmp_path / "spender.pt", spender)
    part = {
        "class_path": "astroclip_kit.encoders.SpenderEncoder",
        "init_args": {"checkpoint": str(path), "latent_features": 6},
    }
    encoder = build_for(part, DESI)
    check_encoder(encoder, DESI)
    save_model(encoder, tmp_path / "model")
    path.unlink()
    loaded = load_model(tmp_path / "model")
    assert (loaded.grid, loaded.checkpoint, loaded.out_features) == ("desi", None, 6)
    same(loaded, encoder, torch.rand(1, 300))


def test_safetensors_and_distributed_names_are_read_as_well(tmp_path):
    from safetensors.torch import save_file

    tensors = {"conv.weight": torch.rand(2, 3), "conv.bias": torch.rand(2)}
    save_file(tensors, tmp_path / "a.safetensors")
    torch.save({f"module.{name}": one for name, one in tensors.items()}, tmp_path / "b.pt")
    for name in ("a.safetensors", "b.pt"):
        read = read_checkpoint(tmp_path / name)
        assert set(read) == set(tensors) and all(torch.equal(read[key], tensors[key]) for key in tensors)
    assert hyperparameters(tmp_path / "b.pt") == {}
