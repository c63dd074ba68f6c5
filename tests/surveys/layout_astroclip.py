"""The layout of AstroCLIP's joint file: groups of arrays, nothing compressed."""

from pathlib import Path

import h5py
import numpy as np

from astroclip_kit.surveys import AstroCLIPFile


def write_joint(folder: Path, counts: tuple[int, ...] = (5, 3), **changes: np.ndarray) -> Path:
    """Groups "0", "1", ... of so many galaxies; `changes` replace arrays of group "0"."""
    path = folder / "astroclip_desi.1.1.5.h5"
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        for group, count in enumerate(counts):
            arrays = {
                "images": rng.normal(1, 0.1, (count, 152, 152, 3)).astype("f4"),
                "spectra": rng.normal(5, 1, (count, 7781, 1)).astype("f4"),
                "redshifts": np.linspace(0.1, 0.5, count).astype("f4"),
                "targetids": 39627641498144000 + 100 * group + np.arange(count),
            }
            arrays |= changes if group == 0 else {}
            for name, values in arrays.items():
                file.create_dataset(f"{group}/{name}", data=values)
    return path


READERS = {
    "astroclip_image": lambda folder: AstroCLIPFile(write_joint(folder).parent),
    "astroclip_spectrum": lambda folder: AstroCLIPFile(write_joint(folder), kind="spectrum"),
}
