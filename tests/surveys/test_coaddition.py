import numpy as np
import pytest

from astroclip_kit.errors import InputError
from astroclip_kit.surveys.desi_files.coaddition import Arm, coadd, common_wavelengths

DESI = {"B": (3600, 2751), "R": (5760, 2326), "Z": (7520, 2881)}  # first wavelength and pixels of each arm


def desi_arms(rows, seed=0):
    rng = np.random.default_rng(seed)
    arms = []
    for first, n_pix in DESI.values():
        ivar = rng.uniform(0, 2, (rows, n_pix)) * (rng.random((rows, n_pix)) > 0.1)
        mask = (rng.random((rows, n_pix)) < 0.05).astype(int) * 4
        arms.append(Arm(first + 0.8 * np.arange(n_pix), rng.normal(3, 2, (rows, n_pix)), ivar, mask))
    arms[0].flux[0, 10], arms[1].flux[-1, 20], arms[2].ivar[0, 30] = np.nan, np.inf, np.nan
    return arms


def slowly(arms, row, wavelength):
    """Flux and inverse variance of one pixel by its definition."""
    above = below = 0.0
    for arm in arms:
        for place, here in enumerate(arm.wavelength):
            flux, ivar = arm.flux[row, place], arm.ivar[row, place]
            if abs(here - wavelength) < 0.01 and arm.mask[row, place] == 0 and np.isfinite(flux) and ivar > 0:
                above, below = above + flux * ivar, below + ivar
    return (above / below if below else 0.0), below


def test_the_arms_of_desi_make_one_grid():
    wavelength, places = common_wavelengths([arm.wavelength for arm in desi_arms(2)])
    np.testing.assert_allclose(wavelength, np.linspace(3600, 9824, 7781), atol=1e-6)
    assert places == [slice(0, 2751), slice(2700, 5026), slice(4900, 7781)]


def test_equals_a_slow_loop_over_rows_pixels_and_arms():
    arms = [Arm(*(np.asarray(values)[..., :90] for values in arm)) for arm in desi_arms(3)]
    arms = [arm._replace(wavelength=3600 + 0.8 * (60 * place + np.arange(90))) for place, arm in enumerate(arms)]
    joined = coadd(arms)
    assert joined.flux.shape == (3, 210) and joined.mask is None
    for row in range(3):
        expected = np.array([slowly(arms, row, wavelength) for wavelength in joined.wavelength])
        np.testing.assert_allclose(joined.flux[row], expected[:, 0], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(joined.ivar[row], expected[:, 1], rtol=1e-6)


def test_equals_the_formula_in_the_overlap_of_b_and_r():
    blue, red, _ = arms = desi_arms(2)
    joined = coadd(arms)
    weights = [np.where(arm.mask == 0, arm.ivar, 0) for arm in (blue, red)]
    b, r = weights[0][:, 2700:], weights[1][:, :51]
    fb, fr = blue.flux[:, 2700:], red.flux[:, :51].copy()
    fr[1, 20], r[1, 20] = 0, 0
    np.testing.assert_allclose(joined.wavelength[2700:2751], blue.wavelength[2700:])
    np.testing.assert_allclose(joined.ivar[:, 2700:2751], b + r, rtol=1e-6)
    good = b + r > 0
    expected = (b * fb + r * fr)[good] / (b + r)[good]
    np.testing.assert_allclose(joined.flux[:, 2700:2751][good], expected, rtol=1e-4, atol=1e-5)


def test_pixels_of_one_arm_are_kept_as_they_are():
    arms = desi_arms(2)
    joined, good = coadd(arms), (arms[0].mask == 0) & (arms[0].ivar > 0) & np.isfinite(arms[0].flux)
    alone = np.s_[:, :2700]
    np.testing.assert_array_equal(joined.flux[alone][good[alone]], arms[0].flux[alone][good[alone]].astype("f4"))
    assert not joined.ivar[alone][~good[alone]].any() and not joined.flux[alone][~good[alone]].any()


def test_one_joined_arm_and_arms_in_any_order():
    arms = desi_arms(2)
    joined = coadd(arms)
    again = coadd([joined])
    np.testing.assert_array_equal(again.flux, joined.flux)
    np.testing.assert_allclose(coadd(arms[::-1]).flux, joined.flux, rtol=1e-4, atol=1e-5)


def test_arms_with_a_gap_between_them():
    wavelength, places = common_wavelengths([np.array([4.0, 5.0]), np.array([1.0, 2.0])])
    assert wavelength.tolist() == [1, 2, 4, 5] and places == [slice(2, 4), slice(0, 2)]


def test_arms_that_do_not_fit():
    blue, red, _ = desi_arms(2)
    with pytest.raises(
        InputError, match="pixels of its arms do not coincide where they overlap: co-add the arms first"
    ):
        coadd([blue, red._replace(wavelength=red.wavelength + 0.3)])
    with pytest.raises(InputError, match="wavelengths of an arm are not at least two that ascend"):
        coadd([blue._replace(wavelength=blue.wavelength[::-1])])
    with pytest.raises(InputError, match=r"arrays of its arms have the shapes .*expected \[\(2, 2751\)"):
        coadd([blue, red._replace(flux=red.flux[:1])])
