"""AstroM3Processed as Hugging Face's `datasets` writes it to Parquet, made with pyarrow."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
from astrom3_release import metadata_columns, photometry_steps, spectrum_channels
from pyarrow import parquet

from astroclip_kit.surveys import AstroM3Parquet
from astroclip_kit.transforms.astrom3_columns import MAGNITUDES, METADATA, PHOTOMETRY

CLASSES = ["DSCT", "EA", "EB", "EW", "HADS", "M", "ROT", "RRAB", "RRC", "SR"]
FLOATS = pa.list_(pa.list_(pa.float32()))
FEATURES = {
    "photometry": {"shape": [None, 9], "dtype": "float32", "_type": "Array2D"},
    "spectra": {"shape": [3, 2575], "dtype": "float32", "_type": "Array2D"},
    "metadata": {"feature": {"dtype": "float32", "_type": "Value"}, "length": 34, "_type": "List"},
    "label": {"names": CLASSES, "_type": "ClassLabel"},
}


def array_2d(name: str, shape: list) -> pa.Field:
    about = {"ARROW:extension:name": "datasets.features.features.Array2DExtensionType"}
    return pa.field(name, FLOATS, metadata={**about, "ARROW:extension:metadata": json.dumps([shape, "float32"])})


def raw(count: int, seed: int = 0) -> list[dict]:
    """Stars as AstroM3Dataset has them; every third spectrum has pixels without flux."""
    rng = np.random.default_rng(seed)
    stars = []
    for number in range(count):
        points = int(rng.integers(3, 320))
        time = np.sort(rng.choice(200_000, points, replace=False)) / 100 + 2457000
        flux = rng.lognormal(1, 0.3, points)
        wavelength = 10 ** (3.5682 + 1e-4 * np.arange(3909))
        spectrum = rng.lognormal(3, 0.4, len(wavelength))
        if number % 3 == 0:
            spectrum[200:900] = 0
        stars.append(
            {
                "photometry": np.column_stack([time, flux, rng.uniform(0.01, 0.1, points)]),
                "spectra": (wavelength, spectrum, rng.uniform(0.1, 2, len(wavelength))),
                "metadata": np.append(rng.uniform(1, 18, 32), [rng.uniform(0, 360), rng.uniform(-90, 90)]),
                "photo_cols": np.array([rng.uniform(0.1, 1), rng.lognormal(), rng.uniform(0, 1), rng.uniform(0, 1)]),
                "label": int(rng.integers(10)),
            }
        )
        stars[-1]["metadata"][METADATA.index("parallax")] = rng.normal(0.5, 1)
    return stars


def scaling(stars: list[dict]) -> dict:
    """What `info.json` of AstroM3Dataset tells."""
    columns = np.array([metadata_columns(METADATA, MAGNITUDES, star["metadata"]) for star in stars])
    photo = np.array([star["photo_cols"] for star in stars])
    photo[:, 1] = np.log10(photo[:, 1])
    both = np.concatenate([columns, photo], axis=1)
    names = [*METADATA, *PHOTOMETRY]
    mean, std = (dict(zip(names, one.tolist(), strict=True)) for one in (both.mean(axis=0), both.std(axis=0)))
    return {"classes": CLASSES, "meta_cols": METADATA, "photo_cols": PHOTOMETRY, "all_cols": names} | {
        "mean": mean,
        "std": std,
    }


def processed(stars: list[dict], info: dict) -> list[dict]:
    """Stars as AstroM3Processed has them: for the networks."""
    mean, std = (np.array(list(info[key].values())) for key in ("mean", "std"))
    rows = []
    for star in stars:
        photo = star["photo_cols"].copy()
        photo[1] = np.log10(photo[1])
        columns = metadata_columns(METADATA, MAGNITUDES, star["metadata"])
        rows.append(
            {
                "photometry": photometry_steps(star["photometry"], (photo - mean[34:]) / std[34:]),
                "spectra": spectrum_channels(*star["spectra"]),
                "metadata": ((columns - mean[:34]) / std[:34]).astype(np.float32),
                "label": star["label"],
            }
        )
    return rows


def write_parquet(path: Path, rows: list[dict], features: bool = True) -> Path:
    """One file, with or without what `datasets` says about the features."""
    plain = [
        {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in r.items()} for r in rows
    ]
    fields = [array_2d("photometry", [None, 9]), array_2d("spectra", [3, 2575])]
    fields += [pa.field("metadata", pa.list_(pa.float32(), 34)), pa.field("label", pa.int64())]
    schema = pa.schema(fields, {"huggingface": json.dumps({"info": {"features": FEATURES}})} if features else None)
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist(plain, schema), path)
    return path


def write_subset(folder: Path, counts: dict[str, list[int]] | None = None) -> list[dict]:
    """A subset of several files, and `info.json` beside it; gives its rows in the order train, validation, test."""
    counts = counts or {"train": [3, 2], "validation": [2], "test": [2]}
    stars = raw(sum(map(sum, counts.values())))
    info = scaling(stars)
    rows = processed(stars, info)
    (folder / "info.json").write_text(json.dumps(info))
    left = iter(rows)
    for side, sizes in counts.items():
        for number, size in enumerate(sizes):
            path = folder / "full_42" / f"{side}-{number:05d}-of-{len(sizes):05d}.parquet"
            write_parquet(path, [next(left) for _ in range(size)])
    return rows


def make(kind: str, told: bool = False):
    def write(folder: Path) -> AstroM3Parquet:
        write_subset(folder)
        return AstroM3Parquet(folder / "full_42", kind, folder / "info.json" if told else "")

    return write


READERS = {f"astrom3_{kind}": make(kind) for kind in ("lightcurve", "spectrum", "table")}
READERS["astrom3_told"] = make("lightcurve", told=True)
