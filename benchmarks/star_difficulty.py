"""How well quick classifiers tell mock blue horizontal branch stars from others, or quasars from stars.

The mock must be as hard as the sky: Wei et al. (2023) reach a macro F1 of 0.92 from spectra, 0.73 from images and 0.95
from both, with networks; Wang et al. (2023) an F1 of 0.93 from images of quasars and stars. Here a support-vector
machine takes the spectra (4000 to 9000 A, between their least and greatest value) by their principal components, and
the images by their colours within 2.4 arcsec, both as they are and clipped at the 99.9th percentile of all pixels as
the networks see them. Five folds.

    python benchmarks/star_difficulty.py --count 4000 --templates ../shared/data/catalogues
    python benchmarks/star_difficulty.py --kind point_sources --size 32
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import astroclip_kit as ak
from astroclip_kit.settings import Observing
from astroclip_kit.surveys import LegacySurveyCutouts

Array = npt.NDArray[Any]
POSITIVE = {"stars": "bhb", "point_sources": "qso"}


def scaled_spectra(data: ak.Dataset) -> Array:
    """Spectra [N, 880], four pixels in one, gaps filled, between 0 and 1."""
    wavelength = np.asarray(data.modalities["spectrum"].grid)
    inside = np.flatnonzero((wavelength >= 4000) & (wavelength < 9000))[:3520]
    flux, ivar = np.moveaxis(np.array(data.views("spectrum", np.arange(len(data))))[:, :, inside], 1, 0)
    for row, good in zip(flux, ivar > 0, strict=True):
        row[~good] = np.interp(np.flatnonzero(~good), np.flatnonzero(good), row[good])
    low, high = flux.min(axis=1, keepdims=True), flux.max(axis=1, keepdims=True)
    return ((flux - low) / (high - low)).reshape(len(flux), -1, 4).mean(axis=2)


def image_colours(images: Array) -> Array:
    """Brightness in g and the colours u-g, g-r, r-i, i-z [N, 5] within 2.4 arcsec of the centre."""
    offset = np.arange(images.shape[-1]) - (images.shape[-1] - 1) / 2
    flux = images[:, :, np.hypot(offset[:, None], offset) < 6].sum(axis=2)
    magnitude = 22.5 - 2.5 * np.log10(np.maximum(flux, 0.5))
    return np.concatenate([magnitude[:, 1:2], -np.diff(magnitude, axis=1)], axis=1)


def machine() -> Any:
    return make_pipeline(StandardScaler(), SVC(C=3.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=tuple(POSITIVE), default="stars")
    parser.add_argument("--templates", default="", help="folder of published catalogues or spectra")
    parser.add_argument("--faint-limit", type=float, default=Observing().faint_limit)
    parser.add_argument("--size", type=int, default=64)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        observing = Observing(faint_limit=given.faint_limit, size=given.size)
        survey = ak.simulate(given.kind, Path(folder) / "survey", count=given.count, seed=given.seed,
                             templates=given.templates, observing=observing)  # fmt: skip
        images = LegacySurveyCutouts(survey / "cutouts", bands="ugriz")
        data = ak.ingest(Path(folder) / "data", images=images, spectra=survey / "spectra",
                         catalogue=survey / "labels.csv", labels="class")  # fmt: skip
        spectra, pixels = scaled_spectra(data), np.array(data.views("image", np.arange(len(data))))
        positive = np.asarray(data.labels["class"]) == POSITIVE[given.kind]
    folds = StratifiedKFold(5, shuffle=True, random_state=given.seed)
    colours = image_colours(pixels)
    clipped = image_colours(np.minimum(pixels, np.quantile(pixels[::10], 0.999)))
    boosting = HistGradientBoostingClassifier(max_iter=80)
    scores: dict[str, Array] = {}
    for name, x, classifier in (
        ("spectrum", spectra, make_pipeline(PCA(40, random_state=0), machine())),
        ("image", colours, machine()),
        ("image, clipped", clipped, machine()),
        ("spectrum, boosting", spectra[:, ::2] + spectra[:, 1::2], boosting),
        ("image, clipped, boosting", clipped, boosting),
    ):
        scores[name] = cross_val_predict(classifier, x, positive, cv=folds, method="decision_function")
        print(f"{name:26s} macro F1 {f1_score(positive, scores[name] > 0, average='macro'):.3f}", flush=True)
    both = np.stack([scores["spectrum"], scores["image, clipped"]], axis=1)
    fused = cross_val_predict(LogisticRegression(), both, positive, cv=folds)
    print(f"{'both, clipped':26s} macro F1 {f1_score(positive, fused, average='macro'):.3f}")
    print(f"{len(positive)} mock {given.kind}, {positive.mean():.3f} positive, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
