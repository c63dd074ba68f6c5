"""GalSpecNet and the metadata MLP of AstroM3 against their published layouts and plain readings of them."""

import numpy as np
import pytest
import torch
from released_astrom3 import write_released
from torch.nn import functional

from astroclip_kit.encoders import GalSpecNet, MetadataMLP
from astroclip_kit.errors import FileError, InputError, UsageError
from astroclip_kit.transforms.astrom3_columns import METADATA
from astroclip_kit.types import Modality

ENDS = ("weight", "bias")
SMALL = {"width": 8, "depth": 1, "channels": (4, 6, 6, 5), "hidden": 7}


def test_the_published_sizes_have_the_published_parameters():
    with torch.device("meta"):
        spectra, metadata = GalSpecNet(), MetadataMLP()
    assert [sum(one.numel() for one in part.parameters()) for part in (spectra, metadata)] == [22_272, 280_576]
    assert (spectra.out_features, metadata.out_features) == (1184, 512)


@pytest.mark.parametrize("part", ["", "spectra"])
def test_released_convolutions_give_what_their_code_gives(tmp_path, part):
    torch.manual_seed(0)
    state, x = write_released(tmp_path / "model.safetensors", part, **SMALL), torch.randn(2, 3, 2575)
    weights = [one for name, one in state.items() if "layers." in name and "attn" not in name]
    expected = x
    for number in range(4):
        expected = functional.relu(functional.conv1d(expected, *weights[2 * number : 2 * number + 2]))
        expected = functional.max_pool1d(expected, 4) if number < 3 else expected
    encoder = GalSpecNet.from_checkpoint(tmp_path / "model.safetensors").eval()
    given = GalSpecNet(channels=(4, 6, 6, 5), checkpoint=str(tmp_path / "model.safetensors")).eval()
    with torch.inference_mode():
        torch.testing.assert_close(encoder(x), expected.flatten(1), atol=1e-5, rtol=1e-4)
        assert torch.equal(given(x), encoder(x)) and given.checkpoint is None


def test_a_gradient_is_that_of_relu_before_the_highest_of_four():
    torch.manual_seed(0)
    encoder, x = GalSpecNet(1, 40, (3, 2), dropout=0.0), torch.randn(2, 1, 40)
    first, second = encoder.convolutions
    plain = functional.relu(second(functional.max_pool1d(functional.relu(first(x)), 4))).flatten(1)
    found, expected = (torch.autograd.grad(h.square().sum(), first.weight)[0] for h in (encoder(x), plain))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("part", ["", "metadata"])
def test_released_linear_layers_give_what_their_code_gives(tmp_path, part):
    torch.manual_seed(0)
    state, x = write_released(tmp_path / "model.safetensors", part, **SMALL), torch.randn(3, 34)
    expected = x
    for layer in (0, 3):
        weight, bias = (
            next(one for name, one in state.items() if name.endswith(f"model.{layer}.{end}")) for end in ENDS
        )
        expected = functional.relu(expected @ weight.T + bias)
    encoder = MetadataMLP.from_checkpoint(tmp_path / "model.safetensors").eval()
    given = MetadataMLP(hidden_features=7, checkpoint=str(tmp_path / "model.safetensors")).eval()
    with torch.inference_mode():
        torch.testing.assert_close(encoder(x), expected)
        assert torch.equal(given(x), encoder(x))


def test_spectra_of_other_wavelengths(tmp_path):
    lamost = Modality.spectrum("spectrum", np.geomspace(3700, 9100, 3000))
    encoder = GalSpecNet.for_modality(lamost, channels=(4, 4))
    assert encoder.length == 2575 and encoder.preprocess(torch.rand(1, 2, 3000)).shape == (1, 3, 2575)
    infrared = Modality.spectrum("spectrum", np.linspace(15000, 17000, 801))
    encoder = GalSpecNet.for_modality(infrared, channels=(4, 4))
    assert encoder.length == 801 and encoder(encoder.preprocess(torch.rand(1, 2, 801))).shape == (1, 4 * 197)
    write_released(tmp_path / "model.safetensors", **SMALL)
    with pytest.raises(InputError, match="15000 to 17000 Angstrom, 0% of the 3850 to 9000 that the weights of GalSpec"):
        GalSpecNet.for_modality(infrared, checkpoint=str(tmp_path / "model.safetensors"))
    assert GalSpecNet.for_modality(lamost, checkpoint=str(tmp_path / "model.safetensors")).channels == (4, 6, 6, 5)
    own = GalSpecNet.for_modality(infrared, preprocess=torch.nn.Identity(), length=801, in_channels=2, channels=(4,))
    assert own.out_features == 4 * 799


def test_tables_of_other_columns(tmp_path):
    table = Modality("table", "table", ("phot_g_mean_mag", "parallax", "redshift"), (3,))
    encoder = MetadataMLP.for_modality(table, hidden_features=4)
    assert encoder.in_features == 3 and encoder.preprocess.columns == table.channels
    assert encoder.measured_on(torch.rand(9, 3)).eval().preprocess.mean
    assert torch.equal(encoder(torch.tensor([[torch.nan, 0.0, 0.0]])), encoder(torch.zeros(1, 3)))
    write_released(tmp_path / "model.safetensors", **SMALL)
    given = {"checkpoint": str(tmp_path / "model.safetensors"), "hidden_features": 7}
    scaled = Modality("table", "table", tuple(f"scaled_{name}" for name in METADATA), (34,))
    assert MetadataMLP.for_modality(scaled, **given).in_features == 34
    with pytest.raises(InputError, match=r"number 1 of 'table' is phot_g_mean_mag, and .* take scaled_mean_vmag there"):
        MetadataMLP.for_modality(table, **given)
    with pytest.raises(InputError, match=r"number 34 of 'table' is none, and the weights of MetadataMLP take scaled_b"):
        MetadataMLP.for_modality(Modality("table", "table", scaled.channels[:-1], (33,)), **given)


def test_what_does_not_fit_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"GalSpecNet: in_channels 3 and channels \(\) are above 0"):
        GalSpecNet(channels=())
    with pytest.raises(UsageError, match="GalSpecNet: 90 pixels are too few for 4 convolutions"):
        GalSpecNet(length=90)
    with pytest.raises(InputError, match=r"GalSpecNet takes spectra \[B, 3, 2575\], found \(2, 2, 2575\)"):
        GalSpecNet()(torch.zeros(2, 2, 2575))
    with pytest.raises(UsageError, match="MetadataMLP: sizes are above 0; found in_features 34, hidden_features 0"):
        MetadataMLP(hidden_features=0)
    with pytest.raises(InputError, match=r"MetadataMLP takes tables \[B, 5\], found \(2, 34\)"):
        MetadataMLP(5)(torch.zeros(2, 34))
    write_released(tmp_path / "model.safetensors", "photometry", **SMALL)
    for encoder in (GalSpecNet, MetadataMLP):
        with pytest.raises(FileError, match=f"does not fit {encoder.__name__}.*looks like AstroM3's encoder of light"):
            encoder.from_checkpoint(tmp_path / "model.safetensors")
