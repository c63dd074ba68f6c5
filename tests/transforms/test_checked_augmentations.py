import numpy as np
import pytest
import torch

from astroclip_kit.contracts import check_augmentation
from astroclip_kit.errors import InputError
from astroclip_kit.transforms import (
    ComposeAugmentations,
    Extinction,
    GaussianNoise,
    JitterCrop,
    MaskPixels,
    PSFBlur,
    QuadratureNoise,
    RandomRotate,
    RandomScale,
    RedshiftShift,
    stein_augmentations,
)
from astroclip_kit.types import Modality

GRZ = ("g", "r", "z")
IMAGE = Modality("image", "image", GRZ, (3, 40, 40), "nmgy", (0.262,))
WITH_IVAR = (*GRZ, "ivar_g", "ivar_r", "ivar_z")
IVAR = Modality("cutout", "image", WITH_IVAR, (6, 40, 40), "nmgy", (0.262,))
SPECTRUM = Modality.spectrum("spectrum", np.arange(4000.0, 4400.0, 2.0))


def test_images_may_become_smaller_and_nothing_else_may_change():
    assert check_augmentation(stein_augmentations(size=24), IMAGE).shape == (3, 24, 24)
    assert check_augmentation(RandomRotate(), IMAGE) == IMAGE
    assert check_augmentation(MaskPixels(2, 10), SPECTRUM) == SPECTRUM
    for wrong in (lambda x, seeds: x[:, :2], lambda x, seeds: x[0], lambda x, seeds: torch.cat([x, x], dim=-1)):
        with pytest.raises(InputError, match=r"is no augmentation of 'image': it gives \(.*\) for \(2, 3, 40, 40\)"):
            check_augmentation(wrong, IMAGE)
    with pytest.raises(InputError, match=r"it gives \(2, 2, 199\) for \(2, 2, 200\)"):
        check_augmentation(lambda x, seeds: x[..., 1:], SPECTRUM)
    with pytest.raises(InputError, match="it gives NoneType for"):
        check_augmentation(lambda x, seeds: None, IMAGE)


@pytest.mark.parametrize(
    "part", [RandomRotate(), RandomScale(), ComposeAugmentations([JitterCrop(24), RandomRotate()])]
)
def test_inverse_variances_are_refused_by_what_mixes_pixels(part):
    with pytest.raises(
        InputError, match="makes each pixel of several, for which the inverse variance 'ivar_g' of 'cut"
    ):
        check_augmentation(part, IVAR)


def test_inverse_variances_are_carried_by_what_does_not():
    chain = ComposeAugmentations([Extinction(WITH_IVAR), JitterCrop(24), QuadratureNoise(WITH_IVAR)])
    assert check_augmentation(chain, IVAR).shape == (6, 24, 24)


@pytest.mark.parametrize("part", [Extinction(), PSFBlur(), QuadratureNoise(), stein_augmentations(size=24)])
def test_other_bands_and_another_order_are_refused(part):
    for bands in (("r", "g", "z"), ("g", "r", "i")):
        other = Modality("image", "image", bands, (3, 40, 40), "nmgy", (0.262,))
        with pytest.raises(InputError, match=f"'image' has the channels {', '.join(bands)}, and .* is for g, r, z"):
            check_augmentation(part, other)


def test_other_pixels_and_wavelengths_are_refused():
    fine = Modality("image", "image", GRZ, (3, 40, 40), "nmgy", (0.168,))
    with pytest.raises(InputError, match=r"'image' has pixels of 0\.168 arcsec, and PSFBlur draws widths for 0\.262"):
        check_augmentation(PSFBlur(), fine)
    check_augmentation(PSFBlur(pixel_scale_arcsec=0.168), fine)
    check_augmentation(PSFBlur(true=(1, 1, 1), final=(2, 2, 2)), fine)
    check_augmentation(PSFBlur(), Modality("image", "image", GRZ, (3, 40, 40)))  # not known
    check_augmentation(RedshiftShift((4000, 4398, 2)), SPECTRUM)
    with pytest.raises(InputError, match="RedshiftShift is for other wavelengths than the 200 of 'spectrum'"):
        check_augmentation(RedshiftShift((4001, 4399, 2)), SPECTRUM)
    with pytest.raises(InputError, match="GaussianNoise cannot augment 'spectrum'"):
        check_augmentation(GaussianNoise((0.1, 0.2, 0.3)), SPECTRUM)
