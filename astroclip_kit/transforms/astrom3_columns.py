"""What AstroM3's data set calls its classes and columns, and its units: for readers, mock and transforms.

Rizhko & Bloom 2025 (arXiv:2411.08842). Here is nothing to import, so that files are read and simulated without torch.
"""

from __future__ import annotations

__all__ = ["CLASSES", "MAGNITUDES", "METADATA", "PHOTOMETRY", "SCALED", "WAVELENGTHS", "YEAR"]

CLASSES = ("DSCT", "EA", "EB", "EW", "HADS", "M", "ROT", "RRAB", "RRC", "SR")
METADATA = (
    "mean_vmag", "phot_g_mean_mag", "e_phot_g_mean_mag", "phot_bp_mean_mag", "e_phot_bp_mean_mag", "phot_rp_mean_mag",
    "e_phot_rp_mean_mag", "bp_rp", "parallax", "parallax_error", "parallax_over_error", "pmra", "pmra_error", "pmdec",
    "pmdec_error", "j_mag", "e_j_mag", "h_mag", "e_h_mag", "k_mag", "e_k_mag", "w1_mag", "e_w1_mag", "w2_mag",
    "e_w2_mag", "w3_mag", "w4_mag", "j_k", "w1_w2", "w3_w4", "pm", "ruwe", "l", "b",
)  # fmt: skip
MAGNITUDES = (
    "mean_vmag", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_mag", "h_mag", "k_mag", "w1_mag",
    "w2_mag", "w3_mag", "w4_mag",
)  # fmt: skip
PHOTOMETRY = ("amplitude", "period", "lksl_statistic", "rfr_score")  # beside each point of a light curve
SCALED = "scaled_"  # begins the names of columns that came scaled by the statistics of others
WAVELENGTHS = tuple(float(one) for one in range(3850, 9000, 2))  # Angstrom
YEAR = 365.0  # days
