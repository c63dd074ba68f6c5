"""VGG1D against its published layout, its attention against a slow loop, and spectra of other grids."""

import math

import numpy as np
import pytest
import torch

from astroclip_kit.contracts import check_encoder
from astroclip_kit.encoders import VGG1D
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import load_model, save_model
from astroclip_kit.transforms import Compose, Resample, SelectChannels, wavelength_grid
from astroclip_kit.types import Modality

NARROW = {"widths": (8, 8, 8, 8, 16), "depths": (1, 1, 1, 1, 1)}


def spectra_on(grid):
    return Modality.spectrum("spectrum", wavelength_grid(grid))


def parameters(module):
    return sum(one.numel() for one in module.parameters())


@pytest.fixture(scope="module")
def published():
    with torch.device("meta"):
        return VGG1D()


@pytest.fixture
def narrow():
    torch.manual_seed(0)
    return VGG1D(**NARROW).eval()


def test_it_has_the_published_layout(published):
    assert parameters(published.convolutions) == 6_690_240  # 6.69 M
    assert parameters(published.attention) == 2 * 64 * 503
    layers = [layer for layer in published.convolutions if isinstance(layer, (torch.nn.Conv2d, torch.nn.MaxPool2d))]
    letters = ["M" if isinstance(layer, torch.nn.MaxPool2d) else layer.out_channels for layer in layers]
    blocks = [[64] * 2, [128] * 2, [256] * 4, [512] * 4, [512] * 4]
    assert letters == [one for block in blocks for one in (*block, "M")]
    assert all(layer.kernel_size == (1, 3) for layer in layers if not isinstance(layer, torch.nn.MaxPool2d))


def test_seven_segments_become_15_tokens_and_one_line_110(published):
    x = torch.zeros(2, 1, 3522, device="meta")
    assert published.tokens(x).shape == (2, 15, 512) and published(x).shape == (2, 512)
    with torch.device("meta"):
        line = VGG1D(stacked=False)
    assert line.tokens(x).shape == (2, 110, 512) and line.shares(x).shape == (2, 7)
    assert line.convolutions[0].in_channels == 1 and published.convolutions[0].in_channels == 7


def test_the_line_is_convolved_as_convolutions_of_one_dimension_do(narrow):
    x = line = torch.rand(2, 7, 503)
    with torch.inference_mode():
        for layer in narrow.convolutions:
            if isinstance(layer, torch.nn.Conv2d):
                line = torch.nn.functional.conv1d(line, layer.weight[:, :, 0], layer.bias, padding=1)
            elif isinstance(layer, torch.nn.BatchNorm2d):
                line = torch.nn.functional.batch_norm(
                    line, layer.running_mean, layer.running_var, layer.weight, layer.bias
                )
            else:
                line = line.relu() if isinstance(layer, torch.nn.ReLU) else torch.nn.functional.max_pool1d(line, 2)
        torch.testing.assert_close(narrow.convolutions(x), line, rtol=1e-4, atol=1e-5)


def test_the_grid_is_sdss_s_own_pixels():
    wavelength = wavelength_grid(VGG1D(**NARROW).grid)
    assert len(wavelength) == 3522 and 4000 <= wavelength[0] and wavelength[-1] <= 9000
    assert np.isin(wavelength.round(6), wavelength_grid("sdss").round(6)).all()


def slow_attention(encoder, flux):
    """Weights [7, 7] of one spectrum, segment by segment."""
    segments = flux[: 7 * 503].reshape(7, 503)
    query, key = encoder.attention.query.weight, encoder.attention.key.weight
    weights = torch.zeros(7, 7)
    for i in range(7):
        scores = torch.stack([(query @ segments[i]) @ (key @ segments[j]) / math.sqrt(64) for j in range(7)])
        weights[i] = scores.exp() / scores.exp().sum()
    return weights, segments


def test_segments_are_mixed_by_their_attention(narrow):
    x = torch.rand(3, 1, 3522)
    with torch.inference_mode():
        shares, tokens = narrow.shares(x), narrow.tokens(x)
        for row in range(3):
            weights, segments = slow_attention(narrow, x[row, 0])
            torch.testing.assert_close(shares[row], weights.mean(dim=0))
            mixed = torch.stack([segments[i] + sum(weights[i, j] * segments[j] for j in range(7)) for i in range(7)])
            torch.testing.assert_close(tokens[row], narrow.convolutions(mixed[None])[0].T, rtol=1e-4, atol=1e-5)


def test_the_segments_have_shares_that_add_up_to_1_and_names(narrow):
    x = torch.rand(4, 3522)
    torch.testing.assert_close(narrow.shares(x).sum(dim=1), torch.ones(4))
    assert narrow.share_names[0] == "4000-4491" and narrow.share_names[6] == "8015-8997"
    plain = VGG1D(self_attention=False, **NARROW)
    torch.testing.assert_close(plain.shares(x), torch.full((4, 7), 1 / 7))
    assert parameters(narrow) - parameters(plain) == 2 * 64 * 503


def test_the_last_pixel_is_left_out(narrow):
    x = torch.rand(1, 1, 3522)
    changed = x.clone()
    changed[..., -1] = 9.0
    with torch.inference_mode():
        assert torch.equal(narrow(changed), narrow(x)) and not torch.equal(narrow(changed.roll(-1, 2)), narrow(x))


@pytest.mark.parametrize("grid", ["sdss", "boss", "lamost", "desi", "sdss 4000-9000"])
def test_spectra_of_any_grid_become_those_of_sdss(grid):
    modality = spectra_on(grid)
    encoder = VGG1D.for_modality(modality, **NARROW)
    check_encoder(encoder, modality)
    wavelength = torch.from_numpy(modality.wavelength_angstrom).float()
    flux = 2 - torch.exp(-(((wavelength - 4861) / 20) ** 2))
    seen = encoder.preprocess(torch.stack([flux, torch.ones_like(flux)])[None])[0, 0]
    assert seen.shape == (3522,) and seen.min() == 0 and seen.max() == 1
    here = wavelength_grid(encoder.grid)
    expected = 1 - np.exp(-(((here - 4861) / 20) ** 2))
    np.testing.assert_allclose(seen, (expected - expected.min()) / np.ptp(expected), atol=5e-3)


def test_sdss_pixels_are_taken_as_they_are():
    x = torch.rand(2, 2, 3921) + 0.5
    encoder = VGG1D.for_modality(spectra_on("sdss"), **NARROW)
    inside = (wavelength_grid("sdss") >= 4000) & (wavelength_grid("sdss") <= 9000)
    flux = x[:, 0, inside]
    low, high = flux.amin(dim=1, keepdim=True), flux.amax(dim=1, keepdim=True)
    torch.testing.assert_close(encoder.preprocess(x)[:, 0], (flux - low) / (high - low))


def test_brightness_and_gaps_do_not_matter(narrow):
    x = torch.rand(2, 2, 3522) + 1
    broken = x.clone()
    broken[:, 0, 100:103], broken[:, 1, 100:103] = 1e9, 0.0
    filled = x.clone()
    for pixel in range(3):
        filled[:, 0, 100 + pixel] = x[:, 0, 99] + (pixel + 1) / 4 * (x[:, 0, 103] - x[:, 0, 99])
    with torch.inference_mode():
        torch.testing.assert_close(narrow.preprocess(broken), narrow.preprocess(filled))
        torch.testing.assert_close(narrow(narrow.preprocess(30 * x)), narrow(narrow.preprocess(x)), atol=1e-4, rtol=0)


def test_a_saved_encoder_can_be_fitted_to_spectra_of_yet_another_grid(tmp_path):
    save_model(VGG1D.for_modality(spectra_on("sdss"), **NARROW), tmp_path / "encoder")
    encoder = load_model(tmp_path / "encoder").fitted_to(spectra_on("desi"))
    steps = [encoder.preprocess.steps[0], *encoder.fitted_to(spectra_on("desi")).preprocess.steps[:1]]
    assert steps == [Resample("desi", "sdss 4000-9000")] * 2
    check_encoder(encoder, spectra_on("desi"))
    assert encoder.fitted_to(spectra_on("sdss 4000-9000")).preprocess(torch.rand(1, 2, 3522)).shape == (1, 1, 3522)


def test_spectra_that_are_short_of_the_range_are_refused():
    with pytest.raises(
        InputError, match=r"'spectrum' covers 5000 to 8000 Angstrom, 58% of the 4000 to 8999 that VGG1D"
    ):
        VGG1D.for_modality(spectra_on((5000, 8000, 1)), **NARROW)
    with pytest.raises(InputError, match="3921 pixels from 3784 to 9333 Angstrom, and the weights of VGG1D are for"):
        check_encoder(VGG1D(**NARROW), spectra_on("sdss"))
    with pytest.raises(InputError, match="VGG1D encodes data of kind 'spectrum', and 'image' is of kind 'image'"):
        VGG1D.for_modality(Modality("image", "image", ("r",), (1, 8, 8)))


@pytest.mark.parametrize("shape", [(1, 2, 3522), (1, 1, 3521), (3522,)])
def test_it_says_what_it_takes(narrow, shape):
    with pytest.raises(InputError, match=r"VGG1D takes fluxes \[B, 1, 3522\], found \("):
        narrow(torch.zeros(shape))


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(UsageError, match=r"one depth for each width, found \(8, 8\) and \(2, 2, 4, 4, 4\)"):
        VGG1D(widths=(8, 8))
    with pytest.raises(UsageError, match="cannot halve 200 segments of 3522 pixels 5 times"):
        VGG1D(segments=200, **NARROW)
    assert VGG1D(segments=200, stacked=False, **NARROW).tokens(torch.zeros(1, 3522)).shape == (1, 106, 16)


def test_a_preprocessing_of_one_s_own_is_kept():
    own = Compose((Resample("desi", "sdss 4000-9000"), SelectChannels()))
    assert VGG1D.for_modality(spectra_on("desi"), preprocess=own, **NARROW).preprocess is own
