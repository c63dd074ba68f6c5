"""Small images in the layouts of SDSS frames, unWISE tiles, Legacy Survey bricks, HST stamps and NumPy stacks."""

import bz2
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs import WCS

from astroclip_kit.surveys import FITSImages, ImageArrays, ImageCubes, LegacySurveyCutouts, write_legacysurvey_cutout

STARS = {"1": (150.0, 2.0), "2": (150.002, 1.999), "3": (149.9985, 2.0015)}  # id to ra, dec in degrees
FLUX = 1000.0


def wcs_of(
    shape: tuple[int, int],
    scale_arcsec: float,
    *,
    centre: tuple[float, float] = (150.0, 2.0),
    rotation_deg: float = 0.0,
    mirrored: bool = False,
) -> WCS:
    """A tangent plane; east is left unless it is mirrored."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = centre
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    angle = np.radians(rotation_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wcs.wcs.cd = turn @ np.diag([1 if mirrored else -1, 1]) * scale_arcsec / 3600
    return wcs


def render(shape: tuple[int, int], wcs: WCS, width_arcsec: float = 2.0, stars: dict = STARS) -> np.ndarray:
    """Gaussian stars of FLUX each, at their positions."""
    scale = 3600 * np.sqrt(abs(np.linalg.det(wcs.wcs.cd)))
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for ra, dec in stars.values():
        x0, y0 = wcs.wcs_world2pix([[ra, dec]], 0)[0]
        sigma = width_arcsec / scale
        image += FLUX / (2 * np.pi * sigma**2) * np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / 2 / sigma**2)
    return image.astype("f4")


def write_positions(folder: Path, stars: dict = STARS) -> Path:
    rows = [{"id": name, "ra": ra, "dec": dec} for name, (ra, dec) in stars.items()]
    pd.DataFrame(rows).to_csv(folder / "a-positions.csv", index=False)
    return folder / "a-positions.csv"


def write_frame(folder: Path, band: str, **place: object) -> Path:
    """An SDSS frame with its four HDUs, packed with bzip2; 60 rows of 80 pixels of 0.396 arcsec."""
    shape = (60, 80)
    wcs = wcs_of(shape, 0.396, **place)
    header = wcs.to_header()
    header.update({"RUN": 1000, "CAMCOL": 1, "FIELD": 100, "FILTER": band, "NMGY": 0.005, "BUNIT": "nanomaggy"})
    sky = fits.BinTableHDU.from_columns(
        [
            fits.Column("ALLSKY", "48E", dim="(8,6)", array=np.full((1, 6, 8), 200, "f4")),
            fits.Column("XINTERP", "80E", array=np.linspace(0, 7, 80, dtype="f4")[None]),
            fits.Column("YINTERP", "60E", array=np.linspace(0, 5, 60, dtype="f4")[None]),
        ]
    )
    hdus = [fits.PrimaryHDU(render(shape, wcs), header), fits.ImageHDU(np.full(80, 0.005, "f4")), sky]
    plain = folder / f"frame-{band}-001000-1-0100.fits"
    fits.HDUList(hdus).writeto(plain)
    plain.with_suffix(".fits.bz2").write_bytes(bz2.compress(plain.read_bytes()))
    plain.unlink()
    return plain.with_suffix(".fits.bz2")


def make_sdss_frames(folder: Path) -> FITSImages:
    for band, rotation in zip("gri", (0.0, 3.0, 3.0), strict=True):
        write_frame(folder, band, rotation_deg=rotation)
    bands = {band: f"{folder}/frame-{band}-*.fits.bz2" for band in "gri"}
    return FITSImages(write_positions(folder), bands, size=24, ivar=True)


def write_tile(folder: Path, band: int, **place: object) -> Path:
    """A coadded tile of unWISE and its inverse variance; 64 x 64 pixels of 2.75 arcsec, Vega nanomaggies."""
    shape = (64, 64)
    wcs = wcs_of(shape, 2.75, **place)
    header = wcs.to_header()
    header.update({"MAGZP": 22.5, "UNW_VER": "v3.5", "BAND": band})
    path = folder / f"unwise-1500p020-w{band}-img-m.fits"
    fits.writeto(path, render(shape, wcs, 6.0), header)
    fits.writeto(folder / f"unwise-1500p020-w{band}-invvar-m.fits.gz", np.full(shape, 4, "f4"), header)
    return path


def make_unwise(folder: Path) -> FITSImages:
    for band in (1, 2, 3):
        write_tile(folder, band)
    bands = {f"W{band}": f"{folder}/*-w{band}-img-m.fits" for band in (1, 2, 3)}
    return FITSImages(write_positions(folder), bands, size=16, ivar=True)


def write_brick(folder: Path, band: str, packing: str = ".fz", **place: object) -> Path:
    """A coadded brick of the Legacy Survey, tile-compressed in the second HDU."""
    shape = (150, 150)
    wcs = wcs_of(shape, 0.262, **place)
    header = wcs.to_header()
    header.update({"FILTER": band, "BRICKNAM": "1500p020", "BUNIT": "nanomaggy"})
    path = folder / f"legacysurvey-1500p020-image-{band}.fits{packing}"
    image = render(shape, wcs)
    hdu = fits.CompImageHDU(image, header, quantize_level=-1e-6, dither_seed=1, quantize_method=1)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    return path


def make_bricks(folder: Path) -> FITSImages:
    for band in "grz":
        write_brick(folder, band)
    bands = {band: f"{folder}/*-image-{band}.fits*" for band in "grz"}
    return FITSImages(write_positions(folder), bands, size=32, pixel_scale_arcsec=0.3)


def write_stamps(folder: Path, sizes: tuple[int, ...] = (20, 12, 31)) -> tuple[Path, Path]:
    """Stamps of HST as GalSim keeps them, one per HDU, and their catalogue."""
    rng = np.random.default_rng(0)
    images = [rng.normal(size=(size, size)) for size in sizes]
    hdus = [fits.PrimaryHDU(images[0]), *map(fits.ImageHDU, images[1:])]
    fits.HDUList(hdus).writeto(folder / "galaxy_images.fits")
    count = len(sizes)
    columns = [
        fits.Column("IDENT", "J", array=100 + np.arange(count)),
        fits.Column("RA", "D", array=150 + np.arange(count) / 100),
        fits.Column("DEC", "D", array=np.full(count, 2.5)),
        fits.Column("GAL_FILENAME", "64A", array=["galaxy_images.fits"] * count),
        fits.Column("GAL_HDU", "J", array=np.arange(count)),
        fits.Column("PIXEL_SCALE", "D", array=np.full(count, 0.03)),
        fits.Column("NOISE_VARIANCE", "D", array=np.full(count, 0.25)),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(folder / "catalog.cat")
    return folder / "galaxy_images.fits", folder / "catalog.cat"


STAMP_COLUMNS = {
    "id": "IDENT", "ra": "RA", "dec": "DEC", "file": "GAL_FILENAME", "hdu": "GAL_HDU", "variance": "NOISE_VARIANCE",
    "pixel_scale_arcsec": "PIXEL_SCALE",
}  # fmt: skip


def make_hst_stamps(folder: Path) -> ImageCubes:
    path, catalogue = write_stamps(folder)
    table = {"path": str(catalogue), **STAMP_COLUMNS}
    return ImageCubes(path, ["F814W"], size=16, hdu="each", table=table, ivar=True, unit="ct")


def make_cubes(folder: Path) -> ImageCubes:
    rng = np.random.default_rng(0)
    for number in range(3):
        header = wcs_of((20, 24), 0.2).to_header()
        header["BUNIT"] = "uJy"
        images = rng.normal(size=(2, 3, 20, 24)).astype("f4")
        hdus = [fits.PrimaryHDU(images[0], header), fits.ImageHDU(images[1] ** 2 + 1, name="IVAR")]
        fits.HDUList(hdus).writeto(folder / f"cube-{number}.fits")
    return ImageCubes(folder, ["F115W", "F150W", "F200W"], ivar=True, unit="nmgy")


def write_alerts(folder: Path, **arrays: np.ndarray) -> tuple[Path, Path]:
    """Stamps of ZTF alerts, some off the chip, and the table of their candidates."""
    cutouts = np.random.default_rng(0).normal(size=(4, 3, 21, 21)).astype("f4")
    cutouts[1, :, :, 15:] = np.nan
    candid = np.array([1786104593715015000, 1786182452015010050, 1786182920315010011, 1786548404015010004])
    np.savez_compressed(folder / "cutouts.npz", **{"cutouts": cutouts, "candid": candid, **arrays})
    objects = ["ZTF18abadigg", "ZTF18abjtlqo", "ZTF18abadigg", "ZTF19aaapmmu"]
    table = pd.DataFrame({"candid": candid, "objectId": objects, "ra": 320.0 + np.arange(4), "dec": -5.0})
    table.to_csv(folder / "candidates.csv", index=False)
    return folder / "cutouts.npz", folder / "candidates.csv"


ALERT_COLUMNS = {"id": "candid", "ra": "ra", "dec": "dec", "group": "objectId"}


def make_ztf_stamps(folder: Path) -> ImageArrays:
    path, table = write_alerts(folder)
    bands = ["science", "template", "difference"]
    return ImageArrays(path, bands, table={"path": str(table), **ALERT_COLUMNS}, pixel_scale_arcsec=1.01)


def make_stack(folder: Path) -> ImageArrays:
    rng = np.random.default_rng(0)
    for part in ("north", "south"):
        np.save(folder / f"{part}.npy", rng.normal(size=(2, 10, 12, 2)).astype(">f4"))
        np.save(folder / f"{part}_ids.npy", np.array([f"{part}-{row}".encode() for row in range(2)]))
    return ImageArrays(folder / "*th.npy", ["r", "i"], {"ids": "{stem}_ids.npy"}, layout="HWC", unit="adu")


def make_cutouts_with_ivar(folder: Path) -> LegacySurveyCutouts:
    rng = np.random.default_rng(0)
    for number in (1, 2):
        cube = rng.normal(size=(3, 20, 24))
        write_legacysurvey_cutout(folder / f"object-{number}.fits", cube, 150.1, -1.5, ivar=cube**2 + 1)
    return LegacySurveyCutouts(folder, ivar=True)


READERS = {
    "sdss-frames": make_sdss_frames,
    "unwise-tiles": make_unwise,
    "legacysurvey-bricks": make_bricks,
    "hst-stamps": make_hst_stamps,
    "image-cubes": make_cubes,
    "ztf-stamps": make_ztf_stamps,
    "image-stack": make_stack,
    "legacysurvey-ivar": make_cutouts_with_ivar,
}


def gzipped(path: Path) -> Path:
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return packed
