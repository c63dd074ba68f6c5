import numpy as np
import pytest
import torch
from scipy import ndimage

from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.transforms import CenterCrop, JitterCrop, RandomRotate, RandomScale
from astroclip_kit.transforms.randomness import uniform


def images(count=4, channels=3, height=33, width=33, seed=0):
    return torch.rand(count, channels, height, width, generator=torch.Generator().manual_seed(seed))


def looked_up(image, matrix):
    """What SciPy finds at `matrix` times (x, y) from the center, in pixels."""
    height, width = image.shape
    y, x = np.mgrid[:height, :width] - np.array([(height - 1) / 2, (width - 1) / 2])[:, None, None]
    there_x, there_y = matrix[0, 0] * x + matrix[0, 1] * y, matrix[1, 0] * x + matrix[1, 1] * y
    places = [there_y + (height - 1) / 2, there_x + (width - 1) / 2]
    return ndimage.map_coordinates(image, places, order=1, mode="reflect")


@pytest.mark.parametrize("height, width", [(33, 33), (32, 32), (24, 41)])
def test_rotation_and_flips_equal_scipy(height, width):
    x, seeds = images(8, height=height, width=width), torch.arange(8)
    turned, draw = RandomRotate()(x, seeds), uniform(seeds, (3,)).numpy()
    for row in range(8):
        angle, flip = 2 * np.pi * draw[row, 0], np.where(draw[row, 1:] < 0.5, -1, 1)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        expected = looked_up(x[row, 1].numpy(), flip[:, None] * turn)
        np.testing.assert_allclose(turned[row, 1], expected, atol=2e-4)
    assert len({tuple(np.where(one[1:] < 0.5, -1, 1)) for one in uniform(torch.arange(50), (3,)).numpy()}) == 4


def test_scaling_equals_scipy_in_both_axes():
    x, seeds = images(6, height=24, width=41), torch.arange(6)
    scaled = RandomScale(0.7, 1.3)(x, seeds)
    for row in range(6):
        factor = 0.7 + 0.6 * float(uniform(seeds)[row])
        np.testing.assert_allclose(scaled[row, 2], looked_up(x[row, 2].numpy(), np.eye(2) / factor), atol=2e-4)
    torch.testing.assert_close(RandomScale(1.0, 1.0)(x, seeds), x, atol=1e-5, rtol=0)


@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_an_object_grows_in_height_as_in_width(factor):
    y, x = np.mgrid[:61, :61] - 30
    blob = torch.from_numpy(np.exp(-(x**2 + y**2) / 50)).float()[None, None]
    scaled = RandomScale(factor, factor)(blob, torch.tensor([0]))[0, 0].numpy()
    for axis in (x, y):
        width = np.sqrt((scaled * axis**2).sum() / scaled.sum())
        assert width == pytest.approx(5 * factor, rel=0.02)


def test_no_corner_of_a_central_crop_is_black_and_none_is_mirrored():
    x = torch.zeros(300, 1, 152, 152)
    y, across = np.mgrid[:152, :152] - 75.5
    x[:] = torch.from_numpy(np.hypot(y, across)).float()  # a rotation changes none of it but the mirrored corners
    turned = CenterCrop(106)(RandomRotate()(x, torch.arange(300)))
    torch.testing.assert_close(turned, CenterCrop(106)(x), atol=0.2, rtol=0)
    assert (RandomRotate()(x + 1, torch.arange(300)) > 0.5).all()


@pytest.mark.parametrize("shape", [(40, 40), (41, 37)])
def test_a_jittered_crop_is_a_window_of_the_image(shape):
    x, seeds = images(200, height=shape[0], width=shape[1]), torch.arange(200)
    cropped = JitterCrop(21, 5)(x, seeds)
    assert cropped.shape == (200, 3, 21, 21)
    found = set()
    for row in range(200):
        windows = x[row, 0].unfold(0, 21, 1).unfold(1, 21, 1)
        at = (windows == cropped[row, 0]).all(dim=3).all(dim=2).nonzero()
        assert len(at) == 1
        assert torch.equal(x[row, 2, at[0, 0] : at[0, 0] + 21, at[0, 1] : at[0, 1] + 21], cropped[row, 2])
        found.add(tuple((at[0] - torch.tensor([(shape[0] - 21) // 2, (shape[1] - 21) // 2])).tolist()))
    assert {shift[0] for shift in found} == {shift[1] for shift in found} == set(range(-5, 6))
    assert len(found) > 80  # both axes are drawn apart


def test_a_crop_without_room_does_not_shift():
    x = images(3, height=32, width=32)
    assert torch.equal(JitterCrop(32)(x, torch.arange(3)), x)
    assert torch.equal(JitterCrop(20, 0)(x, torch.arange(3)), CenterCrop(20)(x))


@pytest.mark.parametrize("augment", [RandomRotate(), RandomScale(), JitterCrop(16)])
def test_a_row_depends_on_its_seed_alone(augment):
    x, seeds = images(6), torch.arange(6)
    x[1, 0, 5, 5] = torch.nan
    before, whole = x.clone(), augment(x, seeds)
    torch.testing.assert_close(augment(x[2:3], seeds[2:3]), whole[2:3], rtol=0, atol=0)
    torch.testing.assert_close(augment(x.flip(0), seeds.flip(0)).flip(0), whole, rtol=0, atol=0, equal_nan=True)
    assert not torch.equal(augment(x, seeds + 100)[0], whole[0])
    torch.testing.assert_close(x, before, equal_nan=True)


def test_a_missing_pixel_spoils_no_other():
    x = images(2)
    x[:, :, 3, 3] = torch.nan
    assert RandomRotate()(x, torch.arange(2)).isfinite().all() and RandomScale()(x, torch.arange(2)).isfinite().all()


def test_numbers_that_make_no_augmentation():
    with pytest.raises(UsageError, match=r"factors from 1\.1 to 0\.9, expected 0 < low <= high"):
        RandomScale(1.1, 0.9)
    with pytest.raises(UsageError, match="size 0 and jitter 7, expected at least 1 and 0"):
        JitterCrop(0)
    with pytest.raises(InputError, match=r"JitterCrop keeps 96 pixels on a side, found images of \(33, 33\)"):
        JitterCrop(96)(images(), torch.arange(4))
