"""How hard the mock variable stars are: classes by light curves, by spectra, by metadata, and by all.

    OMP_NUM_THREADS=1 python benchmarks/variable_difficulty.py [--count 6000] [--seed 0] [--survey folder]

Four fifths train, the rest is judged; of the accuracy sqrt(p (1 - p) / n) is uncertain. Labels are as given, one in a
hundred wrong. Beside them, the levels of Rizhko & Bloom (2025), each of a network that saw 17,063 objects.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, confusion_matrix
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from astroclip_kit.mock import simulate_variables
from astroclip_kit.surveys import LAMOSTSpectra
from astroclip_kit.surveys.asas_sn_variables import read_variable_star
from astroclip_kit.transforms import wavelength_grid
from astroclip_kit.transforms.astrom3_columns import MAGNITUDES, METADATA, PHOTOMETRY

Array = npt.NDArray[np.float64]

HARMONICS, MOMENTS = 5, 13  # of the light curve folded, and as it is
PUBLISHED = {
    "photometry": "0.846 (with CLIP 0.915)",
    "spectra": "0.68 to 0.71",
    "metadata": "0.80 to 0.83",
    "all": "0.92",
}


def shape(path: Path, period: float) -> list[float]:
    """Amplitudes and phases of a Fourier series at twice the period, and the moments of what varies."""
    time, value, error = read_variable_star(path)[:, :3].T
    angle = 2 * np.pi * np.outer(time, np.arange(1, 2 * HARMONICS + 1)) / (2 * period)
    waves = np.column_stack([np.ones(len(time)), np.cos(angle), np.sin(angle)])
    terms = np.linalg.lstsq(waves, value, rcond=None)[0]
    cosine, sine = np.split(terms[1:], 2)
    amplitude, phase = np.hypot(cosine, sine), np.arctan2(sine, cosine)
    k = np.arange(2, 2 * HARMONICS + 1)
    relative = np.angle(np.exp(1j * (phase[1:] - k * phase[0])))
    of_second = np.angle(np.exp(1j * (phase[3] - 2 * phase[1]))), np.angle(np.exp(1j * (phase[5] - 3 * phase[1])))
    scale = np.median(np.abs(value - np.median(value))) + 1e-4
    moments = [np.mean(((value - value.mean()) / value.std()) ** k) for k in (3, 4)]
    left = np.std(value - waves @ terms) / value.std()
    spread = np.percentile((value - np.median(value)) / scale, [1, 5, 25, 75, 95, 99])
    slow = np.mean(np.abs(np.diff(value))) / scale
    chi = np.mean(((value - value.mean()) / error) ** 2)
    return [*amplitude, *relative, *of_second, *(amplitude[1:] / amplitude[1]), left, *moments, *spread, slow,
            np.log10(scale), np.log10(chi), np.ptp(time), len(time)]  # fmt: skip


def spectra_of(folder: Path, ids: list[str]) -> npt.NDArray[np.float32]:
    """Spectra [N, 1288] on a grid of 4 A, over their medians."""
    reader = LAMOSTSpectra(folder, grid="lamost")
    wanted = np.searchsorted(wavelength_grid("lamost"), np.arange(3850, 9000, 4))
    by_id = {}
    for path in reader.files():
        [one] = reader.read(path)
        flux = np.convolve(one.views["spectrum"][0], np.ones(4) / 4, mode="same")[wanted]
        by_id[one.object_id] = flux / np.median(np.abs(flux))
    return np.clip(np.stack([by_id[name] for name in ids]), -5, 20).astype(np.float32)


def judged(name: str, found: npt.NDArray[np.str_], true: npt.NDArray[np.str_]) -> None:
    """Prints how many are right."""
    balanced = balanced_accuracy_score(true, found)
    print(f"{name}: {np.mean(found == true):.3f}, balanced {balanced:.3f}; published {PUBLISHED.get(name, '-')}")
    classes = sorted(set(true))
    print(pd.DataFrame(confusion_matrix(true, found, labels=classes), classes, classes).to_string())


def main() -> None:
    """Prints accuracies, confusion matrices (rows true) and objects per second."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--survey", default="", help="one that was written before, in place of a new one")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        survey = Path(told.survey)
        if not told.survey:
            simulate_variables(f"{folder}/warm", 1, workers=1, quiet=True)
            start = time.process_time()
            survey = simulate_variables(f"{folder}/variables", told.count, told.seed, workers=1, quiet=True)
            print(f"{told.count / (time.process_time() - start):.0f} objects a second of one core")
        table = pd.read_csv(survey / "metadata.csv", dtype={"object_id": str})
        label = pd.read_csv(survey / "labels.csv")["class"].to_numpy().astype(str)
        names = table["object_id"].tolist()
        periods = zip(names, table["period"], strict=True)
        shapes = np.array([shape(survey / "lightcurves" / f"{name}.dat", period) for name, period in periods])
        spectra = spectra_of(survey / "spectra", names)
    photometry = np.column_stack([shapes, table[list(PHOTOMETRY)]])
    parallax = np.where(table["parallax"] > 0, table["parallax"], 1)
    absolute = table[list(MAGNITUDES)].to_numpy() - 10 + 5 * np.log10(parallax)[:, None]
    metadata = np.column_stack([table[list(METADATA)], absolute])
    train = int(0.8 * len(label))
    pca = PCA(40, random_state=0).fit(spectra[:train])
    components = pca.transform(spectra)
    rest = slice(train, None)
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=400))
    judged("spectra", linear.fit(components[:train], label[:train]).predict(components[rest]), label[rest])
    views = {
        "period and amplitude alone": table[["period", "amplitude"]].to_numpy(),
        "spectra by trees": components,
        "photometry unfolded": np.column_stack([shapes[:, -MOMENTS:], table[list(PHOTOMETRY)]]),
        "photometry": photometry,
        "metadata": metadata,
        "all": np.column_stack([photometry, components, metadata]),
    }
    for name, values in views.items():
        model = HistGradientBoostingClassifier(max_iter=120, learning_rate=0.08, max_leaf_nodes=15, random_state=0)
        judged(name, model.fit(values[:train], label[:train]).predict(values[rest]), label[rest])


if __name__ == "__main__":
    main()
