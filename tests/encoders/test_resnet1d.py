"""ResNet1d against its layout, written out with convolutions of one dimension, and spectra with nothing in them."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from astroclip_kit.contracts import check_encoder
from astroclip_kit.encoders import ResNet1d
from astroclip_kit.encoders.fitted import fitted
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import load_model, save_model
from astroclip_kit.transforms import ClipOutliers, Resample, wavelength_grid
from astroclip_kit.types import Modality

NARROW = {"widths": (4, 8), "blocks": 1, "out_features": 6}


def spectra_on(grid):
    return Modality.spectrum("spectrum", wavelength_grid(grid))


@pytest.fixture
def narrow():
    torch.manual_seed(0)
    encoder = ResNet1d(**NARROW)
    for one in encoder.modules():
        if isinstance(one, torch.nn.BatchNorm2d):
            one.running_mean.normal_()
            one.running_var.uniform_(0.5, 2.0)
    return encoder.eval()


def test_it_has_the_layout_of_the_page():
    with torch.device("meta"):
        encoder = ResNet1d()
    assert len(wavelength_grid(encoder.grid)) == 3700 and encoder.grid == "sdss 3900-9142"
    low, high = wavelength_grid(encoder.grid)[[0, -1]]
    assert low == pytest.approx(3900.3, abs=0.05) and high == pytest.approx(9141.1, abs=0.05)
    convolutions = [one for one in encoder.modules() if isinstance(one, torch.nn.Conv2d)]
    kernels = [one.kernel_size for one in convolutions if one.kernel_size != (1, 1)]
    assert kernels == [(1, 15)] + [(1, 3)] * 16 and encoder.head_activation == "relu"  # with the linear layer 18
    assert sum(one.kernel_size == (1, 1) for one in convolutions) == 3
    maps = encoder.stages(encoder.stem(torch.zeros(2, 1, 1, 3700, device="meta")))
    assert maps.shape == (2, 256, 1, 116) and encoder(torch.zeros(2, 3700, device="meta")).shape == (2, 128)


def norm(x, layer):
    return functional.batch_norm(x, layer.running_mean, layer.running_var, layer.weight, layer.bias)


def slow_block(block, x):
    first, one, _, second, other = block.layers
    stride = first.stride[1]
    inner = norm(functional.conv1d(x, first.weight[:, :, 0], stride=stride, padding=1), one).relu()
    inner = norm(functional.conv1d(inner, second.weight[:, :, 0], padding=1), other)
    if isinstance(block.shortcut, torch.nn.Sequential):
        x = norm(functional.conv1d(x, block.shortcut[0].weight[:, :, 0], stride=stride), block.shortcut[1])
    return (inner + x).relu()


def test_it_is_what_convolutions_of_one_dimension_give(narrow):
    x = line = torch.rand(3, 1, 3700)
    with torch.inference_mode():
        line = functional.conv1d(line, narrow.stem[0].weight[:, :, 0], stride=2, padding=7)
        line = functional.max_pool1d(norm(line, narrow.stem[1]).relu(), 3, 2, 1)
        for block in narrow.stages:
            line = slow_block(block, line)
        expected = narrow.features(line.mean(dim=2))
        torch.testing.assert_close(narrow(x), expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(narrow(x[:, 0]), narrow(x))


def test_a_spectrum_is_standardised_after_its_gaps_are_filled_and_its_outliers_clipped(narrow):
    flux, ivar = torch.linspace(10, 20, 3700).repeat(2, 1), torch.ones(2, 3700)
    flux[0, 100:105], ivar[0, 100:105] = torch.nan, 0.0
    flux[1, 7] = 1e6
    x = narrow.preprocess(torch.stack([flux, ivar], dim=1))
    assert x.shape == (2, 1, 3700) and x.isfinite().all()
    torch.testing.assert_close(x[0, 0, 99:106].diff(), x[0, 0, 98:100].diff().expand(6), rtol=1e-2, atol=1e-5)
    torch.testing.assert_close(x[0].std(unbiased=False), torch.tensor(1.0), rtol=2e-3, atol=0)
    assert abs(x[0].mean()) < 5e-3
    assert x[1, 0, 7] < 62 and x[1, 0, 7] == x[1].max()  # an outlier of 5 sigma, of its own sigma


BAD = {
    "no observed pixel": (torch.full((3700,), torch.nan), torch.zeros(3700)),
    "no inverse variance": (torch.linspace(1, 2, 3700), torch.zeros(3700)),
    "one value": (torch.full((3700,), 3.0), torch.ones(3700)),
    "nothing": (torch.zeros(3700), torch.ones(3700)),
    "median of 0": (torch.zeros(3700).index_fill(0, torch.arange(9), 5.0), torch.ones(3700)),
    "negative": (torch.linspace(-3, -1, 3700), torch.ones(3700)),
    "one pixel": (torch.full((3700,), torch.nan).index_fill(0, torch.tensor([5]), 2.0), torch.ones(3700)),
}


@pytest.mark.parametrize("name", BAD)
def test_what_has_no_level_or_scatter_gives_finite_features(narrow, name):
    x = narrow.preprocess(torch.stack(BAD[name])[None])
    assert x.isfinite().all() and x.abs().max() < 70
    assert narrow(x).isfinite().all()
    if name in ("no observed pixel", "one value", "nothing", "one pixel"):
        assert (x == 0).all()


def test_the_sign_of_a_spectrum_below_zero_stays(narrow):
    rising = torch.stack(BAD["negative"])[None]
    assert narrow.preprocess(rising)[0, 0].diff().min() > 0


@pytest.mark.parametrize("grid", ["sdss", "boss", "lamost", "desi", "sdss 3900-9142"])
def test_spectra_of_other_grids_are_put_on_its_own(grid):
    modality = spectra_on(grid)
    encoder = ResNet1d.for_modality(modality, **NARROW)
    check_encoder(encoder, modality)
    steps = [step for step in getattr(encoder.preprocess, "steps", ()) if isinstance(step, Resample)]
    assert len(steps) == (grid != "sdss 3900-9142")


def test_a_trained_one_is_fitted_to_another_survey(narrow, tmp_path):
    narrow.trained_on = spectra_on("sdss 3900-9142")
    save_model(narrow, tmp_path / "model")
    moved = fitted(load_model(tmp_path / "model"), spectra_on("desi"))
    check_encoder(moved, spectra_on("desi"))
    assert isinstance(moved.preprocess.steps[0], Resample)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"widths": ()}, r"ResNet1d needs sizes above 0, found \(\), 2 blocks, 128"),
        ({"widths": (4, 0)}, r"ResNet1d needs sizes above 0, found \(4, 0\)"),
        ({"out_features": 0}, "ResNet1d needs sizes above 0"),
        ({"grid": "sloan"}, "grid 'sloan' is unknown"),
    ],
)
def test_what_cannot_be_built(arguments, message):
    with pytest.raises(UsageError, match=message):
        ResNet1d(**arguments)


def test_what_it_does_not_take(narrow):
    with pytest.raises(InputError, match=r"ResNet1d takes fluxes \[B, 1, 3700\], found \(2, 1, 3699\)"):
        narrow(torch.zeros(2, 1, 3699))
    with pytest.raises(InputError, match="ResNet1d encodes data of kind 'spectrum', and 'image' is of kind 'image'"):
        ResNet1d.for_modality(Modality("image", "image", ("g",), (1, 8, 8)))
    with pytest.raises(InputError, match="of the 3900 to 9141 that ResNet1d was trained on"):
        ResNet1d.for_modality(Modality.spectrum("spectrum", np.linspace(6000, 9000, 900)))
    with pytest.raises(UsageError, match=r"ClipOutliers sigmas is 0\.0, expected a number above 0"):
        ClipOutliers(0.0)
