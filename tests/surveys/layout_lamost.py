"""LAMOST spectra in the layouts of its data releases, small: 300 pixels."""

import numpy as np
from astropy.io import fits

from astroclip_kit.surveys import LAMOSTSpectra, lamost_file_name, write_lamost_spectrum

COEFF0, COEFF1, N_PIX = 3.5682, 1e-4, 300
WAVELENGTH = 10 ** (COEFF0 + COEFF1 * np.arange(N_PIX))
HEADER = {
    "LMJD": 55859, "MJD": 55858, "PLANID": "F5902", "SPID": 3, "FIBERID": 232,
    "RA": 330.909453, "DEC": -0.17471, "DESIG": "LAMOST J220338.26-001028.9", "OBJTYPE": "FS",
    "MAGTYPE": "gri", "MAG1": 15.09, "MAG2": 14.75, "MAG3": 99.0, "VACUUM": True,
    "COEFF0": COEFF0, "COEFF1": COEFF1, "CLASS": "STAR", "SUBCLASS": "F4", "Z": 3.402e-05, "Z_ERR": 2.565e-05,
}  # fmt: skip
OLD = {"VERSPIPE": "v2.6.4", "SN_G": 71.41}
NEW = {"VERSPIPE": "v2.9.8", "OBSID": 103232, "SNRG": 94.11, "EXTNAME": "Flux"}


def write_lamost(folder, release="v2.9.8", arrays=None, **changes):
    """One visit; `arrays` replace flux, ivar, and, or; `changes` replace keywords (None takes one out)."""
    header = {**HEADER, **(OLD if release == "v2.6.4" else NEW), **changes}
    rng = np.random.default_rng(header["FIBERID"] or 0)
    rows = {"flux": rng.normal(100, 1, N_PIX), "ivar": np.full(N_PIX, 0.5), "third": WAVELENGTH}
    rows |= {"and": np.zeros(N_PIX), "or": np.zeros(N_PIX)} | (arrays or {})
    if release == "v2.6.4":
        rows["third"] = rows["flux"] / 100  # there it is the spectrum without continuum
    primary = fits.PrimaryHDU()
    hdus = [primary]
    if release == "table":
        names = {"FLUX": "flux", "IVAR": "ivar", "WAVELENGTH": "third", "ANDMASK": "and", "ORMASK": "or"}
        columns = [fits.Column(name, f"{N_PIX}E", array=[rows[key]]) for name, key in names.items()]
        columns.append(fits.Column("NORMALIZATION", f"{N_PIX}E", array=[rows["flux"] / 100]))
        hdus.append(fits.BinTableHDU.from_columns(columns, name="COADD"))
    else:
        primary.data = np.stack(list(rows.values())).astype("f4")
    for key, value in header.items():
        if value is not None:
            primary.header[key] = value
    name = f"spec-{header['LMJD']}-{header['PLANID']}_sp{header['SPID']:02d}-{header['FIBERID'] or 0:03d}.fits.gz"
    fits.HDUList(hdus).writeto(folder / name, overwrite=True)
    return folder / name


def make_lamost(folder):
    """Each layout once; two are visits of one star."""
    write_lamost(folder, "v2.6.4", FIBERID=1)
    write_lamost(folder, "v2.9.8", FIBERID=2)
    write_lamost(folder, "table", FIBERID=3, OBSID=103233, DESIG="LAMOST J220339.00-001029.0")
    return LAMOSTSpectra(folder)


def write_visit(folder, fiber=17, ending=".fits", **changes):
    """One visit, by the kit's own writer; `changes` replace what it is given."""
    rng = np.random.default_rng(fiber)
    flux = rng.normal(100, 1, N_PIX)
    catalogue = {"lmjd": 55859, "planid": "F5902", "spid": 3, "fiber": fiber, "ra": 330.909453, "dec": -0.17471}
    catalogue |= {"obsid": 103200 + fiber, "desig": f"LAMOST J2203{fiber:02d}.26-001028.9", "class": "STAR"}
    path = folder / lamost_file_name(55859, "F5902", 3, fiber).replace(".fits", ending)
    given = {"flux": flux, "ivar": np.full(N_PIX, 0.5), "coeff0": COEFF0, "coeff1": COEFF1} | changes
    write_lamost_spectrum(path, **given | {"catalogue": catalogue | changes.get("catalogue", {})})
    return path


def make_written(folder):
    """Two visits of the kit's own writer, plain and packed."""
    write_visit(folder, 1)
    write_visit(folder, 2, ".fits.gz")
    return LAMOSTSpectra(folder)


READERS = {"lamost": make_lamost, "lamost-written": make_written}
