"""The layout of the PROVABGS catalogue: one array of records in HDF5, as astropy writes tables."""

import warnings
from pathlib import Path

import numpy as np
from astropy.table import Table

from astroclip_kit.surveys import PROVABGSCatalogue

FIRST = 39627641498144000  # TARGETIDs, those of `layout_astroclip`
MISSING = -999.0


def provabgs_table(count: int = 6, modelled: bool = False, **changes) -> Table:
    """The columns of DESI's file; with `modelled` also those that AstroCLIP computes; `changes` replace columns."""
    rng = np.random.default_rng(0)
    columns = {
        "TARGETID": FIRST + np.arange(count),
        "RA": rng.uniform(0, 360, count),
        "DEC": rng.uniform(-30, 80, count),
        "Z_HP": np.linspace(0.1, 0.5, count),
        "ZERR": np.full(count, 1e-5),
        "TSNR2_BGS": rng.uniform(800, 2000, count).astype("f4"),
        **{f"MAG_{band}": rng.uniform(16, 20, count) for band in ("G", "R", "Z", "W1")},
        "FIBMAG_R": rng.uniform(17, 21, count),
        "SCHLEGEL_COLOR": rng.uniform(0, 1, count),
        "HPIX_64": np.arange(16040, 16040 + count),
        "PROVABGS_MCMC": rng.normal(size=(count, 100, 13)),
        "PROVABGS_THETA_BF": rng.normal(size=(count, 13)),
        "PROVABGS_LOGMSTAR_BF": rng.uniform(9, 11, count),
        "PROVABGS_Z_MAX": rng.uniform(0.1, 0.6, count),
        "PROVABGS_W_ZFAIL": np.ones(count),
        "PROVABGS_W_FIBASSIGN": np.ones(count),
        "IS_BGS_BRIGHT": np.arange(count) % 2 == 0,
        "IS_BGS_FAINT": np.arange(count) % 2 == 1,
    }
    if modelled:
        columns |= {
            "Z_MW": rng.uniform(0.001, 0.04, count),
            "TAGE_MW": rng.uniform(2, 11, count),
            "AVG_SFR": rng.uniform(0.01, 30, count),
        }
    return Table(columns | changes)


def write_provabgs(folder: Path, name: str = "BGS_ANY_full.provabgs.sv3.v0.hdf5", **changes) -> Path:
    path = folder / name
    where = {"path": "__astropy_table__"} if path.suffix == ".hdf5" else {}
    with warnings.catch_warnings(action="ignore"):  # astropy does not like the name that it gave itself
        provabgs_table(**changes).write(path, overwrite=True, **where)
    return path


READERS = {
    "provabgs": lambda folder: PROVABGSCatalogue(write_provabgs(folder)),
    "provabgs-fits": lambda folder: PROVABGSCatalogue(write_provabgs(folder, "provabgs.fits", modelled=True)),
}
