"""Hugging Face datasets in the folders that `datasets.save_to_disk` writes, made with pyarrow."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa

from astroclip_kit.surveys import HuggingFaceDataset

GRID = (4000, 4500, 5)


def table(count: int = 3, seed: int = 0) -> pa.Table:
    """Objects with an image, a spectrum of its own length, a light curve and numbers."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        pixels, points = 200 + number, 4 + number
        rows.append(
            {
                "targetid": 39627835000000000 + 10 * seed + number,
                "position": {"ra": 150.0 + number, "dec": -1.5},
                "image": rng.normal(5, 1, (3, 16, 16)).astype("f4").tolist(),
                "spectrum": {
                    "flux": rng.normal(5, 1, pixels).tolist(),
                    "ivar": np.ones(pixels).tolist(),
                    "lambda": (3900 + 4.0 * np.arange(pixels)).tolist(),
                },
                "lightcurve": [
                    {"mjd": 58000.0 + 2 * p, "mag": 18.0 + p, "e_mag": 0.1, "band": "gr"[p % 2]} for p in range(points)
                ],
                "mags": [17.0 + number, 16.5],
                "z": 0.1 * number,
                "class": "GALAXY" if number else None,
            }
        )
    return pa.Table.from_pylist(rows)


def write_dataset(folder: Path, content: pa.Table, shards: int = 2) -> Path:
    """One dataset as `save_to_disk` leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"data-{shard:05d}-of-{shards:05d}.arrow" for shard in range(shards)]
    size = -(-len(content) // shards)
    for shard, name in enumerate(names):
        with pa.OSFile(str(folder / name), "wb") as sink, pa.ipc.new_stream(sink, content.schema) as writer:
            writer.write_table(content.slice(shard * size, size))
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": {}}))
    return folder


PLACE = {"id": "targetid", "ra": "position.ra", "dec": "position.dec"}
SPECTRUM = {**PLACE, "flux": "spectrum.flux", "ivar": "spectrum.ivar", "wavelength": "spectrum.lambda"}
CURVE = {"id": "targetid", "time": "lightcurve.mjd", "value": "lightcurve.mag", "error": "lightcurve.e_mag"}
CURVE |= {"band": "lightcurve.band"}
MORE = {
    "image": {"columns": {**PLACE, "image": "image"}, "bands": ["g", "r", "z"], "unit": "nmgy"},
    "spectrum": {"columns": SPECTRUM, "grid": GRID},
    "lightcurve": {"columns": CURVE, "unit": "mag"},
    "table": {"columns": {**PLACE, "redshift": "z", "mags": "z"}},
}


def make(kind: str):
    def write(folder: Path) -> HuggingFaceDataset:
        root = write_dataset(folder / "saved", table())
        return HuggingFaceDataset(root, kind=kind, labels=["z", "class"], **MORE[kind])

    return write


READERS = {f"hugging_face_{kind}": make(kind) for kind in MORE}
