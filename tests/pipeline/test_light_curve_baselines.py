"""Classical baselines of light curves: the standard features are measured once, for all folds."""

import numpy as np
import pytest

from astroclip_kit import pipeline
from astroclip_kit.classifiers.baselines import FOREST
from astroclip_kit.features import FeatureSet
from astroclip_kit.surveys import write_asassn_light_curve

CONFIGURATION = """
data: {folder}
folds: 2
ingest:
  sources:
    lightcurve:
      class_path: astroclip_kit.surveys.ASASSNLightCurves
      init_args: {{root: "${{data}}/stars", bands: [V]}}
    catalogue:
      class_path: astroclip_kit.surveys.TableReader
      init_args: {{path: "${{data}}/labels.csv", id_column: object_id, labels: [class]}}
  matching: {{by: id}}
classify:
  encoders:
    lightcurve:
      class_path: astroclip_kit.encoders.Informer
      init_args: {{length: 20, width: 8, depth: 1}}
  classification:
    stages: fine_tuned
    split: {{valid: 0.2}}
    baselines: [random_forest]
    training: {{epochs: 1, batch_size: 16, hardware: {{threads: 1, precision: float32}}}}
"""


@pytest.fixture
def stars(tmp_path):
    """Smooth and noisy stars of the same amplitude."""
    (tmp_path / "stars").mkdir()
    rng = np.random.default_rng(0)
    classes = []
    for number in range(60):
        smooth = number % 2 == 0
        hjd = 2457000.5 + np.sort(rng.uniform(0, 50, 40))
        mag = 14 + (np.sin(hjd / 0.7) if smooth else 0.7 * rng.normal(size=40))
        write_asassn_light_curve(tmp_path / "stars" / f"s{number}.dat", hjd, mag, np.full(40, 0.05), mag, mag)
        classes.append(f"s{number},{'smooth' if smooth else 'noisy'}\n")
    (tmp_path / "labels.csv").write_text("object_id,class\n" + "".join(classes))
    return tmp_path


@pytest.mark.slow
def test_a_random_forest_beside_a_network_of_one_modality(stars, monkeypatch):
    monkeypatch.setitem(FOREST, "n_estimators", 20)
    (stars / "run.yaml").write_text(CONFIGURATION.format(folder=stars))
    table = pipeline.run(stars / "run.yaml", stars / "run")
    assert list(table["sees"]) == ["lightcurve", "lightcurve"] and table["n"][0] == 60
    forest = table[["forest" in str(name) for name in table["model"]]]
    assert len(forest) == 1 and forest["accuracy"][0] > 0.85
    features = FeatureSet(stars / "run" / "light_curve_features")
    assert len(features) == 60 and features.out_features("lightcurve") == 70
