"""DESI coadds and redrock files as the pipeline writes them, small: 60 pixels an arm."""

import numpy as np
from astropy.io import fits
from astropy.table import Table

from astroclip_kit.surveys import Arm, DESISpectra, write_desi_coadd

ARMS = {  # pixels of 0.8 Angstrom that overlap by ten
    "B": 3600 + 0.8 * np.arange(60),
    "R": 3600 + 0.8 * np.arange(50, 110),
    "Z": 3600 + 0.8 * np.arange(100, 160),
}
FIRST = 39627866878511337
ROWS = {  # of coadd-sv3-dark-26065.fits: a stuck fibre, a target, a sky fibre, a target
    "TARGETID": np.array([-2713437, FIRST, 616088619186127404, FIRST + 3404]),
    "COADD_FIBERSTATUS": np.array([1, 0, 520, 0], "i4"),
    "TARGET_RA": np.array([216.95, 216.90, 217.07, 217.04]),
    "TARGET_DEC": np.array([3.30, 3.29, 3.24, 3.21]),
    "OBJTYPE": np.array(["", "TGT", "SKY", "TGT"]),
    "EBV": np.array([0, 0.028, 0, 0.027], "f4"),
    "FLUX_G": np.array([0, 0.21, 0, 0], "f4"),
    "FLUX_IVAR_G": np.array([0, 234.8, 0, 0], "f4"),
    "SV3_DESI_TARGET": np.array([0, 2162697, 0, 1 << 60]),
    "DESI_TARGET": np.array([0, 0, 1 << 32, 0]),
}
REDSHIFTS = {
    "TARGETID": ROWS["TARGETID"],
    "Z": np.array([0.1, 0.9, 0.2, 1.1]),
    "ZERR": np.full(4, 1e-5),
    "ZWARN": np.array([0, 0, 0, 4]),
    "SPECTYPE": np.array(["STAR", "GALAXY", "STAR", "QSO"]),
    "SUBTYPE": np.array(["G", "", "M", ""]),
    "DELTACHI2": np.array([9.0, 900.0, 8.0, 30.0]),
}


def make_arms(rows, seed=0, **changes):
    """Random spectra of some rows; `changes` replace "B_flux", "R_mask", ..."""
    rng = np.random.default_rng(seed)
    arms = {}
    for name, wavelength in ARMS.items():
        shape = (rows, len(wavelength))
        values = {"flux": rng.normal(5, 1, shape), "ivar": rng.uniform(1, 2, shape), "mask": np.zeros(shape, "i4")}
        values = {what: changes.get(f"{name}_{what}", value) for what, value in values.items()}
        arms[name] = Arm(wavelength, **values)
    return arms


def write_pipeline_coadd(path, arms, rows=ROWS, redshifts=REDSHIFTS, unit="10**-17 erg/(s cm2 Angstrom)"):
    """With the pipeline's HDUs in its order, those that are not read as well; the redrock file too, if asked for."""
    primary = fits.PrimaryHDU()
    primary.header["SURVEY"], primary.header["PROGRAM"] = "sv3", "dark"
    hdus = [primary]
    for name in ("FIBERMAP", "EXP_FIBERMAP"):
        hdus.append(fits.BinTableHDU(Table(rows), name=name))
    for name, arm in arms.items():
        images = {"WAVELENGTH": arm.wavelength, "FLUX": arm.flux.astype("f4"), "IVAR": arm.ivar.astype("f4")}
        if arm.mask is not None:
            images["MASK"] = np.asarray(arm.mask).astype("u4")
        images["RESOLUTION"] = np.zeros((len(arm.flux), 11, len(arm.wavelength)), "f4")
        hdus += [fits.ImageHDU(values, name=f"{name}_{what}") for what, values in images.items()]
        hdus[-len(images) + 1].header["BUNIT"] = unit
    fits.HDUList([*hdus, fits.BinTableHDU(Table(rows), name="SCORES")]).writeto(path, overwrite=True)
    if redshifts is not None:
        tables = [fits.BinTableHDU(Table(redshifts), name="REDSHIFTS"), fits.BinTableHDU(Table(rows), name="FIBERMAP")]
        beside = path.with_name(path.name.replace("coadd", "redrock"))
        fits.HDUList([fits.PrimaryHDU(), *tables]).writeto(beside, overwrite=True)
    return path


def make_desi(folder):
    """One file of the pipeline with three arms, one with a joined arm."""
    write_pipeline_coadd(folder / "coadd-sv3-dark-26065.fits", make_arms(4))
    wavelength = 3600 + 0.8 * np.arange(200)
    joined = Arm(wavelength, np.full((2, 200), 3.0), np.ones((2, 200)))
    targets = {"targetid": [11, 12], "ra": [10.0, 11.0], "dec": [1.0, 2.0], "z": [0.1, 0.2], "class": ["GALAXY", "QSO"]}
    write_desi_coadd(folder / "coadd-x.fits", {"brz": joined}, targets, survey="main", program="bright")
    return DESISpectra(folder)


READERS = {"desi": make_desi}
