"""Tables of BP/RP spectra in the layouts of the Gaia archive: coefficients as tuples, samples as JSON lists."""

import csv
import gzip
from pathlib import Path

import numpy as np

from astroclip_kit.surveys import GaiaXP

SOURCES = (5853498713190525696, 5762406957886626816)


def write_coefficients(folder: Path, **columns: list) -> Path:
    """Two sources with coefficients, errors and correlations; `columns` replace or add columns."""
    rng = np.random.default_rng(0)
    table: dict[str, list] = {"source_id": list(SOURCES)}
    for xp in ("bp", "rp"):
        table[f"{xp}_n_measurements"] = [4701, 2375]
        table[f"{xp}_standard_deviation"] = [1.12, 1.05]
        for column, size in (("coefficients", 55), ("coefficient_errors", 55), ("coefficient_correlations", 1485)):
            table[f"{xp}_{column}"] = [str(tuple(row)) for row in rng.normal(1, 0.1, (2, size)).round(6).tolist()]
        table[f"{xp}_n_relevant_bases"] = [53, ""]
    return write_csv(folder / "XP_CONTINUOUS_RAW.csv", {**table, **columns})


def write_sampled(folder: Path, **columns: list) -> Path:
    """Two sources as the bulk download gives them: ECSV, gzip, lists, coordinates."""
    rng = np.random.default_rng(1)
    flux = rng.normal(1e-16, 1e-18, (2, 343)).tolist()
    table = {"source_id": list(SOURCES), "solution_id": [1, 1], "ra": [210.1, 130.2], "dec": [-61.5, -3.2]}
    table |= {"flux": [str(row) for row in flux], "flux_error": [str([1e-18] * 343)] * 2}
    plain = write_csv(folder / "sampled.csv", {**table, **columns}, "# %ECSV 1.0\n# ---\n# delimiter: ','\n")
    packed = folder / "XpSampledMeanSpectrum_000000-003111.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    return packed


def write_csv(path: Path, table: dict[str, list], comment: str = "") -> Path:
    with path.open("w", newline="") as file:
        file.write(comment)
        writer = csv.writer(file, quoting=csv.QUOTE_MINIMAL)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    return path


def make_coefficients(folder: Path) -> GaiaXP:
    return GaiaXP(write_coefficients(folder).parent)


def make_sampled(folder: Path) -> GaiaXP:
    return GaiaXP(write_sampled(folder).parent, kind="spectrum")


READERS = {"gaia_xp": make_coefficients, "gaia_xp_sampled": make_sampled}
