"""Where spectral lines of galaxies, quasars and stars are, at rest and in vacuum.

Numbers are those of the table that SDSS measured lines with (classic.sdss.org/dr7/algorithms/linestable.html), with
further ones, and Ly alpha, of NIST's Atomic Spectra Database. Doublets that survey spectrographs do not resolve are at
their middle.
"""

from __future__ import annotations

# ruff: noqa: RUF001  (Greek letters are meant)
__all__ = ["ABSORPTION", "EMISSION", "LIGHT_KM_S", "NEBULAR", "SKY"]

LIGHT_KM_S = 299792.458
"""The speed of light, for velocities of redshifts."""

NEBULAR = {
    "H_ALPHA": 6564.61, "H_BETA": 4862.68, "H_GAMMA": 4341.68, "H_DELTA": 4102.89, "NII_6584": 6585.27,
    "NII_6548": 6549.85, "OIII_5007": 5008.24, "OIII_4959": 4960.30, "OII_3727": 3727.09, "OII_3729": 3729.88,
    "SII_6717": 6718.29, "SII_6731": 6732.67, "NEIII_3869": 3869.86, "OI_6300": 6302.05, "HEI_5876": 5877.25,
    "SIII_9069": 9071.10, "SIII_9531": 9533.20,
}  # fmt: skip
"""Lines of ionised gas in galaxies by name, in Angstrom."""

EMISSION = (
    ("Lyα", 1215.67), ("N V", 1240.81), ("Si IV", 1397.61), ("C IV", 1549.48), ("He II", 1640.42),
    ("C III]", 1908.73), ("Mg II", 2799.12), ("[Ne V]", 3426.85),
    ("[O II]", (NEBULAR["OII_3727"] + NEBULAR["OII_3729"]) / 2), ("[Ne III]", NEBULAR["NEIII_3869"]),
    ("Hδ", NEBULAR["H_DELTA"]), ("Hγ", NEBULAR["H_GAMMA"]), ("Hβ", NEBULAR["H_BETA"]),
    ("[O III]", NEBULAR["OIII_4959"]), ("[O III]", NEBULAR["OIII_5007"]), ("He I", NEBULAR["HEI_5876"]),
    ("[O I]", NEBULAR["OI_6300"]), ("[N II]", NEBULAR["NII_6548"]), ("Hα", NEBULAR["H_ALPHA"]),
    ("[N II]", NEBULAR["NII_6584"]), ("[S II]", NEBULAR["SII_6717"]), ("[S II]", NEBULAR["SII_6731"]),
    ("[S III]", NEBULAR["SIII_9069"]), ("[S III]", NEBULAR["SIII_9531"]),
)  # fmt: skip
"""Names and wavelengths in Angstrom of what is mostly seen in emission, the shortest first."""

ABSORPTION = (
    ("Ca K", 3934.78), ("Ca H", 3969.59), ("G", 4305.61), ("Mg b", 5176.7), ("Na D", 5895.6), ("Ca II", 8500.36),
    ("Ca II", 8544.44), ("Ca II", 8664.52),
)  # fmt: skip
"""The same of what is mostly seen in absorption by stars; the Balmer series is among the others."""

SKY = (
    ("Hg I", 4359.56), ("Hg I", 5462.27), ("O I", 5578.89), ("Na I", 5894.57), ("O I", NEBULAR["OI_6300"]),
    ("O I", 6365.54), ("B band", 6869.1), ("A band", 7595.8),
)  # fmt: skip
"""Lines of the night sky and of lamps in vacuum, and the blue edges of two bands of oxygen in the air: as observed."""
