"""The configurations of real data whose encoders are AstroM3's: they fit what is read, and learn."""

from pathlib import Path

import numpy as np
import pytest

from astroclip_kit.data import Dataset
from astroclip_kit.pipeline import run
from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.pipeline.parts import encoder_for, part

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
NETWORKS = {
    "asas_classes": {"lightcurve": "Informer"},
    "supernovae_astrom3": {"spectrum": "GalSpecNet", "lightcurve": "Informer", "table": "MetadataMLP"},
    "ztf_alerts_astrom3": {"image": "StampResNet", "lightcurve": "Informer", "table": "MetadataMLP"},
}
FOLDERS = {"asas_classes": "", "supernovae_astrom3": "supernovae", "ztf_alerts_astrom3": "ztf-alerts"}


def loaded(name, shared_data):
    return load_configuration(CONFIGS / f"{name}.yaml", overrides=[f"data={shared_data / FOLDERS[name]}"])


@pytest.mark.shared_data
@pytest.mark.parametrize("name", NETWORKS)
def test_encoders_fit_what_is_read(name, shared_data):
    configuration = loaded(name, shared_data)
    verb = "classify" if "classify" in configuration.sections else "align"
    given = configuration.sections[verb]["encoders"]
    sources = {source: part(value) for source, value in configuration.sections["ingest"]["sources"].items()}
    modalities = {source: sources[source].modality for source in given}
    built = {source: encoder_for(one, modalities, source) for source, one in given.items()}
    assert {source: type(one).__name__ for source, one in built.items()} == NETWORKS[name]
    assert (configuration.folds, configuration.by) == (5, "group")
    if verb == "align":
        told = configuration.sections["align"]["alignment"]
        assert told.trainable == dict.fromkeys(given, "all") and told.objective.reduction == "published"
        assert built["lightcurve"].in_channels == 5 + len(modalities["lightcurve"].bands)


def test_spectra_of_supernovae_keep_the_published_grid_and_their_errors_a_meaning():
    sections = load_configuration(CONFIGS / "supernovae_astrom3.yaml").sections
    steps = sections["align"]["encoders"]["spectrum"]["init_args"]["preprocess"]["init_args"]
    assert steps["second"] == "sigma" and steps["wavelength"] == [3300, 9500, 10]
    was = load_configuration(CONFIGS / "supernovae.yaml").sections["ingest"]
    assert sections["ingest"]["sources"] == was["sources"]  # so that the figures are of the same objects


@pytest.mark.slow
@pytest.mark.shared_data
def test_classes_of_asas_variables(shared_data, tmp_path):
    few = ["folds=2", "classify.classification.training.epochs=4"]
    changes = [f"data={shared_data}", *few, "ingest.sources.lightcurve.init_args.highest_frequency=4"]
    table = run(CONFIGS / "asas_classes.yaml", tmp_path / "run", overrides=changes)
    data = Dataset(tmp_path / "run" / "data")
    assert data.modalities["lightcurve"].bands == ("V", "R", "g") and len(data) > 2000
    assert table["n"][0] == (data.labels["class"] != "").sum() == 704
    forest = table[[str(name).lower().startswith("random forest") for name in table["model"]]]
    assert forest["balanced_accuracy"][0] > 0.6 > table["majority"][0] and table["balanced_accuracy"][0] > 0.2


@pytest.mark.slow
@pytest.mark.shared_data
def test_alerts_by_networks_that_are_trained_end_to_end(shared_data, tmp_path):
    few = ["folds=2", "align.training.epochs=15", "align.training.schedule.warmup_steps=2"]
    changes = [f"data={shared_data / 'ztf-alerts'}", *few]
    table = run(CONFIGS / "ztf_alerts_astrom3.yaml", tmp_path / "run", overrides=changes)
    asked = (table["task"] == "retrieval") & (table["space"] == "aligned") & (table["metric"] == "recall@10")
    across = table[asked & (table["query"] != table["target"])]
    assert len(across) == 6 and np.mean(across["value"] / across["chance"]) > 1.1 and (across["n"] == 263).all()
