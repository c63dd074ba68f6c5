"""Wavelengths of spectral lines."""

from astropy.constants import Ryd

from astroclip_kit.transforms.spectral_lines import ABSORPTION, EMISSION, NEBULAR


def balmer(upper):
    """Vacuum wavelength in Angstrom by Rydberg's formula, with the reduced mass of the proton."""
    rydberg = Ryd.to_value("1/Angstrom") / (1 + 5.446170e-4)
    return 1 / (rydberg * (1 / 4 - 1 / upper**2))


def test_hydrogen_is_where_rydberg_puts_it_in_vacuum():
    for name, upper in (("H_ALPHA", 3), ("H_BETA", 4), ("H_GAMMA", 5), ("H_DELTA", 6)):
        assert abs(NEBULAR[name] - balmer(upper)) < 0.15
    assert abs(EMISSION[0][1] - balmer(4) / 4) < 0.02  # Ly alpha


def test_lines_are_in_order_and_named():
    for lines in (EMISSION, ABSORPTION):
        assert [wave for _, wave in lines] == sorted(wave for _, wave in lines)
        assert all(name for name, _ in lines)


def test_doublets_are_at_their_middle():
    assert dict(EMISSION)["[O II]"] == (NEBULAR["OII_3727"] + NEBULAR["OII_3729"]) / 2
