"""Small sets in exactly the layouts of the Multimodal Universe: HDF5 as its scripts, HATS as hats-import writes it.

Written with h5py and pyarrow alone, not with the kit's own writers.
"""

from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from astroclip_kit.surveys import HATSCatalogue, MultimodalUniverse
from astroclip_kit.types import Drop, Sample

IDS = np.array([b"1237654", b"  99 ", b"1237656"])
RA, DEC = np.array([10.0, 20.0, 30.0]), np.array([-5.0, 5.0, 15.0])
WAVELENGTH = 10 ** (3.6 + 1e-4 * np.arange(300))
PLASTICC_BANDS = "ugrizY"


def everything(reader):
    """All samples and all drops of a reader."""
    items = [item for path in reader.files() for item in reader.read(path)]
    return [one for one in items if isinstance(one, Sample)], [one for one in items if isinstance(one, Drop)]


def samples_of(reader):
    return everything(reader)[0]


def write_hdf5(path: Path, **columns: object) -> Path:
    """One file with the columns that are always present; `columns` add to them or replace them."""
    own = {"object_id": IDS, "ra": RA, "dec": DEC, "healpix": np.array([1, 2, 3])}
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, values in {**own, **columns}.items():
            if values is not None:
                file[name] = values
    return path


def sdss_columns(n=3, padding=20):
    """Spectra padded to the longest of the file: flux and lsf edge-padded, ivar 0, lambda -1, mask True."""
    rng = np.random.default_rng(0)
    flux = rng.normal(5, 1, (n, len(WAVELENGTH))).astype("f4")
    pad = ((0, 0), (0, padding))
    ivar = np.pad(np.full(flux.shape, 4, "f4"), pad)
    return {
        "spectrum_flux": np.pad(flux, pad, mode="edge"),
        "spectrum_ivar": ivar,
        "spectrum_lsf_sigma": np.ones_like(ivar),
        "spectrum_lambda": np.pad(np.tile(WAVELENGTH, (n, 1)), pad, constant_values=-1).astype("f4"),
        "spectrum_mask": ivar <= 1e-6,
        "Z": np.linspace(0.1, 0.3, n),
        "ZWARNING": np.arange(n, dtype=">i4"),
        "SPECTROFLUX": np.arange(5.0 * n).reshape(n, 5).astype(">f4"),
    }


def image_columns(n=3, bands=(b"DES-G", b"DES-R", b"DES-Z")):
    """Images of the Legacy Surveys: one mask for all bands, True where the pixel is good."""
    rng = np.random.default_rng(1)
    shape = (n, len(bands), 8, 8)
    mask = np.ones(shape, bool)
    mask[:, :, 0, 0] = False
    return {
        "image_band": np.tile(np.array(bands), (n, 1)),
        "image_array": rng.normal(size=shape).astype("f4"),
        "image_ivar": rng.uniform(1, 2, shape).astype("f4"),
        "image_mask": mask,
        "image_psf_fwhm": np.ones(shape[:2], "f4"),
        "image_scale": np.full(shape[:2], 0.262, "f4"),
        "EBV": np.linspace(0, 0.1, n),
    }


def plasticc_columns(n=3, bands=6, longest=5):
    """Light curves grouped by band, zero-padded; every band has two points, and the second object three in band Y."""
    values = np.zeros((n, bands, 3, longest))
    for band in range(bands):
        values[:, band, :, :2] = [[59000.0 + band, 59010.0 + band], [10.0 + band, 20.0 + band], [1.0, 2.0]]
    values[1, -1, :, 2] = 59005.0, 7.0, 0.5
    return {"lightcurve": values, "obj_type": np.full(n, 90), "redshift": np.linspace(0.1, 0.3, n), "healpix": None}


def write_supernova(folder: Path, name: str, pixel: int = 12) -> Path:
    """One object per file, with scalars; times padded with -99, fluxes with 0."""
    time = np.array([[57000.0, 57002.0, 57004.0], [57001.0, -99.0, -99.0]], "f4")
    flux = np.array([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]], "f4")
    return write_hdf5(
        folder / f"foundation_dr1/healpix={pixel:04d}/{name}.hdf5",
        **{"object_id": np.bytes_(name), "ra": 10.5, "dec": -3.0, "healpix": pixel, "bands": "g,r"},
        **{"time": time, "flux": flux, "flux_err": (flux > 0) * np.float32(0.1)},
        **{"obj_type": np.bytes_("Ia"), "redshift": 0.03, "host_log_mass": np.nan},
    )


def write_manga(path: Path, shape=(4, 9, 9)) -> Path:
    """A group per object with an array of structures, one per filter."""
    image = np.dtype([("image_band", "S5"), ("image_array", "f4", shape[1:]), ("image_scale", "f8")])
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for number, name in enumerate(("8485-1901", "8485-1902")):
            group = file.create_group(name)
            values = np.zeros(shape[0], image)
            values["image_band"], values["image_scale"] = [b"g", b"r", b"i", b"z"], 0.5
            values["image_array"] = np.random.default_rng(number).normal(size=shape)
            group["object_id"], group["ra"], group["dec"], group["healpix"], group["z"] = name, 232.5, 48.7, 5, 0.04
            group["images"] = values
    return path


REALS = pa.list_(pa.float32())
PLANES = pa.list_(pa.list_(REALS))
FLAGS = pa.list_(pa.bool_())
NAMES = pa.list_(pa.string())
SPECTRUM = {"flux": REALS, "ivar": REALS, "lsf_sigma": REALS, "lambda": REALS, "mask": FLAGS}
IMAGE = {"band": NAMES, "flux": PLANES, "psf_fwhm": REALS, "scale": REALS, "ivar": PLANES}
IMAGE |= {"mask": pa.list_(pa.list_(FLAGS))}
LIGHTCURVE = {"band": NAMES, "time": REALS, "flux": REALS, "flux_err": REALS}


def structure(types, columns):
    """A nested column: structures of lists."""
    arrays = [pa.array(values, kind) for values, kind in zip(columns, types.values(), strict=True)]
    return pa.StructArray.from_arrays(arrays, list(types))


def nested_spectra(n=3, length=60):
    rng = np.random.default_rng(2)
    lists = lambda values: np.tile(values, (n, 1)).tolist()  # noqa: E731
    wavelength = 3600 + 0.8 * np.arange(length)
    flux = rng.normal(size=(n, length)).astype("f4").tolist()
    columns = [flux, lists(np.ones(length)), lists(np.ones(length)), lists(wavelength), lists(np.zeros(length, bool))]
    return structure(SPECTRUM, columns)


def nested_images(n=3, size=6):
    rng = np.random.default_rng(3)
    planes = lambda: rng.uniform(1, 2, (n, 2, size, size)).astype("f4").tolist()  # noqa: E731
    mask = np.ones((n, 2, size, size), bool)
    mask[:, :, 0, 0] = False
    columns = [[["g", "r"]] * n, planes(), [[1.0, 1.0]] * n, [[0.168, 0.168]] * n, planes(), mask.tolist()]
    return structure(IMAGE, columns)


def nested_lightcurves(n=3):
    columns = [
        [["g", "g", "r", "r"]] * n,
        [[59000.0, 59004.0, 59002.0, 0.0]] * n,  # the last point is padding
        [[1.0, 2.0, 3.0, 0.0]] * n,
        [[0.1, 0.1, 0.1, 0.0]] * n,
    ]
    return structure(LIGHTCURVE, columns)


def write_catalogue(root: Path, name: str = "demo", collection: bool = True, **columns: object) -> Path:
    """A catalogue as hats-import lays it out, in two pixels of order 1, inside a collection as the releases have it."""
    catalogue = root / name if collection else root
    ids = [f"b'   2575{number}'" for number in range(3)]
    table = {"_healpix_29": pa.array([1, 2, 3]), "Z": [0.1, None, 0.3], "ra": RA, "dec": DEC, "object_id": ids}
    table = pa.table({**table, **columns})
    footers = []
    for pixel, rows in ((17, table.slice(0, 2)), (18, table.slice(2))):
        path = catalogue / "dataset" / "Norder=1" / "Dir=0" / f"Npix={pixel}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(rows, path, row_group_size=1, metadata_collector=footers)
        footers[-1].set_file_path(f"Norder=1/Dir=0/Npix={pixel}.parquet")
    parquet.write_metadata(table.schema, catalogue / "dataset" / "_metadata", metadata_collector=footers)
    (catalogue / "partition_info.csv").write_text("Norder,Npix\n1,17\n1,18\n")
    (catalogue / "hats.properties").write_text(
        f"#HATS catalog\nobs_collection={name}\ndataproduct_type=object\nhats_nrows=3\nhats_col_ra=ra\n"
        "hats_col_dec=dec\nhats_col_healpix=_healpix_29\nhats_col_healpix_order=29\nhats_npix_suffix=.parquet\n"
    )
    if collection:
        (root / "collection.properties").write_text(
            f"#HATS Collection\nobs_collection={name}\nhats_primary_table_url={name}\nall_margins={name}_10arcs\n"
        )
    return catalogue


def _hdf5(subset: str, kind: str, content, **options):
    def make(folder: Path):
        write_hdf5(folder / subset / "healpix=12" / "001-of-001.hdf5", **content())
        others = {"object_id": np.array([b"7", b"8", b"9"])}
        write_hdf5(folder / subset / "healpix=123" / "001-of-001.hdf5", **{**content(), **others})
        return MultimodalUniverse(folder / subset, kind=kind, **options)

    return make


def _supernovae(folder: Path):
    for number in range(2):
        write_supernova(folder, f"2016W{number}")
    return MultimodalUniverse(folder, kind="lightcurve", labels=["obj_type", "redshift", "host_log_mass"])


def _manga(folder: Path):
    write_manga(folder / "manga" / "healpix=5" / "0001-of-0001.hdf5")
    return MultimodalUniverse(folder / "manga", kind="image", labels=["z"])


def _hats(kind: str, **options):
    columns = {"image": nested_images, "spectrum": nested_spectra, "lightcurve": nested_lightcurves}

    def make(folder: Path):
        nested = {kind: columns[kind]()} if kind in columns else {"LOG_MSTAR": [10.0, None, 11.0], "AVG_SFR": [1, 2, 3]}
        write_catalogue(folder, **nested)
        return HATSCatalogue(folder, kind=kind, **options)

    return make


def _table():
    return {"TAGE_MW": np.array([1.0, np.nan, 3.0], ">f4"), "PROVABGS_THETA_BF": np.arange(6.0).reshape(3, 2)}


READERS = {
    "multimodal-spectrum": _hdf5("sdss", "spectrum", sdss_columns, labels=["Z", "ZWARNING", "SPECTROFLUX"]),
    "multimodal-image": _hdf5("legacysurvey", "image", image_columns, labels=["EBV"], ivar=True),
    "multimodal-lightcurve": _hdf5("plasticc", "lightcurve", plasticc_columns, labels=["obj_type"]),
    "multimodal-table": _hdf5("provabgs", "table", _table, columns=["TAGE_MW", "PROVABGS_THETA_BF"]),
    "multimodal-supernovae": _supernovae,
    "multimodal-manga": _manga,
    "hats-spectrum": _hats("spectrum", labels=["Z"]),
    "hats-image": _hats("image", labels=["Z"], ivar=True),
    "hats-lightcurve": _hats("lightcurve", labels=["Z"]),
    "hats-table": _hats("table", columns=["LOG_MSTAR", "AVG_SFR"]),
}
