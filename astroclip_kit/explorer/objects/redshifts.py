"""What the catalogue says of how far lines are shifted: a redshift, its logarithm, or the radial velocity of a star."""

from __future__ import annotations

import math

from ...transforms.spectral_lines import LIGHT_KM_S
from ..space import Space
from .plots import in_unit

__all__ = ["HIGHEST", "LIGHT_KM_S", "LOGARITHMS", "LOWEST", "REDSHIFTS", "redshift_of"]

REDSHIFTS = (
    *("z", "redshift", "z_spec", "zspec", "spec_z", "specz", "spectrum_z", "z_hp", "z_best", "zbest", "catalogue_z"),
    *("z_phot", "zphot", "photo_z", "photoz", "z_photo"),
)
LOGARITHMS = ("log10_z", "log_z", "logz", "log10z", "log10_redshift", "log_redshift")  # to the base of 10
VELOCITIES = ("rv", "radial_velocity", "vrad", "v_rad", "rv_km_s", "helio_rv", "heliocentric_rv")
LARGEST_LOG = 20.0
LOWEST, HIGHEST = -0.02, 12.0  # what is beyond is no redshift: a magnitude in the band z is larger


def redshift_of(space: Space, row: int) -> tuple[float, str]:
    """Redshift of an object and which column says so; NaN and "" where none does."""
    columns = {name.lower(): column for name, column in space.columns.items() if not column.is_class}
    columns = {name: columns[name] for name in (*REDSHIFTS, *LOGARITHMS, *VELOCITIES) if name in columns}
    values = space.store.catalog.at([row], [column.name for column in columns.values()]) if columns else {}
    for name, column in columns.items():
        value = float(values[column.name][0])
        if name in VELOCITIES:
            value = in_unit(value, column.unit, "km / s") / LIGHT_KM_S
        elif name in LOGARITHMS:
            value = 10**value if abs(value) < LARGEST_LOG else math.nan
        else:
            value = in_unit(value, column.unit, "")
        if LOWEST < value < HIGHEST:
            return value, f"column {column.name}"
    return math.nan, ""
