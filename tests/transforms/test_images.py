import numpy as np
import pytest
import torch

from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import build, describe
from astroclip_kit.transforms import (
    Asinh,
    CenterCrop,
    Compose,
    ComposeAugmentations,
    Downsample,
    GaussianNoise,
    RandomFlipRotate,
    ToRGB,
)


def images(count=4, channels=3, size=16, seed=0):
    return torch.randn(count, channels, size, size, generator=torch.Generator().manual_seed(seed)) * 0.3


def rgb_of_one_pixel(g, r, z, quirk):
    """The formula of the specification, one pixel at a time."""
    scaled = {"z": 2.2 * z, "r": 3.4 * r, "g": 6.0 * g}
    intensity = np.mean([max(0.0, value + 0.03) for value in scaled.values()])
    stretch = np.arcsinh(20 * intensity) / np.sqrt(20)
    stretch /= intensity if intensity > 0 else 1e-6
    flux = {"z": z, "r": r, "g": g}
    scale = {"z": 2.2, "r": 3.4, "g": 6.0}
    viewer = [(scaled[band] + 0.03) * stretch for band in "zrg"]
    stein = [flux[band] * (scale[band] + 0.03 * stretch) for band in "zrg"]
    return np.clip(stein if quirk else viewer, 0, 1)


@pytest.mark.parametrize("variant", ["viewer", "stein"])
def test_rgb_equals_the_formula_pixel_by_pixel(variant):
    x = images(2)
    rgb = ToRGB(variant)(x)
    for row, i, j in [(0, 0, 0), (1, 7, 3), (0, 15, 15)]:
        g, r, z = x[row, :, i, j].tolist()
        np.testing.assert_allclose(rgb[row, :, i, j], rgb_of_one_pixel(g, r, z, variant == "stein"), atol=1e-6)


def test_the_rgb_variants_differ_and_raw_keeps_the_fluxes():
    x = images().abs() * 0.3
    assert (ToRGB("viewer")(x) - ToRGB("stein")(x)).abs().max() > 0.2
    assert torch.equal(ToRGB("raw")(x), x)


def test_rgb_follows_the_order_of_the_bands_and_changes_no_argument():
    x = images()
    before = x.clone()
    assert torch.equal(ToRGB("viewer", ("z", "r", "g"))(x.flip(1)), ToRGB("viewer")(x))
    assert torch.equal(x, before)


def test_rgb_of_missing_and_dark_pixels_is_finite():
    x = images()
    x[0, 1] = torch.nan
    x[1] = -1.0
    for variant in ("viewer", "stein", "raw"):
        assert ToRGB(variant)(x).isfinite().all()


def test_rgb_says_what_it_cannot_do():
    with pytest.raises(UsageError, match="'sdss' is not one of viewer, stein, raw"):
        ToRGB("sdss")
    with pytest.raises(UsageError, match="cannot make red, green and blue of the bands g, i, z"):
        ToRGB(bands=("g", "i", "z"))
    with pytest.raises(UsageError, match="of the bands g, r, W1"):
        ToRGB(bands=("g", "r", "W1"))
    with pytest.raises(InputError, match="5 channels, expected 3: g, r, z"):
        ToRGB()(images(channels=5))


@pytest.mark.parametrize("size, crop", [(16, 16), (16, 10), (17, 10), (16, 9)])
def test_the_crop_is_central(size, crop):
    x = torch.zeros(1, 1, size, size)
    x[..., size // 2, size // 2] = 1
    cropped = CenterCrop(crop)(x)
    row, column = np.argwhere(cropped[0, 0].numpy() == 1)[0]
    assert cropped.shape[-2:] == (crop, crop) and row == column and abs(row - crop / 2) <= 1


def test_a_crop_larger_than_the_image_is_an_error():
    with pytest.raises(InputError, match="16 x 16 pixels cannot be cropped to 96"):
        CenterCrop(96)(images())


def test_arcsinh_is_that_of_torch_from_the_faintest_to_the_brightest():
    size = torch.cat([torch.zeros(1), torch.logspace(-8, 17, 500)])
    x = torch.stack([size, -size]).reshape(1, 2, 3, 167)
    torch.testing.assert_close(Asinh()(x), torch.asinh(x), rtol=1e-6, atol=1e-6)
    assert Asinh()(torch.full((1, 1, 1, 1), -3e38)).item() < -40


def test_asinh_takes_one_scale_or_one_per_channel():
    x = images()
    x[0, 0, 0, 0] = torch.nan
    per_channel = Asinh((0.1, 0.2, 0.3))(x)
    torch.testing.assert_close(per_channel[:, 1], Asinh(0.2)(x)[:, 1])
    assert per_channel[0, 0, 0, 0] == 0
    with pytest.raises(InputError, match="2 values for images of 3 channels"):
        Asinh((0.1, 0.2))(x)


def test_asinh_measures_the_noise_of_each_channel_where_it_has_no_scale():
    x = images(64) * torch.tensor([1.0, 10.0, 0.0])[:, None, None]
    x[:, 0, 0, 0] = torch.nan
    softened = Asinh(None).measured_on(x)
    assert softened.scale == pytest.approx((0.3, 3.0, 1.0), rel=0.05)
    torch.testing.assert_close(Asinh(None)(x), Asinh(1.0)(x))
    assert Asinh(2.0).measured_on(x) == Asinh(2.0) and describe(build(describe(softened))) == describe(softened)
    assert Asinh(None).measured_on(x * torch.nan).scale == (1.0, 1.0, 1.0)


def test_downsampling_leaves_missing_pixels_out():
    x = torch.tensor([[[[1.0, 3.0, 9.0], [torch.nan, 5.0, 9.0]]]])
    assert Downsample(2)(x).tolist() == [[[[3.0]]]]


def test_flips_and_rotations_reach_all_eight_orientations():
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    turned = RandomFlipRotate()(x.expand(200, 1, 3, 3), torch.arange(200))
    expected = {tuple(torch.rot90(y, k, (-2, -1)).flatten().tolist()) for y in (x, x.flip(-1)) for k in range(4)}
    assert {tuple(one.flatten().tolist()) for one in turned} == expected
    assert RandomFlipRotate()(torch.zeros(2, 1, 3, 4), torch.arange(2)).shape == (2, 1, 3, 4)


def test_noise_has_its_sigma_per_channel():
    noise = GaussianNoise((0.1, 0.2, 0.3))(torch.zeros(50, 3, 16, 16), torch.arange(50))
    torch.testing.assert_close(noise.std(dim=(0, 2, 3)), torch.tensor([0.1, 0.2, 0.3]), rtol=0.03, atol=0)


@pytest.mark.parametrize(
    "augment", [RandomFlipRotate(), GaussianNoise(0.1), ComposeAugmentations([RandomFlipRotate(), GaussianNoise(0.1)])]
)
def test_an_augmentation_of_a_row_depends_on_its_seed_alone(augment):
    x, seeds = images(6), torch.arange(6)
    whole = augment(x, seeds)
    assert torch.equal(augment(x[2:3], seeds[2:3]), whole[2:3])
    assert not torch.equal(augment(x, seeds + 100), whole)


def test_two_steps_of_a_chain_draw_differently():
    once, twice = GaussianNoise(1.0), ComposeAugmentations([GaussianNoise(1.0), GaussianNoise(1.0)])
    x = torch.zeros(20, 1, 16, 16)
    assert twice(x, torch.arange(20)).std() == pytest.approx(2**0.5, rel=0.03)
    assert once(x, torch.arange(20)).std() == pytest.approx(1.0, rel=0.03)


def test_a_chain_is_rebuilt_from_its_description():
    chain = Compose([CenterCrop(8), ToRGB("stein"), Asinh((0.1, 0.2, 0.3))])
    rebuilt = build(describe(chain))
    assert torch.equal(rebuilt(images()), chain(images()))
    assert describe(rebuilt) == describe(chain)
