"""Files of a few stars of two classes, in the layouts of `simulate stars`, in no time: small cutouts, plain spectra."""

import numpy as np

from astroclip_kit.surveys import spectrum_file_name, write_legacysurvey_cutout, write_sdss_spectrum

WAVELENGTH = 10 ** np.arange(3.58, 3.965, 1e-4)
BANDS = ("u", "g", "r", "i", "z")
PLATE, MJD, SIZE = 9000, 57000, 16


def write_star(folder, fiber, is_bhb, rng):
    """A cutout and a spectrum; blue horizontal branch stars are bluer and have a narrower line."""
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    star = 20 * np.exp(-(x**2 + y**2) / 4)
    colour = np.linspace(1.3 if is_bhb else 0.9, 1, len(BANDS))[:, None, None]
    image = star * colour + rng.normal(0, 0.3, (len(BANDS), SIZE, SIZE))
    place = (150.0 + 0.01 * fiber, 2.0)
    name = f"{PLATE}-{MJD}-{fiber}"
    ivar = np.full(image.shape, 1 / 0.3**2)
    how = {"object_id": name, "bands": BANDS, "pixel_scale_arcsec": 0.396, "ivar": ivar}
    write_legacysurvey_cutout(folder / "cutouts" / f"{name}.fits", image, *place, **how)
    line = 1 - 0.6 * np.exp(-(((WAVELENGTH - 4861) / (20 if is_bhb else 60)) ** 2))
    flux = (WAVELENGTH / 5000) ** -2 * line + rng.normal(0, 0.05, len(WAVELENGTH))
    row = {"plate": PLATE, "mjd": MJD, "fiber": fiber, "ra": place[0], "dec": place[1], "class": "STAR"}
    path = folder / "spectra" / spectrum_file_name(PLATE, MJD, fiber)
    write_sdss_spectrum(path, WAVELENGTH, flux, np.full(len(WAVELENGTH), 400.0), row)


def write_stars(folder, count=70):
    """A survey in a folder: cutouts/, spectra/ and labels.csv."""
    for name in ("cutouts", "spectra"):
        (folder / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = ["object_id,class"]
    for fiber in range(1, count + 1):
        write_star(folder, fiber, fiber % 3 == 0, rng)
        lines.append(f"{PLATE}-{MJD}-{fiber},{'bhb' if fiber % 3 == 0 else 'other'}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
