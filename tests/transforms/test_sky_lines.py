import numpy as np
import pytest
import torch

from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import build, describe
from astroclip_kit.transforms import MaskSkyLines
from astroclip_kit.transforms.resampling import wavelength_grid
from astroclip_kit.transforms.sky_lines import sky_lines


@pytest.mark.parametrize("grid, count", [("sdss", 660), ("boss", 1061), ("desi", 1941)])
def test_as_many_pixels_are_masked_as_in_spender(grid, count):
    masked = MaskSkyLines(grid)(torch.ones(1, 2, len(wavelength_grid(grid))))
    assert int((masked[0, 1] == 0).sum()) == count


def test_the_half_width_follows_the_formula_line_by_line():
    wavelength = wavelength_grid("desi")
    near = np.zeros(len(wavelength), dtype=bool)
    for line, intensity in sky_lines(20):
        near |= np.abs(wavelength - line) < 3 * (1 + np.log10(intensity / 20))
    masked = MaskSkyLines("desi", min_intensity=20, half_width=3)(torch.ones(1, 2, 7781))
    np.testing.assert_array_equal(masked[0, 1] == 0, near)


def test_the_flux_across_a_line_is_straight_and_a_sky_residual_is_gone():
    wavelength = torch.from_numpy(wavelength_grid("sdss")).float()
    x = torch.stack([wavelength / 1e3, torch.ones(3921), torch.full((3921,), 0.3)])[None]
    spoilt = x.clone()
    spoilt[0, 0, (wavelength - 5578.9).abs() < 4] = 1e4
    spoilt[0, 0, 5] = torch.nan
    cleaned = MaskSkyLines("sdss")(spoilt)
    inner = wavelength < 9200  # the last pixels are masked, with nothing beyond them
    torch.testing.assert_close(cleaned[:, 0, inner], x[:, 0, inner], atol=1e-3, rtol=0)
    assert torch.equal(cleaned[:, 2], x[:, 2])
    torch.testing.assert_close(MaskSkyLines("sdss")(spoilt[:, :1]), cleaned[:, :1])
    assert not MaskSkyLines("sdss")(torch.zeros(1, 2, 3921)).any()


def test_it_is_rebuilt_and_says_what_does_not_fit():
    mask = MaskSkyLines(wavelength_grid("boss"))
    assert mask.wavelength == "boss" and build(describe(mask)) == mask
    with pytest.raises(InputError, match="spectra have 3921 pixels, but the wavelengths of MaskSkyLines 4686"):
        mask(torch.ones(1, 2, 3921))
    with pytest.raises(UsageError, match="must be at least 2 and above 0"):
        MaskSkyLines("boss", min_intensity=1)
